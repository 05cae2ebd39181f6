"""Redirects for upload.js, which sends forms itself to show their progress."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase

_ASKS = "X-Lazyimages-Upload"
_TELLS = "X-Lazyimages-Location"
_LEADS_ON = (301, 302, 303)  # to a page to GET (Fetch Standard, "HTTP-redirect fetch")


class UploadRedirects:
    """Answer a form that upload.js sends by 200 and the address, where it would be a redirect.

    XMLHttpRequest follows a redirect by itself, so the page that it leads to would be made twice, and
    messages for the visitor would be shown to nobody. Put it first in MIDDLEWARE, where it sees them all.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Return the view's answer, or the address that it leads to."""
        response = self._get_response(request)
        address = response.headers.get("Location", "")
        # 307 and 308 want the form sent once more, to another address, as XMLHttpRequest does by itself.
        if _ASKS not in request.headers or not address or response.status_code not in _LEADS_ON:
            return response
        told = HttpResponse(headers={_TELLS: address, "Cache-Control": "no-store"})
        told.cookies = response.cookies
        return told
