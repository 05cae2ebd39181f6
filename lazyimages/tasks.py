"""Tasks for Django's Tasks API: a batch of each operation, for whichever backend the project has.

Importing it needs Django 6, or the package `django-tasks` with Django 5.2. Every task may run more than once,
and two at the same time: what is done already is done again with the same result, or skipped.
"""

import logging
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any
from urllib.parse import quote

from django.db import DEFAULT_DB_ALIAS

if find_spec("django.tasks"):
    from django.tasks import task, task_backends  # type: ignore[import-not-found,unused-ignore]
else:  # Django 5.2
    from django_tasks import task, task_backends  # type: ignore[assignment,no-redef,unused-ignore]

from lazyimages import cleanup, queueing
from lazyimages.exceptions import StorageUnavailable
from lazyimages.operations import measure as measuring
from lazyimages.operations import purge as purging
from lazyimages.operations import run
from lazyimages.operations import warm as warming
from lazyimages.operations.work import Outcome

logger = logging.getLogger("lazyimages")

# Seconds until a task is done again for which the storage was not there: all in all five and a half hours.
PAUSES = (60, 300, 900, 3600, 4 * 3600)


def _queue() -> str:
    """Return a queue that the default entry of TASKS has: the one called default, if there is one."""
    queues = task_backends["default"].queues
    return "default" if not queues or "default" in queues else sorted(queues)[0]


@task(takes_context=True, queue_name=_queue())
def measure(context: Any, /, attempt: int = 0, **arguments: Any) -> dict[str, Any]:
    """Fill in what rows lack of their images; the arguments are those of `operations.measure.do`."""
    return _done(context, measuring.do, attempt, arguments)


@task(takes_context=True, queue_name=_queue())
def warm(context: Any, /, attempt: int = 0, **arguments: Any) -> dict[str, Any]:
    """Make variants ahead of time; the arguments are those of `operations.warm.do`."""
    return _done(context, warming.do, attempt, arguments)


@task(takes_context=True, queue_name=_queue())
def purge(context: Any, /, attempt: int = 0, **arguments: Any) -> dict[str, Any]:
    """Delete variants and originals; the arguments are those of `operations.purge.do`."""
    # The others wait themselves for a storage that is busy.
    return _done(context, lambda **kwargs: run.patiently(partial(purging.do, **kwargs)), attempt, arguments)


@task(queue_name=_queue())
def remove(names: list[str], attempt: int = 0, using: str = DEFAULT_DB_ALIAS) -> dict[str, Any]:
    """Remove originals that no row needs; what fails is enqueued again by `cleanup.remove` itself."""
    left = cleanup.remove(names, attempt, using)
    return {"done": len(names) - len(left), "failed": left}


def _done(
    context: Any, do: Callable[..., Outcome], attempt: int, arguments: dict[str, Any]
) -> dict[str, Any]:
    """Do a batch and return what became of it. It is enqueued again when the storage is not there.

    This task has failed then, and the backend shows why. The Tasks API has no retries of its own.
    """
    name = context.task_result.task.name
    try:
        outcome = do(**arguments)
    except StorageUnavailable as error:
        if run.may_pass(error):
            _enqueue_again(context, attempt, arguments)
        raise
    for key, why in outcome.failed.items():
        logger.warning(
            "operation failed name=%s key=%s error=%s", name, quote(key, safe="/~", errors="replace"), why
        )
    return outcome.as_dict()


def _enqueue_again(context: Any, attempt: int, arguments: dict[str, Any]) -> None:
    mine = context.task_result.task
    path = f"{__name__}.{mine.name}"
    if attempt >= len(PAUSES) or not queueing.has_workers(path):
        return
    try:
        queueing.enqueue(
            path,
            queue=mine.queue_name,
            backend=mine.backend,
            after=PAUSES[attempt],
            attempt=attempt + 1,
            **arguments,
        )
    except queueing.NotEnqueued:
        logger.exception("not enqueued: %s", path)  # the task fails for the storage, which is worse
