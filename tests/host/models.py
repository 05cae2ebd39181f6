"""Models with the field in several surroundings, and one with Django's own ImageField."""

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
