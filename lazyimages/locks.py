"""Single flight: of all who need the same thing made, one makes it and the others wait.

`flock` on striped files serves every process of one machine: it costs microseconds, and the kernel
releases it when its holder dies. `leases` adds the other machines.

A generation number in each lock file counts what was finished under it. Whoever reads it before looking
for a variant can tell afterwards whether to look again, so nothing is made twice.
"""

import fcntl
import hashlib
import logging
import os
import platform
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured

from lazyimages.draining import draining
from lazyimages.exceptions import Busy, StorageUnavailable
from lazyimages.leases import Lease

logger = logging.getLogger("lazyimages")

T = TypeVar("T")

STRIPES = 256
_POLL_FIRST, _POLL_MOST = 0.001, 0.02  # seconds


class Flight:
    """The single flight of one name. Make it before looking for the thing, then take a `turn`.

    Both raise `StorageUnavailable` when the lock files cannot be used, as on a full or read-only disk.
    """

    def __init__(self, name: str) -> None:
        digest = hashlib.sha256(name.encode())
        try:
            folder = directory()
            path = folder / f"{digest.digest()[0] % STRIPES:02x}.lock"
            host = f"{platform.node()}:{folder.stat().st_ino}"
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise _unusable(error) from error
        self._lease = Lease(digest.hexdigest(), host=host)
        self._seen = self._generation()

    def __enter__(self) -> "Flight":
        return self

    def __exit__(self, *exc_info: object) -> None:
        os.close(self._file)

    @contextmanager
    def turn(self, look: Callable[[], T | None], *, deadline: float) -> Iterator[T | None]:
        """Wait for one's turn, or for what another made meanwhile.

        Yields what `look` returned after somebody had finished, or None with the lock held: then the
        caller makes the thing and calls `finished`. `look` is called only when the generation has changed
        since the last look. `Busy` at `deadline` (of `time.monotonic`, seconds), or when the process is to
        end.
        """
        try:
            found = self._wait(look, deadline)
            if found is not None:
                yield found
                return
            with self._lease.hold(deadline, give_up=draining) as finished_elsewhere:
                found = look() if finished_elsewhere else None
                if found is not None:
                    self._let_look()
                elif draining():
                    raise Busy("this process is to end")
                yield found
        finally:
            # Unlock before close: a child forked meanwhile shares the open file, and with it the lock.
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def finished(self) -> None:
        """Say, while holding the lock, that the thing is there; this gives up the lock."""
        self._let_look()
        self._lease.finished()

    def _let_look(self) -> None:
        """Raise the generation and give up the lock, so that who waits on this machine looks at once."""
        try:
            os.pwrite(self._file, (self._generation() + 1).to_bytes(8), 0)
        except OSError as error:  # a full disk: whoever waits makes the thing again, which does no harm
            logger.warning("lock not marked error=%s", error)
        # What the caller does next may need another name's lock, which may be in the same file.
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def _wait(self, look: Callable[[], T | None], deadline: float) -> T | None:
        pause = _POLL_FIRST
        while True:
            locked = self._try_lock()
            generation = self._generation()
            if generation != self._seen:
                self._seen = generation
                found = look()
                if found is not None:
                    return found
            if locked:
                return None
            if time.monotonic() >= deadline or draining():
                raise Busy("another request is still making this variant")
            time.sleep(pause)
            pause = min(pause * 2, _POLL_MOST)

    def _try_lock(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:  # ENOLCK
            raise _unusable(error) from error
        return True

    def _generation(self) -> int:
        return int.from_bytes(os.pread(self._file, 8, 0))


def _unusable(error: OSError) -> StorageUnavailable:
    return StorageUnavailable(f"the lock files cannot be used: {error}")


def directory() -> Path:
    """Return the directory of the lock files, this user's own, which nobody else may enter."""
    folder = Path(tempfile.gettempdir()) / f"lazyimages-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise ImproperlyConfigured(
                f"{folder} holds lazyimages' locks and must be a directory of this user with mode 0700; "
                "remove it, or set TMPDIR to a directory of this user's own"
            ) from None
    return folder
