"""The event log: one JSON line for each hop of an image request. Nothing here needs Django.

Several processes append to it. One write(2) with O_APPEND a line keeps lines whole (open(2): offset and write
are one step), and a reader passes over what is no event.
"""

import fcntl
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

CDN, S3, RESIZER, SHOP, PURGE = HOPS = "cdn", "s3", "resizer", "shop", "purge"
"""`resizer` is what the CDN saw of the shop, `shop` what the shop itself says; `purge` is no request."""

UNTRACED = "untraced"
"""The query of a URL whose request is not to be written down: the page's own thumbnails."""

ID_HEADER = "X-Amz-Cf-Id"  # with it CloudFront names a request to its origins

_MAX_BYTES = 2**20
_TAIL_BYTES = 256 * 2**10
_MAX_KEY = 1024  # S3's limit
_MAX_ID = 64


@dataclass(frozen=True, kw_only=True)
class Event:
    """One hop. `at` is Unix time at its end, `ms` its length; `request` is the CDN's id, "" without a CDN.

    `cache` is the CDN's word: hit, miss, refreshhit, error. `stages` are the resizer's, in ms. `key` of a
    purge is the original's name. `place` is where the log has it: unique, and "" before it is written.
    """

    hop: str
    key: str
    at: float
    request: str = ""
    method: str = "GET"
    status: int = 0
    ms: float = 0.0
    bytes: int = 0
    cache: str = ""
    stages: Mapping[str, float] = field(default_factory=dict)
    place: str = ""

    @property
    def began(self) -> float:
        """Unix time at the hop's beginning."""
        return self.at - self.ms / 1000


class EventLog:
    """Writes and reads the log at `path`, and at `path` + ".1" what was in it before it grew too large."""

    def __init__(self, path: Path, *, max_bytes: int = _MAX_BYTES) -> None:
        self._path = path
        self._earlier = path.with_name(path.name + ".1")
        self._max_bytes = max_bytes

    def write(self, event: Event) -> None:
        """Append one event. Whatever the disk says, the request that it is about goes on."""
        values = asdict(event) | {
            "key": event.key[:_MAX_KEY],
            "request": event.request[:_MAX_ID],
            "at": round(event.at, 4),
            "ms": round(event.ms, 1),
        }
        del values["place"]
        line = json.dumps(values, separators=(",", ":")).encode() + b"\n"
        with suppress(OSError), _opened(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT) as file:
            os.write(file, line)
            if os.fstat(file).st_size > self._max_bytes:
                self._turn(file)

    def read(self) -> list[Event]:
        """Return the last events, oldest first: what the last 256 KiB of the log hold."""
        events: list[Event] = []
        room = _TAIL_BYTES
        for path in (self._path, self._earlier):
            if room > 0:
                found, size = _read(path, room)
                events[:0] = found
                room -= size
        return events

    def _turn(self, file: int) -> None:
        # Who holds the lock on the file that is still at the path may rename it; a second one finds a new
        # file there. Late writers still add to the renamed one, which is read too.
        fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file).st_ino == self._path.stat().st_ino:
            self._path.rename(self._earlier)


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    file = os.open(path, flags | os.O_CLOEXEC, 0o600)
    try:
        yield file
    finally:
        os.close(file)


def _read(path: Path, room: int) -> tuple[list[Event], int]:
    """Return the events in the last `room` bytes of a file, and how many bytes were read."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return [], 0
    with closing(file):
        # The first line tells this file from the one that was at its path before.
        name = f"{zlib.crc32(file.readline()):08x}"
        start = max(0, file.seek(0, os.SEEK_END) - room)
        file.seek(start)
        data = file.read()
    events, end = [], start
    for line in data.splitlines(keepends=True):
        end += len(line)
        if line.endswith(b"\n") and (event := _parse(line, f"{name}-{end:x}")):
            events.append(event)
    return events, len(data)


def _parse(line: bytes, place: str) -> Event | None:
    """Return the event of a line; None where it holds none, as the half line of a full disk."""
    try:
        raw: Any = json.loads(line)
        if raw["hop"] not in HOPS:
            return None
        return Event(
            hop=raw["hop"],
            # A key that is no UTF-8 comes with lone surrogates, which no page can hold.
            key=str(raw["key"]).encode(errors="replace").decode(),
            at=float(raw["at"]),
            request=str(raw["request"]),
            method=str(raw["method"]),
            status=int(raw["status"]),
            ms=float(raw["ms"]),
            bytes=int(raw["bytes"]),
            cache=str(raw["cache"]),
            stages={str(stage): float(ms) for stage, ms in raw["stages"].items()},
            place=place,
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
