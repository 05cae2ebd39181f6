"""Workers that are killed in the middle: nothing is lost, and nothing visible is done twice."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clock import PATIENCE
from tests.conftest import jpeg, wait_until
from tests.fire.herd.redis_server import Redis
from tests.operations.workers.project import Project, fresh_database, kill

NAMES = [f"produs_{number}/bowl.{number:02}.jpg" for number in range(40)]
SIZES = ("360x270", "480h")
KEYS = sorted(f"{name.replace('/', f'/{size}/')}" for name in NAMES for size in SIZES)
BATCH = {"database": ["db_worker", "--batch", "--no-startup-delay"], "rq": ["rqworker", "--burst"]}
GOES_ON = {
    "database": (["db_worker", "--interval=0.05", "--no-startup-delay"], "Starting worker"),
    "rq": (["rqworker"], "Listening on"),
}


@pytest.fixture(params=["database", "rq"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Project]:
    """A project with 40 originals, tasks of ten variants, and a task system."""
    if request.param == "database":
        url = os.environ.get("DATABASE_URL", "")
        if "postgres" not in url:
            pytest.skip("PostgreSQL is missing: apt install postgresql, start it, and set DATABASE_URL")
        with fresh_database(url) as fresh:
            project = Project(tmp_path / "shop", "database", DATABASE_URL=fresh, BATCH="10")
            project.migrate()
            yield project
        return
    if shutil.which("redis-server") is None:
        pytest.skip("Redis server is missing: apt install redis-server")
    redis = Redis(tmp_path)
    redis.start()
    try:
        yield Project(tmp_path / "shop", "rq", REDIS_URL=redis.url, BATCH="10")
    finally:
        redis.stop()


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return the variants as one process makes them, without tasks."""
    other = Project(tmp_path_factory.mktemp("other"), "none")
    draw(other)
    warm(other)
    return contents(other)


@pytest.fixture(autouse=True)
def _originals(shop: Project) -> None:
    draw(shop)


def draw(shop: Project) -> None:
    pictures = [jpeg(800 + width, 600) for width in range(10)]
    for number, name in enumerate(NAMES):
        path = shop.originals / name
        path.parent.mkdir(parents=True)
        path.write_bytes(pictures[number % 10])


def warm(shop: Project, *options: str) -> str:
    return shop.manage("lazyimages_warm", "--from", "-", *options, stdin="\n".join(KEYS))


def test_a_killed_worker(shop: Project, expected: dict[str, bytes]) -> None:
    warm(shop, "--enqueue")
    arguments, ready = GOES_ON[shop.workers]
    worker = shop.start(*arguments, ready=ready)
    wait_until(lambda: len(shop.files()) > 5)
    kill(worker)
    before = shop.files()
    assert 5 < len(before) < len(KEYS)
    # The others do what nobody had begun; what was begun is missing, and the same command enqueues that.
    shop.manage(*BATCH[shop.workers])
    missing = set(KEYS) - set(shop.files())
    assert 0 < len(missing) < len(KEYS) - len(before)
    warm(shop, "--enqueue")
    shop.manage(*BATCH[shop.workers])
    after = shop.files()
    assert sorted(after) == KEYS
    assert {key: after[key] for key in before} == before
    assert contents(shop) == expected
    if shop.workers == "database":
        states = [task["status"] for task in shop.tasks()]
        assert states.count("RUNNING") == 1  # for ever, as docs/operations.md says
        assert set(states) == {"RUNNING", "SUCCESSFUL"}


def test_the_same_twice_by_two_workers(shop: Project, expected: dict[str, bytes]) -> None:
    """A task system may deliver a task twice; here all are there twice, and two workers are at it."""
    warm(shop, "--enqueue")
    warm(shop, "--enqueue")
    arguments, ready = GOES_ON[shop.workers]
    workers = [shop.start(*arguments, ready=ready) for _ in range(2)]
    try:
        wait_until(lambda: len(shop.files()) == len(KEYS))
    finally:
        for worker in workers:
            worker.stop(grace=PATIENCE)
    shop.manage(*BATCH[shop.workers])
    assert sorted(shop.files()) == KEYS
    assert contents(shop) == expected


def contents(shop: Project) -> dict[str, bytes]:
    return {name: (shop.variants / name).read_bytes() for name in shop.files()}
