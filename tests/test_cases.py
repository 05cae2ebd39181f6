"""Every tag's exact output, the same from Django's tags, Jinja2's functions and Jinja2's statements."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.template import Context, Engine
from django.utils.functional import SimpleLazyObject

from lazyimages import conf, markup, placeholders, tags
from tests.cases import CASES, FOCUSED, LAZYIMAGES, Case, photo
from tests.drawing import draw, draw_django, draw_jinja
from tests.nu_html import assert_valid_html, html_errors, page

EVERY = pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])


@pytest.fixture(autouse=True)
def _settings(settings: Any) -> None:
    settings.LAZYIMAGES = LAZYIMAGES


@EVERY
def test_in_djangos_templates(case: Case) -> None:
    assert draw_django(case.statement(), **case.variables()) == case.expected


@EVERY
def test_as_functions_of_jinja2(case: Case) -> None:
    assert draw_jinja(case.call(), **case.variables()) == case.expected


@EVERY
@pytest.mark.parametrize("brackets", ["{%%}", "<%%>"])
def test_as_statements_of_jinja2(case: Case, brackets: str) -> None:
    printed = draw_jinja(case.statement(brackets), brackets=brackets, **case.variables())
    assert printed == case.expected


@EVERY
@pytest.mark.parametrize("language", ["django", "jinja"])
def test_under_a_name(case: Case, language: str) -> None:
    source = case.statement().replace(" %}", " as kept %}") + "[{{ kept }}]"
    assert draw(language, source, **case.variables()) == f"[{case.expected}]"


@EVERY
@pytest.mark.parametrize("language", ["django", "jinja"])
def test_nothing_for_an_empty_field(case: Case, language: str) -> None:
    for nothing in (None, "", case.variables()["photo"].__class__(None, case.variables()["photo"].field, "")):
        assert draw(language, case.statement(), **{**case.variables(), "photo": nothing}) == ""


@EVERY
def test_what_is_looked_up_late(case: Case) -> None:
    """As context processors and middlewares put it into a page: the image, or a name."""
    variables = case.variables()
    late = {**variables, "photo": SimpleLazyObject(lambda: variables["photo"])}
    assert draw_django(case.statement(), **late) == case.expected
    by_name = {**variables, "photo": case.name}
    name = {**variables, "photo": SimpleLazyObject(lambda: case.name)}
    assert draw_django(case.statement(), **name) == draw_django(case.statement(), **by_name)


def test_every_tag_is_in_the_table() -> None:
    assert {case.tag.removeprefix(tags.PREFIX) for case in CASES} == {
        name for name in tags.TAGS if not name.startswith(tags.PREFIX)
    }


def test_all_of_it_is_valid_html() -> None:
    documents = []
    for case in CASES:
        if case.tag == "preload":
            documents.append(page("", head=case.expected))
        elif case.expected.startswith("<"):
            documents.append(page(case.expected))
    colours = placeholders.text(4, 3, bytes((200, 120, 40, 255)) * 12)
    picture = markup.Picture(FOCUSED, 4032, 3024, colours)
    printed = markup.picture(picture, markup.parse_spec("hero"), attributes={"style": "margin: 0"})
    assert "background:#" in printed
    assert_valid_html(*documents, page(printed))


def test_that_test_would_see_what_is_invalid() -> None:
    wrong = page('<img src="a" srcset="a 5w, b 6w" alt="">')
    assert ["sizes" in error for error in html_errors(page("<p>fine</p>"), wrong)] == [True]


class TestDocumentation:
    TEXT = (Path(__file__).resolve().parent.parent / "docs" / "tags.md").read_text()

    @classmethod
    def blocks(cls, language: str) -> list[str]:
        found = re.findall(rf"```{language}\n(.+?)```", cls.TEXT, re.DOTALL)
        assert found
        return found

    def test_the_settings_are_right_and_move_nothing(self, settings: Any) -> None:
        for block in self.blocks("python"):
            values: dict[str, Any] = {}
            exec(block, values)
            for parts in [values["LAZYIMAGES"]] if "LAZYIMAGES" in values else []:
                assert conf.read(parts)[1] == []
                settings.LAZYIMAGES = parts
                assert [m for m in run_checks(tags=["lazyimages"]) if (m.id or "").endswith("W002")] == []

    def test_the_templates_can_be_read(self) -> None:
        libraries = {"lazyimages": "lazyimages.templatetags.lazyimages", "gallery": "tests.host.other_tags"}
        engine = Engine(libraries=libraries, builtins=[libraries["lazyimages"]])
        for block in self.blocks("django"):
            engine.from_string(block).render(Context({"product": None, "order": None, "gallery_photo": None}))
        for block in self.blocks("jinja"):
            draw_jinja(block, product={"photo": None, "name": ""})

    def test_what_it_says_is_printed(self) -> None:
        shown = " ".join(self.blocks("html")[0].split())
        context = {"product": {"photo": photo(), "name": "Bowl"}}
        assert shown == draw_django('{% img product.photo "card" alt=product.name %}', **context)

    def test_every_other_name_is_there(self) -> None:
        for name in tags.TAGS:
            assert f"`{name}`" in self.TEXT or f"## `{name}`" in self.TEXT


@pytest.mark.parametrize("name", ["a.jpg.webp", "480h/a.jpg", "a.txt", "../a.jpg", "x" * 1100 + ".jpg"])
@pytest.mark.parametrize("tag", ["srcset", "image_url", "img", "picture", "preload"])
def test_a_name_that_is_refused_prints_nothing(tag: str, name: str, caplog: pytest.LogCaptureFixture) -> None:
    assert draw_django(f'{{% {tag} photo "hero" %}}', photo=name) == ""
    assert {record.getMessage().partition(":")[0] for record in caplog.records} == {"no variants"}


def test_a_name_that_is_long_enough_for_one_format_only(lazy: Callable[..., None]) -> None:
    name = "x" * (1024 - len("1280w/") - len(".jpg")) + ".jpg"
    printed = draw_django('{% picture photo "1280w" %}{% preload photo "1280w" %}', photo=name)
    assert "<source" not in printed
    assert "<link" not in printed
    assert printed.startswith("<picture><img src=")
