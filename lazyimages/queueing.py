"""The project's task system, by Django's Tasks API: `django.tasks` since Django 6, or `django-tasks` before.

Tasks are named by their path, since they stand above all that they call.
"""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.module_loading import import_string

from lazyimages.exceptions import LazyImagesError

# What is done within the request that asks for it, or not at all.
_NO_WORKERS = ("immediate.ImmediateBackend", "dummy.DummyBackend")


class NotEnqueued(LazyImagesError):
    """The project's task system did not take a task: TASKS has mistakes, or what it is kept in is down."""


def enqueue(path: str, *, queue: str = "", backend: str = "", after: float = 0, **arguments: Any) -> None:
    """Have a task done by the project's task system: `enqueue("lazyimages.tasks.warm", keys=[...])`.

    `arguments` are JSON. `backend` is an entry of TASKS and `queue` one of its queues, empty for the default
    ones; `after` is in seconds from now, for backends that can wait. `ImportError` without a Tasks API, else
    `NotEnqueued`.
    """
    try:
        _enqueue(import_string(path), queue, backend, after, arguments)
    except (ImportError, NotEnqueued):
        raise
    except Exception as error:  # of whichever database or broker the backend has
        why = " ".join(str(error).split()) or "no reason given"
        raise NotEnqueued(
            f"the task system of TASKS did not take {path}: {type(error).__name__}: {why}"
        ) from error


def has_workers(path: str) -> bool:
    """Tell whether a task would be done by somebody else than this process."""
    try:
        backend = type(import_string(path).get_backend())
    except Exception:  # no Tasks API, or TASKS has mistakes, which Django's checks report
        return False
    return not f"{backend.__module__}.{backend.__qualname__}".endswith(_NO_WORKERS)


def _enqueue(task: Any, queue: str, backend: str, after: float, arguments: dict[str, Any]) -> None:
    changes: dict[str, Any] = {"backend": backend} if backend else {}
    if queue:
        known = (task.using(**changes) if changes else task).get_backend().queues
        if known and queue not in known:
            raise NotEnqueued(f"TASKS has no queue {queue!r}. Choose from: {', '.join(sorted(known))}.")
        changes["queue_name"] = queue
    if changes:
        task = task.using(**changes)
    if after and task.get_backend().supports_defer:
        task = task.using(run_after=timezone.now() + timedelta(seconds=after))
    task.enqueue(**arguments)
