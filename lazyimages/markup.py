"""URLs, srcset and attributes of images as pure values: no storage, no cache, no SQL.

A `Picture` is all that markup needs to know of an original, and comes from the row alone.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from django.conf import settings as django_settings
from django.urls import get_script_prefix, get_urlconf, reverse
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from lazyimages import conf, keys, sizes
from lazyimages.conf import Preset
from lazyimages.exceptions import InvalidSize, LazyImagesError, RefusedName
from lazyimages.formats import Format
from lazyimages.sizes import Size

logger = logging.getLogger("lazyimages")


class UnknownSpec(LazyImagesError, ValueError):
    """A tag's spec names a size outside the whitelist, or no preset; the message names the choices."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An original's name, and its oriented dimensions in pixels where the row has them."""

    name: str
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One entry of a srcset. `width` is the descriptor; `height` is None where it cannot be known."""

    url: str
    width: int
    height: int | None


@dataclass(frozen=True, slots=True)
class Spec:
    """What a tag asks for: sizes, and the value of the attribute `sizes`."""

    sizes: tuple[Size, ...]
    layout: str = ""


def picture_of(file: Any) -> Picture | None:
    """Return what a row says of its image: any `ImageFieldFile`, or a name. None for an empty field.

    Dimensions are read from the fields that `width_field` and `height_field` name, never from the file.
    """
    if not file:
        return None
    if isinstance(file, str):
        return Picture(file)
    name = getattr(file, "name", None)
    if not isinstance(name, str) or not name:
        return None
    field, row = getattr(file, "field", None), getattr(file, "instance", None)
    values = getattr(row, "__dict__", {})
    width = values.get(getattr(field, "width_field", None))
    height = values.get(getattr(field, "height_field", None))
    return Picture(name, width, height) if width and height else Picture(name)


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
        preset: Preset = settings.presets[words[0]]
        return Spec(preset.sizes, preset.layout), []
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


def variant_url(name: str, size: Size, output: Format | None = None) -> str:
    """Return the public URL of a variant; `RefusedName` when the original cannot have any."""
    return _base() + quote(str(keys.variant_key(name, size, output)), safe="/~")


def public_url(key: str) -> str:
    """Return the public URL of a key in canonical form."""
    return _base() + quote(key, safe="/~")


def _base() -> str:
    settings = conf.settings()
    if settings.delivery == "local":
        return _local_base(get_urlconf() or django_settings.ROOT_URLCONF, get_script_prefix())
    return f"{settings.cdn_url}/"


@lru_cache(maxsize=16)
def _local_base(urlconf: str, script_prefix: str) -> str:
    # reverse() costs more than all the rest of a URL; these are the two things that it depends on.
    return reverse("lazyimages:variant", urlconf, kwargs={"key": ""})


def candidates(picture: Picture, wanted: Iterable[Size], output: Format | None = None) -> list[Candidate]:
    """Return the srcset's entries: what can be described truthfully, each width once.

    `Hh` needs the row's dimensions, and is left out without them. An original that can have no variants
    is logged, and gives none.
    """
    found: dict[int, Candidate] = {}
    try:
        for size in wanted:
            served = _served(picture, size)
            if served is not None and served[0] not in found:
                found[served[0]] = Candidate(variant_url(picture.name, size, output), *served)
    except RefusedName as error:
        logger.warning("no variants: %s", error)
        return []
    return list(found.values())


def _served(picture: Picture, size: Size) -> tuple[int, int | None] | None:
    """Return the dimensions of the file that will be served; without the row's, what the size says."""
    if picture.width and picture.height:
        plan = size.plan(picture.width, picture.height, keys.focal_point(picture.name))
        return plan.width, plan.height
    return None if size.width is None else (size.width, size.height)


def srcset(picture: Picture | None, spec: Spec) -> SafeString:
    """Return the value of the attribute srcset (HTML Standard, "Srcset attributes"), escaped."""
    if picture is None:
        return SafeString()
    return _srcset(candidates(picture, spec.sizes))


def _srcset(entries: Iterable[Candidate]) -> SafeString:
    text = ", ".join(f"{entry.url} {entry.width}w" for entry in entries)
    return SafeString(conditional_escape(text))


def image_url(picture: Picture | None, spec: Spec) -> SafeString:
    """Return the escaped URL of the spec's first size; empty for an empty field."""
    if picture is None or not spec.sizes:
        return SafeString()
    try:
        return SafeString(conditional_escape(variant_url(picture.name, spec.sizes[0])))
    except RefusedName as error:
        logger.warning("no variants: %s", error)
        return SafeString()


def img(
    picture: Picture | None, spec: Spec, *, priority: bool = False, attributes: Mapping[str, Any]
) -> SafeString:
    """Return an `<img>` whose src, width and height are those of the spec's first size.

    `attributes` are added, escaped, `_` in a name read as `-`; they replace what is generated, and None
    or False leaves one out. `alt` is always there (HTML Standard, "Requirements for providing text").
    `priority` is for the picture that a visitor sees first: it is not loaded lazily.
    """
    entries = candidates(picture, spec.sizes) if picture is not None else []
    if not entries or picture is None:
        return SafeString()
    values: dict[str, Any] = {"src": entries[0].url, "srcset": None, "sizes": None}
    if len(entries) > 1 or spec.layout:
        values |= {"srcset": _srcset(entries), "sizes": spec.layout or None}
    if entries[0].height is not None:
        values |= {"width": entries[0].width, "height": entries[0].height}
    values |= {"loading": "lazy", "decoding": "async", "alt": ""}
    if priority:
        values |= {"loading": "eager", "fetchpriority": "high"}
    values |= {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
    shown = ((name, value) for name, value in values.items() if value is not None and value is not False)
    return format_html("<img{}>", mark_safe("".join(map(_attribute, shown))))  # noqa: S308  # escaped


def _attribute(pair: tuple[str, Any]) -> str:
    name, value = pair
    return f" {name}" if value is True else format_html(' {}="{}"', name, value)
