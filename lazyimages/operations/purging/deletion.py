"""Deleting what a purge has chosen, a batch at a time, and asking once more whether nobody needs it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from lazyimages import keys as variant_keys
from lazyimages import needs, signals, storage
from lazyimages.exceptions import InvalidKey, NotDeleted
from lazyimages.operations import run
from lazyimages.operations.work import Outcome

REQUEST = 1000  # keys a request: S3 takes no more
_NAMES = 500  # a query
# What S3 says of single keys, and does at the next attempt.
_MAY_PASS = ("InternalError", "SlowDown", "ServiceUnavailable", "RequestTimeout")


def do(
    *,
    keys: Sequence[str] = (),
    lengths: Sequence[int] = (),
    originals: Sequence[str] = (),
    orphans: bool = False,
    concurrency: int = 1,
) -> Outcome:
    """Delete variants and originals; done twice it does nothing more.

    `lengths` are the variants' bytes, where they are known. An original stays when a row points to it by now,
    and with `orphans` a variant stays when its original is there by now. What is no key of a variant is never
    deleted. The signal `variants_purged` is sent for each original.
    """
    failed = dict[str, str]()
    kept = _needed(originals) if originals else set[str]()
    free = [name for name in originals if name not in kept]
    failed.update(_delete(storage.delete_originals, free, concurrency))
    gone = len(free) - len(failed)

    owners, refused = _owners(keys)
    failed.update(refused)
    if orphans and owners:
        there = {entry.name for entry in storage.find_originals(sorted(set(owners.values())))}
        owners = {key: original for key, original in owners.items() if original not in there}
    not_deleted = _delete(storage.delete, list(owners), concurrency)
    failed.update(not_deleted)
    deleted = [key for key in owners if key not in not_deleted]
    _send(owners, deleted)
    figures = {"originals": gone} if gone else {}
    if lengths:
        bytes_of = dict(zip(keys, lengths, strict=True))
        figures["bytes"] = sum(bytes_of[key] for key in deleted)
    done = gone + len(deleted)
    return Outcome(
        done=done,
        skipped=len(keys) + len(originals) - done - len(failed),
        failed=failed,
        figures=figures,
    )


def look(
    *,
    keys: Sequence[str] = (),
    lengths: Sequence[int] = (),
    originals: Sequence[str] = (),
    orphans: bool = False,
    concurrency: int = 1,
) -> Outcome:
    """Say what `do` would do, and delete nothing."""
    figures = {"originals": len(originals)} if originals else {}
    if lengths:
        figures["bytes"] = sum(lengths)
    return Outcome(done=len(keys) + len(originals), figures=figures)


def _needed(names: Sequence[str]) -> set[str]:
    """Return those of some names that rows need by now; a query for each field and 500 names."""
    found = set[str]()
    for start in range(0, len(names), _NAMES):
        found |= needs.needed(names[start : start + _NAMES], None)
    return found


def _owners(texts: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the originals of keys, and what is no key of a variant, with the reason."""
    owners, refused = dict[str, str](), dict[str, str]()
    for text in texts:
        try:
            owners[text] = variant_keys.parse(text).original
        except InvalidKey as error:
            refused[text] = str(error)
    return owners, refused


def _delete(delete: Callable[[Iterable[str]], None], names: list[str], concurrency: int) -> dict[str, str]:
    """Delete a thousand at a time, and return what could not be, with the reason."""
    parts = [names[start : start + REQUEST] for start in range(0, len(names), REQUEST)]
    if concurrency == 1 or len(parts) < 2:
        return dict(_joined(map(partial(_delete_part, delete), parts)))
    with run.threads(concurrency) as at_once:
        return dict(_joined(at_once(partial(_delete_part, delete), parts)))


def _joined(found: Iterable[dict[str, str]]) -> Iterator[tuple[str, str]]:
    for each in found:
        yield from each.items()


def _delete_part(delete: Callable[[Iterable[str]], None], names: list[str]) -> dict[str, str]:
    try:
        delete(names)
    except NotDeleted as error:
        failed = error.names
    else:
        return {}
    again = [name for name, why in failed.items() if why in _MAY_PASS]
    if again:
        try:
            run.patiently(partial(delete, again))
        except NotDeleted as error:
            return {**{name: why for name, why in failed.items() if name not in again}, **error.names}
    return {name: why for name, why in failed.items() if name not in again}


def _send(owners: dict[str, str], deleted: list[str]) -> None:
    by_original = defaultdict[str, list[str]](list)
    for key in deleted:
        by_original[owners[key]].append(key)
    for original, gone in by_original.items():
        signals.variants_purged.send_robust(sender=None, original=original, keys=gone)
