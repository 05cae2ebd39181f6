"""An engine that renders when it is told to, so that a test can interfere, however slow its machine is."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lazyimages import draining
from lazyimages.engines.pillow import PillowEngine
from tests.clock import PATIENCE

_HOLD = "hold-renders"
_STANDING = "a-render-is-held"


class HeldEngine(PillowEngine):
    """The default engine, which waits while there is a certain file in the process's temporary directory."""

    def render(self, *arguments: Any, **options: Any) -> Any:
        """Wait, and render; say by a file `draining` that the process has been asked to end meanwhile."""
        folder = Path(tempfile.gettempdir())
        deadline = time.monotonic() + PATIENCE
        while (folder / _HOLD).exists() and time.monotonic() < deadline:
            (folder / _STANDING).touch()
            if draining.draining():
                (folder / "draining").touch()
            time.sleep(0.005)
        return super().render(*arguments, **options)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Let no process with this temporary directory begin a render."""
    (folder / _STANDING).unlink(missing_ok=True)
    (folder / _HOLD).touch()
    try:
        yield
    finally:
        (folder / _HOLD).unlink()


def standing(folder: Path) -> bool:
    """Tell whether a render waits for `held` to be over: it has its locks, and has looked for the variant."""
    return (folder / _STANDING).exists()
