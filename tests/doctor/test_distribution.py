"""The distribution's documents; the ways in which they break the chain are in test_live."""

from collections.abc import Callable
from typing import Any

import pytest

from lazyimages.doctor import distribution, drift
from tests.cloud.distributions import OPTIMIZED
from tests.doctor.conftest import REGION, SECRET, Cloud
from tests.doctor.test_bucket import found, look_at, names

Make = Callable[..., Cloud]
ALL = (distribution.EXAMINATION, distribution.ORIGINS, distribution.KEEPING)


def behaviours(config: dict[str, Any]) -> list[dict[str, Any]]:
    return [config["DefaultCacheBehavior"], *config["CacheBehaviors"].get("Items", [])]


def changed(cloud: Cloud, change: Callable[[dict[str, Any]], None]) -> list[str]:
    cloud.change_distribution(change)
    return names(*ALL)


@pytest.mark.parametrize("delivery", ["redirect", "failover"])
def test_one_that_was_set_up_is_right(make_cloud: Make, delivery: str) -> None:
    make_cloud(delivery)
    results = look_at(*ALL, drift.CDN)
    assert [result.verdict for result in results] == ["ok"] * 4
    assert ".cloudfront.net" in results[0].seen[0]


def test_there_is_none(make_cloud: Make) -> None:
    make_cloud("redirect", set_up=False)
    results = look_at(*ALL, drift.CDN)
    assert [one.name for one in results[0].findings] == ["cdn-missing"]
    assert "lazyimages_setup_cdn" in results[0].findings[0].remedy
    assert [result.verdict for result in results[1:]] == ["skipped"] * 3


@pytest.mark.parametrize(("delivery", "severity"), [("redirect", "warning"), ("failover", "error")])
def test_another_cdn_may_be_at_a_host_of_ones_own(make_cloud: Make, delivery: str, severity: str) -> None:
    cloud = make_cloud(delivery, set_up=False)
    cloud.lazy(CDN_URL="https://images.shop.example")
    (one,) = found(distribution.EXAMINATION)
    assert (one.name, one.severity) == ("cdn-missing", severity)


def test_there_is_none_with_this_id(make_cloud: Make) -> None:
    cloud = make_cloud("redirect", set_up=False)
    cloud.lazy(DISTRIBUTION_ID="ENOTHERE")
    (one,) = found(*ALL)
    assert one.name == "cdn-missing"
    assert "ENOTHERE" in one.what


def test_it_is_disabled_and_on_its_way(make_cloud: Make, answer: Callable[..., None]) -> None:
    """ministack deploys at once; CloudFront takes minutes, in which Status is InProgress."""
    cloud = make_cloud("redirect")
    whole = cloud.cloudfront.get_distribution(Id=cloud.distribution["Id"])
    whole["Distribution"]["Status"] = "InProgress"
    whole["Distribution"]["DistributionConfig"]["Enabled"] = False
    del whole["ResponseMetadata"]
    answer("cloudfront", "GetDistribution", parsed=whole)
    cdn = look_at(distribution.EXAMINATION)[0]
    assert [one.name for one in cdn.findings] == ["cdn-disabled", "cdn-deploying"]
    assert "aws cloudfront wait distribution-deployed --id E" in cdn.findings[1].remedy


def test_cdn_url_is_below_a_wildcard(make_cloud: Make) -> None:
    """CloudFront developer guide, "Use wildcards in alternate domain names"."""
    cloud = make_cloud("redirect")
    cloud.lazy(CDN_URL="https://images.shop.example", DISTRIBUTION_ID=cloud.distribution["Id"])
    aliases = {"Aliases": {"Quantity": 1, "Items": ["*.shop.example"]}}
    cloud.change_distribution(lambda config: config.update(aliases))
    assert found(distribution.EXAMINATION) == []


@pytest.mark.parametrize("url", ["https://dxxxxx.cloudfront.net", "https://images.shop.example"])
def test_cdn_url_is_another(make_cloud: Make, url: str) -> None:
    cloud = make_cloud("redirect")
    cloud.lazy(CDN_URL=url, DISTRIBUTION_ID=cloud.distribution["Id"])
    (one,) = found(distribution.EXAMINATION)
    assert one.name == "cdn-url-other"
    assert (
        f'Set CDN_URL to "https://{cloud.cloudfront.get_distribution(Id=cloud.distribution["Id"])["Distribution"]["DomainName"]}"'
        in one.remedy
    )


def test_cdn_url_is_its_domain_or_an_alias(make_cloud: Make) -> None:
    cloud = make_cloud("redirect")
    id = cloud.distribution["Id"]
    domain = cloud.cloudfront.get_distribution(Id=id)["Distribution"]["DomainName"]

    def change(config: dict[str, Any]) -> None:
        config["Aliases"] = {"Quantity": 1, "Items": ["images.shop.example"]}

    cloud.change_distribution(change)
    for url in (f"https://{domain}", "https://Images.shop.example"):
        cloud.lazy(CDN_URL=url, DISTRIBUTION_ID=id)
        assert found(distribution.EXAMINATION) == []


