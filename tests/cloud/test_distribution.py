"""The embedded cloud as a distribution in CloudFront's API says: buckets in moto, distributions in ministack.

That the API has the shapes which CloudFront returns is botocore's model of it. What AWS does with them is
taken from the pages that the modules of marketplace.cloud name; nothing was measured against AWS itself.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from marketplace.cloud.children import Child, start_child
from marketplace.cloud.embedded import DistributionCloud
from tests.cloud.conftest import BucketSetup
from tests.cloud.distributions import (
    OPTIMIZED,
    CloudFront,
    allowing,
    behaviour,
    bucket_origin,
    custom_origin,
    group,
    items,
    website_origin,
)
from tests.cloud.tools import QuietHandler, cloudfront_read, error_rule, fetch

pytestmark = pytest.mark.chain
ROOT = Path(__file__).parents[2]
Start = Callable[..., DistributionCloud]

HIT, MISS, ERROR = (f"{kind} from cloudfront" for kind in ("Hit", "Miss", "Error"))


class Server:
    """A custom origin: says what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.status = 200
        self.headers = {"Cache-Control": "max-age=60"}
        server = self

        class Handler(QuietHandler):
            def do_GET(self) -> None:
                server.asked.append((self.command, self.path, self.headers))
                sent = {name.replace("-", "_"): value for name, value in server.headers.items()}
                self.reply(server.status, b"custom", **sent)

            do_HEAD = do_OPTIONS = do_POST = do_GET

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def paths(self) -> list[str]:
        return [path for _, path, _ in self.asked]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def origin(server: Server) -> dict[str, Any]:
    return custom_origin("127.0.0.1", server.port)


# Which distribution


def test_it_answers_503_until_the_distribution_is_there(
    start_distribution: Start, cloudfront: CloudFront, origin: dict[str, Any]
) -> None:
    cloud = start_distribution(distribution_tag=("lazyimages", "late"))

    before = fetch(cloud.cdn_url + "/a.jpg")
    cloudfront.create(origin, tag=("lazyimages", "other"))
    cloudfront.create(origin, tag=("lazyimages", "late"))

    assert (before.status, before.x_cache) == (503, ERROR)
    assert b"lazyimages=late" in before.body
    assert fetch(cloud.cdn_url + "/a.jpg").status == 200


def test_one_that_is_deleted_is_looked_for_again(
    start_distribution: Start, cloudfront: CloudFront, server: Server
) -> None:
    cloud, tag = start_distribution(distribution_tag=("lazyimages", "again")), ("lazyimages", "again")
    first = cloudfront.create(custom_origin("127.0.0.1", server.port, path="/first"), tag=tag, Enabled=False)
    assert fetch(cloud.cdn_url + "/a.jpg").status == 403
    cloudfront.delete(first)
    assert fetch(cloud.cdn_url + "/a.jpg").status == 503

    cloudfront.create(custom_origin("127.0.0.1", server.port, path="/second"), tag=tag)

    assert fetch(cloud.cdn_url + "/a.jpg").status == 200
    assert server.paths == ["/second/a.jpg"]


def test_two_distributions_with_one_tag_are_a_fault(
    start_distribution: Start, cloudfront: CloudFront, origin: dict[str, Any]
) -> None:
    for _ in range(2):
        cloudfront.create(origin, tag=("lazyimages", "twice"))
    reply = fetch(start_distribution(distribution_tag=("lazyimages", "twice")).cdn_url + "/a.jpg")
    assert (reply.status, b"lazyimages=twice" in reply.body) == (500, True)


def test_an_id_that_is_not_there_is_503(start_distribution: Start) -> None:
    assert fetch(start_distribution("ENOSUCHTHING").cdn_url + "/").status == 503


def test_an_api_that_does_not_answer_is_503(s3_server: Child) -> None:
    nobody = "http://127.0.0.1:9"
    with DistributionCloud(s3_endpoint=s3_server.url, cloudfront_endpoint=nobody, distribution="E1") as cloud:
        assert fetch(cloud.cdn_url + "/").status == 503


