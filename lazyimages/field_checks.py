"""System checks of one `LazyImageField`: its directory, and the fields that it fills."""

from django.core import checks
from django.core.exceptions import FieldDoesNotExist
from django.db import models

from lazyimages import placeholders, sizes


def directory(field: models.ImageField) -> list[checks.CheckMessage]:
    """Report a fixed `upload_to` with a directory that looks like a size."""
    if callable(field.upload_to):
        return []
    for segment in str(field.upload_to).split("/"):
        if sizes.is_size(segment):
            message = f"upload_to has the directory {segment!r}, which looks like a size."
            hint = "Rename it: such directories hold variants."
            return [checks.Error(message, hint=hint, obj=field, id="lazyimages.E020")]
    return []


def placeholder(field: models.ImageField, name: str | None) -> list[checks.CheckMessage]:
    """Report the name of a `placeholder_field` that cannot hold one, or is saved before there is one."""
    if not name:
        return []
    hint = f"Write {name} = models.CharField(max_length=40, blank=True, default='', editable=False) after it."
    try:
        named = field.model._meta.get_field(name)
    except FieldDoesNotExist:
        named = None
    if not isinstance(named, models.CharField):
        problem = f"placeholder_field names {name!r}, which is no CharField of the model."
    elif named.max_length is not None and named.max_length < placeholders.MOST_CHARACTERS:
        problem = (
            f"placeholder_field names {name!r}, which holds {named.max_length} characters; "
            f"a placeholder has up to {placeholders.MOST_CHARACTERS}."
        )
    elif field.model._meta.fields.index(named) < field.model._meta.fields.index(field):
        problem = (
            f"placeholder_field names {name!r}, which is declared before the image: Django saves fields in "
            "their order, and the placeholder is made when the image is saved."
        )
        hint = f"Move {name!r} below {field.name!r} in the model."
    else:
        return []
    return [checks.Error(problem, hint=hint, obj=field, id="lazyimages.E021")]
