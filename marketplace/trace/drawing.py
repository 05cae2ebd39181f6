"""From rows to what the page shows of them: words, lanes, badges, bars. All values are ready to print."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from time import time
from urllib.parse import quote

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from marketplace.trace.events import Event
from marketplace.trace.journeys import Journey, Row, Trip

BAR = 600  # units of the stages' bar
LANES = {
    "redirect": ("Browser", "CDN", "S3", "Resizer"),
    "failover": ("Browser", "CDN", "S3", "Resizer"),
    "local": ("Browser", "Resizer"),
}
STAGES = {
    "read": "look up and read",
    "wait": "wait",
    "decode": "decode",
    "resize": "resize",
    "encode": "encode",
    "render": "decode, resize, encode",
    "store": "store",
}
_REFUSALS = {
    404: "The size is not in the whitelist, or there is no such original.",
    415: "The original is no picture, or is damaged.",
    422: "The original is too large.",
    502: "The resizer did not answer.",
    503: "The resizer was busy, or the storage did not answer.",
    504: "The resizer did not answer in time.",
}
_PATIENCE = 5  # seconds after which a browser that was sent on will not come any more


@dataclass(frozen=True, kw_only=True)
class Node:
    """What one lane did in a trip. `kind` is a class of the style sheet; `lane` counts from the browser."""

    lane: int
    name: str
    text: str
    kind: str
    ms: str = ""


@dataclass(frozen=True, kw_only=True)
class DrawnTrip:
    """One line of the drawing: it runs from the browser to lane `reach`, and the answer back."""

    nodes: Sequence[Node]
    reach: int
    answer: Node


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One part of the bar, in units of `BAR`."""

    name: str
    text: str
    ms: str
    x: int
    width: int


@dataclass(frozen=True, kw_only=True)
class DrawnRow:
    """One row of the page. `at` is Unix time in seconds, of what was seen last."""

    id: str
    kind: str
    title: str
    sentence: str
    at: str
    clock: str
    key: str = ""
    size: str = ""
    file: str = ""
    thumb: str = ""
    bytes: str = ""
    ms: str = ""
    herd: int = 0
    lanes: Sequence[str] = ()
    trips: Sequence[DrawnTrip] = ()
    stages: Sequence[Stage] = ()


def delivery() -> str:
    """Return the delivery that the shop is set to."""
    return str(settings.LAZYIMAGES["DELIVERY"])


def address(key: str) -> str:
    """Return the public URL of a variant's key."""
    if delivery() == "local":
        return reverse("lazyimages:variant", kwargs={"key": key})
    return f"{settings.LAZYIMAGES['CDN_URL']}/{quote(key, safe='/~')}"


def draw(row: Row) -> DrawnRow:
    """Return all that the page says of a row."""
    at, clock = f"{row.last.at:.3f}", _clock(row.last.at)
    if row.purge:
        return DrawnRow(
            id=row.id,
            kind="purge",
            title="Purged",
            sentence="All its variants were deleted. Who asks next has one made again.",
            at=at,
            clock=clock,
            key=row.purge.key,
            file=row.purge.key.rpartition("/")[2],
        )
    journey = row.journey
    kind, title, sentence = _verdict(row, journey)
    head, _, file = journey.key.rpartition("/")
    final = journey.trips[-1].first
    maker = next((trip.shop for trip in journey.trips if trip.shop), None)
    return DrawnRow(
        id=row.id,
        kind=kind,
        title=title,
        sentence=sentence,
        at=at,
        clock=clock,
        key=journey.key,
        size=head.rpartition("/")[2],
        file=file,
        thumb=address(journey.key) + "?untraced"
        if final.status == HTTPStatus.OK and not row.purged_since
        else "",
        bytes=_bytes(final.bytes) if final.status == HTTPStatus.OK else "",
        ms=_ms(sum(trip.first.ms for trip in journey.trips)),
        herd=len(row.journeys) if len(row.journeys) > 1 else 0,
        lanes=LANES[delivery()],
        trips=[_trip(trip) for trip in journey.trips],
        stages=_stages(maker) if maker and journey.made else (),
    )


