"""One table, seen through a model for each library, so that all of them draw the same rows."""

from django.db import models
from imagekit.models import ImageSpecField
from imagekit.processors import ResizeToFill, ResizeToFit
from pictures.models import PictureField

from lazyimages.fields import LazyImageField

TABLE = "product"


class Product(models.Model):
    """What all models have, and the table itself: Django's own field."""

    name = models.CharField(max_length=80)
    photo = models.ImageField(upload_to="products", width_field="width", height_field="height")
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)

    class Meta:
        db_table = TABLE


class LazyProduct(models.Model):
    """The row for lazyimages."""

    name = models.CharField(max_length=80)
    photo = LazyImageField(upload_to="products", width_field="width", height_field="height")
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)

    class Meta:
        db_table = TABLE
        managed = False


class ImagekitProduct(models.Model):
    """The row for django-imagekit."""

    name = models.CharField(max_length=80)
    photo = models.ImageField(upload_to="products", width_field="width", height_field="height")
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    cover = ImageSpecField(source="photo", processors=[ResizeToFill(360, 270)], format="JPEG")
    high = ImageSpecField(source="photo", processors=[ResizeToFit(height=480)], format="JPEG")
    wide = ImageSpecField(source="photo", processors=[ResizeToFit(width=1280)], format="JPEG")

    class Meta:
        db_table = TABLE
        managed = False


class PicturesProduct(models.Model):
    """The row for django-pictures."""

    name = models.CharField(max_length=80)
    photo = PictureField(
        upload_to="products", width_field="width", height_field="height", aspect_ratios=[None]
    )
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)

    class Meta:
        db_table = TABLE
        managed = False
