"""`LazyImageField`: stores the original alone, unchanged, under a fresh name."""

from __future__ import annotations  # django-stubs has File generic, Django has not

from typing import Any, cast

from django import forms
from django.core import checks
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.db import models
from django.db.models.fields.files import FieldFile, ImageFieldFile, ImageFileDescriptor
from django.forms.fields import FileField as FormFileField

from lazyimages import conf, formats, keys, markup, sizes, uploads
from lazyimages.exceptions import ImageError, RefusedName
from lazyimages.storage import originals_storage, put_original


class LazyImageFieldFile(ImageFieldFile):
    """The value of a `LazyImageField`: an original, of which variants are asked for by size."""

    field: LazyImageField

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
        self.name = put_original(
            self.field.fresh_name(self.instance, name, probe.format),
            uploads.read(content),
            probe.format.media_type,
        )
        self._committed = True
        self.instance.__dict__[self.field.attname] = self.name
        self.field.set_dimensions(self.instance, (probe.width, probe.height))
        if save:
            self.instance.save()

    save.alters_data = True  # type: ignore[attr-defined]  # Django: templates must not call it

    def _dimensions(self) -> tuple[int | None, int | None]:
        if _is_upload(self) and self:
            return uploads.dimensions(self.file) or (None, None)
        picture = markup.picture_of(self)
        return (picture.width, picture.height) if picture else (None, None)


class LazyImageDescriptor(ImageFileDescriptor):
    """Sets the row's dimensions when an image is assigned, without opening storage."""

    def __set__(self, instance: models.Model, value: Any) -> None:
        """Assign an upload, a name, another row's image, or None."""
        loaded = self.field.attname in instance.__dict__
        before = instance.__dict__.get(self.field.attname)
        # Another row's image is read before it is this row's: afterwards its dimensions are this row's.
        known = None if _is_upload(value) else markup.picture_of(value)
        instance.__dict__[self.field.attname] = value
        field = cast(LazyImageField, self.field)
        if _is_upload(value):
            field.update_dimension_fields(instance)
        elif not loaded and instance._state.adding:
            return  # the row is being made, and post_init looks after that
        # What was not loaded comes from Django, which loads it now, unless it is a text.
        elif not value or ((loaded or isinstance(value, str)) and str(before) != str(value)):
            field.set_dimensions(instance, (known.width, known.height) if known else (None, None))


class LazyImageFormField(forms.ImageField):
    """A form's field for an original: whatever may not become one is an error in plain words."""

    # The extension is the client's word; what the file is shows in its bytes.
    default_validators = []

    def to_python(self, data: Any) -> Any:
        """Return the upload; `ValidationError` when it may not become an original."""
        file = FormFileField.to_python(self, data)
        if file is not None:
            _validate(file, file.name or "")
        return file


class LazyImageField(models.ImageField):
    """An `ImageField` that stores the original alone and never opens storage to load a row.

    The arguments are ImageField's, but for `storage`: originals are in the storage that
    LAZYIMAGES["ORIGINALS"] names. `width_field` and `height_field` get the dimensions after EXIF
    orientation.
    """

    width_field: str | None
    height_field: str | None
    dimensions_are_oriented = True  # for markup, which trusts those of no other field

    attr_class = LazyImageFieldFile
    descriptor_class = LazyImageDescriptor
    description = "Image, stored as its original"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "storage" in kwargs:
            raise TypeError('LazyImageField takes no storage; name one in LAZYIMAGES["ORIGINALS"]')
        super().__init__(*args, **kwargs)
        self.storage = originals_storage

    def deconstruct(self) -> Any:
        """Leave the storage out: it is read from the settings, and migrations hold no settings."""
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("storage", None)
        return name, path, args, kwargs

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        """Check also that the directory is not one that holds variants."""
        return [*super().check(**kwargs), *self._check_directory()]

    def _check_directory(self) -> list[checks.CheckMessage]:
        if callable(self.upload_to):
            return []
        for segment in str(self.upload_to).split("/"):
            if sizes.is_size(segment):
                message = f"upload_to has the directory {segment!r}, which looks like a size."
                hint = "Rename it: such directories hold variants."
                return [checks.Error(message, hint=hint, obj=self, id="lazyimages.E020")]
        return []

    def clean(self, value: Any, model_instance: models.Model | None) -> Any:
        """Validate an upload that was assigned without a form as well."""
        cleaned = super().clean(value, model_instance)
        if cleaned and _is_upload(cleaned):
            probe = _validate(cleaned.file if isinstance(cleaned, FieldFile) else cleaned, cleaned.name)
            if model_instance is not None:
                try:
                    self.fresh_name(model_instance, cleaned.name, probe.format)
                except RefusedName as error:
                    raise ValidationError(_sentence(error), code="refused_name") from error
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
        room = (self.max_length or keys.MAX_KEY_BYTES) - len(directory)
        filename = keys.fresh_filename(slug, format, room - 1 if directory else room)
        name = f"{directory}/{filename}" if directory else filename
        keys.check_original(name)
        return name

    def set_dimensions(self, instance: models.Model, dimensions: tuple[int | None, int | None]) -> None:
        """Put oriented width and height into the row's fields, where it has them."""
        for field, value in zip((self.width_field, self.height_field), dimensions, strict=True):
            if field:
                setattr(instance, field, value)

    def update_dimension_fields(
        self, instance: models.Model, force: bool = False, *args: Any, **kwargs: Any
    ) -> None:
        """Take the dimensions from a new upload, or with another row's image; never from storage.

        Django calls this after making every row, where its own version would open the file of each that
        has no dimensions.
        """
        if not (self.width_field or self.height_field) or self.attname not in instance.__dict__:
            return
        value = instance.__dict__[self.attname]
        if isinstance(value, FieldFile) and value.instance is not instance:
            known = markup.picture_of(value)
            if known and known.width:
                self.set_dimensions(instance, (known.width, known.height))
                return
        file = getattr(instance, self.attname)
        if file and _is_upload(file):
            self.set_dimensions(instance, uploads.dimensions(file.file) or (None, None))


def _is_upload(value: Any) -> bool:
    return isinstance(value, File) and not getattr(value, "_committed", False)


def _validate(file: File[Any], name: str) -> Any:
    try:
        return uploads.inspect(file, name)
    except RefusedName as error:
        raise ValidationError(_sentence(error), code="refused_name") from error
    except ImageError as error:
        raise ValidationError(_sentence(error), code="invalid_image") from error


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."
