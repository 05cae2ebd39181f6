"""Files that no row needs any longer: originals and their variants are removed after commit, all at once."""

import logging
from collections.abc import Sequence
from posixpath import normpath
from typing import Any
from urllib.parse import quote

from django.db import DEFAULT_DB_ALIAS, connections, models, router, transaction

from lazyimages import conf, needs, queueing, variants
from lazyimages.exceptions import NotDeleted

logger = logging.getLogger("lazyimages")

ATTEMPTS = 8  # by the task system, over about a day
_TASK = "lazyimages.tasks.remove"
_FIRST_PAUSE, _LONGEST_PAUSE = 60, 6 * 3600  # seconds
_CHUNK = 500  # names a query; SQLite takes 999 values, Oracle 1,000
_A_LINE = 50  # names a log line
_STATE = "_lazyimages_cleanup"


def remove_after_commit(name: str, field: models.FileField, using: str) -> None:
    """Remove an original and its variants after the transaction is committed, and never if it is not.

    It stays when CLEANUP is off, and when `needs` says so. What one transaction leaves is asked for and
    removed together, but for what was left within savepoints, where each has its own batch, since it may be
    rolled back alone. Nothing is raised: what fails is tried again by the project's task system, where there
    is one, and logged.
    """
    if not name or not conf.settings().cleanup:
        return
    if normpath(name) != name or name.startswith(("/", "../")):
        logger.error("not removed: %s (rows may have the same file by another name)", _quoted([name]))
        return
    connection = connections[using]
    if not connection.in_atomic_block and not connection.get_autocommit():
        logger.error("not removed: %s (transactions without atomic() do not tell their end)", _quoted([name]))
        return
    batch = _batch(connection)
    batch.names.setdefault(name, field)
    # Once for each name, though the first call does it all: who captures what is to be done after commit, as
    # Django's TestCase can, is told of this one too.
    transaction.on_commit(batch.run, using=using)


def remove_once(name: str, field: models.FileField) -> None:
    """Remove an original as `remove_after_commit`, unless that was just done because of the row.

    For those who delete files after a commit without the row, as django-cleanup does.
    """
    for connection in connections.all(initialized_only=True):
        if name in _state(connection).seen:
            return
    remove_after_commit(name, field, router.db_for_write(field.model))


def remove(names: list[str], attempt: int = 0, using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """Remove originals that no row needs, with their variants; return those that could not be removed.

    These are tried again by the project's task system, later each time, until they have been for `ATTEMPTS`
    times; `attempt` says how often they were. Then, and without such a system, they are logged. `using` is
    the database whose rows pointed at them. Names that are gone are no error.
    """
    if not conf.settings().cleanup:
        return []
    return _remove(names, (), attempt, using)


class _Batch:
    """Names that the same savepoints' rollbacks would take back, so that all are to be removed, or none."""

    def __init__(self, using: str) -> None:
        self.names: dict[str, models.FileField] = {}
        self.is_done = False
        self._using = using

    def run(self) -> None:
        if self.is_done:
            return
        self.is_done = True
        names, self.names = self.names, {}
        try:
            _state(connections[self._using]).seen.update(names)
            _remove(list(names), tuple(dict.fromkeys(names.values())), 0, self._using)
        except Exception:  # rows are saved: whatever goes wrong comes too late for them
            _log(logging.ERROR, "not removed", list(names), exc_info=True)


class _State:
    """What a connection is about to remove, by the open savepoints, and has just removed."""

    def __init__(self, hooks: object) -> None:
        self.hooks = hooks
        self.batches: dict[frozenset[str], _Batch] = {}
        self.seen: set[str] = set()


def _state(connection: Any) -> _State:
    state: _State | None = connection.__dict__.get(_STATE)
    if state is None:
        state = connection.__dict__[_STATE] = _State(None)
    return state


def _batch(connection: Any) -> _Batch:
    """Return the batch that a name joins now.

    Django replaces the list of what is to be done after commit at each commit and rollback. So whoever finds
    the list that was there before finds batches that are still to be run, or were run without a commit.
    """
    state = _state(connection)
    if state.hooks is not connection.run_on_commit:
        state = connection.__dict__[_STATE] = _State(connection.run_on_commit)
    savepoints = frozenset(connection.savepoint_ids) - {None}  # None is an atomic block without a savepoint
    batch = state.batches.get(savepoints)
    if batch is None or batch.is_done:
        batch = state.batches[savepoints] = _Batch(connection.alias)
        state.seen.clear()
    return batch


def _remove(
    names: Sequence[str], fields: tuple[models.FileField, ...], attempt: int, using: str
) -> list[str]:
    failed: list[str] = []
    error: Exception | None = None
    for start in range(0, len(names), _CHUNK):
        chunk = names[start : start + _CHUNK]
        try:
            needed = needs.needed(chunk, using, fields)
            variants.purge_with_originals([name for name in chunk if name not in needed])
        except NotDeleted as some:
            error = some
            failed += some.names
        except Exception as every:  # a storage or a database that does not answer, or whatever they raise
            error = every
            failed += names[start:]
            break
    if error is not None:
        _try_later(failed, attempt + 1, using, error)
    return failed


def _try_later(names: list[str], attempt: int, using: str, error: Exception) -> None:
    pause = min(_FIRST_PAUSE * 4 ** (attempt - 1), _LONGEST_PAUSE)
    if attempt <= ATTEMPTS and queueing.has_workers(_TASK):
        try:
            for start in range(0, len(names), _CHUNK):
                chunk = names[start : start + _CHUNK]
                queueing.enqueue(_TASK, after=pause, names=chunk, attempt=attempt, using=using)
        except Exception:  # any backend raises its own
            logger.exception("not enqueued: %s", _TASK)
        else:
            _log(logging.WARNING, f"not removed yet, attempt {attempt} of {ATTEMPTS} follows", names, error)
            return
    _log(logging.ERROR, "not removed", names, error)


def _log(level: int, what: str, names: list[str], exc_info: Exception | bool | None = None) -> None:
    for start in range(0, len(names), _A_LINE):
        logger.log(level, "%s: %s", what, _quoted(names[start : start + _A_LINE]), exc_info=exc_info)
        exc_info = None  # once is enough


def _quoted(names: Sequence[str]) -> str:
    return " ".join(quote(name, safe="/~") for name in names)
