"""An admin with our mixin in every kind of place, and its addresses."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import include, path

from lazyimages.admin import LazyImageAdminMixin, thumbnail
from tests.host.models import Album, AlbumPhoto, Bare, Photo


class PhotosInTable(LazyImageAdminMixin, admin.TabularInline):
    """Photos in a table."""

    model = AlbumPhoto
    extra = 1


class PhotosInStack(LazyImageAdminMixin, admin.StackedInline):
    """The same, one below the other."""

    model = AlbumPhoto
    extra = 1


class AlbumAdmin(LazyImageAdminMixin, admin.ModelAdmin):
    """An album with its photos in a table."""

    list_display = ["cover", "title"]
    list_display_links = ["cover", "title"]
    inlines = [PhotosInTable]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keep hands off of albums that are locked."""
        return super().has_change_permission(request, obj) and not (obj and obj.title == "locked")


class PhotoAdmin(LazyImageAdminMixin, admin.ModelAdmin):
    """A photo whose image cannot be changed."""

    list_display = ["pk", thumbnail("image", description="Picture", alt="pk")]
    readonly_fields = ["image"]


class BareAdmin(LazyImageAdminMixin, admin.ModelAdmin):
    """No dimensions in the row."""

    list_display = ["pk", "image"]
    fieldsets = [("All", {"fields": [("folder", "image")]})]


site = admin.AdminSite(name="workshop")
site.enable_nav_sidebar = False
site.register(Album, AlbumAdmin)
site.register(Photo, PhotoAdmin)
site.register(Bare, BareAdmin)

stacked = admin.AdminSite(name="stacked")
stacked.enable_nav_sidebar = False


@admin.register(Album, site=stacked)
class StackedAdmin(AlbumAdmin):
    """An album with its photos one below the other."""

    inlines = [PhotosInStack]


urlpatterns = [
    path("images/", include("lazyimages.urls")),
    path("workshop/", site.urls),
    path("stacked/", stacked.urls),
]
