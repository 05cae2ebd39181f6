"""sharp, run beside us: one node process for many measurements, or a fresh one for each."""

import json
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from benchmarks import peers
from benchmarks.ours import BOXES

SCRIPT = "resize.mjs"


@dataclass(frozen=True)
class Made:
    """What one resize took in milliseconds, and gave in bytes."""

    ms: float
    bytes: int


class Sharp:
    """A node process that resizes with sharp in one thread; use it in a `with` statement."""

    def __enter__(self) -> Self:
        self._node = subprocess.Popen(
            ["node", SCRIPT], cwd=peers.NODE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *exc_info: object) -> None:
        assert self._node.stdin
        with suppress(BrokenPipeError):
            self._node.stdin.close()
        try:
            self._node.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._node.kill()
            self._node.wait()

    def resize(
        self, file: Path, size: str, format: str = "jpeg", *, save: Path | None = None, **options: Any
    ) -> Made:
        """Make a variant of a file that node keeps in memory; `save` is where it goes, if anywhere."""
        assert self._node.stdin
        assert self._node.stdout
        self._node.stdin.write(request(file, size, format, save=save, **options) + "\n")
        self._node.stdin.flush()
        return Made(**json.loads(self._node.stdout.readline()))


def request(file: Path, size: str, format: str, *, save: Path | None = None, **options: Any) -> str:
    """Return what the node script wants to be told."""
    width, height = BOXES[size]
    wanted = {"file": str(file), "width": width, "height": height, "format": format, "options": options}
    return json.dumps(wanted | ({"save": str(save)} if save else {}))


def once(file: Path, size: str, **options: Any) -> list[str]:
    """Return the command of a process that makes one variant and prints its peak memory in KiB."""
    return ["node", str(peers.NODE / SCRIPT), request(file, size, "jpeg", **options)]