def test_a_change_is_followed_and_a_reset_does_not_wait_for_it(
    start_distribution: Start, cloudfront: CloudFront, origin: dict[str, Any]
) -> None:
    made = cloudfront.create(origin)
    patient = start_distribution(made["Id"], state_ttl=60)
    assert fetch(patient.cdn_url + "/a.jpg").status == 200

    cloudfront.change(made, Enabled=False)

    assert fetch(start_distribution(made["Id"]).cdn_url + "/a.jpg").status == 403
    assert fetch(patient.cdn_url + "/a.jpg").status == 200
    patient.reset()
    assert fetch(patient.cdn_url + "/a.jpg").status == 403


# Buckets


def test_a_website_endpoint_redirects_by_its_rules(
    start_distribution: Start, cloudfront: CloudFront, bucket: BucketSetup
) -> None:
    bucket.open("*/360x270/*")
    bucket.website(error_rule(404), error_rule(403))
    bucket.put("p/360x270/a.jpg")
    cloud = start_distribution(cloudfront.create(website_origin(bucket.name))["Id"])

    missing = fetch(cloud.cdn_url + "/p/360x270/b.jpg")

    assert fetch(cloud.cdn_url + "/p/360x270/a.jpg").status == 200
    assert (missing.status, missing.location) == (
        307,
        "http://shop.example/images/resizer?key=p/360x270/b.jpg",
    )
    assert [one.layer for one in cloud.log] == ["website", "cdn"] * 2


def test_the_website_endpoint_is_there_beside_the_cdn_too(
    start_distribution: Start, cloudfront: CloudFront, bucket: BucketSetup, origin: dict[str, Any]
) -> None:
    cloud = start_distribution(cloudfront.create(origin)["Id"], website_bucket=bucket.name)
    bucket.open("a.jpg")
    bucket.put("a.jpg", b"website")

    assert fetch(cloud.website_url + "/a.jpg").status == 404, "no website configuration"
    bucket.website()
    assert fetch(cloud.website_url + "/a.jpg").body == b"website"
    assert fetch(cloud.website_url + "/b.jpg").status == 403


@pytest.mark.parametrize("dot", [".", "-"])
@pytest.mark.parametrize("region, status", [("us-east-1", 200), ("eu-central-1", 400)])
def test_a_website_endpoint_is_that_of_the_buckets_region(
    start_distribution: Start, cloudfront: CloudFront, bucket: BucketSetup, dot: str, region: str, status: int
) -> None:
    """AWS: a website endpoint of another region says IncorrectEndpoint, 400."""
    bucket.open()
    bucket.website()
    bucket.put("a.jpg")
    made = cloudfront.create(website_origin(bucket.name, region=region, dot=dot))
    assert fetch(start_distribution(made["Id"]).cdn_url + "/a.jpg").status == status


def test_a_website_endpoint_speaks_no_https(
    start_distribution: Start, cloudfront: CloudFront, bucket: BucketSetup
) -> None:
    """AWS: "Amazon S3 website endpoints do not support HTTPS"."""
    made = cloudfront.create(website_origin(bucket.name, OriginProtocolPolicy="https-only"))
    assert fetch(start_distribution(made["Id"]).cdn_url + "/a.jpg").status == 504


@pytest.mark.parametrize("missing", [403, 404])
def test_a_rest_endpoint_in_place_of_the_website_redirects_nobody(
    start_distribution: Start, cloudfront: CloudFront, bucket: BucketSetup, missing: int
) -> None:
    bucket.open()
    bucket.website(error_rule(404), error_rule(403))
    bucket.put("a.jpg")
    made = cloudfront.create(bucket_origin(bucket.name))
    cloud = start_distribution(made["Id"], missing_status=missing)

    reply = fetch(cloud.cdn_url + "/b.jpg")

    assert fetch(cloud.cdn_url + "/a.jpg").status == 200
    assert (reply.status, reply.headers["Content-Type"]) == (missing, "application/xml")
    assert (b"AccessDenied" if missing == 403 else b"NoSuchKey") in reply.body


