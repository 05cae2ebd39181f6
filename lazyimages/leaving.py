"""What a row leaves behind: the original that it pointed at, when it is saved with another, or deleted."""

from __future__ import annotations  # django-stubs has fields generic, Django has not

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.files.base import File
from django.db import models, router
from django.db.models.signals import post_save, pre_save

from lazyimages import cleanup, conf

_CHANGES = "_lazyimages_changes"


@dataclass(kw_only=True, slots=True)
class _Change:
    """What is about to happen to the image of one row, until the row is saved.

    `saved` is the name that the row has in the database, empty for none, None when it was not loaded; `left`
    are further ones that it leaves: what was stored for it meanwhile.
    """

    saved: str | None
    left: list[str]


def is_watched(field: models.FileField) -> bool:
    """Tell whether a field's files are looked after: not those of the models that migrations make."""
    return field.model._meta.apps is apps


def changed(instance: Any, field: models.FileField, before: object) -> None:
    """Remember what a row has in the database, where `before` is what was there until now."""
    _change(instance, field, "" if instance._state.adding else stored_name(before))


def changed_unseen(instance: Any, field: models.FileField) -> None:
    """Remember that a row was given another image before its own was loaded; that is done on saving."""
    _change(instance, field, None)


def stored(instance: Any, field: models.FileField, name: str) -> None:
    """Remember that an original was stored for a row, which is left when the row is saved with another."""
    _change(instance, field, "").left.append(name)


def leave(instance: Any, field: models.FileField, name: str) -> None:
    """Have an original removed once the row is saved with another, and committed.

    Until then nothing is, for the row in the database needs it.
    """
    _change(instance, field, "" if instance._state.adding else name).left.append(name)


def take_back(instance: Any, field: models.FileField, *names: str) -> None:
    """Take back what `leave` and `stored` were told: the row was not saved after all."""
    change = instance.__dict__.get(_CHANGES, {}).get(field.attname)
    if change is None:
        return
    for name in names:
        if name in change.left:
            change.left.remove(name)
    if not change.left and change.saved == stored_name(instance.__dict__.get(field.attname)):
        forget(instance, field)


def forget(instance: Any, field: models.FileField) -> None:
    """Take back all that was remembered: the row is as it is in the database."""
    instance.__dict__.get(_CHANGES, {}).pop(field.attname, None)


def empty(file: Any, *, save: bool) -> None:
    """Empty a row's field, and leave the original that it pointed at."""
    row, field, name = file.instance, file.field, stored_name(file)
    if hasattr(file, "_file"):
        file.close()
        del file.file
    setattr(row, field.attname, None)  # before the name is gone, which the field's descriptor notes
    file.name, file._committed = None, False
    if not isinstance(row, models.Model):  # django-cleanup has another object in its place, after commit
        cleanup.remove_once(name, field)
        return
    leave(row, field, name)
    if save:
        row.save()
    else:  # and at the next commit, where no row has it by then: a project may update rows, or delete them
        cleanup.remove_after_commit(name, field, router.db_for_write(type(row), instance=row))


def stored_name(value: object) -> str:
    """Return the name of a stored original that is a row's value, empty for none and for an upload."""
    if not value or (isinstance(value, File) and not getattr(value, "_committed", False)):
        return ""
    return str(value)


def before_delete(instance: Any, field: models.FileField, using: str) -> None:
    """Find out the name of an original that was not loaded with its row, before that is deleted."""
    if not conf.settings().cleanup:
        return
    change = instance.__dict__.get(_CHANGES, {}).get(field.attname)
    if change is None and field.attname not in instance.__dict__:
        change = _change(instance, field, None)
    if change is not None and change.saved is None:
        change.saved = _in_database(instance, field, using)


def after_delete(instance: Any, field: models.FileField, using: str) -> None:
    """Have what a deleted row pointed at removed after commit."""
    change = instance.__dict__.get(_CHANGES, {}).pop(field.attname, None)
    if change is None:
        cleanup.remove_after_commit(stored_name(instance.__dict__.get(field.attname)), field, using)
        return
    for name in (change.saved or "", *change.left):
        cleanup.remove_after_commit(name, field, using)


def _change(instance: Any, field: models.FileField, saved: str | None) -> _Change:
    changes: dict[str, _Change] = instance.__dict__.setdefault(_CHANGES, {})
    return changes.setdefault(field.attname, _Change(saved=saved, left=[]))


def _in_database(instance: Any, field: models.FileField, using: str) -> str:
    pk = getattr(instance, field.model._meta.pk.attname)
    rows: models.QuerySet[Any] = models.QuerySet(field.model, using=using).filter(pk=pk)
    return str(rows.values_list(field.attname, flat=True).first() or "")


def _saved_changes(instance: Any, update_fields: Any) -> list[tuple[models.FileField, _Change]]:
    changes: dict[str, _Change] = instance.__dict__.get(_CHANGES, {})
    return [
        (instance._meta.get_field(name), change)
        for name, change in changes.items()
        if update_fields is None or name in update_fields
    ]


def _before_save(instance: models.Model, using: str, update_fields: Any, **kwargs: object) -> None:
    for field, change in _saved_changes(instance, update_fields):
        if change.saved is None and is_watched(field) and conf.settings().cleanup:
            change.saved = _in_database(instance, field, using)


def _after_save(instance: models.Model, using: str, update_fields: Any, **kwargs: object) -> None:
    for field, change in _saved_changes(instance, update_fields):
        forget(instance, field)
        now = stored_name(instance.__dict__.get(field.attname))
        for name in dict.fromkeys((change.saved or "", *change.left)):
            if name != now:
                cleanup.remove_after_commit(name, field, using)


# For all models, since the rows of a child are saved as the child's.
pre_save.connect(_before_save, dispatch_uid="lazyimages.leaving.before")
post_save.connect(_after_save, dispatch_uid="lazyimages.leaving.after")
