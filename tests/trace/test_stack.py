"""The three deliveries, as the trace tells them: cold, warm, a herd, a refusal, a purge."""

import re
import urllib.error
from html import unescape
from typing import Any

import pytest

from marketplace.demo.stack import Stack
from tests.trace.conftest import Visitor
from tests.trace.drawn import Trip, page

pytestmark = pytest.mark.chain

MISSING, FOUND, MISS = ("S3", "missing"), ("S3", "found"), ("CDN", "miss")
MADE = ("Resizer", "made")
COLD: dict[str, list[Trip]] = {
    "redirect": [("307", [MISS, MISSING]), ("301", [MADE]), ("200", [MISS, FOUND])],
    "failover": [("200", [MISS, MISSING, MADE])],
    "local": [("200", [MADE])],
}
HIT: list[Trip] = [("200", [("CDN", "hit")])]
WARM: dict[str, list[Trip]] = {"redirect": HIT, "failover": HIT, "local": [("200", [("Resizer", "found")])]}


def fresh(visitor: Visitor) -> str:
    """Return the address of a picture that nobody has asked for."""
    asked = {row.key for row in visitor.shown()}
    for size in ("360x270", "480h", "1280w"):
        for url in visitor.photos():
            other = re.sub(r"/\d+x\d+/|/\d+[wh]/", f"/{size}/", url)
            if not any(other.endswith(key) for key in asked):
                return other
    raise AssertionError("all have been asked for")


def fields(html: str) -> dict[str, str]:
    """Return the hidden fields of the form below Try it."""
    inputs = [one.attrib for one in page(html).iter("input") if one.attrib.get("type") == "hidden"]
    return {one["name"]: one["value"] for one in inputs if one["name"] in ("photo", "key")} | {
        "csrfmiddlewaretoken": next(one["value"] for one in inputs if one["name"] == "csrfmiddlewaretoken")
    }


def test_cold_then_warm(shop: Stack, visitor: Visitor) -> None:
    url = fresh(visitor)
    visitor.get(url)
    (cold,) = visitor.news()
    assert (cold.kind, cold.trips) == ("made", COLD[shop.delivery])
    assert url.endswith(cold.key)
    assert {"decode", "resize", "store"} <= cold.stages
    visitor.get(url)
    (warm,) = visitor.news()
    assert (warm.kind, warm.trips) == ("hit", WARM[shop.delivery])
    assert not warm.stages
    assert visitor.news() == []
    # Without a script it is the same, the newest first, and a filter leaves the hit out.
    assert visitor.shown()[:2] == [warm, cold]
    assert visitor.shown("?only=misses")[0] == cold
    assert warm not in visitor.news(only="misses")


def test_thumbnails_leave_no_trace(visitor: Visitor) -> None:
    visitor.get(fresh(visitor))
    (cold,) = visitor.news()
    assert visitor.get(cold.thumb).startswith((b"\xff\xd8", b"\x00\x00\x00", b"RIFF"))
    assert visitor.news() == []


def test_a_herd_is_read_as_one(visitor: Visitor) -> None:
    visitor.together([fresh(visitor)] * 6)
    rows = visitor.news()
    assert sum(row.herd for row in rows) == 6
    assert [row.kind for row in rows].count("made") >= 1
    assert sum(MADE in nodes for row in rows for _, nodes in row.trips) == 1


def test_refusals_are_told(shop: Stack, visitor: Visitor) -> None:
    for url in (re.sub(r"/(\d+x\d+|\d+[wh])/", "/9x9/", fresh(visitor)), fresh(visitor) + ".moon"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            visitor.get(url)
    rows = visitor.news()
    assert [row.kind for row in rows] == ["error", "error"]
    assert all(row.trips[-1][0] == "404" and not row.thumb for row in rows)
    assert all(("Resizer", "404") in row.trips[-1][1] for row in rows)


def test_buttons_show_the_three_cases(shop: Stack, visitor: Visitor) -> None:
    def press(what: str, html: str) -> Any:
        after = visitor.get("/trace/try/", {**fields(html), "what": what}).decode()
        picture = next(one.attrib["src"] for one in page(after).iter("img") if "again=" in one.attrib["src"])
        visitor.get(unescape(picture))
        return after

    html = press("new", visitor.get("/trace/").decode())
    (first,) = visitor.news()
    assert first.trips == COLD[shop.delivery]
    html = press("again", html)
    (second,) = visitor.news()
    assert second.trips == WARM[shop.delivery]
    press("purge", html)
    purge, third = visitor.news()
    assert (purge.kind, third.trips) == ("purge", COLD[shop.delivery])
    assert first.key == second.key == third.key
    # What was purged has no thumbnail, which would have it made again.
    thumbs = {row.id: row.thumb for row in visitor.shown()}
    assert not thumbs[first.id]
    assert not thumbs[second.id]
    assert thumbs[third.id]


@pytest.mark.parametrize(
    "hostile",
    [{"photo": "1", "key": "../../etc/passwd"}, {"photo": "x'", "key": "a"}, {"photo": "9" * 30, "key": ""}],
)
def test_only_what_the_shop_shows_may_be_tried(visitor: Visitor, hostile: dict[str, str]) -> None:
    html = visitor.get("/trace/").decode()
    after = visitor.get("/trace/try/", {**fields(html), **hostile, "what": "purge"}).decode()
    assert fields(after).get("key", "other") != hostile["key"]
    assert not any(row.kind == "purge" for row in visitor.news())


def test_buttons_want_a_token(visitor: Visitor) -> None:
    with pytest.raises(urllib.error.HTTPError, match="403"):
        visitor.get("/trace/try/", {"what": "new"})


def test_page_is_valid(visitor: Visitor) -> None:
    visitor.get(fresh(visitor))
    page(visitor.get("/trace/").decode())  # raises on the first mistake
