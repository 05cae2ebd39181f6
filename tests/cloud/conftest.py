"""Real parts for the cloud's tests: moto's and ministack's servers over HTTP, buckets and distributions."""

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import boto3
import pytest

from marketplace.cloud.children import Child
from marketplace.cloud.cloudfront import start_cloudfront
from marketplace.cloud.embedded import DistributionCloud, KeywordCloud
from marketplace.cloud.s3 import start_s3
from tests.cloud.distributions import CloudFront
from tests.cloud.tools import OPEN_BLOCK, public_read

_numbers = itertools.count()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[Child]:
    with start_s3() as child:
        yield child


@pytest.fixture(scope="session")
def s3(s3_server: Child) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=s3_server.url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


@pytest.fixture(scope="session")
def cloudfront_server() -> Iterator[Child]:
    """Run CloudFront's API; all that it holds is left there until the tests end."""
    with start_cloudfront() as child:
        yield child


@pytest.fixture(scope="session")
def cloudfront(cloudfront_server: Child) -> CloudFront:
    return CloudFront(
        boto3.client(
            "cloudfront",
            endpoint_url=cloudfront_server.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
    )


class BucketSetup:
    """A new bucket and short ways to set it up."""

    def __init__(self, s3: Any, name: str) -> None:
        self.s3, self.name = s3, name
        s3.create_bucket(Bucket=name)

    def put(self, key: str, body: bytes = b"object", **extra: str) -> None:
        self.s3.put_object(Bucket=self.name, Key=key, Body=body, **{"ContentType": "image/jpeg"} | extra)

    def delete(self, key: str) -> None:
        self.s3.delete_object(Bucket=self.name, Key=key)

    def stored(self) -> set[str]:
        return {one["Key"] for one in self.s3.list_objects_v2(Bucket=self.name).get("Contents", [])}

    def block(self, **flags: bool) -> None:
        self.s3.put_public_access_block(Bucket=self.name, PublicAccessBlockConfiguration=OPEN_BLOCK | flags)

    def policy(self, *statements: dict[str, Any]) -> None:
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        self.s3.put_bucket_policy(Bucket=self.name, Policy=json.dumps(document))

    def website(self, *rules: dict[str, Any], **extra: Any) -> None:
        configuration = {"IndexDocument": {"Suffix": "index.html"}} | extra
        if rules:
            configuration["RoutingRules"] = list(rules)
        self.s3.put_bucket_website(Bucket=self.name, WebsiteConfiguration=configuration)

    def open(self, *resources: str) -> None:
        """Let the public read these resources, as the product's setup does."""
        self.block()
        self.policy(public_read(self.name, *resources))


@pytest.fixture
def bucket(s3: Any) -> BucketSetup:
    return BucketSetup(s3, f"bucket-{next(_numbers)}")


@pytest.fixture
def start_cloud(s3_server: Child, bucket: BucketSetup) -> Iterator[Callable[..., KeywordCloud]]:
    """Start embedded clouds over `bucket`; they read its settings anew at each request."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(
            KeywordCloud(bucket=bucket.name, s3_endpoint=s3_server.url, state_ttl=0, **options)
        )


@pytest.fixture
def start_distribution(
    s3_server: Child, cloudfront_server: Child
) -> Iterator[Callable[..., DistributionCloud]]:
    """Start embedded clouds that do what a distribution is told: its id, or `distribution_tag`."""
    with ExitStack() as stack:
        yield lambda distribution="", **options: stack.enter_context(
            DistributionCloud(
                s3_endpoint=s3_server.url,
                cloudfront_endpoint=cloudfront_server.url,
                distribution=distribution,
                **{"state_ttl": 0} | options,
            )
        )
