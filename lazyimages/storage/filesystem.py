"""Django's FileSystemStorage: files that appear whole or not at all, also when the writer is killed."""

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from secrets import token_hex

from django.conf import settings as django_settings
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import Storage

from lazyimages import sizes
from lazyimages.exceptions import ImageTooLarge, NotDeleted, StorageFull, StorageUnavailable
from lazyimages.storage import walk
from lazyimages.storage.base import AccessDenied, Entry, Start, Stored

_TEMPORARY = ".lazyimages-"
_WRITE_ERRORS: dict[int, type[StorageUnavailable]] = {
    errno.ENOSPC: StorageFull,
    errno.EDQUOT: StorageFull,
    errno.EACCES: AccessDenied,
    errno.EPERM: AccessDenied,
    errno.EROFS: AccessDenied,
}


class FileSystemBackend:
    """Reads and writes below the directory of a `FileSystemStorage`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    @property
    def place(self) -> str:
        """The directory."""
        return self._storage.path("")

    def read(self, name: str, *, limit: int | None = None, deadline: float | None = None) -> Stored | None:
        """Return a file, or None; `ImageTooLarge` beyond `limit` bytes.

        What is no plain file, and a link that leads out of the storage, are as good as missing.
        """
        with _as_ours():
            path = self._path(name)
            descriptor = _open_plain(path, self._path(""), follow=not _is_variant(name))
            with os.fdopen(descriptor, "rb") as file:
                found = os.fstat(file.fileno())
                if limit is not None and found.st_size > limit:
                    raise ImageTooLarge(f"the file has {found.st_size} bytes; {limit} are allowed")
                return Stored(data=file.read(), last_modified=datetime.fromtimestamp(found.st_mtime, UTC))
        return None

    def write(
        self,
        name: str,
        data: bytes,
        *,
        content_type: str,
        cache_control: str | None,
        deadline: float | None = None,
    ) -> str:
        """Write the file under its name in one step. The headers have no place in a file system."""
        target = self._path(name)
        try:
            _make_directories(target.parent)
            try:
                _write_unnamed(target, data)
            except (OSError, AttributeError):
                # Not every system and file system has O_TMPFILE (Linux, on ext4, xfs, btrfs, tmpfs).
                _write_named(target, data)
        except OSError as error:
            raise _WRITE_ERRORS.get(error.errno or 0, StorageUnavailable)(str(error)) from error
        return name

    def copy(self, name: str, new_name: str) -> str | None:
        """Link the file under another name, which takes no room; None when there is none.

        Nobody writes into an original, so two names for the same bytes do no harm. Where there are no
        links, or the file is one that leads elsewhere, it is read and written.
        """
        with suppress(OSError, SuspiciousFileOperation, UnicodeEncodeError):
            source, target = self._path(name), self._path(new_name)
            if stat.S_ISREG(source.lstat().st_mode):
                _make_directories(target.parent)
                os.link(source, target)
                # Else it would be as old as the file, and a purge takes what is old and not in a row yet.
                os.utime(target)
                return new_name
        stored = self.read(name)
        if stored is None:
            return None
        return self.write(new_name, stored.data, content_type="", cache_control=None)

    def read_start(self, name: str, most: int) -> Start | None:
        """Return the first `most` bytes of a file, or None; links and what is no file are as for `read`."""
        with _as_ours():
            path = self._path(name)
            descriptor = _open_plain(path, self._path(""), follow=not _is_variant(name))
            with os.fdopen(descriptor, "rb") as file:
                return Start(data=file.read(most), whole=os.fstat(file.fileno()).st_size <= most)
        return None

    def find(self, names: Iterable[str]) -> Iterator[Entry]:
        """Yield which of these files are there."""
        for name in names:
            with _as_ours():
                seen = self._path(name).lstat()
                if stat.S_ISREG(seen.st_mode):
                    yield _entry(name, seen)

    def delete(self, names: Iterable[str]) -> None:
        """Delete files; those that are not there are no error."""
        failed: dict[str, str] = {}
        for name in names:
            try:
                with _as_ours():
                    self._path(name).unlink(missing_ok=True)
            except StorageUnavailable as error:
                failed[name] = str(error)
        if failed:
            raise NotDeleted(failed)

    def entries(self, prefix: str, after: str = "") -> Iterator[Entry]:
        """Yield the files whose names begin with `prefix` and come after `after`, in ascending order.

        Temporary files are none of them. A link is listed as what it is, and never followed.
        """
        root = self._path("")
        for name in walk.names(self._list_directory, prefix, after):
            with _as_ours():  # it may be gone by now
                yield _entry(name, os.lstat(root / name))

    def _list_directory(self, directory: str) -> tuple[list[str], list[str]]:
        directories: list[str] = []
        files: list[str] = []
        with _as_ours(), os.scandir(self._path("") / directory) as found:
            for one in found:
                if one.is_dir(follow_symlinks=False):
                    directories.append(one.name)
                elif one.is_symlink() and Path(one.path).is_dir():
                    continue
                elif not one.name.startswith(_TEMPORARY):
                    files.append(one.name)
        return directories, files

    def _path(self, name: str) -> Path:
        return Path(self._storage.path(name))


class _as_ours:
    """Go on after the block when there is no such file, and turn other errors into ours."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        if isinstance(error, (FileNotFoundError, NotADirectoryError, SuspiciousFileOperation)):
            return True
        if isinstance(error, UnicodeEncodeError):  # the locale's encoding has no name for it, so no file has
            return True
        if isinstance(error, PermissionError):
            raise AccessDenied(str(error)) from error
        if not isinstance(error, OSError):
            return False
        # Keys may be longer than what a file system can hold; a socket cannot be opened.
        if error.errno in (errno.ENAMETOOLONG, errno.ENXIO):
            return True
        raise StorageUnavailable(str(error)) from error


