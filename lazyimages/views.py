"""The HTTP contract of the resizer. Statuses and headers are chosen here and nowhere else."""

import functools
import time
from collections.abc import Callable
from contextlib import suppress

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.utils.http import http_date, parse_etags
from django.views.decorators.csrf import csrf_exempt

from lazyimages import __version__, arrivals, conf, current, health, keys, markup, storage
from lazyimages.draining import draining
from lazyimages.exceptions import (
    Busy,
    EncoderMissing,
    ImageError,
    ImageTooLarge,
    InvalidKey,
    LazyImagesError,
    OriginalNotFound,
    StorageUnavailable,
)
from lazyimages.keys import VariantKey
from lazyimages.render import How, Variant, get_or_make
from lazyimages.stopwatch import Stopwatch

_NO_STORE = "no-store"
# Where a server says how many bytes of a body it can carry (PEP 3333, "environ Variables"). No header gets
# there: theirs begin with HTTP_.
_MOST_BYTES = "lazyimages.most_bytes"
_PRESIGNED_SECONDS = 60

# The first class that fits an error gives the status and the headers of its answer.
_ERRORS: tuple[tuple[type[LazyImagesError], int, dict[str, str]], ...] = (
    (InvalidKey, 404, {"Cache-Control": "max-age=60, s-maxage=300"}),
    (OriginalNotFound, 404, {"Cache-Control": "max-age=0, s-maxage=10"}),
    (ImageTooLarge, 422, {"Cache-Control": "s-maxage=300"}),
    (ImageError, 415, {"Cache-Control": "s-maxage=300"}),
    (Busy, 503, {"Cache-Control": _NO_STORE, "Retry-After": "1"}),
    (StorageUnavailable, 503, {"Cache-Control": _NO_STORE, "Retry-After": "5"}),
    (EncoderMissing, 503, {"Cache-Control": _NO_STORE, "Retry-After": "5"}),
)
_PUBLIC_TEXT = {404: "not found", 415: "not an image", 422: "image too large", 503: "try again later"}

View = Callable[..., HttpResponse]


def _endpoint(view: View) -> View:
    """Give a view the methods and headers that every answer below the prefix has."""

    @csrf_exempt
    @functools.wraps(view)
    def answer(request: HttpRequest, **kwargs: str) -> HttpResponse:
        watch = Stopwatch()
        if draining():
            response = _error(Busy("this process is about to end"))
        elif request.method in ("GET", "HEAD"):
            response = view(request, watch, **kwargs)
        else:
            response = _text(405, "GET or HEAD", {"Allow": "GET, HEAD"})
        _forget_cookies(request)
        response.headers.setdefault("Content-Length", str(len(response.content)))
        response["X-Content-Type-Options"] = "nosniff"
        response["Content-Security-Policy"] = "default-src 'none'; sandbox"
        response["Server-Timing"] = _server_timing(watch)
        if response.status_code >= 500:
            # Django would log each as an error, and mail it to ADMINS, by the hundred. Ours have a line in
            # the log already, and health is asked by what gives alarm itself.
            response._has_been_logged = True  # type: ignore[attr-defined]  # read by django.utils.log
        if request.method == "HEAD":
            response.content = b""
        return response

    return answer


def _forget_cookies(request: HttpRequest) -> None:
    """Show Django's middleware no cookies: it answers bad ones with new ones, which a cache might keep."""
    request.COOKIES.clear()
    request.META["CSRF_COOKIE_NEEDS_UPDATE"] = False  # CsrfViewMiddleware has seen them already


@_endpoint
def resizer(request: HttpRequest, watch: Stopwatch) -> HttpResponse:
    """Answer `images/resizer?key=KEY`, where S3's routing rule sends who asks for a missing variant."""
    redirect = conf.settings().delivery == "redirect"
    text = _key_in_query(request)
    if not _came_through_the_cdn(request):
        # In failover only a routing rule that was left over leads here, and browsers know no secret.
        with suppress(InvalidKey):
            _allowed_key(text)
            arrivals.note_sent_away()
    return _answer(request, watch, text, redirect=redirect)


@_endpoint
def variant(request: HttpRequest, watch: Stopwatch, key: str) -> HttpResponse:
    """Answer `images/v/KEY`: the public URL in local delivery, the second origin in failover."""
    return _answer(request, watch, key, redirect=False)


@_endpoint
def state(request: HttpRequest, watch: Stopwatch) -> HttpResponse:
    """Answer `images/health`: how the process is set, what the storage can do, how the CDN behaves.

    503 when the storage cannot be read or written. `images/health?live` asks no storage.
    """
    settings = conf.settings()
    told: dict[str, object] = {
        "status": "ok",
        "version": __version__,
        "delivery": settings.delivery,
        "sizes": [str(size) for size in settings.whitelist],
        "formats": [format.name for format in settings.formats],
        "engine": type(current.engine()).__name__,
    }
    status = 200
    if not request.META.get("QUERY_STRING", "").startswith("live"):
        with watch.stage("storage"):
            can = health.storage_state()
        words = {True: "ok", False: "unavailable"}
        advice = health.advice()
        told |= {
            "status": "ok" if can.read and can.write else "degraded",
            "storage": {"read": words[can.read], "write": words[can.write]},
            "cdn": {
                "status": "misconfigured" if advice else "ok",
                "late_arrivals_last_hour": arrivals.in_the_last_hour(),
                "advice": advice,
            },
        }
        status = 200 if can.read and can.write else 503
    return JsonResponse(told, status=status, headers={"Cache-Control": _NO_STORE})


