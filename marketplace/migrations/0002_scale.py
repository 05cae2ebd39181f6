"""What 40,000 products need: words to search, an index for every way of paging, and placeholders."""

import django.db.models.deletion
from django.db import migrations, models

import lazyimages.fields
import marketplace.models
import marketplace.search


def name_makers(apps, schema_editor):
    """Write the sellers' names into their products, where the documents are made of them."""
    sellers = apps.get_model("marketplace", "Seller").objects.filter(pk=models.OuterRef("seller_id"))
    products = apps.get_model("marketplace", "Product").objects.using(schema_editor.connection.alias)
    products.update(maker_name=models.Subquery(sellers.values("name")[:1]))


def index_documents(apps, schema_editor):
    """Index the documents where they are more than text; the index goes with its column."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("CREATE INDEX product_document ON marketplace_product USING gin (document)")


class Migration(migrations.Migration):
    dependencies = [
        ("marketplace", "0001_initial"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="product",
            name="product_newest",
        ),
        migrations.RemoveIndex(
            model_name="product",
            name="product_price",
        ),
        migrations.RemoveIndex(
            model_name="product",
            name="product_category",
        ),
        migrations.RemoveIndex(
            model_name="product",
            name="product_seller",
        ),
        migrations.AddField(
            model_name="photo",
            name="placeholder",
            field=models.CharField(blank=True, default="", editable=False, max_length=40),
        ),
        migrations.AlterField(
            model_name="photo",
            name="image",
            field=lazyimages.fields.LazyImageField(
                height_field="height",
                max_length=200,
                placeholder_field="placeholder",
                upload_to=marketplace.models.photo_folder,
                width_field="width",
            ),
        ),
        migrations.AddField(
            model_name="product",
            name="maker_name",
            field=models.CharField(default="", editable=False, max_length=80),
        ),
        migrations.RunPython(name_makers, migrations.RunPython.noop),
        migrations.AddField(
            model_name="product",
            name="document",
            field=models.GeneratedField(
                db_persist=True,
                expression=marketplace.search.Document(),
                output_field=marketplace.search.DocumentField(),
            ),
        ),
        migrations.RunPython(index_documents, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="photo",
            name="position",
            field=models.PositiveSmallIntegerField(default=1, verbose_name="position"),
        ),
        migrations.AlterField(
            model_name="product",
            name="category",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="products",
                to="marketplace.category",
                verbose_name="category",
            ),
        ),
        migrations.AlterField(
            model_name="product",
            name="description",
            field=models.TextField(max_length=4000, verbose_name="description"),
        ),
        migrations.AlterField(
            model_name="product",
            name="title",
            field=models.CharField(max_length=120, verbose_name="title"),
        ),
        migrations.AlterField(
            model_name="seller",
            name="town",
            field=models.CharField(max_length=80, verbose_name="town"),
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(
                condition=models.Q(("status__in", ["active", "sold"])),
                fields=["created", "id"],
                name="shop_newest",
            ),
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(
                condition=models.Q(("status__in", ["active", "sold"])),
                fields=["price", "id"],
                name="shop_price",
            ),
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(
                condition=models.Q(("status__in", ["active", "sold"])),
                fields=["category", "created", "id"],
                name="shelf_newest",
            ),
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(
                condition=models.Q(("status__in", ["active", "sold"])),
                fields=["category", "price", "id"],
                name="shelf_price",
            ),
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(
                condition=models.Q(("status__in", ["active", "sold"])),
                fields=["seller", "price", "id"],
                name="maker_price",
            ),
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(fields=["seller", "created", "id"], name="maker_newest"),
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(
                condition=models.Q(("status", "pending")), fields=["created", "id"], name="product_waiting"
            ),
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(fields=["category", "status"], name="product_category"),
        ),
        migrations.AddIndex(
            model_name="photo",
            index=models.Index(fields=["image"], name="photo_image"),
        ),
    ]
