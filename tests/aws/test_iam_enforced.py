"""The printed policies where they are enforced: ministack refuses what no policy of the caller allows.

What it does otherwise than AWS: a PUT with a tag needs no s3:PutObjectTagging, a missing object is 404 also
to who may not list the bucket, and of CloudFront it knows the ARNs of distributions alone, and no tags.
"""

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from django.core.files.storage import storages
from django.core.management import call_command
from django.test import Client

from lazyimages import storage
from lazyimages.aws import clients, trouble
from tests.aws.conftest import ACCOUNT
from tests.conftest import RESIZER, jpeg

REGION = "eu-central-1"
ORIGINAL = "products/bowl.jpg"
VARIANT = "products/360x270/bowl.jpg"
# What ministack asks for beside: rights on "*" of all that is no distribution, and an action of the
# operation's name where AWS has two others (CloudFront API, CreateDistributionWithTags).
OF_THE_STAND_IN = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                "cloudfront:CreateDistributionWithTags",
                "cloudfront:Get*Polic*",
                "cloudfront:GetOriginAccess*",
                "cloudfront:ListTagsForResource",
                "cloudfront:Update*Polic*",
                "cloudfront:UpdateOriginAccess*",
            ],
            "Resource": "*",
        }
    ],
}
Root = Callable[[str], Any]
Become = Callable[..., list[str]]


@pytest.fixture
def root(ministack_with_iam: str) -> Root:
    """Return a client of a service with all rights."""

    def client(service: str) -> Any:
        make: Any = boto3.client
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return make(service, endpoint_url=ministack_with_iam, region_name=REGION, **keys)

    return client


