"""What every kind of storage does for lazyimages, and what it hands over."""

import hashlib
from collections.abc import Hashable, Iterable, Iterator
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """The beginning of a file, and whether that is all of it."""

    data: bytes
    whole: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A file that is there: its name, its bytes, and when it was written (None where that is not known)."""

    name: str
    size: int
    modified: datetime | None


class AccessDenied(StorageUnavailable):
    """The storage refused. For a variant on S3 that is how a missing object looks without ListBucket."""


class Backend(Protocol):
    """One kind of storage. Every method raises `StorageUnavailable` when the storage fails.

    A storage behind a network gives up at `deadline` (of `time.monotonic`); others need not heed it.
    """

    @property
    def place(self) -> Hashable:
        """Where the files are: what is equal can delete one another's in one call."""

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

    def copy(self, name: str, new_name: str) -> str | None:
        """Store a file under another name too, whole or not at all; return the name that the copy got.

        None when there is no such file.
        """

    def read_start(self, name: str, most: int) -> Start | None:
        """Return the first `most` bytes of a file, or None when there is none."""

    def find(self, names: Iterable[str]) -> Iterator[Entry]:
        """Yield which of these files are there, without reading them.

        The names come in ascending order, each once, as many as one likes.
        """

    def delete(self, names: Iterable[str]) -> None:
        """Delete files; those that are not there are no error. `NotDeleted` names what could not be."""

    def entries(self, prefix: str, after: str = "") -> Iterator[Entry]:
        """Yield the files whose names begin with `prefix` and come after `after`, in ascending order.

        The order is that of the names in UTF-8, which is S3's. What is written or deleted meanwhile may be
        among them or not.
        """


def etag(data: bytes) -> str:
    """Return the ETag of a body: its quoted MD5."""
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'
