"""Shops that herds run into: gunicorn with the marketplace, on S3 or on plain files."""

import os
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import numpy
from PIL import Image

from marketplace.cloud.children import Child, start_child
from tests.clock import PATIENCE
from tests.fire.held import held, standing
from tests.fire.load import Answer, ask_all, statuses

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[3]
BUCKET = "herd-photos"
WARM = "produs_0/warm.AZ70KuRzw9.jpg"
WARM_KEY = "produs_0/360x270/warm.AZ70KuRzw9.jpg"
WORKERS, THREADS = 4, 4


def photo(width: int = 4032, height: int = 3024) -> bytes:
    """Draw a JPEG that is as hard to decode as a photo: grain on soft shapes."""
    grain = numpy.random.default_rng(1).normal(0, 5, (height, width, 1))
    shapes = numpy.random.default_rng(2).uniform(0, 255, (12, 16, 3)).astype("uint8")
    soft = Image.fromarray(shapes).resize((width, height), Image.Resampling.BICUBIC)
    buffer = BytesIO()
    Image.fromarray((numpy.asarray(soft) + grain).clip(0, 255).astype("uint8")).save(
        buffer, "JPEG", quality=85
    )
    return buffer.getvalue()


def variant_of(original: str, size: str) -> str:
    """Return the key of a variant."""
    directory, _, name = original.rpartition("/")
    return f"{directory}/{size}/{name}"


class Files:
    """Originals and variants as plain files below a folder, `local` delivery."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {"DELIVERY": "local", "DATA_DIR": str(folder)}

    def put_original(self, name: str, data: bytes) -> None:
        path = self.folder / "originals" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def discard_original(self, name: str) -> None:
        (self.folder / "originals" / name).unlink()

    def variant(self, key: str) -> bytes | None:
        path = self.folder / "variants" / key
        return path.read_bytes() if path.exists() else None

    def variants(self) -> list[str]:
        """Name every file that is there, also temporary ones."""
        root = self.folder / "variants"
        return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())

    def path_to(self, key: str) -> str:
        return f"/images/v/{key}"


class Bucket:
    """Originals and variants in one bucket of S3 that keeps every version, `redirect` delivery."""

    def __init__(self, client: Any, endpoint: str, folder: Path) -> None:
        self.client = client
        self._originals: dict[str, str] = {}
        self.environment = {
            "DELIVERY": "redirect",
            "DATA_DIR": str(folder),
            "CDN_URL": "https://cdn.example",
            "RESIZER_URL": "https://shop.example/images/resizer",
            "AWS_ENDPOINT_URL_S3": endpoint,
            "AWS_STORAGE_BUCKET_NAME": BUCKET,
            "AWS_ACCESS_KEY_ID": "herd",
            "AWS_SECRET_ACCESS_KEY": "herd",
            "AWS_DEFAULT_REGION": "eu-central-1",
        }

    def put_original(self, name: str, data: bytes) -> None:
        self._originals[name] = self.client.put_object(Bucket=BUCKET, Key=name, Body=data)["VersionId"]

    def discard_original(self, name: str) -> None:
        """Free moto's memory of it."""
        self.client.delete_object(Bucket=BUCKET, Key=name, VersionId=self._originals.pop(name))

    def variant(self, key: str) -> bytes | None:
        try:
            return self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        except self.client.exceptions.NoSuchKey:
            return None

    def variants(self) -> list[str]:
        """Name every version of every variant: as many as there were PUTs."""
        return sorted(key for key, etags in self.puts().items() for _ in etags)

    def puts(self) -> dict[str, list[str]]:
        """Return the ETags of all that was ever stored under each key of a variant.

        One listing: each makes moto read, and keep, every object that there is.
        """
        found: dict[str, list[str]] = defaultdict(list)
        for one in self._versions():
            if one["Key"].count("/") == 2:
                found[one["Key"]].append(one["ETag"])
        return found

    def path_to(self, key: str) -> str:
        return f"/images/resizer?key={key}"

    def _versions(self) -> list[dict[str, Any]]:
        pages = self.client.get_paginator("list_object_versions").paginate(Bucket=BUCKET)
        return [one for page in pages for one in page.get("Versions", [])]


Store = Files | Bucket


class Shop:
    """One gunicorn: a machine, as far as locks can tell, for `folder` is its temporary directory."""

    def __init__(self, child: Child, store: Store, folder: Path) -> None:
        self.child, self.store, self.folder = child, store, folder
        self.log = folder / "gunicorn.log"

    def url(self, key: str) -> str:
        return f"{self.child.url}{self.store.path_to(key)}"

    def renders(self) -> Counter[str]:
        """Count the renders of each key, as the log has them."""
        return Counter(re.findall(r" rendered key=(\S+) ", self.log.read_text()))

    def workers(self) -> list[int]:
        """Return the process numbers of the workers."""
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]

    @property
    def pid(self) -> int:
        """The master's process number."""
        return self.child.pid

    def lock_holder(self) -> int | None:
        """Return who holds a lock of this machine, by the kernel's list (proc(5), /proc/locks)."""
        inodes = {path.stat().st_ino for path in self.folder.glob("lazyimages-*/*.lock")}
        for line in Path("/proc/locks").read_text().splitlines():
            match = re.match(r"\d+: FLOCK\s+ADVISORY\s+WRITE (\d+) \S+:\S+:(\d+) ", line)
            if match and int(match[2]) in inodes:
                return int(match[1])
        return None

    def held(self) -> AbstractContextManager[None]:
        """Let no render of this machine begin until the block is over."""
        return held(self.folder)

    def stands(self) -> bool:
        """Tell whether a render of this machine waits for that block to be over."""
        return standing(self.folder)

    def warm(self) -> None:
        """Have every worker booted and its storage's client made, so that a herd meets all of them alike."""
        url = self.url(WARM_KEY)
        for number in (1, 200, 200):
            assert set(statuses(ask_all([url] * number))) <= {200, 301}


@contextmanager
def open_shop(
    store: Store, folder: Path, *, workers: int = WORKERS, threads: int = THREADS, **environment: str
) -> Iterator[Shop]:
    """Run a shop in a folder of its own; `environment` adds to what its processes see."""
    folder.mkdir(parents=True, exist_ok=True)
    values = {"DJANGO_SETTINGS_MODULE": "tests.fire.patient", "TMPDIR": str(folder), **store.environment}
    inherited = {
        name: value for name, value in os.environ.items() if name not in ("REDIS_URL", "DATABASE_URL")
    }
    with start_child(
        [
            *(sys.executable, "-m", "gunicorn", "marketplace.wsgi:application"),
            *("--config", "python:marketplace.gunicorn", "--bind", "127.0.0.1:0"),
            *("--workers", str(workers), "--threads", str(threads)),
        ],
        ready="Listening at:",
        env={**inherited, **values, **environment},
        cwd=ROOT,
        log=folder / "gunicorn.log",
    ) as child:
        yield Shop(child, store, folder)


def wait_for(condition: Callable[[], T], seconds: float = PATIENCE) -> T:
    """Return what `condition` returns as soon as that is true; AssertionError after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.001)
    return found


def pictures(answers: list[Answer]) -> set[bytes]:
    """Return the different bodies of all answers that have a picture."""
    return {answer.body for answer in answers if answer.status == 200}


def say(text: str) -> None:
    """Print a figure for who runs the tests with -s."""
    print(f"\n    {text}", end="", flush=True)
