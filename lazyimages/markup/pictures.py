"""What a row says of its image."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Picture:
    """An original's name, and its oriented dimensions in pixels where the row has them.

    `placeholder` is the row's text for `lazyimages.placeholders`, or empty.
    """

    name: str
    width: int | None = None
    height: int | None = None
    placeholder: str = ""


def picture_of(file: Any) -> Picture | None:
    """Return what a row says of its image: any `ImageFieldFile`, or a name. None for an empty field.

    Dimensions are read from the fields that `width_field` and `height_field` of a `LazyImageField` name,
    never from the file. Those of Django's own field are not: they leave EXIF orientation out of account.
    """
    if not file:
        return None
    if isinstance(file, str):
        return Picture(str(file))  # also of a SimpleLazyObject, which only looks like a text
    name = getattr(file, "name", None)
    if not isinstance(name, str) or not name:
        return None
    field = getattr(file, "field", None)
    if not getattr(field, "dimensions_are_oriented", False):
        return Picture(name)
    # What was deferred is not in the dictionary; asking the row itself for it would send a query.
    values = getattr(getattr(file, "instance", None), "__dict__", {})
    width, height = values.get(field.width_field), values.get(field.height_field)  # type: ignore[union-attr]
    placeholder = values.get(field.placeholder_field)  # type: ignore[union-attr]
    # A form may have left a text in the row, or None.
    known = isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0
    return Picture(
        name,
        width if known else None,
        height if known else None,
        placeholder if isinstance(placeholder, str) else "",
    )
