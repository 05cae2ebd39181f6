"""lazyimages_report: the figures, in the terminal and as JSON, of every kind of storage."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lazyimages.operations.reporting import survey
from lazyimages.operations.reporting import text as report_text
from tests.host.models import Blurred, Photo, PlainPhoto
from tests.operations.places import PLACES, Put, on_disk, on_s3, prepare

pytestmark = pytest.mark.django_db

OWN = "produs_1/bowl.AZ70KuRzw9.jpg"
LOST = "produs_2/lost.AZ70KuRzw9.jpg"
GONE = "produs_3/gone.AZ70KuRzw9.jpg"


@pytest.fixture(params=PLACES)
def put(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> Put:
    return prepare(request, settings, tmp_path)


def told(*options: str) -> str:
    """Run the command, and return what it prints."""
    out = StringIO()
    call_command("lazyimages_report", *options, stdout=out, stderr=StringIO())
    return out.getvalue()


def figures(*options: str) -> Any:
    return json.loads(told("--format", "json", *options))


def of_size(name: str) -> str:
    """Return the key of a variant at 360x270."""
    directory, _, filename = name.rpartition("/")
    return f"{directory}/360x270/{filename}"


def fill(put: Put) -> None:
    """Put in one thing of each sort."""
    put(OWN, 1000)
    put("produs_1/scan.tiff", 5000)
    put("produs_9/elsewhere.jpg", 300)
    put(of_size(OWN), 100, variant=True)
    put(of_size(OWN) + ".webp", 60, variant=True)
    put(of_size("produs_1/scan.tiff") + ".jpg", 80, variant=True)
    put("produs_1/200x200/bowl.AZ70KuRzw9.jpg", 30, variant=True)  # a size of an earlier day
    put(of_size(OWN) + ".avif", 40, variant=True)  # a format of an earlier day
    put(of_size(LOST), 20, variant=True)
    put(of_size(GONE), 25, variant=True)
    put("produs_4/480h/stranger.jpg", 10, variant=True)
    put("robots.txt", 7)
    put("incoming/abc.jpg", 9)
    Photo.objects.create(image=OWN)
    Photo.objects.create(image=LOST)
    Photo.objects.create(image="")
    Blurred.objects.create(image="produs_1/scan.tiff")


def test_every_sort_is_told_apart(put: Put, lazy: Any) -> None:
    lazy(FORMATS=["webp"], PRESETS={})
    fill(put)
    found = figures()
    assert found["originals"] == {
        "files": 3,
        "bytes": 6300,
        "by_format": {"jpeg": {"files": 2, "bytes": 1300}, "tiff": {"files": 1, "bytes": 5000}},
        "without_variants_by_name": 0,
        "unused": {
            "files": 1,
            "bytes": 300,
            "own": {"files": 0, "bytes": 0},
            "names": ["produs_9/elsewhere.jpg"],
        },
    }
    assert found["rows"]["missing"] == [{"name": LOST, "field": "host.Photo.image"}]
    assert {one["field"]: (one["names"], one["missing"]) for one in found["rows"]["fields"]}[
        "host.Photo.image"
    ] == (2, 1)
    variants = found["variants"]
    assert (variants["files"], variants["bytes"]) == (3, 240)
    # Three originals, of which all have JPEGs, in three sizes, and as WebP.
    assert variants["possible"] == 3 * 3 * 2
    assert variants["share"] == pytest.approx(3 / 18, abs=1e-6)
    assert variants["by_size_and_format"][:2] == [
        {
            "size": "360x270",
            "format": "jpeg",
            "files": 2,
            "bytes": 180,
            "mean_bytes": 90,
            "possible": 3,
            "share": 0.666667,
        },
        {
            "size": "360x270",
            "format": "webp",
            "files": 1,
            "bytes": 60,
            "mean_bytes": 60,
            "possible": 3,
            "share": 0.333333,
        },
    ]
    assert variants["dropped"] == [
        {"size": "200x200", "format": "jpeg", "files": 1, "bytes": 30},
        {"size": "360x270", "format": "avif", "files": 1, "bytes": 40},
    ]
    lost = variants["without_original"]
    assert {name: lost[name]["keys"] for name in lost} == {
        "lost": [of_size(LOST)],
        "orphans": [of_size(GONE)],
        "strangers": ["produs_4/480h/stranger.jpg"],
    }
    assert (found["others"]["files"], found["others"]["bytes"]) == (2, 16)
    assert found["others"]["incoming"] == {"files": 1, "bytes": 9}
    assert found["others"]["by_extension"]["txt"] == {"files": 1, "bytes": 7}


def test_the_text_names_what_is_found_in_80_columns(put: Put, lazy: Any) -> None:
    lazy(FORMATS=["webp"], PRESETS={})
    fill(put)
    text = told()
    lines = text.splitlines()
    assert max(map(len, lines)) < 80
    words = " ".join(text.split())
    assert "3 of 18 that the settings allow, 16.7 %" in words
    assert "originals 3 6.3 kB" in words
    assert "variants 3 240 bytes" in words
    assert "1 name in rows of which there is no file" in words
    assert f"  {LOST} (host.Photo.image)" in lines
    assert f"  {of_size(GONE)}" in lines
    assert "lazyimages_purge --dropped --dry-run" in words
    assert "1 200x200 jpeg, 1 360x270 avif" in words
    assert "1 .jpg, 1 .txt" in words


def test_an_empty_shop_is_no_trouble(put: Put) -> None:
    found = figures()
    assert found["originals"]["files"] == found["variants"]["possible"] == 0
    assert found["variants"]["share"] is None
    assert found["rows"]["missing"] == []
    assert found["costs"]["saved"] == {"once": 0, "monthly": 0, "first_year": 0}
    assert "0 of 0 that the settings allow" in " ".join(told().split())
    assert "Nothing: every row has its file" in told("--format", "html")


@pytest.mark.parametrize(
    ("options", "together", "files", "pages"),
    [([], True, 1001, 2), ([], False, 3, 2), (["--adopt"], True, 3, 1)],
)
def test_s3_is_asked_for_pages_of_a_listing_alone(
    s3: Any,
    s3_calls: list[str],
    settings: Any,
    options: list[str],
    together: bool,
    files: int,
    pages: int,
) -> None:
    put = on_s3(s3, settings, together=together)
    for number in range(files):
        put(f"p/{number:04}.jpg")
    s3_calls.clear()
    assert figures(*options)["originals"]["files"] == files
    assert s3_calls == ["ListObjectsV2"] * pages


def test_queries_do_not_grow_with_the_rows(settings: Any, tmp_path: Path) -> None:
    put = on_disk(settings, tmp_path, together=True)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            figures()
        return len(captured)

    counts = []
    for number in range(2):
        names = [f"p/{number}-{one}.jpg" for one in range(600)]
        for name in names:
            put(name)
        Photo.objects.bulk_create(Photo(image=name) for name in names)
        counts.append(queries())
    assert counts[0] == counts[1]


def test_a_plain_field_that_points_to_an_original_needs_it(settings: Any, tmp_path: Path) -> None:
    put = on_disk(settings, tmp_path, together=False)
    put("plain/a.jpg")
    put("plain/b.jpg")
    PlainPhoto.objects.create(image="plain/a.jpg")
    PlainPhoto.objects.create(image="plain/c.jpg")
    found = figures()
    assert found["originals"]["unused"]["names"] == ["plain/b.jpg"]
    assert found["rows"]["missing"] == [{"name": "plain/c.jpg", "field": "host.PlainPhoto.image"}]


def test_what_is_uploaded_and_deleted_meanwhile_is_no_finding(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = on_disk(settings, tmp_path, together=False)
    put("p/deleted.jpg")
    row = Photo.objects.create(image="p/deleted.jpg")
    take = survey.Inventory.take

    def meanwhile(self: Any, *args: Any, **kwargs: Any) -> None:
        Photo.objects.filter(pk=row.pk).delete()
        (tmp_path / "originals" / "p" / "deleted.jpg").unlink()
        put("p/uploaded.jpg")
        Photo.objects.create(image="p/uploaded.jpg")
        take(self, *args, **kwargs)

    monkeypatch.setattr(survey.Inventory, "take", meanwhile)
    found = figures()
    assert found["originals"]["files"] == 1
    assert found["originals"]["unused"]["names"] == []
    assert found["rows"]["missing"] == []


def test_many_names_are_cut_in_the_text_and_whole_in_json(settings: Any, tmp_path: Path) -> None:
    put = on_disk(settings, tmp_path, together=False)
    for number in range(report_text.NAMES + 5):
        put(f"p/{number:03}.jpg")
    assert "  p/000.jpg\n" in told()
    assert "  p/012.jpg\n" not in told()
    assert "  and 5 more; --format json names all\n" in told()
    assert len(figures()["originals"]["unused"]["names"]) == report_text.NAMES + 5


@pytest.mark.parametrize("name", ["p/\x1b[31mred\n.jpg", "p/\u202egpj.exe.jpg", "p/a\tb.jpg"])
def test_no_name_moves_the_terminal(settings: Any, tmp_path: Path, name: str) -> None:
    on_disk(settings, tmp_path, together=False)(name)
    text = told()
    assert all(line.isprintable() for line in text.splitlines())
    assert figures()["originals"]["unused"]["names"] == [name]


def test_a_name_that_is_no_utf8_is_an_other_file(settings: Any, tmp_path: Path) -> None:
    put = on_disk(settings, tmp_path, together=False)
    put("p/a.jpg")
    (tmp_path / "originals" / "p" / "b\udcff.jpg").write_bytes(b"x")
    found = figures()
    assert (found["originals"]["files"], found["others"]["files"]) == (1, 1)
    assert told("--adopt")


def test_logs_say_what_was_requested(settings: Any, tmp_path: Path) -> None:
    put = on_disk(settings, tmp_path, together=False)
    put(OWN)
    put(of_size(OWN), variant=True)
    put("produs_1/480h/bowl.AZ70KuRzw9.jpg", variant=True)
    log = tmp_path / "access.log"
    line = '1.2.3.4 - - [24/Nov/2026:03:00:00 +0000] "GET /{} HTTP/1.1" 200 12 "-" "-"\n'
    asked = [of_size(OWN), of_size(OWN), "produs_1/1280w/bowl.AZ70KuRzw9.jpg", "robots.txt"]
    log.write_text("".join(line.format(path) for path in asked))
    assert figures("--log", str(log))["variants"]["requested"] == {
        "lines": 3,
        "variants": 2,
        "stored": 2,
        "asked": 1,
    }
    words = " ".join(told("--log", str(log)).split())
    assert "3 requests for 2 variants" in words
    assert "Of the 2 that are there, they ask for 1, 50.0 %" in words
    assert figures()["variants"]["requested"] is None
    with pytest.raises(CommandError, match=r"missing\.log cannot be read"):
        told("--log", str(tmp_path / "missing.log"))


class TestOptions:
    def test_output_is_written_whole(self, tmp_path: Path) -> None:
        target = tmp_path / "report.json"
        target.write_text("yesterday's")
        assert told("--format", "json", "--output", str(target)) == ""
        assert json.loads(target.read_text())["command"] == "lazyimages_report"
        assert [path.name for path in tmp_path.iterdir() if "report" in path.name] == ["report.json"]

    def test_ctrl_c_leaves_yesterdays_output(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        target = tmp_path / "report.txt"
        target.write_text("yesterday's")

        def interrupted(*args: Any, **kwargs: Any) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(survey.Inventory, "take", interrupted)
        with pytest.raises(CommandError, match="Interrupted") as caught:
            told("--output", str(target))
        assert caught.value.returncode == 130
        assert target.read_text() == "yesterday's"

    def test_a_terminal_shows_how_far_it_is(self, settings: Any, tmp_path: Path) -> None:
        on_disk(settings, tmp_path, together=True)(OWN)
        Photo.objects.create(image=OWN)
        terminal, out = StringIO(), StringIO()
        terminal.isatty = lambda: True  # type: ignore[method-assign]
        call_command("lazyimages_report", stdout=out, stderr=terminal)
        said = terminal.getvalue()
        assert said.index("1 names in rows so far") < said.index("1 names so far") < said.index("Adding up")
        assert said.endswith("\r\x1b[K")
        assert "so far" not in out.getvalue()

    def test_output_that_cannot_be_written(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="cannot be written"):
            told("--output", str(tmp_path / "nowhere" / "report.txt"))

    def test_a_price_is_changed(self, settings: Any, tmp_path: Path) -> None:
        put = on_disk(settings, tmp_path, together=False)
        put(OWN, 2**20)
        found = figures("--price", "storage_gb=1024", "put=1")
        assert found["costs"]["prices"]["storage_gb"] == 1024
        assert found["costs"]["originals_monthly"] == 1.0
        assert "storage_gb=1024, put=1" in " ".join(told("--price", "storage_gb=1024", "put=1").split())

    @pytest.mark.parametrize("price", ["storage=1", "put=", "put=cheap", "put=-1", "put=nan", "put"])
    def test_no_such_price(self, price: str) -> None:
        with pytest.raises(CommandError, match="known are storage_gb, put, get, call, gb_second"):
            told("--price", price)

    def test_the_region_is_the_buckets(self, s3: Any) -> None:
        assert figures()["costs"]["prices"]["region"] == "eu-central-1"
        assert figures("--region", "us-east-1")["costs"]["prices"]["storage_gb"] == 0.023

    def test_adopting_has_no_page_and_no_prices(self) -> None:
        with pytest.raises(CommandError, match="Choose --format text or json"):
            told("--adopt", "--format", "html")
        with pytest.raises(CommandError, match="Leave out --log, --price and --region"):
            told("--adopt", "--price", "put=1")

    def test_settings_with_mistakes_are_named(self, settings: Any) -> None:
        settings.LAZYIMAGES = {"SIZES": ["big"]}
        with pytest.raises(CommandError, match="LAZYIMAGES has mistakes"):
            told()

    def test_rows_that_cannot_be_read_are_named(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE host_bare RENAME TO host_gone")
        with pytest.raises(CommandError, match=r"(?s)host_bare.*Has everything been migrated\?"):
            told()

    def test_a_storage_that_does_not_answer_is_named(self, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: None)
        s3.delete_bucket(Bucket="shop-photos")
        with pytest.raises(CommandError, match="NoSuchBucket"):
            told()