@pytest.mark.parametrize("signing, status", [("always", 200), ("no-override", 200), ("never", 403)])
def test_a_private_bucket_is_read_through_an_access_control_that_signs(
    start_distribution: Start, cloudfront: CloudFront, bucket: BucketSetup, signing: str, status: int
) -> None:
    control = cloudfront.access_control(signing=signing)
    made = cloudfront.create(bucket_origin(bucket.name, control=control))
    bucket.policy(cloudfront_read(bucket.name, made["ARN"]))
    bucket.put("a.jpg")
    assert fetch(start_distribution(made["Id"]).cdn_url + "/a.jpg").status == status


def test_a_private_bucket_is_closed_to_other_distributions_and_without_access_control(
    start_distribution: Start, cloudfront: CloudFront, bucket: BucketSetup
) -> None:
    control = cloudfront.access_control()
    made, other = (cloudfront.create(bucket_origin(bucket.name, control=control)) for _ in range(2))
    without = cloudfront.create(bucket_origin(bucket.name))
    bucket.policy(cloudfront_read(bucket.name, made["ARN"]))
    bucket.put("a.jpg")
    found = [fetch(start_distribution(one["Id"]).cdn_url + "/a.jpg").status for one in (made, other, without)]
    assert found == [200, 403, 403]


def test_a_rest_endpoint_of_another_region_is_a_permanent_redirect(
    start_distribution: Start, cloudfront: CloudFront, bucket: BucketSetup
) -> None:
    """AWS: PermanentRedirect, 301, "must be addressed using the specified endpoint"."""
    bucket.open()
    bucket.put("a.jpg")
    made = cloudfront.create(bucket_origin(bucket.name, region="eu-central-1"))
    reply = fetch(start_distribution(made["Id"]).cdn_url + "/a.jpg")
    assert (reply.status, b"PermanentRedirect" in reply.body) == (301, True)


def test_an_origin_path_comes_before_the_key(
    start_distribution: Start, cloudfront: CloudFront, bucket: BucketSetup
) -> None:
    bucket.open()
    bucket.put("below/a.jpg", b"below")
    made = cloudfront.create(bucket_origin(bucket.name, path="/below"))
    assert fetch(start_distribution(made["Id"]).cdn_url + "/a.jpg").body == b"below"


def test_two_buckets_behind_one_distribution(
    start_distribution: Start, cloudfront: CloudFront, bucket: BucketSetup, s3: Any
) -> None:
    other = BucketSetup(s3, f"{bucket.name}-other")
    for one in (bucket, other):
        one.open()
        one.put("a.png", one.name.encode())
    first, second = bucket_origin(bucket.name), bucket_origin(other.name) | {"Id": "other"}
    png = behaviour("other", cloudfront.cache_policy(), PathPattern="*.png")
    cloud = start_distribution(cloudfront.create(first, second, behaviours=(png,))["Id"])
    assert fetch(cloud.cdn_url + "/a.png").body == other.name.encode()


# Custom origins


def test_a_custom_origin_gets_its_path_and_its_headers_and_no_query(
    start_distribution: Start, cloudfront: CloudFront, server: Server
) -> None:
    origin = custom_origin("127.0.0.1", server.port, path="/images/v", headers={"X-Secret": "hush"})
    cloud = start_distribution(cloudfront.create(origin)["Id"])

    fetch(cloud.cdn_url + "/p/a%20b.jpg?v=1", Cookie="a=b", Origin="https://a.example")

    [(method, path, headers)] = server.asked
    assert (method, path) == ("GET", "/images/v/p/a%20b.jpg")
    assert (headers["X-Secret"], headers["Host"]) == ("hush", f"127.0.0.1:{server.port}")
    assert (headers["Cookie"], headers["Origin"]) == (None, None)
    # The log names the viewer's path, at every layer.
    assert {one.path for one in cloud.log} == {"/p/a%20b.jpg"}


def test_no_other_machine_is_asked(start_distribution: Start, cloudfront: CloudFront) -> None:
    made = cloudfront.create(custom_origin("shop.example", 80))
    reply = fetch(start_distribution(made["Id"]).cdn_url + "/a.jpg")
    assert (reply.status, b"shop.example" in reply.body) == (502, True)


