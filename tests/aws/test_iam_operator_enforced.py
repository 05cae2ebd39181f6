"""The operator's policy, and the app's when rows are deleted, where they are enforced; by ministack."""

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.test import Client

from lazyimages.aws import clients
from tests.aws.test_iam_enforced import Become, Root, own, refused
from tests.aws.test_iam_enforced import become as become
from tests.aws.test_iam_enforced import root as root
from tests.conftest import CDN, jpeg, upload
from tests.host.models import Photo

BOWL = "produs_1/bowl.aaaaaaaaaa.jpg"
NEEDLESS = "produs_1/vase.bbbbbbbbbb.jpg"
DROPPED = "produs_1/99x99/bowl.aaaaaaaaaa.jpg"
ORPHAN = "produs_1/480h/gone.cccccccccc.jpg"
FOREIGN = "static/app.css"
SIZES = ["480h", "360x270"]
MADE = {f"produs_1/{size}/bowl.aaaaaaaaaa.jpg" for size in SIZES}


@pytest.fixture(autouse=True)
def _shop(lazy: Callable[..., None]) -> None:
    lazy(SIZES=SIZES, PRESETS={}, CDN_URL=CDN)


def run(command: str, *arguments: str) -> dict[str, Any]:
    """Run a command, and return what it says of itself; AssertionError unless all went well."""
    out = StringIO()
    call_command(f"lazyimages_{command}", *arguments, "--format", "json", stdout=out, stderr=StringIO())
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


@pytest.fixture
def distribution(root: Root) -> Callable[[str], str]:
    """Make distributions, each by a name of its own: `distribution("ours")` is its id."""

    def make(name: str) -> str:
        origin = {"Id": "o", "DomainName": "shop.example"}
        made = root("cloudfront").create_distribution(
            DistributionConfig={
                "CallerReference": name,
                "Comment": "",
                "Enabled": True,
                "Origins": {"Quantity": 1, "Items": [origin]},
                "DefaultCacheBehavior": {"TargetOriginId": "o", "ViewerProtocolPolicy": "allow-all"},
            }
        )
        return str(made["Distribution"]["Id"])

    return make


def stored(root: Root, *buckets: str) -> set[str]:
    """Return the keys in some buckets."""
    listed = (root("s3").list_objects_v2(Bucket=bucket).get("Contents", []) for bucket in set(buckets))
    return {each["Key"] for found in listed for each in found}


def fill(root: Root, originals: str, variants: str) -> None:
    """Put there what the commands have to do with, and what they have nothing to do with."""
    s3 = root("s3")
    for name in (BOWL, NEEDLESS):
        s3.put_object(Bucket=originals, Key=name, Body=jpeg())
    for key in (DROPPED, ORPHAN, FOREIGN):
        s3.put_object(Bucket=variants, Key=key, Body=b"x")


@pytest.mark.django_db
@pytest.mark.parametrize("two", [False, True], ids=["one", "two"])
@pytest.mark.parametrize("days", [None, 90], ids=["kept", "expiring"])
def test_the_operator_runs_its_commands(
    become: Become,
    root: Root,
    distribution: Callable[[str], str],
    request: pytest.FixtureRequest,
    two: bool,
    days: int | None,
) -> None:
    ours = distribution(request.node.name)
    parts = {"EXPIRE_VARIANTS_DAYS": days, "DISTRIBUTION_ID": ours}
    originals, variants = become("operator", two=two, **parts)
    fill(root, originals, variants)
    photo = Photo.objects.create(image=BOWL)

    assert run("measure")["done"] == 1
    assert run("warm", "--all-sizes")["done"] == 2
    assert run("purge", "--dropped")["invalidated"] == 1
    purged = run("purge", "--orphans", "--delete-originals", "--grace", "0d")
    found = run("report")

    photo.refresh_from_db()
    assert (photo.width, photo.height) == (1600, 1200)
    assert stored(root, originals, variants) == {BOWL, *MADE, FOREIGN}
    assert (purged["done"], purged["failed"]) == (2, {})
    assert found["originals"]["files"] == 1
    tags = root("s3").get_object_tagging(Bucket=variants, Key=sorted(MADE)[0])["TagSet"]
    assert tags == ([{"Key": "lazyimages", "Value": "variant"}] if days else [])
    told = root("cloudfront").list_invalidations(DistributionId=ours)["InvalidationList"]["Items"]
    assert len(told) == 2
    looked = clients.client(storages["lazyimages"], "cloudfront")
    assert looked.get_invalidation(DistributionId=ours, Id=told[0]["Id"])["Invalidation"]


