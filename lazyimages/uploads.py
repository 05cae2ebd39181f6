"""Uploads: whether a file may become an original, found out before anything is stored."""

from __future__ import annotations  # django-stubs has File generic, Django has not

import logging
import time
from collections.abc import Callable
from typing import Any

from django.core.files.base import File

from lazyimages import conf, current, formats, heap, keys, placeholders, sizes, thumbhash
from lazyimages.engines import trial as trials
from lazyimages.engines.base import Job, Probe
from lazyimages.exceptions import Busy, ImageError, ImageTooLarge
from lazyimages.formats import Format
from lazyimages.slots import Slots, weight
from lazyimages.storage import put_original

logger = logging.getLogger("lazyimages")

_MARK = "_lazyimages_probe"
_TRIAL = "_lazyimages_trial"
_PLACEHOLDER = "_lazyimages_placeholder"
_decodes = Slots()  # of uploads: their own, so that neither they nor variants wait for the other


def inspect(file: File[Any], client_name: str) -> Probe:
    """Return what an upload is, after decoding all of it once.

    Raises `ImageError` or `RefusedName`, whose text is fit for the person who uploads; `ImageError` too
    when so many files are being decoded that no turn comes within RENDER_WAIT seconds. The result is kept
    on the file object, so that a form and the model behind it decode the file once together.
    """
    keys.check_client_name(client_name)
    known: Probe | None = getattr(file, _MARK, None)
    if known is not None:
        return known
    data = read(file)
    probe = current.engine().probe(data, limits=current.limits())
    # A header may promise what the rest does not hold; only decoding shows it.
    trial = Job(
        plan=sizes.parse("64w" if probe.width >= probe.height else "64h").plan(probe.width, probe.height),
        format=formats.PNG,
        quality=None,
        background="#ffffff",
        animation="first",
    )
    setattr(file, _TRIAL, _decode(data, probe, trial))
    setattr(file, _MARK, probe)
    return probe


def mark(file: File[Any], probe: Probe) -> None:
    """Have `inspect` return this for a file that has been looked at elsewhere."""
    setattr(file, _MARK, probe)


def store(file: File[Any], name: str, format: Format) -> str:
    """Store an upload as an original and return its name; one that is on S3 already is copied there."""
    store_as: Callable[[str, str], str] | None = getattr(file, "store_as", None)
    if store_as is not None:
        return store_as(name, format.media_type)
    return put_original(name, read(file), format.media_type)


def placeholder(file: File[Any]) -> str:
    """Return the placeholder of an upload that was inspected, for the row; empty for any other.

    It is made once, of what the inspection decoded. An engine whose trial cannot be read leaves it empty.
    """
    png: bytes | None = getattr(file, _TRIAL, None)
    if png is not None:
        text = ""
        try:
            text = placeholders.text(*trials.pixels(png, most=thumbhash.MOST_SIDE))
        except ValueError as error:
            logger.warning("no placeholder: %s", error)
        setattr(file, _PLACEHOLDER, text)
        delattr(file, _TRIAL)
    known: str = getattr(file, _PLACEHOLDER, "")
    return known


def _decode(data: bytes, probe: Probe, trial: Job) -> bytes:
    """Return the trial, holding as many of MAX_RENDERS slots as the memory for it is worth."""
    engine, settings = current.engine(), conf.settings()
    cost = engine.cost(probe, [trial])
    heavy, deadline = weight(cost, of=settings.max_renders), time.monotonic() + settings.render_wait
    try:
        with _decodes.take(heavy, of=settings.max_renders, deadline=deadline):
            try:
                (made,) = engine.render(data, [trial], limits=current.limits())
                return made.data
            finally:
                if cost > heap.LARGE:
                    heap.give_back()
    except Busy as error:
        raise ImageError("many files are being uploaded right now; try again in a moment") from error


def dimensions(file: File[Any]) -> tuple[int, int] | None:
    """Return the oriented width and height that an upload's header says, or None when it says none."""
    known: Probe | None = getattr(file, _MARK, None)
    try:
        probe = known or current.engine().probe(read(file), limits=current.limits())
    except ImageError:
        return None
    return probe.width, probe.height


def read(file: File[Any]) -> bytes:
    """Return all bytes of an upload and rewind it; `ImageTooLarge` beyond MAX_BYTES, unread."""
    most = current.limits().max_bytes
    if file.size > most:
        raise ImageTooLarge(f"the file has {file.size:,} bytes; at most {most:,} are allowed")
    if file.closed:
        file.open("rb")
    file.seek(0)
    data: bytes = file.read()
    file.seek(0)
    return data
