"""The template tags, whatever the template language: Django's tags and Jinja2's call these."""

from collections.abc import Callable
from typing import Any

from django.utils.safestring import SafeString

from lazyimages import markup


def srcset(file: Any, spec: object) -> SafeString:
    """Return the value of the attribute srcset: `https://cdn/…/360x270/a.jpg 360w, …`.

    `file` is any `ImageFieldFile`, or an original's name; an empty one gives an empty text. `spec` is a
    preset's name or sizes between spaces; sizes outside the whitelist are logged and left out.
    """
    return markup.srcset(markup.picture_of(file), markup.parse_spec_leniently(spec))


def image_url(file: Any, spec: object) -> SafeString:
    """Return the URL of the spec's first size."""
    return markup.image_url(markup.picture_of(file), markup.parse_spec_leniently(spec))


def img(file: Any, spec: object, *, priority: bool = False, **attributes: Any) -> SafeString:
    """Return an `<img>`; `markup.img` says which attributes it gets and how to change them."""
    picture = markup.picture_of(file)
    return markup.img(picture, markup.parse_spec_leniently(spec), priority=priority, attributes=attributes)


TAGS: dict[str, Callable[..., SafeString]] = {"srcset": srcset, "image_url": image_url, "img": img}
USAGE = '{name} takes an image, and sizes or a preset: {name} product.photo "360x270 480h 1280w"'


def check_arguments(tag: str, names: list[str]) -> None:
    """Raise `ValueError` when a tag is given arguments that it does not take."""
    if names and tag != "img":
        raise ValueError(f"{tag} takes no argument {names[0]!r}; only img takes attributes")


def check_literal(spec: str) -> None:
    """Raise `ValueError`, naming what is allowed, for a spec that is not all in the whitelist."""
    markup.parse_spec(spec)
