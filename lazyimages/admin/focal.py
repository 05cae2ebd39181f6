"""The focal point of a form: kept beside the file until its row is saved, and moved then.

A form that is refused copies nothing, and it makes no difference who saves the row: the admin, a formset, or
a project's own `save_formset`.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.db.models.signals import pre_save
from django.utils.translation import gettext as _

from lazyimages import keys
from lazyimages.exceptions import LazyImagesError, OriginalNotFound
from lazyimages.fields import LazyImageField

logger = logging.getLogger("lazyimages")

_granted: set[type[Model]] = set()
_MARK = "_lazyimages_admin_focal"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wish:
    point: tuple[int, int]
    complain: Callable[[str], None]


def current(file: Any) -> tuple[int, int]:
    """Return the focal point of a stored image, in percent from the left and the top."""
    return keys.focal_point(str(getattr(file, "name", "") or ""))


def wish(file: Any, point: tuple[int, int], complain: Callable[[str], None]) -> None:
    """Have the focal point of an image or an upload moved when its row is saved.

    `complain` gets a sentence when that fails; the row is saved all the same.
    """
    setattr(file, _MARK, _Wish(point=point, complain=complain))


def not_moved(name: str) -> str:
    """Return what people are told whose focal point could not be moved."""
    return _("The focal point of “%s” was not moved; everything else was saved.") % name


def grant_wishes_of(model: type[Model]) -> None:
    """See to it that wishes for the images of a model are granted."""
    if model not in _granted:
        _granted.add(model)
        pre_save.connect(_grant, sender=model)


def _grant(instance: Model, update_fields: frozenset[str] | None = None, **kwargs: Any) -> None:
    for field in instance._meta.concrete_fields:
        if not isinstance(field, LazyImageField) or field.attname not in instance.__dict__:
            continue
        if update_fields is not None and field.attname not in update_fields:
            continue
        image = getattr(instance, field.attname)
        made = _taken(image) or (None if image._committed else _taken(image.file))
        if made:
            _move(image, made)


def _taken(file: Any) -> _Wish | None:
    found: _Wish | None = getattr(file, "__dict__", {}).pop(_MARK, None)
    return found


def _move(image: Any, made: _Wish) -> None:
    name = image.name
    if not image._committed:  # as its field would do when the row is saved
        image.save(name, image.file, save=False)
    try:
        image.move_focal(*made.point, save=False)
    except OriginalNotFound:
        made.complain(_("The focal point of “%s” was not moved: its file is missing.") % name)
    except (LazyImagesError, ValueError) as error:
        logger.warning("in the admin: %s", error)
        made.complain(not_moved(name))
