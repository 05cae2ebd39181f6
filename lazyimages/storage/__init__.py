"""Read an original; get, put, delete and list variants. The bucket is the only registry of variants.

Which storages are used is read from LAZYIMAGES at every call: ORIGINALS and VARIANTS name entries of
STORAGES, and VARIANTS falls back to "default".
"""

from collections.abc import Iterable, Iterator
from typing import cast

from django.conf import settings as django_settings
from django.core.files.storage import FileSystemStorage, Storage, storages
from django.core.signals import setting_changed
from django.utils.functional import LazyObject, empty

from lazyimages import conf
from lazyimages.exceptions import OriginalNotFound, StorageUnavailable
from lazyimages.storage.base import AccessDenied, Backend, Entry, Start, Stored, etag
from lazyimages.storage.filesystem import FileSystemBackend
from lazyimages.storage.generic import GenericBackend

__all__ = [
    "INCOMING",
    "VARIANT_TAG",
    "Entry",
    "Start",
    "Stored",
    "are_together",
    "copy_original",
    "delete",
    "delete_originals",
    "delete_with_original",
    "entries",
    "etag",
    "find",
    "find_originals",
    "get_original",
    "get_variant",
    "is_file_system",
    "is_s3",
    "iter_keys",
    "iter_originals",
    "original_entries",
    "originals_storage",
    "presigned_url",
    "put_original",
    "put_variant",
    "start_of_original",
    "variants_alias",
]

# Variants on S3 carry it when EXPIRE_VARIANTS_DAYS is set; the bucket's lifecycle rule goes by it.
VARIANT_TAG = ("lazyimages", "variant")
# Below it, in the storage of the originals, browsers put what they send by themselves (DIRECT_UPLOADS).
INCOMING = "incoming/"


def get_variant(key: str, *, deadline: float | None = None) -> Stored | None:
    """Return a stored variant, or None; `StorageUnavailable` when the storage fails.

    On S3 that is also when it cannot be read by `deadline` (of `time.monotonic`). A refusal counts as
    missing, since that is S3's answer for a missing object to somebody without s3:ListBucket.
    """
    try:
        return _variants().read(key, deadline=deadline)
    except AccessDenied:
        return None


def get_original(name: str, *, limit: int, deadline: float | None = None) -> bytes:
    """Return an original's bytes.

    On S3 they are read by `deadline` (of `time.monotonic`), or not at all. Raises `OriginalNotFound`,
    `ImageTooLarge` beyond `limit` bytes, and `StorageUnavailable`.
    """
    try:
        stored = _originals().read(name, limit=limit, deadline=deadline)
    except AccessDenied as error:
        raise StorageUnavailable(
            f"{error}. On S3, give this application s3:GetObject on the originals and s3:ListBucket on "
            "the bucket: without ListBucket a missing original cannot be told from a forbidden one."
        ) from error
    if stored is None:
        raise OriginalNotFound(f"there is no original {name!r}")
    return stored.data


def put_original(name: str, data: bytes, content_type: str) -> str:
    """Store an upload as it is and return its name. One PUT on S3, whatever the size."""
    return _originals().write(name, data, content_type=content_type, cache_control=None)


def copy_original(name: str, new_name: str) -> None:
    """Store an original under another name too, whole or not at all. One CopyObject on S3.

    Raises `OriginalNotFound` and `StorageUnavailable`.
    """
    backend = _originals()
    try:
        copied = backend.copy(name, new_name)
    except AccessDenied as error:
        raise StorageUnavailable(
            f"{error}. On S3, give this application s3:GetObject and s3:PutObject on the originals."
        ) from error
    if copied is None:
        raise OriginalNotFound(f"there is no original {name!r}")
    if copied != new_name:
        backend.delete([copied])
        raise StorageUnavailable(
            f"the storage {conf.settings().originals!r} stored {new_name!r} as {copied!r}; "
            "choose one that keeps names"
        )


def delete_with_original(name: str, keys: Iterable[str]) -> None:
    """Delete an original and variants; those that are not there are no error.

    On S3 that is one request where both are in the same folder of one bucket, and at most 1,000.
    """
    originals, variants = _originals(), _variants()
    if originals.place == variants.place:
        originals.delete([name, *keys])
        return
    originals.delete([name])  # first, so that no variant is made of it once they are deleted
    variants.delete(keys)


def put_variant(key: str, data: bytes, content_type: str, *, deadline: float | None = None) -> None:
    """Store a variant, whole or not at all; `StorageUnavailable` when that fails.

    On S3 that is also when it is not stored by `deadline` (of `time.monotonic`). With EXPIRE_VARIANTS_DAYS
    it gets `VARIANT_TAG` there, in the same request.
    """
    backend = _variants()
    cache_control = conf.settings().cache_control
    name = backend.write(key, data, content_type=content_type, cache_control=cache_control, deadline=deadline)
    if name != key:
        backend.delete([name])
        raise StorageUnavailable(
            f"the storage {variants_alias()!r} stored {key!r} as {name!r}; choose one that overwrites"
        )


