"""One run of a command at a time, on this machine and, with a cache that machines share, on all."""

import fcntl
import hashlib
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.files.storage import storages
from django.db import DEFAULT_DB_ALIAS, connections

from lazyimages import conf, locks
from lazyimages.exceptions import LazyImagesError
from lazyimages.leases import Lease
from lazyimages.storage import variants_alias


class AlreadyRunning(LazyImagesError):
    """Somebody else runs the same command for the same project."""


class NotLocked(LazyImagesError):
    """The directory of the locks cannot be used."""


def project() -> str:
    """Return what tells one shop's photos and rows from another's on the same machine: where they are."""
    places = [
        str(getattr(storages[alias], attribute, ""))
        for alias in (conf.settings().originals, variants_alias())
        for attribute in ("endpoint_url", "bucket_name", "location")
    ]
    database = connections[DEFAULT_DB_ALIAS].settings_dict
    places += [str(database.get(name, "")) for name in ("HOST", "PORT", "NAME")]
    return hashlib.sha256("\n".join([*places, conf.settings().cdn_url]).encode()).hexdigest()[:16]


@contextmanager
def alone(command: str) -> Iterator[None]:
    """Run the block unless the same command is running already; `AlreadyRunning` then.

    The kernel gives the lock back when its holder dies, and the lease in the cache lasts two seconds more.
    """
    name = hashlib.sha256(f"{command}:{project()}".encode()).hexdigest()[:16]
    try:
        path = locks.directory() / f"{command}-{name}.running"
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise NotLocked(f"no lock can be made: {error}. Set TMPDIR to a directory of this user") from error
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            who = os.pread(file, 200, 0).decode(errors="replace").strip() or "another process"
            raise AlreadyRunning(f"{command} is running already on this machine, by {who}") from None
        os.ftruncate(file, 0)
        os.pwrite(file, f"process {os.getpid()} since {time.strftime('%H:%M:%S')}".encode(), 0)
        lease = Lease(f"run:{name}", host=f"{platform.node()}:{path.parent.stat().st_ino}")
        with lease.hold(time.monotonic()):
            if lease.refused:
                raise AlreadyRunning(f"{command} is running already on another machine or by another user")
            yield
    finally:
        os.close(file)
