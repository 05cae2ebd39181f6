"""The one line that lazyimages needs."""

from django.urls import include, path

urlpatterns = [path("images/", include("lazyimages.urls"))]
