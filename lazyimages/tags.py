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


def image_url(file: Any, spec: object, *, email: bool = False) -> SafeString:
    """Return the URL of the spec's first size; with `email` an absolute one."""
    draw = markup.message_url if email else markup.image_url
    return draw(markup.picture_of(file), markup.parse_spec_leniently(spec))


def img(
    file: Any,
    spec: object,
    /,
    *,
    priority: bool | None = None,
    placeholder: bool = True,
    email: bool = False,
    **attributes: Any,
) -> SafeString:
    """Return an `<img>`; `markup.img` says which attributes it gets and how to change them."""
    return markup.img(
        markup.picture_of(file),
        markup.parse_spec_leniently(spec),
        priority=priority,
        placeholder=placeholder,
        email=email,
        attributes=attributes,
    )


def picture(
    file: Any,
    spec: object,
    /,
    *,
    priority: bool | None = None,
    placeholder: bool = True,
    **attributes: Any,
) -> SafeString:
    """Return a `<picture>` with every format and every source of a preset; see `markup.picture`."""
    return markup.picture(
        markup.picture_of(file),
        markup.parse_spec_leniently(spec),
        priority=priority,
        placeholder=placeholder,
        attributes=attributes,
    )


def preload(file: Any, spec: object, /, *, img: bool = False, **attributes: Any) -> SafeString:
    """Return the `<link>`s that load beforehand what `picture` chooses, or `img`; see `markup.preload`."""
    return markup.preload(
        markup.picture_of(file), markup.parse_spec_leniently(spec), img=img, attributes=attributes
    )


PREFIX = "lazyimages_"  # for a project in which another library has a tag of the same name
_TAGS: dict[str, Callable[..., SafeString]] = {
    "srcset": srcset,
    "image_url": image_url,
    "img": img,
    "picture": picture,
    "preload": preload,
}
TAGS = _TAGS | {f"{PREFIX}{name}": tag for name, tag in _TAGS.items()}
USAGE = 'an image comes first, then sizes or a preset: {name} product.photo "360x270 480h 1280w"'

# What is no attribute of the element that a tag prints; those not named here take none at all.
_REFUSED: dict[str, tuple[str, ...]] = {
    "img": (),
    "picture": ("email",),
    "preload": ("alt", "email", "placeholder", "priority"),
}


def check_arguments(tag: str, names: list[str], rest: str = "") -> None:
    """Raise `ValueError` for arguments that a tag does not take; `rest` is a word that is no argument."""
    if rest:
        raise ValueError(f"it does not understand {rest!r}; write attribute=value, and data_id for data-id")
    tag = tag.removeprefix(PREFIX)
    for name in names:
        if tag not in _REFUSED and (tag, name) != ("image_url", "email"):
            raise ValueError(f"it takes no argument {name!r}; only img, picture and preload take attributes")
        if name in _REFUSED.get(tag, ()):
            raise ValueError(f"it takes no argument {name!r}")
        if names.count(name) > 1:
            raise ValueError(f"the argument {name!r} is there twice; take one of them out")
        if not name.strip("_"):
            raise ValueError(f"{name!r} is no attribute's name; write it as in data_id=1")


def check_literal(spec: str) -> None:
    """Raise `ValueError`, naming what is allowed, for a spec that is not all in the whitelist."""
    markup.parse_spec(spec)
