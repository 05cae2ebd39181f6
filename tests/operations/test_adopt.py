"""lazyimages_report --adopt: a bucket that somebody else has filled, as the article's."""

import ast
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from lazyimages import conf
from tests.conftest import jpeg
from tests.host.models import Photo, PlainPhoto
from tests.operations.places import PLACES, Put, on_disk, prepare

pytestmark = pytest.mark.django_db


@pytest.fixture(params=PLACES)
def put(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> Put:
    return prepare(request, settings, tmp_path)


@pytest.fixture
def bucket(settings: Any, tmp_path: Path) -> Put:
    """One directory for originals and variants, and no settings yet."""
    settings.LAZYIMAGES = {}
    return on_disk(settings, tmp_path, together=True)


def told(*options: str) -> str:
    out = StringIO()
    call_command("lazyimages_report", "--adopt", *options, stdout=out, stderr=StringIO())
    return out.getvalue()


def figures() -> Any:
    return json.loads(told("--format", "json"))


def snippet(text: str) -> dict[str, Any]:
    """Return the settings that are printed."""
    start = text.index("LAZYIMAGES = {")
    code = text[start : text.index("\n}\n", start) + 3]
    found: dict[str, Any] = ast.literal_eval(code.partition(" = ")[2].strip())
    return found


def article(put: Put) -> None:
    """Fill in the layout of the article: old sizes beside new, and what gathers in a bucket over years."""
    for number in range(3):
        put(f"produs_{number}/img.jpg", 1000)
        put(f"produs_{number}/360x270/img.jpg", 50, variant=True)
    put("produs_0/480h/img.jpg", 70, variant=True)
    put("produs_0/360x270/img.jpg.webp", 40, variant=True)
    put("produs_0/thumb/img.jpg", 20)
    put("produs_1/thumb/img.jpg", 20)
    put("produs_1/large/img.jpg", 200)
    put("produs_1/large/img-2.jpg", 200)  # nothing of that name above: an original
    put("produs_7/360x270/img.jpg", 50, variant=True)  # its original is not there
    put("produs_2/scan.jpg.png", 5)
    put("index.html", 9)
    put("feeds/all.xml", 8)


def test_every_file_has_its_sort(put: Put, settings: Any) -> None:
    settings.LAZYIMAGES = {}
    article(put)
    Photo.objects.create(image="produs_0/img.jpg")
    Photo.objects.create(image="produs_9/img.jpg")
    found = figures()
    assert found == {
        "command": "lazyimages_report --adopt",
        "together": found["together"],
        "originals": {
            "files": 8,
            "bytes": 3445,
            "unfit": {"two_extensions": {"files": 1, "bytes": 5}},
            "unfit_names": [{"name": "produs_2/scan.jpg.png", "trouble": "two_extensions"}],
            "copies": {
                "thumb": {"files": 2, "bytes": 40, "example": "produs_0/thumb/img.jpg"},
                "large": {"files": 1, "bytes": 200, "example": "produs_1/large/img.jpg"},
            },
        },
        "variants": {
            "files": 5,
            "bytes": 260,
            "by_size": {"360x270": {"files": 4, "bytes": 190}, "480h": {"files": 1, "bytes": 70}},
            "by_added_format": {"webp": {"files": 1, "bytes": 40}},
        },
        "without_original": {
            "by_size": {"360x270": {"files": 1, "bytes": 50}},
            "keys": ["produs_7/360x270/img.jpg"],
        },
        "others": {
            "files": 2,
            "bytes": 17,
            "by_extension": {"html": {"files": 1, "bytes": 9}, "xml": {"files": 1, "bytes": 8}},
        },
        "rows": {
            "fields": found["rows"]["fields"],
            "missing": [{"name": "produs_9/img.jpg", "field": "host.Photo.image"}],
        },
        "settings": {"SIZES": ["360x270", "480h"], "FORMATS": ["webp"]},
    }
    assert {"field": "host.Photo.image", "names": 2, "missing": 1} in found["rows"]["fields"]


def test_the_text_has_settings_that_lazyimages_takes(bucket: Put) -> None:
    article(bucket)
    text = told()
    assert max(map(len, text.splitlines())) < 80
    assert snippet(text) == {"SIZES": ["360x270", "480h"], "FORMATS": ["webp"]}
    assert conf.read(snippet(text))[1] == []
    assert '        "360x270",  # 4 files\n' in text
    words = " ".join(text.split())
    assert "Nothing has to be moved or renamed" in words
    assert "thumb/ produs_0/thumb/img.jpg 2 40 bytes" in words
    assert "They would be taken for originals" in words
    assert "two image extensions, such as a.jpg.webp, 1." in words
    assert "  produs_2/scan.jpg.png\n" in text
    assert "Variants without an original: 1 360x270." in words
    assert "Neither original nor variant, by extension: 1 .html, 1 .xml." in words


def test_with_these_settings_what_is_there_is_served_as_it_is(
    bucket: Put, settings: Any, client: Any, tmp_path: Path
) -> None:
    (tmp_path / "originals" / "produs_1").mkdir(parents=True)
    (tmp_path / "originals" / "produs_1" / "img.jpg").write_bytes(jpeg(800, 600))
    bucket("produs_1/360x270/img.jpg", 50)
    settings.LAZYIMAGES = snippet(told())
    assert client.get("/images/v/produs_1/360x270/img.jpg").content == b"x" * 50
    assert client.get("/images/v/produs_1/480h/img.jpg").status_code == 404


def test_sizes_that_are_set_already_stay(bucket: Put, lazy: Any) -> None:
    lazy(SIZES=["1280w", "480h"], FORMATS=["avif"])
    article(bucket)
    text = told()
    assert snippet(text) == {"SIZES": ["360x270", "480h", "1280w"], "FORMATS": ["webp", "avif"]}
    assert '"1280w",  # set already, no files' in text


def test_storages_of_other_names_stay(bucket: Put, settings: Any) -> None:
    settings.STORAGES = {**settings.STORAGES, "photos": settings.STORAGES["default"]}
    settings.LAZYIMAGES = {"ORIGINALS": "photos", "VARIANTS": "photos"}
    article(bucket)
    assert snippet(told()) | {"SIZES": [], "FORMATS": []} == {
        "SIZES": [],
        "FORMATS": [],
        "ORIGINALS": "photos",
        "VARIANTS": "photos",
    }


def test_an_empty_bucket_is_no_trouble(put: Put) -> None:
    assert figures()["originals"]["files"] == 0
    assert "There are no variants of originals that are there" in " ".join(told().split())


@pytest.mark.parametrize(
    ("name", "trouble"),
    [
        ("a.jpg.webp", "two_extensions"),
        ("x/480h/deep/a.jpg", "size_directory"),
        ("x/a\nb.jpg", "hostile"),
        ("x/a\\b.jpg", "hostile"),
    ],
)
def test_names_that_can_have_no_variants(bucket: Put, name: str, trouble: str) -> None:
    bucket(name)
    assert figures()["originals"]["unfit_names"] == [{"name": name, "trouble": trouble}]
    text = told()
    assert "They can have no variants" in " ".join(text.split())
    assert all(line.isprintable() for line in text.splitlines())


def test_originals_in_a_storage_of_their_own_in_a_directory_like_a_size(
    settings: Any, tmp_path: Path
) -> None:
    put = on_disk(settings, tmp_path, together=False)
    put("a.jpg")
    put("480h/a.jpg")
    assert figures()["originals"]["unfit"] == {"size_directory": {"files": 1, "bytes": 1}}
    assert "name the same storage as LAZYIMAGES['ORIGINALS'], and run this again" in " ".join(told().split())


def test_copies_at_the_top(bucket: Put) -> None:
    bucket("a.jpg")
    bucket("small/a.jpg")
    assert list(figures()["originals"]["copies"]) == ["small"]


def test_rows_of_fields_that_are_not_ours_yet(bucket: Put) -> None:
    bucket("plain/a.jpg")
    PlainPhoto.objects.create(image="plain/a.jpg")
    PlainPhoto.objects.create(image="plain/gone.jpg")
    assert figures()["rows"]["missing"] == [{"name": "plain/gone.jpg", "field": "host.PlainPhoto.image"}]
    assert "1 of 2 in host.PlainPhoto.image" in " ".join(told().split())