@_endpoint
def unknown(request: HttpRequest, watch: Stopwatch, path: str = "") -> HttpResponse:
    """Answer every other path below the prefix."""
    return _error(InvalidKey(path))


def _answer(request: HttpRequest, watch: Stopwatch, text: str | None, *, redirect: bool) -> HttpResponse:
    if not _came_through_the_cdn(request):
        return _text(404, _PUBLIC_TEXT[404], {"Cache-Control": _NO_STORE})
    try:
        key = _allowed_key(text)
        made = get_or_make(key, watch)
    except LazyImagesError as error:
        return _error(error)
    if made.how is How.FOUND:
        _note_arrival(key, made)
    response = _redirecting(key, made) if redirect else _serving(request, key, made)
    most: int | None = request.META.get(_MOST_BYTES)
    return response if most is None or len(response.content) <= most else _elsewhere(key, made)


def _note_arrival(key: VariantKey, made: Variant) -> None:
    """Count it when the CDN sends somebody here for what is there; in local delivery that is as it should."""
    if conf.settings().delivery != "local" and made.last_modified is not None:
        arrivals.note(key, time.time() - made.last_modified.timestamp())


def _allowed_key(text: str | None) -> VariantKey:
    """Return the key, if its form and the whitelist allow it; this comes before any storage call."""
    if text is None:
        raise InvalidKey("no key was given")
    key = keys.parse(text)
    if not conf.settings().allows(key.size, key.format, keys.native_format(key.original)):
        raise InvalidKey("the size or the format is not in the whitelist")
    return key


def _redirecting(key: VariantKey, made: Variant) -> HttpResponse:
    url = markup.public_url(str(key))
    if made.how is How.FOUND:
        # Somebody was sent here for a variant that exists: a cache holds an old redirect, or S3's answer
        # was late. Another redirect could go round for ever; bytes end it.
        extra = {"Cache-Control": "max-age=60", "Link": f'<{url}>; rel="canonical"'}
        return _bytes(key, made, extra)
    if made.how is How.UNSAVED:
        return _bytes(key, made, {"Cache-Control": _NO_STORE})
    # no-store: a browser that remembered this would loop once the variant has been purged.
    return _text(301, "", {"Location": url, "Cache-Control": _NO_STORE})


def _serving(request: HttpRequest, key: VariantKey, made: Variant) -> HttpResponse:
    if made.how is How.UNSAVED:
        return _bytes(key, made, {"Cache-Control": "max-age=60"})
    headers = {"Cache-Control": conf.settings().cache_control}
    response = _bytes(key, made, headers)
    if made.how is How.FOUND and _matches(request, response["ETag"]):
        response.status_code = 304
        response.headers["Content-Length"] = str(len(made.data))  # RFC 9110, 8.6: that of the 200
        response.content = b""
    return response


def _bytes(key: VariantKey, made: Variant, headers: dict[str, str]) -> HttpResponse:
    response = HttpResponse(made.data, content_type=key.format.media_type, headers=headers)
    response["ETag"] = storage.etag(made.data)
    if made.last_modified is not None:
        response["Last-Modified"] = http_date(made.last_modified.timestamp())
    return response


def _elsewhere(key: VariantKey, made: Variant) -> HttpResponse:
    """Send somebody to the bytes that the server cannot carry; `Location` is never of the request's making.

    What was found goes straight to S3: the CDN sent them here although it is there, and might do so again.
    """
    try:
        if made.how is How.UNSAVED:
            raise StorageUnavailable("it is nowhere else")
        if made.how is How.FOUND or conf.settings().delivery == "local":
            url = storage.presigned_url(str(key), _PRESIGNED_SECONDS)
        else:
            url = markup.public_url(str(key))
    except StorageUnavailable as error:
        return _error(error)
    return _text(307, "", {"Location": url, "Cache-Control": _NO_STORE})


def _error(error: LazyImagesError) -> HttpResponse:
    for kind, status, headers in _ERRORS:
        if isinstance(error, kind):
            return _text(status, _PUBLIC_TEXT[status], headers)
    raise error


def _text(status: int, text: str, headers: dict[str, str]) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8", headers=headers)


def _server_timing(watch: Stopwatch) -> str:
    """Return the value of Server-Timing (W3C), in milliseconds."""
    seconds = {**watch.seconds, "total": watch.total}
    return ", ".join(f"{stage};dur={1000 * spent:.1f}" for stage, spent in seconds.items())


def _matches(request: HttpRequest, etag: str) -> bool:
    """Compare weakly, as RFC 9110, 13.1.2 has it for If-None-Match."""
    asked = parse_etags(request.headers.get("If-None-Match", ""))
    return "*" in asked or etag in (tag.removeprefix("W/") for tag in asked)


def _came_through_the_cdn(request: HttpRequest) -> bool:
    settings = conf.settings()
    if settings.delivery != "failover" or settings.origin_secret is None:
        return True
    return constant_time_compare(request.headers.get(conf.SECRET_HEADER, ""), settings.origin_secret)


def _key_in_query(request: HttpRequest) -> str | None:
    """Return the key in the raw query."""
    query: str = request.META.get("QUERY_STRING", "")
    return keys.in_query(query)
