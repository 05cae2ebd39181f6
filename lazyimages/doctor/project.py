"""Examine the settings: the system checks, and what they let through."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings as django_settings
from django.core import checks

from lazyimages.conf import Settings
from lazyimages.doctor.findings import finding
from lazyimages.doctor.kinds import Finding


def examine(settings: Settings) -> Iterator[Finding]:
    """Yield what is wrong in the settings."""
    for message in checks.run_checks(tags=["lazyimages"]):
        name = "settings-wrong" if message.is_serious() else "settings-risky"
        yield finding(name, f"{message.id}: {message.msg}", hint=message.hint or "See docs/checks.md.")
    if settings.delivery != "local":
        yield from _cdn_url(settings)
        yield from _resizer_url(settings)


def _cdn_url(settings: Settings) -> Iterator[Finding]:
    raw: Any = getattr(django_settings, "LAZYIMAGES", {})
    written = str(raw.get("CDN_URL", "")) if isinstance(raw, dict) else ""
    parts = urlsplit(settings.cdn_url)
    url = urlunsplit((parts.scheme, parts.netloc, "", "", ""))
    if parts.path:
        yield finding("cdn-url-path", f"CDN_URL is {written!r}.", url=url)
    elif written.endswith("/"):
        yield finding("cdn-url-slash", f"CDN_URL is {written!r}.", url=url)


def _resizer_url(settings: Settings) -> Iterator[Finding]:
    if settings.resizer_url and not urlsplit(settings.resizer_url).path.endswith("/resizer"):
        url = f"{settings.resizer_url}/resizer"
        yield finding("resizer-url-path", f"RESIZER_URL is {settings.resizer_url!r}.", url=url)
