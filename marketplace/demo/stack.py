"""The whole shop on one machine: embedded cloud, database, photos, gunicorn. Used by demo and tests."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Self

from marketplace.cloud import children
from marketplace.cloud.children import Child, start_child
from marketplace.cloud.cloudfront import start_cloudfront
from marketplace.cloud.s3 import start_s3
from marketplace.demo.ports import hold_port

ROOT = Path(__file__).resolve().parents[2]
BUCKET = "marketplace"
DISTRIBUTION_TAG = f"lazyimages={BUCKET}"  # by which lazyimages_setup finds its distribution again
SECRET = "only-for-the-demo"  # noqa: S105  # guards nothing but an example on 127.0.0.1
DELIVERIES = ("redirect", "failover", "local")
READY_SECONDS = 60
_NOT_OURS = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN")
SAID = 2_000  # characters of a command's output in an error


class StackError(RuntimeError):
    """A part of the shop did not start; the message says which, and what it said."""


class Stack:
    """Start it with `start` and end it with `stop`, or use it in a `with` statement.

    `data_dir` gets the database, the logs and, in local delivery, the files; what an earlier run left of
    them is removed, because the embedded S3 forgets everything when it stops. `photos_dir` keeps the drawn
    photos. `say` gets a line for every step.
    """

    def __init__(
        self,
        *,
        delivery: str,
        data_dir: Path,
        photos_dir: Path,
        port: int,
        cdn_port: int,
        products: int = 60,
        workers: int = 2,
        threads: int = 4,
        environment: dict[str, str] | None = None,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.delivery = delivery
        self.url = f"http://127.0.0.1:{port}"
        self.cdn_url = f"http://127.0.0.1:{cdn_port}"
        self.s3_url = self.cloudfront_url = self.website_url = ""  # in local delivery they stay so
        self.logs = data_dir / "logs"
        self.trace_log = self.logs / "trace.jsonl"
        self._data_dir, self._photos_dir = data_dir, photos_dir
        self._port, self._cdn_port = port, cdn_port
        self._products, self._workers, self._threads = products, workers, threads
        self._extra = environment or {}
        self._say = say
        self._children: dict[str, Child] = {}
        self._shop_socket: socket.socket | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start everything, fill the shop, and return when its first page has been fetched."""
        # Held from the start: while photos are drawn, a stranger may ask for a port of its own.
        self._shop_socket = hold_port(self._port)
        self._forget_earlier_run()
        if self.delivery != "local":
            self._start_cloud()
        self._say("Database and static files")
        self.manage("migrate", "--verbosity=0")
        self.manage("collectstatic", "--noinput", "--verbosity=0")
        if self.delivery != "local":
            # Every document in full is too much to read while waiting for a shop.
            log = self.logs / "setup.log"
            self._say(f"Bucket and CDN: lazyimages_setup (what it wrote: {log})")
            self.manage("lazyimages_setup", log=log)
        self._say("Photos and products (photos are drawn once, and kept)")
        self.manage("seed_marketplace", f"--products={self._products}", "--photos-dir", str(self._photos_dir))
        self._start_shop()
        self._fetch_first_page()

    def stop(self) -> None:
        """End every process that was started, the last one first."""
        for name in reversed(list(self._children)):
            self._children.pop(name).stop()
        if self._shop_socket is not None:
            self._shop_socket.close()

    def manage(self, *arguments: str, log: Path | None = None) -> None:
        """Run a management command in the shop's environment; `StackError` when it fails.

        `log` gets its output instead of the terminal, and then the end of it is in the error.
        """
        # The wrapper of `children` ends the command when this process dies; a group of its own lets an
        # interruption end what the command itself has started.
        wrapper = [sys.executable, "-I", "-S", children.__file__, str(os.getpid())]
        command = [*wrapper, sys.executable, str(ROOT / "manage.py"), *arguments]
        with log.open("w", encoding="utf-8") if log else contextlib.nullcontext() as output:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment,
                start_new_session=True,
                stdout=output,
                stderr=output,
            )
        try:
            code = process.wait()
        except BaseException:
            _end_group(process)
            raise
        if code:
            said = f". It said:\n{log.read_text(encoding='utf-8')[-SAID:]}" if log else ""
            raise StackError(f"manage.py {arguments[0]} ended with exit code {code}{said}")

    def dead_child(self) -> str | None:
        """Return the name of a process that has ended by itself, with its last output; None if all live."""
        for name, child in self._children.items():
            if not child.running:
                return f"{name} has ended. Its last output:\n{child.output}"
        return None

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the shop's processes."""
        values = {
            "DJANGO_SETTINGS_MODULE": "marketplace.settings",
            "DELIVERY": self.delivery,
            "DATA_DIR": str(self._data_dir),
            "DATABASE_URL": f"sqlite:///{self._data_dir / 'db.sqlite3'}",
            "TRACE_LOG": str(self.trace_log),
        }
        if self.delivery != "local":
            values |= {
                "CDN_URL": self.cdn_url,
                "RESIZER_URL": f"{self.url}/images/resizer",
                "AWS_ENDPOINT_URL": self.s3_url,  # moto's server is STS and IAM as well
                "AWS_ENDPOINT_URL_S3": self.s3_url,
                "AWS_ENDPOINT_URL_CLOUDFRONT": self.cloudfront_url,
                "AWS_STORAGE_BUCKET_NAME": BUCKET,
                "AWS_ACCESS_KEY_ID": "demo",
                "AWS_SECRET_ACCESS_KEY": "demo",
                "AWS_DEFAULT_REGION": "eu-central-1",
            }
        if self.delivery == "failover":
            values["ORIGIN_SECRET"] = SECRET
        # A profile that somebody else's shell names may not be on this machine, and boto3 would look for it.
        inherited = {name: one for name, one in os.environ.items() if name not in _NOT_OURS}
        return {**inherited, **values, **self._extra}

    def _forget_earlier_run(self) -> None:
        for name in ("db.sqlite3", "originals", "variants", "logs"):
            path = self._data_dir / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        self.logs.mkdir(parents=True)

    def _start_cloud(self) -> None:
        self._say("Embedded S3, CloudFront and CDN")
        self._children["s3"] = start_s3(log=self.logs / "s3.log")
        self._children["cloudfront"] = start_cloudfront(log=self.logs / "cloudfront.log")
        self.s3_url, self.cloudfront_url = self._children["s3"].url, self._children["cloudfront"].url
        arguments = ["--port", str(self._cdn_port), "--s3-endpoint", self.s3_url]
        arguments += ["--cloudfront-endpoint", self.cloudfront_url, "--distribution-tag", DISTRIBUTION_TAG]
        arguments += ["--website-bucket", BUCKET, "--website-port", "0"]
        arguments += ["--trace-log", str(self.trace_log)]
        cdn = self._children["cdn"] = start_child(
            [sys.executable, "-m", "marketplace.cloud", *arguments],
            ready="CDN ready:",
            env=self.environment,
            cwd=ROOT,
            log=self.logs / "cdn.log",
        )
        website = re.search(r"Website ready: (\S+)/", cdn.output)
        assert website is not None  # said before "CDN ready:"
        self.website_url = website[1]

    def _start_shop(self) -> None:
        self._say("Shop: gunicorn")
        assert self._shop_socket is not None
        shared = self._shop_socket.fileno()
        self._children["shop"] = start_child(
            [
                *(sys.executable, "-m", "gunicorn", "--config", "python:marketplace.gunicorn"),
                "marketplace.wsgi:application",
                *("--bind", f"fd://{shared}"),
                *("--workers", str(self._workers), "--threads", str(self._threads)),
                *("--access-logfile", "-", "--access-logformat", '%(s)s %(m)s "%(U)s?%(q)s" %(M)sms'),
            ],
            ready="Listening at:",
            env=self.environment,
            cwd=ROOT,
            log=self.logs / "shop.log",
            pass_fds=(shared,),
        )

    def _fetch_first_page(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}/", timeout=READY_SECONDS) as page:  # noqa: S310
                    page.read()
                return
            except OSError as error:
                if (dead := self.dead_child()) is not None:
                    raise StackError(dead) from error
                if time.monotonic() > deadline:
                    raise StackError(f"the first page cannot be fetched: {error}") from error
            time.sleep(0.1)


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5)
