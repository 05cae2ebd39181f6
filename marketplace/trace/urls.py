"""Addresses of the trace, below `trace/`."""

from django.urls import path

from marketplace.trace import views

urlpatterns = [
    path("", views.trace, name="trace"),
    path("events/", views.events, name="trace-events"),
    path("try/", views.try_it, name="trace-try"),
]