def test_an_origin_group_fails_over_on_its_codes(
    start_distribution: Start, cloudfront: CloudFront, bucket: BucketSetup, origin: dict[str, Any]
) -> None:
    def made(*codes: int) -> str:
        primary = bucket_origin(bucket.name, control=cloudfront.access_control())
        default = behaviour("group", cloudfront.cache_policy())
        groups = items(group("bucket", "custom", codes=codes))
        found = cloudfront.create(primary, origin, default=default, OriginGroups=groups)
        bucket.policy(cloudfront_read(bucket.name, found["ARN"]))
        return found["Id"]

    # One after the other: the bucket's policy names the last of them.
    cloud = start_distribution(made(403, 404))
    assert fetch(cloud.cdn_url + "/a.jpg").body == b"custom"
    assert [(one.layer, one.status) for one in cloud.log] == [("origin", 403), ("resizer", 200), ("cdn", 200)]
    assert fetch(start_distribution(made(500, 404)).cdn_url + "/a.jpg").status == 403


# Behaviours


def test_the_first_behaviour_that_fits_answers(
    start_distribution: Start, cloudfront: CloudFront, server: Server
) -> None:
    names = ("*.jpg", "/b?.png", "p/*", "*.JPG")
    origins = [
        custom_origin("127.0.0.1", server.port, path=f"/{number}") | {"Id": f"origin-{number}"}
        for number in range(len(names) + 1)
    ]
    policy = cloudfront.cache_policy()
    behaviours = tuple(
        behaviour(f"origin-{number}", policy, PathPattern=name) for number, name in enumerate(names, 1)
    )
    cloud = start_distribution(cloudfront.create(*origins, behaviours=behaviours)["Id"])

    for path in ("/x/y.jpg", "/b1.png", "/b.png", "/p/a.jpg", "/p/a.JPG", "/q/a.JPG", "/p/a.png", "/x.jpgx"):
        fetch(cloud.cdn_url + path)

    assert [path.split("/")[1] for path in server.paths] == ["1", "2", "0", "1", "3", "4", "3", "0"]


def test_the_ttls_are_the_cache_policys(
    start_distribution: Start, cloudfront: CloudFront, server: Server, origin: dict[str, Any]
) -> None:
    server.headers = {"Cache-Control": "no-store"}
    ours = cloudfront.create(origin)
    optimized = cloudfront.create(origin, default=behaviour("custom", OPTIMIZED))

    def second(distribution: dict[str, Any]) -> str:
        cloud = start_distribution(distribution["Id"], clock=lambda: 1_800_000_000.0)
        return [fetch(cloud.cdn_url + "/a.jpg").x_cache for _ in range(2)][1]

    # CachingOptimized has a minimum of one second, which overrules no-store.
    assert (second(ours), second(optimized)) == (MISS, HIT)


@pytest.mark.parametrize("cache_307, x_cache", [("always", HIT), ("with-cache-control", MISS)])
def test_a_307_is_kept_only_in_an_older_account(
    start_distribution: Start, cloudfront: CloudFront, bucket: BucketSetup, cache_307: str, x_cache: str
) -> None:
    bucket.open("*/360x270/*")
    bucket.website(error_rule(404), error_rule(403))
    origin = website_origin(bucket.name)
    made = cloudfront.create(origin, default=behaviour(origin["Id"], cloudfront.cache_policy(default=60)))
    cloud = start_distribution(made["Id"], cache_307=cache_307)
    assert [fetch(cloud.cdn_url + "/p/360x270/a.jpg").x_cache for _ in range(2)] == [MISS, x_cache]


@pytest.mark.parametrize("query, asked", [("none", ["/a.jpg"]), ("all", ["/a.jpg?v=1", "/a.jpg?v=2"])])
def test_a_query_is_dropped_unless_the_policy_has_it_in_the_key(
    start_distribution: Start,
    cloudfront: CloudFront,
    server: Server,
    origin: dict[str, Any],
    query: str,
    asked: list[str],
) -> None:
    default = behaviour("custom", cloudfront.cache_policy(query=query))
    cloud = start_distribution(cloudfront.create(origin, default=default)["Id"])
    for version in (1, 2, 1):
        fetch(f"{cloud.cdn_url}/a.jpg?v={version}")
    assert server.paths == asked


