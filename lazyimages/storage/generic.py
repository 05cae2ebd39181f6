"""Every other storage: through Django's storage interface alone."""

from collections.abc import Iterable, Iterator
from contextlib import suppress

from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.utils.timezone import is_naive, make_aware

from lazyimages import formats
from lazyimages.exceptions import ImageTooLarge, NotDeleted, StorageUnavailable
from lazyimages.storage import walk
from lazyimages.storage.base import Entry, Start, Stored


class GenericBackend:
    """Reads with `open` and writes with `save`. What a storage raises is of every kind, so all is caught."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    @property
    def place(self) -> int:
        """The storage itself."""
        return id(self._storage)

    def read(self, name: str, *, limit: int | None = None, deadline: float | None = None) -> Stored | None:
        """Return a file, or None; `ImageTooLarge` beyond `limit` bytes."""
        try:
            with self._storage.open(name) as file:
                data = file.read() if limit is None else file.read(limit + 1)
        except FileNotFoundError:
            return None
        except Exception as error:
            raise _ours(error) from error
        if limit is not None and len(data) > limit:
            raise ImageTooLarge(f"the file has more than the {limit} bytes that are allowed")
        return Stored(data=data, last_modified=None)

    def write(
        self,
        name: str,
        data: bytes,
        *,
        content_type: str,
        cache_control: str | None,
        deadline: float | None = None,
    ) -> str:
        """Save the file; the headers are the storage's own affair."""
        content = ContentFile(data)
        content.content_type = content_type  # type: ignore[attr-defined]  # some storages look for it
        try:
            return self._storage.save(name, content)
        except Exception as error:
            raise _ours(error) from error

    def copy(self, name: str, new_name: str) -> str | None:
        """Read the file and save it under another name; None when there is none."""
        stored = self.read(name)
        if stored is None:
            return None
        found = formats.by_extension(new_name)
        media_type = found.media_type if found else "application/octet-stream"
        return self.write(new_name, stored.data, content_type=media_type, cache_control=None)

    def read_start(self, name: str, most: int) -> Start | None:
        """Return the first `most` bytes of a file, or None; many storages fetch all of it for that."""
        try:
            with self._storage.open(name) as file:
                data = file.read(most + 1)
        except FileNotFoundError:
            return None
        except Exception as error:
            raise _ours(error) from error
        return Start(data=data[:most], whole=len(data) <= most)

    def find(self, names: Iterable[str]) -> Iterator[Entry]:
        """Yield which of these files are there; up to three questions each."""
        for name in names:
            try:
                there = self._storage.exists(name)
            except Exception as error:
                raise _ours(error) from error
            if there and (entry := self._entry(name)):
                yield entry

    def delete(self, names: Iterable[str]) -> None:
        """Delete files one by one."""
        failed: dict[str, str] = {}
        for name in names:
            try:
                self._storage.delete(name)
            except FileNotFoundError:
                continue
            except Exception as error:
                failed[name] = str(_ours(error))
        if failed:
            raise NotDeleted(failed)

    def entries(self, prefix: str, after: str = "") -> Iterator[Entry]:
        """Yield the files whose names begin with `prefix` and come after `after`, by listing directories."""
        for name in walk.names(self._list_directory, prefix, after):
            if entry := self._entry(name):
                yield entry

    def _list_directory(self, directory: str) -> tuple[list[str], list[str]]:
        try:
            directories, files = self._storage.listdir(directory)
        except FileNotFoundError:
            return [], []
        except Exception as error:
            raise _ours(error) from error
        return list(directories), list(files)

    def _entry(self, name: str) -> Entry | None:
        try:
            modified = None
            with suppress(NotImplementedError):
                modified = self._storage.get_modified_time(name)
                if is_naive(modified):  # without USE_TZ
                    modified = make_aware(modified)
            return Entry(name=name, size=self._storage.size(name), modified=modified)
        except FileNotFoundError:
            return None
        except Exception as error:
            raise _ours(error) from error


def _ours(error: Exception) -> StorageUnavailable:
    return StorageUnavailable(f"{type(error).__name__}: {error}")
