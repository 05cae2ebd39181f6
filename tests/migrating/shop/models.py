"""One table, seen by the model as it was and as it is going to be."""

from django.db import models

from lazyimages.fields import LazyImageField


class Product(models.Model):
    """With Django's own field, and the columns that the first migration adds."""

    name = models.CharField(max_length=80)
    photo = models.ImageField(upload_to="products")
    width = models.PositiveIntegerField(null=True, editable=False)
    height = models.PositiveIntegerField(null=True, editable=False)


class NewProduct(models.Model):
    """The same rows, once the field has been exchanged."""

    name = models.CharField(max_length=80)
    photo = LazyImageField(upload_to="products", width_field="width", height_field="height")
    width = models.PositiveIntegerField(null=True, editable=False)
    height = models.PositiveIntegerField(null=True, editable=False)

    class Meta:
        managed = False
        db_table = "shop_product"
