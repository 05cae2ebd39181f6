"""The one flow from a key to a variant: look, wait one's turn, look again, make, store."""

import logging
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Literal, cast
from urllib.parse import quote

from lazyimages import conf, current, heap, signals, storage
from lazyimages.engines.base import Job, Probe, Rendered
from lazyimages.exceptions import LazyImagesError, StorageUnavailable
from lazyimages.keys import VariantKey
from lazyimages.locks import Flight
from lazyimages.slots import Slots, weight
from lazyimages.storage import Stored

logger = logging.getLogger("lazyimages")

_originals = Slots()  # of those in memory: being read, waiting for their render, or rendered
_renders = Slots()
_READ_AHEAD = 2  # originals in memory for each render slot, so that reading does not keep a processor idle


class How(Enum):
    """How a variant came about."""

    FOUND = auto()  # it was there already
    WAITED = auto()  # somebody else made it while we waited
    MADE = auto()  # made and stored now
    UNSAVED = auto()  # made now, but the storage did not take it


class Spent:
    """The time that the stages of one render have taken."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        """Add the time of the block to a stage."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[stage] += time.perf_counter() - started

    def ms(self, stage: str) -> float:
        """Return the milliseconds of a stage."""
        return 1000 * self._seconds[stage]


@dataclass(frozen=True, kw_only=True, slots=True)
class Variant:
    """The bytes of a variant, and how they came about; `last_modified` when they were read back."""

    data: bytes
    how: How
    last_modified: datetime | None = None


def get_or_make(key: VariantKey) -> Variant:
    """Return a variant, made and stored if it was missing; once, however many ask.

    The key must be allowed by the settings. Raises `OriginalNotFound`, `StorageUnavailable`, `Busy`, and
    what the engine raises. On S3 a missing variant costs one GET of it, one of the original, one PUT.
    """
    try:
        return _get_or_make(key)
    except LazyImagesError as error:
        _failed(key, error)
        raise


def _get_or_make(key: VariantKey) -> Variant:
    name = str(key)

    def look() -> Stored | None:
        return storage.get_variant(name)

    deadline = time.monotonic() + conf.settings().render_wait
    with Flight(name) as flight:
        if (stored := look()) is not None:
            return Variant(data=stored.data, how=How.FOUND, last_modified=stored.last_modified)
        with flight.turn(look, deadline=deadline) as stored:
            if stored is not None:
                return Variant(data=stored.data, how=How.WAITED, last_modified=stored.last_modified)
            return _make(key, flight, deadline)


def _make(key: VariantKey, flight: Flight, deadline: float) -> Variant:
    spent = Spent()
    probe, rendered, original_bytes = _render(key, deadline, spent)
    with spent.time("put"):
        how = _store(key, rendered, flight)
    logger.info(
        "rendered key=%s size=%s format=%s engine=%s wait_ms=%.1f get_ms=%.1f render_ms=%.1f put_ms=%.1f "
        "original_bytes=%d bytes=%d stored=%s",
        *(_quoted(key), key.size, key.format.name, type(current.engine()).__name__),
        *(spent.ms(stage) for stage in ("wait", "get", "render", "put")),
        *(original_bytes, len(rendered.data), "yes" if how is How.MADE else "no"),
    )
    if how is How.MADE:
        signals.variant_created.send_robust(
            sender=None,
            key=str(key),
            original=key.original,
            probe=probe,
            width=rendered.width,
            height=rendered.height,
            size=len(rendered.data),
        )
    return Variant(data=rendered.data, how=how)


def _render(key: VariantKey, deadline: float, spent: Spent) -> tuple[Probe, Rendered, int]:
    """Return what the header says, the variant, and the size of the original in bytes."""
    settings = conf.settings()
    with ExitStack() as place:
        with spent.time("wait"):
            place.enter_context(_originals.take(of=_READ_AHEAD * settings.max_renders, deadline=deadline))
        with spent.time("get"):
            original = storage.get_original(key.original, limit=settings.max_bytes)
        probe, (rendered,) = render_jobs(original, [key], deadline=deadline, spent=spent)
        return probe, rendered, len(original)


def render_jobs(
    original: bytes, wanted: Sequence[VariantKey], *, deadline: float, spent: Spent
) -> tuple[Probe, list[Rendered]]:
    """Return what the header says, and variants of one original's bytes from one decode.

    Waits for as many render slots as their memory is worth; `Busy` at `deadline` (of `time.monotonic`).
    """
    settings = conf.settings()
    engine, limits = current.engine(), current.limits()
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
        with spent.time("wait"):
            slots.enter_context(_renders.take(heavy, of=settings.max_renders, deadline=deadline))
        with spent.time("render"):
            try:
                return probe, engine.render(original, jobs, limits=limits)
            finally:
                if cost > heap.LARGE:
                    heap.give_back()


def _store(key: VariantKey, rendered: Rendered, flight: Flight) -> How:
    try:
        storage.put_variant(str(key), rendered.data, key.format.media_type)
    except StorageUnavailable as error:
        _failed(key, error)
        return How.UNSAVED
    flight.finished()
    return How.MADE


def _failed(key: VariantKey, error: LazyImagesError) -> None:
    logger.warning("failed key=%s error=%s %s", _quoted(key), type(error).__name__, error)
    signals.variant_failed.send_robust(sender=None, key=str(key), original=key.original, error=error)


def _quoted(key: VariantKey) -> str:
    return quote(str(key), safe="/~")
