"""The lines for Celery in docs/operations.md, run by a real worker of Celery's."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from marketplace.cloud.children import Child, start_child
from tests.conftest import jpeg, wait_until
from tests.operations.workers.project import ROOT, Project, kill

NAMES = [f"produs_1/bowl.{number}.jpg" for number in range(3)]
# A project's own Celery app, as Celery's guide for Django has it; the broker is a folder.
APP = """
from celery import Celery

app = Celery("shop", broker="filesystem://", backend="file://{folder}/results", include=["shop_tasks"])
app.conf.broker_transport_options = {{
    "data_folder_in": "{folder}/queue",
    "data_folder_out": "{folder}/queue",
    "control_folder": "{folder}/control",
}}
"""
WARM = "import shop_celery, shop_tasks; shop_tasks.warm_all('480h')"


def lines() -> str:
    """Return the lines of the docs."""
    blocks = re.findall(r"```python\n(.+?)```", (ROOT / "docs" / "operations.md").read_text(), re.DOTALL)
    (found,) = [block for block in blocks if "shared_task" in block]
    code: str = found
    return code


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    """A project with three rows, and the lines as one of its modules."""
    project = Project(tmp_path / "shop", "none", PYTHONPATH=str(tmp_path))
    (project.originals / "produs_1").mkdir()
    for name in NAMES:
        (project.originals / name).write_bytes(jpeg(800, 600))
    project.migrate()
    images = f"[Photo(image=name) for name in {NAMES}]"
    project.python(f"from tests.host.models import Photo; Photo.objects.bulk_create({images})")
    for folder in ("results", "queue", "control"):
        (tmp_path / folder).mkdir()
    (tmp_path / "shop_celery.py").write_text(APP.format(folder=tmp_path))
    (tmp_path / "shop_tasks.py").write_text(lines())
    return project


@contextmanager
def worker(shop: Project, **environment: str) -> Iterator[Child]:
    """Run a worker of Celery's."""
    command = [sys.executable, "-m", "celery", "-A", "shop_celery", "worker", "--pool=solo", "-l", "INFO"]
    child = start_child(command, ready=" ready.", env={**shop.environment, **environment}, cwd=ROOT)
    try:
        yield child
    finally:
        kill(child)


def test_they_are_ten() -> None:
    code = [line for line in lines().splitlines() if line.strip() and not line.startswith("#")]
    assert len(code) <= 10


def test_they_warm(shop: Project) -> None:
    shop.python(WARM)
    with worker(shop) as child:
        wait_until(lambda: "succeeded in" in child.output)
    assert sorted(shop.files()) == [name.replace("/", "/480h/") for name in NAMES]
    assert "'done': 3" in child.output


def test_a_storage_that_is_away_is_tried_again(shop: Project) -> None:
    shop.python(WARM)
    with worker(shop, STORAGE="down") as child:
        wait_until(lambda: "Retry in" in child.output)
    assert "StorageUnavailable" in child.output
