"""What the shop's templates ask of lazyimages, as easy-thumbnails' documentation shows it: one size each."""

from typing import Any

from django.template import Library
from django.utils.html import format_html
from django.utils.safestring import SafeString
from easy_thumbnails.files import get_thumbnailer

from lazyimages import conf

register = Library()


@register.simple_tag
def picture(file: Any, spec: str, alt: str = "", **others: Any) -> SafeString:
    """Print what `<img src="{% thumbnail file 360x360 crop %}" alt="">` does, in the preset's first size."""
    size = conf.settings().presets[spec].sizes[0]
    box = (size.width or 0, size.height or 0)
    thumbnail = get_thumbnailer(file).get_thumbnail({"size": box, "crop": all(box)})
    return format_html('<img src="{}" alt="{}">', thumbnail.url, alt)


@register.simple_tag
def preload(file: Any, spec: str, **others: Any) -> str:
    """Print nothing."""
    return ""
