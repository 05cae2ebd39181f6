"""Originals that are missing or unreadable are remembered for ten seconds, and cost nothing meanwhile."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, unquote

import pytest
from botocore import handlers
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.test import Client

from lazyimages import refusals as memory
from lazyimages import render
from lazyimages.exceptions import CorruptImage, LazyImagesError, OriginalNotFound
from lazyimages.locks import Flight
from lazyimages.refusals import Refusals
from tests.conftest import BUCKET, jpeg

TIMES = 1000
ORIGINAL = "produs_1/bowl.AZ70KuRzw9.jpg"
KEY = "produs_1/360x270/bowl.AZ70KuRzw9.jpg"
OTHER = "produs_1/480h/bowl.AZ70KuRzw9.jpg"


@pytest.fixture
def gets(s3: Any) -> Iterator[list[str]]:
    """Record what is asked of S3, in order: `GetObject produs_1/bowl.jpg`."""
    asked: list[str] = []

    def record(model: Any, params: dict[str, Any], **kwargs: Any) -> None:
        path = params["url_path"].removeprefix(f"/{BUCKET}").removeprefix("/")
        asked.append(f"{model.name} {unquote(path)}")

    entry = ("before-call.s3", record)
    handlers.BUILTIN_HANDLERS.append(entry)
    yield asked
    handlers.BUILTIN_HANDLERS.remove(entry)


@pytest.fixture(autouse=True)
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Stop the clock of the memory of refusals, and let it show so many seconds after the test's start."""
    start = time.monotonic()

    def shift(seconds: float) -> None:
        monkeypatch.setattr(memory, "time", SimpleNamespace(monotonic=lambda: start + seconds))

    shift(0)
    return shift


def put(client: Any, name: str, data: bytes) -> None:
    client.put_object(Bucket=BUCKET, Key=name, Body=data)


def ask(key: str = KEY, mode: str = "local", client: Client | None = None) -> Any:
    path = f"/images/resizer?key={quote(key)}" if mode == "redirect" else f"/images/v/{quote(key)}"
    return (client or Client()).get(path)


BAD = {
    "missing": (404, None, "max-age=0, s-maxage=10"),
    "no image": (415, b"<svg xmlns='http://www.w3.org/2000/svg'/>", "s-maxage=300"),
    "cut short": (415, jpeg()[:-2000], "s-maxage=300"),
    "too many pixels": (422, jpeg(), "s-maxage=300"),
    "too many bytes": (422, jpeg(), "s-maxage=300"),
}