def test_only_the_behaviours_methods_are_let_through(
    start_distribution: Start, cloudfront: CloudFront, server: Server, origin: dict[str, Any]
) -> None:
    policy = cloudfront.cache_policy()
    options = behaviour(
        "custom", policy, PathPattern="/o/*", AllowedMethods=allowing("GET", "HEAD", "OPTIONS")
    )
    cloud = start_distribution(cloudfront.create(origin, behaviours=(options,))["Id"])

    assert fetch(cloud.cdn_url + "/a.jpg", method="OPTIONS").status == 403
    assert fetch(cloud.cdn_url + "/o/a.jpg", method="POST").status == 403
    assert server.asked == []
    assert fetch(cloud.cdn_url + "/o/a.jpg", method="OPTIONS").status == 200


def test_errors_are_kept_for_their_minimum(
    start_distribution: Start, cloudfront: CloudFront, server: Server, origin: dict[str, Any]
) -> None:
    now = 1_800_000_000.0
    responses = items({"ErrorCode": 503, "ErrorCachingMinTTL": 1})
    made = cloudfront.create(origin, CustomErrorResponses=responses)
    cloud = start_distribution(made["Id"], clock=lambda: now)
    server.headers = {}

    def asked_again(status: int, after: float) -> bool:
        nonlocal now
        cloud.reset()
        server.status = status
        fetch(cloud.cdn_url + "/a.jpg")
        before, now = len(server.asked), now + after
        fetch(cloud.cdn_url + "/a.jpg")
        return len(server.asked) > before

    assert (asked_again(503, 0.9), asked_again(503, 1.1)) == (False, True)
    assert (asked_again(502, 9), asked_again(502, 11)) == (False, True), "10 seconds where nothing is said"


def test_a_response_headers_policy_is_applied_to_what_is_cached_too(
    start_distribution: Start, cloudfront: CloudFront, origin: dict[str, Any]
) -> None:
    policy = cloudfront.headers_policy(
        SecurityHeadersConfig={"ContentTypeOptions": {"Override": True}},
        CustomHeadersConfig=items({"Header": "X-Own", "Value": "1", "Override": False}),
        CorsConfig={
            "AccessControlAllowOrigins": items("https://shop.example"),
            "AccessControlAllowMethods": items("GET", "HEAD"),
            "AccessControlAllowHeaders": items("*"),
            "AccessControlAllowCredentials": False,
            "OriginOverride": True,
        },
    )
    default = behaviour("custom", cloudfront.cache_policy(), ResponseHeadersPolicyId=policy)
    cloud = start_distribution(cloudfront.create(origin, default=default)["Id"])

    stranger = fetch(cloud.cdn_url + "/a.jpg", Origin="https://b.example")
    shop = fetch(cloud.cdn_url + "/a.jpg", Origin="https://shop.example")

    assert (stranger.x_cache, shop.x_cache) == (MISS, HIT)
    assert (shop.headers["X-Content-Type-Options"], shop.headers["X-Own"]) == ("nosniff", "1")
    assert shop.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert stranger.headers["Access-Control-Allow-Origin"] is None
    known = fetch(cloud.cdn_url + "/a.jpg", Origin="https://shop.example")
    assert known.headers["X-Own"] == "1"


def test_an_invalidation_over_the_api_is_carried_out_once(
    start_distribution: Start, cloudfront: CloudFront, origin: dict[str, Any]
) -> None:
    made = cloudfront.create(origin)
    cloud = start_distribution(made["Id"])
    for path in ("/p/a.jpg", "/q/a.jpg"):
        fetch(cloud.cdn_url + path)

    cloudfront.invalidate(made, "/p/*")

    found = [fetch(cloud.cdn_url + path).x_cache for path in ("/p/a.jpg", "/p/a.jpg", "/q/a.jpg")]
    assert found == [MISS, HIT, HIT]


# What it cannot do is said