def _verdict(row: Row, journey: Journey) -> tuple[str, str, str]:
    """Return the kind, the title and one sentence."""
    last = journey.trips[-1]
    status = last.first.status
    if status >= HTTPStatus.BAD_REQUEST:
        return "error", f"{status} {_phrase(status)}", _failure(last)
    if row.hit:
        there = "The CDN had it." if last.to_cdn else "It was in the storage."
        return "hit", "CDN hit" if last.to_cdn else "Found", there
    if journey.made:
        return "made", "Made now", _making(row, journey)
    if journey.under_way and time() - journey.ended < _PATIENCE:
        return "waiting", "Under way", "The browser has been sent on."
    if journey.under_way:
        return "waiting", "Sent on", "The browser has not been seen where it was sent."
    if any(trip.shop for trip in journey.trips):
        waited = any(trip.waited for trip in journey.trips)
        return "made", "Waited" if waited else "From the resizer", _waiting(waited)
    return "found", "In S3", "The CDN had not got it, S3 had."


def _making(row: Row, journey: Journey) -> str:
    if len(row.journeys) > 1:
        made = sum(one.made for one in row.journeys)
        times = "once" if made == 1 else f"{made} times"
        return f"{len(row.journeys)} asked at the same time, and it was made {times}."
    if not journey.trips[0].to_cdn:
        if delivery() == "local":
            return "The storage had not got it: made, stored, and sent."
        return "Made and stored, and the browser sent to the CDN."
    if len(journey.trips) == 1 and not journey.trips[0].redirects:
        return "S3 had not got it, so the CDN asked the resizer. The browser noticed nothing."
    if journey.under_way and time() - journey.ended >= _PATIENCE:
        return "S3 sent the browser to the resizer, which sent it back; its own cache had the rest."
    return "S3 sent the browser to the resizer, which made it, stored it, and sent it back."


def _waiting(waited: bool) -> str:
    if waited:
        return "Another request was making it; this one waited, and got the same."
    return "It was in the bucket by the time that the resizer looked."


def _failure(trip: Trip) -> str:
    if not trip.shop:
        return "It came no further than this."
    return _REFUSALS.get(trip.shop.status, "The resizer refused it.")


def _trip(trip: Trip) -> DrawnTrip:
    nodes: list[Node] = []
    lanes = LANES[delivery()]
    if trip.to_cdn:
        nodes.append(_cdn(trip.first))
    if trip.s3:
        there = trip.s3.status in (HTTPStatus.OK, HTTPStatus.NOT_MODIFIED)
        nodes.append(
            Node(
                lane=2,
                name="S3",
                text="found" if there else "missing",
                kind="found" if there else "missing",
                ms=_ms(trip.s3.ms),
            )
        )
    if trip.shop:
        nodes.append(_shop(trip, lane=len(lanes) - 1))
    status = trip.first.status
    kind = "error" if status >= HTTPStatus.BAD_REQUEST else "bounce" if trip.redirects else "ok"
    return DrawnTrip(
        nodes=nodes,
        reach=max(node.lane for node in nodes),
        answer=Node(lane=0, name="Browser", text=str(status), kind=kind),
    )


def _cdn(event: Event) -> Node:
    hit = event.cache in ("hit", "refreshhit")
    known = {"hit": "hit", "refreshhit": "checked", "miss": "miss"}
    return Node(
        lane=1,
        name="CDN",
        text=known.get(event.cache, "error"),
        kind="hit" if hit else "miss" if event.cache == "miss" else "error",
        ms=_ms(event.ms),
    )


def _shop(trip: Trip, *, lane: int) -> Node:
    event = trip.shop
    assert event is not None
    if event.status >= HTTPStatus.BAD_REQUEST:
        text, kind = str(event.status), "error"
    elif trip.made:
        text, kind = "made", "made"
    elif trip.waited:
        text, kind = "waited", "made"
    else:
        text, kind = "found", "found"
    return Node(lane=lane, name="Resizer", text=text, kind=kind, ms=_ms(event.ms))


def _stages(event: Event) -> list[Stage]:
    total = sum(event.stages.values()) or 1
    found, x = [], 0.0
    for name, ms in event.stages.items():
        width = ms / total * BAR
        if name in STAGES and (name != "wait" or ms >= 1):
            found.append(
                Stage(name=name, text=STAGES[name], ms=_ms(ms), x=round(x), width=max(2, round(width) - 1))
            )
        x += width
    return found


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _clock(at: float) -> str:
    return timezone.localtime(datetime.fromtimestamp(at, tz=timezone.get_default_timezone())).strftime(
        "%H:%M:%S"
    )


def _ms(ms: float) -> str:
    return f"{ms / 1000:.1f} s" if ms >= 1000 else f"{ms:.0f} ms" if ms >= 1 else "<1 ms"


def _bytes(count: int) -> str:
    return f"{count / 1000:.1f} kB" if count >= 1000 else f"{count} B"
