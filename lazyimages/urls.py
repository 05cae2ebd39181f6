"""Routes of the resizer: `path("images/", include("lazyimages.urls"))`."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from lazyimages import direct_views, views

app_name = "lazyimages"


class AnythingConverter(StringConverter):
    """Every text, also an empty one and one with a newline, which Django's `path` would not take."""

    regex = r"[\s\S]*"


register_converter(AnythingConverter, "lazyimages_anything")

urlpatterns = [
    path("resizer", views.resizer, name="resizer"),
    path("v/<lazyimages_anything:key>", views.variant, name="variant"),
    path("uploads", direct_views.uploads, name="uploads"),
    path("health", views.state, name="health"),
    path("<lazyimages_anything:path>", views.unknown),
]
