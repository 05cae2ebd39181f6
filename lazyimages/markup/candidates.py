"""What a srcset offers: sizes that can be described truthfully, in one format."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from django.utils.html import escape
from django.utils.safestring import SafeString

from lazyimages.exceptions import RefusedName
from lazyimages.formats import Format
from lazyimages.markup.addresses import around, base, escaped_base
from lazyimages.markup.pictures import Picture
from lazyimages.markup.specs import Spec
from lazyimages.sizes import Size

logger = logging.getLogger("lazyimages")

DEFAULT_LAYOUT = "100vw"  # what a browser takes for several widths without `sizes`, which has to be there


@dataclass(frozen=True, slots=True)
class Candidate:
    """One entry of a srcset. `width` is the descriptor; `height` is None where it cannot be known."""

    url: str
    width: int
    height: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Slot:
    """One place in a page for a picture of known dimensions; all texts are escaped.

    `entries` are sizes with their widths, for a srcset, as far as they are known; `layout` is the value of
    the attribute `sizes` for them. `first` is the first size, and all that is needed with `alone`; `width`
    and `height` are its own.
    """

    first: str
    alone: bool
    entries: tuple[tuple[str, int], ...]
    layout: str
    width: int | None
    height: int | None

    def srcset(self, start: str, after: str) -> str:
        """Return the value of the attribute srcset, from what stands around the size in every URL."""
        if not self.entries:
            return f"{start}{self.first}{after}"
        return ", ".join([f"{start}{size}{after} {width}w" for size, width in self.entries])


@lru_cache(maxsize=1024)  # a shop has a few presets, and most photos a few dimensions
def slot(sizes: tuple[Size, ...], layout: str, width: int | None, height: int | None) -> Slot:
    """Return the slot for sizes, of which there is at least one, and an original's dimensions."""
    found = served(sizes, width, height)
    alone = len(found) < 2 and not (found and layout)
    if alone and found:
        layout = f"{found[0][1]}px"  # one device pixel each, as without descriptors
    if alone and [entry[0] for entry in found] != [str(sizes[0])]:
        found = ()  # of several sizes only another can be described
    across, down = sizes[0].width, sizes[0].height
    if width is not None and height is not None:
        across, down = sizes[0].output(width, height)
    known = across is not None and down is not None
    return Slot(
        first=str(sizes[0]),
        alone=alone,
        entries=tuple((size, wide) for size, wide, _ in found),
        layout=str(escape(layout or DEFAULT_LAYOUT)),
        width=across if known else None,
        height=down if known else None,
    )


def candidates(picture: Picture, wanted: Iterable[Size], output: Format | None = None) -> list[Candidate]:
    """Return the srcset's entries: what can be described truthfully, each width once.

    `Hh` needs the row's dimensions, and is left out without them. An original that can have no variants
    is logged, and gives none.
    """
    wanted = tuple(wanted)
    found = parts(picture, wanted, output)
    if found is None:
        return []
    start, after = base() + found[0], found[1]
    return [
        Candidate(f"{start}{size}{after}", width, height)
        for size, width, height in served(wanted, picture.width, picture.height)
    ]


def parts(picture: Picture, wanted: tuple[Size, ...], output: Format | None = None) -> tuple[str, str] | None:
    """Return `around` of a picture's name; None, and a line in the log, when it can have no variants."""
    try:
        return around(picture.name, wanted, output)
    except RefusedName as error:
        logger.warning("no variants: %s", error)
        return None


@lru_cache(maxsize=1024)  # most photos of a shop share a few dimensions
def served(
    wanted: tuple[Size, ...], width: int | None, height: int | None
) -> tuple[tuple[str, int, int | None], ...]:
    """Return which sizes can be described, each width once, and the dimensions of what will be served.

    `width` and `height` are the original's; without them a size is taken at its word, and `Hh` left out.
    """
    found: dict[int, tuple[str, int, int | None]] = {}
    for size in wanted:
        if width is not None and height is not None:
            across, down = size.output(width, height)
            found.setdefault(across, (str(size), across, down))
        elif size.width is not None:
            found.setdefault(size.width, (str(size), size.width, size.height))
    return tuple(found.values())


def srcset(picture: Picture | None, spec: Spec, output: Format | None = None) -> SafeString:
    """Return the value of the attribute srcset (HTML Standard, "Srcset attributes"), escaped."""
    if picture is None:
        return SafeString()
    # The same as by `candidates`, in half of the time: this is what large pages consist of.
    try:
        before, after = around(picture.name, spec.sizes, output)
    except RefusedName as error:
        logger.warning("no variants: %s", error)
        return SafeString()
    start = escaped_base(base()) + before
    found = served(spec.sizes, picture.width, picture.height)
    return SafeString(", ".join([f"{start}{size}{after} {width}w" for size, width, _ in found]))


def image_url(picture: Picture | None, spec: Spec) -> SafeString:
    """Return the escaped URL of the spec's first size; empty for an empty field."""
    if picture is None or not spec.sizes:
        return SafeString()
    found = parts(picture, spec.sizes[:1])
    if found is None:
        return SafeString()
    return SafeString(f"{escaped_base(base())}{found[0]}{spec.sizes[0]}{found[1]}")
