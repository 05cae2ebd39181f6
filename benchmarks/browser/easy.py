"""The shop with easy-thumbnails, nothing but its defaults; thumbnails lie beside the originals."""

from benchmarks.browser.plain import *  # noqa: F403
from benchmarks.browser.plain import INSTALLED_APPS, with_tags

INSTALLED_APPS = [*INSTALLED_APPS, "easy_thumbnails"]
TEMPLATES = with_tags("benchmarks.browser.easy_tags")
