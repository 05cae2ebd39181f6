"""A project in a folder, whose commands and workers are processes of their own."""

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from marketplace.cloud.children import Child, start_child
from tests.clock import PATIENCE

ROOT = Path(__file__).resolve().parents[3]
_TASKS = """
import json
from django_tasks_db.models import DBTaskResult
rows = DBTaskResult.objects.order_by("enqueued_at").values()
print(json.dumps(list(rows), default=str))
"""


class Project:
    """Originals and variants as files in a folder; `workers` is "database", "rq" or "none"."""

    def __init__(self, folder: Path, workers: str, **environment: str) -> None:
        self.workers = workers
        self.originals, self.variants = folder / "originals", folder / "variants"
        temporary = folder / "tmp"  # locks and journals
        for path in (self.originals, self.variants, temporary):
            path.mkdir(parents=True, exist_ok=True)
        ours = {"DATABASE_URL", "REDIS_URL", "STORAGE"}
        self.environment = {name: value for name, value in os.environ.items() if name not in ours}
        self.environment |= {
            "DJANGO_SETTINGS_MODULE": "tests.operations.workers.settings",
            "DATA_DIR": str(folder),
            "WORKERS": workers,
            "TMPDIR": str(temporary),
            **environment,
        }

    def manage(self, *arguments: str, code: int = 0, stdin: str = "", **environment: str) -> str:
        """Run a management command, wait for this exit code, and return all that it has printed."""
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            cwd=ROOT,
            env={**self.environment, **environment},
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode == code, done.stdout
        return done.stdout

    def migrate(self) -> None:
        """Make the tables, also of apps without migrations."""
        self.manage("migrate", "--run-syncdb", "--verbosity=0")

    def python(self, code: str, **environment: str) -> str:
        """Run some lines in a process of the project."""
        return self.manage("shell", "--no-imports", "--command", code, **environment)

    def tasks(self) -> list[dict[str, Any]]:
        """Return the rows of `django-tasks-db`, the oldest first."""
        found: list[dict[str, Any]] = json.loads(self.python(_TASKS).splitlines()[-1])
        return found

    def start(self, *arguments: str, ready: str, **environment: str) -> Child:
        """Start a management command that goes on, in a process group of its own."""
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        return start_child(command, ready=ready, env={**self.environment, **environment}, cwd=ROOT)

    def files(self) -> Mapping[str, tuple[int, int]]:
        """Return the variants, each with inode and time, which change when it is written again."""
        return {
            str(path.relative_to(self.variants)): (path.stat().st_ino, path.stat().st_mtime_ns)
            for path in self.variants.rglob("*")
            if path.is_file()
        }


def kill(child: Child) -> None:
    """End a process and all that it has started as `kill -9` does; RQ gives each job a group of its own."""
    while mine := [each.name for each in Path("/proc").glob("[0-9]*") if _lives_in(child, each)]:
        for pid in mine:
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
    child.stop()


def _lives_in(child: Child, process: Path) -> bool:
    """Tell whether a process, by its folder in /proc, is of the session that a child began."""
    try:
        state, _, _, session = (process / "stat").read_text().rpartition(")")[2].split()[:4]
    except OSError:
        return False
    return int(session) == child.pid and state != "Z"


@contextmanager
def fresh_database(url: str) -> Iterator[str]:
    """Make a database on the PostgreSQL server of a URL, yield its own URL, and drop it."""
    import psycopg

    name = f"workers_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
