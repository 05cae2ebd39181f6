"""Rows and their images: the fields of a project, and the names in them, a part at a time."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any

from django.apps import apps
from django.core.exceptions import EmptyResultSet, FieldError, ValidationError
from django.db import models, router

from lazyimages import needs
from lazyimages.exceptions import LazyImagesError
from lazyimages.fields import LazyImageField

PAGE = 2000  # rows a query


class UnknownField(LazyImagesError, ValueError):
    """A text names no `LazyImageField` of this project, or rows are asked for by what they have not."""


def fields() -> list[LazyImageField]:
    """Return every `LazyImageField` of the project, each where its column is."""
    return [
        field
        for model in apps.get_models(include_auto_created=True)
        if not model._meta.proxy and not model._meta.swapped
        for field in model._meta.local_fields
        if isinstance(field, LazyImageField)
    ]


def label(field: LazyImageField) -> str:
    """Return the name by which commands know a field: "shop.Photo.image"."""
    return f"{field.model._meta.label}.{field.name}"


def find(text: str) -> LazyImageField:
    """Return the field of a name such as "shop.Photo.image", or of a model with one, "shop.Photo".

    Capital letters do not matter. `UnknownField` names those that there are.
    """
    known = {label(field): field for field in fields()}
    wanted = text.lower()
    found = [
        field for name, field in known.items() if wanted in (name.lower(), field.model._meta.label.lower())
    ]
    if len(found) == 1:
        return found[0]
    choices = ", ".join(known) or "none, for no model has a LazyImageField"
    problem = "has several fields for images" if found else "is no field for images"
    raise UnknownField(f"{text!r} {problem}. Choose from: {choices}.")


def chosen(field: LazyImageField, lookups: Sequence[str] = (), *, using: str = "") -> models.QuerySet[Any]:
    """Return the rows that have an image, without a manager; `lookups` are like "product__status=active".

    `UnknownField` for a lookup that Django does not understand.
    """
    conditions: dict[str, Any] = {}
    for lookup in lookups:
        name, equals, value = lookup.partition("=")
        if not equals or not name:
            raise UnknownField(f"{lookup!r} is no condition. Write it like status=active or pk__gt=1000.")
        conditions[name] = _value(name, value)
    rows: models.QuerySet[Any] = models.QuerySet(field.model, using=using or router.db_for_read(field.model))
    # A project's own manager may hide rows, and their images are there all the same.
    rows = rows.exclude(**{field.attname: ""}).exclude(**{f"{field.attname}__isnull": True})
    try:
        rows = rows.filter(**conditions)
        with suppress(EmptyResultSet):  # a lookup may refuse its value only when it is to be SQL
            rows.query.get_compiler(rows.db).as_sql()
        return rows
    except (FieldError, ValueError, TypeError, ValidationError) as error:
        raise UnknownField(f"{label(field)} has no such rows: {' '.join(str(error).split())}") from error


def _value(name: str, text: str) -> object:
    """Return what a lookup takes: a list, whether it is so, or a text, which the field reads."""
    if name.endswith(("__in", "__range")):
        return text.split(",")
    if name.endswith("__isnull") and text.lower() in ("true", "false", "1", "0"):
        return text.lower() in ("true", "1")
    return text


def pages(rows: models.QuerySet[Any], columns: Sequence[str], after: Any = None) -> Iterator[list[Any]]:
    """Yield tuples of the primary key and some columns, in its order, by pages of 2,000.

    `after` is a primary key, also as JSON has it. Rows that come or go meanwhile disturb nothing.
    """
    rows = rows.order_by("pk")
    last = after
    while True:
        wanted = rows if last is None else rows.filter(pk__gt=last)
        page = list(wanted.values_list("pk", *columns)[:PAGE])
        if page:
            yield page
        if len(page) < PAGE:
            return
        last = page[-1][0]


def newest(rows: models.QuerySet[Any], columns: Sequence[str], number: int) -> Iterator[list[Any]]:
    """Yield some columns of the newest rows, by pages as `pages` does, from one query.

    The newest are those by `get_latest_by`, if the model has it, else by primary key.
    """
    by = rows.model._meta.get_latest_by or "pk"
    names = [by] if isinstance(by, str) else list(by)
    order = [name[1:] if name.startswith("-") else f"-{name}" for name in names]
    found = rows.order_by(*order).values_list("pk", *columns)[:number].iterator(chunk_size=PAGE)
    while page := list(islice(found, PAGE)):
        yield page


def all_names(fields: Sequence[models.FileField], like: str = "") -> Iterator[Mapping[str, str]]:
    """Yield the names in some fields, by pages: a name, and the label of the row's field.

    Every database that has the table is asked. `like` is a regular expression, for those names alone.
    """
    for field in fields:
        for database in dict.fromkeys([router.db_for_read(field.model), *needs.databases(field.model)]):
            rows: models.QuerySet[Any] = models.QuerySet(field.model, using=database)
            if like:
                rows = rows.filter(**{f"{field.attname}__regex": like})
            for page in pages(rows, [field.attname]):
                yield {str(name): f"{field.model._meta.label}.{field.name}" for _, name in page if name}
