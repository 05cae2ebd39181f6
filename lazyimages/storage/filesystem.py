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
from lazyimages.exceptions import ImageTooLarge, StorageUnavailable
from lazyimages.storage.base import AccessDenied, Stored

_TEMPORARY = ".lazyimages-"


class FileSystemBackend:
    """Reads and writes below the directory of a `FileSystemStorage`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def read(self, name: str, *, limit: int | None = None, deadline: float | None = None) -> Stored | None:
        """Return a file, or None; `ImageTooLarge` beyond `limit` bytes.

        What is no plain file, and a link that leads out of the storage, are as good as missing.
        """
        try:
            path = self._path(name)
            descriptor = _open_plain(path, self._path(""), follow=not _is_variant(name))
            with os.fdopen(descriptor, "rb") as file:
                found = os.fstat(file.fileno())
                if limit is not None and found.st_size > limit:
                    raise ImageTooLarge(f"the file has {found.st_size} bytes; {limit} are allowed")
                return Stored(data=file.read(), last_modified=datetime.fromtimestamp(found.st_mtime, UTC))
        except (FileNotFoundError, NotADirectoryError, SuspiciousFileOperation):
            return None
        except UnicodeEncodeError:  # the locale's encoding has no name for it, so no file can have it
            return None
        except PermissionError as error:
            raise AccessDenied(str(error)) from error
        except OSError as error:
            # Keys may be longer than what a file system can hold; a socket cannot be opened.
            if error.errno in (errno.ENAMETOOLONG, errno.ENXIO):
                return None
            raise StorageUnavailable(str(error)) from error

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
            raise StorageUnavailable(str(error)) from error
        return name

    def delete(self, names: Iterable[str]) -> None:
        """Delete files; those that are not there are no error."""
        for name in names:
            try:
                self._path(name).unlink(missing_ok=True)
            except NotADirectoryError:
                continue
            except OSError as error:
                raise StorageUnavailable(str(error)) from error

    def iter_names(self, prefix: str) -> Iterator[str]:
        """Yield the names that begin with `prefix`, in no order; temporary files are none of them."""
        root = Path(self._storage.path(""))
        start = root / prefix.rpartition("/")[0]
        for directory, _, files in os.walk(start):
            for file in files:
                name = (Path(directory) / file).relative_to(root).as_posix()
                if name.startswith(prefix) and not file.startswith(_TEMPORARY):
                    yield name

    def _path(self, name: str) -> Path:
        return Path(self._storage.path(name))


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
        if not follow or not any(target.is_relative_to(place) for place in places):
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
