"""The doctor against a chain that is whole, and against one that is broken in each way that is known.

Stand-ins: moto as S3, ministack as CloudFront's API, `marketplace.cloud` as what both serve, the app behind
HTTP. Which of 403 and 404 a missing object is, and whether a 307 is kept, AWS's pages leave open: both are
tried.
"""

from collections.abc import Callable
from typing import Any

import pytest

from tests.doctor.conftest import SECRET, Cloud, Shop

Make = Callable[..., Cloud]
Headers = list[tuple[str, str]]


def public(bucket: str) -> dict[str, Any]:
    return {
        "Sid": "Everything",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }


class TestWhole:
    @pytest.mark.parametrize("missing", [403, 404])
    def test_redirect(self, make_cloud: Make, missing: int) -> None:
        cloud = make_cloud("redirect", missing_status=missing)
        told = cloud.ask()
        assert (told.code, told.serious) == (0, [])
        assert told.hops("a stored variant") == [200]
        assert told.hops("a missing variant") == [307, 301, 200]
        assert told.hops("the same again") == [200]
        assert told.hops("a size outside of the whitelist") == [307, 404]
        assert told.hops("the original, through the CDN") == [307, 404]
        assert told.hops("the original, from the website") == [307, 404]
        assert told.hops("the original, from S3") == [403]
        assert told.hops("another size after deletion") == [307, 404]
        assert cloud.stored() == []

    @pytest.mark.parametrize("missing", [403, 404])
    def test_failover(self, make_cloud: Make, missing: int) -> None:
        cloud = make_cloud("failover", missing_status=missing)
        told = cloud.ask()
        assert (told.code, told.serious) == (0, [])
        assert told.hops("a missing variant") == [200]
        assert told.hops("the original, through the CDN") == [404]
        assert told.hops("the original, from S3") == [403]
        assert cloud.stored() == []
        assert SECRET not in told.text

    def test_a_307_that_the_cdn_would_keep_is_not_kept_with_our_policy(self, make_cloud: Make) -> None:
        assert make_cloud("redirect", cache_307="always").ask().serious == []

    def test_the_website_is_not_known(self, make_cloud: Make) -> None:
        told = make_cloud("redirect", website_port=None).ask()
        assert told.code == 0
        assert "website-unknown" in told.findings

    def test_in_two_buckets(self, make_cloud: Make, settings: Any) -> None:
        cloud = make_cloud("redirect", set_up=False)
        entry = settings.STORAGES["default"]
        other = entry | {"OPTIONS": entry["OPTIONS"] | {"bucket_name": f"{cloud.bucket}-originals"}}
        settings.STORAGES = {**settings.STORAGES, "default": other}
        cloud.set_up()
        told = cloud.ask()
        assert (told.code, told.serious) == (0, [])
        assert told.hops("the original, from S3") == [403]
        assert cloud.stored() == []


