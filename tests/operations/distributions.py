"""A distribution of ministack's, which keeps what it is told to forget."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from marketplace.cloud.cloudfront import start_cloudfront
from tests.cloud.distributions import CloudFront


@pytest.fixture(scope="module")
def cloudfront_api() -> Iterator[str]:
    """Run CloudFront's API, and give its URL."""
    with start_cloudfront() as child:
        yield child.url


def api(url: str) -> Any:
    return boto3.client(
        "cloudfront",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


@pytest.fixture
def distribution(cloudfront_api: str) -> str:
    """Make a distribution, and return its id."""
    origin = {
        "Id": "shop",
        "DomainName": "shop.example",
        "CustomOriginConfig": {
            "HTTPPort": 80,
            "HTTPSPort": 443,
            "OriginProtocolPolicy": "https-only",
        },
    }
    made: str = CloudFront(api(cloudfront_api)).create(origin)["Id"]
    return made


def invalidated(url: str, id: str) -> list[list[str]]:
    """Return the paths of each invalidation, the oldest first."""
    client = api(url)
    listed = client.list_invalidations(DistributionId=id)["InvalidationList"].get("Items", [])
    found = []
    for each in reversed(listed):
        answer = client.get_invalidation(DistributionId=id, Id=each["Id"])
        found.append(answer["Invalidation"]["InvalidationBatch"]["Paths"]["Items"])
    return found
