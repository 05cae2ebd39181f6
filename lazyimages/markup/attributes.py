"""Attributes of HTML elements, as text."""

import html
import logging
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.utils.html import escape

logger = logging.getLogger("lazyimages")

# HTML Standard, "Attributes": what a name may hold.
_NAME = re.compile(r"""[^\s"'<>/=\x00-\x1f\x7f]+""")
_REFERENCE = re.compile(r"&amp;(#[0-9]+|#[xX][0-9A-Fa-f]+|[A-Za-z][A-Za-z0-9]*);")


def named(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return an author's attributes by their names in HTML: `_` is read as `-`, and one at the end left out.

    What is no attribute's name is left out, and logged.
    """
    found = {}
    for name, value in given.items():
        if canonical := _canonical(name):
            found[canonical] = value
        else:
            logger.warning("left out of the markup: %r is no attribute's name", name)
    return found


@lru_cache(maxsize=256)
def _canonical(given: str) -> str:
    # In small letters, as a browser reads it (HTML Standard, "Attributes"): of two it takes the first.
    name = given.rstrip("_").replace("_", "-").lower()
    return name if _NAME.fullmatch(name) else ""


def printed(ours: Mapping[str, str], theirs: Mapping[str, Any]) -> str:
    """Return attributes with a space before each: ours, whose values are escaped, and an author's.

    An author's takes the place of ours of the same name. None or False leaves one out; True is an attribute
    without a value.
    """
    found = {name: f' {name}="{value}"' for name, value in ours.items()}
    for name, value in theirs.items():
        if value is None or value is False:
            found.pop(name, None)
        else:
            found[name] = f" {name}" if value is True else f' {name}="{escaped(value)}"'
    return "".join(found.values())


def escaped(value: Any) -> str:
    """Return a value as it stands between double quotes.

    What is HTML already, as every literal in Django's templates is, need not be fit for an attribute:
    quotes are escaped all the same, and character references kept.
    """
    text = str(escape(value))
    return _REFERENCE.sub(r"&\1;", text) if hasattr(value, "__html__") else text


def plain(value: Any) -> str:
    """Return a value as a browser would read it."""
    text = "".join([str(value)])  # a text and no more, also of one that is marked as HTML
    return html.unescape(text) if hasattr(value, "__html__") else text
