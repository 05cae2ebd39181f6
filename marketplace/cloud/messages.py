"""What passes between the parts of the embedded cloud: a request, an answer, a fault."""

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import unquote_plus


class ConfigurationFault(Exception):
    """A configuration that AWS refuses or that this emulator does not understand.

    The HTTP edge answers 500 with the text: a wrong setup must not look like an ordinary miss.
    """


class Unavailable(Exception):
    """A service of this cloud does not answer, or what it is asked for is not there yet. 503 at the edge."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request: `path` is raw, begins with "/" and has no query; `origin` is the header of that name.

    `id` is what CloudFront calls it towards its origins.
    """

    method: str
    path: str
    query: str = ""
    if_none_match: str | None = None
    origin: str | None = None
    id: str = ""

    @property
    def key(self) -> str:
        """The object key S3 reads from the path; a bare "+" there is a space to S3, on both its endpoints."""
        return unquote_plus(self.path[1:], errors="surrogateescape")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A whole HTTP answer. An answer to HEAD may carry no body but a Content-Length header."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Return a header's value, its name compared without case."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), None)


def error_page(status: int, detail: str = "") -> Answer:
    """Make the plain HTML page of an error that has no document of its own."""
    title = f"{status} {HTTPStatus(status).phrase}"
    page = (
        f"<html><head><title>{title}</title></head><body><h1>{title}</h1>{html.escape(detail)}</body></html>"
    )
    return Answer(
        status=status,
        headers={"Content-Type": "text/html; charset=utf-8"},
        body=page.encode("utf-8", "replace"),
    )


def fault_page(status: int, text: object) -> Answer:
    """Make the plain text answer that names what is wrong with the set-up."""
    body = f"{text}\n".encode("utf-8", "replace")
    return Answer(status=status, headers={"Content-Type": "text/plain; charset=utf-8"}, body=body)


def answer_or_fault(answer: Callable[[], Answer]) -> Answer:
    """Return what `answer` returns, or the page of the fault that it raises."""
    try:
        return answer()
    except ConfigurationFault as fault:
        return fault_page(HTTPStatus.INTERNAL_SERVER_ERROR, fault)
    except Unavailable as fault:
        return fault_page(HTTPStatus.SERVICE_UNAVAILABLE, fault)


def unless_known(answer: Answer, if_none_match: str | None) -> Answer:
    """Turn a 200 into a 304 when `If-None-Match` names its ETag (RFC 9110, 13.1.2; weak comparison)."""
    etag = answer.header("ETag")
    if answer.status != HTTPStatus.OK or not if_none_match or not etag:
        return answer
    known = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    if "*" not in known and etag.removeprefix("W/") not in known:
        return answer
    kept = {name: value for name, value in answer.headers.items() if not name.lower().startswith("content-")}
    return Answer(status=HTTPStatus.NOT_MODIFIED, headers=kept)
