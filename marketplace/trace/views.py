"""The page, the events behind it, and the buttons on it. Only the demo has them: see `TRACE_LOG`."""

import secrets
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from marketplace.trace import drawing, tries
from marketplace.trace.journeys import Row, changed_since, join
from marketplace.trace.middleware import event_log

ROWS = 50


@never_cache
@require_GET
def trace(request: HttpRequest) -> HttpResponse:
    """Show the last rows; with a script, the next ones too."""
    events = event_log().read()
    only = _only(request)
    rows = [drawing.draw(row) for row in _chosen(join(events), only)]
    return render(
        request,
        "trace/trace.html",
        {
            "rows": rows[::-1],
            "cursor": events[-1].place if events else "",
            "only": only,
            "delivery": drawing.delivery(),
            "lanes": drawing.LANES[drawing.delivery()],
            "stages": drawing.STAGES.items(),
            **_trying(tries.of(request.GET.get("photo", ""), request.GET.get("key", ""))),
        },
    )


@never_cache
@require_GET
def events(request: HttpRequest) -> HttpResponse:
    """Answer with the rows that are new or have changed since the cursor `after`, oldest first."""
    found = event_log().read()
    cursor = request.GET.get("after", "")
    rows = changed_since(join(found), found, cursor)
    return JsonResponse(
        {
            "cursor": found[-1].place if found else "",
            "rows": [
                {
                    "id": row.id,
                    "title": row.title,
                    "html": render_to_string("trace/_row.html", {"row": row}),
                }
                for row in map(drawing.draw, _chosen(rows, _only(request)))
            ],
        }
    )


@require_POST
def try_it(request: HttpRequest) -> HttpResponse:
    """Choose a size that does not exist, or purge; then have the browser load the picture."""
    action = request.POST.get("what", "")
    tried = tries.of(request.POST.get("photo", ""), request.POST.get("key", ""))
    if action == "new" or tried is None:
        tried = tries.new()
    elif action == "purge":
        tries.purge(tried.photo)
    if "application/json" in request.headers.get("Accept", ""):
        panel = render_to_string("trace/_try.html", {"tried": tried, "action": action}, request)
        return JsonResponse({"html": panel, "url": tried.url if tried else ""})
    if tried is None:
        return redirect(f"{reverse('trace')}?nothing#try")
    query = urlencode({"photo": tried.photo.pk, "key": tried.key})
    return redirect(f"{reverse('trace')}?{query}#try")


def _only(request: HttpRequest) -> bool:
    return request.GET.get("only") == "misses"


def _chosen(rows: list[Row], only_misses: bool) -> list[Row]:
    return [row for row in rows if not (only_misses and row.hit)][-ROWS:]


def _trying(tried: tries.Try | None) -> dict[str, Any]:
    # The browser's own cache would answer for the URL without a query.
    return {"tried": tried, "again": f"{tried.url}?again={secrets.token_hex(4)}" if tried else ""}
