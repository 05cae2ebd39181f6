"""The marketplace as a Django app."""

from django.apps import AppConfig


class MarketplaceConfig(AppConfig):
    """Name the app the way the admin shows it."""

    name = "marketplace"
    verbose_name = "Marketplace"
