"""Start a server as a child process, know when it is ready, and never leave it behind.

Run as a script this module is the child's first moment: it asks the kernel for a SIGTERM at the
starter's death and becomes the real program.
"""

import contextlib
import ctypes
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

PR_SET_PDEATHSIG = 1  # linux/prctl.h
TAIL_LINES = 60
POLL_SECONDS = 0.01


class ChildError(RuntimeError):
    """A child ended, or stayed silent, before it was ready; the message ends with its last output."""


class Child:
    """A running child process, its group and its last output. Made by `start_child`."""

    def __init__(self, process: subprocess.Popen[str], *, name: str, ready: str, log: IO[str] | None) -> None:
        self.ready_line = ""
        self._name = name
        self._process = process
        self._ready_text = ready
        self._log = log
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._is_ready = threading.Event()
        # A full pipe would block the child, so the output is drained for as long as the child lives.
        self._drain = threading.Thread(target=self._read_output, name=f"drain-{process.pid}", daemon=True)
        self._drain.start()

    @property
    def pid(self) -> int:
        """The child's process id, which is its process group's id too."""
        return self._process.pid

    @property
    def url(self) -> str:
        """The first URL in the ready line, without a trailing slash; "" when there is none."""
        found = re.search(r"https?://[^\s/]+", self.ready_line)
        return found[0] if found else ""

    @property
    def output(self) -> str:
        """The last lines of the child's stdout and stderr, in the order they were written."""
        return "\n".join(tuple(self._tail))

    @property
    def running(self) -> bool:
        """Whether the child itself is still alive."""
        if self._process.returncode is not None:
            return False
        # WNOWAIT leaves a dead child unreaped: until stop() reaps it, its id cannot become a stranger's.
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None

    def stop(self, *, grace: float = 5.0) -> int:
        """End the child's process group: SIGTERM, and SIGKILL after `grace` seconds. Return its exit code.

        Whatever the child left running in its group is killed too. Calling it again does nothing.
        """
        if self._process.returncode is not None:
            return self._process.returncode
        self._signal(signal.SIGTERM)
        self._wait_until(lambda: not self.running, grace)
        self._signal(signal.SIGKILL)
        code = self._process.wait()
        self._drain.join(timeout=1.0)
        return code

    def wait_ready(self, timeout: float) -> None:
        """Return when the ready text was printed; stop the child and raise ChildError if it was not."""
        self._wait_until(lambda: self._is_ready.is_set() or not self.running, timeout)
        if self._is_ready.is_set():
            return
        reason = (
            f"did not say {self._ready_text!r} within {timeout:g} s" if self.running else "ended too early"
        )
        code = self.stop()
        raise ChildError(f"{self._name} {reason} (exit code {code}). Its last output:\n{self.output}")

    def _signal(self, number: signal.Signals) -> None:
        # ESRCH and EPERM (a group of zombies, on some kernels) both mean: nobody left to signal.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    @staticmethod
    def _wait_until(condition: Callable[[], bool], timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while not condition() and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)

    def _read_output(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stdout, self._log or contextlib.nullcontext():
            for line in stdout:
                if self._log:
                    self._log.write(line)
                    self._log.flush()
                self._tail.append(line.rstrip("\n"))
                if not self._is_ready.is_set() and self._ready_text in line:
                    self.ready_line = line.strip()
                    self._is_ready.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start_child(
    args: Sequence[str | os.PathLike[str]],
    *,
    ready: str,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    log: Path | None = None,
    timeout: float = 120.0,
    pass_fds: Sequence[int] = (),
) -> Child:
    """Start a program in its own session and return it once a line of its output contains `ready`.

    `ready` may stand anywhere in a line of stdout or stderr ("Listening at:" for gunicorn). `env` is the
    child's whole environment (None: this process's own), `log` a file that gets all its output, `pass_fds`
    the file descriptors that it inherits.
    Raise ChildError, with the child's last output, when it dies or `timeout` seconds pass first.

    On Linux the child gets SIGTERM when **the thread that called this** ends (prctl(2): the "parent" of
    PR_SET_PDEATHSIG is the forking thread, not the process), so call it from the main thread or from one
    that outlives the child. Only the child itself gets it; its own children are its own business.
    """
    # Our own script in between, not preexec_fn: that one runs Python in a forked copy of a process with
    # threads and may deadlock there. -I and -S make the start cheap and blind to the environment.
    wrapper = [sys.executable, "-I", "-S", __file__, str(os.getpid())]
    command = [os.fspath(arg) for arg in args]
    process = subprocess.Popen(
        [*wrapper, *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=None if env is None else dict(env),
        cwd=cwd,
        start_new_session=True,
        pass_fds=pass_fds,
    )
    # Three words name a program ("python -m module"); the rest may hold a secret.
    name = " ".join(command[:3])
    child = Child(process, name=name, ready=ready, log=log.open("a", encoding="utf-8") if log else None)
    child.wait_ready(timeout)
    return child


def end_with(starter: int) -> None:
    """Have this process get SIGTERM when its parent, `starter`, is gone. On Linux; elsewhere do nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        # The starter may have died before the line above: then no signal will ever come.
        if os.getppid() != starter:
            sys.exit("the starter is gone")


def _become(starter: int, args: list[str]) -> None:
    end_with(starter)
    try:
        os.execvp(args[0], args)  # noqa: S606
    except OSError as error:
        sys.exit(f"{args[0]}: {error.strerror}")


if __name__ == "__main__":
    _become(int(sys.argv[1]), sys.argv[2:])
