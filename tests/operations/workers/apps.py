"""What tests change in the processes of a project: smaller batches, and no patience."""

import os

from django.apps import AppConfig

from lazyimages.operations import run, warm


class WorkersConfig(AppConfig):
    """Changes it by the environment: BATCH is a number of variants, STORAGE=down takes the pauses away."""

    name = "tests.operations.workers"
    label = "workers"

    def ready(self) -> None:
        """Do so."""
        warm.KEYS = int(os.environ.get("BATCH", warm.KEYS))
        if os.environ.get("STORAGE") == "down":
            run._patient.retry.sleep = lambda seconds: None  # type: ignore[attr-defined]
