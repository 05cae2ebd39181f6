"""Draw templates in both template languages, and read what they print as a browser does."""

from dataclasses import dataclass
from typing import Any

import html5lib
import jinja2
from django.template import Context, Engine

from lazyimages.jinja import LazyImagesExtension

LANGUAGES = ("django", "jinja")


def draw_django(source: str, /, string_if_invalid: str = "", **context: Any) -> str:
    """Draw a template of Django's."""
    engine = Engine(
        libraries={"lazyimages": "lazyimages.templatetags.lazyimages"},
        builtins=["lazyimages.templatetags.lazyimages"],
        string_if_invalid=string_if_invalid,
    )
    return engine.from_string(source).render(Context(context))


def draw_jinja(source: str, /, brackets: str = "{%%}", **context: Any) -> str:
    """Draw a template of Jinja2's; `brackets` are those of its statements."""
    environment = jinja2.Environment(
        extensions=[LazyImagesExtension],
        autoescape=True,
        block_start_string=brackets[:2],
        block_end_string=brackets[2:],
    )
    return environment.from_string(source).render(**context)


def draw(language: str, source: str, /, **context: Any) -> str:
    """Draw a template that both languages understand."""
    return {"django": draw_django, "jinja": draw_jinja}[language](source, **context)


def element(html: str) -> tuple[str, dict[str, str]]:
    """Return the name and the attributes of the only element in a piece of HTML, without parse errors."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    (found,) = parser.parseFragment(html)
    assert found.tail is None
    assert len(found) == 0
    return found.tag, dict(found.attrib)


def attribute_value(printed: str) -> str:
    """Return what a browser reads from an attribute whose value was printed between double quotes."""
    tag, attributes = element(f'<img srcset="{printed}">')
    assert tag == "img"
    assert list(attributes) == ["srcset"]
    return attributes["srcset"]


@dataclass(frozen=True)
class Entry:
    """One candidate of a srcset, as a browser reads it."""

    url: str
    descriptors: tuple[str, ...]


def parse_srcset(text: str) -> list[Entry]:
    """Parse as the HTML Standard has it, "Parsing a srcset attribute", without parentheses."""
    found: list[Entry] = []
    whitespace = " \t\n\f\r"
    position = 0
    while True:
        while position < len(text) and text[position] in whitespace + ",":
            position += 1
        if position == len(text):
            return found
        start = position
        while position < len(text) and text[position] not in whitespace:
            position += 1
        url = text[start:position]
        if url.endswith(","):
            found.append(Entry(url.rstrip(","), ()))
            continue
        end = text.find(",", position)
        end = len(text) if end < 0 else end
        found.append(Entry(url, tuple(text[position:end].split())))
        position = end
