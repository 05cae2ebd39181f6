"""Whether the storage can be read and written now, and whether the CDN is set right.

The storage is tried out with one object of a fixed name, so that even a process that is killed in between
leaves nothing that the next look would not remove.
"""

import os
import threading
import time
from dataclasses import dataclass

from django.core.signals import setting_changed

from lazyimages import arrivals, conf, storage
from lazyimages.exceptions import LazyImagesError, OriginalNotFound

SECONDS = 60  # for which a look at the storage is remembered, in each process
_FILE = "lazyimages-health.jpg"
_CONTENT = b"lazyimages looks whether it can write here\n"

_ADVICE = {
    "redirect": (
        "Variants that exist keep arriving at the resizer: the CDN keeps S3's redirects. Set minimum and "
        "default TTL of its cache policy to 0, and invalidate /*."
    ),
    "failover": (
        "Variants that exist keep arriving at the resizer: the CDN may not read the bucket, or its first "
        "origin is the website endpoint. Run lazyimages_setup_bucket, which removes our routing rules, let "
        "the first origin be the bucket itself with origin access control, and invalidate /*."
    ),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class StorageState:
    """Whether originals and variants can be read, and variants be written and deleted."""

    read: bool
    write: bool


_lock = threading.Lock()
_known: tuple[float, StorageState] | None = None


def _forget(**kwargs: object) -> None:
    global _lock, _known
    _lock, _known = threading.Lock(), None


os.register_at_fork(after_in_child=_forget)
setting_changed.connect(_forget)


def storage_state() -> StorageState:
    """Return what the storage can do, looked up at most once a minute; while one looks, others go on.

    A look is a GET of an original that is not there, and a PUT, GET and DELETE of a variant.
    """
    global _known
    known = _known
    if known is not None and (known[0] > time.monotonic() or _lock.locked()):
        return known[1]
    with _lock:
        if _known is known or _known is None:
            _known = (time.monotonic() + SECONDS, _look())
        return _known[1]


def advice() -> str:
    """Return what to do about the CDN; an empty text when there is nothing to be done."""
    if arrivals.in_the_last_hour() < arrivals.MANY:
        return ""
    return _ADVICE.get(conf.settings().delivery, "")


def _look() -> StorageState:
    read, write = _variants()
    if read is None:  # another process has deleted it between our writing and reading, but hardly twice
        read, write = _variants()
    return StorageState(read=bool(read) and _reads_originals(), write=write)


def _deadline() -> float:
    return time.monotonic() + conf.settings().render_wait


def _reads_originals() -> bool:
    try:
        storage.get_original(_FILE, limit=len(_CONTENT), deadline=_deadline())
    except OriginalNotFound:
        return True
    except LazyImagesError:
        return False
    return True


def _variants() -> tuple[bool | None, bool]:
    """Return whether variants can be read, or None when what was written was not there, and be written."""
    key = f"{next(iter(conf.settings().whitelist), '1w')}/{_FILE}"
    deadline = _deadline()
    try:
        storage.put_variant(key, _CONTENT, "text/plain", deadline=deadline)
        written = True
    except LazyImagesError:
        written = False
    read: bool | None
    try:
        found = storage.get_variant(key, deadline=deadline)
        read = None if written and found is None else True
    except LazyImagesError:
        read = False
    if not written:
        return read, False
    try:
        storage.delete([key])
    except LazyImagesError:
        return read, False
    return read, True
