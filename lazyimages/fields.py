"""`LazyImageField`: stores the original alone, unchanged, under a fresh name."""

from __future__ import annotations  # django-stubs has File generic, Django has not

from typing import Any

from django.core import checks
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.fields.files import FieldFile
from django.db.models.signals import class_prepared, post_delete, post_init, pre_delete

from lazyimages import field_checks, formats, keys, leaving, markup, sizes, uploads
from lazyimages.exceptions import RefusedName
from lazyimages.field_files import LazyImageDescriptor, LazyImageFieldFile, is_upload
from lazyimages.forms import LazyImageFormField, sentence, validate
from lazyimages.storage import originals_storage


class LazyImageField(models.ImageField):
    """An `ImageField` that stores the original alone and never opens storage to load a row.

    The arguments are ImageField's, but for `storage`: originals are in the storage that
    LAZYIMAGES["ORIGINALS"] names. `width_field` and `height_field` get the dimensions after EXIF
    orientation. `placeholder_field` names a CharField of 36 characters or more, declared after the image; an
    upload puts into it what `placeholders.background` shows.
    """

    width_field: str | None
    height_field: str | None
    placeholder_field: str | None
    dimensions_are_oriented = True  # for markup, which trusts those of no other field

    attr_class = LazyImageFieldFile
    descriptor_class = LazyImageDescriptor
    description = "Image, stored as its original"

    def __init__(self, *args: Any, placeholder_field: str | None = None, **kwargs: Any) -> None:
        if "storage" in kwargs:
            raise TypeError('LazyImageField takes no storage; name one in LAZYIMAGES["ORIGINALS"]')
        self.placeholder_field = placeholder_field
        super().__init__(*args, **kwargs)
        self.storage = originals_storage

    def deconstruct(self) -> Any:
        """Leave the storage out: it is read from the settings, and migrations hold no settings."""
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("storage", None)
        if self.placeholder_field:
            kwargs["placeholder_field"] = self.placeholder_field
        return name, path, args, kwargs

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        """Check also that the directory is not one that holds variants, and the placeholder's field."""
        return [
            *super().check(**kwargs),
            *field_checks.directory(self),
            *field_checks.placeholder(self, self.placeholder_field),
        ]

    def clean(self, value: Any, model_instance: models.Model | None) -> Any:
        """Validate an upload that was assigned without a form as well."""
        cleaned = super().clean(value, model_instance)
        if cleaned and is_upload(cleaned):
            probe = validate(cleaned.file if isinstance(cleaned, FieldFile) else cleaned, cleaned.name)
            if model_instance is not None:
                try:
                    self.fresh_name(model_instance, cleaned.name, probe.format)
                except RefusedName as error:
                    raise ValidationError(sentence(error), code="refused_name") from error
        return cleaned

    def formfield(self, **kwargs: Any) -> Any:
        """Return a `LazyImageFormField`; the length of the client's name does not matter."""
        return super().formfield(**{"form_class": LazyImageFormField, **kwargs, "max_length": None})

    def fresh_name(self, instance: models.Model, client_name: str, format: formats.Format) -> str:
        """Return a new name for an upload: `upload_to`'s directory, and a fresh file name.

        `RefusedName` when the directory looks like a size, or leaves no room for a file name.
        """
        slug = keys.slug(client_name)
        directory = self.generate_filename(instance, f"{slug}.{format.extension}").rpartition("/")[0]
        return self._in_directory(directory, slug, format)

    def name_with_focal(self, name: str, point: tuple[int, int]) -> str:
        """Return a new name for a stored original, in its directory, with another focal point.

        `RefusedName` when the name can have no variants, or its directory leaves no room.
        """
        keys.check_original(name)
        format = formats.by_extension(name)
        assert format is not None
        return self._in_directory(name.rpartition("/")[0], keys.slug_of(name), format, point)

    def _in_directory(
        self, directory: str, slug: str, format: formats.Format, point: tuple[int, int] = sizes.CENTRE
    ) -> str:
        room = (self.max_length or keys.MAX_KEY_BYTES) - len(directory)
        filename = keys.fresh_filename(slug, format, room - 1 if directory else room, point)
        name = f"{directory}/{filename}" if directory else filename
        keys.check_original(name)
        return name

    def set_dimensions(self, instance: models.Model, dimensions: tuple[int | None, int | None]) -> None:
        """Put oriented width and height into the row's fields, where it has them."""
        for field, value in zip((self.width_field, self.height_field), dimensions, strict=True):
            if field:
                setattr(instance, field, value)

    def set_placeholder(self, instance: models.Model, text: str) -> None:
        """Put a placeholder into the row's field, where it has one."""
        if self.placeholder_field:
            setattr(instance, self.placeholder_field, text)

    def reload_facts(self, instance: models.Model, now: models.Model) -> None:
        """Take dimensions and placeholder from the same row as it is now, as far as they are loaded there.

        The others are what Django calls deferred: they are not saved, and are loaded when asked for.
        """
        for fact in self.facts:
            if fact in now.__dict__:
                setattr(instance, fact, now.__dict__[fact])
            else:
                instance.__dict__.pop(fact, None)

    @property
    def facts(self) -> list[str]:
        """The names of the row's fields that are about the image: dimensions and placeholder."""
        return [name for name in (self.width_field, self.height_field, self.placeholder_field) if name]

    def contribute_to_class(
        self, cls: type[models.Model], name: str, private_only: bool = False, **kwargs: Any
    ) -> None:
        """Have the row's fields filled also for a row that is made with another row's image.

        And have the original of a deleted row removed.
        """
        super().contribute_to_class(cls, name, private_only=private_only, **kwargs)
        if cls._meta.abstract:
            return
        self._follow(cls)
        class_prepared.connect(self._follow)

    def _follow(self, sender: type[models.Model], **kwargs: Any) -> None:
        """Look after the rows of a child or proxy too, which are made as the child's alone.

        They are deleted as the proxy's, and as the parent's where the child has a table of its own.
        """
        if not issubclass(sender, self.model):
            return
        if self.facts:
            post_init.connect(self.update_dimension_fields, sender=sender)
        # Without a sender, Django would load all rows of all models before deleting them.
        if leaving.is_watched(self) and sender._meta.concrete_model is self.model:
            pre_delete.connect(self._before_delete, sender=sender)
            post_delete.connect(self._after_delete, sender=sender)

    def _before_delete(self, instance: models.Model, using: str, **kwargs: Any) -> None:
        leaving.before_delete(instance, self, using)

    def _after_delete(self, instance: models.Model, using: str, **kwargs: Any) -> None:
        leaving.after_delete(instance, self, using)

    def update_dimension_fields(
        self, instance: models.Model, force: bool = False, *args: Any, **kwargs: Any
    ) -> None:
        """Take dimensions and placeholder from a new upload, or with another row's image; never from storage.

        Django calls this after making every row, where its own version would open the file of each that
        has no dimensions.
        """
        if not self.facts or self.attname not in instance.__dict__:
            return
        value = instance.__dict__[self.attname]
        if isinstance(value, FieldFile) and value.instance is not instance and not is_upload(value):
            known = markup.picture_of(value)
            if known and known.width:
                self.set_dimensions(instance, (known.width, known.height))
            if known and known.placeholder:
                self.set_placeholder(instance, known.placeholder)
        file = getattr(instance, self.attname)
        if file and is_upload(file):
            self.set_placeholder(instance, uploads.placeholder(file.file))
            if self.width_field or self.height_field:
                self.set_dimensions(instance, uploads.dimensions(file.file) or (None, None))
