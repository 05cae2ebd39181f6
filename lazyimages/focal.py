"""Moving the focal point: the original gets a name that carries the new one."""

from __future__ import annotations  # django-stubs has fields generic, Django has not

import logging
from typing import Any
from urllib.parse import quote

from django.db import models, router, transaction

from lazyimages import keys, leaving, storage
from lazyimages.exceptions import Busy, LazyImagesError, OriginalNotFound

logger = logging.getLogger("lazyimages")

_TRIES = 5


def move(file: Any, point: tuple[int, int], *, save: bool) -> None:
    """Copy a row's original to a name with this focal point, and put that into the row.

    Nothing is done when the point is there already. The old original is left to `leaving`. With `save` the
    image alone is saved, and only where the row still points at what was copied: when somebody else has
    changed it meanwhile, it is done again with the image that is there now. Dimensions and placeholder stay.

    Raises `ValueError` for a point outside 0 to 99 percent and a row without a stored image,
    `OriginalNotFound`, `StorageUnavailable`, `Model.DoesNotExist` when the row is gone, and whatever saving
    raises; then the row is as it was, and the copy is deleted.
    """
    if not all(isinstance(part, int) and 0 <= part <= 99 for part in point):
        raise ValueError(f"a focal point is two whole numbers from 0 to 99, in percent, not {point!r}")
    for _ in range(_TRIES):
        if not file.name or not file._committed:
            raise ValueError("there is no stored image whose focal point could be moved; save it first")
        if keys.focal_point(file.name) == point:
            return
        if _moved(file, point, save=save):
            return
    raise Busy(f"the image of {file.instance!r} was changed {_TRIES} times while its focal point was moved")


def _moved(file: Any, point: tuple[int, int], *, save: bool) -> bool:
    """Move the point; False when the row has another image now, which then is the file's."""
    row, field, old = file.instance, file.field, str(file.name)
    new = field.name_with_focal(old, point)
    try:
        storage.copy_original(old, new)
    except OriginalNotFound:
        if save and not row._state.adding:
            _reload(file)
        if file.name != old:  # moved meanwhile, and the old one removed
            return False
        raise
    _point_at(file, new)
    leaving.leave(row, field, old)
    leaving.stored(row, field, new)
    try:
        if not save or _saved(file, old):
            return True
    except BaseException:
        _take_back(file, old, new)
        raise
    _take_back(file, old, new)
    _reload(file)
    return False


def _saved(file: Any, old: str) -> bool:
    """Save the image, if the row in the database still has the old one."""
    row, field = file.instance, file.field
    if row._state.adding:
        row.save()
        return True
    using = _database(row)
    with transaction.atomic(using=using):
        rows = type(row)._base_manager.using(using).filter(pk=row.pk, **{field.attname: old})
        if not rows.update(**{field.attname: file.name}):
            return False
        row.save(using=using, update_fields=[field.name])  # for its signals, and what a project adds
    return True


def _take_back(file: Any, old: str, new: str) -> None:
    _point_at(file, old)
    leaving.take_back(file.instance, file.field, old, new)
    try:
        storage.delete_with_original(new, [])
    except LazyImagesError:
        logger.exception("a copy that nobody needs was not deleted: %s", quote(new, safe="/~"))


def _reload(file: Any) -> None:
    """Take from the database what it has now, also within a transaction that began earlier."""
    row, field, using = file.instance, file.field, _database(file.instance)
    with transaction.atomic(using=using):
        now = type(row)._base_manager.select_for_update()
        row.refresh_from_db(using=using, fields=[field.name, *field.facts], from_queryset=now)
    _point_at(file, str(getattr(row, field.attname) or ""))


def _point_at(file: Any, name: str) -> None:
    if hasattr(file, "_file"):  # what is open is the other file
        file.close()
        del file.file
    file.name = name
    file.instance.__dict__[file.field.attname] = file


def _database(row: models.Model) -> str:
    # Not where it was read, which may be a replica; without a router's word it is the same.
    return router.db_for_write(type(row), instance=row)
