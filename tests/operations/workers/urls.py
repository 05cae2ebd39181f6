"""The resizer alone."""

from django.urls import include, path

urlpatterns = [path("images/", include("lazyimages.urls"))]
