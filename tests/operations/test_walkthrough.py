"""docs/operations.md tells what the commands really print, on the shop that it tells of."""

import ast
import re
import shlex
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.operations import old_shop

# The guide names rows by their numbers, which go on from the tests before.
pytestmark = pytest.mark.django_db(transaction=True, reset_sequences=True)

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
STORIES = ("Adopting an existing bucket", "A redesign", "A spring clean")
_BLOCK = re.compile(r"^```(python|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# How many bytes a picture has is the encoder's affair, and so is when this runs.
_VARIES = re.compile(r"[-<]?[\d.,]+ (?:bytes?|kB|MB|h)\b|-?\$[\d.,]+|\d{4}-\d\d-\d\d \d\d:\d\d|–")
_AS_YOU_SEE = "$ python manage.py "


def said(line: str) -> tuple[str, int]:
    """Return what a command prints on a terminal, and its exit code."""
    out = StringIO()
    try:
        call_command(*shlex.split(line), stdout=out, stderr=out, no_color=True)
    except CommandError as error:
        return f"{out.getvalue()}CommandError: {error}\n", error.returncode
    except SystemExit as end:
        return out.getvalue(), int(end.code or 0)
    return out.getvalue(), 0


def story(text: str, title: str) -> str:
    return text.split(f"\n## {title}\n")[1].split("\n## ")[0]


def shown(block: str) -> Iterator[tuple[str, str]]:
    """Yield each command of a block, and what is shown below it."""
    for part in block.split(_AS_YOU_SEE)[1:]:
        line, _, output = part.partition("\n")
        yield line, output


def alike(output: str) -> list[str]:
    return " ".join(_VARIES.sub("#", output).split()).split(". ")


def walk(folder: Path, lazy: Callable[..., None], tell: Callable[[str, str, int], None]) -> None:
    """Go through the guide's stories, and tell of every command what it printed."""
    text = GUIDE.read_text()
    old_shop.build(folder)
    old_shop.spoil(folder)
    for title in STORIES:
        if title == "A spring clean":
            old_shop.leave_behind(folder)
        for kind, block in _BLOCK.findall(story(text, title)):
            if kind == "python":
                lazy(**{"PRESETS": {}, "FORMATS": [], **ast.literal_eval(block.partition("=")[2].strip())})
                continue
            for line, _ in shown(block):
                tell(line, *said(line))


def test_what_the_guide_shows(tmp_path: Path, settings: Any, lazy: Callable[..., None]) -> None:
    settings.STORAGES = {**settings.STORAGES, "lazyimages": settings.STORAGES["default"]}
    text = GUIDE.read_text()
    expected = [
        each
        for title in STORIES
        for kind, block in _BLOCK.findall(story(text, title))
        if kind == "console"
        for each in shown(block)
    ]
    told: list[tuple[str, str, int]] = []
    walk(tmp_path / "originals", lazy, lambda *what: told.append(what))
    assert [line for line, _ in expected] == [line for line, _, _ in told]
    for (line, output), (_, real, code) in zip(expected, told, strict=True):
        assert alike(output) == alike(real), line
        assert code == (1 if "failed:" in real or "CommandError" in real else 0), line
    assert (tmp_path / "originals" / "banners" / "480w" / "summer.jpg").exists()
    assert (tmp_path / "originals" / "catalogue.pdf").exists()
