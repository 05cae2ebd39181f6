"""Late arrivals: requests at the resizer for variants that have existed for a while.

In `redirect` and `failover` the CDN asks the resizer for what is missing, and a variant is missing once. When
those that exist keep arriving, the CDN is set wrong: it keeps S3's redirects, or may not read the bucket.

They are counted by the minute in a small file beside the locks, for all processes of this machine.
"""

import fcntl
import logging
import os
import struct
import time
from contextlib import suppress

from django.core.exceptions import ImproperlyConfigured

from lazyimages import locks
from lazyimages.keys import VariantKey

logger = logging.getLogger("lazyimages")

LATE_SECONDS = 60  # a variant this old is no race between the CDN's question and whoever made it
MANY = 10  # in an hour; a crawler may follow one old redirect
_MINUTES = 60
_SLOT = struct.Struct("<II")  # the minute since the epoch, and how many arrived in it

_told = 0.0  # when this process last wrote a line about them, by time.monotonic


def note(key: VariantKey, age: float) -> None:
    """Count that a variant of this age, in seconds, was asked of the resizer, if that is late.

    One arrival a minute and process is logged.
    """
    if age > LATE_SECONDS:
        _count_and_tell(f"key={key.quoted} age_s={age:.0f}")


def note_sent_away() -> None:
    """Count that a browser came by a routing rule of the bucket, where the CDN itself should have asked."""
    _count_and_tell("sent_by=routing-rule")


def _count_and_tell(what: str) -> None:
    global _told
    with suppress(OSError, ImproperlyConfigured):  # a full disk: the line in the log is there all the same
        _count()
    if time.monotonic() - _told >= 60 or not _told:
        _told = time.monotonic()
        logger.warning("cdn misconfigured: %s late_arrivals_last_hour=%d", what, in_the_last_hour())


def in_the_last_hour() -> int:
    """Return how many arrived late on this machine in the last 60 minutes; 0 where that is not known."""
    try:
        file = os.open(_path(), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except (OSError, ImproperlyConfigured):  # which renders say more clearly
        return 0
    try:
        data = os.pread(file, _MINUTES * _SLOT.size, 0)
    finally:
        os.close(file)
    oldest = _minute() - _MINUTES
    slots = _SLOT.iter_unpack(data[: len(data) // _SLOT.size * _SLOT.size])
    return sum(count for minute, count in slots if minute > oldest)


def _count() -> None:
    file = os.open(_path(), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        now = _minute()
        place = now % _MINUTES * _SLOT.size
        held = os.pread(file, _SLOT.size, place).ljust(_SLOT.size, b"\0")
        minute, count = _SLOT.unpack(held)
        os.pwrite(file, _SLOT.pack(now, count + 1 if minute == now else 1), place)
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)
        os.close(file)


def _path() -> str:
    return str(locks.directory() / "late-arrivals")


def _minute() -> int:
    return int(time.time() // 60)