class TestRedirect:
    """What breaks the way CDN, resizer, CDN."""

    @pytest.mark.parametrize(("missing", "kept"), [(403, 0), (404, 1)])
    def test_the_rule_is_for_the_other_code(self, make_cloud: Make, missing: int, kept: int) -> None:
        cloud = make_cloud("redirect", missing_status=missing)
        cloud.rules(lambda rules: rules.__setitem__(slice(None), [rules[kept]]))
        told = cloud.ask()
        assert told.code == 2
        assert {"website-code-missing", "redirect-missing"} <= set(told.serious)
        assert told.hops("a missing variant") == [missing]

    @pytest.mark.parametrize("code", ["301", "308"])
    def test_the_rule_redirects_for_ever(self, make_cloud: Make, code: str) -> None:
        cloud = make_cloud("redirect")
        cloud.rules(lambda rules: [rule["Redirect"].update(HttpRedirectCode=code) for rule in rules])
        told = cloud.ask()
        assert {"website-code-redirect", "redirect-code"} <= set(told.serious)
        assert told.findings["redirect-code"]["severity"] == "error"

    def test_the_cdn_keeps_the_307(self, make_cloud: Make) -> None:
        """CloudFront, "How CloudFront processes HTTP 3xx": others tell of 307s that were kept."""
        cloud = make_cloud("redirect", cache_307="always")
        policy = cloud.cloudfront.get_cache_policy(
            Id=cloud.distribution["config"]["DefaultCacheBehavior"]["CachePolicyId"]
        )
        config = policy["CachePolicy"]["CachePolicyConfig"] | {"MinTTL": 1, "DefaultTTL": 86400}
        cloud.cloudfront.update_cache_policy(
            Id=policy["CachePolicy"]["Id"], IfMatch=policy["ETag"], CachePolicyConfig=config
        )
        told = cloud.ask()
        assert {"cdn-keeps-redirects", "redirect-kept", "cdn-drift"} <= set(told.serious)
        assert told.hops("a missing variant") == [307, 301, 307, 200]

    def test_the_rest_endpoint_in_place_of_the_website(self, make_cloud: Make) -> None:
        cloud = make_cloud("redirect")

        def change(config: dict[str, Any]) -> None:
            (origin,) = config["Origins"]["Items"]
            del origin["CustomOriginConfig"]
            origin["DomainName"] = f"{cloud.bucket}.s3.eu-central-1.amazonaws.com"
            origin["S3OriginConfig"] = {"OriginAccessIdentity": ""}

        cloud.change_distribution(change)
        told = cloud.ask()
        assert "cdn-rest-endpoint" in told.serious
        seen = [one["what"] for one in told.json["findings"] if one["name"] == "cdn-rest-endpoint"]
        assert len(seen) == 2  # in the distribution, and in the answer
        website = f"{cloud.bucket}.s3-website.eu-central-1.amazonaws.com"
        assert any(website in what for what in seen)

    def test_originals_are_public(self, make_cloud: Make) -> None:
        cloud = make_cloud("redirect")
        cloud.policy(public(cloud.bucket))
        told = cloud.ask()
        assert {"originals-public", "original-served"} <= set(told.serious)
        served = [name for name, one in told.checks.items() if "original-served" in one["findings"]]
        assert served == [
            "the original, through the CDN",
            "the original, from S3",
            "the original, from the website",
        ]

    def test_public_access_is_blocked(self, make_cloud: Make) -> None:
        cloud = make_cloud("redirect")
        flags = dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
        )
        cloud.s3.put_public_access_block(Bucket=cloud.bucket, PublicAccessBlockConfiguration=flags)
        told = cloud.ask()
        assert {"public-access-blocked", "variants-not-readable"} <= set(told.serious)

    def test_a_plain_301(self, make_cloud: Make, shop: Shop) -> None:
        def rewrite(status: str, headers: Headers) -> tuple[str, Headers]:
            if status.startswith("301"):
                headers = [(name, value) for name, value in headers if name != "Cache-Control"]
            return status, headers

        cloud = make_cloud("redirect")
        shop.alter = rewrite
        told = cloud.ask()
        assert told.serious == ["redirect-permanent"]
        assert "Cache-Control (none)" in told.findings["redirect-permanent"]["what"]

    @pytest.mark.parametrize(
        ("status", "header"), [("308 x", None), ("302 x", ("Cache-Control", "max-age=31536000"))]
    )
    def test_another_redirect_that_may_be_kept(
        self, make_cloud: Make, shop: Shop, status: str, header: tuple[str, str] | None
    ) -> None:
        def rewrite(said: str, headers: Headers) -> tuple[str, Headers]:
            if not said.startswith("301"):
                return said, headers
            others = [(name, value) for name, value in headers if name != "Cache-Control"]
            return status, [*others, *([header] if header else [])]

        cloud = make_cloud("redirect")
        shop.alter = rewrite
        assert cloud.ask().serious == ["redirect-permanent"]

    def test_a_redirect_to_what_is_no_url(self, make_cloud: Make, shop: Shop) -> None:
        cloud = make_cloud("redirect")
        shop.alter = lambda status, headers: (
            "301 x",
            [("Location", "http://[bad/x"), ("Content-Length", "0")],
        )
        assert "answer-unexpected" in cloud.ask().serious
        assert cloud.stored() == []

    def test_the_resizer_is_down(self, make_cloud: Make, shop: Shop) -> None:
        cloud = make_cloud("redirect")
        shop.stop()
        told = cloud.ask()
        assert told.serious == ["resizer-unreachable"]
        assert "refused" in told.findings["resizer-unreachable"]["what"]
        assert cloud.stored() == []

    def test_the_resizer_is_on_another_host(self, make_cloud: Make) -> None:
        cloud = make_cloud("redirect")
        cloud.rules(lambda rules: [rule["Redirect"].update(HostName="127.0.0.1:9") for rule in rules])
        told = cloud.ask()
        assert {"website-elsewhere", "resizer-elsewhere", "resizer-unreachable"} <= set(told.serious)

    def test_the_app_has_another_cdn(self, make_cloud: Make, shop: Shop) -> None:
        def rewrite(status: str, headers: Headers) -> tuple[str, Headers]:
            moved = {"Location": "http://127.0.0.1:9/another"}
            return status, [(name, moved.get(name, value)) for name, value in headers]

        cloud = make_cloud("redirect")
        shop.alter = rewrite
        told = cloud.ask()
        assert "resizer-disagrees" in told.serious

    def test_a_path_in_cdn_url(self, make_cloud: Make, settings: Any) -> None:
        """The CDN hands the path on as a part of the key, and the bucket has no such key."""
        cloud = make_cloud("redirect")
        cloud.lazy(CDN_URL=f"{settings.LAZYIMAGES['CDN_URL']}/images")
        told = cloud.ask()
        assert {"cdn-url-path", "variants-not-readable", "resizer-disagrees"} <= set(told.serious)

    def test_a_slash_at_the_end_of_cdn_url(self, make_cloud: Make, settings: Any) -> None:
        cloud = make_cloud("redirect")
        cloud.lazy(CDN_URL=f"{settings.LAZYIMAGES['CDN_URL']}/")
        told = cloud.ask()
        assert (told.code, told.serious) == (1, ["cdn-url-slash"])

    def test_the_wrong_region(self, make_cloud: Make, settings: Any) -> None:
        cloud = make_cloud("redirect")
        for alias in ("default", "lazyimages"):
            settings.STORAGES[alias]["OPTIONS"]["region_name"] = "us-west-2"
        settings.STORAGES = dict(settings.STORAGES)
        told = cloud.ask()
        assert told.code == 2
        assert told.findings["bucket-region"]["remedy"] == 'Set region_name in STORAGES to "eu-central-1".'


