"""Every other storage: through Django's storage interface alone."""

from collections.abc import Iterable, Iterator

from django.core.files.base import ContentFile
from django.core.files.storage import Storage

from lazyimages.exceptions import ImageTooLarge, StorageUnavailable
from lazyimages.storage.base import Stored


class GenericBackend:
    """Reads with `open` and writes with `save`. What a storage raises is of every kind, so all is caught."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def read(self, name: str, *, limit: int | None = None, deadline: float | None = None) -> Stored | None:
        """Return a file, or None; `ImageTooLarge` beyond `limit` bytes."""
        try:
            with self._storage.open(name) as file:
                data = file.read() if limit is None else file.read(limit + 1)
        except FileNotFoundError:
            return None
        except Exception as error:
            raise StorageUnavailable(f"{type(error).__name__}: {error}") from error
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
            raise StorageUnavailable(f"{type(error).__name__}: {error}") from error

    def delete(self, names: Iterable[str]) -> None:
        """Delete files one by one."""
        for name in names:
            try:
                self._storage.delete(name)
            except FileNotFoundError:
                continue
            except Exception as error:
                raise StorageUnavailable(f"{type(error).__name__}: {error}") from error

    def iter_names(self, prefix: str) -> Iterator[str]:
        """Yield the names that begin with `prefix`, by listing directories."""
        directory = prefix.rpartition("/")[0]
        yield from (name for name in self._walk(directory) if name.startswith(prefix))

    def _walk(self, directory: str) -> Iterator[str]:
        try:
            directories, files = self._storage.listdir(directory)
        except FileNotFoundError:
            return
        except Exception as error:
            raise StorageUnavailable(f"{type(error).__name__}: {error}") from error
        parent = f"{directory}/" if directory else ""
        yield from (f"{parent}{file}" for file in files)
        for child in directories:
            yield from self._walk(f"{parent}{child}")
