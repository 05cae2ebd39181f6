"""A project in a folder, behind a distribution, whose purge dies by kill -9 at the original KILL_AT."""

import os
import signal
from typing import Any

from lazyimages.signals import variants_purged
from tests.operations.workers.settings import *  # noqa: F403

LAZYIMAGES = {"SIZES": ["480h"], "DISTRIBUTION_ID": os.environ["DISTRIBUTION_ID"]}


def die(original: str, **kwargs: Any) -> None:
    """Die in the middle of a batch: all of it is deleted, and none of it is written down."""
    if original == os.environ.get("KILL_AT"):
        os.kill(os.getpid(), signal.SIGKILL)


variants_purged.connect(die)
