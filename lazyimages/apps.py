"""The Django application."""

from django.apps import AppConfig


class LazyImagesConfig(AppConfig):
    """Registers the system checks, and does nothing else."""

    name = "lazyimages"
    verbose_name = "Lazy images"

    def ready(self) -> None:
        """Register the system checks."""
        from lazyimages import checks  # noqa: F401  # importing registers them
