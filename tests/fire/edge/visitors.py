"""Who asks for pictures: a client that follows redirects by hand, and keeps a trail of what it met."""

import http.client
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from tests.clock import PATIENCE

MAX_REDIRECTS = 20  # Chromium's, after which it says ERR_TOO_MANY_REDIRECTS
REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One answer. `layer` says who gave it: cache, s3, resizer (through the edge), shop, or memory."""

    layer: str
    status: int
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Visit:
    """What one load of a picture came to."""

    steps: list[Step] = field(default_factory=list)

    @property
    def redirects(self) -> int:
        """How many redirects were followed, remembered ones too."""
        return sum(step.status in REDIRECTS for step in self.steps)

    @property
    def layers(self) -> Counter[str]:
        """How often each layer was met."""
        return Counter(step.layer for step in self.steps)

    @property
    def trail(self) -> str:
        """The visit in words: `s3 307, shop 301, s3 200`."""
        return ", ".join(f"{step.layer} {step.status}" for step in self.steps)

    @property
    def end(self) -> Step:
        """The last answer."""
        return self.steps[-1]


class Visitor:
    """A client with nothing kept; with `remembers`, it keeps redirects as browsers do, for good.

    Bodies are never kept: a browser drops large things first, and the loop is in the redirects.
    """

    def __init__(self, *, remembers: bool = False) -> None:
        self._remembers = remembers
        self._memory: dict[str, Step] = {}

    def visit(self, url: str) -> Visit:
        """Load a picture; AssertionError where a browser would say that there are too many redirects."""
        steps: list[Step] = []
        while True:
            step = self._memory.get(url) or ask(url)
            steps.append(step)
            if step.status not in REDIRECTS:
                return Visit(steps=steps)
            visit = Visit(steps=steps)
            assert visit.redirects <= MAX_REDIRECTS, f"too many redirects: {visit.trail}"
            if self._remembers and _kept(step):
                self._memory[url] = Step(layer="memory", status=step.status, headers=step.headers)
            url = urljoin(url, step.headers["Location"])


def ask(url: str, method: str = "GET", **headers: str) -> Step:
    """Send one request, follow nothing, and name who has answered."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=PATIENCE)
    try:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, url.partition(parts.netloc)[2] or "/", headers=sent)
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    return Step(layer=_layer(answer.headers), status=answer.status, headers=answer.headers, body=body)


def _layer(headers: Mapping[str, str]) -> str:
    edge = headers.get("X-Edge")
    if edge is None:
        return "shop"
    return "cache" if edge.lower() == "hit" else headers.get("X-Origin", "edge")


def _kept(step: Step) -> bool:
    """Tell whether a browser answers from memory next time (RFC 9111, 4.2.2: 301 and 308 unasked)."""
    control = step.headers.get("Cache-Control", "").lower()
    if "no-store" in control or "no-cache" in control:
        return False
    lifetime = re.search(r"max-age=(\d+)", control)
    return int(lifetime[1]) > 0 if lifetime else step.status in (301, 308)
