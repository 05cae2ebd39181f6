"""The one flow from a key to a variant: look, wait one's turn, look again, make, store."""

import logging
import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from functools import partial
from typing import Literal, Protocol, TypeVar, cast

from lazyimages import conf, current, heap, signals, storage
from lazyimages.crew import crew
from lazyimages.engines.base import Job, Probe, Rendered
from lazyimages.exceptions import (
    Busy,
    CannotEncode,
    EncoderMissing,
    ImageError,
    LazyImagesError,
    OriginalNotFound,
    StorageUnavailable,
)
from lazyimages.keys import VariantKey
from lazyimages.locks import Flight
from lazyimages.refusals import refusals
from lazyimages.slots import Slots, weight
from lazyimages.stopwatch import Stopwatch
from lazyimages.storage import Stored
from lazyimages.tally import Tally

logger = logging.getLogger("lazyimages")

T = TypeVar("T")

_places = Slots()  # of requests that render, or wait for a lock or a slot
_originals = Slots()  # of those in memory: being read, waiting for their render, or rendered
_renders = Slots()
_refused = Tally()
_RENDER = ("decode", "resize", "encode")
_FREE_THREADS = 2  # of a worker, for variants that are there and for all that is not an image
_READ_AHEAD = 2  # originals in memory for each render slot, so that reading does not keep a processor idle


class _NoPlace(Busy):
    """Refused at once, which happens by the hundred a second."""


class How(Enum):
    """How a variant came about."""

    FOUND = auto()  # it was there already
    WAITED = auto()  # somebody else made it while we waited
    MADE = auto()  # made and stored now
    UNSAVED = auto()  # made now, but the storage did not take it


@dataclass(frozen=True, kw_only=True, slots=True)
class Variant:
    """The bytes of a variant, and how they came about; `last_modified` when they were read back."""

    data: bytes
    how: How
    last_modified: datetime | None = None


def get_or_make(key: VariantKey, watch: Stopwatch | None = None) -> Variant:
    """Return a variant, made and stored if it was missing; once, however many ask.

    The key must be allowed by the settings. Raises `OriginalNotFound`, `StorageUnavailable`, `Busy`, and
    what the engine raises. On S3 a missing variant costs one GET of it, one of the original, one PUT; one
    that was refused for its original's sake in the last seconds costs nothing.

    `watch` gets the times of `wait`, `read`, `decode`, `resize`, `encode` and `store`; `render` in place of
    the middle three from an engine that does not measure them.
    """
    watch = watch or Stopwatch()
    refusals.check(str(key))
    try:
        return _get_or_make(key, watch)
    except LazyImagesError as error:
        if not error.remembered:
            _failed(key, error, watch)
        raise


def _get_or_make(key: VariantKey, watch: Stopwatch) -> Variant:
    name = str(key)
    deadline = time.monotonic() + conf.settings().render_wait

    def look() -> Stored | None:
        with watch.stage("read"):
            return storage.get_variant(name, deadline=deadline)

    if _no_place():  # then without opening the lock's file: what is refused by the hundred has to cost little
        if (stored := look()) is not None:
            return Variant(data=stored.data, how=How.FOUND, last_modified=stored.last_modified)
        refusals.check(key.original, longer=True)
        raise _NoPlace("all places for renders in this process are taken")
    with Flight(name) as flight:
        if (stored := look()) is not None:
            return Variant(data=stored.data, how=How.FOUND, last_modified=stored.last_modified)
        refusals.check(key.original, also=name)
        with ExitStack() as turn:
            with watch.stage("wait"):
                turn.enter_context(_place())
                stored = turn.enter_context(flight.turn(look, deadline=deadline))
            if stored is not None:
                return Variant(data=stored.data, how=How.WAITED, last_modified=stored.last_modified)
            refusals.check(key.original, also=name)  # somebody else may have been refused meanwhile
            return _make(key, flight, deadline, watch)


def _place_count() -> int | None:
    """Return how many threads may render or wait; None is any number."""
    threads = conf.settings().threads
    return None if threads is None else max(1, threads - _FREE_THREADS)


def _no_place() -> bool:
    """Tell whether all threads that may render or wait are taken at this moment."""
    places = _place_count()
    return places is not None and _places.full(of=places)


