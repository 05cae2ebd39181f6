"""Small pictures of an image for lists and forms, from the row alone."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from django.contrib import admin
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Model
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from lazyimages import conf, keys, markup
from lazyimages.exceptions import LazyImagesError, RefusedName
from lazyimages.markup import Picture
from lazyimages.sizes import Size

LEAST_WIDTH = 150  # pixels of the file: sharp on a screen with two of them a CSS pixel, or nearly
BOX = (120, 90)  # CSS pixels that a preview is fitted into
_PICKER_WIDTH = 480  # pixels of the file that the focal point is chosen on


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """A variant to show: its size and URL, and the dimensions that it is shown at in CSS pixels."""

    size: Size
    url: str
    width: int
    height: int


class NoPreview(LazyImagesError):
    """There is nothing to show; the message says why, to the person in front of the admin."""


def preview(file: Any, box: tuple[int, int] = BOX) -> Preview:
    """Return what to show of an image: the smallest size that is wide enough, else the largest.

    `NoPreview` for an empty field, an original that can have no variants, and an empty whitelist.
    """
    return _shown(file, conf.settings().whitelist, LEAST_WIDTH, box)


def whole(file: Any, box: tuple[int, int]) -> Preview:
    """Return the same of a size that crops nothing, large enough to point at; `NoPreview` too without one."""
    uncropped = [size for size in conf.settings().whitelist if size.width is None or size.height is None]
    return _shown(file, uncropped, _PICKER_WIDTH, box)


def crops(box: tuple[int, int]) -> list[Preview]:
    """Return each shape that the whitelist crops to, fitted into a box of CSS pixels; no URLs."""
    shapes: dict[Fraction, Size] = {}
    for size in conf.settings().whitelist:
        if size.width is not None and size.height is not None:
            shapes.setdefault(Fraction(size.width, size.height), size)
    return [
        Preview(size=size, url="", width=width, height=height)
        for size in shapes.values()
        for width, height in [_fitted(size.width, size.height, box)]
    ]


def _shown(file: Any, wanted: Iterable[Size], least: int, box: tuple[int, int]) -> Preview:
    picture = markup.picture_of(file)
    if picture is None:
        raise NoPreview(_("No image"))
    served = [(*_served(size, picture), size) for size in wanted]
    if not served:
        raise NoPreview(_("No size to show it in"))
    wide = [entry for entry in served if entry[0] >= least]
    width, height, size = (
        min(wide, key=lambda entry: entry[0]) if wide else max(served, key=lambda entry: entry[0])
    )
    try:
        url = markup.variant_url(picture.name, size)
    except RefusedName as error:
        raise NoPreview(_("Unusable name")) from error
    shown_width, shown_height = _fitted(width, height, box)
    return Preview(size=size, url=url, width=shown_width, height=shown_height)


def _served(size: Size, picture: Picture) -> tuple[int, int]:
    """Return a variant's width and height; a side that cannot be known is taken for as long as the other."""
    if picture.width is not None and picture.height is not None:
        plan = size.plan(picture.width, picture.height)
        return plan.width, plan.height
    width, height = size.width or size.height, size.height or size.width
    assert width is not None
    assert height is not None
    return width, height


def _fitted(width: int | None, height: int | None, box: tuple[int, int]) -> tuple[int, int]:
    assert width is not None
    assert height is not None
    scale = min(Fraction(box[0], width), Fraction(box[1], height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def label(file: Any) -> str:
    """Return an image's name as people would say it: the file name without what we added to it."""
    filename = str(getattr(file, "name", "") or "").rpartition("/")[2]
    return keys.slug(filename.partition(".")[0]).replace("-", " ")


def draw(file: Any, *, alt: str | None = None) -> str:
    """Return an `<img>` of fixed dimensions, loaded when it comes into view, or a plain text."""
    try:
        shown = preview(file)
    except NoPreview as reason:
        return format_html('<span class="lazyimages-none">{}</span>', str(reason))
    return format_html(
        '<img class="lazyimages-thumb" src="{}" width="{}" height="{}" alt="{}" loading="lazy" '
        'decoding="async">',
        *(shown.url, shown.width, shown.height),
        label(file) if alt is None else alt,
    )


def thumbnail(path: str, *, description: Any = None, alt: str | None = None) -> Callable[[Model], str]:
    """Return a column for `list_display` or `readonly_fields` that shows an image.

    `path` leads from the row to the image, with dots: `"image"`, `"cover.image"`; None on the way means
    that there is none. `alt` leads to its text in the same way, and is the file's name by default.
    """

    def column(row: Model) -> str:
        text = follow(row, alt) if alt else None
        return draw(follow(row, path), alt=str(text) if text else None)  # it may be all that a link says

    column.__name__ = path.replace(".", "_")  # becomes the column's class: field-cover_image
    words = description or capfirst(path.rpartition(".")[2].replace("_", " "))
    return admin.display(column, description=words)


def follow(row: Any, path: str) -> Any:
    """Return what dots lead to; None as soon as one of the steps is None, or a row that is not there."""
    try:
        for step in path.split("."):
            row = getattr(row, step) if row is not None else None
    except ObjectDoesNotExist:
        return None
    return row
