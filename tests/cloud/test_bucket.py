"""The bucket's own state, in moto's server, as the public and CloudFront meet it."""

from collections.abc import Callable
from typing import Any

import pytest

from marketplace.cloud.embedded import DISTRIBUTION_ARN, KeywordCloud
from tests.cloud.conftest import BucketSetup
from tests.cloud.tools import cloudfront_read, error_rule, fetch, public_list, public_read

pytestmark = pytest.mark.chain
StartCloud = Callable[..., KeywordCloud]
BOTH = pytest.mark.parametrize("missing", [403, 404])
VARIANTS = ("360x270/*", "*/360x270/*")


def test_an_objects_headers_come_through(bucket: BucketSetup, start_cloud: StartCloud) -> None:
    bucket.open(*VARIANTS)
    bucket.website()
    bucket.put("p/360x270/a.avif", b"pixels", ContentType="image/avif", CacheControl="max-age=60")

    reply = fetch(start_cloud().website_url + "/p/360x270/a.avif")

    assert (reply.status, reply.body, reply.headers["Content-Length"]) == (200, b"pixels", "6")
    assert reply.headers["Content-Type"] == "image/avif"
    assert reply.headers["Cache-Control"] == "max-age=60"
    assert reply.headers["Accept-Ranges"] == "bytes"
    assert reply.headers["Last-Modified"].endswith("GMT")
    known = fetch(start_cloud().website_url + "/p/360x270/a.avif", If_None_Match=reply.headers["ETag"])
    assert (known.status, known.body) == (304, b"")
    assert not [name for name in reply.headers if name.lower().startswith("x-amz")]


def test_a_website_endpoint_speaks_http_get_and_head(bucket: BucketSetup, start_cloud: StartCloud) -> None:
    bucket.open()
    bucket.website()
    bucket.put("a.jpg", b"12345")
    url = start_cloud().website_url + "/a.jpg"

    head = fetch(url, method="HEAD")

    assert url.startswith("http://127.0.0.1:")
    assert (head.status, head.headers["Content-Length"], head.body) == (200, "5", b"")
    assert fetch(url, method="POST", body=b"x").status == 405


def test_a_website_endpoint_takes_no_oac(bucket: BucketSetup, start_cloud: StartCloud) -> None:
    bucket.block()
    bucket.policy(cloudfront_read(bucket.name, DISTRIBUTION_ARN))
    bucket.website()
    bucket.put("a.jpg")

    assert fetch(start_cloud().website_url + "/a.jpg").status == 403
    assert fetch(start_cloud(delivery="failover").cdn_url + "/a.jpg").status == 200


def test_a_website_endpoint_serves_no_kms_objects(bucket: BucketSetup, start_cloud: StartCloud) -> None:
    bucket.open()
    bucket.website()
    bucket.put("kms.jpg", ServerSideEncryption="aws:kms")
    bucket.put("s3.jpg", ServerSideEncryption="AES256")
    url = start_cloud().website_url

    assert fetch(url + "/kms.jpg").status == 403
    assert fetch(url + "/s3.jpg").status == 200


@BOTH
def test_a_missing_key_without_list_bucket_is_403_or_404(
    bucket: BucketSetup, start_cloud: StartCloud, missing: int
) -> None:
    bucket.open(*VARIANTS)
    bucket.website()
    assert fetch(start_cloud(missing_status=missing).website_url + "/p/360x270/a.jpg").status == missing


@BOTH
def test_a_missing_key_with_public_list_bucket_is_404(
    bucket: BucketSetup, start_cloud: StartCloud, missing: int
) -> None:
    bucket.block()
    bucket.policy(public_read(bucket.name), public_list(bucket.name))
    bucket.website()
    assert fetch(start_cloud(missing_status=missing).website_url + "/a.jpg").status == 404