@pytest.mark.parametrize(
    ("kind", "mode"),
    [*((kind, "local") for kind in BAD), ("missing", "redirect"), ("no image", "failover")],
)
def test_a_thousand_requests_cost_two(
    kind: str,
    mode: str,
    s3: Any,
    gets: list[str],
    delivery: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    status, data, cache_control = BAD[kind]
    limits = {"too many pixels": {"MAX_PIXELS": 1_000_000}, "too many bytes": {"MAX_BYTES": 1000}}
    delivery(mode, **limits.get(kind, {}))
    if data is not None:
        put(s3, ORIGINAL, data)
    gets.clear()
    with caplog.at_level(logging.WARNING, "lazyimages"):
        browser = Client()
        answers = [ask(mode=mode, client=browser) for _ in range(TIMES)]
    assert {answer.status_code for answer in answers} == {status}
    assert {answer["Cache-Control"] for answer in answers} == {cache_control}
    assert gets == [f"GetObject {KEY}", f"GetObject {ORIGINAL}"]
    assert len([record for record in caplog.records if record.name == "lazyimages"]) == 1


def test_after_ten_seconds_it_is_asked_again(
    s3: Any, gets: list[str], later: Callable[[float], None]
) -> None:
    assert ask().status_code == 404
    put(s3, ORIGINAL, jpeg())
    gets.clear()
    later(9.5)
    assert ask().status_code == 404
    assert gets == []
    later(10.5)
    assert ask().status_code == 200
    assert gets == [f"GetObject {KEY}", f"GetObject {ORIGINAL}", f"PutObject {KEY}"]


def test_asking_does_not_prolong_it(s3: Any, gets: list[str], later: Callable[[float], None]) -> None:
    """Nor does asking for another size, which is remembered for as long as the original."""
    assert ask().status_code == 404
    later(9.5)
    assert ask().status_code == ask(OTHER).status_code == 404
    gets.clear()
    later(10.5)
    assert ask(OTHER).status_code == 404
    assert gets == [f"GetObject {OTHER}", f"GetObject {ORIGINAL}"]


def test_another_size_costs_one(s3: Any, gets: list[str]) -> None:
    assert ask().status_code == 404
    gets.clear()
    assert {ask(OTHER).status_code for _ in range(100)} == {404}
    assert gets == [f"GetObject {OTHER}"]


def test_another_size_that_exists_is_served(s3: Any, gets: list[str]) -> None:
    """What was made of an original outlives it."""
    assert ask().status_code == 404
    put(s3, OTHER, b"made long ago")
    gets.clear()
    assert [ask(OTHER).content for _ in range(3)] == [b"made long ago"] * 3
    assert gets == [f"GetObject {OTHER}"] * 3
    assert ask().status_code == 404, "and changes nothing about the rest"


def test_only_what_was_asked_for_is_refused(s3: Any) -> None:
    assert ask("produs_1/360x270/other.AZ70KuRzw9.jpg").status_code == 404
    put(s3, ORIGINAL, jpeg())
    assert ask().status_code == 200


def test_a_storage_that_fails_is_asked_again(s3: Any, gets: list[str]) -> None:
    s3.delete_bucket(Bucket=BUCKET)
    gets.clear()
    assert [ask().status_code for _ in range(5)] == [503] * 5
    assert gets == [f"GetObject {KEY}"] * 5
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    put(s3, ORIGINAL, jpeg())
    assert ask().status_code == 200


def test_an_original_that_cannot_be_read_now_is_asked_again(
    s3: Any, gets: list[str], settings: Any, lazy: Callable[..., None]
) -> None:
    """The variants' storage answers, and the originals' fails."""
    broken = {**settings.STORAGES["default"]["OPTIONS"], "bucket_name": "later"}
    photos = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": broken}
    settings.STORAGES = {**settings.STORAGES, "photos": photos}
    lazy(ORIGINALS="photos")
    assert [ask().status_code for _ in range(3)] == [503] * 3
    assert len(gets) == 6
    s3.create_bucket(Bucket="later", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_object(Bucket="later", Key=ORIGINAL, Body=jpeg())
    assert ask().status_code == 200


def test_busy_is_not_remembered(lazy: Callable[..., None]) -> None:
    lazy(RENDER_WAIT=0.05)
    storages["default"].save(ORIGINAL, ContentFile(jpeg()))
    with Flight(KEY) as flight, flight.turn(lambda: None, deadline=time.monotonic() + 5):
        answer = ask()
        assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert ask().status_code == 200


def test_no_place_is_not_remembered(lazy: Callable[..., None]) -> None:
    lazy(THREADS=3)
    storages["default"].save(ORIGINAL, ContentFile(jpeg()))
    with render._places.take(of=1, deadline=time.monotonic() + 5):
        assert [ask().status_code for _ in range(3)] == [503] * 3
    assert ask().status_code == 200


def test_many_at_the_same_moment(s3: Any, gets: list[str]) -> None:
    """Each may look for the variant once, before anything is known; one alone asks for the original."""
    barrier = Barrier(16)

    def work(number: int) -> list[int]:
        barrier.wait()
        browser = Client()
        key = KEY if number % 2 else OTHER
        return [ask(key, client=browser).status_code for _ in range(TIMES // 16)]

    with ThreadPoolExecutor(16) as pool:
        statuses = Counter(status for some in pool.map(work, range(16)) for status in some)
    assert set(statuses) == {404}
    asked = Counter(gets)
    assert asked.keys() == {f"GetObject {KEY}", f"GetObject {OTHER}", f"GetObject {ORIGINAL}"}
    assert asked[f"GetObject {ORIGINAL}"] <= 2, "one a size"
    assert asked[f"GetObject {KEY}"] <= 8
    assert asked[f"GetObject {OTHER}"] <= 8


@pytest.mark.parametrize("engine", ["pillow.PillowEngine", "vips.VipsEngine"])
def test_what_one_variant_cannot_be_is_not_remembered_of_the_original(
    engine: str, lazy: Callable[..., None]
) -> None:
    """WebP ends at 16,383 pixels a side, and after it `<picture>` has the JPEG."""
    lazy(SIZES=["10w"], FORMATS=["webp"], ENGINE=f"lazyimages.engines.{engine}")
    storages["default"].save("a/tall.jpg", ContentFile(jpeg(10, 17_000)))
    for _ in range(2):
        assert ask("a/10w/tall.jpg.webp").status_code == 415
    assert ask("a/10w/tall.jpg").status_code == 200


def test_a_variant_that_was_made_since_is_served_without_a_place(
    lazy: Callable[..., None], later: Callable[[float], None]
) -> None:
    lazy(THREADS=3)
    assert ask().status_code == 404
    storages["default"].save(ORIGINAL, ContentFile(jpeg()))
    later(11)
    assert ask().status_code == 200
    with render._places.take(of=1, deadline=0):
        assert ask().status_code == 200


def test_what_is_remembered_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(lambda _: ask().status_code, range(50))) == {404}
    assert ask(OTHER).status_code == 404
    assert len([text for text in caplog.messages if text.startswith("failed key=")]) == 1


def test_a_flood_of_names_is_bounded(s3: Any, gets: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MOST", 20)
    keys = [f"produs_1/360x270/none{number}.jpg" for number in range(50)]
    for key in keys:
        assert ask(key).status_code == 404
        assert len(memory.refusals._entries) <= 20
    gets.clear()
    assert ask(keys[-1]).status_code == 404
    assert gets == [], "the newest is remembered"


class TestMemory:
    """The memory by itself."""

    def test_it_never_holds_more(self) -> None:
        known = Refusals()
        most = 0
        for number in range(3 * memory.MOST):
            known.remember(f"name{number}", OriginalNotFound("none"))
            most = max(most, len(known._entries))
        assert most == memory.MOST
        with pytest.raises(OriginalNotFound):
            known.check(f"name{number}")

    def test_what_is_over_makes_room_first(
        self, monkeypatch: pytest.MonkeyPatch, later: Callable[[float], None]
    ) -> None:
        monkeypatch.setattr(memory, "MOST", 3)
        known = Refusals()
        known.remember("old", OriginalNotFound("none"))
        known.remember("older", OriginalNotFound("none"))
        later(9)
        known.remember("young", OriginalNotFound("none"))
        later(11)
        known.remember("new", OriginalNotFound("none"))
        for name in ("young", "new"):
            with pytest.raises(OriginalNotFound):
                known.check(name)
        known.check("old")
        known.check("older")

    def test_errors_do_not_grow(self) -> None:
        """An error that is raised again grows by a traceback, and keeps alive what its frames hold."""
        known = Refusals()
        try:
            raise CorruptImage("cut short")
        except CorruptImage as error:
            known.remember("name", error)
        raised: list[LazyImagesError] = []
        for _ in range(100):
            with pytest.raises(CorruptImage, match="cut short") as caught:
                known.check("name")
            raised.append(caught.value)
        assert len({id(error) for error in raised}) == 100
        assert len({_length(error) for error in raised}) == 1
        ((_, held),) = known._entries.values()
        assert held.__traceback__ is None
        assert held.__context__ is None

    def test_threads_may_share_it(self) -> None:
        known = Refusals()
        barrier = Barrier(8)

        def work(number: int) -> int:
            barrier.wait()
            refused = 0
            for turn in range(2000):
                name = f"{number % 2}-{turn % 50}"
                known.remember(name, OriginalNotFound(name))
                with pytest.raises(OriginalNotFound, match=name):
                    known.check(name, also=f"variant of {name}")
                refused += 1
            return refused

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(work, range(8))) == 16_000


def _length(error: BaseException) -> int:
    count, frame = 0, error.__traceback__
    while frame is not None:
        count, frame = count + 1, frame.tb_next
    return count
