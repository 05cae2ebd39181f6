"""What ours cannot stand beside on bucket and distribution: said before anything is changed."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError

from lazyimages.aws import cdn, converge, distribution
from tests.aws.cdn.answers import FOREIGN
from tests.aws.cdn.conftest import distributions, run, writes
from tests.aws.cdn.test_setup import s3 as s3
from tests.aws.cdn.test_setup_cdn import ARN, create

Configure = Callable[..., Any]
READS = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
# S3 user guide, "The meaning of "public"": anybody can send a Referer.
HOTLINK = {
    "Sid": "Hotlink",
    **READS,
    "Condition": {"StringLike": {"aws:Referer": ["https://shop.example/*"]}},
}


@pytest.fixture
def there(s3: Any, bucket: str) -> Callable[..., None]:
    """Create the bucket, open for public policies, with statements of others on all of its objects."""

    def make(*statements: dict[str, Any], name: str = bucket) -> None:
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        flags = ("BlockPublicPolicy", "RestrictPublicBuckets", "BlockPublicAcls", "IgnorePublicAcls")
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=dict.fromkeys(flags, False))
        resource = {"Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]}
        policy = {"Version": "2012-10-17", "Statement": [one | resource for one in statements]}
        s3.put_bucket_policy(Bucket=name, Policy=json.dumps(policy))

    return make


def complaint(*arguments: str, command: str = "lazyimages_setup") -> str:
    with pytest.raises(CommandError) as caught:
        run(*arguments, command=command)
    assert str(caught.value).startswith("Nothing was changed: ")
    return str(caught.value)


class TestPolicies:
    def test_originals_that_everybody_may_read(
        self, there: Callable[..., None], configure: Configure, calls: list[str]
    ) -> None:
        """As recipes of 2021 have it; nothing of ours would close it again."""
        there({"Sid": "PublicReadGetObject", **READS})
        configure("redirect")
        calls.clear()
        said = complaint(command="lazyimages_setup_bucket")
        assert "(PublicReadGetObject)" in said
        assert "the originals are in this bucket" in said
        assert writes(calls) == []

    def test_a_statement_on_variants_alone_does_no_harm(
        self, there: Callable[..., None], s3: Any, configure: Configure, bucket: str
    ) -> None:
        there()
        own = {"Sid": "Theirs", **READS, "Resource": f"arn:aws:s3:::{bucket}/360x270/*"}
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [own]}))
        configure("redirect")
        run(command="lazyimages_setup_bucket")
        policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
        assert [one["Sid"] for one in policy["Statement"]] == ["Theirs", "LazyImagesPublicVariants"]

    def test_tls_alone_does_not_go_with_a_website(
        self, there: Callable[..., None], configure: Configure
    ) -> None:
        """Website endpoints speak HTTP alone (S3 user guide, "Website endpoints")."""
        tls = {"Bool": {"aws:SecureTransport": "false"}}
        there({"Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Condition": tls})
        configure("redirect")
        assert "(TlsOnly)" in complaint(command="lazyimages_setup_bucket")
        configure("failover")
        run("--no-wait", command="lazyimages_setup")

    def test_a_referer_makes_nobody_known(self, there: Callable[..., None], configure: Configure) -> None:
        there(HOTLINK)
        configure("failover")
        assert "(Hotlink)" in complaint("--no-wait")

    def test_nor_in_a_bucket_of_originals(
        self, there: Callable[..., None], configure: Configure, settings: Any, bucket: str
    ) -> None:
        there(HOTLINK, name=f"{bucket}-originals")
        configure("redirect")
        entry = settings.STORAGES["default"]
        options = {**entry["OPTIONS"], "bucket_name": f"{bucket}-originals"}
        settings.STORAGES = {**settings.STORAGES, "default": {**entry, "OPTIONS": options}}
        assert "Hotlink" in complaint(command="lazyimages_setup_bucket")


class TestOrder:
    def test_the_bucket_is_not_closed_under_a_distribution_that_reads_its_website(
        self, cloudfront: Any, s3: Any, configure: Configure, bucket: str
    ) -> None:
        configure("redirect")
        run(command="lazyimages_setup")
        configure("failover")
        assert "Run lazyimages_setup," in complaint(command="lazyimages_setup_bucket")
        assert s3.get_bucket_website(Bucket=bucket)["RoutingRules"]
        run(command="lazyimages_setup")
        assert "Nothing to change." in run(command="lazyimages_setup_bucket")

    @pytest.mark.parametrize(("code", "status"), [("OperationAborted", 409), ("NoSuchBucket", 404)])
    def test_a_bucket_that_s3_is_still_busy_with(
        self,
        cloudfront: Any,
        s3: Any,
        configure: Configure,
        bucket: str,
        refused: Callable[..., None],
        monkeypatch: pytest.MonkeyPatch,
        code: str,
        status: int,
    ) -> None:
        """S3 answers so for a moment after CreateBucket, and boto3 does not try again."""
        monkeypatch.setattr("lazyimages.aws.bucket._PAUSES", (0.0,))
        refused("PutBucketOwnershipControls", code, status=status, times=1)
        configure("redirect")
        run(command="lazyimages_setup_bucket")
        assert "Nothing to change." in run(command="lazyimages_setup_bucket")

    def test_each_document_is_in_the_json_once(self, cloudfront: Any, s3: Any, configure: Configure) -> None:
        configure("failover")
        names = [step["name"] for step in json.loads(run("--format", "json", command="lazyimages_setup"))]
        assert len(names) == len(set(names))
        assert "bucket" in names


class TestDistribution:
    def test_a_host_under_the_wildcard_of_another(
        self, cloudfront: Any, configure: Configure, bucket: str, calls: list[str]
    ) -> None:
        """CloudFront sends requests to the more specific name, whatever the DNS says."""
        host = f"{bucket}.shop.example"
        wild = copy.deepcopy(FOREIGN) | {"Aliases": {"Quantity": 1, "Items": [f"*.{bucket}.shop.example"]}}
        id = create(cloudfront, wild)
        configure("redirect", CDN_URL=f"https://images.{host}")
        calls.clear()
        assert id in complaint("--certificate", ARN, "--no-wait", command="lazyimages_setup_cdn")
        assert writes(calls) == []
        configure("redirect", CDN_URL=f"https://images.{host}", DISTRIBUTION_ID=id)
        run("--no-wait", command="lazyimages_setup_cdn")
        aliases = cloudfront.get_distribution_config(Id=id)["DistributionConfig"]["Aliases"]["Items"]
        assert aliases == [f"*.{host}"]

    def test_a_domain_that_no_distribution_here_has(self, cloudfront: Any, configure: Configure) -> None:
        configure("redirect", CDN_URL="https://d000000000000.cloudfront.net")
        assert "no distribution of this account" in complaint("--no-wait", command="lazyimages_setup_cdn")

    def test_a_certificate_for_no_domain_of_ones_own(
        self, cloudfront: Any, configure: Configure, bucket: str
    ) -> None:
        configure("redirect")
        assert "--certificate is for" in complaint("--certificate", ARN, command="lazyimages_setup_cdn")
        assert distributions(cloudfront, bucket) == []

    def test_another_certificate_does_not_lower_what_tls_is_asked_for(self, configure: Configure) -> None:
        settings = configure("redirect", CDN_URL="https://images.shop.example")
        theirs = {"MinimumProtocolVersion": "TLSv1.3_2025", "SSLSupportMethod": "vip"}
        config = copy.deepcopy(FOREIGN)
        config["ViewerCertificate"] |= theirs
        merged = converge.merge(
            config,
            cdn.Place(bucket="b", region="eu-central-1"),
            settings,
            distribution.Ids(cache="a", headers="b"),
            owned=False,
            alias="images.shop.example",
            certificate=ARN,
        )
        assert merged["ViewerCertificate"]["ACMCertificateArn"] == ARN
        assert theirs.items() <= merged["ViewerCertificate"].items()

    def test_what_the_installed_boto3_does_not_know_is_not_thrown_away(
        self, cloudfront: Any, configure: Configure, hook: Callable[..., None], calls: list[str]
    ) -> None:
        """UpdateDistribution takes the whole config: what is not sent is gone."""
        id = create(cloudfront, FOREIGN)

        def add(response_dict: dict[str, Any], **kwargs: Any) -> None:
            end, new = b"</DistributionConfig>", b"<FutureConfig><Mode>required</Mode></FutureConfig>"
            response_dict["body"] = response_dict["body"].replace(end, new + end)

        hook("before-parse.cloudfront.GetDistribution", add)
        configure("redirect", DISTRIBUTION_ID=id)
        calls.clear()
        said = complaint(command="lazyimages_setup_cdn")
        assert "DistributionConfig.FutureConfig" in said
        assert "upgrade boto3" in said
        assert writes(calls) == []