@BOTH
def test_a_rule_for_each_code_catches_a_missing_key(
    bucket: BucketSetup, start_cloud: StartCloud, missing: int
) -> None:
    bucket.open(*VARIANTS)
    bucket.website(error_rule(404), error_rule(403))

    reply = fetch(start_cloud(missing_status=missing).website_url + "/p/360x270/a.jpg")

    assert reply.status == 307
    assert reply.location == "http://shop.example/images/resizer?key=p/360x270/a.jpg"


@BOTH
def test_the_403_rule_also_catches_private_originals(
    bucket: BucketSetup, start_cloud: StartCloud, missing: int
) -> None:
    bucket.open(*VARIANTS)
    bucket.website(error_rule(404), error_rule(403))
    bucket.put("p/a.jpg", b"original")

    reply = fetch(start_cloud(missing_status=missing).website_url + "/p/a.jpg")

    assert reply.location == "http://shop.example/images/resizer?key=p/a.jpg"
    assert b"original" not in reply.body


def test_the_public_policy_need_not_cover_originals(bucket: BucketSetup, start_cloud: StartCloud) -> None:
    bucket.open(*VARIANTS)
    bucket.website()
    for key in ("a.jpg", "p/a.jpg", "p/360x270/a.jpg", "360x270/a.jpg", "p/q/360x270/a.jpg"):
        bucket.put(key)
    url = start_cloud().website_url

    readable = [key for key in sorted(bucket.stored()) if fetch(f"{url}/{key}").status == 200]

    assert readable == ["360x270/a.jpg", "p/360x270/a.jpg", "p/q/360x270/a.jpg"]


def test_an_original_in_a_size_like_directory_leaks(bucket: BucketSetup, start_cloud: StartCloud) -> None:
    bucket.open(*VARIANTS)
    bucket.website()
    bucket.put("albums/360x270/original.jpg", b"leaked")
    assert fetch(start_cloud().website_url + "/albums/360x270/original.jpg").body == b"leaked"


def test_a_new_bucket_blocks_public_policies(bucket: BucketSetup, start_cloud: StartCloud) -> None:
    bucket.policy(public_read(bucket.name))
    bucket.website()
    bucket.put("a.jpg")
    url = start_cloud().website_url + "/a.jpg"

    assert fetch(url).status == 403
    bucket.block()  # the two policy flags false, the ACL flags true
    assert fetch(url).status == 200


def test_restrict_public_buckets_leaves_the_public_nothing_and_cloudfront_its_part(
    bucket: BucketSetup, start_cloud: StartCloud
) -> None:
    bucket.block(RestrictPublicBuckets=True)
    bucket.policy(public_read(bucket.name), cloudfront_read(bucket.name, DISTRIBUTION_ARN))
    bucket.website()
    bucket.put("a.jpg")

    assert fetch(start_cloud().website_url + "/a.jpg").status == 403
    assert fetch(start_cloud(delivery="failover").cdn_url + "/a.jpg").status == 200


def test_blocking_public_policies_leaves_those_that_are_there(
    bucket: BucketSetup, start_cloud: StartCloud
) -> None:
    bucket.block(BlockPublicPolicy=True)
    bucket.policy(public_read(bucket.name))
    bucket.website()
    bucket.put("a.jpg")

    reply = fetch(start_cloud().website_url + "/a.jpg")

    assert reply.status == 200


def test_an_unknown_condition_is_500_and_named(bucket: BucketSetup, start_cloud: StartCloud) -> None:
    bucket.block()
    bucket.policy(public_read(bucket.name) | {"Condition": {"StringLike": {"aws:Referer": "https://x/*"}}})
    bucket.website()

    for cloud in (start_cloud(), start_cloud(delivery="failover")):
        reply = fetch(cloud.cdn_url + "/a.jpg")
        assert (reply.status, reply.headers["Content-Type"]) == (500, "text/plain; charset=utf-8")
        assert b"StringLike aws:Referer" in reply.body


