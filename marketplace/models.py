"""What the marketplace sells: sellers, categories, products and their photos."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models, transaction
from django.db.models import OuterRef, Prefetch, Q, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from lazyimages.fields import LazyImageField
from marketplace.search import Document, DocumentField


def photo_folder(photo: Photo, filename: str) -> str:
    """Keep the photos of one product together; the field itself makes the file's name unique."""
    return f"produs_{photo.product_id}/{filename}"


class SellerQuerySet(models.QuerySet["Seller"]):
    """The sets of sellers that the shop speaks about."""

    def listed(self, *slugs: str) -> SellerQuerySet:
        """Return as many as a list on a page can hold, and those of these slugs whatever their number."""
        first = Seller.objects.order_by("name").values("pk")[: Seller.LISTED]
        return self.filter(Q(pk__in=first) | Q(slug__in=[slug for slug in slugs if slug]))


class Seller(models.Model):
    """A maker with a shop of their own, and the account that looks after it."""

    LISTED = 40

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="seller")
    name = models.CharField(_("shop name"), max_length=80)
    slug = models.SlugField(max_length=80, unique=True)
    town = models.CharField(_("town"), max_length=80)
    about = models.TextField(_("about the maker"), max_length=2000, blank=True)

    objects = SellerQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, and let the products be found by the new name."""
        with transaction.atomic(using=kwargs.get("using")):
            super().save(*args, **kwargs)
            self.products.exclude(maker_name=self.name).update(maker_name=self.name)

    def get_absolute_url(self) -> str:
        """Lead to everything this seller has on sale."""
        return reverse("shop", args=[self.slug])


class CategoryQuerySet(models.QuerySet["Category"]):
    """The shelves, for the pages that show them."""

    def with_cover(self) -> list[Category]:
        """Return the shelves, each with the first photo of its newest product as `cover`, in two queries."""
        newest = Photo.objects.filter(
            product__category=OuterRef("pk"), product__status__in=Product.PUBLIC
        ).order_by("-product__created", "-product__pk", "position", "pk")
        shelves = list(self.annotate(cover_id=Subquery(newest.values("pk")[:1])))
        photos = Photo.objects.in_bulk([shelf.cover_id for shelf in shelves if shelf.cover_id])
        for shelf in shelves:
            shelf.cover = photos.get(shelf.cover_id)
        return shelves


class Category(models.Model):
    """A shelf of the shop."""

    name = models.CharField(max_length=60, unique=True)
    slug = models.SlugField(max_length=60, unique=True)
    order = models.PositiveSmallIntegerField(default=0, help_text=_("Lower numbers come first."))

    objects = CategoryQuerySet.as_manager()

    class Meta:
        ordering = ["order", "name"]
        verbose_name_plural = _("categories")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Lead to this shelf."""
        return reverse("category", args=[self.slug])


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

    def waiting(self) -> ProductQuerySet:
        """Keep what a moderator has to decide on."""
        return self.filter(status=Product.Status.PENDING)

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


def _public() -> Q:
    return Q(status__in=["active", "sold"])


class ProductManager(models.Manager.from_queryset(ProductQuerySet)):  # type: ignore[misc]
    """Products without their documents: only the database reads those."""

    def get_queryset(self) -> ProductQuerySet:
        return super().get_queryset().defer("document")


