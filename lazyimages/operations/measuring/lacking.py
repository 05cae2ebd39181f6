"""What rows lack of what there is to know about their images, and filling it in."""

from types import SimpleNamespace
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from lazyimages.fields import LazyImageField


def dimension_names(field: LazyImageField) -> list[str]:
    """Return the names of the fields that hold an image's dimensions."""
    return [name for name in (field.width_field, field.height_field) if name]


def dimensions(field: LazyImageField) -> models.Q:
    """Return the condition for rows without a width or a height; of fields that have a place for them."""
    lacks = models.Q()
    for name in dimension_names(field):
        lacks |= models.Q(**{f"{name}__isnull": True}) | models.Q(**{name: 0})
    return lacks


def placeholder(field: LazyImageField) -> models.Q:
    """Return the condition for rows without a placeholder; of a field that has a place for them."""
    assert field.placeholder_field is not None
    name = field.placeholder_field
    return models.Q(**{f"{name}__isnull": True}) | models.Q(**{name: ""})


def values(field: LazyImageField, width: int, height: int) -> dict[str, int]:
    """Return what dimensions are in the row. `ValueError` when its columns are too small for them."""
    pairs = ((field.width_field, width), (field.height_field, height))
    found = {name: value for name, value in pairs if name}
    for name, value in found.items():
        _fits(field, name, value)
    return found


def text(field: LazyImageField, value: str) -> dict[str, str]:
    """Return what a placeholder is in the row. `ValueError` when its column is too short for it."""
    assert field.placeholder_field is not None
    _fits(field, field.placeholder_field, value)
    return {field.placeholder_field: value}


def key_text(model: type[models.Model], key: Any) -> str:
    """Return a primary key as JSON can hold it; `key` turns it back."""
    column = _key_column(model)
    return str(column.value_to_string(SimpleNamespace(**{column.attname: key})))


def key(model: type[models.Model], text: str) -> Any:
    """Return the primary key that `key_text` has turned into a text."""
    return _key_column(model).to_python(text)


def _key_column(model: type[models.Model]) -> Any:
    column: Any = model._meta.pk
    while column.remote_field:  # a child's key is its parent's
        column = column.target_field
    return column


def _fits(field: LazyImageField, name: str, value: object) -> None:
    try:
        field.model._meta.get_field(name).run_validators(value)  # type: ignore[union-attr]
    except ValidationError as error:
        raise ValueError(f"{value} does not fit into {name}: {' '.join(error.messages)}") from error