@pytest.fixture
def become(
    root: Root,
    ministack_with_iam: str,
    settings: Any,
    lazy: Callable[..., None],
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Become:
    """Let storages and commands be a new user's, who has a printed policy alone.

    `originals, variants = become("app")` gives the buckets, which are there already unless it is to set up.
    """
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name).strip("-")
    for service in ("CLOUDFRONT", "STS"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", ministack_with_iam)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nobody")

    def use(buckets: list[str], **options: str) -> None:
        common = {"endpoint_url": ministack_with_iam, "region_name": REGION, **options}
        settings.STORAGES = settings.STORAGES | {
            alias: {
                "BACKEND": "storages.backends.s3.S3Storage",
                "OPTIONS": {"bucket_name": bucket, **common},
            }
            for alias, bucket in zip(("default", "lazyimages"), buckets, strict=True)
        }

    def begin(who: str, *, two: bool = False, **parts: Any) -> list[str]:
        buckets = [f"{name}-originals" if two else name, name]
        lazy(DELIVERY="redirect", RESIZER_URL=RESIZER, **parts)
        use(buckets)
        if who != "setup":
            for bucket in set(buckets):
                place = {"LocationConstraint": REGION}
                root("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
        out = StringIO()
        call_command("lazyimages_iam_policy", who, stdout=out)
        iam = root("iam")
        iam.create_user(UserName=name)
        policy = iam.create_policy(PolicyName=name, PolicyDocument=out.getvalue())["Policy"]
        iam.attach_user_policy(UserName=name, PolicyArn=policy["Arn"])
        keys = iam.create_access_key(UserName=name)["AccessKey"]
        use(buckets, access_key=keys["AccessKeyId"], secret_key=keys["SecretAccessKey"])
        return buckets

    return begin


def refused(call: Callable[..., Any], **arguments: Any) -> bool:
    """Tell whether a call is refused; to fail otherwise is no refusal, but a mistake of the test."""
    try:
        call(**arguments)
    except ClientError as error:
        if trouble.code(error) not in trouble.DENIED:
            raise
        return True
    return False


def own(alias: str) -> Any:
    """Return the client of a storage in STORAGES."""
    return storages[alias].connection.meta.client  # type: ignore[attr-defined]


@pytest.mark.parametrize("two", [False, True], ids=["one", "two"])
@pytest.mark.parametrize("days", [None, 90], ids=["kept", "expiring"])
def test_the_app_can_do_all_that_it_does(become: Become, root: Root, two: bool, days: int | None) -> None:
    _, variants = become("app", two=two, EXPIRE_VARIANTS_DAYS=days)

    storage.put_original(ORIGINAL, jpeg(), "image/jpeg")
    made = Client().get(f"/images/v/{VARIANT}")
    there = Client().get(f"/images/v/{VARIANT}")
    health = Client().get("/images/health")

    assert (made.status_code, there.status_code) == (200, 200)
    assert made.content == there.content
    assert health.status_code == 200
    tags = root("s3").get_object_tagging(Bucket=variants, Key=VARIANT)["TagSet"]
    assert tags == ([{"Key": "lazyimages", "Value": "variant"}] if days else [])
    assert list(storage.iter_keys("products/360x270/")) == [VARIANT]
    storage.delete([VARIANT])
    assert storage.get_variant(VARIANT) is None
    storage.copy_original(ORIGINAL, "products/bowl.AZ70KuRzw9.f3020.jpg")
    storage.delete_with_original(ORIGINAL, [VARIANT])
    assert list(storage.iter_originals("products/bowl")) == ["products/bowl.AZ70KuRzw9.f3020.jpg"]


@pytest.mark.parametrize("two", [False, True], ids=["one", "two"])
def test_the_function_only_makes_variants(become: Become, root: Root, two: bool) -> None:
    originals, variants = become("lambda", two=two)
    root("s3").put_object(Bucket=originals, Key=ORIGINAL, Body=jpeg())

    made = Client().get(f"/images/v/{VARIANT}")

    assert made.status_code == 200
    assert root("s3").get_object(Bucket=variants, Key=VARIANT)["Body"].read() == made.content
    assert Client().get("/images/health").status_code == 200
    assert refused(own("default").put_object, Bucket=originals, Key="products/new.jpg", Body=b"")
    assert refused(own("default").delete_object, Bucket=originals, Key=ORIGINAL)


@pytest.mark.parametrize("two", [False, True], ids=["one", "two"])
def test_the_app_can_do_nothing_else(become: Become, root: Root, two: bool) -> None:
    originals, variants = become("app", two=two, CLEANUP=False)
    root("s3").put_object(Bucket=originals, Key=ORIGINAL, Body=b"an original")
    root("s3").put_object(Bucket=variants, Key="other/key.jpg", Body=b"no variant")
    elsewhere = {"Bucket": f"{variants}-elsewhere", "Key": "secret.jpg"}
    root("s3").create_bucket(
        Bucket=elsewhere["Bucket"], CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    root("s3").put_object(**elsewhere, Body=b"of somebody else")

    s3 = own("lazyimages")
    public = json.dumps({"Version": "2012-10-17", "Statement": []})
    assert refused(s3.put_bucket_policy, Bucket=variants, Policy=public)
    assert refused(s3.put_bucket_website, Bucket=variants, WebsiteConfiguration={})
    assert refused(s3.delete_bucket, Bucket=originals)
    assert refused(s3.get_object, **elsewhere)
    assert refused(s3.put_object, **elsewhere, Body=b"")
    assert refused(s3.list_objects_v2, Bucket=elsewhere["Bucket"])
    assert refused(s3.delete_object, Bucket=originals, Key=ORIGINAL)
    assert refused(s3.delete_object, Bucket=variants, Key="other/key.jpg")
    assert refused(s3.delete_object, Bucket=variants, Key="products/361x270/bowl.jpg")
    assert refused(s3.put_object_tagging, Bucket=variants, Key=VARIANT, Tagging={"TagSet": []})
    assert refused(s3.get_object, Bucket=variants, Key="other/key.jpg") == two
    assert refused(s3.put_object, Bucket=variants, Key="other/key.jpg", Body=b"") == two


@pytest.mark.parametrize("two", [False, True], ids=["one", "two"])
def test_who_sets_up_can_set_up_and_change_all_of_it(
    become: Become, root: Root, lazy: Callable[..., None], two: bool
) -> None:
    _, bucket = become("setup", two=two)
    root("iam").put_user_policy(
        UserName=bucket, PolicyName="stand-in", PolicyDocument=json.dumps(OF_THE_STAND_IN)
    )

    run("lazyimages_setup_bucket")
    run("lazyimages_setup_cdn")
    ours = created_for(bucket, root)
    lazy(DISTRIBUTION_ID=ours)
    print_anew("setup", bucket, root)
    lazy(DELIVERY="failover", CORS_ORIGINS=[], EXPIRE_VARIANTS_DAYS=30, SIZES=["100w"])
    run("lazyimages_setup_cdn")
    run("lazyimages_setup_bucket")
    lazy(DELIVERY="redirect", EXPIRE_VARIANTS_DAYS=None)
    run("lazyimages_setup_bucket")
    run("lazyimages_setup_cdn")

    website = root("s3").get_bucket_website(Bucket=bucket)
    assert len(website["RoutingRules"]) == 2
    config = root("cloudfront").get_distribution_config(Id=ours)["DistributionConfig"]
    assert [origin["DomainName"] for origin in config["Origins"]["Items"]] == [
        f"{bucket}.s3-website.{REGION}.amazonaws.com"
    ]


def test_who_sets_up_can_change_no_other_distribution(
    become: Become, root: Root, lazy: Callable[..., None]
) -> None:
    _, bucket = become("setup", DISTRIBUTION_ID="E0OURS")
    other = root("cloudfront").create_distribution(
        DistributionConfig={
            "CallerReference": "somebody else's",
            "Comment": "",
            "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [{"Id": "o", "DomainName": "shop.example"}]},
            "DefaultCacheBehavior": {"TargetOriginId": "o", "ViewerProtocolPolicy": "allow-all"},
        }
    )

    root("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})

    cloudfront = clients.client(storages["lazyimages"], "cloudfront")
    found = cloudfront.get_distribution(Id=other["Distribution"]["Id"])
    same = {"Id": other["Distribution"]["Id"], "IfMatch": found["ETag"]}
    config = found["Distribution"]["DistributionConfig"]
    assert refused(cloudfront.update_distribution, **same, DistributionConfig=config)
    assert refused(cloudfront.delete_distribution, **same)
    assert refused(own("lazyimages").delete_bucket, Bucket=bucket)
    assert refused(own("lazyimages").get_object, Bucket=bucket, Key=ORIGINAL)


def run(command: str) -> None:
    call_command(command, stdout=StringIO())


def created_for(bucket: str, root: Root) -> str:
    """Return the id of the distribution that has a bucket's tag."""
    cloudfront = root("cloudfront")
    for entry in cloudfront.list_distributions()["DistributionList"]["Items"]:
        tags = cloudfront.list_tags_for_resource(Resource=entry["ARN"])["Tags"]["Items"]
        if {"Key": "lazyimages", "Value": bucket} in tags:
            return str(entry["Id"])
    raise AssertionError("there is none")


def print_anew(who: str, name: str, root: Root) -> None:
    """Put the policy of today's settings in the place of the earlier one."""
    out = StringIO()
    call_command("lazyimages_iam_policy", who, stdout=out)
    root("iam").create_policy_version(
        PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/{name}", PolicyDocument=out.getvalue(), SetAsDefault=True
    )
