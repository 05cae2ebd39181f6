"""Doing work: one batch after the other, each written down, with patience for a storage that is busy."""

import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from tenacity import retry, retry_if_exception, stop_after_attempt, wait_random_exponential

from lazyimages.exceptions import NotDeleted, StorageFull, StorageUnavailable
from lazyimages.operations.journal import Journal
from lazyimages.operations.work import Batch, Outcome, Work
from lazyimages.storage.base import AccessDenied, Entry

logger = logging.getLogger("lazyimages")

T = TypeVar("T")
R = TypeVar("R")

TRIES = 7
_LONGEST_PAUSE = 20.0  # seconds; S3 asks for a lower rate by SlowDown, and scales within minutes


def run(work: Work, journal: Journal, *, do: Callable[..., Outcome], tell: Callable[[Batch], None]) -> None:
    """Do all batches after the journal's cursor, in order; `tell` is called after each.

    `do` is work.do, or what has it done elsewhere. What it raises ends the run, and so does Ctrl-C: the
    journal has all batches before.
    """
    for batch in work.batches(journal.cursor):
        outcome = patiently(partial(do, **batch.arguments))
        journal.add(batch.cursor, batch.items, outcome)
        tell(batch)


def patiently(call: Callable[[], T]) -> T:
    """Return what a call returns, and try again while its storage is unavailable, in growing intervals.

    That is seven times within about a minute: S3 answers SlowDown (503) to whoever asks too much. What
    waiting does not change is raised at once: a full disk, a refusal, and what was waited for within the
    call already.
    """
    try:
        return _patient(call)
    except StorageUnavailable as error:
        error.waited = True
        raise


def may_pass(error: BaseException) -> bool:
    """Tell whether waiting may help: it does not against a full disk, nor a refusal."""
    if isinstance(error, NotDeleted):
        return not all(why == "AccessDenied" for why in error.names.values())
    refused = isinstance(error.__cause__, AccessDenied)  # which some errors put into other words
    return (
        isinstance(error, StorageUnavailable)
        and not refused
        and not isinstance(error, (StorageFull, AccessDenied))
    )


def _may_try_again(error: BaseException) -> bool:
    return may_pass(error) and isinstance(error, StorageUnavailable) and not error.waited


@retry(
    retry=retry_if_exception(_may_try_again),
    wait=wait_random_exponential(multiplier=0.5, max=_LONGEST_PAUSE),
    stop=stop_after_attempt(TRIES),
    reraise=True,
)
def _patient(call: Callable[[], T]) -> T:
    return call()


def listing(entries: Callable[[str, str], Iterator[Entry]], prefix: str = "") -> Iterator[Entry]:
    """Yield what `storage.entries` and its like list; go on after the last name when the storage was busy."""
    after, stream = "", entries(prefix, "")
    while True:
        try:
            for entry in stream:
                after = entry.name
                yield entry
            return
        except StorageUnavailable as error:
            if not may_pass(error):
                raise
        first, stream = patiently(partial(_begin, entries, prefix, after))
        if first is None:
            return
        after = first.name
        yield first


def _begin(
    entries: Callable[[str, str], Iterator[Entry]], prefix: str, after: str
) -> tuple[Entry | None, Iterator[Entry]]:
    stream = entries(prefix, after)
    return next(stream, None), stream


@contextmanager
def threads(number: int) -> Iterator[Callable[[Callable[[T], R], Iterable[T]], Iterator[R]]]:
    """Yield a `map` over so many threads. What waits when the block is left by an error is never begun."""
    pool = ThreadPoolExecutor(number, "lazyimages-operation")
    try:
        yield pool.map
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
