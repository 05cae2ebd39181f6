"""What the shop's templates ask of lazyimages, done as Django's documentation shows an ImageField."""

from typing import Any

from django.template import Library
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = Library()


@register.simple_tag
def picture(file: Any, spec: str, alt: str = "", **others: Any) -> SafeString:
    """Print an `<img>` with the original."""
    return format_html('<img src="{}" alt="{}">', file.url, alt)


@register.simple_tag
def preload(file: Any, spec: str, **others: Any) -> str:
    """Print nothing."""
    return ""
