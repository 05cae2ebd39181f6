"""A bucket to be purged: what is in it, how old it is, and what the command says."""

import os
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

from django.core.files.storage import storages
from django.core.management import call_command

from lazyimages import storage
from tests.conftest import BUCKET

DAY = 24 * 3600
BOWL = "produs_1/bowl.aaaaaaaaaa.jpg"
VASE = "produs_2/vase.bbbbbbbbbb.jpg"
# What others have put there; some of it looks like ours.
FOREIGN = (
    "banners/480w/summer.jpg",
    "videos/480h/clip.mp4",
    "a/b/360x270/x.txt",
    "480h/readme",
    "produs_1/0480h/bowl.jpg",
    "produs_1/480h/line\nbreak.jpg",
    "produs_1/480h/bowl.aaaaaaaaaa.jpg.bak",
    "produs_1/notes.txt",
    "produs_1/manual.pdf",
    "incoming/480h/sent.cccccccccc.jpg",
    "incoming/sent.cccccccccc.jpg",
)


def put(*keys: str, length: int = 10) -> None:
    """Store variants, or whatever else lies in their bucket."""
    for key in keys:
        storage.put_variant(key, b"x" * length, "image/jpeg")


def put_originals(*names: str, length: int = 100) -> None:
    for name in names:
        storage.put_original(name, b"x" * length, "image/jpeg")


def left() -> set[str]:
    """Return the names of all that is in both storages."""
    return set(storage.iter_keys()) | set(storage.iter_originals())


def age(seconds: float, *names: str) -> None:
    """Make files or objects older."""
    when = time.time() - seconds
    for name in names:
        for alias in ("default", "lazyimages"):
            place = storages[alias]
            if storage.is_s3(place):
                from moto.s3.models import s3_backends

                (backend,) = [one["aws"] for one in s3_backends.values() if BUCKET in one["aws"].buckets]
                backend.buckets[BUCKET].keys[name].last_modified = datetime.now(UTC).replace(
                    tzinfo=None
                ) - timedelta(seconds=seconds)
            elif place.exists(name):
                os.utime(place.path(name), (when, when))


def purge(*arguments: Any, **options: Any) -> str:
    """Run the command and return what it prints."""
    out = StringIO()
    call_command(
        "lazyimages_purge", *arguments, stdout=out, stderr=options.pop("stderr", StringIO()), **options
    )
    return out.getvalue()


def sizes_of(names: Iterable[str], size: str) -> set[str]:
    return {name for name in names if f"/{size}/" in name}
