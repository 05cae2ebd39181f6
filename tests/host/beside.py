"""Settings of a project that has django-cleanup, and its files and database in DATA_DIR."""

import os
from typing import Any

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS, STORAGES

_FOLDER = os.environ["DATA_DIR"]
INSTALLED_APPS = [*INSTALLED_APPS, "django_cleanup.apps.CleanupConfig"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{_FOLDER}/beside.sqlite3"}}


def _files(folder: str) -> dict[str, Any]:
    return {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": f"{_FOLDER}/{folder}"},
    }


STORAGES = {**STORAGES, "default": _files("originals"), "lazyimages": _files("variants")}
