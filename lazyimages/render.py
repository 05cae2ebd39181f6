"""The one flow from a key to a variant: look, wait one's turn, look again, make, store."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Literal, cast
from urllib.parse import quote

from lazyimages import conf, current, signals, storage
from lazyimages.engines.base import Job, Probe, Rendered
from lazyimages.exceptions import LazyImagesError, StorageUnavailable
from lazyimages.keys import VariantKey
from lazyimages.locks import Flight, Slots
from lazyimages.storage import Stored

logger = logging.getLogger("lazyimages")

_slots = Slots()


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
    settings = conf.settings()
    started = time.perf_counter()
    original = storage.get_original(key.original, limit=settings.max_bytes)
    read = time.perf_counter()
    with _slots.one(of=settings.max_renders, deadline=deadline):
        waited = time.perf_counter()
        probe, (rendered,) = render_jobs(original, [key])
    made = time.perf_counter()
    how = _store(key, rendered, flight)
    stored = time.perf_counter()
    logger.info(
        "rendered key=%s size=%s format=%s engine=%s wait_ms=%.1f get_ms=%.1f render_ms=%.1f put_ms=%.1f "
        "original_bytes=%d bytes=%d stored=%s",
        *(_quoted(key), key.size, key.format.name, type(current.engine()).__name__),
        *(1000 * span for span in (waited - read, read - started, made - waited, stored - made)),
        *(len(original), len(rendered.data), "yes" if how is How.MADE else "no"),
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


def render_jobs(original: bytes, wanted: Sequence[VariantKey]) -> tuple[Probe, list[Rendered]]:
    """Return what the header says, and variants of one original's bytes from one decode."""
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
        )
        for key in wanted
    ]
    return probe, engine.render(original, jobs, limits=limits)


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
