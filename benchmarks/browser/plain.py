"""The shop as Django alone has it: `<img src="{{ photo.image.url }}">`, originals on a server for files."""

import os

from marketplace.settings import *  # noqa: F403
from marketplace.settings import STORAGES
from marketplace.settings import TEMPLATES as OWN_TEMPLATES

MEDIA_ROOT = os.environ["BENCHMARK_MEDIA"]
MEDIA_URL = os.environ["BENCHMARK_MEDIA_URL"]
STORAGES = {**STORAGES, "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"}}

SILENCED_SYSTEM_CHECKS = ["templates.W003"]  # two libraries of one name, on purpose


def with_tags(module: str) -> list[dict[str, object]]:
    """Return TEMPLATES in which `{% load lazyimages %}` loads the tags of another module."""
    options = {**OWN_TEMPLATES[0]["OPTIONS"], "libraries": {"lazyimages": module}}
    return [{**OWN_TEMPLATES[0], "OPTIONS": options}]


TEMPLATES = with_tags("benchmarks.browser.plain_tags")
