"""The focal point: in the name, moved by a copy, followed by the resizer, and nothing left behind."""

from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from lazyimages import storage, variants
from lazyimages.exceptions import OriginalNotFound, RefusedName, StorageUnavailable
from tests.conftest import BUCKET, jpeg, upload
from tests.engine import pictures
from tests.host.models import Bare, Blurred

pytestmark = pytest.mark.django_db


@pytest.fixture
def originals(tmp_path: Any) -> Any:
    """Return the names of all originals."""
    root = tmp_path / "originals"
    return lambda: sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


@pytest.fixture
def commits(django_capture_on_commit_callbacks: Any) -> Any:
    """Have what waits for a commit done at the end of the block."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


def photo(data: bytes | None = None, name: str = "Red bowl.jpg") -> Blurred:
    return Blurred.objects.create(image=upload(jpeg(80, 60) if data is None else data, name))


def in_row(row: Any) -> str:
    return str(type(row).objects.values_list("image", flat=True).get(pk=row.pk))


def test_the_centre_is_the_default() -> None:
    assert photo().image.focal == (50, 50)
    assert Blurred().image.focal == (50, 50)
    assert Blurred(image="old/photo 1.jpg").image.focal == (50, 50)


@pytest.mark.parametrize("point", [(0, 0), (99, 99), (30, 20), (50, 20), (7, 50)])
def test_moving(point: tuple[int, int], originals: Any, commits: Any) -> None:
    row = photo()
    before, facts = row.image.name, (row.width, row.height, row.placeholder)
    with commits():
        row.image.move_focal(*point)
    assert row.image.focal == point
    name = row.image.name
    assert name.startswith("blurred/red-bowl.")
    assert name.endswith(f".f{point[0]:02}{point[1]:02}.jpg")
    assert name.split(".")[1] != before.split(".")[1]
    fresh = Blurred.objects.get(pk=row.pk)
    assert (fresh.image.name, fresh.image.focal) == (name, point)
    assert (fresh.width, fresh.height, fresh.placeholder) == facts == (80, 60, row.placeholder)
    assert originals() == [name]
    assert fresh.image.read() == jpeg(80, 60)


def test_back_to_the_centre(originals: Any, commits: Any) -> None:
    row = photo()
    with commits():
        row.image.move_focal(10, 90)
        row.image.move_focal(50, 50)
    assert row.image.focal == (50, 50)
    assert row.image.name.count(".") == 2
    assert originals() == [row.image.name]


@pytest.mark.parametrize("point", [(-1, 50), (50, 100), (1000, 0), (1.5, 2), ("1", "2"), (None, None)])
def test_points_that_are_none(point: Any, originals: Any) -> None:
    row = photo()
    before = row.image.name
    with pytest.raises(ValueError, match="whole numbers from 0 to 99"):
        row.image.move_focal(*point)
    assert originals() == [before] == [in_row(row)]


@pytest.mark.parametrize("row", [Blurred(), Blurred(image="")])
def test_without_an_image(row: Blurred) -> None:
    with pytest.raises(ValueError, match="no stored image"):
        row.image.move_focal(1, 2)


def test_an_upload_that_is_not_stored_yet(originals: Any) -> None:
    row = Blurred(image=upload(jpeg(80, 60)))
    with pytest.raises(ValueError, match="no stored image"):
        row.image.move_focal(1, 2)
    assert originals() == []


@pytest.mark.parametrize(
    ("old", "slug", "extension"),
    [
        ("shop/Old photo (1).JPG", "old-photo-1", "jpg"),
        ("shop/été+50%.jpeg", "ete-50", "jpg"),
        ("scan.tif", "scan", "tiff"),
        ("a/b.AZ70KuRzw9.png", "b", "png"),
        ("a/Big_One.AZ70KuRzw9.f0102.png", "Big_One", "png"),
    ],
)
def test_names_from_elsewhere(old: str, slug: str, extension: str, originals: Any, commits: Any) -> None:
    storage.put_original(old, b"as it was", "image/jpeg")
    row = Blurred.objects.create(image=old)
    with commits():
        row.image.move_focal(5, 95)
    directory, _, name = row.image.name.rpartition("/")
    assert directory == old.rpartition("/")[0]
    assert name.startswith(f"{slug}.")
    assert name.endswith(f".f0595.{extension}")
    assert originals() == [row.image.name]
    assert row.image.focal == (5, 95)


@pytest.mark.parametrize("old", ["a.jpg.webp", "x/480h/a.jpg", "notes.txt"])
def test_names_that_can_have_no_variants(old: str) -> None:
    row = Blurred.objects.create(image=old)
    with pytest.raises(RefusedName):
        row.image.move_focal(5, 95)
    assert in_row(row) == row.image.name == old


def test_a_name_as_long_as_its_column(commits: Any) -> None:
    row = Bare.objects.create(folder="d" * 58, image=upload(jpeg(80, 60), "x" * 90 + ".jpg"))
    assert len(row.image.name) == 100
    with commits():
        row.image.move_focal(5, 95)
    assert len(row.image.name) == 100
    assert row.image.name.endswith(".f0595.jpg")


def test_the_resizer_follows_it(client: Any, originals: Any, commits: Any, tmp_path: Any) -> None:
    """A wide picture, red on the left and blue on the right, is cut to the left end."""
    wide = Image.new("RGB", (1600, 300), "blue")
    wide.paste("red", (0, 0, 500, 300))
    row = photo(pictures.saved(wide, "JPEG"))
    before = row.image.variant_url("360x270")
    assert red_and_blue(client.get(before)) == (False, True)
    with commits():
        row.image.move_focal(0, 50)
    after = row.image.variant_url("360x270")
    assert after != before
    assert red_and_blue(client.get(after)) == (True, False)
    gone = client.get(before)
    assert gone.status_code == 404
    variants_left = [path.name for path in (tmp_path / "variants").rglob("*") if path.is_file()]
    assert variants_left == [row.image.name.rpartition("/")[2]]


def red_and_blue(response: Any) -> tuple[bool, bool]:
    """Tell whether the picture's middle is red, and whether it is blue."""
    assert response.status_code == 200
    picture = Image.open(BytesIO(response.content))
    assert picture.size == (360, 270)
    red, _, blue = picture.convert("RGB").getpixel((180, 135))  # type: ignore[misc]
    return red > 150, blue > 150


