"""What a tag asks for: a preset, or sizes of the whitelist."""

import logging
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings as django_settings

from lazyimages import conf, sizes
from lazyimages.exceptions import InvalidSize, LazyImagesError
from lazyimages.presets import Source
from lazyimages.sizes import Size

logger = logging.getLogger("lazyimages")


class UnknownSpec(LazyImagesError, ValueError):
    """A tag's spec names a size outside the whitelist, or no preset; the message names the choices."""


@dataclass(frozen=True, slots=True)
class Spec:
    """What a tag asks for: sizes, the value of the attribute `sizes`, and what else a preset has."""

    sizes: tuple[Size, ...]
    layout: str = ""
    priority: bool = False
    sources: tuple[Source, ...] = ()


def parse_spec(text: str) -> Spec:
    """Return what a spec asks for: a preset's name, or sizes between spaces.

    `UnknownSpec` unless all of it is in the whitelist.
    """
    spec, mistakes = _read_spec(text)
    if mistakes:
        raise UnknownSpec(" ".join(mistakes))
    return spec


def parse_spec_leniently(text: object) -> Spec:
    """Return the part of a spec that is in the whitelist. The rest is logged; raised when DEBUG."""
    spec, mistakes = _read_spec(str(text))
    if mistakes:
        if django_settings.DEBUG:
            raise UnknownSpec(" ".join(mistakes))
        logger.warning("left out of the markup: %s", " ".join(mistakes))
    return spec


def _read_spec(text: str) -> tuple[Spec, list[str]]:
    return _read_spec_for(text, conf.settings())


@lru_cache(maxsize=1024)
def _read_spec_for(text: str, settings: conf.Settings) -> tuple[Spec, list[str]]:
    words = text.split()
    if len(words) == 1 and words[0] in settings.presets:
        preset = settings.presets[words[0]]
        return Spec(preset.sizes, preset.layout, preset.priority, preset.sources), []
    if not words:
        return Spec(()), [f"An empty text asks for no size. {_choices(settings)}"]
    found: list[Size] = []
    mistakes: list[str] = []
    for word in words:
        try:
            size = sizes.parse(word)
        except InvalidSize:
            mistakes.append(f"{word!r} is neither a size nor a preset. {_choices(settings)}")
            continue
        if size in settings.whitelist:
            found.append(size)
        else:
            mistakes.append(f"The size {word!r} is not in LAZYIMAGES. {_choices(settings)}")
    return Spec(tuple(found)), mistakes


def _choices(settings: conf.Settings) -> str:
    allowed = ", ".join(map(str, settings.whitelist)) or "none; set LAZYIMAGES['SIZES']"
    presets = f"; presets: {', '.join(settings.presets)}" if settings.presets else ""
    return f"Allowed sizes: {allowed}{presets}."