@pytest.mark.parametrize("two", [False, True], ids=["one", "two"])
def test_the_operator_does_nothing_else(
    become: Become,
    root: Root,
    distribution: Callable[[str], str],
    request: pytest.FixtureRequest,
    ministack_with_iam: str,
    monkeypatch: pytest.MonkeyPatch,
    two: bool,
) -> None:
    ours, another = distribution(f"{request.node.name} ours"), distribution(f"{request.node.name} another")
    originals, variants = become("operator", two=two, DISTRIBUTION_ID=ours)
    fill(root, originals, variants)
    elsewhere = {"Bucket": f"{variants}-elsewhere", "Key": "secret.jpg"}
    place = {"LocationConstraint": "eu-central-1"}
    root("s3").create_bucket(Bucket=elsewhere["Bucket"], CreateBucketConfiguration=place)
    root("s3").put_object(**elsewhere, Body=b"of somebody else")

    s3 = own("lazyimages")
    assert refused(s3.put_object, Bucket=originals, Key="produs_1/new.jpg", Body=b"")
    assert refused(s3.put_object, Bucket=variants, Key=DROPPED, Body=b"")
    assert refused(s3.get_object, Bucket=variants, Key=FOREIGN) == two
    assert refused(s3.delete_object, Bucket=variants, Key=FOREIGN) == two
    assert refused(s3.get_object, **elsewhere)
    assert refused(s3.delete_object, **elsewhere)
    assert refused(s3.list_objects_v2, Bucket=elsewhere["Bucket"])
    assert refused(s3.list_buckets)
    assert refused(s3.get_bucket_policy, Bucket=variants)
    assert refused(s3.delete_bucket_policy, Bucket=variants)
    assert refused(s3.put_bucket_website, Bucket=variants, WebsiteConfiguration={})
    assert refused(s3.delete_bucket, Bucket=originals)
    cloudfront: Any = clients.client(storages["lazyimages"], "cloudfront")
    batch = {"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": "mine"}
    assert refused(cloudfront.create_invalidation, DistributionId=another, InvalidationBatch=batch)
    assert refused(cloudfront.list_distributions)
    assert refused(cloudfront.get_distribution, Id=ours)
    monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", ministack_with_iam)
    iam: Any = clients.client(storages["lazyimages"], "iam")
    assert refused(iam.list_users)
    assert refused(iam.get_account_summary)


@pytest.mark.django_db
@pytest.mark.parametrize("two", [False, True], ids=["one", "two"])
def test_the_app_cleans_up(
    become: Become, root: Root, django_capture_on_commit_callbacks: Callable[..., Any], two: bool
) -> None:
    buckets = become("app", two=two, FORMATS=["webp"])

    def variants_of(photo: Photo) -> None:
        for size in SIZES:
            url = f"/images/v/{str(photo.image.name).replace('/', f'/{size}/', 1)}"
            assert Client().get(url).status_code == 200

    with django_capture_on_commit_callbacks(execute=True):
        photo = Photo.objects.create(image=upload())
    variants_of(photo)
    first = stored(root, *buckets)
    assert len(first) == 1 + len(SIZES)

    with django_capture_on_commit_callbacks(execute=True):
        photo.image = upload(name="vase.jpg")
        photo.save()
    variants_of(photo)
    second = stored(root, *buckets)
    assert len(second) == 1 + len(SIZES)
    assert not first & second

    with django_capture_on_commit_callbacks(execute=True):
        Photo.objects.all().delete()
    assert stored(root, *buckets) == set()


@pytest.mark.django_db
def test_the_app_deletes_no_dropped_sizes(become: Become, root: Root) -> None:
    originals, variants = become("app", two=True)
    fill(root, originals, variants)
    before = stored(root, originals, variants)

    with pytest.raises(CommandError, match=r"AccessDenied.* s3:DeleteObject") as error:
        call_command("lazyimages_purge", "--dropped", stdout=StringIO(), stderr=StringIO())

    assert error.value.returncode == 1
    assert stored(root, originals, variants) == before


@pytest.mark.django_db
def test_the_app_invalidates_nothing(
    become: Become, root: Root, distribution: Callable[[str], str], request: pytest.FixtureRequest
) -> None:
    ours = distribution(request.node.name)
    originals, variants = become("app", DISTRIBUTION_ID=ours)
    fill(root, originals, variants)

    with pytest.raises(
        CommandError, match=r"Give the caller cloudfront:CreateInvalidation.*_policy operator"
    ):
        call_command("lazyimages_purge", "--orphans", stdout=StringIO(), stderr=StringIO())

    assert ORPHAN not in stored(root, originals, variants)