def test_nothing_happens_when_it_is_there(s3: Any, s3_calls: list[str], commits: Any) -> None:
    row = photo()
    with commits():
        row.image.move_focal(30, 20)
    s3_calls.clear()
    before = row.image.name
    with commits() as callbacks:
        row.image.move_focal(30, 20)
    assert (row.image.name, s3_calls, callbacks) == (before, [], [])


def test_one_copy_and_one_delete_on_s3(s3: Any, s3_calls: list[str], commits: Any, lazy: Any) -> None:
    lazy(FORMATS=["avif", "webp"])
    row = photo()
    before = row.image.name
    for key in variants.keys_of(before)[:4]:
        storage.put_variant(key, b"x", "image/jpeg")
    s3_calls.clear()
    with commits():
        row.image.move_focal(30, 20)
        assert s3_calls == ["CopyObject"], "the old one stays until the commit"
    assert s3_calls == ["CopyObject", "DeleteObjects"]
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == [row.image.name]
    assert s3.get_object(Bucket=BUCKET, Key=row.image.name)["Body"].read() == jpeg(80, 60)


def test_what_s3_knows_of_it_is_kept(s3: Any, settings: Any, s3_requests: Any, commits: Any) -> None:
    own = settings.STORAGES["default"]
    parameters = {
        "ACL": "public-read",
        "CacheControl": "no-cache",
        "ServerSideEncryption": "AES256",
        "StorageClass": "STANDARD_IA",
        "Tagging": "team=shop",
    }
    options = {**own["OPTIONS"], "object_parameters": parameters, "default_acl": "public-read"}
    settings.STORAGES = {**settings.STORAGES, "default": {**own, "OPTIONS": options}}
    s3.put_object(
        Bucket=BUCKET,
        Key="a/b c+1.jpg",
        Body=b"bytes",
        ContentType="image/jpeg",
        CacheControl="max-age=7",
        ContentDisposition="inline",
        Metadata={"shot-by": "Ana"},
    )
    row = Blurred.objects.create(image="a/b c+1.jpg")
    s3_requests.clear()
    with commits():
        row.image.move_focal(30, 20)
    (copy,) = [parameters for name, parameters in s3_requests if name == "CopyObject"]
    assert not {"ACL", "ContentType", "CacheControl", "CopySourceIfMatch"} & copy.keys()
    there = s3.get_object(Bucket=BUCKET, Key=row.image.name)
    assert there["Body"].read() == b"bytes"
    assert (there["ContentType"], there["CacheControl"]) == ("image/jpeg", "max-age=7")
    assert (there["ContentDisposition"], there["Metadata"]) == ("inline", {"shot-by": "Ana"})
    assert (there["ServerSideEncryption"], there["StorageClass"]) == ("AES256", "STANDARD_IA")
    tags = s3.get_object_tagging(Bucket=BUCKET, Key=row.image.name)["TagSet"]
    assert tags == [{"Key": "team", "Value": "shop"}]
    grants = s3.get_object_acl(Bucket=BUCKET, Key=row.image.name)["Grants"]
    assert all("URI" not in grant["Grantee"] for grant in grants)