class TestFailover:
    """What breaks the CDN's asking the resizer by itself."""

    @pytest.mark.parametrize("missing", [403, 404])
    def test_it_does_not_fire(self, make_cloud: Make, missing: int) -> None:
        cloud = make_cloud("failover", missing_status=missing)

        def change(config: dict[str, Any]) -> None:
            (group,) = config["OriginGroups"]["Items"]
            group["FailoverCriteria"]["StatusCodes"] = {"Quantity": 1, "Items": [500]}

        cloud.change_distribution(change)
        told = cloud.ask()
        assert {"cdn-no-failover", "failover-silent", "cdn-drift"} <= set(told.serious)
        assert "403 and 404" in told.findings["cdn-no-failover"]["what"]
        assert told.hops("a missing variant") == [missing]

    def test_there_is_no_group(self, make_cloud: Make) -> None:
        cloud = make_cloud("failover")

        def change(config: dict[str, Any]) -> None:
            behaviours = [config["DefaultCacheBehavior"], *config["CacheBehaviors"].get("Items", [])]
            for behaviour in behaviours:
                behaviour["TargetOriginId"] = "lazyimages-bucket"
            config["OriginGroups"] = {"Quantity": 0}

        cloud.change_distribution(change)
        told = cloud.ask()
        assert {"cdn-no-failover", "failover-silent"} <= set(told.serious)

    @pytest.mark.parametrize("value", [None, "another-secret"])
    def test_the_secret(self, make_cloud: Make, value: str | None) -> None:
        cloud = make_cloud("failover")

        def change(config: dict[str, Any]) -> None:
            for origin in config["Origins"]["Items"]:
                if origin["CustomHeaders"]["Quantity"]:
                    pair = {"HeaderName": "X-Lazyimages-Secret", "HeaderValue": value}
                    origin["CustomHeaders"] = {"Quantity": 1, "Items": [pair]} if value else {"Quantity": 0}

        cloud.change_distribution(change)
        told = cloud.ask()
        assert {"cdn-secret", "secret-refused"} <= set(told.serious)
        assert SECRET not in told.text
        assert "another-secret" not in told.text

    def test_the_bucket_lets_another_distribution_in(self, make_cloud: Make) -> None:
        """The CDN keeps what the resizer gave it, so that only a variant of the doctor's own shows it."""
        cloud = make_cloud("failover")
        policy = cloud.s3.get_bucket_policy(Bucket=cloud.bucket)["Policy"]
        wrong = policy.replace(cloud.distribution["Id"], "EANOTHER")
        cloud.s3.put_bucket_policy(Bucket=cloud.bucket, Policy=wrong)
        told = cloud.ask()
        assert set(told.serious) == {"variants-not-readable", "bucket-drift"}
        assert told.checks["a stored variant"]["findings"] == ["variants-not-readable"]

    def test_the_website_endpoint_is_the_first_origin(self, make_cloud: Make) -> None:
        cloud = make_cloud("failover")
        website = f"{cloud.bucket}.s3-website.eu-central-1.amazonaws.com"

        def change(config: dict[str, Any]) -> None:
            (first,) = (one for one in config["Origins"]["Items"] if one["Id"] == "lazyimages-bucket")
            first.pop("S3OriginConfig")
            first |= {
                "DomainName": website,
                "OriginAccessControlId": "",
                "CustomOriginConfig": {
                    "HTTPPort": 80,
                    "HTTPSPort": 443,
                    "OriginProtocolPolicy": "http-only",
                    "OriginSslProtocols": {"Quantity": 1, "Items": ["TLSv1.2"]},
                },
            }

        cloud.change_distribution(change)
        told = cloud.ask()
        assert "cdn-website-endpoint" in told.serious
        assert "variants-not-readable" in told.serious

    def test_the_resizer_is_down(self, make_cloud: Make, shop: Shop) -> None:
        cloud = make_cloud("failover")
        shop.stop()
        told = cloud.ask()
        assert told.serious == ["resizer-unreachable"]
        assert told.hops("a missing variant") == [502]

    def test_the_resizer_is_another(self, make_cloud: Make) -> None:
        cloud = make_cloud("failover")

        def change(config: dict[str, Any]) -> None:
            (second,) = (one for one in config["Origins"]["Items"] if one["Id"] == "lazyimages-resizer")
            second["CustomOriginConfig"]["HTTPPort"] = 9

        cloud.change_distribution(change)
        told = cloud.ask()
        assert {"resizer-elsewhere", "resizer-unreachable"} <= set(told.serious)
        assert "127.0.0.1:9/images/v" in told.findings["resizer-elsewhere"]["what"]

    def test_the_app_fails(self, make_cloud: Make, shop: Shop) -> None:
        cloud = make_cloud("failover")
        shop.alter = lambda status, headers: ("503 Service Unavailable", headers)
        assert "resizer-failed" in cloud.ask().serious

    def test_originals_are_public(self, make_cloud: Make) -> None:
        cloud = make_cloud("failover")
        cloud.policy(public(cloud.bucket))
        told = cloud.ask()
        assert {"originals-public", "bucket-drift"} <= set(told.serious)


def test_nobody_answers_at_cdn_url(make_cloud: Make) -> None:
    cloud = make_cloud("redirect")
    cloud.lazy(CDN_URL="http://127.0.0.1:9")
    told = cloud.ask()
    assert "cdn-unreachable" in told.serious
    assert cloud.stored() == []


def test_without_a_bucket_nothing_is_sent(make_cloud: Make) -> None:
    told = make_cloud("redirect", set_up=False).ask()
    assert {"bucket-missing", "cdn-missing"} <= set(told.serious)
    assert told.checks["live"]["skipped"] == "because of bucket-missing"


def test_what_would_be_done_has_every_name(make_cloud: Make) -> None:
    cloud = make_cloud("redirect")
    told = cloud.ask("--dry-run")
    assert told.code == 0
    would = told.checks["live"]["skipped"]
    assert would.startswith("would delete what killed runs have left below lazyimages-doctor-*, then store")
    assert cloud.stored() == []
