"""Rows from a point on: "2026-01-31", "created=2026-01-31", "product__created=2026-01-31" or "pk=1000"."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models
from django.utils import timezone

from lazyimages.operations.rows import UnknownField


def condition(model: type[models.Model], text: str) -> models.Q:
    """Return the condition for rows with this value or a later one.

    A value alone is one of the model's `get_latest_by`. `UnknownField` says what else there is.
    """
    name, equals, value = text.rpartition("=")
    if not equals:
        latest = model._meta.get_latest_by or ""
        name = (latest if isinstance(latest, str) else latest[0]).removeprefix("-")
        if not name:
            raise UnknownField(
                f"{model._meta.label} has no get_latest_by, so say what {text!r} is about. {_choices(model)}"
            )
    try:
        point = _field(model, name).to_python(value)
    except ValidationError as error:
        raise UnknownField(f"{value!r} is no value of {name}: {' '.join(error.messages)}") from error
    if isinstance(point, datetime) and settings.USE_TZ and timezone.is_naive(point):
        point = timezone.make_aware(point)
    return models.Q(**{f"{name}__gte": point})


def _field(model: type[models.Model], name: str) -> Any:
    """Return a field for dates, or the primary key; also of the row that a row belongs to."""
    *path, last = name.split("__")
    found: Any = None
    owner: Any = model
    try:
        for step in path:
            relation: Any = owner._meta.get_field(step)
            if not (relation.concrete and (relation.many_to_one or relation.one_to_one)):
                raise FieldDoesNotExist(step)
            owner = relation.related_model
        found = owner._meta.pk if last == "pk" else owner._meta.get_field(last)
    except FieldDoesNotExist:
        pass  # a misprint, as anything else that is no date
    if isinstance(found, models.DateField) or getattr(found, "primary_key", False):
        return found
    raise UnknownField(f"{model._meta.label} has no date {name!r} to go by. {_choices(model)}")


def _choices(model: type[models.Model]) -> str:
    dates = [field.name for field in model._meta.fields if isinstance(field, models.DateField)]
    return f"Choose from {', '.join(['pk', *dates])}, as in --since {(dates or ['pk'])[0]}=..."
