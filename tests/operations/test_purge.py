"""`lazyimages_purge`: which variants each filter deletes, and what is never touched."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError

from lazyimages.operations.purge import purge_originals
from lazyimages.signals import variants_purged
from tests.aws.conftest import _one_loader as _one_loader  # S3 clients in less time
from tests.conftest import jpeg, upload
from tests.host.models import Photo, PlainPhoto
from tests.operations.shelves import (
    BOWL,
    DAY,
    FOREIGN,
    VASE,
    age,
    left,
    purge,
    put,
    put_originals,
)

pytestmark = pytest.mark.django_db


def key(name: str, size: str, extra: str = "") -> str:
    folder, _, file = name.rpartition("/")
    return f"{folder}/{size}/{file}{extra}"


KEPT = [key(BOWL, "480h"), key(BOWL, "360x270"), key(BOWL, "480h", ".webp"), key(VASE, "480h")]
OLD = [key(BOWL, "100x100"), key(VASE, "720h"), key(VASE, "480h", ".avif")]


@pytest.fixture(autouse=True)
def _own_sizes(lazy: Callable[..., None]) -> None:
    lazy(PRESETS={})


@pytest.fixture(params=["files", "s3"])
def bucket(request: pytest.FixtureRequest, lazy: Callable[..., None]) -> None:
    """Two originals with variants in sizes that are allowed, and were, and what others have put there."""
    if request.param == "s3":
        request.getfixturevalue("s3")
    lazy(FORMATS=["webp"])
    put_originals(BOWL, VASE)
    put(*KEPT, *OLD)
    put(*FOREIGN)


@pytest.fixture
def purged() -> Any:
    heard: list[tuple[str, list[str]]] = []

    def hear(original: str, keys: list[str], **kwargs: Any) -> None:
        heard.append((original, keys))

    variants_purged.connect(hear)
    yield heard
    variants_purged.disconnect(hear)


CASES = [
    (["--dropped"], OLD),
    (["--sizes", "100x100", "720h"], [OLD[0], OLD[1]]),
    (["--formats", "avif", "webp"], [KEPT[2], OLD[2]]),
    (["--formats", "jpg", "--sizes", "480h"], [KEPT[0], KEPT[3]]),
    (["--prefix", "produs_1/"], [KEPT[0], KEPT[1], KEPT[2], OLD[0]]),
    (["--prefix", "produs_1/4"], [KEPT[0], KEPT[2]]),
    (["--prefix", "produs_1/480h/b"], [KEPT[0], KEPT[2]]),
    (["--prefix", "produs_", "--dropped"], OLD),
    (["--prefix", "elsewhere/"], []),
    (["--original", VASE, "--all"], [KEPT[3], OLD[1], OLD[2]]),
    (["--original", VASE, "--dropped"], [OLD[1], OLD[2]]),
    (["--original", VASE], [KEPT[3]]),
    (["--original", VASE, BOWL, "--sizes", "720h", "100x100"], [OLD[0], OLD[1]]),
    (["--all"], [*KEPT, *OLD]),
]


@pytest.mark.parametrize("bucket", ["files"], indirect=True)
@pytest.mark.parametrize(
    ("arguments", "gone"),
    CASES,
    ids=lambda value: " ".join(value) if value and value[0].startswith("--") else "",
)
def test_each_filter_deletes_what_has_all_of_it(bucket: None, arguments: list[str], gone: list[str]) -> None:
    before = left()

    seen = purge(*arguments, "--dry-run")
    assert left() == before
    said = purge(*arguments)

    assert before - left() == set(gone)
    assert set(FOREIGN) <= left()
    if "up to" not in said:
        number = f"{len(gone)} variant{'' if len(gone) == 1 else 's'} ({10 * len(gone)} bytes)"
        assert said.startswith(f"Deleted {number}.")
        assert seen.startswith(f"Would delete {number}.")


@pytest.mark.parametrize("bucket", ["s3"], indirect=True)
@pytest.mark.parametrize(("arguments", "gone"), [CASES[0], CASES[6], CASES[9], CASES[-1]], ids=str)
def test_on_s3_too(bucket: None, arguments: list[str], gone: list[str]) -> None:
    before = left()

    purge(*arguments)

    assert before - left() == set(gone)


def test_the_age_is_that_of_the_variant(bucket: None) -> None:
    age(100 * DAY, KEPT[0], BOWL)
    age(80 * DAY, KEPT[1])

    assert purge("--older-than", "90d").startswith("Deleted 1 variant ")
    assert KEPT[0] not in left()
    assert {KEPT[1], BOWL} < left()


def test_what_is_newer_than_the_start_stays(bucket: None) -> None:
    age(-3600, KEPT[0])

    purge("--all")

    assert KEPT[0] in left()
    assert KEPT[1] not in left()


def test_of_rows(bucket: None) -> None:
    Photo.objects.create(image=VASE, width=1, height=2)
    other = Photo.objects.create(image=BOWL, width=1, height=1)
    before = left()

    said = purge("--model", "host.photo", "--queryset", f"pk__lt={other.pk}", "height=2")

    assert said.startswith("Asked to delete up to 6 keys: nobody looked which of them are there.")
    assert before - left() == {KEPT[3]}
    purge("--model", "host.Photo.image", "--dropped", "--original", BOWL)
    assert before - left() == {KEPT[3], OLD[0]}
    put(OLD[0])
    said = purge("--model", "host.Photo.image", "--dropped")
    assert said.startswith("Deleted 3 variants (30 bytes).")
    assert before - left() == {KEPT[3], *OLD}


def test_rows_whose_file_is_missing_are_enough_to_know_an_original(bucket: None) -> None:
    name = "produs_3/without-a-file.jpg"
    PlainPhoto.objects.create(image=name)
    put(key(name, "720h"), key("produs_3/stranger.jpg", "720h"))

    said = purge("--sizes", "720h")

    assert said.startswith("Deleted 2 variants")
    assert key(name, "720h") not in left()
    assert key("produs_3/stranger.jpg", "720h") in left()
    assert "Left alone: 1 that looks like a variant, of no known original, such as produs_3/720h/str" in said


def test_what_looks_like_ours_is_counted_and_left(bucket: None) -> None:
    put("produs_9/480h/gone.dddddddddd.jpg")

    said = purge("--sizes", "480h", "480w")

    assert "1 that looks like a variant, of no known original, such as banners/480w/summer.jpg." in said
    assert "1 variant whose original is gone. --orphans deletes those." in said
    assert {"banners/480w/summer.jpg", "produs_9/480h/gone.dddddddddd.jpg"} < left()
    assert purge("--original", "banners/summer.jpg", "--all").startswith("Deleted 1 variant ")


def test_links_are_deleted_themselves_and_never_what_they_lead_to(tmp_path: Any) -> None:
    put_originals(BOWL)
    outside = tmp_path / "outside"
    (outside / "480h").mkdir(parents=True)
    (outside / "480h" / "bowl.aaaaaaaaaa.jpg").write_bytes(b"precious")
    variants = tmp_path / "variants"
    (variants / "produs_1").mkdir(parents=True)
    (variants / "produs_1" / "480h").symlink_to(outside / "480h")  # a directory: not looked into
    (variants / "produs_1" / "360x270").mkdir()
    link = variants / "produs_1" / "360x270" / "bowl.aaaaaaaaaa.jpg"
    link.symlink_to(outside / "480h" / "bowl.aaaaaaaaaa.jpg")

    assert purge("--all").startswith("Deleted 1 variant ")

    assert (outside / "480h" / "bowl.aaaaaaaaaa.jpg").read_bytes() == b"precious"
    assert not link.is_symlink()


def test_a_dry_run_shows_totals(bucket: None) -> None:
    assert purge("--all", "--dry-run").splitlines()[:6] == [
        "Would delete 7 variants (70 bytes).",
        "    100x100  jpeg            1   10 bytes",
        "    360x270  jpeg            1   10 bytes",
        "       480h  avif            1   10 bytes",
        "       480h  jpeg            2   20 bytes",
        "       480h  webp            1   10 bytes",
    ]


def test_json(bucket: None) -> None:
    put(key("x/other.jpg", "100x100"))

    seen = json.loads(purge("--dropped", "--dry-run", "--format", "json"))
    done = json.loads(purge("--dropped", "--format", "json"))

    assert (seen["kind"], seen["done"], seen["bytes"]) == ("look", 3, 30)
    assert (done["kind"], done["done"], done["bytes"], done["failed"]) == ("do", 3, 30, {})
    assert done["variants"] == [
        {"size": "100x100", "format": "jpeg", "keys": 1, "bytes": 10},
        {"size": "480h", "format": "avif", "keys": 1, "bytes": 10},
        {"size": "720h", "format": "jpeg", "keys": 1, "bytes": 10},
    ]
    assert done["left_alone"] == {"strangers": 2, "orphans": 0, "file_missing": 0}, "with banners/480w/"


def test_after_a_whitelist_has_changed(lazy: Callable[..., None]) -> None:
    lazy(SIZES=["360x270", "480h"], FORMATS=["avif"])
    put_originals(BOWL, "scan.tif")
    put(key(BOWL, "480h"), key(BOWL, "480h", ".avif"), key(BOWL, "360x270"), "480h/scan.tif.jpg")
    put("360x270/scan.tif.png")
    assert purge("--dropped").startswith("Deleted 1 variant "), "a PNG of a TIFF was never offered"

    lazy(SIZES=["360x270"], FORMATS=[])

    assert purge("--dropped").startswith("Deleted 3 variants ")
    assert left() == {BOWL, "scan.tif", key(BOWL, "360x270")}


def test_the_signal_is_sent_once_an_original(bucket: None, purged: Any) -> None:
    purge("--dropped")

    assert purged == [(BOWL, [OLD[0]]), (VASE, [OLD[2], OLD[1]])]


def test_from_code(bucket: None, purged: Any) -> None:
    outcome = purge_originals([BOWL, VASE])

    assert (outcome.done, outcome.failed) == (12, {})
    assert left() == {BOWL, VASE, *OLD, *FOREIGN}
    assert [name for name, _ in purged] == [BOWL, VASE]
    assert purge_originals([]).done == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "say what to purge: --dropped"),
        (["--sizes", "48Oh"], "'48Oh' is not a size: write 360x270 .* LAZYIMAGES allows 360x270 480h 1280w"),
        (["--sizes", "0480h"], "is not a size"),
        (["--formats", "jpegxl"], "'jpegxl' is no format of variants. Choose from: jpeg, png, gif, webp"),
        (["--formats", "heic"], "no format of variants"),
        (["--older-than", "3 months"], "'3 months' is no length of time. Write 12h, 90d or 2w"),
        (["--original", key(BOWL, "480h")], "wants the name of an original.*looks like a size"),
        (["--original", "produs_1/notes.txt"], "does not end in the extension of an image"),
        (["--model", "host.Foto"], "'host.Foto' is no field for images. Choose from: .*host.Photo.image"),
        (["--model", "host.Photo", "--queryset", "colour=red"], "has no such rows: Cannot resolve"),
        (["--queryset", "pk=1", "--all"], "name that too"),
        (["--all", "--delete-originals"], "--delete-originals goes with --orphans"),
        (["--orphans", "--delete-originals", "--dropped"], "an original has no size"),
        (["--orphans", "--model", "host.Photo"], "Leave out one"),
        (["--all", "--concurrency", "0"], "no whole number above 0"),
        (["--invalidate", "/x", "--all"], "give it alone"),
        (["--invalidate", "/x"], "no DISTRIBUTION_ID"),
        (["--invalidate", "x*y"], "is no path of a CDN"),
    ],
)
def test_bad_input(arguments: list[str], said: str) -> None:
    put_originals(BOWL)
    put(*KEPT)
    before = left()

    with pytest.raises(CommandError, match=said):
        purge(*arguments)

    assert left() == before


def test_a_size_that_nobody_has_is_noted() -> None:
    put_originals(BOWL)
    put(*KEPT[:2])

    said = purge("--sizes", "481h", "480h")

    assert "there was nothing in 481h, and LAZYIMAGES has no such size. It allows 360x270 480h 1280w." in said
    assert said.startswith("Deleted 1 variant ")


def test_real_variants_come_back(client: Any, settings: Any) -> None:
    photo = Photo.objects.create(image=upload(jpeg(400, 300)))
    url = photo.image.variant_url("360x270")
    first = client.get(url)
    assert first.status_code == 200
    assert purge("--all").startswith("Deleted 1 variant ")

    assert client.get(url).content == first.content
