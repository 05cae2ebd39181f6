"""Chosen variants are made ahead of time: which they are, of which originals, and what fails."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from PIL import Image

from lazyimages import current, keys, render, signals, storage
from lazyimages.engines.pillow import PillowEngine
from lazyimages.exceptions import CannotEncode, EncoderMissing, OriginalNotFound
from lazyimages.operations import tables, warm
from tests.conftest import jpeg
from tests.host.engines import CountingEngine
from tests.host.models import Bare, Photo

pytestmark = pytest.mark.django_db

SIZES = ["1280w", "360x270", "480h"]


@pytest.fixture
def counting(lazy: Callable[..., None]) -> Iterator[type[CountingEngine]]:
    lazy(ENGINE="tests.host.engines.CountingEngine")
    CountingEngine.renders = CountingEngine.probes = 0
    yield CountingEngine
    current._load.cache_clear()


def put(*names: str, data: bytes | None = None) -> None:
    for name in names:
        storage.put_original(name, jpeg(160, 120) if data is None else data, "image/jpeg")


def photos(*names: str) -> list[Photo]:
    return Photo.objects.bulk_create([Photo(image=name) for name in names])


def run(*arguments: str, code: int | None = None) -> str:
    """Run the command and return what it prints; with a `code`, it has to end with that one."""
    out = StringIO()
    if code is None:
        call_command("lazyimages_warm", *arguments, stdout=out, stderr=StringIO())
        return out.getvalue()
    with pytest.raises((SystemExit, CommandError)) as end:
        call_command("lazyimages_warm", *arguments, stdout=out, stderr=StringIO())
    error = end.value
    assert (error.returncode if isinstance(error, CommandError) else error.code) == code
    return out.getvalue() + (str(error) if isinstance(error, CommandError) else "")


def told(*arguments: str, code: int | None = None) -> Any:
    return json.loads(run(*arguments, "--format", "json", code=code))


def stored() -> list[str]:
    return [entry.name for entry in storage.entries()]


class TestWhichVariants:
    def test_sizes(self) -> None:
        put("a/1.jpg", "a/2.jpg")
        photos("a/1.jpg", "a/2.jpg")
        assert "4 variants were made of 2 originals" in run("--sizes", "480h", "360x270")
        assert stored() == ["a/360x270/1.jpg", "a/360x270/2.jpg", "a/480h/1.jpg", "a/480h/2.jpg"]

    def test_a_preset_with_its_sources_and_all_formats(self, lazy: Callable[..., None]) -> None:
        source = {"media": "(max-width: 40rem)", "sizes": "48x60"}
        lazy(PRESETS={"hero": {"sizes": "96w", "sources": [source]}}, FORMATS=["webp"])
        put("1.png", data=png())
        photos("1.png")
        run("--preset", "hero")
        assert stored() == ["48x60/1.png", "48x60/1.png.webp", "96w/1.png", "96w/1.png.webp"]

    @pytest.mark.parametrize(
        ("formats", "ends"),
        [
            (["native"], ["1.jpg", "2.webp"]),
            (["webp"], ["1.jpg.webp", "2.webp"]),
            (["jpeg"], ["1.jpg"]),
            (["native", "webp"], ["1.jpg", "1.jpg.webp", "2.webp"]),
        ],
    )
    def test_formats(self, lazy: Callable[..., None], formats: list[str], ends: list[str]) -> None:
        lazy(FORMATS=["webp", "avif"])
        put("1.jpg")
        put("2.webp", data=saved("WEBP"))
        photos("1.jpg", "2.webp")
        run("--sizes", "480h", "--formats", *formats)
        assert stored() == [f"480h/{end}" for end in ends]

    def test_all_sizes(self) -> None:
        put("1.jpg")
        photos("1.jpg")
        run("--all-sizes", "--formats", "native")
        assert {"1280w/1.jpg", "360x270/1.jpg", "480h/1.jpg"} <= set(stored())

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (
                [],
                "name what to make, by --sizes or --preset; --all-sizes is everything. Sizes: 360x270, 480h",
            ),
            (["--sizes", "480hh"], "'480hh' is not a size. Sizes: 360x270, 480h, 1280w"),
            (["--sizes", "481h"], "the size '481h' is not in the whitelist. Sizes: 360x270, 480h, 1280w"),
            (["--preset", "crad"], "'crad' is not a preset. Sizes: 360x270, 480h, 1280w. Presets: card."),
            (["--sizes", "480h", "--formats", "webpp"], "Choose from: native, jpeg, png, gif, webp, avif."),
            (["--sizes", "480h", "--top", "5"], "--top is about requests: name a log or a list by --from."),
            (["--sizes", "480h", "--model", "host.Phot"], "'host.Phot' is no field for images. Choose from:"),
            (["--sizes", "480h", "--model", "host.Photo", "--queryset", "x=1"], "has no such rows"),
            (["--from", "-", "--newest", "5"], "--from names the variants itself"),
            (["--sizes", "480h", "--newest", "9" * 20], "no whole number above 0, of nine digits at most"),
            (["--from", "/no/such/log"], "'/no/such/log' cannot be read: No such file or directory"),
            (["--all-sizes", "--sizes", "480h"], "--all-sizes is everything"),
        ],
    )
    def test_what_is_wrong_is_said_with_the_choices(
        self, lazy: Callable[..., None], arguments: list[str], says: str
    ) -> None:
        lazy(PRESETS={"card": {"sizes": "360x270"}})
        assert says in run(*arguments, code=1)


class TestWhichOriginals:
    def test_a_model_and_its_newest_rows(self) -> None:
        put("a/1.jpg", "a/2.jpg", "a/3.jpg", "bare/1.jpg")
        photos("a/3.jpg", "a/2.jpg", "a/1.jpg")
        Bare.objects.bulk_create([Bare(image="bare/1.jpg")])
        run("--sizes", "480h", "--model", "host.photo.image", "--newest", "2")
        assert stored() == ["a/480h/1.jpg", "a/480h/2.jpg"]
        run("--sizes", "480h")
        assert stored() == ["a/480h/1.jpg", "a/480h/2.jpg", "a/480h/3.jpg", "bare/480h/1.jpg"]

    def test_rows_of_which_something_holds(self) -> None:
        put("a/1.jpg", "a/2.jpg")
        Bare.objects.bulk_create([Bare(image="a/1.jpg", folder="x"), Bare(image="a/2.jpg", folder="y")])
        run("--sizes", "480h", "--model", "host.Bare", "--queryset", "folder=y")
        assert stored() == ["a/480h/2.jpg"]

    def test_rows_that_share_a_file(self, counting: type[CountingEngine]) -> None:
        put("1.jpg")
        photos("1.jpg", "1.jpg")
        assert told("--sizes", "480h")["done"] == 1
        assert counting.renders == 1

    def test_the_most_requested(self, tmp_path: Path) -> None:
        put("a.jpg", "b.jpg", "c.jpg")
        wanted = ["480h/b.jpg"] * 3 + ["360x270/c.jpg"] * 2 + ["480h/a.jpg", "favicon.ico", "481h/a.jpg"]
        log = tmp_path / "requests.txt"
        log.write_text("\n".join(wanted))
        answer = told("--from", str(log), "--top", "2")
        assert stored() == ["360x270/c.jpg", "480h/b.jpg"]
        assert (answer["requests"], answer["no_variants"], answer["done"]) == (6, 2, 2)

    def test_requests_of_a_size_from_standard_input(self, monkeypatch: pytest.MonkeyPatch) -> None:
        put("a.jpg")
        monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(b"480h/a.jpg\n360x270/a.jpg\n")))
        run("--from", "-", "--sizes", "480h")
        assert stored() == ["480h/a.jpg"]

    def test_more_keys_than_are_counted_in_memory(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("lazyimages.operations.warming.wanted._COUNTED", 3)
        put("5.jpg", "7.jpg")
        log = tmp_path / "requests.txt"
        log.write_text(
            "\n".join(f"480h/{number % 10}.jpg" for number in range(40)) + "\n480h/7.jpg\n480h/5.jpg"
        )
        run("--from", str(log), "--top", "2")
        assert stored() == ["480h/5.jpg", "480h/7.jpg"]

    def test_a_file_of_something_else(self, tmp_path: Path) -> None:
        log = tmp_path / "photo.jpg"
        log.write_bytes(jpeg())
        assert "names a variant that may be made. It has to be an access log of" in run(
            "--from", str(log), code=1
        )


class TestMaking:
    def test_one_read_and_one_decode_an_original(self, counting: type[CountingEngine]) -> None:
        put("1.jpg", "2.jpg")
        photos("1.jpg", "2.jpg")
        answer = told("--sizes", *SIZES, "--concurrency", "1")
        assert (counting.renders, counting.probes, answer["done"]) == (2, 2, 6)
        sizes = sum(entry.size for entry in storage.entries())
        assert (answer["originals_read"], answer["bytes"]) == (2, sizes)

    def test_what_is_there_is_left_alone(self, counting: type[CountingEngine]) -> None:
        put("1.jpg", "2.jpg")
        photos("1.jpg", "2.jpg")
        storage.put_variant("480h/1.jpg", b"there before", "image/jpeg")
        answer = told("--sizes", "480h")
        assert (answer["existing"], answer["done"], counting.renders) == (1, 1, 1)
        assert path("480h/1.jpg").read_bytes() == b"there before"
        assert "0 variants were made of 0 originals, 0 bytes; 2 were there already" in run("--sizes", "480h")

    def test_again(self, lazy: Callable[..., None]) -> None:
        put("1.jpg", data=jpeg(800, 600))
        photos("1.jpg")
        run("--sizes", "480h")
        before = path("480h/1.jpg").stat().st_size
        lazy(QUALITY={"jpeg": 20})
        run("--sizes", "480h", "--again")
        assert path("480h/1.jpg").stat().st_size < before

    @pytest.mark.parametrize("name", ["1.png", "1.jpg"])
    def test_the_bytes_are_those_of_the_resizer(self, name: str, lazy: Callable[..., None]) -> None:
        lazy(SIZES=["480h", "1280w", "600x450"], PRESETS={}, FORMATS=["webp"])
        put(name, data=saved("PNG" if name == "1.png" else "JPEG", 900, 700))
        photos(name)
        run("--all-sizes")
        made = {key: path(key).read_bytes() for key in stored()}
        assert len(made) >= 6
        for key, data in made.items():
            path(key).unlink()
            assert render.get_or_make(keys.parse(key)).data == data, key

    def test_beside_larger_ones_it_looks_as_it_does_alone(self) -> None:
        put("1.jpg", data=jpeg(3000, 2000))
        photos("1.jpg")
        run("--sizes", *SIZES)
        beside = Image.open(path("360x270/1.jpg")).convert("L")
        path("360x270/1.jpg").unlink()
        alone = Image.open(BytesIO(render.get_or_make(keys.parse("360x270/1.jpg")).data)).convert("L")
        assert alone.size == beside.size
        difference = [abs(one - other) for one, other in zip(alone.tobytes(), beside.tobytes(), strict=True)]
        assert sum(difference) / len(difference) < 1

    def test_signals_and_log_as_of_the_resizer(self, caplog: pytest.LogCaptureFixture) -> None:
        sent: list[dict[str, Any]] = []
        put("1.jpg", data=jpeg(800, 600))

        def note(**arguments: Any) -> None:
            sent.append(arguments)

        signals.variant_created.connect(note)
        try:
            with caplog.at_level("INFO", "lazyimages"):
                warm.do(keys=["480h/1.jpg", "360x270/1.jpg"])
        finally:
            signals.variant_created.disconnect(note)
        assert sorted((one["key"], one["width"]) for one in sent) == [
            ("360x270/1.jpg", 360),
            ("480h/1.jpg", 640),
        ]
        assert all(one["probe"].width == 800 and one["seconds"]["store"] > 0 for one in sent)
        # Each has its share of the one decode.
        assert sent[0]["seconds"]["decode"] == sent[1]["seconds"]["decode"] > 0
        assert [one.message.split()[1] for one in caplog.records if one.message.startswith("rendered")] == [
            f"key={one['key']}" for one in sent
        ]

    def test_a_dry_run_writes_nothing(self) -> None:
        put("1.jpg", "2.jpg")
        photos("1.jpg", "2.jpg", "480h/3.jpg")
        storage.put_variant("480h/1.jpg", b"there", "image/jpeg")
        text = run("--sizes", "480h", "360x270", "--dry-run", code=1)
        assert "3 variants of 2 originals would be made; 1 are there already." in text
        assert "failed: 480h/3.jpg: the directory '480h'" in text
        assert stored() == ["480h/1.jpg"]

    def test_batches_are_whole_originals(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(warm, "KEYS", 7)
        put(*(f"{number}.jpg" for number in range(5)))
        photos(*(f"{number}.jpg" for number in range(5)))
        work = warm.work(names=SIZES)
        batches = list(work.batches(None))
        assert [batch.items for batch in batches] == [6, 6, 3]
        assert [batch.cursor for batch in batches] == ["1.jpg", "3.jpg", "4.jpg"]
        assert [batch.arguments["keys"] for batch in work.batches("3.jpg")] == [batches[2].arguments["keys"]]
        assert json.loads(json.dumps(batches[0].arguments)) == batches[0].arguments

    def test_a_task_that_runs_twice_makes_nothing_twice(self, counting: type[CountingEngine]) -> None:
        put("1.jpg")
        first, second = (warm.do(keys=["480h/1.jpg", "360x270/1.jpg"]) for _ in range(2))
        assert (first.done, first.skipped, second.done, second.skipped) == (2, 0, 0, 2)
        assert counting.renders == 1


class TestFailures:
    def test_each_is_named_and_the_others_are_made(self, lazy: Callable[..., None]) -> None:
        lazy(MAX_BYTES=100_000, MAX_PIXELS=200_000)
        put("a/good.jpg")
        put("a/large.jpg", data=b"\xff\xd8\xff" + b"x" * 100_000)
        put("a/wide.jpg", data=jpeg(1000, 300))
        put("a/corrupt.jpg", data=jpeg(160, 120)[:-600])
        names = ["a/good.jpg", "a/large.jpg", "a/wide.jpg", "a/corrupt.jpg", "a/gone.jpg", "a/x.jpg.webp"]
        photos(*names, "../a.jpg", "a/\x1b[31m.jpg", "a/480h/b.jpg", "a/c.txt")
        answer = told("--sizes", *SIZES, code=1)
        assert stored() == ["a/1280w/good.jpg", "a/360x270/good.jpg", "a/480h/good.jpg"]
        assert answer["done"] == 3
        beginnings = {name: why[:40] for name, why in answer["failed"].items()}
        assert beginnings == {
            "a/large.jpg": "the file has 100003 bytes; 100000 are al",
            "a/wide.jpg": "the image has 1000 × 300 pixels; at most",
            "a/corrupt.jpg": "the file ends too early; upload it again",
            "a/gone.jpg": "there is no original 'a/gone.jpg'",
            "a/x.jpg.webp": "the name 'x.jpg.webp' ends in two image ",
            "../a.jpg": "'../a.jpg' has an empty, '.' or '..' seg",
            "a/%1B%5B31m.jpg": "'a/\\x1b[31m.jpg' has a backslash or a co",
            "a/480h/b.jpg": "the directory '480h' in 'a/480h/b.jpg' l",
            "a/c.txt": "'a/c.txt' does not end in the extension ",
        }
        assert "\x1b" not in run("--sizes", "480h", code=1)

    def test_keys_that_are_no_longer_allowed(self) -> None:
        put("1.jpg")
        outcome = warm.do(keys=["480h/1.jpg", "481h/1.jpg", "../480h/1.jpg"])
        assert outcome.done == 1
        assert sorted(outcome.failed) == ["../480h/1.jpg", "481h/1.jpg"]

    def test_what_cannot_be_encoded_keeps_nothing_else(
        self, lazy: Callable[..., None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lazy(SIZES=["480h", "96w", "2x2"], FORMATS=["webp", "avif"])
        put("1.png", data=saved("PNG", 17_000, 500))
        failed: list[str] = []

        def note(**arguments: Any) -> None:
            failed.append(arguments["key"])

        signals.variant_failed.connect(note)
        whole = keys.parse("480h/1.png.webp")  # 16,320 pixels wide
        assert whole.size.plan(17_000, 500).width == 16_320
        lazy(SIZES=["490h", "96w", "2x2"])  # 16,660, which are too many for WebP
        try:
            wanted = [keys.parse(f"{size}/1.png.webp") for size in ("490h", "96w", "2x2")]
            made = render.make_all("1.png", wanted)
        finally:
            signals.variant_failed.disconnect(note)
        assert isinstance(made[wanted[0]], CannotEncode)
        assert stored() == ["2x2/1.png.webp", "96w/1.png.webp"]
        assert failed == ["490h/1.png.webp"]
        monkeypatch.setattr(PillowEngine, "encoders", lambda self: frozenset({"png"}))
        made = render.make_all("1.png", [wanted[1], keys.parse("96w/1.png")])
        assert isinstance(made[wanted[1]], EncoderMissing)
        assert "96w/1.png" in stored()

    def test_a_missing_original_is_raised(self) -> None:
        with pytest.raises(OriginalNotFound):
            render.make_all("1.jpg", [keys.parse("480h/1.jpg")])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 96 KiB where the variants are."""
    place = tmp_path / "variants"
    place.mkdir()
    if (
        os.getuid()
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", place], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("only root can mount a file system")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_full_disk(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm, "KEYS", 4)
    names = [f"{number:02}.jpg" for number in range(20)]
    put(*names, data=jpeg(800, 600))
    photos(*names)
    message = run("--sizes", "480h", "360x270", code=1)
    assert "No space left on device" in message
    assert "Free space where the variants are." in message
    assert "--resume" in message
    before = stored()
    assert 0 < len(before) < 40
    assert sorted(each.name for each in small_disk.rglob("*") if each.is_file()) == sorted(
        Path(name).name for name in before
    )
    for name in before:
        Image.open(path(name)).load()
    subprocess.run(["mount", "-o", "remount,size=8m", small_disk], check=True)
    assert told("--sizes", "480h", "360x270", "--resume")["failed"] == {}
    assert len(stored()) == 40


def test_a_disk_that_may_not_be_written_to(small_disk: Path) -> None:
    put("1.jpg")
    photos("1.jpg")
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    message = run("--sizes", "480h", code=1)
    assert "Read-only file system" in message
    assert "on disk see the directory's owner and mode" in message


@pytest.mark.parametrize("again", [[], ["--again"]])
def test_by_the_projects_task_system(settings: Any, again: list[str]) -> None:
    package = "django.tasks" if find_spec("django.tasks") else "django_tasks"
    settings.TASKS = {"default": {"BACKEND": f"{package}.backends.immediate.ImmediateBackend"}}
    put("1.jpg", "2.jpg")
    photos("1.jpg", "2.jpg", "480h/3.jpg")
    storage.put_variant("480h/1.jpg", b"there", "image/jpeg")
    text = run("--sizes", "480h", "--enqueue", *again)
    made, there = (2, 0) if again else (1, 1)
    assert f"1 task for {tables.counted(made, 'variant')} enqueued; {there:,} are there already." in text
    assert stored() == ["480h/1.jpg", "480h/2.jpg"]
    assert (path("480h/1.jpg").read_bytes() == b"there") is not bool(again)


def path(key: str) -> Path:
    return Path(storages["lazyimages"].path(key))


def saved(format: str, width: int = 160, height: int = 120) -> bytes:
    buffer = BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(buffer, format)
    return buffer.getvalue()


def png() -> bytes:
    return saved("PNG")
