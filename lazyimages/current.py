"""The engine and the limits that the settings name."""

from functools import lru_cache
from typing import cast

from django.utils.module_loading import import_string

from lazyimages import conf
from lazyimages.engines.base import Engine, Limits


def engine() -> Engine:
    """Return the engine that ENGINE names."""
    return _load(conf.settings().engine)


def limits() -> Limits:
    """Return what an original may be at the most."""
    settings = conf.settings()
    return Limits(max_pixels=settings.max_pixels, max_bytes=settings.max_bytes)


@lru_cache(maxsize=4)
def _load(path: str) -> Engine:
    return cast(Engine, import_string(path)())