class Product(models.Model):
    """One thing for sale, from its first draft until somebody has bought it."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PENDING = "pending", _("In review")
        ACTIVE = "active", _("On sale")
        SOLD = "sold", _("Sold")
        REJECTED = "rejected", _("Rejected")

    PUBLIC = (Status.ACTIVE, Status.SOLD)

    # The composite indexes below begin with these two, so they need no index of their own.
    seller = models.ForeignKey(Seller, models.CASCADE, related_name="products", db_index=False)
    category = models.ForeignKey(
        Category, models.PROTECT, related_name="products", db_index=False, verbose_name=_("category")
    )
    title = models.CharField(_("title"), max_length=120)
    slug = models.SlugField(max_length=120, editable=False, db_index=False)
    # The seller's name again: a document is made of one row alone.
    maker_name = models.CharField(max_length=80, editable=False, default="")
    description = models.TextField(_("description"), max_length=4000)
    price = models.DecimalField(
        _("price in £"), max_digits=8, decimal_places=2, validators=[MinValueValidator(Decimal("0.01"))]
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    rejection_note = models.CharField(max_length=300, blank=True)
    created = models.DateTimeField(default=timezone.now, editable=False)
    updated = models.DateTimeField(auto_now=True)
    document = models.GeneratedField(expression=Document(), output_field=DocumentField(), db_persist=True)

    objects = ProductManager()

    class Meta:
        ordering = ["-created", "-pk"]
        # What everybody sees is paged by date and by price: in the whole shop, on a shelf, and of a maker.
        indexes = [
            models.Index(fields=["created", "id"], condition=_public(), name="shop_newest"),
            models.Index(fields=["price", "id"], condition=_public(), name="shop_price"),
            models.Index(fields=["category", "created", "id"], condition=_public(), name="shelf_newest"),
            models.Index(fields=["category", "price", "id"], condition=_public(), name="shelf_price"),
            models.Index(fields=["seller", "price", "id"], condition=_public(), name="maker_price"),
            # Not only what is public: it is the seller's own desk as well.
            models.Index(fields=["seller", "created", "id"], name="maker_newest"),
            models.Index(fields=["created", "id"], condition=Q(status="pending"), name="product_waiting"),
            # For the foreign key: deleting a category asks who still points at it.
            models.Index(fields=["category", "status"], name="product_category"),
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
        """Derive what follows from the title and the seller; the address carries the id too."""
        self.slug = slugify(self.title)[:120].strip("-") or "product"
        if self._state.adding or Product.seller.is_cached(self):
            self.maker_name = self.seller.name
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

    def submit(self) -> bool:
        """Ask for a review; False when somebody was quicker and the product is elsewhere by now."""
        return self._step(self.Status.PENDING)

    def mark_sold(self) -> bool:
        """Keep the page, and say that the thing has found a home; False as for `submit`."""
        return self._step(self.Status.SOLD)

    def decide(self, *, approve: bool, note: str = "") -> bool:
        """Carry out a moderator's decision about what waits; False when another has decided already."""
        return self._step(
            self.Status.ACTIVE if approve else self.Status.REJECTED, note="" if approve else note
        )

    def _step(self, status: str, *, note: str = "") -> bool:
        """Go from the status and the words that were read to another status, unless either has changed."""
        now = timezone.now()
        unchanged = Product.objects.filter(pk=self.pk, status=self.status, updated=self.updated)
        if not unchanged.update(status=status, rejection_note=note, updated=now):
            return False
        self.status, self.rejection_note, self.updated = status, note, now
        return True


class Photo(models.Model):
    """One photo of a product; only the original is stored, its sizes are made when first asked for."""

    # Indexed by photo_order below.
    product = models.ForeignKey(Product, models.CASCADE, related_name="photos", db_index=False)
    image = LazyImageField(
        upload_to=photo_folder,
        width_field="width",
        height_field="height",
        placeholder_field="placeholder",
        max_length=200,
    )
    alt = models.CharField(_("what it shows"), max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=1)
    width = models.PositiveIntegerField(null=True, editable=False)
    height = models.PositiveIntegerField(null=True, editable=False)
    placeholder = models.CharField(max_length=40, blank=True, default="", editable=False)

    class Meta:
        ordering = ["position", "pk"]
        indexes = [
            models.Index(fields=["product", "position", "id"], name="photo_order"),
            # Before an original is removed, every row is asked whether it points at it as well.
            models.Index(fields=["image"], name="photo_image"),
        ]

    def __str__(self) -> str:
        return self.alt or _("Photo %(number)d") % {"number": self.position}
