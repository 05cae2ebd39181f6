"""The shop in Romanian: every text has its translation, and the pages show it."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from marketplace.models import Product
from tests.marketplace.page import read

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path("locale") / "ro" / "LC_MESSAGES"
CATALOGUE = ROOT / "marketplace" / FOLDER / "django.po"
_FIELD = re.compile(r'^(msgctxt|msgid|msgid_plural|msgstr(?:\[\d\])?) ((?:"[^\n]*"\n?)+)', re.MULTILINE)


def entries(path: Path) -> dict[tuple[str, str], list[str]]:
    """Return the translations of a catalogue, by context and text; the header is left out."""
    found = {}
    for block in path.read_text().split("\n\n")[1:]:
        fields = {
            name: "".join(map(ast.literal_eval, text.split("\n")))
            for name, text in ((name, text.strip()) for name, text in _FIELD.findall(block + "\n"))
        }
        translations = [text for name, text in fields.items() if name.startswith("msgstr")]
        found[fields.get("msgctxt", ""), fields["msgid"]] = translations
    return found


@pytest.fixture
def texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings) -> set[tuple[str, str]]:
    """Return every text that templates and Python mark for translation."""
    if shutil.which("xgettext") is None:
        pytest.skip("xgettext is missing: apt install gettext")
    shutil.copytree(ROOT / "marketplace", tmp_path / "marketplace", ignore=shutil.ignore_patterns("static"))
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    (tmp_path / "marketplace" / FOLDER / "django.po").unlink()
    settings.LOCALE_PATHS = [str(tmp_path / "marketplace" / "locale")]
    monkeypatch.chdir(tmp_path)
    call_command("makemessages", locale=["ro"], ignore_patterns=["templates/trace"], verbosity=0)
    return set(entries(tmp_path / "marketplace" / FOLDER / "django.po"))


def test_every_text_is_translated(texts: set[tuple[str, str]]) -> None:
    """Nothing is missing, empty or left over; ş and ţ with cedillas are no Romanian letters."""
    translated = entries(CATALOGUE)
    assert set(translated) == texts
    assert [key for key, found in translated.items() if not all(found)] == []
    assert not set("şţŞŢ") & set(CATALOGUE.read_text())


def test_compiled_catalogue_is_in_step(tmp_path: Path) -> None:
    if shutil.which("msgfmt") is None:
        pytest.skip("msgfmt is missing: apt install gettext")
    fresh = tmp_path / "django.mo"
    subprocess.run(["msgfmt", "--check-format", "-o", fresh, CATALOGUE], check=True)
    assert CATALOGUE.with_suffix(".mo").read_bytes() == fresh.read_bytes()


@pytest.mark.parametrize(("count", "words"), [(1, "1 piesă"), (2, "2 piese"), (20, "20 de piese")])
def test_plural_forms(client: Client, make: Callable[..., Product], count: int, words: str) -> None:
    for number in range(count):
        make(f"Bowl {number}")
    page = read(client.get("/all/", headers={"accept-language": "ro"}).content.decode())
    assert page.one("html")["lang"] == "ro"
    assert page.one(css="results-count").text == words


def test_prices_and_shelves(client: Client, make: Callable[..., Product]) -> None:
    product = make(price="1250.50")
    page = read(client.get(product.get_absolute_url(), headers={"accept-language": "ro"}).content.decode())
    assert page.one(css="price-large").text == "£1.250,50"
    assert page.one("ol", css="breadcrumb").text == "Totul Veselă A bowl"