@pytest.mark.parametrize(
    "configuration, fault",
    [
        ({"IndexDocument": {"Suffix": "i"}, "RoutingRules": []}, b"RoutingRules"),
        ({"ErrorDocument": {"Key": "e"}}, b"IndexDocument"),
        (
            {
                "IndexDocument": {"Suffix": "i"},
                "RoutingRules": [{"Redirect": {"ReplaceKeyWith": "a", "ReplaceKeyPrefixWith": "b"}}],
            },
            b"not both",
        ),
        (
            {"IndexDocument": {"Suffix": "i"}, "RoutingRules": [error_rule(404)] * 51},
            b"50 at most",
        ),
    ],
)
def test_website_configurations_that_moto_takes_and_s3_rejects(
    bucket: BucketSetup, start_cloud: StartCloud, configuration: dict[str, Any], fault: bytes
) -> None:
    bucket.open()
    bucket.s3.put_bucket_website(Bucket=bucket.name, WebsiteConfiguration=configuration)

    reply = fetch(start_cloud().website_url + "/a.jpg")

    assert (reply.status, fault in reply.body) == (500, True)


def test_a_bucket_that_is_no_website_is_404(bucket: BucketSetup, start_cloud: StartCloud) -> None:
    bucket.open()
    bucket.put("a.jpg")
    reply = fetch(start_cloud().website_url + "/a.jpg")
    assert (reply.status, b"website configuration" in reply.body) == (404, True)


def test_a_bucket_that_does_not_exist_is_named(s3_server: Any) -> None:
    with KeywordCloud(bucket="no-such-bucket", s3_endpoint=s3_server.url) as cloud:
        assert b"NoSuchBucket" in fetch(cloud.cdn_url + "/a.jpg").body


def test_an_s3_that_does_not_answer_is_503() -> None:
    with KeywordCloud(bucket="any", s3_endpoint="http://127.0.0.1:9") as cloud:
        assert fetch(cloud.website_url + "/a.jpg").status == 503


@pytest.mark.parametrize(
    "key, path",
    [
        ("p/360x270/a b.jpg", "/p/360x270/a%20b.jpg"),
        ("p/360x270/a b.jpg", "/p/360x270/a+b.jpg"),
        ("p/360x270/a+b.jpg", "/p/360x270/a%2Bb.jpg"),
        ("p/360x270/100%&#é.jpg", "/p/360x270/100%25%26%23%C3%A9.jpg"),
        ("/360x270//a.jpg", "//360x270//a.jpg"),
        ("p/../360x270/a.jpg", "/p/../360x270/a.jpg"),
    ],
)
def test_keys_are_what_the_path_says(
    bucket: BucketSetup, start_cloud: StartCloud, key: str, path: str
) -> None:
    bucket.open()
    bucket.website()
    bucket.put(key, key.encode())
    assert fetch(start_cloud().cdn_url + path).body == key.encode()


@pytest.mark.parametrize("path", ["/" + "a" * 1025, "/%FF.jpg"])
def test_what_cannot_be_a_key_is_400(bucket: BucketSetup, start_cloud: StartCloud, path: str) -> None:
    bucket.open()
    bucket.website(error_rule(404), error_rule(403))
    assert fetch(start_cloud().website_url + path).status == 400


def test_a_redirect_without_a_host_leaves_the_cdn(bucket: BucketSetup, start_cloud: StartCloud) -> None:
    bucket.open()
    bucket.website({"Condition": {"KeyPrefixEquals": "old/"}, "Redirect": {"ReplaceKeyPrefixWith": "new/"}})
    cloud = start_cloud()
    assert fetch(cloud.cdn_url + "/old/a.jpg").location == cloud.website_url + "/new/a.jpg"


def test_settings_are_remembered_until_a_reset(bucket: BucketSetup, s3_server: Any) -> None:
    bucket.open()
    bucket.website()
    bucket.put("a.jpg")
    with KeywordCloud(bucket=bucket.name, s3_endpoint=s3_server.url, state_ttl=60) as cloud:
        assert fetch(cloud.website_url + "/a.jpg").status == 200
        bucket.s3.delete_bucket_policy(Bucket=bucket.name)
        assert fetch(cloud.website_url + "/a.jpg").status == 200
        cloud.reset()
        assert fetch(cloud.website_url + "/a.jpg").status == 403
