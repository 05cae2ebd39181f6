"""A WSGI server for the files of `BENCHMARK_MEDIA`, to be cached for a year, as a CDN would have them."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from whitenoise import WhiteNoise


def _missing(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    start_response("404 Not Found", [("Content-Length", "0")])
    return []


application = WhiteNoise(
    _missing, root=os.environ["BENCHMARK_MEDIA"], max_age=365 * 24 * 60 * 60, autorefresh=True
)
