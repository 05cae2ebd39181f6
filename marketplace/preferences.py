"""What a visitor prefers: the language of the pages, and dark or light."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.locale import LocaleMiddleware

THEME_COOKIE = "theme"
THEMES = ("light", "dark")
_PICTURES = "/images/"  # as in urls.py


def theme(request: HttpRequest) -> dict[str, str]:
    """Give templates the chosen `theme`; it is empty when the device's own counts."""
    chosen = request.COOKIES.get(THEME_COOKIE, "")
    return {"theme": chosen if chosen in THEMES else ""}


class PageLanguageMiddleware(LocaleMiddleware):
    """Django's, for pages only: a picture is the same in every language, and so are its headers."""

    def process_request(self, request: HttpRequest) -> None:
        """Choose the language by cookie or browser."""
        if not _is_picture(request):
            super().process_request(request)

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Name the language in the headers."""
        return response if _is_picture(request) else super().process_response(request, response)


def _is_picture(request: HttpRequest) -> bool:
    return request.path_info.startswith(_PICTURES)
