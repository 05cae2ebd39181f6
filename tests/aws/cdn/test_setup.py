"""`manage.py lazyimages_setup` against ministack: bucket and distribution, in the order without a gap."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from django.core.management import CommandError

from lazyimages.aws import cdn
from tests.aws.cdn.answers import items
from tests.aws.cdn.conftest import Configure, Hook, distributions, error_answer, writes
from tests.aws.cdn.conftest import run as run_command
from tests.clock import Clock

CREATES = ["CreateCachePolicy", "CreateResponseHeadersPolicy"]


@pytest.fixture
def s3(cloudfront: Any) -> Any:
    """A client for looking at buckets, and for making them."""
    return boto3.client(
        "s3",
        endpoint_url=cloudfront.meta.endpoint_url,
        region_name="eu-central-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(s3={"addressing_style": "path"}),
    )


def run(*arguments: str) -> str:
    return run_command(*arguments, command="lazyimages_setup")


def policy(s3: Any, bucket: str) -> dict[str, Any]:
    """Return the statements of a bucket's policy by their Sid."""
    statements = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    return {statement["Sid"]: statement for statement in statements}


def closed(s3: Any, bucket: str) -> bool:
    flags = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    return bool(flags["BlockPublicPolicy"])


def before(calls: list[str], first: str, second: str) -> bool:
    """Tell whether the last call of one operation came before the first one of another."""
    return len(calls) - 1 - calls[::-1].index(first) < calls.index(second)


class TestFirstRun:
    def test_redirect_has_the_bucket_before_the_distribution(
        self, cloudfront: Any, s3: Any, configure: Configure, bucket: str, calls: list[str]
    ) -> None:
        configure("redirect")
        out = run()
        assert before(calls, "PutBucketWebsite", "CreateDistributionWithTags")
        assert list(policy(s3, bucket)) == ["LazyImagesPublicVariants"]
        (found,) = distributions(cloudfront, bucket)
        assert f'"CDN_URL": "https://{found["DomainName"]}"' in out
        calls.clear()
        assert "Nothing to change." in run()
        assert writes(calls) == []

    def test_failover_has_a_bucket_a_distribution_and_then_its_reader(
        self, cloudfront: Any, s3: Any, configure: Configure, bucket: str, calls: list[str]
    ) -> None:
        configure("failover")
        run()
        assert before(calls, "CreateBucket", "CreateDistributionWithTags")
        assert before(calls, "CreateDistributionWithTags", "PutBucketPolicy")
        (found,) = distributions(cloudfront, bucket)
        (statement,) = policy(s3, bucket).values()
        assert statement["Principal"] == {"Service": "cloudfront.amazonaws.com"}
        assert statement["Condition"] == {"StringEquals": {"AWS:SourceArn": found["ARN"]}}
        assert closed(s3, bucket)
        calls.clear()
        assert "Nothing to change." in run()
        assert writes(calls) == []

    def test_without_waiting_a_new_distribution_is_not_waited_for(
        self, s3: Any, configure: Configure, bucket: str, deploys: Callable[[float], None], clock: Clock
    ) -> None:
        configure("failover")
        deploys(20)
        out = run("--no-wait")
        assert "is being deployed. CloudFront goes on by itself." in out
        assert list(policy(s3, bucket)) == ["LazyImagesDistributionVariants"]
        assert clock.slept == 0

    def test_originals_elsewhere_are_made_private(
        self, s3: Any, configure: Configure, bucket: str, settings: Any
    ) -> None:
        configure("redirect")
        options = {**settings.STORAGES["default"]["OPTIONS"], "bucket_name": f"{bucket}-originals"}
        originals = {**settings.STORAGES["default"], "OPTIONS": options}
        settings.STORAGES = {**settings.STORAGES, "default": originals}
        run()
        assert closed(s3, f"{bucket}-originals")
        assert not closed(s3, bucket)
        assert "Nothing to change." in run()


