"""What the shop writes into the event log: its answers to image requests, and purges."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from lazyimages import signals
from marketplace.trace.events import ID_HEADER, PURGE, SHOP, UNTRACED, Event, EventLog


def event_log() -> EventLog:
    """Return the log that the settings name."""
    return EventLog(Path(settings.TRACE_LOG))


class TraceMiddleware:
    """Writes down each answer of the resizer, with the stages that its Server-Timing has."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        signals.variants_purged.connect(_note_purge, dispatch_uid="marketplace.trace")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, and write down an event if it is about a variant."""
        began = time.perf_counter()
        response = self._get_response(request)
        key = _key(request)
        identifier = request.headers.get(ID_HEADER, "")
        if key and UNTRACED not in (identifier, request.META.get("QUERY_STRING")):
            event_log().write(
                Event(
                    hop=SHOP,
                    key=key,
                    at=time.time(),
                    request=identifier,
                    method=request.method or "",
                    status=response.status_code,
                    ms=1000 * (time.perf_counter() - began),
                    bytes=len(response.content),
                    stages=stages(response.get("Server-Timing", "")),
                )
            )
        return response


def stages(server_timing: str) -> dict[str, float]:
    """Read a Server-Timing header: milliseconds by stage, without the total."""
    found = {}
    for entry in server_timing.split(","):
        name, _, duration = entry.strip().partition(";dur=")
        if duration and name != "total":
            found[name] = float(duration)
    return found


def _key(request: HttpRequest) -> str:
    """Return the key that a request for a variant is about, "" for every other request."""
    match = request.resolver_match
    if match is None or match.app_name != "lazyimages":
        return ""
    if match.url_name == "resizer":
        # All that follows `key=`, as the resizer reads it.
        return unquote(request.META.get("QUERY_STRING", "").partition("key=")[2])
    return str(match.kwargs.get("key", ""))


def _note_purge(original: str, **kwargs: Any) -> None:
    event_log().write(Event(hop=PURGE, key=original, at=time.time()))
