"""What the plan makes of answers in the shape of AWS, which no stand-in gives: botocore's Stubber."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from lazyimages import conf
from lazyimages.aws import cdn, converge, distribution, trouble
from lazyimages.aws.cdn import Place
from lazyimages.aws.distribution import Ids
from tests.aws.cdn.answers import FOREIGN, answer, items

PLACE = Place(bucket="photos", region="eu-central-1")
IDS = Ids(cache="cache-id", headers="headers-id", access="access-id")
ID, ETAG = "E2QWRUHEXAMPLE", "E1ETAGEXAMPLE"
ARN = f"arn:aws:cloudfront::123456789012:distribution/{ID}"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SUMMARY = (
    *("Aliases", "Origins", "DefaultCacheBehavior", "CacheBehaviors", "CustomErrorResponses", "Comment"),
    *("PriceClass", "Enabled", "ViewerCertificate", "Restrictions", "WebACLId", "HttpVersion"),
    *("IsIPV6Enabled", "Staging"),
)


def settings(delivery: str, **parts: Any) -> conf.Settings:
    raw = {"SIZES": ["480h"], "DELIVERY": delivery, "RESIZER_URL": "https://shop.example/images/resizer"}
    read, problems = conf.read({**raw, **parts})
    assert problems == []
    return read


@pytest.fixture
def client() -> Any:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client("cloudfront", region_name="us-east-1", **keys)


@pytest.fixture
def stub(client: Any) -> Iterator[Stubber]:
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def summary(config: dict[str, Any]) -> dict[str, Any]:
    own = {key: config[key] for key in SUMMARY}
    own |= {"Id": ID, "ARN": ARN, "Status": "Deployed", "LastModifiedTime": NOW, "HttpVersion": "HTTP2AND3"}
    return own | {"DomainName": "d111111abcdef8.cloudfront.net", "ConnectionMode": "direct"}


def expect_reads(stub: Stubber, config: dict[str, Any], made_for: conf.Settings, tag: str = "photos") -> None:
    """Answer what `plan` reads, as AWS does, and nothing else."""
    if not made_for.distribution_id:
        listed = {"Marker": "", "MaxItems": 100, "IsTruncated": False, "Quantity": 1}
        stub.add_response(
            "list_distributions", {"DistributionList": {**listed, "Items": [summary(config)]}}, {}
        )
        stub.add_response(
            "list_tags_for_resource",
            {"Tags": {"Items": [{"Key": "team", "Value": "shop"}, {"Key": "lazyimages", "Value": tag}]}},
            {"Resource": ARN},
        )
    found = {
        "Id": ID,
        "ARN": ARN,
        "Status": "InProgress",
        "LastModifiedTime": NOW,
        "DistributionConfig": config,
    }
    found |= {"InProgressInvalidationBatches": 0, "DomainName": "d111111abcdef8.cloudfront.net"}
    stub.add_response("get_distribution", {"Distribution": found, "ETag": ETAG}, {"Id": ID})
    tags = [{"Key": "lazyimages", "Value": tag}] if tag else []
    stub.add_response("list_tags_for_resource", {"Tags": {"Items": tags}}, {"Resource": ARN})
    _expect_policies(stub, made_for)


def _expect_policies(stub: Stubber, made_for: conf.Settings) -> None:
    cache: dict[str, Any] = {
        "Id": "cache-id",
        "LastModifiedTime": NOW,
        "CachePolicyConfig": distribution.cache_policy("photos"),
    }
    page = {"MaxItems": 100, "Quantity": 1}
    stub.add_response(
        "list_cache_policies",
        {"CachePolicyList": {**page, "Items": [{"Type": "custom", "CachePolicy": cache}]}},
        {"Type": "custom"},
    )
    stub.add_response("get_cache_policy", {"CachePolicy": cache, "ETag": ETAG}, {"Id": "cache-id"})
    config = distribution.headers_policy("photos", made_for.cors_origins)
    config["CorsConfig"]["AccessControlAllowMethods"] = {"Quantity": 2, "Items": ["HEAD", "GET"]}
    config |= {"ServerTimingHeadersConfig": {"Enabled": False}, "CustomHeadersConfig": {"Quantity": 0}}
    headers: dict[str, Any] = {
        "Id": "headers-id",
        "LastModifiedTime": NOW,
        "ResponseHeadersPolicyConfig": config,
    }
    stub.add_response(
        "list_response_headers_policies",
        {
            "ResponseHeadersPolicyList": {
                **page,
                "Items": [{"Type": "custom", "ResponseHeadersPolicy": headers}],
            }
        },
        {"Type": "custom"},
    )
    stub.add_response(
        "get_response_headers_policy",
        {"ResponseHeadersPolicy": headers, "ETag": ETAG},
        {"Id": "headers-id"},
    )
    if made_for.delivery == "failover":
        _expect_access_control(stub)


def _expect_access_control(stub: Stubber) -> None:
    config = distribution.access_control("photos")
    listed = {key: value for key, value in config.items() if key != "Description"}
    entry = listed | {"Id": "access-id", "Description": ""}
    page = {"Marker": "", "MaxItems": 100, "IsTruncated": False, "Quantity": 1}
    stub.add_response(
        "list_origin_access_controls", {"OriginAccessControlList": {**page, "Items": [entry]}}, {}
    )
    stub.add_response(
        "get_origin_access_control",
        {"OriginAccessControl": {"Id": "access-id", "OriginAccessControlConfig": config}, "ETag": ETAG},
        {"Id": "access-id"},
    )


@pytest.mark.parametrize("delivery", ["redirect", "failover"])
def test_what_we_created_is_as_it_should_be(client: Any, stub: Stubber, delivery: str) -> None:
    made_for = settings(delivery, ORIGIN_SECRET="hush")
    config = answer(converge.new(PLACE, made_for, IDS, reference="lazyimages-photos-1"))
    expect_reads(stub, config, made_for)
    assert [step.name for step in cdn.plan(client, made_for, PLACE) if step.changes] == []


@pytest.mark.parametrize("delivery", ["redirect", "failover"])
def test_an_update_sends_all_of_it_with_the_etag(client: Any, stub: Stubber, delivery: str) -> None:
    made_for = settings(delivery, DISTRIBUTION_ID=ID)
    expect_reads(stub, FOREIGN, made_for, tag="")
    (step,) = [step for step in cdn.plan(client, made_for, PLACE) if step.changes]
    whole = converge.merge(FOREIGN, PLACE, made_for, IDS, owned=False)
    assert items(whole, "Origins")[0]["CustomHeaders"]["Items"][0]["HeaderValue"] == "their-secret"
    assert "their-secret" not in str(step.as_dict())
    sent = {"Id": ID, "IfMatch": ETAG, "DistributionConfig": whole}
    stub.add_client_error("update_distribution", "PreconditionFailed", "", 412, expected_params=sent)
    with pytest.raises(ClientError) as raised:
        step.action()
    assert "Run the command again" in trouble.explain(raised.value, "the distribution")


def test_a_distribution_that_is_being_deployed_may_be_updated(client: Any, stub: Stubber) -> None:
    made_for = settings("failover")
    config = answer(converge.new(PLACE, settings("redirect"), IDS, reference="lazyimages-photos-1"))
    expect_reads(stub, config, made_for)
    (step,) = [step for step in cdn.plan(client, made_for, PLACE) if step.changes]
    assert step.name == "distribution"