@pytest.mark.parametrize(("minimum", "default"), [(1, 0), (0, 86400)])
def test_redirects_may_be_kept(make_cloud: Make, minimum: int, default: int) -> None:
    cloud = make_cloud("redirect")

    def change(config: dict[str, Any]) -> None:
        for behaviour in behaviours(config):
            del behaviour["CachePolicyId"]
            behaviour |= {"MinTTL": minimum, "DefaultTTL": default, "MaxTTL": 31536000}
            behaviour["ForwardedValues"] = {"QueryString": False, "Cookies": {"Forward": "none"}}

    assert changed(cloud, change) == ["cdn-keeps-redirects"]
    (one,) = found(distribution.KEEPING)
    assert f"{minimum} s" in one.what
    assert f"{default} s" in one.what
    assert f"--distribution-id {cloud.distribution['Id']} " in one.remedy


def test_the_managed_policy_keeps_redirects(make_cloud: Make) -> None:
    """CloudFront, "Use managed cache policies": CachingOptimized has 1 second, and a default of a day."""
    cloud = make_cloud("redirect")

    def change(config: dict[str, Any]) -> None:
        for behaviour in behaviours(config):
            behaviour["CachePolicyId"] = OPTIMIZED

    assert changed(cloud, change) == ["cdn-keeps-redirects"]


def test_errors_are_kept(make_cloud: Make) -> None:
    cloud = make_cloud("failover")

    def change(config: dict[str, Any]) -> None:
        config["CustomErrorResponses"] = {
            "Quantity": 1,
            "Items": [{"ErrorCode": 503, "ErrorCachingMinTTL": 300}],
        }

    assert changed(cloud, change) == ["cdn-keeps-errors"]
    (one,) = found(distribution.KEEPING)
    assert "500 for 10 s" in one.what
    assert "503 for 300 s" in one.what


def test_another_origin_of_somebody_elses(make_cloud: Make) -> None:
    cloud = make_cloud("redirect")

    def change(config: dict[str, Any]) -> None:
        config["Origins"]["Items"][0]["DomainName"] = "shop.example"

    assert changed(cloud, change) == ["cdn-other-origin"]


def test_the_website_of_another_bucket(make_cloud: Make) -> None:
    cloud = make_cloud("redirect")

    def change(config: dict[str, Any]) -> None:
        config["Origins"]["Items"][0]["DomainName"] = f"other.s3-website.{REGION}.amazonaws.com"

    assert changed(cloud, change) == ["cdn-other-origin"]


def test_another_bucket_in_failover(make_cloud: Make) -> None:
    cloud = make_cloud("failover")

    def change(config: dict[str, Any]) -> None:
        (first,) = (one for one in config["Origins"]["Items"] if one["Id"] == "lazyimages-bucket")
        first["DomainName"] = f"other.s3.{REGION}.amazonaws.com"

    assert changed(cloud, change) == ["cdn-other-origin"]


def test_a_behaviour_of_somebody_elses_for_other_files_is_left_alone(make_cloud: Make) -> None:
    cloud = make_cloud("redirect")

    def change(config: dict[str, Any]) -> None:
        other = {**config["CacheBehaviors"]["Items"][0], "PathPattern": "static/*"}
        config["CacheBehaviors"]["Items"].insert(0, other)
        config["CacheBehaviors"]["Quantity"] += 1

    assert changed(cloud, change) == []


def test_drift_names_what_differs(make_cloud: Make) -> None:
    cloud = make_cloud("redirect")
    cloud.lazy(CORS_ORIGINS=["https://other.example"])
    (one,) = found(drift.CDN)
    assert (one.name, one.severity) == ("cdn-drift", "warning")
    assert one.what == "These differ: response headers policy."


@pytest.mark.parametrize("delivery", ["redirect", "failover"])
def test_who_may_not_see_it_is_told_what_is_missing(
    make_cloud: Make, answer: Callable[..., None], delivery: str
) -> None:
    cloud = make_cloud(delivery)
    answer("cloudfront", "ListDistributions", "AccessDenied")
    answer("cloudfront", "GetDistribution", "AccessDenied")
    for result in look_at(*ALL, drift.CDN):
        assert [one.name for one in result.findings] == ["not-seen"]
        assert "Give the caller cloudfront:" in result.findings[0].remedy
    assert cloud.bucket


def test_the_secret_is_in_no_finding(make_cloud: Make) -> None:
    cloud = make_cloud("failover")
    cloud.lazy(ORIGIN_SECRET="another-one")
    told = found(*ALL, drift.CDN)
    assert [one.name for one in told] == ["cdn-secret", "cdn-drift"]
    assert SECRET not in str(told)
    assert "another-one" not in str(told)
