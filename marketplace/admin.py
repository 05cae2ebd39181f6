"""The moderators' desk."""

from __future__ import annotations

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from lazyimages.admin import LazyImageAdminMixin, thumbnail
from marketplace.models import Category, Photo, Product, ProductQuerySet, Seller

admin.site.site_header = "Kiln & Loom, moderation"
admin.site.site_title = "Kiln & Loom"
admin.site.enable_nav_sidebar = False  # three models need no map, and the thumbnails need the room

COVER = thumbnail("cover.image", description=_("Photo"), alt="cover.alt")


class RejectionForm(ActionForm):
    """The bar above the list, with room for the reason of a rejection."""

    note = forms.CharField(
        label=_("Note to the seller"),
        max_length=Product._meta.get_field("rejection_note").max_length,
        required=False,
    )


class PhotoInline(LazyImageAdminMixin, admin.TabularInline):
    """A product's photos, in their order."""

    model = Photo
    extra = 0
    fields = ["image", "alt", "position"]


@admin.register(Product)
class ProductAdmin(LazyImageAdminMixin, admin.ModelAdmin):
    """What sellers have sent in: look, then approve or reject."""

    action_form = RejectionForm
    actions = ["approve", "reject"]
    autocomplete_fields = ["seller", "category"]
    fieldsets = [
        (None, {"fields": ["title", "seller", "category", "price", "description"]}),
        (_("Moderation"), {"fields": ["status", "rejection_note", "created", "updated"]}),
    ]
    inlines = [PhotoInline]
    list_display = [COVER, "title", "status", "seller", "category", "price", "listed"]
    list_display_links = [COVER, "title"]
    list_filter = ["status", "category"]
    list_per_page = 50
    readonly_fields = ["created", "updated"]
    search_fields = ["title", "seller__name"]
    search_help_text = _("Search titles and sellers.")
    show_full_result_count = False

    class Media:
        css = {"all": ["marketplace/admin.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        """Fetch the thumbnails of a whole page at once."""
        return super().get_queryset(request).with_cover()

    @admin.display(description=_("Listed"), ordering="created")
    def listed(self, product: Product) -> str:
        """The day, short enough for the list."""
        return date_format(product.created, "j M Y")

    @admin.action(description=_("Approve: put on sale"), permissions=["change"])
    def approve(self, request: HttpRequest, queryset: ProductQuerySet) -> None:
        """Put the chosen products on sale."""
        chosen, changed = queryset.count(), queryset.approve()
        said = ngettext("%(count)d product approved.", "%(count)d products approved.", changed)
        left = ngettext(
            "%(count)d could not be approved: only what waits for a decision can.",
            "%(count)d could not be approved: only what waits for a decision can.",
            chosen - changed,
        )
        self._report(request, said, changed, left, chosen - changed)

    @admin.action(description=_("Reject, with a note to the seller"), permissions=["change"])
    def reject(self, request: HttpRequest, queryset: ProductQuerySet) -> None:
        """Refuse the chosen products; without a reason the seller would not know what to do."""
        note = request.POST.get("note", "").strip()[:300]
        if not note:
            self.message_user(request, _("Write a note to the seller: why is it rejected?"), messages.ERROR)
            return
        chosen, changed = queryset.count(), queryset.reject(note)
        said = ngettext("%(count)d product rejected.", "%(count)d products rejected.", changed)
        left = ngettext(
            "%(count)d could not be rejected: only what is on sale or waits for a decision can.",
            "%(count)d could not be rejected: only what is on sale or waits for a decision can.",
            chosen - changed,
        )
        self._report(request, said, changed, left, chosen - changed)

    def _report(self, request: HttpRequest, said: str, changed: int, left: str, skipped: int) -> None:
        if changed:
            self.message_user(request, said % {"count": changed}, messages.SUCCESS)
        if skipped:
            self.message_user(request, left % {"count": skipped}, messages.WARNING)


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
