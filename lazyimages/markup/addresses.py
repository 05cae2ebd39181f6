"""Public URLs of variants."""

import logging
from functools import lru_cache
from urllib.parse import quote

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.urls import get_script_prefix, get_urlconf, reverse
from django.utils.html import escape

from lazyimages import conf, keys, readers
from lazyimages.formats import Format
from lazyimages.sizes import Size

logger = logging.getLogger("lazyimages")


def variant_url(name: str, size: Size, output: Format | None = None) -> str:
    """Return the public URL of a variant; `RefusedName` when the original cannot have any."""
    before, after = around(name, (size,), output)
    return f"{base()}{before}{size}{after}"


def public_url(key: str) -> str:
    """Return the public URL of a key in canonical form."""
    return base() + quote(key, safe="/~")


def base() -> str:
    """Return what the URLs of all variants begin with; in local delivery it is a path."""
    settings = conf.settings()
    if settings.delivery == "local":
        return _local_base(get_urlconf() or django_settings.ROOT_URLCONF, get_script_prefix())
    return f"{settings.cdn_url}/"


def absolute_base() -> str | None:
    """Return the same with scheme and host, for what is read outside of the site, such as a message.

    In local delivery the host is that of RESIZER_URL. Without one it is None, which is logged;
    `ImproperlyConfigured` when DEBUG.
    """
    settings = conf.settings()
    if settings.delivery != "local":
        return base()
    for origin in readers.origin_of(settings.resizer_url):
        return origin + base()
    if django_settings.DEBUG:
        raise ImproperlyConfigured(
            'In local delivery absolute URLs need LAZYIMAGES["RESIZER_URL"], as in '
            "https://shop.example/images/resizer."
        )
    logger.warning("no absolute address: local delivery has no RESIZER_URL")
    return None


@lru_cache(maxsize=16)
def _local_base(urlconf: str, script_prefix: str) -> str:
    # reverse() costs more than all the rest of a URL; these are the two things that it depends on.
    return reverse("lazyimages:variant", urlconf, kwargs={"key": ""})


escaped_base = lru_cache(maxsize=16)(escape)


def around(name: str, wanted: tuple[Size, ...], output: Format | None = None) -> tuple[str, str]:
    """Return what stands before and after the size in the URLs of an original's variants, without the base.

    Percent-encoded, so that it holds nothing that HTML would escape. `RefusedName` as `keys.variant_key`.
    """
    before, after = _around_any(name, output)
    if len(before) + len(after) > _LENGTH_OF_ANY_KEY:
        for size in wanted:
            keys.variant_key(name, size, output)
    return before, after


# Percent-encoding makes nothing shorter, so up to this length no key is too long, whatever its size.
_LENGTH_OF_ANY_KEY = keys.MAX_KEY_BYTES - len("9999x9999")


# A page asks for each photo in several tags and formats, and many pages show the same photos.
@lru_cache(maxsize=8192)
def _around_any(name: str, output: Format | None) -> tuple[str, str]:
    before, after = keys.around_size(name, output)
    return quote(before, safe="/~"), quote(after, safe="/~")
