"""The value of a `LazyImageField` in a row, and what assigning one does."""

from __future__ import annotations  # django-stubs has File generic, Django has not

from typing import Any

from django.core.files.base import File
from django.db import models
from django.db.models.fields.files import FieldFile, ImageFieldFile, ImageFileDescriptor

from lazyimages import conf, focal, keys, leaving, markup, sizes, uploads


class LazyImageFieldFile(ImageFieldFile):
    """The value of a `LazyImageField`: an original, of which variants are asked for by size."""

    field: Any  # the LazyImageField, which stands above this

    def variant_url(self, size: str, format: str | None = None) -> str:
        """Return the URL of a variant, the Python form of `{% image_url %}`; empty for an empty field.

        `size` is in the whitelist, or the name of a preset, whose first size is meant; `format` is one
        of FORMATS, or the original's own. `ValueError` for others, and for an original that can have no
        variants.
        """
        spec = markup.parse_spec(size)
        if not self.name:
            return ""
        outputs = {
            output.name: output for output in (keys.native_format(self.name), *conf.settings().formats)
        }
        if format is not None and format not in outputs:
            raise ValueError(f"{format!r} is not a format in LAZYIMAGES; choose from {', '.join(outputs)}")
        return markup.variant_url(self.name, spec.sizes[0], outputs[format] if format else None)

    @property
    def width(self) -> int | None:  # type: ignore[override]
        """The oriented width in pixels, from the row or the upload; None when neither has it."""
        return self._dimensions()[0]

    @property
    def height(self) -> int | None:  # type: ignore[override]
        """The oriented height in pixels, from the row or the upload; None when neither has it."""
        return self._dimensions()[1]

    def save(self, name: str, content: File[Any], save: bool = True) -> None:
        """Store an upload as it is, under a fresh name, and set the row's dimensions.

        Raises `ImageError` or `RefusedName` with nothing stored. `name` is the client's; of what
        `upload_to` makes of it, the directory counts.
        """
        probe = uploads.inspect(content, name)
        fresh = self.field.fresh_name(self.instance, name, probe.format)
        stored = uploads.store(content, fresh, probe.format)
        if leaving.is_watched(self.field):
            if self._committed:  # type: ignore[has-type]  # otherwise the descriptor has seen to it
                leaving.changed(self.instance, self.field, self)
            leaving.stored(self.instance, self.field, stored)
        self.name = stored
        self._committed = True
        self.instance.__dict__[self.field.attname] = self.name
        self.field.set_dimensions(self.instance, (probe.width, probe.height))
        self.field.set_placeholder(self.instance, uploads.placeholder(content))
        if save:
            self.instance.save()

    save.alters_data = True  # type: ignore[attr-defined]  # Django: templates must not call it

    def delete(self, save: bool = True) -> None:
        """Empty the field, and have the original removed with its variants once no row needs it.

        That is after commit, when the row is saved, which the caller does without `save`. With CLEANUP off,
        and in migrations, it is as with Django's field: the original alone, and at once.
        """
        if not self or not leaving.is_watched(self.field) or not conf.settings().cleanup:
            super().delete(save=save)
            return
        leaving.empty(self, save=save)

    delete.alters_data = True  # type: ignore[attr-defined]

    @property
    def focal(self) -> tuple[int, int]:
        """The point to keep when the image is cut, in percent from the left and the top; (50, 50) by default.

        It is in the name, so it costs nothing to ask.
        """
        return keys.focal_point(self.name) if self.name else sizes.CENTRE

    def move_focal(self, x: int, y: int, *, save: bool = True) -> None:
        """Move the focal point to x and y, whole percent from 0 to 99; the image gets a new name and URLs.

        The original is copied, on S3 by one CopyObject, and the old one removed after commit, with its
        variants. Nothing happens when the point is there already. Without `save` the row is to be saved by
        the caller. Errors are those of `focal.move`.
        """
        focal.move(self, (x, y), save=save)

    move_focal.alters_data = True  # type: ignore[attr-defined]

    def _dimensions(self) -> tuple[int | None, int | None]:
        if is_upload(self) and self:
            return uploads.dimensions(self.file) or (None, None)
        picture = markup.picture_of(self)
        return (picture.width, picture.height) if picture else (None, None)


class LazyImageDescriptor(ImageFileDescriptor):
    """Sets the row's dimensions and placeholder when an image is assigned, without opening storage."""

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        """Return the row's image, of its own field also where another's was assigned.

        Django would hand out the other's object: with the other field's settings, shared by both rows.
        """
        value = instance.__dict__.get(self.field.attname) if instance is not None else None
        if isinstance(value, FieldFile) and not is_upload(value):
            is_own = value.instance is instance and value.field is self.field
            instance.__dict__[self.field.attname] = value if is_own else value.name
        return super().__get__(instance, cls)

    def __set__(self, instance: models.Model, value: Any) -> None:
        """Assign an upload, a name, another row's image, or None."""
        loaded = self.field.attname in instance.__dict__
        before = instance.__dict__.get(self.field.attname)
        # Another row's image is read before it is this row's: afterwards its dimensions are this row's.
        known = None if is_upload(value) else markup.picture_of(value)
        instance.__dict__[self.field.attname] = value
        field: Any = self.field
        is_new = not loaded and instance._state.adding  # the row is being made
        if not is_new and leaving.is_watched(field):
            self._note(instance, value, before, loaded=loaded)
        if is_upload(value):
            field.update_dimension_fields(instance)
        elif is_new:
            return  # post_init looks after that
        elif _is_reloaded(value, instance):
            if loaded and str(before) != str(value):
                field.reload_facts(instance, value.instance)
        # What was not loaded comes from Django, which loads it now, unless it is a text.
        elif not value or ((loaded or isinstance(value, str)) and str(before) != str(value)):
            field.set_dimensions(instance, (known.width, known.height) if known else (None, None))
            field.set_placeholder(instance, known.placeholder if known else "")

    def _note(self, instance: models.Model, value: Any, before: Any, *, loaded: bool) -> None:
        """Note what the row leaves when it is saved."""
        if _is_reloaded(value, instance):
            leaving.forget(instance, self.field)
        elif not loaded:
            leaving.changed_unseen(instance, self.field)
        elif is_upload(value) or str(before) != str(value):
            leaving.changed(instance, self.field, before)


def _is_reloaded(value: Any, instance: models.Model) -> bool:
    """Tell whether a value comes from the same row of the database, as `refresh_from_db` assigns it."""
    other = getattr(value, "instance", None)
    return isinstance(value, FieldFile) and other is not instance and other == instance


def is_upload(value: Any) -> bool:
    """Tell whether a value is a file that is not stored yet."""
    return isinstance(value, File) and not getattr(value, "_committed", False)
