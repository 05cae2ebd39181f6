"""What the marketplace sells: sellers, categories, products and their photos."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Prefetch, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify

from lazyimages.fields import LazyImageField


def photo_folder(photo: Photo, filename: str) -> str:
    """Keep the photos of one product together; the field itself makes the file's name unique."""
    return f"produs_{photo.product_id}/{filename}"


class Seller(models.Model):
    """A maker with a shop of their own, and the account that looks after it."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="seller")
    name = models.CharField("shop name", max_length=80)
    slug = models.SlugField(max_length=80, unique=True)
    town = models.CharField(max_length=80)
    about = models.TextField("about the maker", max_length=2000, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Lead to everything this seller has on sale."""
        return f"{reverse('product-list')}?seller={self.slug}"


class Category(models.Model):
    """A shelf of the shop."""

    name = models.CharField(max_length=60, unique=True)
    slug = models.SlugField(max_length=60, unique=True)
    order = models.PositiveSmallIntegerField(default=0, help_text="Lower numbers come first.")

    class Meta:
        ordering = ["order", "name"]
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Lead to this shelf."""
        return f"{reverse('product-list')}?category={self.slug}"


class ProductQuerySet(models.QuerySet["Product"]):
    """The sets of products that the shop speaks about."""

    def visible(self) -> ProductQuerySet:
        """Keep what everybody may see: on sale, or sold."""
        return self.filter(status__in=Product.PUBLIC)

    def visible_to(self, user: Any) -> ProductQuerySet:
        """Keep what `user` may see: staff everything, a seller their own drafts as well."""
        if user.is_staff:
            return self
        if user.is_authenticated:
            return self.filter(Q(status__in=Product.PUBLIC) | Q(seller__user=user))
        return self.visible()

    def with_cover(self) -> ProductQuerySet:
        """Fetch everything a card shows in two queries, however many products there are."""
        first = Photo.objects.order_by("position", "pk")[:1]
        return self.select_related("seller", "category").prefetch_related(
            Prefetch("photos", queryset=first, to_attr="covers")
        )

    def approve(self) -> int:
        """Put pending and rejected products on sale; return how many."""
        return self.filter(status__in=[Product.Status.PENDING, Product.Status.REJECTED]).update(
            status=Product.Status.ACTIVE, rejection_note="", updated=timezone.now()
        )

    def reject(self, note: str) -> int:
        """Refuse pending products and take active ones off sale, telling why; return how many."""
        return self.filter(status__in=[Product.Status.PENDING, Product.Status.ACTIVE]).update(
            status=Product.Status.REJECTED, rejection_note=note, updated=timezone.now()
        )


class Product(models.Model):
    """One thing for sale, from its first draft until somebody has bought it."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        PENDING = "pending", "In review"
        ACTIVE = "active", "On sale"
        SOLD = "sold", "Sold"
        REJECTED = "rejected", "Rejected"

    PUBLIC = (Status.ACTIVE, Status.SOLD)

    # The composite indexes below begin with these two, so they need no index of their own.
    seller = models.ForeignKey(Seller, models.CASCADE, related_name="products", db_index=False)
    category = models.ForeignKey(Category, models.PROTECT, related_name="products", db_index=False)
    title = models.CharField(max_length=120)
    slug = models.SlugField(max_length=120, editable=False, db_index=False)
    description = models.TextField(max_length=4000)
    price = models.DecimalField(
        "price in £", max_digits=8, decimal_places=2, validators=[MinValueValidator(Decimal("0.01"))]
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    rejection_note = models.CharField(max_length=300, blank=True)
    created = models.DateTimeField(default=timezone.now, editable=False)
    updated = models.DateTimeField(auto_now=True)

    objects = ProductQuerySet.as_manager()

    class Meta:
        ordering = ["-created", "-pk"]
        # One index for each way the listing can be cut and sorted; every one starts with what is filtered on.
        indexes = [
            models.Index(fields=["status", "-created", "-id"], name="product_newest"),
            models.Index(fields=["status", "price", "id"], name="product_price"),
            models.Index(fields=["category", "status", "-created"], name="product_category"),
            models.Index(fields=["seller", "status", "-created"], name="product_seller"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(price__gt=0), name="product_price_positive"),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "pending", "active", "sold", "rejected"]),
                name="product_status_known",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Derive the slug from the title; the address carries the id too, so old links still arrive."""
        self.slug = slugify(self.title)[:120].strip("-") or "product"
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        """Lead to the product's own page."""
        return reverse("product-detail", args=[self.pk, self.slug])

    @property
    def cover(self) -> Photo | None:
        """The first photo, out of `with_cover()` or whatever else has been fetched already."""
        photos: Iterable[Photo] = self.covers if hasattr(self, "covers") else self.photos.all()
        return next(iter(photos), None)

    @property
    def is_public(self) -> bool:
        """Whether everybody may see it."""
        return self.status in self.PUBLIC

    @property
    def is_sold(self) -> bool:
        """Whether somebody has bought it."""
        return self.status == self.Status.SOLD

    @property
    def can_submit(self) -> bool:
        """Whether the seller's next step is to ask for a review."""
        return self.status in (self.Status.DRAFT, self.Status.REJECTED)

    def submit(self) -> None:
        """Ask for a review."""
        self.status = self.Status.PENDING
        self.rejection_note = ""
        self.save(update_fields=["status", "rejection_note", "updated"])

    def mark_sold(self) -> None:
        """Keep the page, and say that the thing has found a home."""
        self.status = self.Status.SOLD
        self.save(update_fields=["status", "updated"])


class Photo(models.Model):
    """One photo of a product; only the original is stored, its sizes are made when first asked for."""

    # Indexed by photo_order below.
    product = models.ForeignKey(Product, models.CASCADE, related_name="photos", db_index=False)
    image = LazyImageField(upload_to=photo_folder, width_field="width", height_field="height", max_length=200)
    alt = models.CharField("what it shows", max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(default=1)
    width = models.PositiveIntegerField(null=True, editable=False)
    height = models.PositiveIntegerField(null=True, editable=False)

    class Meta:
        ordering = ["position", "pk"]
        indexes = [models.Index(fields=["product", "position", "id"], name="photo_order")]

    def __str__(self) -> str:
        return self.alt or f"Photo {self.position}"