def _entry(name: str, seen: os.stat_result) -> Entry:
    return Entry(name=name, size=seen.st_size, modified=datetime.fromtimestamp(seen.st_mtime, UTC))


def _is_variant(name: str) -> bool:
    """Tell whether a name is in a directory named like a size, where nobody but lazyimages writes."""
    return sizes.is_size(PurePosixPath(name).parent.name)


def _open_plain(path: Path, root: Path, *, follow: bool) -> int:
    """Open a plain file to be read, and nothing that could block or never end; `FileNotFoundError` for both.

    `follow` a link in the place of the file where it leads to below the storage's directory, or below its
    own. Directories may be links to anywhere: that is how disks are joined.
    """
    if path.is_symlink():
        # Not Path.resolve, which raises RuntimeError for links in a circle before Python 3.13.
        target = Path(os.path.realpath(path))
        places = (os.path.realpath(root), os.path.realpath(path.parent))
        inside = any(target.is_relative_to(place) for place in places)
        if not follow or not inside or target.is_symlink():  # what is still a link leads to itself
            raise FileNotFoundError(errno.ENOENT, "a link that leads elsewhere", str(path))
        path = target
    # Without O_NONBLOCK, opening a named pipe waits for somebody to write into it.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise FileNotFoundError(errno.ENOENT, "no plain file", str(path))


def _make_directories(directory: Path) -> None:
    mode = django_settings.FILE_UPLOAD_DIRECTORY_PERMISSIONS
    if mode is None or directory.exists():
        directory.mkdir(parents=True, exist_ok=True)
        return
    # mkdir(mode=) leaves out the parents and obeys the umask; Django's storage gives all of them the mode.
    _make_directories(directory.parent)
    directory.mkdir(exist_ok=True)
    directory.chmod(mode)


def _write_unnamed(target: Path, data: bytes) -> None:
    """Write a file that has no name until it is whole, so that a killed writer leaves nothing behind."""
    with (
        _opened(target.parent, os.O_TMPFILE | os.O_WRONLY) as descriptor,
        # open(2) shows this way to give the file a name. Python follows the link only with a src_dir_fd.
        _opened(Path("/proc/self/fd"), os.O_RDONLY | os.O_DIRECTORY) as descriptors,
    ):
        _fill(descriptor, data)
        while True:
            try:
                os.link(str(descriptor), target, src_dir_fd=descriptors, follow_symlinks=True)
                return
            except FileExistsError:
                # A moment without the file does no harm, it would be made again; a second name that a
                # killed writer leaves behind would stay.
                target.unlink(missing_ok=True)


def _write_named(target: Path, data: bytes) -> None:
    temporary = _temporary(target)
    try:
        with _opened(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as descriptor:
            _fill(descriptor, data)
        temporary.replace(target)
    except BaseException:
        with suppress(FileNotFoundError):
            temporary.unlink()
        raise


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    descriptor = os.open(path, flags, 0o666)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _fill(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
    if (mode := django_settings.FILE_UPLOAD_PERMISSIONS) is not None:
        os.fchmod(descriptor, mode)
    os.fsync(descriptor)


def _temporary(target: Path) -> Path:
    return target.with_name(f"{_TEMPORARY}{token_hex(8)}")
