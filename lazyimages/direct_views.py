"""The route by which a browser asks for a place on S3: `images/uploads`."""

import functools
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.utils.module_loading import import_string
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from lazyimages import conf, direct, views
from lazyimages.exceptions import ImageError, RefusedName, StorageUnavailable

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}


@csrf_exempt  # `_on` checks by itself, so that 404 is 404 for everybody
def uploads(request: HttpRequest) -> HttpResponse:
    """Answer a POST with `name`, `type` and `size` of one file by where to send it, as JSON.

    `{"method": "direct", "url": …, "fields": {…}, "token": …}`, or `{"method": "form"}` where originals are
    not on S3: send the file with the form. 400 with `{"error": …}` for a file that would be refused, 403
    where DIRECT_UPLOADS says no, 404 where it is not set.
    """
    if conf.settings().direct_uploads is None:
        return _off(request)
    return _on(request)


def _off(request: HttpRequest) -> HttpResponse:
    if request.method in ("GET", "HEAD"):
        return views.unknown(request)
    return _json({"error": "not found"}, 404)


def _protected(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Check the CSRF token whatever MIDDLEWARE has, and that the method is POST."""

    @functools.wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        if request.method != "POST":
            return _json({"error": "POST"}, 405, Allow="POST")
        response: HttpResponse = csrf_protect(view)(request)
        return response

    return answer


@_protected
def _on(request: HttpRequest) -> HttpResponse:
    allows: Callable[[HttpRequest], bool] = import_string(conf.settings().direct_uploads or "")
    if not allows(request):
        return _json({"error": "not allowed"}, 403)
    size = request.POST.get("size", "")
    if not (size.isascii() and size.isdigit() and len(size) < 16):
        return _json({"error": "size is the number of bytes"}, 400)
    try:
        if not direct.takes_place():
            return _json({"method": "form"})
        offer = direct.offer(
            client_name=request.POST.get("name", ""),
            media_type=request.POST.get("type", ""),
            size=int(size),
            csrf_token=get_token(request),
        )
    except (ImageError, RefusedName) as error:
        text = str(error)
        return _json({"error": f"{text[:1].upper()}{text[1:]}."}, 400)
    except StorageUnavailable:  # such as no credentials to sign with: the form is still there
        return _json({"method": "form"})
    return _json({"method": "direct", "url": offer.url, "fields": offer.fields, "token": offer.token})


def _json(body: dict[str, object], status: int = 200, **headers: str) -> JsonResponse:
    return JsonResponse(body, status=status, headers=_HEADERS | headers)
