"""The one route that markup needs: where variants are."""

from django.urls import include, path

urlpatterns = [path("images/", include("lazyimages.urls"))]