@pytest.fixture
def s3_requests() -> Any:
    """Record the operations of S3 clients made afterwards, with their parameters."""
    from botocore import handlers

    requests: list[tuple[str, dict[str, Any]]] = []

    def record(params: dict[str, Any], model: Any, **kwargs: object) -> None:
        requests.append((model.name, dict(params)))

    entry = ("provide-client-params.s3", record)
    handlers.BUILTIN_HANDLERS.append(entry)
    yield requests
    handlers.BUILTIN_HANDLERS.remove(entry)


@pytest.mark.parametrize("kind", ["filesystem", "s3", "generic"])
def test_an_original_that_is_gone(kind: str, settings: Any, request: pytest.FixtureRequest) -> None:
    if kind == "s3":
        request.getfixturevalue("s3")
    if kind == "generic":
        memory = {"BACKEND": "tests.test_storage.OverwritingMemory"}
        settings.STORAGES = {**settings.STORAGES, "default": memory, "lazyimages": memory}
    row = Blurred.objects.create(image="gone/missing.jpg")
    with pytest.raises(OriginalNotFound, match=r"gone/missing\.jpg"):
        row.image.move_focal(30, 20)
    assert in_row(row) == row.image.name == "gone/missing.jpg"


def test_any_other_storage(settings: Any, commits: Any) -> None:
    memory = {"BACKEND": "tests.test_storage.OverwritingMemory"}
    settings.STORAGES = {**settings.STORAGES, "default": memory, "lazyimages": memory}
    row = photo()
    with commits():
        row.image.move_focal(30, 20)
    assert list(storage.iter_originals()) == [row.image.name]
    assert row.image.read() == jpeg(80, 60)


def test_a_storage_that_renames(settings: Any) -> None:
    renaming = {"BACKEND": "tests.host.storages.Renaming"}
    settings.STORAGES = {**settings.STORAGES, "default": renaming}
    storage.put_original("a/b.jpg", b"x", "image/jpeg")
    (stored,) = storage.iter_originals()
    row = Blurred.objects.create(image=stored)
    with pytest.raises(StorageUnavailable, match="choose one that keeps names"):
        row.image.move_focal(30, 20)
    assert list(storage.iter_originals()) == [stored] == [in_row(row)]