@pytest.mark.parametrize(
    "extra, name",
    [
        ({"DefaultRootObject": "index.html"}, "DefaultRootObject"),
        ({"WebACLId": "some-acl"}, "WebACLId"),
        (
            {
                "CustomErrorResponses": items(
                    {"ErrorCode": 404, "ResponseCode": "200", "ResponsePagePath": "/e"}
                )
            },
            "ResponsePagePath",
        ),
        (
            {"Restrictions": {"GeoRestriction": {"RestrictionType": "blacklist", **items("DE")}}},
            "GeoRestriction",
        ),
    ],
)
def test_settings_that_are_not_emulated_are_500_and_named(
    start_distribution: Start,
    cloudfront: CloudFront,
    origin: dict[str, Any],
    extra: dict[str, Any],
    name: str,
) -> None:
    reply = fetch(start_distribution(cloudfront.create(origin, **extra)["Id"]).cdn_url + "/a.jpg")
    assert (reply.status, name in reply.body.decode()) == (500, True), reply.body


@pytest.mark.parametrize(
    "extra, name",
    [
        ({"OriginRequestPolicyId": "216adef6-5c7f-47e4-b989-5492eafa07d3"}, "OriginRequestPolicyId"),
        ({"CachePolicyId": ""}, "CachePolicyId"),
        (
            {"CachePolicyId": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad", "SmoothStreaming": True},
            "SmoothStreaming",
        ),
        # The managed policy of Amplify has a key of headers and cookies.
        ({"CachePolicyId": "2e54312d-136d-493c-8eb9-b001f22f67d2"}, "cookies: all"),
        ({"ResponseHeadersPolicyId": "no-such-policy"}, "GetResponseHeadersPolicy"),
        ({"TargetOriginId": "no-such-origin"}, "no-such-origin"),
    ],
)
def test_behaviours_that_are_not_emulated_are_500_and_named(
    start_distribution: Start,
    cloudfront: CloudFront,
    origin: dict[str, Any],
    extra: dict[str, Any],
    name: str,
) -> None:
    default = behaviour("custom", cloudfront.cache_policy()) | extra
    made = cloudfront.create(origin, default=default)
    reply = fetch(start_distribution(made["Id"]).cdn_url + "/a.jpg")
    assert (reply.status, name in reply.body.decode()) == (500, True), reply.body


@pytest.mark.parametrize(
    "change, name",
    [
        ({"S3OriginConfig": {"OriginAccessIdentity": "origin-access-identity/cloudfront/E1"}}, "identities"),
        ({"DomainName": "b.s3-accelerate.dualstack.amazonaws.com"}, "s3-accelerate"),
        ({"OriginShield": {"Enabled": True, "OriginShieldRegion": "us-east-1"}}, "OriginShield"),
    ],
)
def test_origins_that_are_not_emulated_are_500_and_named(
    start_distribution: Start,
    cloudfront: CloudFront,
    bucket: BucketSetup,
    change: dict[str, Any],
    name: str,
) -> None:
    made = cloudfront.create(bucket_origin(bucket.name) | change)
    reply = fetch(start_distribution(made["Id"]).cdn_url + "/a.jpg")
    assert (reply.status, name in reply.body.decode()) == (500, True), reply.body


# The command line


def test_the_process_follows_a_tagged_distribution(
    s3_server: Child, cloudfront_server: Child, cloudfront: CloudFront, origin: dict[str, Any]
) -> None:
    command = [sys.executable, "-m", "marketplace.cloud", "--port", "0", "--s3-endpoint", s3_server.url]
    command += ["--cloudfront-endpoint", cloudfront_server.url, "--distribution-tag", "lazyimages=process"]
    with start_child(command, ready="CDN ready:", cwd=ROOT) as child:
        assert fetch(child.url + "/a.jpg").status == 503
        cloudfront.create(origin, tag=("lazyimages", "process"))
        assert fetch(child.url + "/__emulator__/reset", method="POST").status == 200
        assert fetch(child.url + "/a.jpg").status == 200


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--bucket", "b", "--cloudfront-endpoint", "http://127.0.0.1:9"],
        ["--cloudfront-endpoint", "http://127.0.0.1:9"],
        ["--cloudfront-endpoint", "http://127.0.0.1:9", "--distribution-tag", "no-value"],
    ],
)
def test_options_that_say_too_little_or_too_much_are_refused(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    from marketplace.cloud.__main__ import main

    with pytest.raises(SystemExit) as ended:
        main(["--s3-endpoint", "http://127.0.0.1:9", *options])
    assert ended.value.code == 2
    assert "--" in capsys.readouterr().err
