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


def img(file: Any, spec: object, /, *, priority: bool = False, **attributes: Any) -> SafeString:
    """Return an `<img>`; `markup.img` says which attributes it gets and how to change them."""
    picture = markup.picture_of(file)
    return markup.img(picture, markup.parse_spec_leniently(spec), priority=priority, attributes=attributes)


TAGS: dict[str, Callable[..., SafeString]] = {"srcset": srcset, "image_url": image_url, "img": img}
USAGE = 'an image comes first, then sizes or a preset: {name} product.photo "360x270 480h 1280w"'


def check_arguments(tag: str, names: list[str], rest: str = "") -> None:
    """Raise `ValueError` for arguments that a tag does not take; `rest` is a word that is no argument."""
    if rest:
        raise ValueError(f"it does not understand {rest!r}; write attribute=value, and data_id for data-id")
    if names and tag != "img":
        raise ValueError(f"it takes no argument {names[0]!r}; only img takes attributes")
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"the argument {name!r} is there twice; take one of them out")
        if not name.strip("_"):
            raise ValueError(f"{name!r} is no attribute's name; write it as in data_id=1")


def check_literal(spec: str) -> None:
    """Raise `ValueError`, naming what is allowed, for a spec that is not all in the whitelist."""
    markup.parse_spec(spec)
