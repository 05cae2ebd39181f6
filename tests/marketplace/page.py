"""What a visitor sees of a page: its text, and its elements by CSS-like class, tag and attribute."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"img", "input", "link", "meta", "br", "hr"}
UNSEEN = {"style", "script", "title"}


@dataclass
class Element:
    """A tag with its attributes and all the text inside."""

    tag: str
    attributes: dict[str, str]
    parts: list[str] = field(default_factory=list)

    def __getitem__(self, name: str) -> str:
        return self.attributes[name]

    def get(self, name: str, default: str = "") -> str:
        return self.attributes.get(name, default)

    @property
    def text(self) -> str:
        return " ".join("".join(self.parts).split())


class Page(HTMLParser):
    """A parsed page."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop().tag != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not any(element.tag in UNSEEN for element in self._open):
            for element in self._open:
                element.parts.append(data)

    def all(self, tag: str = "", css: str = "", **attributes: str) -> list[Element]:
        """Return the elements of a tag, a class and attribute values."""
        return [
            element
            for element in self.elements
            if (not tag or element.tag == tag)
            and (not css or css in element.get("class").split())
            and all(element.attributes.get(name) == value for name, value in attributes.items())
        ]

    def one(self, tag: str = "", css: str = "", **attributes: str) -> Element:
        """Return the only such element."""
        (found,) = self.all(tag, css, **attributes)
        return found

    def one_of(self, name: str) -> list[Element]:
        """Return the options of a select."""
        start = self.elements.index(self.one("select", name=name))
        rest = self.elements[start + 1 :]
        return rest[: next((n for n, element in enumerate(rest) if element.tag != "option"), len(rest))]

    def link(self, rel: str) -> str:
        """Return where the link of a relation leads, one that a visitor can follow; empty without one."""
        links = self.all("a", rel=rel)
        return links[0]["href"] if links else ""

    @property
    def text(self) -> str:
        return self.one("body").text

    @property
    def titles(self) -> list[str]:
        """The products on the page, in order."""
        return [element.text for element in self.all(css="card-title")]


def read(html: str) -> Page:
    """Parse a page."""
    page = Page()
    page.feed(html)
    return page
