"""From events to journeys: what one browser did to get one picture. Pure; see `join`.

A *trip* is one request of a browser and all that its answer took. A *journey* is the trips that redirects
tie together. A *herd* is the journeys for one key that went on at the same time, while it was being made.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus

from marketplace.trace.events import CDN, PURGE, RESIZER, S3, SHOP, Event

REDIRECTS = (301, 302, 303, 307, 308)
_MADE = ("encode", "render", "store")  # a stage that only who makes the variant has
_STILL = 30.0  # seconds for which a browser may take to follow a redirect
_SLACK = 0.005  # a hop's end and the next one's beginning are read from clocks in different processes


@dataclass(kw_only=True)
class Trip:
    """One request of a browser: an event for each hop that it reached."""

    hops: dict[str, Event] = field(default_factory=dict)

    @property
    def first(self) -> Event:
        """The hop that the browser spoke to."""
        return self.hops.get(CDN) or self.hops[SHOP]

    @property
    def to_cdn(self) -> bool:
        """Whether it went to the CDN, and not straight to the shop."""
        return CDN in self.hops

    @property
    def shop(self) -> Event | None:
        """What the resizer did; by the CDN's account when it left none itself."""
        return self.hops.get(SHOP) or self.hops.get(RESIZER)

    @property
    def s3(self) -> Event | None:
        """What S3 answered."""
        return self.hops.get(S3)

    @property
    def made(self) -> bool:
        """Whether the variant was made in it."""
        return self.shop is not None and any(stage in self.shop.stages for stage in _MADE)

    @property
    def waited(self) -> bool:
        """Whether the variant was made by another request meanwhile: what is there waits for nothing."""
        return not self.made and self.shop is not None and "wait" in self.shop.stages

    @property
    def redirects(self) -> bool:
        """Whether the browser was sent on."""
        return self.first.status in REDIRECTS


@dataclass(kw_only=True)
class Journey:
    """Trips of one browser for one key, in order."""

    trips: list[Trip]

    @property
    def key(self) -> str:
        """The variant that was asked for."""
        return self.trips[0].first.key

    @property
    def began(self) -> float:
        """Unix time of the browser's first request, as the server saw it."""
        return self.trips[0].first.began

    @property
    def ended(self) -> float:
        """Unix time of the last answer so far."""
        return self.trips[-1].first.at

    @property
    def made(self) -> bool:
        """Whether the variant was made on the way."""
        return any(trip.made for trip in self.trips)

    @property
    def under_way(self) -> bool:
        """Whether the browser has been sent somewhere and has not been seen there."""
        return self.trips[-1].redirects

    def goes_on_with(self, trip: Trip) -> bool:
        """Whether a trip is where the last answer sent the browser: CDN to shop, or shop to CDN."""
        late = trip.first.began - self.ended
        return self.under_way and trip.to_cdn != self.trips[-1].to_cdn and -_SLACK <= late <= _STILL


@dataclass(kw_only=True)
class Row:
    """A herd, most often of one journey; or a purge, which has none."""

    journeys: list[Journey] = field(default_factory=list)
    purge: Event | None = None
    id: str = ""
    last: Event
    purged_since: bool = False

    @property
    def journey(self) -> Journey:
        """The journey to show: the one that made the variant, else the first."""
        return next((one for one in self.journeys if one.made), self.journeys[0])

    @property
    def hit(self) -> bool:
        """Whether the first who was asked had it: the CDN, or without one the storage."""
        if self.purge:
            return False
        first = self.journey.trips[0]
        if first.to_cdn:
            return first.first.cache in ("hit", "refreshhit") and first.first.status < HTTPStatus.BAD_REQUEST
        return not (first.made or first.waited) and first.first.status in (
            HTTPStatus.OK,
            HTTPStatus.NOT_MODIFIED,
        )


def join(events: Iterable[Event]) -> list[Row]:
    """Join events, in the order of the log, to rows, in the order in which each began to show."""
    rows: list[Row] = []
    trips: dict[str, Trip] = defaultdict(Trip)
    rows_of: dict[str, list[Row]] = defaultdict(list)
    for event in events:
        if event.hop == PURGE:
            for row in rows:
                row.purged_since |= not row.purge and _original_fits(row.journey.key, event.key)
            rows.append(Row(purge=event, id=event.place, last=event))
            continue
        trip = trips[event.request] if event.request else Trip()
        trip.hops[event.hop] = event
        if event.hop == CDN or (event.hop == SHOP and not event.request):
            trips.pop(event.request, None)
            _add(trip, event, rows, rows_of[event.key])
    return rows


def changed_since(rows: list[Row], events: list[Event], cursor: str) -> list[Row]:
    """Return the rows with an event after the place `cursor`; all when the log no longer holds it."""
    places = [event.place for event in events]
    if cursor not in places:
        return rows
    after = set(places[places.index(cursor) + 1 :])
    return [row for row in rows if row.last.place in after]


def _add(trip: Trip, event: Event, rows: list[Row], same_key: list[Row]) -> None:
    # The one that was sent on last: those that were sent on earlier also fit trips that began earlier, which
    # may come later in the log.
    waiting = [(one, row) for row in same_key for one in row.journeys if one.goes_on_with(trip)]
    if waiting:
        journey, row = max(waiting, key=lambda pair: pair[0].ended)
        journey.trips.append(trip)
        row.last = event
        return
    journey = Journey(trips=[trip])
    herd = next((row for row in reversed(same_key) if _runs_with(row, journey)), None)
    if herd:
        herd.journeys.append(journey)
        herd.last = event
        return
    row = Row(journeys=[journey], id=event.place, last=event)
    same_key.append(row)
    rows.append(row)


def _runs_with(herd: Row, journey: Journey) -> bool:
    """Whether a journey began before a herd for the same key was over. A hit shows that it is over."""
    if herd.purged_since or Row(journeys=[journey], last=journey.trips[0].first).hit or herd.hit:
        return False
    still = any(one.under_way and journey.began - one.ended < _STILL for one in herd.journeys)
    return still or journey.began <= max(one.ended for one in herd.journeys)


def _original_fits(key: str, original: str) -> bool:
    """Whether a variant's key, without its size, is that of an original, or with another format."""
    folder, _, file = key.rpartition("/")
    parent = folder.rpartition("/")[0]
    return f"{parent}/{file}".lstrip("/").startswith(original)