class TestSwitching:
    def test_to_failover_the_bucket_closes_when_the_distribution_is_deployed(
        self,
        cloudfront: Any,
        s3: Any,
        configure: Configure,
        bucket: str,
        calls: list[str],
        deploys: Callable[[float], None],
        clock: Clock,
    ) -> None:
        """Until then the edges of the old state read the website, also for who does not want to wait."""
        configure("redirect")
        run()
        configure("failover")
        calls.clear()
        deploys(10)
        out = run("--no-wait")
        assert "is being deployed, which takes some minutes." in out
        assert clock.slept > 0
        assert before(calls, "UpdateDistribution", "PutBucketPolicy")
        assert before(calls, "UpdateDistribution", "DeleteBucketWebsite")
        assert closed(s3, bucket)
        (found,) = distributions(cloudfront, bucket)
        assert len(items(found["DistributionConfig"], "OriginGroups")) == 1
        assert "Nothing to change." in run()

    def test_it_stays_open_when_that_takes_too_long(
        self,
        s3: Any,
        configure: Configure,
        bucket: str,
        deploys: Callable[[float], None],
        clock: Clock,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        configure("redirect")
        run()
        configure("failover")
        deploys(float("inf"))
        monkeypatch.setattr(cdn.wait, "__kwdefaults__", {**cdn.wait.__kwdefaults__, "pause": 300.0})
        with pytest.raises(CommandError, match=r"still being deployed after 30 minutes"):
            run()
        assert not closed(s3, bucket)
        assert list(policy(s3, bucket)) == ["LazyImagesPublicVariants"]
        deploys(6)
        assert "is still being deployed, which takes" in run("--no-wait")
        assert closed(s3, bucket)

    def test_to_redirect_the_bucket_opens_first(
        self, s3: Any, configure: Configure, bucket: str, calls: list[str]
    ) -> None:
        configure("failover")
        run()
        configure("redirect")
        calls.clear()
        run()
        assert before(calls, "PutBucketPolicy", "UpdateDistribution")
        assert before(calls, "PutBucketWebsite", "UpdateDistribution")
        assert list(policy(s3, bucket)) == ["LazyImagesPublicVariants"]
        assert "Nothing to change." in run()


class TestWithoutWriting:
    def test_a_first_dry_run_of_failover_says_what_will_be_named(
        self, configure: Configure, calls: list[str]
    ) -> None:
        configure("failover")
        out = run("--dry-run")
        assert "would change distribution" in out
        assert "The policy of the bucket will name the distribution, once there is one." in out
        assert writes(calls) == []

    @pytest.mark.parametrize("delivery", ["redirect", "failover"])
    def test_check(self, configure: Configure, calls: list[str], delivery: str) -> None:
        configure(delivery)
        with pytest.raises(CommandError, match=r"Not as the settings want it: .*distribution"):
            run("--check")
        assert writes(calls) == []
        run()
        calls.clear()
        assert "Nothing to change." in run("--check")
        assert writes(calls) == []

    def test_json_is_all_of_standard_output(self, configure: Configure) -> None:
        configure("failover")
        assert {step["name"] for step in json.loads(run("--format", "json"))} >= {"bucket", "distribution"}
        assert not any(step["changed"] for step in json.loads(run("--format", "json")))


class TestRefused:
    def test_what_the_bucket_cannot_be_stops_failover_before_there_is_a_distribution(
        self, s3: Any, configure: Configure, bucket: str, calls: list[str]
    ) -> None:
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        flags = dict.fromkeys(("BlockPublicPolicy", "RestrictPublicBuckets"), False)
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=flags)
        everybody = {
            "Sid": "Site",
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{bucket}/*",
        }
        document = {"Version": "2012-10-17", "Statement": [everybody]}
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(document))
        configure("failover")
        with pytest.raises(CommandError, match=r"Nothing was changed: .*\(Site\)"):
            run()
        assert writes(calls) == []

    @pytest.mark.parametrize(
        "event",
        [
            "s3.CreateBucket",
            "s3.PutBucketPolicy",
            "s3.PutBucketLifecycleConfiguration",
            "cloudfront.CreateOriginAccessControl",
            "cloudfront.CreateDistributionWithTags",
        ],
    )
    def test_wherever_it_ends_a_rerun_completes(
        self, cloudfront: Any, s3: Any, configure: Configure, bucket: str, hook: Hook, event: str
    ) -> None:
        refused = iter([error_answer("AccessDenied", 403)])

        def once(request: Any, **kwargs: Any) -> Any:
            answer = next(refused, None)
            return answer and answer(request)

        hook(f"before-send.{event}", once)
        configure("failover")
        with pytest.raises(CommandError, match="Give the caller"):
            run()
        assert "All of it is as the settings want it." in run()
        assert "Nothing to change." in run()
        assert len(distributions(cloudfront, bucket)) == 1
        assert list(policy(s3, bucket)) == ["LazyImagesDistributionVariants"]
