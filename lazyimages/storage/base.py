"""What every kind of storage does for lazyimages, and what it hands over."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from lazyimages.exceptions import StorageUnavailable


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """A file that was read: its bytes, and when it was written (aware; None where that is not known)."""

    data: bytes
    last_modified: datetime | None

    @property
    def etag(self) -> str:
        """The quoted MD5 of the bytes (RFC 9110, section 8.8.3)."""
        return etag(self.data)


class AccessDenied(StorageUnavailable):
    """The storage refused. For a variant on S3 that is how a missing object looks without ListBucket."""


class Backend(Protocol):
    """One kind of storage. Every method raises `StorageUnavailable` when the storage fails.

    A storage behind a network gives up at `deadline` (of `time.monotonic`); others need not heed it.
    """

    def read(self, name: str, *, limit: int | None = None, deadline: float | None = None) -> Stored | None:
        """Return a file, or None when there is none; `ImageTooLarge` beyond `limit` bytes."""

    def write(
        self,
        name: str,
        data: bytes,
        *,
        content_type: str,
        cache_control: str | None,
        deadline: float | None = None,
    ) -> str:
        """Store a file so that nobody ever sees a part of it; return the name it got."""

    def delete(self, names: Iterable[str]) -> None:
        """Delete files; those that are not there are no error."""

    def iter_names(self, prefix: str) -> Iterator[str]:
        """Yield the names that begin with `prefix`."""


def etag(data: bytes) -> str:
    """Return the ETag of a body: its quoted MD5."""
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'
