"""Warming on S3: how many requests it takes, and a bucket that is busy, refuses, or changes meanwhile."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from botocore import handlers
from botocore.awsrequest import AWSResponse
from django.core.management import CommandError, call_command

from lazyimages import keys, render, storage
from lazyimages.operations import run as running
from lazyimages.operations import warm
from lazyimages.operations.warming.wanted import Wanted
from tests.conftest import BUCKET, jpeg
from tests.host.models import Photo

pytestmark = pytest.mark.django_db

SIZES = ["1280w", "360x270", "480h"]
NAMES = [f"produs_{number:03}/img.jpg" for number in range(12)]


@pytest.fixture
def shop(s3: Any) -> Any:
    """Put twelve originals into the bucket, with a row each."""
    for name in NAMES:
        s3.put_object(Bucket=BUCKET, Key=name, Body=jpeg(160, 120))
    Photo.objects.bulk_create([Photo(image=name) for name in NAMES])
    return s3


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record for how long would have been slept; nobody sleeps."""
    slept: list[float] = []
    monkeypatch.setattr(running._patient.retry, "sleep", slept.append)  # type: ignore[attr-defined]
    return slept


class Raw:
    """The body of an answer."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def stream(self, **options: Any) -> Iterator[bytes]:
        yield self._data


@pytest.fixture
def refusing() -> Iterator[Callable[..., Counter[str]]]:
    """Have S3 refuse: `refusing("SlowDown", "PutObject", every=3)`; counts what was refused."""
    entries: list[Any] = []
    stopped: list[bool] = []

    def begin(code: str, *operations: str, every: int = 1, after: int = 0) -> Counter[str]:
        asked: Counter[str] = Counter()
        refused: Counter[str] = Counter()

        def answer(request: Any, event_name: str, **kwargs: Any) -> AWSResponse | None:
            operation = event_name.rpartition(".")[2]
            asked[operation] += 1
            if (
                stopped
                or operation not in operations
                or asked[operation] % every
                or asked[operation] <= after
            ):
                return None
            refused[operation] += 1
            status = 403 if code == "AccessDenied" else 503
            body = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()
            return AWSResponse(request.url, status, {"content-type": "application/xml"}, Raw(body))  # type: ignore[arg-type]

        entry = ("before-send.s3", answer)
        handlers.BUILTIN_HANDLERS.append(entry)
        entries.append(entry)
        return refused

    begin.stop = lambda: stopped.append(True)  # type: ignore[attr-defined]
    yield begin
    for entry in entries:
        handlers.BUILTIN_HANDLERS.remove(entry)


def told(*arguments: str) -> Any:
    out = StringIO()
    call_command("lazyimages_warm", *arguments, "--format", "json", stdout=out, stderr=StringIO())
    return json.loads(out.getvalue())


def test_as_few_requests_as_can_be(shop: Any, s3_calls: list[str]) -> None:
    assert told("--sizes", *SIZES)["done"] == 36
    assert Counter(s3_calls) == {"ListObjectsV2": 1, "GetObject": 12, "PutObject": 36}
    s3_calls.clear()
    answer = told("--sizes", *SIZES)
    assert (answer["existing"], answer["done"]) == (36, 0)
    assert s3_calls == ["ListObjectsV2"]


def test_slow_down_is_waited_for(
    shop: Any, refusing: Callable[..., Counter[str]], pauses: list[float], s3_calls: list[str]
) -> None:
    refused = refusing("SlowDown", "PutObject", "GetObject", "ListObjectsV2", every=3)
    told("--sizes", *SIZES)
    answer = told("--sizes", *SIZES)
    assert answer["existing"] == 36
    assert refused["PutObject"] > 10
    assert refused["GetObject"] > 3
    assert len(pauses) >= refused["PutObject"] + refused["GetObject"]
    # What was stored is not stored again for another's sake.
    assert Counter(s3_calls)["PutObject"] == 36 + refused["PutObject"]


def test_a_storage_that_stays_away_ends_it_and_resume_goes_on(
    shop: Any, refusing: Callable[..., Counter[str]], pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm, "KEYS", 6)
    refused = refusing("SlowDown", "PutObject", after=8)
    with pytest.raises(
        CommandError, match=r"Stopped: .*SlowDown.* 6 are done in 1 batches.* --resume"
    ) as end:
        told("--sizes", *SIZES, "--concurrency", "1")
    assert end.value.returncode == 1
    assert refused["PutObject"] == running.TRIES  # and not that many times that many
    refusing.stop()  # type: ignore[attr-defined]
    answer = told("--sizes", *SIZES, "--resume")
    assert answer["existing"] > 0  # of the batch in which it ended
    assert answer["existing"] + answer["done"] == 36


def test_a_refusal_says_which_right_is_missing(
    shop: Any, refusing: Callable[..., Counter[str]], pauses: list[float]
) -> None:
    refusing("AccessDenied", "PutObject")
    with pytest.raises(CommandError, match="on S3 it needs s3:PutObject"):
        told("--sizes", "480h")
    assert pauses == []


def test_originals_that_may_not_be_read(
    shop: Any, refusing: Callable[..., Counter[str]], pauses: list[float]
) -> None:
    refusing("AccessDenied", "GetObject")
    with pytest.raises(CommandError, match=r"give this application s3:GetObject on the originals"):
        told("--sizes", "480h")
    assert pauses == []


class TestListing:
    def test_it_goes_on_where_it_broke_off(
        self, shop: Any, refusing: Callable[..., Counter[str]], pauses: list[float], s3_calls: list[str]
    ) -> None:
        names = [f"x/{number:04}.jpg" for number in range(1050)]
        for name in names:
            shop.put_object(Bucket=BUCKET, Key=name.replace("/", "/480h/"), Body=b"")
        s3_calls.clear()
        refusing("SlowDown", "ListObjectsV2", every=2)
        with Wanted() as wanted:
            wanted.add_originals(names, lambda name: ([name.replace("/", "/480h/")], None), "")
            assert wanted.strike_out_stored(lambda number: None) == 1050
            assert wanted.totals() == (0, 0)
        assert Counter(s3_calls)["ListObjectsV2"] <= 4

    def test_a_bucket_that_changes_meanwhile(self, shop: Any) -> None:
        there = [f"{name.replace('/', '/480h/')}" for name in NAMES]
        for key in there[:6]:
            shop.put_object(Bucket=BUCKET, Key=key, Body=b"made before")
        listed: list[str] = []

        def change(model: Any, **kwargs: Any) -> None:
            """Do, once it has been listed, what others may do at any time."""
            listed.append("once")
            if len(listed) == 1:
                shop.put_object(Bucket=BUCKET, Key=there[7], Body=b"made by a request")
                shop.delete_object(Bucket=BUCKET, Key=there[0])
                shop.delete_object(Bucket=BUCKET, Key=NAMES[9])
                shop.put_object(Bucket=BUCKET, Key="produs_000/480h/foreign.txt", Body=b"somebody's")

        entry = ("after-call.s3.ListObjectsV2", change)
        handlers.BUILTIN_HANDLERS.append(entry)
        try:
            with pytest.raises(SystemExit):
                told("--sizes", "480h")
        finally:
            handlers.BUILTIN_HANDLERS.remove(entry)
        now = {entry.name for entry in storage.entries()}
        assert set(there) - now == {there[0], there[9]}
        assert "produs_000/480h/foreign.txt" in now
        alone = render.make_all(NAMES[7], [keys.parse(there[7])])[keys.parse(there[7])]
        assert isinstance(alone, render.Variant)
        stored = storage.get_variant(there[7])
        assert stored is not None
        assert stored.data == alone.data