def _place() -> AbstractContextManager[None]:
    """Hold one of the threads that may render or wait; `Busy` at once when there is none."""
    places = _place_count()
    return nullcontext() if places is None else _places.take(of=places, deadline=0, error=_NoPlace)


def _make(key: VariantKey, flight: Flight, deadline: float, watch: Stopwatch) -> Variant:
    try:
        probe, rendered, original_bytes = _render(key, deadline, watch)
    except (OriginalNotFound, ImageError) as error:
        # Of the original only what is the same for all of its variants.
        if not isinstance(error, CannotEncode) and not isinstance(error.__cause__, MemoryError):
            refusals.remember(key.original, error)
        refusals.remember(str(key), error)
        raise
    how = _store(key, rendered, flight, watch)
    _made(key, probe, rendered, original_bytes, how, watch)
    return Variant(data=rendered.data, how=how)


def _made(
    key: VariantKey, probe: Probe, rendered: Rendered, original_bytes: int, how: How, watch: Stopwatch
) -> None:
    """Tell the log, and who listens, that a variant was made."""
    seconds = watch.seconds
    logger.info(
        "rendered key=%s size=%s format=%s engine=%s wait_ms=%.1f read_ms=%.1f decode_ms=%.1f resize_ms=%.1f "
        "encode_ms=%.1f render_ms=%.1f store_ms=%.1f original_bytes=%d bytes=%d stored=%s",
        *(key.quoted, key.size, key.format.name, type(current.engine()).__name__),
        *(1000 * seconds.get(stage, 0) for stage in ("wait", "read", *_RENDER)),
        *(1000 * sum(seconds.get(stage, 0) for stage in (*_RENDER, "render")), 1000 * seconds["store"]),
        *(original_bytes, len(rendered.data), "yes" if how is How.MADE else "no"),
    )
    if how is How.MADE:
        signals.variant_created.send_robust(
            sender=None,
            key=str(key),
            original=key.original,
            probe=probe,
            format=key.format,
            width=rendered.width,
            height=rendered.height,
            size=len(rendered.data),
            seconds=seconds,
        )


def _storage_deadline(watch: Stopwatch) -> float:
    """Return until when the storage may take: RENDER_WAIT in all, in which waits and renders do not count."""
    return time.monotonic() + conf.settings().render_wait - watch.seconds.get("read", 0)


def _render(key: VariantKey, deadline: float, watch: Stopwatch) -> tuple[Probe, Rendered, int]:
    """Return what the header says, the variant, and the size of the original in bytes."""
    settings = conf.settings()
    with _originals.take(of=_READ_AHEAD * settings.max_renders, deadline=deadline):
        until = _storage_deadline(watch)
        with watch.stage("read"):
            original = storage.get_original(key.original, limit=settings.max_bytes, deadline=until)
        probe, (rendered,) = render_jobs(original, [key], deadline=deadline, watch=watch)
        return probe, rendered, len(original)


def render_jobs(
    original: bytes, wanted: Sequence[VariantKey], *, deadline: float, watch: Stopwatch
) -> tuple[Probe, list[Rendered]]:
    """Return what the header says, and variants of one original's bytes from one decode.

    Waits for as many render slots as their memory is worth; `Busy` at `deadline` (of `time.monotonic`).
    """
    settings = conf.settings()
    engine, limits = current.engine(), current.limits()
    with watch.stage("decode"):
        probe = engine.probe(original, limits=limits)
    jobs = [
        Job(
            plan=key.size.plan(probe.width, probe.height, key.focal),
            format=key.format,
            quality=settings.quality.get(key.format.name),
            background=settings.background,
            animation=cast(Literal["keep", "first"], settings.animation),
            effort=cast(Literal["fast", "small"], settings.effort),
        )
        for key in wanted
    ]
    cost = engine.cost(probe, jobs)
    heavy = weight(cost, of=settings.max_renders)
    with ExitStack() as slots:
        with watch.stage("wait"):
            slots.enter_context(_renders.take(heavy, of=settings.max_renders, deadline=deadline))
        own, seconds = Stopwatch(), dict[str, float]()
        try:
            rendered = crew.do(lambda: engine.render(original, jobs, limits=limits))
            seconds.update(rendered[0].seconds if rendered else {})
            return probe, rendered
        finally:
            watch.add(seconds or {"render": own.total})
            if cost > heap.LARGE:
                heap.give_back()


