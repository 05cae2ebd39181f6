"""Models with the field in several surroundings, and one with Django's own ImageField."""

import uuid

from django.core.validators import MaxValueValidator
from django.db import models

from lazyimages.fields import LazyImageField


class Photo(models.Model):
    """The usual case: dimensions declared after the image."""

    image = LazyImageField(upload_to="produs_1", width_field="width", height_field="height", blank=True)
    width = models.PositiveIntegerField(null=True, editable=False)
    height = models.PositiveIntegerField(null=True, editable=False)


class DimensionsFirst(models.Model):
    """Dimensions declared before the image, which Django saves in that order."""

    width = models.PositiveIntegerField(null=True, editable=False)
    height = models.PositiveIntegerField(null=True, editable=False)
    image = LazyImageField(upload_to="first", width_field="width", height_field="height")


def directory(bare: "Bare", filename: str) -> str:
    """Decide the directory by the row."""
    return f"{bare.folder}/{filename}"


class Bare(models.Model):
    """No dimensions in the row, and a directory that the row decides."""

    folder = models.CharField(max_length=60, default="bare")
    image = LazyImageField(upload_to=directory)


class PlainPhoto(models.Model):
    """Django's own field, as in a project that has only just installed lazyimages."""

    image = models.ImageField(upload_to="plain")


class MeasuredPhoto(models.Model):
    """Django's own field with dimensions, which it takes before EXIF orientation."""

    image = models.ImageField(upload_to="plain", width_field="width", height_field="height")
    width = models.PositiveIntegerField(null=True, editable=False)
    height = models.PositiveIntegerField(null=True, editable=False)


class Album(models.Model):
    """What photos are edited in, inline, with one of its own; names may be longer than a key of S3."""

    title = models.CharField(max_length=60)
    cover = LazyImageField(
        upload_to="covers", width_field="width", height_field="height", max_length=1_100, blank=True
    )
    width = models.PositiveIntegerField(null=True, editable=False)
    height = models.PositiveIntegerField(null=True, editable=False)

    def __str__(self) -> str:
        return self.title


class AlbumPhoto(models.Model):
    """A photo of an album."""

    album = models.ForeignKey(Album, models.CASCADE, related_name="photos")
    image = LazyImageField(upload_to="albums", width_field="width", height_field="height", max_length=1_100)
    alt = models.CharField(max_length=200, blank=True)
    width = models.PositiveIntegerField(null=True, editable=False)
    height = models.PositiveIntegerField(null=True, editable=False)

    def __str__(self) -> str:
        return f"photo {self.pk}"


class Blurred(models.Model):
    """All that the field can fill."""

    title = models.CharField(max_length=20, blank=True)
    image = LazyImageField(
        upload_to="blurred",
        width_field="width",
        height_field="height",
        placeholder_field="placeholder",
        blank=True,
    )
    width = models.PositiveIntegerField(null=True, editable=False)
    height = models.PositiveIntegerField(null=True, editable=False)
    placeholder = models.CharField(max_length=40, blank=True, default="", editable=False)


class OnlyBlurred(models.Model):
    """A placeholder, and no dimensions."""

    image = LazyImageField(upload_to="only", placeholder_field="blur")
    blur = models.CharField(max_length=36, blank=True, default="", editable=False)


class SmallBlurred(Blurred):
    """A child with a table of its own, whose image is in its parent's."""

    note = models.CharField(max_length=20, blank=True)


class Scan(models.Model):
    """A key that is no number, and a date to go by."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    image = LazyImageField(upload_to="scans", width_field="width", height_field="height")
    width = models.PositiveSmallIntegerField(
        default=0, editable=False, validators=[MaxValueValidator(30_000)]
    )
    height = models.PositiveSmallIntegerField(default=0, editable=False)
    created = models.DateTimeField(null=True)

    class Meta:
        get_latest_by = "-created"


class Faded(Blurred):
    """A proxy, whose rows are its parent's."""

    class Meta:
        proxy = True
