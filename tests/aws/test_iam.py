"""`lazyimages_iam_policy`: what is sent to AWS is allowed, and nothing else."""

import json
from collections.abc import Callable
from contextlib import suppress
from io import StringIO
from typing import Any

import boto3
import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from lazyimages import storage
from lazyimages.aws import iam
from lazyimages.doctor import probe
from tests.aws.conftest import ACCOUNT
from tests.aws.policies import FREE, Need, Policy, actions, allows, printed, recorded
from tests.conftest import BUCKET, RESIZER, jpeg, upload
from tests.host.models import Photo

ORIGINALS = "shop-originals"
REGION = "eu-central-1"
THERE = f"arn:aws:s3:::{BUCKET}"
Buckets = Callable[..., None]


@pytest.fixture
def buckets(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Buckets:
    """Name the buckets, which are one unless it is called: `buckets(originals="shop-originals")`.

    `options` are those of the originals' storage alone.
    """
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")

    def change(
        originals: str = BUCKET, variants: str = BUCKET, region: str | None = REGION, **options: Any
    ) -> None:
        def s3(bucket: str, **more: Any) -> dict[str, Any]:
            both = {"bucket_name": bucket, "region_name": region}
            return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": both | more}

        used = {"default": s3(originals, **options), "lazyimages": s3(variants)}
        settings.STORAGES = settings.STORAGES | used

    change()
    return change


def sids(policy: Policy) -> list[str]:
    return [statement["Sid"] for statement in policy["Statement"]]


def unused(policy: Policy, needs: set[Need], **context: str) -> list[tuple[str, str]]:
    """Return the actions, each with its statement, that nothing of what was sent needs."""
    return [
        (statement["Sid"], action)
        for statement in policy["Statement"]
        for action in statement["Action"]
        if not any(
            need.action == action and allows({"Statement": [statement]}, need, **context) for need in needs
        )
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("originals", [BUCKET, ORIGINALS], ids=["one bucket", "two buckets"])
@pytest.mark.parametrize("days", [None, 90], ids=["kept", "expiring"])
def test_the_app_may_do_what_it_does_and_nothing_else(
    aws: None, buckets: Buckets, lazy: Callable[..., None], originals: str, days: int | None
) -> None:
    buckets(originals)
    lazy(EXPIRE_VARIANTS_DAYS=days)
    for bucket in {BUCKET, originals}:
        create(bucket)

    with recorded() as needs:
        photo = Photo.objects.create(image=upload())
        photo.image.move_focal(30, 20)
        storage.delete_with_original(photo.image.name, [])
        photo = Photo.objects.create(image=upload())
        assert Client().get(photo.image.variant_url("360x270")).status_code == 200
        assert Client().get("/images/health").status_code == 200
        storage.put_original(f"{probe.PREFIX}0/probe.jpg", jpeg(8, 8), "image/jpeg")
        assert probe.remove([f"{probe.PREFIX}0/probe.jpg"]) == []

    policy = printed("app")
    assert [need for need in needs if not allows(policy, need)] == []
    # For no request of its own: S3 says 404 for what is missing to who may list, and else 403.
    assert unused(policy, needs) == [("LazyImagesTellMissing", "s3:ListBucket")]


def test_who_sets_up_may_do_what_the_commands_do_and_nothing_else(
    ministack: str, aws: None, buckets: Buckets, lazy: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    variants, originals = "policies-variants", "policies-originals"
    with monkeypatch.context() as there:
        for service in ("S3", "CLOUDFRONT", "STS"):
            there.setenv(f"AWS_ENDPOINT_URL_{service}", ministack)
        with recorded() as needs:
            for two in (False, True):
                set_up_and_change(buckets, lazy, variants, originals if two else variants)
                meddle(f"lazyimages-{variants}")
                run("lazyimages_setup_cdn")
    buckets(originals, variants)
    lazy(DELIVERY="redirect", CDN_URL="https://d1.cloudfront.net")
    for bucket in (variants, originals):
        create(bucket)
    monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", ministack)  # moto knows no SimulatePrincipalPolicy
    with recorded() as examined:
        examine()

    policy = printed("setup")
    tags = {"aws_RequestTag_lazyimages": variants, "aws_ResourceTag_lazyimages": variants}
    needs = {need for need in needs | examined if need.action not in FREE}
    assert [need for need in needs if not allows(policy, need, **tags)] == []
    assert [left for left in unused(policy, needs, **tags) if left[0] != "LazyImagesProbes"] == []


def set_up_and_change(buckets: Buckets, lazy: Callable[..., None], variants: str, originals: str) -> None:
    """Set up, and change, all that there is to change and to take away."""
    buckets(originals, variants)
    lazy(DELIVERY="redirect", RESIZER_URL=RESIZER, CDN_URL="", EXPIRE_VARIANTS_DAYS=1, CORS_ORIGINS=None)
    lazy(DIRECT_UPLOADS="tests.direct.pages.allowed")
    run("lazyimages_setup_bucket")
    lazy(DELIVERY="failover")
    run("lazyimages_setup_bucket")  # as yet without a distribution that might read
    lazy(DELIVERY="redirect")
    run("lazyimages_setup_cdn")
    lazy(DELIVERY="failover", EXPIRE_VARIANTS_DAYS=None, CORS_ORIGINS=["https://other.example"])
    lazy(DIRECT_UPLOADS=None)
    run("lazyimages_setup_cdn")
    run("lazyimages_setup_bucket")


def meddle(name: str) -> None:
    """Change what CloudFront keeps by our name."""
    cloudfront: Any = boto3.client("cloudfront")
    for kind, noun in (
        ("cache_policies", "CachePolicy"),
        ("response_headers_policies", "ResponseHeadersPolicy"),
        ("origin_access_controls", "OriginAccessControl"),
    ):
        listed = getattr(cloudfront, f"list_{kind}")()[f"{noun}List"]["Items"]
        found = [entry.get(noun, entry) for entry in listed]
        id = next(one["Id"] for one in found if one.get(f"{noun}Config", one)["Name"] == name)
        one = kind.replace("policies", "policy").removesuffix("s")
        answer = getattr(cloudfront, f"get_{one}")(Id=id)
        config = answer[noun][f"{noun}Config"]
        config |= {"MinTTL": 9} if noun == "CachePolicy" else {}
        config |= {"SecurityHeadersConfig": {}} if noun == "ResponseHeadersPolicy" else {}
        config |= {"SigningBehavior": "never"} if noun == "OriginAccessControl" else {}
        getattr(cloudfront, f"update_{one}")(Id=id, IfMatch=answer["ETag"], **{f"{noun}Config": config})


def create(bucket: str) -> None:
    place: Any = {"LocationConstraint": REGION}
    boto3.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=place)


def run(command: str) -> None:
    call_command(command, stdout=StringIO(), stderr=StringIO())


def examine() -> None:
    """Run the doctor against moto, which has what AWS calls by its own hosts."""
    with suppress(SystemExit):  # much is not as it should be there
        run("lazyimages_doctor")


def test_distributions_are_told_apart_by_their_tag(buckets: Buckets, delivery: Callable[..., None]) -> None:
    delivery("failover")
    policy = printed("setup")

    some = Need("cloudfront:UpdateDistribution", f"arn:aws:cloudfront::{ACCOUNT}:distribution/E1")
    assert allows(policy, some, aws_ResourceTag_lazyimages=BUCKET)
    assert not allows(policy, some, aws_ResourceTag_lazyimages="another")
    assert not allows(policy, some)
    new = Need("cloudfront:CreateDistribution", f"arn:aws:cloudfront::{ACCOUNT}:distribution/E1")
    assert allows(policy, new, aws_RequestTag_lazyimages=BUCKET)
    assert not allows(policy, new)


def test_or_by_their_id(buckets: Buckets, delivery: Callable[..., None]) -> None:
    delivery("failover", DISTRIBUTION_ID="E1OURS")
    policy = printed("setup")

    one = f"arn:aws:cloudfront::{ACCOUNT}:distribution/"
    assert allows(policy, Need("cloudfront:UpdateDistribution", f"{one}E1OURS"))
    assert not allows(policy, Need("cloudfront:UpdateDistribution", f"{one}E2"))
    assert not {"cloudfront:CreateDistribution", "cloudfront:TagResource"} & actions(policy)


def test_a_folder_of_originals_is_all_that_the_app_may_read_and_write(buckets: Buckets) -> None:
    buckets(location="media/")
    policy = printed("app")

    assert allows(policy, Need("s3:PutObject", f"{THERE}/media/products/bowl.jpg"))
    assert not allows(policy, Need("s3:PutObject", f"{THERE}/products/bowl.jpg"))
    assert allows(policy, Need("s3:DeleteObject", f"{THERE}/media/products/bowl.jpg"))
    assert not allows(policy, Need("s3:DeleteObject", f"{THERE}/products/bowl.jpg"))


def test_without_cleanup_the_app_deletes_no_originals_but_the_doctors(
    buckets: Buckets, lazy: Callable[..., None]
) -> None:
    lazy(CLEANUP=False)
    policy = printed("app")

    assert allows(policy, Need("s3:PutObject", f"{THERE}/products/bowl.jpg"))
    assert allows(policy, Need("s3:DeleteObject", f"{THERE}/products/480h/bowl.jpg"))
    assert allows(policy, Need("s3:DeleteObject", f"{THERE}/{probe.PREFIX}0/probe.jpg"))
    assert not allows(policy, Need("s3:DeleteObject", f"{THERE}/products/bowl.jpg"))


def test_lambda_stores_no_originals_and_writes_its_log(buckets: Buckets) -> None:
    buckets(ORIGINALS)
    policy = printed("lambda")

    original = f"arn:aws:s3:::{ORIGINALS}/products/bowl.jpg"
    assert allows(policy, Need("s3:GetObject", original))
    assert not allows(policy, Need("s3:PutObject", original))
    assert allows(policy, Need("s3:PutObject", f"{THERE}/products/480h/bowl.jpg"))
    assert not allows(policy, Need("s3:PutObject", f"{THERE}/products/481h/bowl.jpg"))
    log = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/lazyimages-{BUCKET}"
    assert allows(policy, Need("logs:CreateLogStream", f"{log}:log-stream:"))
    assert allows(policy, Need("logs:PutLogEvents", f"{log}:log-stream:2026/11/23/[$LATEST]0"))
    assert not allows(policy, Need("logs:PutLogEvents", f"{log}-other:log-stream:1"))
    assert "/aws/lambda/resizer" in json.dumps(printed("lambda", "--function", "resizer"))


def test_lambda_alone_may_take_its_role(buckets: Buckets) -> None:
    (statement,) = printed("lambda", "--trust")["Statement"]
    assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert statement["Action"] == "sts:AssumeRole"


@pytest.mark.parametrize(
    ("region", "partition"), [("us-east-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_the_partition_is_that_of_the_region(buckets: Buckets, region: str, partition: str) -> None:
    buckets(region=region)
    resources = [one for statement in printed("lambda")["Statement"] for one in statement["Resource"]]
    assert {resource.split(":")[1] for resource in resources} == {partition}


def test_without_a_region_it_is_the_first_one(buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    buckets(region=None)
    assert "arn:aws:logs:us-east-1:*:log-group" in json.dumps(printed("lambda"))


def test_only_the_storage_on_s3_counts(buckets: Buckets, settings: Any, tmp_path: Any) -> None:
    files = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = settings.STORAGES | {"default": files}
    assert sids(printed("app")) == ["LazyImagesVariants", "LazyImagesTellMissing"]


def test_what_is_printed_is_json_alone(
    buckets: Buckets, capsys: pytest.CaptureFixture[str], lazy: Callable[..., None]
) -> None:
    lazy(ORIGIN_SECRET="hush")
    call_command("lazyimages_iam_policy", "app", "--format", "json")
    out, err = capsys.readouterr()
    assert json.loads(out)["Version"] == "2012-10-17"
    assert err == ""
    assert "hush" not in out


def test_sids_are_what_iam_takes(buckets: Buckets, delivery: Callable[..., None]) -> None:
    delivery("redirect")
    for who in ("app", "setup", "lambda"):
        found = sids(printed(who))
        assert len(set(found)) == len(found)
        assert all(sid.isalnum() and sid.startswith("LazyImages") for sid in found)


MANY = [f"{width}x{height}" for width in range(100, 110) for height in range(100, 110)]


def test_more_sizes_than_fit_are_refused_with_a_remedy(buckets: Buckets, lazy: Callable[..., None]) -> None:
    lazy(SIZES=MANY, PRESETS={})
    with pytest.raises(CommandError, match="IAM takes 6,144: it names 100 sizes, and") as error:
        printed("app")
    fitting = int(str(error.value).partition("and ")[2].partition("sizes, and ")[2].split()[0])
    lazy(SIZES=MANY[:fitting])
    assert iam.length(printed("app")) <= iam.MOST_CHARACTERS
    lazy(SIZES=MANY[: fitting + 1])
    with pytest.raises(CommandError, match="in a bucket of their own"):
        printed("app")


@pytest.mark.parametrize("who", ["app", "lambda"])
def test_in_a_bucket_of_variants_alone_any_number_of_sizes_fits(
    buckets: Buckets, lazy: Callable[..., None], who: str
) -> None:
    buckets(ORIGINALS)
    lazy(SIZES=MANY, PRESETS={}, CLEANUP=False)
    policy = printed(who)

    assert iam.length(policy) <= iam.MOST_CHARACTERS
    assert allows(policy, Need("s3:DeleteObject", f"{THERE}/a/100x100/b.jpg"))
    assert not allows(policy, Need("s3:DeleteObject", f"arn:aws:s3:::{ORIGINALS}/a/100x100/b.jpg"))


def test_the_longest_names_fit(buckets: Buckets, delivery: Callable[..., None]) -> None:
    buckets("o" * 63, "v" * 63)
    delivery("redirect", EXPIRE_VARIANTS_DAYS=1)
    for who in ("app", "setup", "lambda"):
        assert iam.length(printed(who)) <= iam.MOST_CHARACTERS


def test_white_space_does_not_count() -> None:
    assert iam.length({"Sid": "a b"}) == len('{"Sid":"ab"}')


def test_the_probes_are_those_of_the_doctor() -> None:
    assert iam.PROBES == probe.PREFIX


def test_without_s3_there_is_nothing_to_permit() -> None:
    with pytest.raises(CommandError, match="Neither 'default' nor 'lazyimages' in STORAGES is an S3Storage"):
        printed("app")


def test_mistakes_in_the_settings_are_named(buckets: Buckets, lazy: Callable[..., None]) -> None:
    lazy(SIZES=["0x0"])
    with pytest.raises(CommandError, match="LAZYIMAGES has mistakes"):
        printed("app")


def test_an_unknown_profile_is_explained(buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(CommandError, match="Set AWS_PROFILE to a profile"):
        printed("app")


def test_local_delivery_sets_nothing_up(buckets: Buckets) -> None:
    with pytest.raises(CommandError, match="DELIVERY is 'local'"):
        printed("setup")


def test_options_of_lambda_are_refused_elsewhere(buckets: Buckets) -> None:
    for option in (["--trust"], ["--function", "resizer"]):
        with pytest.raises(CommandError, match="for lambda alone"):
            printed("app", *option)
