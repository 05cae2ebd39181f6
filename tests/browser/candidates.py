"""A page with every element that lazyimages prints, as a URLconf of its own: `ROOT_URLCONF`."""

from threading import Event
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template import Context, Engine
from django.urls import include, path

from lazyimages import views
from tests.clock import PATIENCE

LAYOUT = "(min-width: 60rem) 25vw, 50vw"
LAZYIMAGES = {
    "FORMATS": ["avif", "webp"],
    "PRESETS": {
        "hero": {
            "sizes": "640w 320w 1440w 1920w",
            "layout": "100vw",
            "priority": True,
            "sources": [
                {"media": "(max-width: 40rem)", "sizes": "360x450 720x900 1080x1350", "layout": "100vw"},
                {
                    "media": "(max-width: 60rem) and (orientation: portrait)",
                    "sizes": "600x600 900x900 1200x1200",
                    "layout": "100vw",
                },
            ],
        },
        "card": {"sizes": "240x180 480x360 720x540", "layout": LAYOUT},
    },
}
PAGE = """<!DOCTYPE html>
<html lang="en"><head><title>Photos</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<style>
  body { margin: 0 }
  .hero { display: block; width: 100vw; height: auto }
  .card { display: block; width: 50vw; height: auto }
  @media (min-width: 60rem) { .card { width: 25vw } }
</style>
{% preload hero "hero" %}</head>
<body>
{% if bare %}
{% picture hero "hero" alt="A bowl" class="hero" width=None height=None %}
{% img plain "card" alt="A cup" class="card" priority=True width=None height=None %}
{% else %}
{% picture hero "hero" alt="A bowl" class="hero" %}
{% img plain "card" alt="A cup" class="card" priority=True %}
{% picture card "card" alt="A jug" class="card" priority=True %}
{% endif %}
<p>What the page would move.</p>
</body></html>"""

PHOTOS: dict[str, Any] = {}  # hero, plain and card, set by the test
PAINTED = Event()  # images wait for it, so that each comes to a page that was painted without it


def late(request: HttpRequest, key: str) -> HttpResponse:
    """Answer like the resizer, once the page has been painted."""
    PAINTED.wait(PATIENCE)
    return views.variant(request, key=key)


def page(request: HttpRequest) -> HttpResponse:
    """Draw the page; with `?bare` its images have no dimensions."""
    engine = Engine(builtins=["lazyimages.templatetags.lazyimages"])
    context = Context({**PHOTOS, "bare": "bare" in request.GET})
    return HttpResponse(engine.from_string(PAGE).render(context))


urlpatterns = [
    path("", page),
    path("images/v/<path:key>", late),
    path("images/", include("lazyimages.urls")),
]
