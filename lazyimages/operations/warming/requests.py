"""Which variants were requested: read from access logs, and from lists of keys.

Read are CloudFront's standard logs and others in the W3C format, S3's server access logs, the combined format
of nginx and Apache, and one key or URL a line. Each line shows by itself what it is, so logs may be joined.
"""

import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from io import BufferedReader
from typing import Any, BinaryIO, cast
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import storages
from django.urls import NoReverseMatch, reverse

from lazyimages import conf, keys, storage
from lazyimages.exceptions import InvalidKey, LazyImagesError
from lazyimages.keys import VariantKey

_LONGEST = 2**16  # bytes of a line; CloudFront allows URLs of 8,192 bytes, and logs cookies beside
_REMEMBERED = 2**13  # lines' paths, which repeat in a log
_GZIP = b"\x1f\x8b"

# Amazon S3 User Guide, "Server access log format": owner, bucket, time, address, requester, request,
# operation, key, "request line", and more.
_S3 = re.compile(r'\S+ \S+ \[[^]"]*\] \S+ \S+ \S+ (\S+) (\S+) "(?:[A-Z]+ (\S*)|[^"]*)[^"]*" ')
_S3_READS = re.compile(r"(?:REST|WEBSITE)\.(?:GET|HEAD)\.OBJECT")
# "GET /path HTTP/1.1" 200, wherever it stands: many put more before and after it.
_COMBINED = re.compile(r'"(?P<method>[A-Z]+) (?P<target>\S+)(?: HTTP/[0-9.]+)?" (?P<status>[0-9]{3})\b')
_HEX = re.compile(rb"\\x([0-9A-Fa-f]{2})")  # so nginx and Apache write what is not printable


class UnreadableList(LazyImagesError):
    """A log or list cannot be read."""


def variants(file: BinaryIO) -> Iterator[VariantKey | None]:
    """Yield the variant that each line asks for; None for what asks for none that the settings allow.

    Empty lines and comments are left out. What a CDN or web server answered by 4xx asks for none: there is no
    such original. In S3's own logs that is how a variant looks which is still to be made. `UnreadableList`
    for a file that ends too early.
    """
    read = _Reader()
    try:
        for line in _lines(file):
            if line and not read.is_comment(line):
                yield read.variant(line)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableList(f"the list of requests cannot be read to its end: {error}") from error


def _lines(file: BinaryIO) -> Iterator[str]:
    """Yield lines without their ends, unpacked if they are packed by gzip."""
    ahead = cast(Any, file if hasattr(file, "peek") else BufferedReader(cast(Any, file)))
    plain = gzip.GzipFile(fileobj=ahead) if ahead.peek(2)[:2] == _GZIP else ahead
    for number, line in enumerate(iter(partial(plain.readline, _LONGEST), b"")):
        text: str = line.decode("utf-8", "surrogateescape").rstrip("\r\n")
        yield text.removeprefix("\ufeff") if number == 0 else text


class _Reader:
    """Reads one line after the other; it knows the fields of a W3C log by then."""

    def __init__(self) -> None:
        settings = conf.settings()
        self._fields: dict[str, int] = {}
        before = [urlsplit(settings.cdn_url).path, *_own_paths(), _location()]
        # The longest first, for one may begin as another does.
        self._before = sorted({f"{path.strip('/')}/" for path in before if path.strip("/")}, key=len)[::-1]
        self._by_path = lru_cache(_REMEMBERED)(self._requested)

    def is_comment(self, line: str) -> bool:
        """Tell whether a line is a comment; one of a W3C log names the fields of the lines below it."""
        if line.startswith("#Fields:"):
            names = line.removeprefix("#Fields:").lower().split()
            self._fields = {name: number for number, name in enumerate(names)}
        return line.startswith("#")

    def variant(self, line: str) -> VariantKey | None:
        """Return the variant that a line is about."""
        if self._fields and len(values := _split(line)) >= len(self._fields):
            return self._of_w3c(values)
        if '"' in line:
            if match := _S3.match(line):
                return self._of_s3(*match.groups())
            if match := _COMBINED.search(line):
                raw = match["target"].encode("utf-8", "surrogateescape")
                target = _HEX.sub(lambda found: bytes([int(found[1], 16)]), raw)
                text = target.decode("utf-8", "surrogateescape")
                return self._of_request(match["method"], text, match["status"])
        return self._of_list(line.strip())

    def _of_w3c(self, values: Sequence[str]) -> VariantKey | None:
        def value(name: str) -> str:
            text = values[self._fields[name]] if name in self._fields else "-"
            # CloudFront writes "%25" for "%" (Developer Guide, "Standard log file fields").
            return "" if text == "-" else unquote(text, errors="surrogateescape")

        path, query = value("cs-uri-stem"), value("cs-uri-query")
        return self._of_request(value("cs-method"), f"{path}?{query}" if query else path, value("sc-status"))

    def _of_s3(self, operation: str, key: str, target: str | None) -> VariantKey | None:
        if not _S3_READS.fullmatch(operation):
            return None
        once = unquote(key, errors="surrogateescape")
        # S3 encodes the key twice; the request line beside it, encoded once, tells whether it is so here.
        path = (target or "").partition("?")[0]
        twice = not path.endswith(key) or path.endswith(once)
        return self._allowed(unquote(once, errors="surrogateescape") if twice else once)

    def _of_request(self, method: str, target: str, status: str) -> VariantKey | None:
        if method not in ("GET", "HEAD", "") or status.startswith("4"):
            return None
        return self._by_path(target)

    def _of_list(self, text: str) -> VariantKey | None:
        if text.startswith("s3://"):
            return self._allowed(text.removeprefix("s3://").partition("/")[2])
        if text.startswith(("/", "http://", "https://")):
            return self._by_path(text)
        return self._allowed(text)

    def _requested(self, target: str) -> VariantKey | None:
        """Return the variant that a URL, or its path and query, asks for."""
        path, _, query = target.partition("?")
        if "://" in path:
            path = "/" + path.partition("://")[2].partition("/")[2]
        asked = keys.in_query(query) if query else None
        found = self._allowed(asked) if asked else None
        return found or self._allowed(unquote(path, errors="surrogateescape").removeprefix("/"))

    def _allowed(self, name: str) -> VariantKey | None:
        """Return the key that a name is, with or without what may stand before keys, if it is allowed."""
        for before in (*self._before, ""):
            if name.startswith(before) and (key := _allowed(name.removeprefix(before))) is not None:
                return key
        return None


def _allowed(text: str) -> VariantKey | None:
    try:
        key = keys.parse(text)
    except InvalidKey:
        return None
    allows = conf.settings().allows(key.size, key.format, keys.native_format(key.original))
    return key if allows else None


def _split(line: str) -> list[str]:
    return line.split("\t") if "\t" in line else line.split(" ")


def _own_paths() -> Iterator[str]:
    """Yield below which paths this project serves variants."""
    yield "images/v"
    try:
        yield unquote(reverse("lazyimages:variant", kwargs={"key": ""}))
    except (NoReverseMatch, ImproperlyConfigured):  # the URLs are another project's, as on Lambda
        return


def _location() -> str:
    """Return the folder of the bucket in which variants are."""
    chosen = storages[storage.variants_alias()]
    return str(getattr(chosen, "location", "")) if storage.is_s3(chosen) else ""
