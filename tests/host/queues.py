"""A task system whose worker is the test."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

_PACKAGE = "django.tasks" if find_spec("django.tasks") else "django_tasks"
_Dummy: Any = import_module(f"{_PACKAGE}.backends.dummy").DummyBackend
TASK_BACKENDS: Any = import_module(_PACKAGE).task_backends


class Shelf(_Dummy):  # type: ignore[misc]
    """Keeps tasks until the test does them."""


class Broken(_Dummy):  # type: ignore[misc]
    """A broker that is down."""

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> Any:
        """Fail."""
        raise ConnectionError("nobody listens")
