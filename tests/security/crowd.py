"""An engine that counts how many are in it at the same time."""

import threading
from typing import Any

from lazyimages.engines.pillow import PillowEngine


class CrowdedEngine(PillowEngine):
    """The default engine; `renders` are all, `most` is how many were under way at the same time."""

    renders = most = running = 0
    lock = threading.Lock()

    def render(self, data: bytes, *arguments: Any, **options: Any) -> Any:
        """Count who is in here, and do it."""
        cls = type(self)
        with cls.lock:
            cls.renders += 1
            cls.running += 1
            cls.most = max(cls.most, cls.running)
        try:
            return super().render(data, *arguments, **options)
        finally:
            with cls.lock:
                cls.running -= 1
