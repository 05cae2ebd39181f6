"""What becomes of tasks: by a worker of the database backend, on SQLite; and of retries with RQ too."""

import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.conftest import jpeg
from tests.fire.herd.redis_server import Redis
from tests.operations.workers.project import Project

NAMES = [f"produs_1/bowl.{number}.jpg" for number in range(3)]
KEYS = [name.replace("/", "/480h/") for name in NAMES]
LATER = "from django_tasks_db.models import *; DBTaskResult.objects.update(run_after=get_date_max())"


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    """A project with three rows and their originals."""
    project = Project(tmp_path / "shop", "database")
    (project.originals / "produs_1").mkdir()
    for name in NAMES:
        (project.originals / name).write_bytes(jpeg(800, 600))
    project.migrate()
    rows(project, f"Photo.objects.bulk_create(Photo(image=name) for name in {NAMES})")
    return project


def rows(shop: Project, code: str) -> str:
    return shop.python(f"from tests.host.models import Photo; {code}").strip()


def enqueue(shop: Project, task: str, **arguments: Any) -> None:
    shop.python(
        f"from lazyimages import queueing; queueing.enqueue('lazyimages.tasks.{task}', **{arguments!r})"
    )


def work(shop: Project, **environment: str) -> str:
    return shop.manage("db_worker", "--batch", "--no-startup-delay", **environment)


def test_the_result_and_the_log_name_what_failed(shop: Project) -> None:
    (shop.originals / NAMES[0]).unlink()
    (shop.originals / NAMES[1]).write_bytes(b"\xff\xd8 not really")
    enqueue(shop, "warm", keys=KEYS)
    said = work(shop)
    (task,) = shop.tasks()
    assert task["status"] == "SUCCESSFUL"  # the batch is done, as far as it can be
    result = task["return_value"]
    assert (result["done"], sorted(result["failed"])) == (1, sorted(NAMES[:2]))
    assert list(shop.files()) == [KEYS[2]]
    for name in NAMES[:2]:
        assert (
            f"WARNING lazyimages operation failed name=warm key={name} error={result['failed'][name]}" in said
        )


def test_a_storage_that_is_not_there(shop: Project) -> None:
    enqueue(shop, "warm", keys=KEYS)
    work(shop, STORAGE="down")
    first, again = shop.tasks()
    assert (first["status"], again["status"]) == ("FAILED", "READY")
    assert first["exception_class_path"] == "lazyimages.exceptions.StorageUnavailable"
    assert again["args_kwargs"]["kwargs"] == {"keys": KEYS, "attempt": 1}
    wait = datetime.fromisoformat(again["run_after"]) - datetime.fromisoformat(again["enqueued_at"])
    assert 50 < wait.total_seconds() <= 60
    work(shop)
    assert shop.tasks()[1]["status"] == "READY"  # its time has not come
    shop.python(LATER)
    work(shop)
    assert shop.tasks()[1]["status"] == "SUCCESSFUL"
    assert sorted(shop.files()) == KEYS


def test_it_is_not_tried_without_end(shop: Project) -> None:
    enqueue(shop, "warm", keys=KEYS, attempt=5)
    work(shop, STORAGE="down")
    (task,) = shop.tasks()
    assert task["status"] == "FAILED"


def test_the_same_queue_again(shop: Project) -> None:
    shop.environment["QUEUES"] = "default images"
    enqueue(shop, "warm", queue="images", keys=KEYS)
    shop.manage("db_worker", "--batch", "--no-startup-delay", "--queue-name=images", STORAGE="down")
    assert [task["queue_name"] for task in shop.tasks()] == ["images", "images"]


def test_a_storage_that_is_not_there_with_rq(tmp_path: Path) -> None:
    if shutil.which("redis-server") is None:
        pytest.skip("Redis server is missing: apt install redis-server")
    server = Redis(tmp_path)
    server.start()
    try:
        shop = Project(tmp_path / "shop", "rq", REDIS_URL=server.url)
        enqueue(shop, "warm", keys=KEYS)
        shop.manage("rqworker", "--burst", STORAGE="down")
        broker = redis.Redis.from_url(server.url)
        assert (broker.zcard("rq:failed:default"), broker.zcard("rq:scheduled:default")) == (1, 1)
    finally:
        server.stop()


def test_measure(shop: Project) -> None:
    shop.manage("lazyimages_measure", "--enqueue")
    assert rows(shop, "print(Photo.objects.filter(width=None).count())") == "3"
    work(shop)
    assert rows(shop, "print(Photo.objects.filter(width=800, height=600).count())") == "3"
    assert shop.tasks()[0]["return_value"]["done"] == 3


def test_warm_then_purge(shop: Project) -> None:
    shop.manage("lazyimages_warm", "--sizes", "480h", "--model", "host.Photo", "--enqueue")
    assert shop.files() == {}
    work(shop)
    assert sorted(shop.files()) == KEYS
    shop.manage("lazyimages_purge", "--all", "--enqueue")
    assert sorted(shop.files()) == KEYS
    work(shop)
    assert shop.files() == {}
    assert (shop.originals / NAMES[0]).exists()


def test_remove(shop: Project) -> None:
    shop.manage("lazyimages_warm", "--all-sizes", "--model", "host.Photo")
    rows(shop, f"Photo.objects.filter(image__in={NAMES[:2]})._raw_delete('default')")
    enqueue(shop, "remove", names=NAMES)
    work(shop)
    assert shop.tasks()[0]["status"] == "SUCCESSFUL"
    assert [path.name for path in (shop.originals / "produs_1").iterdir()] == ["bowl.2.jpg"]
    assert {Path(key).name for key in shop.files()} == {"bowl.2.jpg"}


def test_a_backend_without_workers_is_worth_a_warning(shop: Project) -> None:
    said = shop.manage("lazyimages_warm", "--sizes", "480h", "--model", "host.Photo", "--enqueue", WORKERS="")
    assert "Warning: TASKS has no backend with workers" in said
    assert sorted(shop.files()) == KEYS
