"""`lazyimages_iam_policy operator`: what measuring, warming, purging and the report take, and no more."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import boto3
import pytest
from django.core.management import CommandError, call_command

from lazyimages import storage
from lazyimages.aws import iam
from tests.aws.conftest import ACCOUNT
from tests.aws.policies import Need, Policy, actions, allows, printed, recorded
from tests.aws.test_iam import MANY, ORIGINALS, THERE, Buckets, create, sids, unused
from tests.aws.test_iam import buckets as buckets
from tests.conftest import BUCKET, jpeg
from tests.host.models import Photo

BOWL = "produs_1/bowl.aaaaaaaaaa.jpg"
NEEDLESS = "produs_1/vase.bbbbbbbbbb.jpg"
DROPPED = "produs_1/99x99/bowl.aaaaaaaaaa.jpg"
ORPHAN = "produs_1/480h/gone.cccccccccc.jpg"
FORGETTING = {"cloudfront:CreateInvalidation", "cloudfront:GetInvalidation", "cloudfront:ListInvalidations"}
OURS = f"arn:aws:cloudfront::{ACCOUNT}:distribution/E1OURS"
ANOTHER = f"arn:aws:cloudfront::{ACCOUNT}:distribution/E2"


def run(command: str, *arguments: str) -> str:
    out = StringIO()
    call_command(f"lazyimages_{command}", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


@pytest.fixture
def distribution(aws: None) -> str:
    """Make a distribution that is still busy with forgetting something, and return its id."""
    from moto.cloudfront.models import cloudfront_backends

    cloudfront: Any = boto3.client("cloudfront")
    custom = {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"}
    origin = {"Id": "shop", "DomainName": "shop.example", "CustomOriginConfig": custom}
    id: str = cloudfront.create_distribution(
        DistributionConfig={
            "CallerReference": "shop",
            "Comment": "",
            "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [origin]},
            "DefaultCacheBehavior": {"TargetOriginId": "shop", "ViewerProtocolPolicy": "allow-all"},
        }
    )["Distribution"]["Id"]
    paths = {"Quantity": 1, "Items": ["/a.jpg"]}
    cloudfront.create_invalidation(
        DistributionId=id, InvalidationBatch={"Paths": paths, "CallerReference": "earlier"}
    )
    cloudfront_backends[ACCOUNT]["aws"].invalidations[id][0].status = "InProgress"
    return id


@pytest.mark.django_db
@pytest.mark.parametrize("originals", [BUCKET, ORIGINALS], ids=["one bucket", "two buckets"])
@pytest.mark.parametrize("days", [None, 90], ids=["kept", "expiring"])
def test_it_may_do_what_the_commands_do_and_nothing_else(
    aws: None,
    distribution: str,
    buckets: Buckets,
    delivery: Callable[..., None],
    originals: str,
    days: int | None,
) -> None:
    buckets(originals)
    delivery("redirect", EXPIRE_VARIANTS_DAYS=days, DISTRIBUTION_ID=distribution)
    for bucket in {BUCKET, originals}:
        create(bucket)
    for name in (BOWL, NEEDLESS):
        storage.put_original(name, jpeg(), "image/jpeg")
    for key in (DROPPED, ORPHAN):
        storage.put_variant(key, b"x", "image/jpeg")
    photo = Photo.objects.create(image=BOWL)
    buckets(originals)  # with clients of their own, for those that are there are not recorded

    with recorded() as needs:
        run("measure")
        run("warm", "--sizes", "480h")
        run("purge", "--dropped")
        run("purge", "--orphans", "--delete-originals", "--grace", "0d")
        run("report")

    photo.refresh_from_db()
    assert (photo.width, photo.height) == (1600, 1200)
    assert set(storage.iter_originals()) | set(storage.iter_keys()) == {
        BOWL,
        "produs_1/480h/bowl.aaaaaaaaaa.jpg",
    }
    policy = printed("operator")
    assert [need for need in needs if not allows(policy, need)] == []
    assert unused(policy, needs) == []


@pytest.mark.parametrize("cleanup", [True, False])
def test_it_stores_no_originals_and_reads_no_variants(
    buckets: Buckets, lazy: Callable[..., None], cleanup: bool
) -> None:
    buckets(ORIGINALS)
    lazy(CLEANUP=cleanup)
    policy = printed("operator")

    original = f"arn:aws:s3:::{ORIGINALS}/{BOWL}"
    assert allows(policy, Need("s3:GetObject", original))
    assert allows(policy, Need("s3:DeleteObject", original))
    assert not allows(policy, Need("s3:PutObject", original))
    variant = f"{THERE}/products/480h/bowl.jpg"
    assert allows(policy, Need("s3:PutObject", variant))
    assert not allows(policy, Need("s3:GetObject", variant))
    assert not allows(policy, Need("s3:PutObject", f"{THERE}/products/481h/bowl.jpg"))


@pytest.mark.parametrize("size", ["1w", "99w", "1280w", "7h", "480h", "9999h", "1x1", "99x1000", "9999x9999"])
@pytest.mark.parametrize("folder", ["", "products/", "a/b/"])
def test_variants_of_any_size_may_be_deleted(buckets: Buckets, size: str, folder: str) -> None:
    buckets(ORIGINALS)
    assert allows(printed("operator"), Need("s3:DeleteObject", f"{THERE}/{folder}{size}/bowl.jpg"))


@pytest.mark.parametrize(
    "key",
    ["bowl.jpg", "static/app.css", "10000w/a.jpg", "12345x1/a.jpg", "480/a.jpg", "480h", "banners/a.jpg"],
)
def test_and_little_else_beside_originals(buckets: Buckets, key: str) -> None:
    """IAM has no sign for digits: `new` is of the same form as `12w`."""
    buckets(ORIGINALS)
    policy = printed("operator")

    assert not allows(policy, Need("s3:DeleteObject", f"{THERE}/{key}"))
    assert allows(policy, Need("s3:DeleteObject", f"{THERE}/new/a.jpg"))


def test_around_a_folder_of_originals_there_are_only_sizes(buckets: Buckets) -> None:
    buckets(location="media/")
    policy = printed("operator")

    assert allows(policy, Need("s3:DeleteObject", f"{THERE}/media/products/bowl.jpg"))
    assert allows(policy, Need("s3:DeleteObject", f"{THERE}/products/99x99/bowl.jpg"))
    assert not allows(policy, Need("s3:DeleteObject", f"{THERE}/products/bowl.jpg"))
    assert not allows(policy, Need("s3:GetObject", f"{THERE}/products/bowl.jpg"))
    (listing,) = [one for one in policy["Statement"] if one["Action"] == ["s3:ListBucket"]]
    assert listing["Resource"] == [THERE]


def test_who_may_delete_all_originals_there_needs_no_more_for_variants(buckets: Buckets) -> None:
    assert sids(printed("operator")) == ["LazyImagesOriginals", "LazyImagesVariants", "LazyImagesTellMissing"]


class TestInvalidations:
    def test_of_the_distribution_of_the_settings(
        self, buckets: Buckets, delivery: Callable[..., None]
    ) -> None:
        delivery("redirect", DISTRIBUTION_ID="E1OURS")
        policy = printed("operator")

        assert all(allows(policy, Need(action, OURS)) for action in FORGETTING)
        assert not any(allows(policy, Need(action, ANOTHER)) for action in FORGETTING)

    def test_or_of_those_that_setup_has_made(self, buckets: Buckets, delivery: Callable[..., None]) -> None:
        delivery("failover")
        policy = printed("operator")

        assert all(allows(policy, Need(each, OURS), aws_ResourceTag_lazyimages=BUCKET) for each in FORGETTING)
        assert not any(allows(policy, Need(each, OURS)) for each in FORGETTING)

    def test_without_a_cdn_there_is_nothing_to_forget(self, buckets: Buckets) -> None:
        assert not FORGETTING & actions(printed("operator"))

    def test_without_variants_on_s3(
        self, buckets: Buckets, delivery: Callable[..., None], settings: Any, tmp_path: Any
    ) -> None:
        files = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}}
        settings.STORAGES = settings.STORAGES | {"lazyimages": files}
        delivery("redirect")
        assert sids(printed("operator")) == ["LazyImagesOriginals", "LazyImagesTellMissing"]
        delivery("redirect", DISTRIBUTION_ID="E1OURS")
        assert actions(printed("operator")) >= FORGETTING


class TestLength:
    def test_in_a_bucket_of_variants_alone_any_number_of_sizes_fits(
        self, buckets: Buckets, lazy: Callable[..., None]
    ) -> None:
        buckets(ORIGINALS)
        lazy(SIZES=MANY, PRESETS={})
        policy = printed("operator")

        assert iam.length(policy) <= iam.MOST_CHARACTERS
        for action in ("s3:PutObject", "s3:DeleteObject"):
            assert allows(policy, Need(action, f"{THERE}/a/100x100/b.jpg"))
        assert not allows(policy, Need("s3:PutObject", f"arn:aws:s3:::{ORIGINALS}/a/100x100/b.jpg"))

    def test_before_that_any_object_may_be_deleted_and_sizes_alone_stored(
        self, buckets: Buckets, lazy: Callable[..., None]
    ) -> None:
        buckets(ORIGINALS)
        lazy(SIZES=MANY[:60], PRESETS={})
        policy = printed("operator")

        assert iam.length(policy) <= iam.MOST_CHARACTERS
        assert allows(policy, Need("s3:DeleteObject", f"{THERE}/static/app.css"))
        assert allows(policy, Need("s3:PutObject", f"{THERE}/a/{MANY[0]}/b.jpg"))
        assert not allows(policy, Need("s3:PutObject", f"{THERE}/static/app.css"))

    def test_in_a_common_bucket_too_many_are_refused(
        self, buckets: Buckets, lazy: Callable[..., None]
    ) -> None:
        lazy(SIZES=MANY, PRESETS={})
        with pytest.raises(CommandError, match=r"it names 100 sizes, and \d+ fit. Keep variants in a bucket"):
            printed("operator")

    @pytest.mark.parametrize("originals", ["v" * 63, "o" * 63])
    def test_the_longest_names_fit(
        self, buckets: Buckets, delivery: Callable[..., None], originals: str
    ) -> None:
        buckets(originals, "v" * 63)
        delivery("redirect", EXPIRE_VARIANTS_DAYS=1)
        assert iam.length(printed("operator")) <= iam.MOST_CHARACTERS


def test_sids_and_resources_are_what_iam_takes(buckets: Buckets, delivery: Callable[..., None]) -> None:
    buckets(ORIGINALS)
    delivery("redirect", DISTRIBUTION_ID="E1OURS")
    policy: Policy = printed("operator")

    found = sids(policy)
    assert found == [
        "LazyImagesOriginals",
        "LazyImagesVariants",
        "LazyImagesPurge",
        "LazyImagesTellMissing",
        "LazyImagesInvalidate",
    ]
    assert all(one.startswith("arn:aws:") for each in policy["Statement"] for one in each["Resource"])


def test_options_of_lambda_are_refused(buckets: Buckets) -> None:
    with pytest.raises(CommandError, match="for lambda alone"):
        printed("operator", "--trust")
