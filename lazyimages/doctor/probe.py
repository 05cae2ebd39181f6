"""The probe: an original and variants of its own in a directory of its own, and their removal."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from django.core.files.storage import Storage, storages

from lazyimages import conf, formats, keys, storage
from lazyimages.keys import VariantKey
from lazyimages.sizes import Size

PREFIX = "lazyimages-doctor-"
_ROOM = 60
# What a probe has, and nobody else: only this is ever removed.
_OURS = re.compile(rf"{PREFIX}[0-9a-f]{{12}}/(?:[0-9xwh]+/)?(?:probe|stored)\.[A-Za-z0-9]{{10}}\.jpg")


@dataclass(frozen=True, kw_only=True, slots=True)
class Probe:
    """Names in a new directory: an original, a variant of it, and one that is stored without an original.

    `late` is a variant that is asked for only when the original is gone; the same as `variant` where the
    whitelist has one size.
    """

    directory: str
    original: str
    variant: VariantKey
    stored: VariantKey
    late: VariantKey

    @property
    def names(self) -> list[str]:
        """All names that anything may be stored under."""
        return [self.original, *(str(key) for key in (self.variant, self.stored, self.late))]


def new(settings: conf.Settings) -> Probe:
    """Return names that nobody has used. The size is the first `WxH` of the whitelist, else the first."""
    directory = f"{PREFIX}{secrets.token_hex(6)}"
    original = f"{directory}/{keys.fresh_filename('probe', formats.JPEG, _ROOM)}"
    other = f"{directory}/{keys.fresh_filename('stored', formats.JPEG, _ROOM)}"
    size = next(
        (one for one in settings.whitelist if one.width and one.height), next(iter(settings.whitelist))
    )
    late = next((one for one in settings.whitelist if one != size), size)
    return Probe(
        directory=directory,
        original=original,
        variant=keys.variant_key(original, size),
        stored=keys.variant_key(other, size),
        late=keys.variant_key(original, late),
    )


def unknown_size(settings: conf.Settings) -> Size:
    """Return a size that the whitelist has not."""
    return next(size for number in range(7, 9999) if (size := Size(number, number)) not in settings.whitelist)


@contextmanager
def kept(probe: Probe, left: list[str]) -> Iterator[None]:
    """Remove all of a probe in the end, whatever happens; `left` gets the names that could not be."""
    try:
        yield
    finally:
        left += remove(probe.names)


def leftovers() -> list[str]:
    """Return the names that runs which were killed have left; `StorageUnavailable` when nobody may list."""
    found = dict.fromkeys([*storage.iter_keys(PREFIX), *storage.iter_originals(PREFIX)])
    return [name for name in found if _OURS.fullmatch(name)]


def remove(names: list[str]) -> list[str]:
    """Delete originals and variants by name, and return those that could not be deleted."""
    failed = []
    for name in names:
        try:
            if _is_variant(name):
                storage.delete([name])
            else:
                storage.originals_storage.delete(name)
        except Exception:  # each storage has errors of its own, and that of originals may be any
            failed.append(name)
    for alias in {conf.settings().originals, storage.variants_alias()}:
        _remove_directories(storages[alias], names)
    return failed


def _is_variant(name: str) -> bool:
    return name.count("/") > 1


def _remove_directories(of: Storage, names: list[str]) -> None:
    """Remove the directories that plain files leave behind, if they are empty."""
    if not storage.is_file_system(of):
        return
    parents = {parent for name in names for parent in PurePosixPath(name).parents if parent.name}
    for parent in sorted(parents, key=lambda one: len(one.parts), reverse=True):
        with suppress(OSError):  # it was never made, or somebody has put something in
            Path(of.path(str(parent))).rmdir()
