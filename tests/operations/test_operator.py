"""The commands as an operator meets them: the bar, the terminal, a closed pipe, a shop beside another."""

import io
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.core.management.base import OutputWrapper
from django.core.management.color import color_style
from django.db import OperationalError

from lazyimages import storage
from lazyimages.management import operation
from lazyimages.management.progress import Progress
from lazyimages.operations import rows, single
from tests.conftest import jpeg
from tests.host.models import Photo

pytestmark = pytest.mark.django_db

NAME = "produs_1/caf\u00e9.jpg"


def terminal() -> StringIO:
    out = StringIO()
    out.isatty = lambda: True  # type: ignore[method-assign]
    return out


def ascii_stdout(monkeypatch: pytest.MonkeyPatch) -> io.BytesIO:
    seen = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(seen, "ascii", write_through=True))
    return seen


class TestTheBar:
    def test_it_stays_on_its_line_in_the_terminals_colour(self) -> None:
        screen = terminal()
        stderr = OutputWrapper(screen)
        stderr.style_func = color_style(force_color=True).ERROR  # as BaseCommand has it
        progress = Progress(stderr, "variants")
        progress.add(0, total=4)
        progress.add(2, total=4)
        progress.close()
        said = screen.getvalue()
        assert "variants/s]" in said
        assert "\n" not in said
        assert "\x1b[31" not in said

    def test_it_is_there_before_the_first_batch_is_done(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Photo.objects.create(image=storage.put_original("1.jpg", jpeg(60, 40), "image/jpeg"))
        screen, seen = terminal(), list[str]()

        def watch(*args: Any, **kwargs: Any) -> Any:
            seen.append(screen.getvalue())
            return start(*args, **kwargs)

        start = storage.start_of_original
        monkeypatch.setattr(storage, "start_of_original", watch)
        call_command("lazyimages_measure", stdout=StringIO(), stderr=screen)
        assert "0/1 [" in seen[0]

    def test_lines_of_the_log_begin_on_a_line_of_their_own(self, lazy: Callable[..., None]) -> None:
        Photo.objects.create(image=storage.put_original("1.jpg", jpeg(60, 40), "image/jpeg"))
        Photo.objects.create(image="gone.jpg")
        screen = terminal()
        logger, handler = logging.getLogger("lazyimages"), logging.StreamHandler(screen)
        logger.addHandler(handler)
        try:
            with pytest.raises(SystemExit):
                call_command("lazyimages_warm", "--sizes", "480h", stdout=StringIO(), stderr=screen)
            assert "failed key=" not in screen.getvalue(), "the summary names what failed"
            with pytest.raises(SystemExit):
                call_command(
                    "lazyimages_warm", "--sizes", "480h", stdout=StringIO(), stderr=screen, verbosity=2
                )
        finally:
            logger.removeHandler(handler)
        before, found, _ = screen.getvalue().partition("failed key=480h/gone.jpg")
        assert found
        assert before.endswith(("\r", "\x1b[K"))


class TestTheTerminal:
    def test_names_that_it_cannot_show(self, monkeypatch: pytest.MonkeyPatch) -> None:
        seen = ascii_stdout(monkeypatch)
        Photo.objects.create(image=NAME)
        with pytest.raises(SystemExit) as end:
            call_command("lazyimages_measure", stderr=StringIO())
        assert end.value.code == 1
        assert rb"failed: produs_1/caf\xe9.jpg: there is no original" in seen.getvalue()

    def test_a_report_that_it_cannot_show(self, monkeypatch: pytest.MonkeyPatch) -> None:
        seen = ascii_stdout(monkeypatch)
        Photo.objects.create(image=NAME)
        call_command("lazyimages_report", stderr=StringIO())
        assert rb"produs_1/caf\xe9.jpg (host.Photo.image)" in seen.getvalue()

    def test_a_page_that_it_cannot_show(self, monkeypatch: pytest.MonkeyPatch) -> None:
        seen = ascii_stdout(monkeypatch)
        Photo.objects.create(image=NAME)
        call_command("lazyimages_report", "--format", "html", stderr=StringIO())
        assert b"produs_1/caf&#233;.jpg" in seen.getvalue()

    @pytest.mark.parametrize("arguments", [["lazyimages_report"], ["lazyimages_measure"]])
    def test_nobody_reads_on(self, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        """As with `| head`."""
        read, write = os.pipe()
        os.close(read)
        with os.fdopen(write, "w") as pipe:
            monkeypatch.setattr(sys, "stdout", pipe)
            call_command(*arguments, stderr=StringIO())


def test_a_database_that_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> Any:
        raise OperationalError("no such table: shop_photo")

    monkeypatch.setattr(rows, "pages", refuse)
    with pytest.raises(CommandError, match=r"no such table: shop_photo\. Has everything"):
        call_command("lazyimages_warm", "--sizes", "480h", stdout=StringIO(), stderr=StringIO())


def test_a_queue_without_tasks() -> None:
    with pytest.raises(CommandError, match="none without --enqueue"):
        call_command("lazyimages_measure", "--queue", "images", stdout=StringIO(), stderr=StringIO())


def test_standard_input_that_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(CommandError, match="standard input is closed"):
        call_command("lazyimages_warm", "--from", "-", stdout=StringIO(), stderr=StringIO())


def test_a_place_for_locks_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / f"lazyimages-{os.getuid()}"
    folder.mkdir()
    folder.chmod(0o777)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(CommandError, match="set TMPDIR to a directory of this user's own"):
        call_command("lazyimages_measure", stdout=StringIO(), stderr=StringIO())
    folder.chmod(0o500)
    monkeypatch.setattr("os.open", _refuse)
    with pytest.raises(CommandError, match=r"no lock can be made.*Set TMPDIR"):
        call_command("lazyimages_measure", stdout=StringIO(), stderr=StringIO())


def _refuse(*args: Any, **kwargs: Any) -> int:
    raise PermissionError(13, "Permission denied")


def test_another_shop_on_the_machine_is_not_in_the_way(settings: Any, tmp_path: Path) -> None:
    with single.alone("lazyimages_measure"):
        mine = single.project()
        options = settings.STORAGES["default"].get("OPTIONS", {})
        settings.STORAGES = {
            **settings.STORAGES,
            "default": {**settings.STORAGES["default"], "OPTIONS": {**options, "location": str(tmp_path)}},
        }
        assert single.project() != mine, "and so it resumes no run of the other either"
        call_command("lazyimages_measure", stdout=StringIO(), stderr=StringIO())


def test_an_option_that_is_given_twice_counts_twice() -> None:
    """Else a purge would forget a condition, and delete more."""
    for name in ("a/1.jpg", "a/2.jpg", "b/1.jpg"):
        Photo.objects.create(image=storage.put_original(name, jpeg(60, 40), "image/jpeg"))

    def figures(command: str, *arguments: str) -> Any:
        out = StringIO()
        call_command(
            command,
            *(
                "--model",
                "host.Photo",
                "--queryset",
                "image__startswith=a",
                "--queryset",
                "image__endswith=1.jpg",
            ),
            *arguments,
            *("--format", "json"),
            stdout=out,
            stderr=StringIO(),
        )
        return json.loads(out.getvalue())

    sizes = ("--sizes", "480h", "--sizes", "360x270")
    assert figures("lazyimages_warm", *sizes)["done"] == 2
    assert figures("lazyimages_warm", *sizes, "--queryset", "width=1", "height=1")["done"] == 0
    for each in ("a/480h/1.jpg", "a/360x270/1.jpg", "a/480h/2.jpg", "b/480h/1.jpg"):
        storage.put_variant(each, jpeg(6, 4), "image/jpeg")
    # What is as new as the command stays.
    for path in Path(storages["lazyimages"].path("")).rglob("*.jpg"):
        os.utime(path, (1, 1))
    assert figures("lazyimages_purge", "--all", *sizes)["done"] == 2
    assert {entry.name for entry in storage.entries()} >= {"a/480h/2.jpg", "b/480h/1.jpg"}


def test_rows_that_share_a_file_are_all_named() -> None:
    keys = [str(Photo.objects.create(image="gone.jpg").pk) for _ in range(2)]
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("lazyimages_measure", "--format", "json", stdout=out, stderr=StringIO())
    (why,) = json.loads(out.getvalue())["failed"].values()
    assert why.endswith(f"(host.Photo.image of {', '.join(keys)})")


@pytest.mark.parametrize("number", [0, 1, 3])
def test_json_names_what_failed(number: int) -> None:
    for each in range(number):
        Photo.objects.create(image=f"gone-{each}.jpg")
    out = StringIO()
    try:
        call_command("lazyimages_measure", "--format", "json", stdout=out, stderr=StringIO())
    except SystemExit:
        assert number
    found = json.loads(out.getvalue())
    assert list(found["failed"]) == [f"gone-{each}.jpg" for each in range(number)]
    assert out.getvalue() == json.dumps(found, indent=2) + "\n"


def test_a_million_failures_are_written_one_by_one() -> None:
    """Memory stays flat, also when every original is missing."""
    asked = 0

    def failures() -> Iterator[tuple[str, str]]:
        nonlocal asked
        while True:
            asked += 1
            yield f"{asked}.jpg", "there is no original"

    parts = operation._dumped({"command": "lazyimages_measure"}, failures())
    assert len(list(islice(parts, 5))) == 5
    assert asked == 4


def test_a_link_to_itself_is_a_missing_file() -> None:
    """It stops neither the run nor the report, and hides none of the files beside it."""
    folder = Path(storages["default"].path("a"))
    folder.mkdir(parents=True)
    (folder / "loop.jpg").symlink_to("loop.jpg")
    beside = {f"a/{number}.jpg" for number in range(5)}
    for name in beside:
        Path(storages["default"].path(name)).write_bytes(b"")
    Photo.objects.create(image="a/loop.jpg")
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("lazyimages_measure", stdout=out, stderr=StringIO())
    assert "failed: a/loop.jpg: there is no original" in out.getvalue()
    call_command("lazyimages_report", "--format", "json", stdout=(report := StringIO()))
    assert json.loads(report.getvalue())["originals"]["files"] == len(beside) + 1
    assert {entry.name for entry in storage.original_entries()} == beside | {"a/loop.jpg"}
