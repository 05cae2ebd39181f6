"""The variants of one original: which keys they may have, which are there, and away with them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from lazyimages import conf, keys, signals, storage
from lazyimages.exceptions import NotDeleted, RefusedName
from lazyimages.formats import Format
from lazyimages.keys import VariantKey
from lazyimages.sizes import Size


@dataclass(frozen=True, kw_only=True, slots=True)
class Variant:
    """A variant that is stored: `bytes` is its length, `modified` when it was stored (None: not known)."""

    key: str
    size: Size
    format: Format
    bytes: int
    modified: datetime | None


def keys_of(name: str) -> list[str]:
    """Return the keys of all variants of an original that the settings allow, whether they exist or not.

    Size by size, the native format first; none for a name that can have no variants. Asks no storage.
    """
    return list(map(str, _possible(name)))


def existing(name: str) -> list[Variant]:
    """Return the variants of an original that are stored, in the order of `keys_of`.

    Asks the storage, which on S3 is at most one ListObjectsV2 for each key, and mostly one for all of them;
    `StorageUnavailable` when it fails.
    """
    found = {entry.name: entry for entry in storage.find(sorted(keys_of(name)))}
    return [
        Variant(
            key=str(key),
            size=key.size,
            format=key.format,
            bytes=found[str(key)].size,
            modified=found[str(key)].modified,
        )
        for key in _possible(name)
        if str(key) in found
    ]


def purge(name: str) -> int:
    """Delete the variants of an original, and send the signal `variants_purged`.

    Returns how many keys were asked to be deleted, that is all of `keys_of`: no storage says which of them
    were there, and to look first would be a request for each size. On S3 it is one DeleteObjects for a
    thousand keys. What a CDN keeps stays there. `StorageUnavailable` when the storage fails.
    """
    gone = keys_of(name)
    if gone:
        storage.delete(gone)
        signals.variants_purged.send_robust(sender=None, original=name, keys=gone)
    return len(gone)


def purge_with_originals(names: Sequence[str]) -> None:
    """Delete originals and their variants, and send the signal for each original.

    On S3 it is one DeleteObjects for a thousand keys, of originals and variants together where they are in
    the same folder of one bucket. `StorageUnavailable` when the storage fails; where it was only for some,
    that is `NotDeleted`, which names the originals that were not deleted, or not with all their variants.
    """
    gone = {name: keys_of(name) for name in names}
    if storage.are_together():
        failed = _not_deleted(
            storage.delete_originals, [each for name in names for each in (name, *gone[name])]
        )
    else:  # originals first, so that no variant is made of one once its variants are deleted
        failed = _not_deleted(storage.delete_originals, names)
        keys = [key for name in names if name not in failed for key in gone[name]]
        failed |= _not_deleted(storage.delete, keys)
    owners = {key: name for name in names for key in gone[name]}
    failed = {owners.get(each, each): why for each, why in failed.items()}
    for name in names:
        if name not in failed:
            signals.variants_purged.send_robust(sender=None, original=name, keys=gone[name])
    if failed:
        raise NotDeleted(failed)


def _not_deleted(delete: Callable[[Iterable[str]], None], names: Iterable[str]) -> dict[str, str]:
    try:
        delete(names)
    except NotDeleted as error:
        return error.names
    return {}


def _possible(name: str) -> list[VariantKey]:
    settings = conf.settings()
    try:
        outputs = dict.fromkeys([keys.native_format(name), *settings.formats])
        return [keys.variant_key(name, size, output) for size in settings.whitelist for output in outputs]
    except RefusedName:
        return []
