"""Readers of settings: each returns a value as it is used, or raises `Mistake` with the remedy. Pure."""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

from lazyimages import sizes
from lazyimages.exceptions import InvalidSize
from lazyimages.sizes import Size

T = TypeVar("T")


class Mistake(Exception):
    """What is wrong with a value, the remedy, and the number of the system check that reports it."""

    def __init__(self, message: str, hint: str, check: str = "E004") -> None:
        self.message, self.hint, self.check = message, hint, check


def size_list(value: object) -> tuple[Size, ...]:
    """Read sizes: a list, or one text with spaces between them. Each is kept once, in their order."""
    words = value.split() if isinstance(value, str) else value
    if not isinstance(words, (list, tuple)):
        raise Mistake(f"{value!r} is not a list of sizes.", 'Write ["360x270", "480h", "1280w"].', "E002")
    try:
        return tuple(dict.fromkeys(sizes.parse(str(word)) for word in words))
    except InvalidSize as error:
        raise Mistake(f"{error}.", "Correct it, or leave it out.", "E002") from error


def mapping(value: object, check: str = "E004") -> Mapping[str, Any]:
    """Read a dictionary whose keys are texts."""
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        hint = "See docs/settings.md for an example."
        raise Mistake(f"{value!r} is not a dictionary whose keys are texts.", hint, check)
    return value


def text(value: object) -> str:
    """Read a text."""
    if not isinstance(value, str):
        raise Mistake(f"{value!r} is not a text.", "Write a string.")
    return value


def header(value: object) -> str:
    """Read what may stand in an HTTP header: printable ASCII."""
    line = text(value)
    if not line.isprintable() or not line.isascii():
        raise Mistake(f"{line!r} has characters that no HTTP header may carry.", "Use printable ASCII.")
    return line


def base_url(value: object) -> str:
    """Read an absolute URL of http or https without query and fragment; the last slash is taken off."""
    url = header(value)
    if not url:
        return url
    try:
        parts = urlsplit(url)
        is_place = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that hold no IPv6 address, or a port that is no number
        is_place = False
    if not is_place or set(" ?#") & set(url):  # a space would end a srcset's URL
        hint = "Write scheme and host, as in https://d111111abcdef8.cloudfront.net, without ?, # and spaces."
        raise Mistake(f"{url!r} is not the absolute URL of a place.", hint)
    return url.rstrip("/")


def origins(value: object) -> tuple[str, ...]:
    """Read a list of origins; `*` is one."""
    if not isinstance(value, (list, tuple)):
        raise Mistake(f"{value!r} is not a list.", 'Write ["https://shop.example"].')
    return tuple(dict.fromkeys(origin(one) for one in value))


def origin(value: object) -> str:
    """Read an origin, `https://shop.example:8443`, or `*`."""
    if value == "*":
        return "*"
    url = base_url(value)
    if origin_of(url) != (url,):
        hint = "Write scheme and host alone, as in https://shop.example; a port if it is not the usual one."
        raise Mistake(f"{url!r} is not an origin.", hint)
    return url


def origin_of(url: str) -> tuple[str, ...]:
    """Return the origin of a URL (RFC 6454, 6.2) as the only entry; none for an empty text."""
    parts = urlsplit(url)
    return (f"{parts.scheme}://{parts.netloc.lower()}",) if url else ()


def secret(value: object) -> str:
    """Read a text that an HTTP header can carry, without ever repeating it."""
    if not isinstance(value, str) or not value or not value.isprintable() or not value.isascii():
        # Unlike other mistakes this one is not quoted: check output ends up in logs.
        raise Mistake("no secret that an HTTP header can carry.", "Write a random ASCII text, or None.")
    return value


def colour(value: object) -> str:
    """Read a colour, `#rrggbb`."""
    code = text(value)
    if not re.fullmatch(r"#[0-9A-Fa-f]{6}", code):
        raise Mistake(f"{code!r} is not a colour.", "Write it like #ffffff.")
    return code


def choice(choices: tuple[str, ...]) -> Callable[[object], str]:
    """Return a reader of one of some words."""

    def reader(value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise Mistake(f"{value!r} is not one of the choices.", f"Choose from {', '.join(choices)}.")
        return value

    return reader


def whole(least: int, most: int) -> Callable[[object], int]:
    """Return a reader of a whole number within limits, both included."""

    def reader(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise Mistake(f"{value!r} is out of range.", f"Write a whole number from {least} to {most}.")
        return value

    return reader


def seconds(value: object) -> float:
    """Read a number of seconds, above 0 and at most 300."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value <= 300:
        raise Mistake(f"{value!r} is out of range.", "Write seconds, above 0 and at most 300.")
    return float(value)


def flag(value: object) -> bool:
    """Read True or False."""
    if not isinstance(value, bool):
        raise Mistake(f"{value!r} is neither True nor False.", "Write True or False.")
    return value


def optional(reader: Callable[[object], T]) -> Callable[[object], T | None]:
    """Return a reader that takes None as well."""
    return lambda value: None if value is None else reader(value)