def presigned_url(key: str, seconds: int) -> str:
    """Return a URL by which anybody may read a variant for so many seconds, made without a request.

    Only S3 has them; of another storage it is `StorageUnavailable`.
    """
    chosen = storages[variants_alias()]
    if not is_s3(chosen):
        raise StorageUnavailable(f"the storage {variants_alias()!r} has no URLs for a while")
    from lazyimages.storage.s3 import S3Backend  # boto3 is an extra

    return S3Backend(chosen).presigned_url(key, seconds)


def delete(keys: Iterable[str]) -> None:
    """Delete variants; those that are not there are no error."""
    _variants().delete(keys)


def find(keys: Iterable[str]) -> Iterator[Entry]:
    """Yield which of these variants are stored, by listing; the keys come in ascending order, each once.

    On S3 a request shows a thousand keys that follow each other, so there are at most as many requests as
    keys, and at most as many as a listing of all variants takes.
    """
    return _variants().find(keys)


def find_originals(names: Iterable[str]) -> Iterator[Entry]:
    """Yield which of these originals are stored, as `find`."""
    return _originals().find(names)


def entries(prefix: str = "", after: str = "") -> Iterator[Entry]:
    """Yield the files in the storage of the variants, from their names, in ascending order after `after`."""
    return _variants().entries(prefix, after)


def original_entries(prefix: str = "", after: str = "") -> Iterator[Entry]:
    """Yield the files in the storage of the originals, as `entries`."""
    return _originals().entries(prefix, after)


def iter_keys(prefix: str = "") -> Iterator[str]:
    """Yield the names in the storage of the variants that begin with `prefix`."""
    return (entry.name for entry in entries(prefix))


def iter_originals(prefix: str = "") -> Iterator[str]:
    """Yield the names in the storage of the originals that begin with `prefix`."""
    return (entry.name for entry in original_entries(prefix))


def start_of_original(name: str, most: int) -> Start:
    """Return the first `most` bytes of an original, on S3 by one GET.

    Raises `OriginalNotFound` and `StorageUnavailable`.
    """
    start = _originals().read_start(name, most)
    if start is None:
        raise OriginalNotFound(f"there is no original {name!r}")
    return start


def delete_originals(names: Iterable[str]) -> None:
    """Delete originals; those that are not there are no error. On S3 a thousand a request."""
    _originals().delete(names)


def are_together() -> bool:
    """Tell whether originals and variants are in the same folder of the same storage."""
    return _originals().place == _variants().place


def variants_alias() -> str:
    """Return the entry of STORAGES that holds the variants."""
    alias = conf.settings().variants
    return alias if alias in django_settings.STORAGES else "default"


def is_s3(storage: Storage) -> bool:
    """Tell whether a storage is django-storages' S3Storage, without importing boto3 for others."""
    return any(
        (cls.__module__, cls.__qualname__) == ("storages.backends.s3", "S3Storage")
        for cls in type(storage).__mro__
    )


def is_file_system(storage: Storage) -> bool:
    """Tell whether a storage keeps plain files, as Django's own does and its `InMemoryStorage` does not."""
    return (
        isinstance(storage, FileSystemStorage)
        and type(storage)._save is FileSystemStorage._save  # type: ignore[attr-defined]
        and type(storage)._open is FileSystemStorage._open  # type: ignore[attr-defined]
    )


class _OriginalsStorage(LazyObject):  # type: ignore[type-arg]  # generic in django-stubs alone
    """The storage that ORIGINALS names, looked up when it is first used: models are defined earlier."""

    def _setup(self) -> None:
        self._wrapped = storages[conf.settings().originals]


_originals_lazily = _OriginalsStorage()
originals_storage = cast(Storage, _originals_lazily)


def _reset(*, setting: str, **kwargs: object) -> None:
    # Django makes new storages for changed settings; MEDIA_ROOT and the like are read by each of them.
    if setting in ("STORAGES", "LAZYIMAGES"):
        _originals_lazily._wrapped = empty  # type: ignore[assignment]


setting_changed.connect(_reset)


def _originals() -> Backend:
    return _backend(storages[conf.settings().originals])


def _variants() -> Backend:
    tag = VARIANT_TAG if conf.settings().expire_variants_days is not None else None
    return _backend(storages[variants_alias()], tag=tag)


def _backend(storage: Storage, *, tag: tuple[str, str] | None = None) -> Backend:
    if is_s3(storage):
        from lazyimages.storage.s3 import S3Backend  # boto3 is an extra

        return S3Backend(storage, tag=tag)
    return FileSystemBackend(storage) if is_file_system(storage) else GenericBackend(storage)