class Patience(Protocol):
    """Calls what asks a storage, and may call it again when that fails."""

    def __call__(self, call: Callable[[], T], /) -> T:
        """Return what the call returns."""


def _at_once(call: Callable[[], T], /) -> T:
    return call()


def make_all(
    original: str, wanted: Sequence[VariantKey], *, patiently: Patience = _at_once
) -> dict[VariantKey, Variant | LazyImagesError]:
    """Make and store variants of one original, from one read and one decode, whether they are there or not.

    Returns for each key the variant, or why it cannot be encoded, which does not keep the others from being
    made. Raises `OriginalNotFound`, `ImageError` for what is wrong with the original, and
    `StorageUnavailable`; then those before are stored. It is for work ahead of time: it waits for its slots
    without end.

    No lock is held, which for so long would keep requests waiting. A variant that a request makes meanwhile
    is made twice, and no harm done: each is stored whole, both are right, and the last one stays.
    """
    watch = Stopwatch()
    settings = conf.settings()
    try:
        with _originals.take(of=_READ_AHEAD * settings.max_renders, deadline=math.inf):
            with watch.stage("read"):
                data = patiently(partial(storage.get_original, original, limit=settings.max_bytes))
            # What one encoder cannot write is halved away from the others: a format stays together.
            rendered = _render_each(data, sorted(wanted, key=lambda key: key.format.name), watch)
            original_bytes = len(data)
            del data
    except LazyImagesError as error:
        for key in wanted:
            _failed(key, error, watch)
        raise
    # Each has its share of what took the time for all, so that sums over variants are right.
    share = {stage: spent / max(1, len(rendered)) for stage, spent in watch.seconds.items()}
    made: dict[VariantKey, Variant | LazyImagesError] = {}
    for key, result in rendered.items():
        own = Stopwatch()
        own.add(share)
        if isinstance(result, LazyImagesError):
            _failed(key, result, own)
            made[key] = result
            continue
        probe, variant = result
        try:
            with own.stage("store"):
                patiently(partial(storage.put_variant, str(key), variant.data, key.format.media_type))
        except StorageUnavailable as error:
            _failed(key, error, own)
            raise
        _made(key, probe, variant, original_bytes, How.MADE, own)
        made[key] = Variant(data=variant.data, how=How.MADE)
    return made


def _render_each(
    original: bytes, wanted: Sequence[VariantKey], watch: Stopwatch
) -> dict[VariantKey, tuple[Probe, Rendered] | LazyImagesError]:
    """Return what `render_jobs` makes of each key, by as many calls as there have to be; mostly by one."""
    try:
        probe, rendered = render_jobs(original, wanted, deadline=math.inf, watch=watch)
        return {key: (probe, one) for key, one in zip(wanted, rendered, strict=True)}
    except (ImageError, EncoderMissing) as error:
        short_of_memory = isinstance(error.__cause__, MemoryError)
        if not isinstance(error, (CannotEncode, EncoderMissing)) and not short_of_memory:
            raise
        if len(wanted) == 1:
            return {wanted[0]: error}
    half = len(wanted) // 2
    return _render_each(original, wanted[:half], watch) | _render_each(original, wanted[half:], watch)


def _store(key: VariantKey, rendered: Rendered, flight: Flight, watch: Stopwatch) -> How:
    until = _storage_deadline(watch)
    try:
        with watch.stage("store"):
            storage.put_variant(str(key), rendered.data, key.format.media_type, deadline=until)
    except StorageUnavailable as error:
        _failed(key, error, watch)
        return How.UNSAVED
    flight.finished()
    return How.MADE


def _failed(key: VariantKey, error: LazyImagesError, watch: Stopwatch) -> None:
    if not isinstance(error, _NoPlace):
        logger.warning("failed key=%s error=%s %s", key.quoted, type(error).__name__, error)
    elif refused := _refused.add():
        logger.warning("failed key=%s error=Busy refused=%d %s", key.quoted, refused, error)
    signals.variant_failed.send_robust(
        sender=None,
        key=str(key),
        original=key.original,
        error=error,
        reason=error.reason,
        seconds=watch.seconds,
    )
