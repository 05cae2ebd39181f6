"""What a reader sees of the trace page: its rows, each with its trips, read as strictly as browsers can."""

import re
from dataclasses import dataclass
from xml.etree.ElementTree import Element

import html5lib

Trip = tuple[str, list[tuple[str, str]]]


@dataclass(frozen=True)
class Seen:
    """One row: the trips are the answer to the browser, and what the lanes did, from near to far."""

    id: str
    kind: str
    title: str
    key: str
    herd: int
    trips: list[Trip]
    stages: set[str]
    thumb: str


def page(html: str) -> Element:
    """Parse a page; ParseError for whatever the HTML Standard calls one."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(html)


def rows(html: str) -> list[Seen]:
    """Return the rows of a page, or of pieces of it, in their order."""
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parseFragment(f"<ol>{html}</ol>")
    return [_row(one) for one in tree.iter("li") if "trace-row" in _classes(one)]


def rows_of_page(html: str) -> list[Seen]:
    """Return the rows of the whole page, newest first."""
    return [_row(one) for one in page(html).iter("li") if "trace-row" in _classes(one)]


def _row(row: Element) -> Seen:
    trips: list[Trip] = []
    for trip in _by_class(row, "trace-trip"):
        answer, *nodes = [_node(node) for node in _by_class(trip, "trace-node")]
        trips.append((answer[1], nodes))
    herd = "".join(_text(one) for one in _by_class(row, "trace-herd"))
    return Seen(
        id=row.attrib["id"],
        kind=row.attrib["data-kind"],
        title=_text(_by_class(_by_class(row, "trace-title")[0], "trace-badge")[0]),
        key=_by_class(row, "trace-key")[0].attrib["title"],
        herd=int(re.sub(r"\D", "", herd) or 1),
        trips=trips,
        stages={text.rpartition(" ")[0].rpartition(" ")[0] for text in map(_text, _stages(row))},
        thumb="".join(image.attrib["src"] for image in row.iter("img")),
    )


def _node(node: Element) -> tuple[str, str]:
    lane = _text(_by_class(node, "visually-hidden")[0]).rstrip(":")
    badge = _text(_by_class(node, "trace-badge")[0])
    return lane, badge.removeprefix("← ")


def _stages(row: Element) -> list[Element]:
    return [item for stages in _by_class(row, "trace-stages") for item in stages.iter("li")]


def _classes(element: Element) -> list[str]:
    return element.attrib.get("class", "").split()


def _by_class(element: Element, name: str) -> list[Element]:
    return [one for one in element.iter() if isinstance(one.tag, str) and name in _classes(one)]


def _text(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())
