"""URLs, srcset and attributes of images as pure values: no storage, no cache, no SQL.

A `Picture` is all that markup needs to know of an original, and comes from the row alone.
"""

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from django.conf import settings as django_settings
from django.urls import get_script_prefix, get_urlconf, reverse
from django.utils.html import escape
from django.utils.safestring import SafeString

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

    Dimensions are read from the fields that `width_field` and `height_field` of a `LazyImageField` name,
    never from the file. Those of Django's own field are not: they leave EXIF orientation out of account.
    """
    if not file:
        return None
    if isinstance(file, str):
        return Picture(file)
    name = getattr(file, "name", None)
    if not isinstance(name, str) or not name:
        return None
    field, row = getattr(file, "field", None), getattr(file, "instance", None)
    values = getattr(row, "__dict__", {}) if getattr(field, "dimensions_are_oriented", False) else {}
    width = values.get(getattr(field, "width_field", None))
    height = values.get(getattr(field, "height_field", None))
    return Picture(name, width, height) if _is_side(width) and _is_side(height) else Picture(name)


def _is_side(value: Any) -> bool:
    return isinstance(value, int) and value > 0  # a form may have left a text in the row


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
    before, after = _around(name, (size,), output)
    return f"{_base()}{before}{size}{after}"


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


_escaped_base = lru_cache(maxsize=16)(escape)


def _around(name: str, wanted: tuple[Size, ...], output: Format | None = None) -> tuple[str, str]:
    """Return what stands before and after the size in the URLs of an original's variants, without the base.

    Percent-encoded, so that it holds nothing that HTML would escape. `RefusedName` as `keys.variant_key`.
    """
    before, after = _around_any(name, output)
    if len(before) + len(after) > _LENGTH_OF_ANY_KEY:
        for size in wanted:
            keys.variant_key(name, size, output)
    return before, after


# Percent-encoding makes nothing shorter, so up to this length no key is too long, whatever its size.
_LENGTH_OF_ANY_KEY = keys.MAX_KEY_BYTES - len("9999x9999")


@lru_cache(maxsize=4096)  # a page asks for each photo in several tags, and many pages show the same photos
def _around_any(name: str, output: Format | None) -> tuple[str, str]:
    before, after = keys.around_size(name, output)
    return quote(before, safe="/~"), quote(after, safe="/~")


def candidates(picture: Picture, wanted: Iterable[Size], output: Format | None = None) -> list[Candidate]:
    """Return the srcset's entries: what can be described truthfully, each width once.

    `Hh` needs the row's dimensions, and is left out without them. An original that can have no variants
    is logged, and gives none.
    """
    wanted = tuple(wanted)
    try:
        before, after = _around(picture.name, wanted, output)
    except RefusedName as error:
        logger.warning("no variants: %s", error)
        return []
    start = _base() + before
    return [
        Candidate(f"{start}{size}{after}", width, height)
        for size, width, height in _served(wanted, picture.width, picture.height)
    ]


@lru_cache(maxsize=1024)  # most photos of a shop share a few dimensions
def _served(
    wanted: tuple[Size, ...], width: int | None, height: int | None
) -> tuple[tuple[str, int, int | None], ...]:
    """Return which sizes can be described, each width once, and the dimensions of what will be served.

    `width` and `height` are the original's; without them a size is taken at its word, and `Hh` left out.
    """
    found: dict[int, tuple[str, int, int | None]] = {}
    for size in wanted:
        if width is not None and height is not None:
            plan = size.plan(width, height)  # a focal point moves the box, and changes no dimensions
            found.setdefault(plan.width, (str(size), plan.width, plan.height))
        elif size.width is not None:
            found.setdefault(size.width, (str(size), size.width, size.height))
    return tuple(found.values())


def srcset(picture: Picture | None, spec: Spec) -> SafeString:
    """Return the value of the attribute srcset (HTML Standard, "Srcset attributes"), escaped."""
    if picture is None:
        return SafeString()
    # The same as by `candidates`, in half of the time: this is what large pages consist of.
    try:
        before, after = _around(picture.name, spec.sizes)
    except RefusedName as error:
        logger.warning("no variants: %s", error)
        return SafeString()
    start = _escaped_base(_base()) + before
    served = _served(spec.sizes, picture.width, picture.height)
    return SafeString(", ".join([f"{start}{size}{after} {width}w" for size, width, _ in served]))


def image_url(picture: Picture | None, spec: Spec) -> SafeString:
    """Return the escaped URL of the spec's first size; empty for an empty field."""
    if picture is None or not spec.sizes:
        return SafeString()
    try:
        return SafeString(escape(variant_url(picture.name, spec.sizes[0])))
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
    src = image_url(picture, spec)
    if not src or picture is None:
        return SafeString()
    values: dict[str, Any] = {"src": src, "srcset": None, "sizes": None}
    served = _served(spec.sizes, picture.width, picture.height)
    if len(served) > 1 or (served and spec.layout):
        values |= {"srcset": srcset(picture, spec), "sizes": spec.layout or None}
    for _, width, height in _served(spec.sizes[:1], picture.width, picture.height):
        values |= {"width": width, "height": height} if height is not None else {}
    values |= {"loading": "lazy", "decoding": "async", "alt": ""}
    if priority:
        values |= {"loading": "eager", "fetchpriority": "high"}
    values |= {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
    if values["alt"] is None or values["alt"] is False:
        values["alt"] = ""
    shown = ((name, value) for name, value in values.items() if value is not None and value is not False)
    return SafeString(f"<img{''.join(_attribute(name, value) for name, value in shown)}>")


# HTML Standard, "Attributes": what a name may hold.
_ATTRIBUTE_NAME = re.compile(r"""[^\s"'<>/=\x00-\x1f\x7f]+""")
_REFERENCE = re.compile(r"&amp;(#[0-9]+|#[xX][0-9A-Fa-f]+|[A-Za-z][A-Za-z0-9]*);")


def _attribute(name: str, value: Any) -> str:
    if not _ATTRIBUTE_NAME.fullmatch(name):
        logger.warning("left out of the markup: %r is no attribute's name", name)
        return ""
    if value is True:
        return f" {name}"
    text = str(escape(value))
    if hasattr(value, "__html__"):
        # HTML already, as every literal in Django's templates is, but not for that fit for an attribute:
        # quotes are escaped all the same, and character references kept.
        text = _REFERENCE.sub(r"&\1;", text)
    return f' {name}="{text}"'
