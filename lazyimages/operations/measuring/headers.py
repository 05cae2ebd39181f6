"""What there is to know of an original, from as few bytes as that takes."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import TypeVar

from django.core.files.base import ContentFile

from lazyimages import current, formats, storage, uploads
from lazyimages.engines import beginning, complete
from lazyimages.engines.base import Probe
from lazyimages.exceptions import Busy, CorruptImage, ImageError, ImageTooLarge, OriginalNotFound, RefusedName
from lazyimages.operations import run
from lazyimages.storage.base import AccessDenied

MOST = 64 * 1024  # bytes of a beginning

T = TypeVar("T")


class Refused(AccessDenied):
    """The storage lets this application read no originals, which is nothing about a single one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What was found out: dimensions after EXIF orientation, and a placeholder where it was asked for.

    `error` says why nothing was. `bytes` is how many were read; `whole` whether a file was read to its end
    for what its beginning does not have.
    """

    width: int = 0
    height: int = 0
    placeholder: str = ""
    error: str = ""
    bytes: int = 0
    whole: bool = False


def read(name: str, *, placeholder: bool, room: AbstractContextManager[object]) -> Known:
    """Return what there is to know of an original; `placeholder` reads and decodes the whole file.

    Whole files are in memory inside of `room` alone. What is wrong with the file is in the result;
    `StorageUnavailable` is raised after a minute's patience, and `Refused` at once.
    """
    known = Known()
    try:
        _check(name)
        if not placeholder:
            start = _asked(lambda: storage.start_of_original(name, MOST))
            known = replace(known, bytes=len(start.data))
            if start.whole:
                return _with(known, _probe_whole(start.data))
            if (probe := _probe_beginning(start.data)) is not None:
                return _with(known, probe)
        with room:
            limit = current.limits().max_bytes
            data = _asked(lambda: storage.get_original(name, limit=limit))
            known = replace(known, bytes=known.bytes + len(data), whole=True)
            if not placeholder:
                return _with(known, _probe_whole(data))
            probe, text = _inspect(data)
            return replace(_with(known, probe), placeholder=text)
    except (ImageError, OriginalNotFound, RefusedName, _Unreadable) as error:
        return replace(known, error=str(error))


class _Unreadable(Exception):
    """A file that this user may not read, among others that he may."""


def _check(name: str) -> None:
    if name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") or "\0" in name:
        raise RefusedName("the name leads out of the originals")


def _asked(ask: Callable[[], T]) -> T:
    try:
        return run.patiently(ask)
    except AccessDenied as error:
        if isinstance(error.__cause__, PermissionError):
            raise _Unreadable(f"this user may not read it: {error}") from error
        raise Refused(
            f"the storage of the originals refuses: {error}. On S3, give this application s3:GetObject on "
            "them, and s3:ListBucket on the bucket, without which a missing original looks the same; "
            "manage.py lazyimages_iam_policy operator prints it"
        ) from error


def _probe_beginning(data: bytes) -> Probe | None:
    """Return what the engine finds in a beginning; None when it needs more."""
    format, limits = formats.sniff(data), current.limits()
    enough = beginning.readable(data, format, most=limits.max_bytes) if format else None
    if enough is None:
        return None
    try:
        return current.engine().probe(enough, limits=limits)
    except ImageTooLarge:  # the rest can only be more
        raise
    except ImageError:
        return None


def _probe_whole(data: bytes) -> Probe:
    probe = current.engine().probe(data, limits=current.limits())
    complete.check(data, probe.format)
    return probe


def _inspect(data: bytes) -> tuple[Probe, str]:
    """Decode a file as an upload, however long the others take."""
    file = ContentFile(data)
    while True:
        try:
            probe = uploads.inspect(file, "original")
        except ImageError as error:
            if isinstance(error.__cause__, Busy):
                continue
            raise
        text = uploads.placeholder(file)
        if not text:
            raise CorruptImage("the engine made nothing of it that a placeholder could be made of")
        return probe, text


def _with(known: Known, probe: Probe) -> Known:
    return replace(known, width=probe.width, height=probe.height)
