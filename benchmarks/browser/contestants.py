"""The example shop, several times over the same rows: with lazyimages, and with what it is compared to."""

import sqlite3
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import boto3
import django

from benchmarks.peers import say
from lazyimages import __version__, keys
from lazyimages.exceptions import InvalidKey
from marketplace.cloud.children import start_child
from marketplace.demo.ports import free_port
from marketplace.demo.stack import BUCKET, ROOT, Stack

PHOTOS = ROOT / ".cache" / "photos"
OURS, JPEG, EASY, PLAIN = "lazyimages", "lazyimages, JPEG only", "easy-thumbnails", "plain .url"
DATABASE_PATIENCE = 30  # seconds


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """A shop that runs; `forget` takes away every picture made so far, and is None where none is made."""

    name: str
    version: str
    url: str
    forget: Callable[[], None] | None = None


@contextmanager
def running() -> Iterator[list[Contestant]]:
    """Start the demo in redirect delivery, and the other shops beside it, on the same database."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        demo = stack.enter_context(
            Stack(
                delivery="redirect",
                data_dir=folder,
                photos_dir=PHOTOS,
                port=free_port(),
                cdn_port=free_port(),
                say=say,
            )
        )
        yield list(_beside(demo, folder, stack))


def _beside(demo: Stack, folder: Path, stack: ExitStack) -> Iterator[Contestant]:
    bucket = _bucket(demo)
    forget = partial(_forget_variants, bucket, demo.cdn_url)
    yield Contestant(name=OURS, version=__version__, url=demo.url, forget=forget)
    environment = dict(demo.environment)
    url = _serve("marketplace.wsgi", "benchmarks.browser.jpeg", environment, stack)
    yield Contestant(name=JPEG, version=__version__, url=url, forget=forget)

    media = folder / "media"
    originals = [key for key in _names(bucket) if not _is_variant(key)]
    for key in originals:
        (media / key).parent.mkdir(parents=True, exist_ok=True)
        bucket.download_file(key, str(media / key))
    environment["BENCHMARK_MEDIA"] = str(media)
    environment["BENCHMARK_MEDIA_URL"] = (
        _serve("benchmarks.browser.media", "benchmarks.browser.plain", environment, stack) + "/"
    )
    manage = [sys.executable, "manage.py", "migrate", "easy_thumbnails", "--verbosity=0"]
    easy = "benchmarks.browser.easy"
    subprocess.run(manage, cwd=ROOT, env={**environment, "DJANGO_SETTINGS_MODULE": easy}, check=True)
    forget = partial(_forget_thumbnails, media, set(originals), folder / "db.sqlite3")
    url = _serve("marketplace.wsgi", easy, environment, stack)
    yield Contestant(name=EASY, version=version("easy-thumbnails"), url=url, forget=forget)
    url = _serve("marketplace.wsgi", "benchmarks.browser.plain", environment, stack)
    yield Contestant(name=PLAIN, version=f"Django {django.__version__}", url=url)


def _serve(module: str, settings: str, environment: dict[str, str], stack: ExitStack) -> str:
    """Run a WSGI application as the demo runs its shop, until the end, and return its URL."""
    address = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "gunicorn", "--config", "python:marketplace.gunicorn"]
    command += [f"{module}:application", "--bind", address, "--workers", "2", "--threads", "4"]
    child = start_child(
        command,
        ready="Listening at:",
        env={**environment, "DJANGO_SETTINGS_MODULE": settings},
        cwd=ROOT,
    )
    stack.callback(child.stop)
    return f"http://{address}"


def _bucket(demo: Stack) -> Any:
    names = {"AWS_ACCESS_KEY_ID": "aws_access_key_id", "AWS_SECRET_ACCESS_KEY": "aws_secret_access_key"}
    credentials = {argument: demo.environment[name] for name, argument in names.items()}
    session = boto3.Session(region_name=demo.environment["AWS_DEFAULT_REGION"], **credentials)
    return session.resource("s3", endpoint_url=demo.s3_url).Bucket(BUCKET)


def _names(bucket: Any) -> list[str]:
    return [found.key for found in bucket.objects.all()]


def _is_variant(key: str) -> bool:
    try:
        keys.parse(key)
    except InvalidKey:
        return False
    return True


def _forget_variants(bucket: Any, cdn_url: str) -> None:
    for key in _names(bucket):
        if _is_variant(key):
            bucket.Object(key).delete()
    reset = urllib.request.Request(f"{cdn_url}/__emulator__/reset", method="POST")
    urllib.request.urlopen(reset, timeout=60).close()


def _forget_thumbnails(media: Path, originals: set[str], database: Path) -> None:
    for path in media.rglob("*"):
        if path.is_file() and str(path.relative_to(media)) not in originals:
            path.unlink()
    with sqlite3.connect(database, timeout=DATABASE_PATIENCE) as connection:
        for table in ("thumbnaildimensions", "thumbnail", "source"):
            connection.execute(f"DELETE FROM easy_thumbnails_{table}")
    connection.close()
