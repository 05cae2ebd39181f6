"""Journals: how far a run came, so that it goes on there after Ctrl-C, kill -9 or a power cut."""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from lazyimages.exceptions import LazyImagesError
from lazyimages.operations.work import Outcome


class NotWritten(LazyImagesError):
    """The journal of a run cannot be written."""


class Journal:
    """A file with a line for each batch that is done, and what became of it.

    A line is written at once and whole or not at all; a torn one at the end is left out. In memory are sums
    alone, for a run may fail on every image of a shop.
    """

    def __init__(self, directory: Path, name: str, what: Mapping[str, Any]) -> None:
        text = json.dumps([name, what], sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        self.path = directory / f"{name}-{digest}.journal"
        self.cursor: Any = None
        self.batches = self.items = self.done = self.skipped = self.failures = 0
        self.figures: Counter[str] = Counter()

    @property
    def exists(self) -> bool:
        """Tell whether a run with the same options was interrupted."""
        return self.path.exists()

    def resume(self) -> None:
        """Take up what an interrupted run has left; without one it begins anew."""
        keep = 0
        for line, entry in self._entries():
            keep += len(line)
            self._count(entry)
        if keep:
            with self.path.open("r+b") as file:
                file.truncate(keep)

    def begin(self) -> None:
        """Begin anew, and forget what an interrupted run has left."""
        self.forget()

    def add(self, cursor: Any, items: int, outcome: Outcome) -> None:
        """Write down that a batch is done."""
        entry = {"cursor": cursor, "items": items, **outcome.as_dict()}
        line = json.dumps(entry).encode() + b"\n"
        try:
            self._append(line)
        except OSError as error:
            raise NotWritten(
                f"how far this run is could not be written down: {error}. Free space there, or set TMPDIR "
                "to another directory, and run it again"
            ) from error
        self._count(entry)

    def _append(self, line: bytes) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self.path, flags, 0o600)
        try:
            os.write(descriptor, line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def failed(self) -> Iterator[tuple[str, str]]:
        """Yield everything that failed, by key or name, and why."""
        for _, entry in self._entries():
            yield from entry["failed"].items()

    def forget(self) -> None:
        """Remove the file: the run is over."""
        with suppress(FileNotFoundError):
            self.path.unlink()

    def _count(self, entry: Mapping[str, Any]) -> None:
        self.cursor = entry["cursor"]
        self.batches += 1
        self.items += entry["items"]
        self.done += entry["done"]
        self.skipped += entry["skipped"]
        self.failures += len(entry["failed"])
        self.figures.update(entry["figures"])

    def _entries(self) -> Iterator[tuple[bytes, Any]]:
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return
        with file:
            for line in file:
                try:
                    entry = json.loads(line)
                except ValueError:
                    return
                if not line.endswith(b"\n"):
                    return
                yield line, entry
