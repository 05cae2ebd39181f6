"""Routes of the function: `/resizer?key=KEY`, `/v/KEY` and `/health`, below whatever stage there is."""

from django.urls import include, path

urlpatterns = [path("", include("lazyimages.urls"))]
"""Everything else is for lazyimages too, which answers it with 404."""
