"""Where variants are delivered, which system checks want to know."""

from django.urls import include, path

urlpatterns = [path("images/", include("lazyimages.urls"))]
