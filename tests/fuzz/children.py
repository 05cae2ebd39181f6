"""The starter's side: engines in child processes, so that a crash or a hang is one file's and is told."""

import contextlib
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from types import TracebackType
from typing import Any, Self

from lazyimages.engines import libvips
from tests.fuzz.trial import Broken, Spec
from tests.fuzz.worker import KINDS, receive, send

_STARTING = 120.0
HANG = 60.0  # seconds of wall time for one file; most take milliseconds
TOLD = 0.2  # of HANG: how often a child then says where it is
_LINES = 25


class Child:
    """A process that tries files on one engine; started anew when it has died."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # for as long as this lives
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, data: bytes, specs: list[Spec]) -> None:
        """Hand over a file."""
        if self._process is None:
            self._start()
        assert self._process is not None
        assert self._process.stdin is not None
        send(self._process.stdin, json.dumps({"specs": specs, "limit": HANG * TOLD}).encode(), data)

    def answer(self, deadline: float) -> dict[str, Any]:
        """Return how the file fared; a crash and a hang are failures too."""
        assert self._process is not None
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, deadline - time.monotonic()))
        reply = receive(self._process.stdout) if ready else None
        if reply is not None:
            return dict(json.loads(reply))
        what = "the process died" if ready else f"no answer in {HANG:.0f} s"
        code = self.stop()
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").splitlines()[-_LINES:]
        return {"probe": None, "failure": "\n".join([f"{what} (exit code {code})", *lines])}

    def stop(self) -> int | None:
        """End the process, and return its exit code if it ended by itself."""
        process, self._process = self._process, None
        if process is None:
            return None
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # it is dead already
            process.stdin.close()
        try:
            code: int | None = process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            code = None
        process.stdout.close()
        return code

    def close(self) -> None:
        """End the process for good."""
        self.stop()
        self._log.close()

    def _start(self) -> None:
        self._log.seek(0)
        self._log.truncate()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.worker", self.kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], _STARTING)[0] or not receive(
            self._process.stdout
        ):
            code = self.stop()
            raise RuntimeError(f"the process for {self.kind} did not start (exit code {code})")


class Children:
    """One child of each kind; all try the same file at the same time."""

    def __init__(self, kinds: tuple[str, ...] = KINDS) -> None:
        self._children = [Child(kind) for kind in kinds if kind != "vips" or libvips.installed()]

    def try_file(self, data: bytes, specs: list[Spec]) -> dict[str, dict[str, Any]]:
        """Return how a file fared with each kind; raise `Broken` when something does not hold."""
        for child in self._children:
            child.ask(data, specs)
        deadline = time.monotonic() + HANG
        reports = {child.kind: child.answer(deadline) for child in self._children}
        for kind, report in reports.items():
            if "failure" in report:
                raise Broken(f"{kind}: {report['failure']}")
        # Warnings are errors at "host", so it may refuse more; the others see the same file.
        probes = {kind: report["probe"] for kind, report in reports.items() if kind != "host"}
        if len({json.dumps(probe) for probe in probes.values()}) > 1:
            raise Broken(f"the engines see different pictures: {probes}")
        return reports

    def close(self) -> None:
        """End all the processes."""
        for child in self._children:
            child.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
