"""A function as Lambda runs it, on this machine: AWS's own runtime client, and what it talks with.

`awslambdaric` is what Lambda's Python runtimes consist of; it fetches events from the Runtime API ("Lambda
runtime API", version 2018-06-01), which is an HTTP server here, and calls the handler. So the zip is loaded
as on Lambda, by a Python that has the zip and the runtime on its path and nothing else.
"""

import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import Future
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, Self

HANDLER = "lazyimages.aws.lambda_handler.handler"
_RUNTIME = ("awslambdaric", "simplejson", "snapshot-restore-py")
_PREFIX = "/2018-06-01/runtime/"
_SECONDS = 60  # for one event, or the start, on a busy machine


class FunctionError(Exception):
    """What the function raised, as the runtime reports it."""


class Function:
    """A function of an unpacked zip; use it in a `with` statement. One event at a time, as on Lambda."""

    def __init__(self, code: Path, environment: Mapping[str, str], *, handler: str = HANDLER) -> None:
        self._code, self._environment, self._handler = code, dict(environment), handler

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="function-"))
        self._events: queue.Queue[tuple[str, Any, Future[Any]]] = queue.Queue()
        self._running: dict[str, Future[Any]] = {}
        self._started: Future[None] = Future()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._requests())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self._log = (self._folder / "log").open("w+")
        temporary = self._folder / "tmp"  # of this function alone, as Lambda's /tmp
        temporary.mkdir()
        self._process = subprocess.Popen(
            # -S: no site-packages, not even those of the environment that this Python belongs to.
            [sys.executable, "-S", "-m", "awslambdaric", self._handler],
            cwd=self._code,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": f"{self._code}:{_runtime(self._folder)}",
                "PYTHONDONTWRITEBYTECODE": "1",  # as where the code lies read-only
                "TMPDIR": str(temporary),
                "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_port}",
                "AWS_LAMBDA_FUNCTION_NAME": "resizer",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
                "LAMBDA_TASK_ROOT": str(self._code),
                "AWS_REGION": "eu-central-1",
                "AWS_ACCESS_KEY_ID": "testing",
                "AWS_SECRET_ACCESS_KEY": "testing",
                "AWS_SESSION_TOKEN": "testing",
                **self._environment,
            },
        )
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._process.kill()
        self._process.wait()
        self._server.shutdown()
        self._server.server_close()
        self._log.close()
        shutil.rmtree(self._folder)

    @property
    def log(self) -> str:
        """What the function has printed so far, as CloudWatch would have it."""
        return (self._folder / "log").read_text()

    def start(self) -> None:
        """Wait until the function has started; `FunctionError` if it cannot."""
        self._wait_for(self._started)

    def invoke(self, event: Any) -> Any:
        """Return what the handler returns; `FunctionError` if it raises."""
        answer: Future[Any] = Future()
        self._events.put((str(uuid.uuid4()), event, answer))
        return self._wait_for(answer)

    def _wait_for(self, answer: "Future[Any]") -> Any:
        until = time.monotonic() + _SECONDS
        while time.monotonic() < until:
            if self._process.poll() is not None and not answer.done():
                time.sleep(0.1)  # its last report may be on its way
                if not answer.done():
                    error = self._started.exception() if self._started.done() else None
                    raise error or FunctionError(f"the function has ended:\n{self.log}")
            try:
                return answer.result(0.05)
            except TimeoutError:
                continue
        raise FunctionError(f"no answer in {_SECONDS} seconds:\n{self.log}")

    def _requests(self) -> type[BaseHTTPRequestHandler]:
        function = self

        class Requests(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                assert self.path == f"{_PREFIX}invocation/next"
                if not function._started.done():
                    function._started.set_result(None)
                number, event, answer = function._events.get()
                function._running[number] = answer
                headers = {
                    "Lambda-Runtime-Aws-Request-Id": number,
                    "Lambda-Runtime-Deadline-Ms": str(int((time.time() + 15) * 1000)),
                    "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-central-1:1:function:resizer",
                    "Content-Type": "application/json",
                }
                self._reply(200, json.dumps(event).encode(), headers)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"null")
                self._reply(202, b"{}", {})
                kind = self.path.removeprefix(_PREFIX).split("/")
                if kind == ["init", "error"]:
                    function._started.set_exception(FunctionError(body["errorMessage"]))
                    return
                answer = function._running.pop(kind[1])
                if kind[2] == "response":
                    answer.set_result(body)
                else:
                    answer.set_exception(FunctionError(body["errorMessage"]))

            def _reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Requests


def _runtime(folder: Path) -> Path:
    """Put the runtime client into a folder of its own, with what it needs and nothing else."""
    target = folder / "runtime"
    for name in _RUNTIME:
        for file in distribution(name).files or ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                place = target / file
                place.parent.mkdir(parents=True, exist_ok=True)
                place.symlink_to(str(file.locate()))
    return target
