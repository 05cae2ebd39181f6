"""lazyimages_measure: which rows it fills, with what, and what it says."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from lazyimages import keys, sizes, storage
from lazyimages.exceptions import StorageUnavailable
from lazyimages.operations import measure, rows, run, single
from lazyimages.operations.measuring.headers import Known
from lazyimages.operations.work import Batch, Outcome
from lazyimages.signals import variant_created
from lazyimages.storage.base import AccessDenied
from marketplace.models import Category, Product, Seller
from marketplace.models import Photo as ShopPhoto
from tests.conftest import jpeg, upload
from tests.engine import pictures
from tests.host.models import Album, Bare, Blurred, OnlyBlurred, Photo, Scan, SmallBlurred

pytestmark = pytest.mark.django_db


def put(name: str, data: bytes | None = None) -> str:
    return storage.put_original(name, jpeg(60, 40, orientation=6) if data is None else data, "image/jpeg")


def photo(name: str, data: bytes | None = None, model: Any = Photo, **values: Any) -> Any:
    """Return a row that knows nothing of its image, as before lazyimages; `data` b"" is no file."""
    if data != b"":
        put(name, data)
    return model.objects.create(image=name, **values)


def command(*arguments: str) -> tuple[str, int]:
    """Return what the command prints, and its exit code."""
    out = StringIO()
    try:
        call_command("lazyimages_measure", *arguments, stdout=out, stderr=StringIO(), no_color=True)
    except SystemExit as end:
        return out.getvalue(), int(str(end.code))
    return out.getvalue(), 0


def as_json(*arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(command(*arguments, "--format", "json")[0])
    return found


def dimensions(model: Any = Photo) -> list[tuple[int | None, int | None]]:
    return list(model.objects.order_by("pk").values_list("width", "height"))


def test_rows_that_lack_them_are_filled_and_no_others() -> None:
    photo("a/1.jpg")
    photo("a/2.jpg", width=0, height=0)
    photo("a/3.jpg", width=7)
    photo("a/4.jpg", width=7, height=9)
    photo("", b"")
    cover = Album(title="x", cover=put("covers/1.jpg"))
    cover.save()
    printed, code = command()
    assert dimensions() == [(40, 60), (40, 60), (40, 60), (7, 9), (None, None)]
    assert dimensions(Album) == [(40, 60)]
    assert code == 0
    assert "4 rows were filled, 0 needed nothing by then, 0 failed." in printed
    assert "of 4 files were read; 0 of them to the end (0.0 %)." in printed
    assert "0 rows were filled" in command()[0], "nothing is left"


def test_only_the_fields_that_are_named() -> None:
    photo("a/1.jpg")
    photo("b/1.jpg", model=Blurred)
    assert as_json("--fields", "host.blurred.IMAGE")["done"] == 1
    assert dimensions() == [(None, None)]
    assert dimensions(Blurred) == [(40, 60)]


def test_a_row_of_a_child_is_its_parents() -> None:
    photo("b/1.jpg", model=SmallBlurred, note="x")
    assert as_json("--fields", "host.Blurred")["done"] == 1
    assert dimensions(SmallBlurred) == [(40, 60)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fields", "host.Photo.picture"], "is no field for images. Choose from: "),
        (["--fields", "host.Bare"], "host.Bare.image: no place for dimensions. Give the field width_field"),
        (["--fields", "host.OnlyBlurred"], "no place for dimensions"),
        (["--fields", "host.Photo", "--since", "2026-01-01"], "host.Photo has no get_latest_by"),
        (
            ["--fields", "host.Scan", "--since", "made=2026-01-01"],
            "Choose from pk, created, as in --since created=",
        ),
        (["--fields", "host.Scan", "--since", "created=soon"], "'soon' is no value of created"),
        (["--fields", "host.Scan", "--since", "width=3"], "host.Scan has no date 'width'"),
        (["--fields", "host.Photo", "--since", "pk=x"], "'x' is no value of pk"),
        (["--fields", "marketplace.Photo", "--since", "product__photos__pk=1"], "no date"),
        (["--limit", "0"], "no whole number above 0"),
        (["--concurrency", "-1"], "no whole number above 0"),
    ],
)
def test_bad_options(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError) as error:
        command(*arguments)
    assert message in str(error.value)


def test_placeholders_as_an_upload_makes_them() -> None:
    data = pictures.saved(pictures.photo(120, 80), "JPEG")
    known = Blurred.objects.create(image=upload(data))
    assert len(known.placeholder) > 20
    lacking = photo("b/1.jpg", data, model=Blurred)
    sized = photo("b/2.jpg", data, model=Blurred, width=9, height=9)
    only = photo("only/1.jpg", data, model=OnlyBlurred)
    assert as_json()["done"] == 1
    assert Blurred.objects.get(pk=lacking.pk).placeholder == "", "not asked for"
    found = as_json("--placeholder")
    assert (found["done"], found["whole_files"], found["bytes_read"]) == (3, 3, 3 * len(data))
    for row in (lacking, sized, only):
        row.refresh_from_db()
    assert lacking.placeholder == sized.placeholder == only.blur == known.placeholder
    assert (lacking.width, sized.width) == (120, 9)


def test_a_dry_run_says_the_same_and_writes_nothing() -> None:
    for number in range(7):
        photo(f"a/{number}.jpg", b"no image" if number == 3 else None)
    photo("a/none.jpg", b"")
    photo("b/1.jpg", model=Blurred)
    dry = as_json("--dry-run", "--placeholder")
    assert dimensions() == [(None, None)] * 8
    assert dimensions(Blurred) == [(None, None)]
    real = as_json("--placeholder")
    assert dry.pop("kind") == "look"
    assert real.pop("kind") == "do"
    assert dry == real
    assert real["done"] == 7
    assert sorted(real["failed"]) == ["a/3.jpg", "a/none.jpg"]
    assert "2 failed" in command("--dry-run")[0]


def test_limit() -> None:
    for number in range(4):
        photo(f"a/{number}.jpg")
        photo(f"b/{number}.jpg", model=Blurred)
    assert as_json("--limit", "5")["done"] == 5
    assert sum(width is None for width, _ in [*dimensions(), *dimensions(Blurred)]) == 3
    assert as_json("--limit", "100")["items"] == 3


def test_since() -> None:
    days = [datetime(2026, 1, day, 12, tzinfo=UTC) for day in (1, 2, 3)]
    for day in days:
        photo(f"scans/{day.day}.jpg", model=Scan, created=day)
    numbered = [photo(f"a/{number}.jpg") for number in range(3)]
    fields = ["--fields", "host.Scan", "--dry-run"]
    assert as_json(*fields, "--since", "2026-01-02")["done"] == 2, "by get_latest_by"
    assert as_json(*fields, "--since", "created=2026-01-02 13:00")["done"] == 1
    assert as_json("--fields", "host.Photo", "--since", f"pk={numbered[1].pk}")["done"] == 2


def test_since_a_date_of_the_row_that_it_belongs_to() -> None:
    """As in the marketplace, whose photos have no dates, but products have."""
    seller = Seller.objects.create(
        user=User.objects.create(username="ana"), name="Ana", slug="ana", town="Cluj"
    )
    shelf = Category.objects.create(name="Bowls", slug="bowls")
    for day in (1, 3):
        product = Product.objects.create(
            seller=seller,
            category=shelf,
            title="bowl",
            description="x",
            price=3,
            created=datetime(2026, 1, day, 12, tzinfo=UTC),
        )
        photo(f"produs_{day}/1.jpg", model=ShopPhoto, product=product)
    assert as_json("--since", "product__created=2026-01-02", "--fields", "marketplace.photo")["done"] == 1
    assert [(shot.product.created.day, shot.width) for shot in ShopPhoto.objects.order_by("pk")] == [
        (1, None),
        (3, 40),
    ]


def test_every_failure_is_named_and_the_others_are_done() -> None:
    good = photo("a/good.jpg")
    wrong = {
        "a/gone.jpg": b"",
        "a/no image.jpg": b"%PDF-1.7 and more",
        "a/cut.jpg": pictures.saved(pictures.photo(100, 80), "JPEG")[:-200],
        "a/bomb.png": pictures.png(60_000, 60_000, b""),
    }
    keyed = {name: photo(name, data).pk for name, data in wrong.items()}
    keyed["../secret.jpg"] = photo("../secret.jpg", b"").pk
    keyed["/etc/passwd"] = photo("/etc/passwd", b"").pk
    photo("a/x\x1b[2J\n.jpg", b"")
    printed, code = command()
    assert code == 1
    good.refresh_from_db()
    assert good.width == 40
    assert "7 failed" in printed
    for name, key in keyed.items():
        (line,) = [line for line in printed.splitlines() if line.startswith(f"  failed: {name}: ")]
        assert f"host.Photo.image of {key}" in line
    assert "\x1b" not in printed
    assert "a/x%1B%5B2J%0A.jpg" in printed
    assert as_json("--dry-run")["done"] == 0, "they are tried again, and fail again"


def test_what_does_not_fit_into_the_row() -> None:
    photo("scans/1.png", pictures.saved(pictures.quadrants(40_000, 2), "PNG"), model=Scan)
    photo("scans/2.png", pictures.saved(pictures.quadrants(300, 2), "PNG"), model=Scan)
    found = as_json()
    assert "40000 does not fit into width" in found["failed"]["scans/1.png"]
    assert sorted(dimensions(Scan)) == [(0, 0), (300, 2)]


def test_one_read_for_rows_of_the_same_original() -> None:
    for _ in range(3):
        photo("a/1.jpg")
    found = as_json()
    assert (found["done"], found["files"]) == (3, 1)


def batches(cursor: Any = None, **options: Any) -> list[Batch]:
    return list(measure.work(**options).batches(cursor))


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "_BATCH", 3)


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("limit", [None, 8])
def test_batches_go_on_after_each_cursor(limit: int | None) -> None:
    """Also for keys that are no numbers, by way of JSON, as a journal and a task have them."""
    for number in range(7):
        photo(f"scans/{number}.jpg", b"", model=Scan)
    for number in range(4):
        photo(f"a/{number}.jpg", b"")
    fields = ["host.Scan.image", "host.Photo.image"]
    every = batches(fields=fields, limit=limit)
    assert [batch.items for batch in every] == ([3, 3, 1, 3, 1] if limit is None else [3, 3, 1, 1])
    for number, batch in enumerate(every, 1):
        work = measure.work(fields, limit=limit)
        cursor = json.loads(json.dumps(batch.cursor))
        assert list(work.batches(cursor)) == every[number:]
        assert work.total() == (limit or 11)
        assert json.loads(json.dumps(batch.arguments)) == batch.arguments


def test_a_batch_done_twice_reads_nothing_the_second_time() -> None:
    photo("scans/1.jpg", model=Scan)
    (batch,) = batches()
    assert measure.do(**json.loads(json.dumps(batch.arguments))).done == 1
    again = measure.do(**batch.arguments)
    assert again == Outcome(skipped=1, figures={"files": 0, "whole_files": 0, "bytes_read": 0})


def test_rows_that_change_meanwhile_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """After they were listed, and after their originals were read."""
    kept, replaced, gone, filled, late, late_filled = (photo(f"a/{number}.jpg") for number in range(6))
    (batch,) = batches()
    Photo.objects.filter(pk=replaced.pk).update(image="a/new.jpg")
    Photo.objects.filter(pk=gone.pk).delete()
    Photo.objects.filter(pk=filled.pk).update(width=1, height=1)
    read = measure._read

    def read_and_be_late(*arguments: Any) -> dict[str, Known]:
        found = read(*arguments)
        assert sorted(found) == ["a/0.jpg", "a/4.jpg", "a/5.jpg"]
        Photo.objects.filter(pk=late.pk).update(image="a/new.jpg")
        Photo.objects.filter(pk=late_filled.pk).update(width=2, height=2)
        return found

    monkeypatch.setattr(measure, "_read", read_and_be_late)
    outcome = measure.do(**batch.arguments)
    assert (outcome.done, outcome.skipped) == (1, 5)
    assert dimensions() == [(40, 60), (None, None), (1, 1), (None, None), (2, 2)]
    assert kept.pk == Photo.objects.get(width=40).pk


def test_one_transaction_a_batch_and_no_row_is_loaded() -> None:
    for number in range(5):
        photo(f"a/{number}.jpg")
    (batch,) = batches()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        measure.do(**batch.arguments)
    said = [query["sql"].split()[0] for query in queries]
    assert said == ["SELECT", "SELECT", "SAVEPOINT", *["UPDATE"] * 5, "RELEASE"]


def test_a_second_operator_is_told_so() -> None:
    photo("a/1.jpg")
    with (
        single.alone("lazyimages_measure"),
        pytest.raises(
            CommandError, match="lazyimages_measure is running already on this machine, by process"
        ),
    ):
        command()
    assert as_json()["done"] == 1


@pytest.mark.usefixtures("small_batches")
def test_by_the_task_system(settings: Any) -> None:
    pytest.importorskip("lazyimages.tasks", reason="no Tasks API", exc_type=ImportError)
    module = "django.tasks" if find_spec("django.tasks") else "django_tasks"
    settings.TASKS = {"default": {"BACKEND": f"{module}.backends.immediate.ImmediateBackend"}}
    for number in range(7):
        photo(f"scans/{number}.jpg", model=Scan)
    printed, code = command("--enqueue")
    assert (printed, code) == ("3 tasks for 7 rows enqueued.\n", 0)
    assert dimensions(Scan) == [(40, 60)] * 7


def refuse(error: Exception) -> Callable[..., Any]:
    def start(name: str, most: int) -> storage.Start:
        raise error

    return start


def test_a_refusal_stops_the_run_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    photo("a/1.jpg")
    monkeypatch.setattr(storage, "start_of_original", refuse(AccessDenied("Access Denied")))
    with pytest.raises(CommandError, match=r"refuses: Access Denied\. On S3, give .* s3:GetObject") as error:
        command()
    assert error.value.returncode == 1


def test_a_storage_that_stays_away_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(run._patient.retry, "sleep", pauses.append)  # type: ignore[attr-defined]
    photo("a/1.jpg")
    with monkeypatch.context() as away:
        away.setattr(storage, "start_of_original", refuse(StorageUnavailable("SlowDown")))
        with pytest.raises(CommandError, match="Stopped: SlowDown"):
            command()
    assert len(pauses) == run.TRIES - 1
    assert as_json("--resume")["done"] == 1


@pytest.mark.usefixtures("small_batches")
def test_resume_after_the_last_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(8):
        photo(f"a/{number}.jpg")
    read, seen = measure._read, []

    def interrupted(names: Any, concurrency: int) -> Any:
        seen.extend(names)
        if len(seen) > 6:
            raise KeyboardInterrupt
        return read(names, concurrency)

    with monkeypatch.context() as interrupting:
        interrupting.setattr(measure, "_read", interrupted)
        with pytest.raises(
            CommandError, match=r"6 are done in 2 batches\. Run the same command with --resume"
        ) as end:
            command()
    assert end.value.returncode == 130
    assert [width for width, _ in dimensions()] == [40] * 6 + [None] * 2
    found = as_json("--resume")
    assert (found["items"], found["done"], found["files"]) == (8, 8, 8)


@pytest.fixture
def receiver() -> Iterator[None]:
    """Connect it as docs/commands.md says."""
    variant_created.connect(measure.store_dimensions, dispatch_uid="lazyimages.measure")
    yield
    variant_created.disconnect(dispatch_uid="lazyimages.measure")


def ask_for(name: str) -> int:
    key = keys.variant_key(name, sizes.parse("480h"))
    return Client().get(f"/images/v/{key}").status_code


@pytest.mark.usefixtures("receiver")
def test_a_render_fills_the_rows_of_its_original() -> None:
    photo("a/1.jpg")
    photo("a/1.jpg", width=3, height=3)
    photo("a/2.jpg")
    photo("a/1.jpg", model=Scan)
    photo("a/1.jpg", model=Bare)
    assert ask_for("a/1.jpg") == 200
    assert dimensions() == [(40, 60), (3, 3), (None, None)]
    assert dimensions(Scan) == [(40, 60)]


@pytest.mark.usefixtures("receiver")
def test_the_receiver_costs_an_update_for_each_field() -> None:
    fields = [field for field in rows.fields() if field.width_field]
    put("a/1.jpg")
    with CaptureQueriesContext(connection) as queries:
        assert ask_for("a/1.jpg") == 200
    updates = [query["sql"] for query in queries if query["sql"].startswith("UPDATE")]
    assert len(updates) == len(fields) > 3
    with CaptureQueriesContext(connection) as queries:
        assert ask_for("a/1.jpg") == 200
    assert len(queries) == 0, "it is there already, and nothing was rendered"


@pytest.mark.usefixtures("receiver")
def test_no_error_of_the_receiver_breaks_a_render(caplog: pytest.LogCaptureFixture) -> None:
    """Of a row that has no room, or a table that is not there; the others are filled all the same."""
    photo("a/wide.png", pictures.saved(pictures.quadrants(40_000, 2), "PNG"), model=Scan)
    photo("a/wide.png", b"")
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE host_albumphoto")
    assert ask_for("a/wide.png") == 200
    assert dimensions() == [(40_000, 2)]
    assert dimensions(Scan) == [(0, 0)]
    assert [record.message for record in caplog.records if "not stored" in record.message] == [
        "dimensions not stored: a/wide.png"
    ] * 2
