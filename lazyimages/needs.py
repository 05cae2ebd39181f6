"""Which originals rows need: those that any field for files points at, and the fields' defaults."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from django.apps import apps
from django.db import connections, models, router


def needed(names: Collection[str], using: str | None, first: Iterable[models.FileField] = ()) -> set[str]:
    """Return which of these names rows need, in any field for files, Django's own too.

    That is one query for each such field, those in `first` before the others, and another where the model is
    written to another database than `using`; without `using` every database that has the table is asked.
    None is made once all are known to be needed. More than 500
    names are too many for some databases.
    """
    first = list(dict.fromkeys(first))
    fields = [*first, *(field for field in file_fields() if field not in first)]
    found = set(names) & {str(field.get_default()) for field in fields if field.has_default()}
    for field in fields:
        for database in _databases(field.model, using) if using else databases(field.model):
            asked = [name for name in names if name not in found]
            if not asked:
                return found
            # Without a manager, for a project's own may hide rows that can come back.
            rows: models.QuerySet[Any] = models.QuerySet(field.model, using=database)
            pointing = rows.filter(**{f"{field.attname}__in": asked}).order_by()
            # Many rows may share a file.
            found.update(map(str, pointing.values_list(field.attname, flat=True).distinct()))
    return found


def _databases(model: type[models.Model], using: str) -> set[str]:
    databases = {router.db_for_write(model)}
    if router.allow_migrate_model(using, model):
        databases.add(using)
    return databases


def databases(model: type[models.Model]) -> list[str]:
    """Return the databases that have a model's table, first the one that its rows are written to.

    A project may write to the others by `using` alone, of which no router knows.
    """
    written = router.db_for_write(model)
    others = [each for each in connections if each != written and router.allow_migrate_model(each, model)]
    return [written, *(each for each in others if _has_table(each, model._meta.db_table))]


def _has_table(database: str, table: str) -> bool:
    introspection = connections[database].introspection
    known = map(introspection.identifier_converter, introspection.table_names(include_views=True))
    return '"' in table or introspection.identifier_converter(table) in known


def file_fields() -> Iterator[models.FileField]:
    """Yield all fields for files, each where its column is: any of them may hold an original's name."""
    for model in apps.get_models(include_auto_created=True):
        if model._meta.proxy or model._meta.swapped:
            continue
        for field in model._meta.local_fields:
            if isinstance(field, models.FileField):
                yield field
