"""The one table of the project that is measured."""

from django.db import models

from lazyimages.fields import LazyImageField


class Photo(models.Model):
    """A photo of a product."""

    image = LazyImageField(upload_to="produs", width_field="width", height_field="height")
    width = models.PositiveIntegerField(null=True, editable=False)
    height = models.PositiveIntegerField(null=True, editable=False)
