"""Handing work to the project's task system, and what is said when it does not take it."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from django.utils.module_loading import import_string

from lazyimages import queueing
from tests.operations.workers.project import Project

WARM = "lazyimages.tasks.warm"
PACKAGE = "django.tasks" if find_spec("django.tasks") else "django_tasks"
DUMMY = f"{PACKAGE}.backends.dummy.DummyBackend"
IMMEDIATE = f"{PACKAGE}.backends.immediate.ImmediateBackend"


@pytest.fixture
def enqueued(settings: Any) -> list[Any]:
    """Have tasks kept in a list, with two queues."""
    settings.TASKS = {"default": {"BACKEND": DUMMY, "QUEUES": ["default", "images"]}}
    found: list[Any] = import_string(f"{PACKAGE}.task_backends")["default"].results
    return found


def test_arguments_and_queue(enqueued: list[Any]) -> None:
    queueing.enqueue(WARM, keys=["a/480h/b.jpg"])
    queueing.enqueue(WARM, queue="images", keys=[])
    first, second = enqueued
    assert (first.task.module_path, first.kwargs) == (WARM, {"keys": ["a/480h/b.jpg"]})
    assert (first.task.queue_name, second.task.queue_name) == ("default", "images")


def test_an_unknown_queue_names_those_that_there_are(enqueued: list[Any]) -> None:
    with pytest.raises(
        queueing.NotEnqueued, match=r"TASKS has no queue 'image'. Choose from: default, images."
    ):
        queueing.enqueue(WARM, queue="image", keys=[])
    assert enqueued == []


def test_a_backend_that_is_not_there(settings: Any) -> None:
    settings.TASKS = {"default": {"BACKEND": "celery_tasks.Backend"}}
    with pytest.raises(queueing.NotEnqueued, match=r"did not take lazyimages.tasks.warm: .*celery_tasks"):
        queueing.enqueue(WARM, keys=[])
    assert not queueing.has_workers(WARM)


@pytest.mark.parametrize(
    ("backend", "expected"),
    [(IMMEDIATE, False), (DUMMY, False), ("django_tasks_db.DatabaseBackend", True)],
)
def test_who_would_do_it(settings: Any, backend: str, expected: bool) -> None:
    settings.TASKS = {"default": {"BACKEND": backend}}
    assert queueing.has_workers(WARM) is expected


def test_a_broker_that_is_down(tmp_path: Path) -> None:
    project = Project(tmp_path, "rq", REDIS_URL="redis://127.0.0.1:9/0")
    said = project.python(
        "from lazyimages import queueing\n"
        "try: queueing.enqueue('lazyimages.tasks.warm', keys=[])\n"
        "except queueing.NotEnqueued as error: print(error)"
    )
    assert "the task system of TASKS did not take lazyimages.tasks.warm: ConnectionError: " in said


def test_queues_of_other_names(tmp_path: Path) -> None:
    """A project need not have a queue called default."""
    project = Project(tmp_path, "database", QUEUES="low high")
    project.migrate()
    project.python("from lazyimages import queueing; queueing.enqueue('lazyimages.tasks.warm', keys=[])")
    said = project.python(
        "from django_tasks_db.models import *; print(DBTaskResult.objects.get().queue_name)"
    )
    assert said.split()[-1] == "high"


@pytest.mark.skipif(find_spec("django.tasks") is not None, reason="Django has the Tasks API itself")
def test_without_a_tasks_api(tmp_path: Path) -> None:
    folder = tmp_path / "path" / "django_tasks"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise ModuleNotFoundError('No module named django_tasks')")
    project = Project(tmp_path, "none", PYTHONPATH=os.pathsep.join([str(folder.parent)]))
    said = project.manage("lazyimages_warm", "--from", "-", "--enqueue", code=1, stdin="480h/bowl.jpg")
    assert "pip install 'django-lazyimages[tasks]' with Django 5.2" in said
