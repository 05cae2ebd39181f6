"""Purge: variants that nobody asks for any more, and originals that no row needs, are deleted.

Only what is surely ours goes: keys of variants of originals that are listed, that a row has, or that a
person names. The CDN is told to forget them when all are deleted, by paths that are settled before the first
is: each batch carries them in its cursor, so that an interrupted run knows them.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from django.core.files.storage import storages

from lazyimages import conf, storage
from lazyimages.exceptions import LazyImagesError
from lazyimages.operations import run
from lazyimages.operations.purging.choosing import Choice
from lazyimages.operations.purging.deletion import REQUEST, do, look
from lazyimages.operations.purging.listed import Listed, Totals
from lazyimages.operations.purging.named import Named
from lazyimages.operations.work import Batch, Outcome, Work

__all__ = ["Purge", "do", "forgetting", "invalidate", "look", "purge_originals"]

NAME = "lazyimages_purge"
Say = Callable[[str], None]
Selection = Listed | Named


class NothingToInvalidate(LazyImagesError, ValueError):
    """There is no distribution to tell, or a path is none that CloudFront takes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Position:
    """How far a run is: about what was there when it `began`. `paths` are to be invalidated after it."""

    began: float
    total: int
    paths: Sequence[str]
    stage: str = "originals"
    after: Any = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "began": self.began,
            "total": self.total,
            "paths": list(self.paths),
            "stage": self.stage,
            "after": self.after,
        }


class Purge:
    """One purge: `work` for a run of it, and afterwards what it has found.

    `invalidates` tells whether the CDN is told in the end, and `elsewhere` that the batches are done by other
    machines, so that nobody here knows when that is.
    """

    def __init__(
        self,
        choice: Choice,
        *,
        invalidates: bool = True,
        elsewhere: bool = False,
        concurrency: int = 1,
        say: Say = lambda text: None,
    ) -> None:
        self.choice = choice
        self.selection: Selection | None = None
        self.paths: Sequence[str] = ()
        self._invalidates = invalidates and conf.settings().distribution_id is not None
        self._elsewhere, self._concurrency, self._say = elsewhere, concurrency, say
        self._total: int | None = None

    @property
    def totals(self) -> Totals:
        """What was found; nothing before the first batch."""
        return self.selection.totals if self.selection else Totals()

    @property
    def work(self) -> Work:
        """Return what is to be done."""
        return Work(
            name=NAME,
            task="purge",
            unit="files",
            what=self.choice.as_dict() | {"invalidates": self._invalidates},
            batches=self._batches,
            do=do,
            look=look,
            total=lambda: self._total,
        )

    def _batches(self, cursor: Mapping[str, Any] | None) -> Iterator[Batch]:
        before = Position(**cursor) if cursor else None
        began = before.began if before else time.time()
        select: Selection = (
            Listed(self.choice, began, self._say) if self.choice.listed else Named(self.choice, self._say)
        )
        # Tasks are done at some time, and a person has the CDN told then: by few paths, fit to be typed.
        select.read(exact=not self._elsewhere)
        self.selection = select
        totals = select.totals
        count = totals.count + (totals.doomed if self.choice.delete_originals else 0)
        if before is None:
            paths = select.paths() if self._invalidates and totals.count else ()
            before = Position(began=began, total=count, paths=paths)
            if paths and not self._elsewhere:
                # Written down before the first is deleted.
                yield Batch(arguments={}, items=0, cursor=before.as_dict())
        self._total, self.paths = before.total, before.paths
        if before.stage == "originals":
            yield from self._of_originals(select, before)
        yield from self._of_keys(select, before)

    def _of_originals(self, select: Selection, before: Position) -> Iterator[Batch]:
        for names in _portions(select.originals(before.after), self._size):
            yield Batch(
                arguments={"originals": names, **self._options},
                items=len(names),
                cursor=self._cursor(before, "originals", names[-1]),
            )

    def _of_keys(self, select: Selection, before: Position) -> Iterator[Batch]:
        found = select.keys(before.after if before.stage == "keys" else None)
        for portion in _portions(found, self._size):
            arguments: dict[str, Any] = {"keys": [each.key for each in portion], **self._options}
            if self.choice.listed:
                arguments["lengths"] = [each.bytes for each in portion]
            if self.choice.orphans:
                arguments["orphans"] = True
            yield Batch(
                arguments=arguments,
                items=len(portion),
                cursor=self._cursor(before, "keys", portion[-1].position),
            )

    @property
    def _options(self) -> dict[str, Any]:
        return {"concurrency": self._concurrency} if self._concurrency > 1 else {}

    @property
    def _size(self) -> int:
        return REQUEST * self._concurrency

    def _cursor(self, before: Position, stage: str, after: Any) -> dict[str, Any]:
        return before.as_dict() | {"stage": stage, "after": after}


def forgetting(paths: Sequence[str]) -> Work:
    """Return work that deletes nothing, and leaves some paths to `invalidate`, as a person gives them."""
    for path in paths:
        if not path.startswith("/") or "*" in path[:-1]:
            raise NothingToInvalidate(
                f"{path!r} is no path of a CDN: it begins with a slash, and may end in *, as in /produs_12/*"
            )
    if conf.settings().distribution_id is None:
        raise NothingToInvalidate(
            "there is no distribution to tell: LAZYIMAGES has no DISTRIBUTION_ID. lazyimages_setup_cdn "
            "tells which it is"
        )
    position = Position(began=time.time(), total=0, paths=paths)

    def batches(cursor: Any) -> Iterator[Batch]:
        if cursor is None:
            yield Batch(arguments={}, items=0, cursor=position.as_dict())

    return Work(
        name=NAME,
        task="purge",
        unit="files",
        what={"invalidate": list(paths)},
        batches=batches,
        do=do,
        look=look,
    )


def invalidate(paths: Sequence[str], *, say: Say = lambda text: None) -> None:
    """Have the distribution of DISTRIBUTION_ID forget some paths; waits while CloudFront is busy.

    `aws.invalidations.NotInvalidated` says why it could not be told.
    """
    from lazyimages.aws import invalidations  # boto3 is an extra

    id = conf.settings().distribution_id
    if id and paths:
        chosen: Any = storages[storage.variants_alias()]
        client = invalidations.client(chosen if storage.is_s3(chosen) else None)
        invalidations.invalidate(client, id, paths, say=say)


def purge_originals(names: Iterable[str], *, invalidate: bool = True) -> Outcome:
    """Delete the variants of some originals, in every size and format that the settings allow.

    With `invalidate` the CDN is told as well, where there is a DISTRIBUTION_ID. `Outcome.done` is how many
    keys were asked to be deleted. `UnclearChoice` for what is no name of an original, `StorageUnavailable`
    and `aws.invalidations.NotInvalidated` when that fails.
    """
    chosen = tuple(names)
    if not chosen:
        return Outcome()
    purge = Purge(Choice(originals=chosen), invalidates=invalidate)
    done, failed = 0, dict[str, str]()
    for batch in purge.work.batches(None):
        outcome = run.patiently(partial(do, **batch.arguments))
        done += outcome.done
        failed.update(outcome.failed)
    if purge.paths:
        _invalidate(purge.paths)
    return Outcome(done=done, failed=failed)


_invalidate = invalidate  # also where a parameter has the name


def _portions(found: Iterable[Any], size: int) -> Iterator[list[Any]]:
    waiting = iter(found)
    while portion := list(islice(waiting, size)):
        yield portion
