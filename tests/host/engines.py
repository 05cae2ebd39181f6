"""An engine that counts what it is asked to do."""

from collections.abc import Sequence
from typing import Any

from lazyimages.engines.base import Job, Probe, Rendered
from lazyimages.engines.pillow import PillowEngine


class CountingEngine(PillowEngine):
    """The default engine; `renders` and `probes` count its calls."""

    renders = 0
    probes = 0

    def probe(self, data: bytes, **options: Any) -> Probe:
        """Count, and do it."""
        type(self).probes += 1
        return super().probe(data, **options)

    def render(self, data: bytes, jobs: Sequence[Job], **options: Any) -> list[Rendered]:
        """Count, and do it."""
        type(self).renders += 1
        return super().render(data, jobs, **options)
