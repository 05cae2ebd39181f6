"""Events become rows: bounces are one journey, a herd is one row, whatever the order they are logged in."""

from marketplace.trace.events import CDN, PURGE, RESIZER, S3, SHOP, Event
from marketplace.trace.journeys import Row, changed_since, join

KEY = "produs_1/360x270/a.jpg"
MADE = {"read": 5.0, "wait": 0.0, "decode": 20.0, "resize": 4.0, "encode": 5.0, "store": 9.0}
WAITED = {"read": 5.0, "wait": 30.0}


class Log:
    """Events with places, as the log gives them."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def add(self, hop: str, at: float, status: int, **values: object) -> None:
        place = f"f-{len(self.events)}"
        self.events.append(
            Event(**{"hop": hop, "key": KEY, "at": at, "status": status, "place": place} | values)
        )

    def cdn(
        self, at: float, status: int, request: str, cache: str = "miss", s3: int = 0, **values: object
    ) -> None:
        if s3:
            self.add(S3, at - 0.001, s3, request=request, **values)
        self.add(CDN, at, status, request=request, cache=cache, ms=5, **values)

    def rows(self) -> list[Row]:
        return join(self.events)


def shape(row: Row) -> list[list[tuple[str, int]]]:
    return [[(hop, event.status) for hop, event in trip.hops.items()] for trip in row.journey.trips]


def bounce(log: Log, start: float, name: str, stages: dict[str, float] = MADE) -> None:
    log.cdn(start + 0.01, 307, f"{name}1", s3=307)
    log.add(SHOP, start + 0.09, 301, stages=stages, ms=60)
    log.cdn(start + 0.11, 200, f"{name}2", s3=200, bytes=9)


def test_a_bounce_is_one_journey() -> None:
    log = Log()
    bounce(log, 10, "a")
    (row,) = log.rows()
    assert shape(row) == [[(S3, 307), (CDN, 307)], [(SHOP, 301)], [(S3, 200), (CDN, 200)]]
    assert row.journey.made
    assert not row.journey.under_way
    assert not row.hit


def test_a_bounce_grows_row_by_row() -> None:
    log = Log()
    bounce(log, 10, "a")
    seen = []
    for count in range(1, len(log.events) + 1):
        rows = join(log.events[:count])
        seen.append([(row.id, len(row.journey.trips)) for row in rows])
    first = log.events[1].place  # its name stays the same, so that a page can put it in its place
    assert seen == [[], [(first, 1)], [(first, 2)], [(first, 2)], [(first, 3)]]


def test_failover_is_one_trip() -> None:
    log = Log()
    log.add(S3, 9.9, 403, request="a")
    log.add(SHOP, 10, 200, request="a", stages=MADE)
    log.add(RESIZER, 10.01, 200, request="a")
    log.cdn(10.02, 200, "a")
    (row,) = log.rows()
    assert shape(row) == [[(S3, 403), (SHOP, 200), (RESIZER, 200), (CDN, 200)]]
    assert row.journey.made
    assert row.journey.trips[0].shop.stages == MADE


def test_a_shop_that_does_not_answer_is_seen_by_the_cdn() -> None:
    log = Log()
    log.add(S3, 9.9, 404, request="a")
    log.add(RESIZER, 10.01, 502, request="a")
    log.cdn(10.02, 502, "a", cache="error")
    (row,) = log.rows()
    assert row.journey.trips[0].shop.status == 502


def test_local_made_then_found() -> None:
    log = Log()
    log.add(SHOP, 10, 200, stages=MADE, ms=50)
    log.add(SHOP, 11, 200, stages={"read": 1.0}, ms=2)
    log.add(SHOP, 12, 304, stages={"read": 1.0}, ms=2)
    made, found, unchanged = log.rows()
    assert (made.hit, found.hit, unchanged.hit) == (False, True, True)


def test_a_local_herd_is_one_row() -> None:
    log = Log()
    log.add(SHOP, 10.1, 200, stages=MADE, ms=100)
    for number in range(4):
        log.add(SHOP, 10.11, 200, stages=WAITED, ms=100 - number)
    log.add(SHOP, 10.2, 200, stages={"read": 1.0}, ms=5)
    herd, later = log.rows()
    assert len(herd.journeys) == 5
    assert later.hit


def test_hits_are_rows_of_their_own() -> None:
    log = Log()
    bounce(log, 10, "a")
    log.cdn(10.112, 200, "b", cache="hit")
    log.cdn(10.113, 200, "c", cache="hit")
    cold, *warm = log.rows()
    assert [row.hit for row in warm] == [True, True]
    assert len(cold.journeys) == 1


def test_a_herd_is_one_row_and_shows_who_made_it() -> None:
    log = Log()
    names = [f"n{number}" for number in range(12)]
    for number, name in enumerate(names):
        log.cdn(10 + number / 1000, 307, f"{name}-1", s3=307)
    for number, _ in enumerate(names):
        log.add(SHOP, 10.2 + number / 1000, 301, stages=MADE if number == 4 else WAITED, ms=150)
    for number, name in enumerate(names):
        log.cdn(10.3 + number / 1000, 200, f"{name}-2", s3=200)
    (row,) = log.rows()
    assert len(row.journeys) == 12
    assert all(len(journey.trips) == 3 for journey in row.journeys)
    assert sum(journey.made for journey in row.journeys) == 1
    assert row.journey.made


def test_a_late_request_for_the_key_is_a_new_row() -> None:
    log = Log()
    bounce(log, 10, "a")
    log.cdn(10.5, 200, "b", s3=200)  # another edge of the CDN
    assert [len(row.journeys) for row in log.rows()] == [1, 1]


def test_keys_do_not_mix() -> None:
    log = Log()
    log.cdn(10, 307, "a", s3=307)
    log.cdn(10, 307, "b", s3=307, key="produs_2/360x270/b.jpg")
    log.add(SHOP, 10.1, 301, stages=MADE, key="produs_2/360x270/b.jpg")
    one, other = log.rows()
    assert len(one.journey.trips) == 1
    assert len(other.journey.trips) == 2


def test_a_redirect_that_nobody_follows_ends() -> None:
    log = Log()
    log.cdn(10, 307, "a", s3=307)
    log.add(SHOP, 100, 200, stages={"read": 1.0})
    assert [len(row.journey.trips) for row in log.rows()] == [1, 1]


def test_a_purge_is_a_row_and_hides_what_it_deleted() -> None:
    log = Log()
    bounce(log, 10, "a")
    log.cdn(11, 200, "x", cache="hit", key="produs_1/360x270/a.jpg.webp")
    log.cdn(11, 200, "y", cache="hit", key="produs_1/360x270/other.jpg")
    log.add(PURGE, 12, 0, key="produs_1/a.jpg")
    bounce(log, 13, "b")
    first, format, other, purge, second = log.rows()
    assert purge.purge is not None
    assert [row.purged_since for row in (first, format, other, second)] == [True, True, False, False]


def test_only_what_changed_is_sent_again() -> None:
    log = Log()
    bounce(log, 10, "a")
    log.cdn(11, 200, "x", cache="hit", key="k/480h/other.jpg")
    rows, events = log.rows(), log.events
    assert changed_since(rows, events, events[-1].place) == []
    assert changed_since(rows, events, events[2].place) == rows
    assert changed_since(rows, events, events[4].place) == rows[1:]
    assert changed_since(rows, events, "") == rows
    assert changed_since(rows, events, "gone-1") == rows


def test_half_a_request_at_the_beginning_is_left_out() -> None:
    log = Log()
    log.add(S3, 10, 403, request="a")
    assert log.rows() == []


def test_who_overtakes_in_a_herd_leaves_nobody_behind() -> None:
    """The last leg of a journey may be logged before that of one which was sent on earlier."""
    log = Log()
    log.cdn(10.0, 307, "a1", s3=307)
    log.cdn(10.01, 307, "b1", s3=307)
    log.add(SHOP, 10.100, 301, stages=MADE, ms=80)
    log.add(SHOP, 10.120, 301, stages=WAITED, ms=80)
    log.add(CDN, 10.135, 200, request="b2", cache="miss", ms=5)
    log.add(CDN, 10.150, 200, request="a2", cache="miss", ms=40)
    (row,) = log.rows()
    assert [len(journey.trips) for journey in row.journeys] == [3, 3]
