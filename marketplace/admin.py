"""The moderators' desk."""

from __future__ import annotations

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from lazyimages.fields import LazyImageField
from marketplace.models import Category, Photo, Product, ProductQuerySet, Seller

admin.site.site_header = "Kiln & Loom, moderation"
admin.site.site_title = "Kiln & Loom"
admin.site.enable_nav_sidebar = False  # three models need no map, and the thumbnails need the room


def thumbnail(photo: Photo | None) -> SafeString | str:
    """Show a small photo by its address alone, so that a broken or missing file cannot break the page."""
    try:
        url = photo.image.variant_url("360x270") if photo else ""
    except ValueError:  # a file from elsewhere, whose name can have no variants
        return "Unusable photo"
    if not url:
        return "No photo"
    return format_html(
        '<img class="shop-thumb" src="{}" alt="{}" width="96" height="72" loading="lazy">', url, photo.alt
    )


class RejectionForm(ActionForm):
    """The bar above the list, with room for the reason of a rejection."""

    note = forms.CharField(
        label="Note to the seller",
        max_length=Product._meta.get_field("rejection_note").max_length,
        required=False,
    )


class PhotoInline(admin.TabularInline):
    """A product's photos, in their order."""

    model = Photo
    extra = 0
    fields = ["preview", "image", "alt", "position", "dimensions"]
    readonly_fields = ["preview", "dimensions"]
    # The usual widget links to the original, which is never public.
    formfield_overrides = {LazyImageField: {"widget": forms.FileInput(attrs={"accept": "image/*"})}}

    @admin.display(description="Photo")
    def preview(self, photo: Photo) -> SafeString | str:
        """The photo as visitors see it."""
        return thumbnail(photo)

    @admin.display(description="Original")
    def dimensions(self, photo: Photo) -> str:
        """The size of the original."""
        return f"{photo.width} × {photo.height}" if photo.width else "unknown"


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    """What sellers have sent in: look, then approve or reject."""

    action_form = RejectionForm
    actions = ["approve", "reject"]
    autocomplete_fields = ["seller", "category"]
    fieldsets = [
        (None, {"fields": ["title", "seller", "category", "price", "description"]}),
        ("Moderation", {"fields": ["status", "rejection_note", "created", "updated"]}),
    ]
    inlines = [PhotoInline]
    list_display = ["photo", "title", "status", "seller", "category", "price", "listed"]
    list_display_links = ["photo", "title"]
    list_filter = ["status", "category"]
    list_per_page = 50
    readonly_fields = ["created", "updated"]
    search_fields = ["title", "seller__name"]
    search_help_text = "Search titles and sellers."
    show_full_result_count = False

    class Media:
        css = {"all": ["marketplace/admin.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        """Fetch the thumbnails of a whole page at once."""
        return super().get_queryset(request).with_cover()

    @admin.display(description="Photo")
    def photo(self, product: Product) -> SafeString | str:
        """The first photo."""
        return thumbnail(product.cover)

    @admin.display(description="Listed", ordering="created")
    def listed(self, product: Product) -> str:
        """The day, short enough for the list."""
        return date_format(product.created, "j M Y")

    @admin.action(description="Approve: put on sale", permissions=["change"])
    def approve(self, request: HttpRequest, queryset: ProductQuerySet) -> None:
        """Put the chosen products on sale."""
        self._report(request, "approved", queryset.count(), queryset.approve())

    @admin.action(description="Reject, with a note to the seller", permissions=["change"])
    def reject(self, request: HttpRequest, queryset: ProductQuerySet) -> None:
        """Refuse the chosen products; without a reason the seller would not know what to do."""
        note = request.POST.get("note", "").strip()[:300]
        if not note:
            self.message_user(request, "Write a note to the seller: why is it rejected?", messages.ERROR)
            return
        self._report(request, "rejected", queryset.count(), queryset.reject(note))

    def _report(self, request: HttpRequest, done: str, chosen: int, changed: int) -> None:
        if changed:
            noun = "product" if changed == 1 else "products"
            self.message_user(request, f"{changed} {noun} {done}.", messages.SUCCESS)
        if skipped := chosen - changed:
            self.message_user(
                request,
                f"{skipped} could not be {done}: only what waits for a decision can.",
                messages.WARNING,
            )


@admin.register(Seller)
class SellerAdmin(admin.ModelAdmin):
    """Makers and their shops."""

    autocomplete_fields = ["user"]
    list_display = ["name", "town", "user"]
    list_select_related = ["user"]
    prepopulated_fields = {"slug": ["name"]}
    search_fields = ["name", "town"]


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin):
    """The shelves of the shop."""

    list_display = ["name", "order"]
    list_editable = ["order"]
    prepopulated_fields = {"slug": ["name"]}
    search_fields = ["name"]
