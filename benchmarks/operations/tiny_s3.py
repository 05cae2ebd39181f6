"""A small S3 that answers for millions of objects without having them: it lists a page in the time of a page.

moto, which the tests use, sorts every key of a bucket for every page. Here the names come from a `Layout`, by
arithmetic; every object of it is the same JPEG. What is put is kept, what is deleted is remembered.
Signatures are not looked at. It knows the six operations that the commands call, and answers NotImplemented
to others.
"""

import threading
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import formatdate
from hashlib import md5
from heapq import merge
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from benchmarks.operations.layout import Layout, folder

_PAGE = 1000  # S3 API, ListObjectsV2 and DeleteObjects: at most so many keys
_XMLNS = "http://s3.amazonaws.com/doc/2006-03-01/"
_WRITTEN = 1_790_000_000  # when all objects of the layout were, in seconds since the epoch


class Bucket:
    """The objects, and how many requests of each kind there were for them."""

    def __init__(self, layout: Layout, content: bytes) -> None:
        self.layout, self.content = layout, content
        self.calls: Counter[str] = Counter()
        self.lock = threading.Lock()
        self._put: dict[str, bytes] = {}
        self._put_names: list[str] = []  # in ascending order
        self._gone: set[str] = set()

    def names(self, prefix: str, after: str) -> Iterator[str]:
        """Yield the names that begin with `prefix` and come after `after`, in ascending order."""
        last = ""
        for name in merge(self._of_layout(prefix, after), self._of_put(prefix, after)):
            if name not in self._gone and name != last:
                yield name
            last = name

    def get(self, name: str) -> bytes | None:
        """Return an object, or None."""
        if name in self._gone:
            return None
        if name in self._put:
            return self._put[name]
        product = self.layout.product_at(name)
        known = product < self.layout.products and name in self.layout.names(product)
        return self.content if known else None

    def put(self, name: str, data: bytes) -> None:
        """Keep an object."""
        self._gone.discard(name)
        if name not in self._put:
            insort(self._put_names, name)
        self._put[name] = data

    def delete(self, name: str) -> None:
        """Forget an object."""
        self._gone.add(name)

    def length(self, name: str) -> int:
        """Return the bytes of an object that is there."""
        return len(self._put.get(name, self.content))

    def _of_layout(self, prefix: str, after: str) -> Iterator[str]:
        for product in range(self.layout.product_at(max(prefix, after)), self.layout.products):
            directory = f"{folder(product)}/"
            if not directory.startswith(prefix) and not prefix.startswith(directory):
                return
            for name in self.layout.names(product):
                if name > after and name.startswith(prefix):
                    yield name

    def _of_put(self, prefix: str, after: str) -> Iterator[str]:
        for at in range(bisect_left(self._put_names, max(prefix, after)), len(self._put_names)):
            name = self._put_names[at]
            if not name.startswith(prefix):
                return
            if name > after:
                yield name


@contextmanager
def serving(bucket: Bucket) -> Iterator[str]:
    """Serve a bucket, by any name, on 127.0.0.1; yield the URL of the endpoint."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"bucket": bucket}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    """S3's REST API with the bucket's name in the path."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    bucket: Bucket

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer GetObject and ListObjectsV2."""
        name, query = self._asked()
        if name:
            self._get_object(name)
        elif query.get("list-type") == "2" and "delimiter" not in query:
            self._count("ListObjectsV2")
            self._send(200, _listing(self.bucket, query), {"Content-Type": "application/xml"})
        else:
            self._refuse(501, "NotImplemented")

    def do_HEAD(self) -> None:
        """Answer HeadObject."""
        name, _ = self._asked()
        self._count("HeadObject")
        data = self.bucket.get(name)
        self._send(404, b"") if data is None else self._send(200, data, _headers(data))

    def do_PUT(self) -> None:
        """Answer PutObject."""
        name, query = self._asked()
        data = self._body()
        if not name or query.keys() - {"x-id"} or "x-amz-copy-source" in self.headers:
            self._refuse(501, "NotImplemented")
            return
        self._count("PutObject")
        with self.bucket.lock:
            self.bucket.put(name, data)
        self._send(200, b"", {"ETag": _etag(data)})

    def do_DELETE(self) -> None:
        """Answer DeleteObject."""
        name, _ = self._asked()
        self._count("DeleteObject")
        with self.bucket.lock:
            self.bucket.delete(name)
        self._send(204, b"")

    def do_POST(self) -> None:
        """Answer DeleteObjects."""
        _, query = self._asked()
        data = self._body()
        if "delete" not in query:
            self._refuse(501, "NotImplemented")
            return
        self._count("DeleteObjects")
        names = [key.text or "" for key in ElementTree.fromstring(data).iter(f"{{{_XMLNS}}}Key")]
        if not 0 < len(names) <= _PAGE:
            self._refuse(400, "MalformedXML")
            return
        with self.bucket.lock:
            for name in names:
                self.bucket.delete(name)
        answer = f'<DeleteResult xmlns="{_XMLNS}"></DeleteResult>'
        self._send(200, answer.encode(), {"Content-Type": "application/xml"})

    def _get_object(self, name: str) -> None:
        self._count("GetObject")
        data = self.bucket.get(name)
        if data is None:
            self._refuse(404, "NoSuchKey")
            return
        wanted = self.headers.get("Range")
        if wanted is None:
            self._send(200, data, _headers(data))
            return
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        if not first:
            self._refuse(501, "NotImplemented")
            return
        if int(first) >= len(data):
            self._refuse(416, "InvalidRange")
            return
        end = min(int(last), len(data) - 1) if last else len(data) - 1
        part = {"Content-Range": f"bytes {first}-{end}/{len(data)}"}
        self._send(206, data[int(first) : end + 1], {**_headers(data), **part})

    def _asked(self) -> tuple[str, dict[str, str]]:
        """Return the name of the object, empty for the bucket, and the query."""
        url = urlsplit(self.path)
        _, _, name = url.path.lstrip("/").partition("/")
        return unquote(name), dict(parse_qsl(url.query, keep_blank_values=True))

    def _body(self) -> bytes:
        if "aws-chunked" not in self.headers.get("Content-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        # S3 API, "Signature Calculations … Multiple Chunks": lines with lengths between the parts.
        parts = []
        while length := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(length))
            self.rfile.readline()
        while self.rfile.readline().strip():  # checksums, and the empty line at the end
            pass
        return b"".join(parts)

    def _count(self, operation: str) -> None:
        with self.bucket.lock:
            self.bucket.calls[operation] += 1

    def _refuse(self, status: int, code: str) -> None:
        body = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>"
        self._send(status, body.encode(), {"Content-Type": "application/xml"})

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        """Send all of an answer at once: in two parts, the second would wait for the first's receipt."""
        lines = [f"HTTP/1.1 {status} -", f"Content-Length: {len(body)}", f"Date: {formatdate(usegmt=True)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        head = "\r\n".join(lines).encode() + b"\r\n\r\n"
        self.wfile.write(head if self.command == "HEAD" or status == 204 else head + body)


def _headers(data: bytes) -> dict[str, str]:
    modified = formatdate(_WRITTEN, usegmt=True)
    return {"ETag": _etag(data), "Last-Modified": modified, "Content-Type": "image/jpeg"}


def _etag(data: bytes) -> str:
    return f'"{md5(data, usedforsecurity=False).hexdigest()}"'


def _listing(bucket: Bucket, query: dict[str, str]) -> bytes:
    """Return a page of ListObjectsV2. The token that continues it is the last name."""
    prefix = query.get("prefix", "")
    after = query.get("continuation-token", query.get("start-after", ""))
    most = min(int(query.get("max-keys", _PAGE)), _PAGE)
    with bucket.lock:
        found = list(islice(bucket.names(prefix, after), most + 1))
    page, more = found[:most], len(found) > most
    spelled = quote if query.get("encoding-type") == "url" else escape
    rest = (
        f"<LastModified>{datetime.fromtimestamp(_WRITTEN, UTC):%Y-%m-%dT%H:%M:%S.000Z}</LastModified>"
        f"<ETag>{escape(_etag(bucket.content))}</ETag><StorageClass>STANDARD</StorageClass></Contents>"
    )
    contents = "".join(
        f"<Contents><Key>{spelled(name)}</Key><Size>{bucket.length(name)}</Size>{rest}" for name in page
    )
    parts = [
        f"<Name>shop</Name><Prefix>{spelled(prefix)}</Prefix><KeyCount>{len(page)}</KeyCount>",
        f"<MaxKeys>{most}</MaxKeys><IsTruncated>{str(more).lower()}</IsTruncated>",
        "<EncodingType>url</EncodingType>" if spelled is quote else "",
        f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more and page else "",
        contents,
    ]
    body = f'<ListBucketResult xmlns="{_XMLNS}">{"".join(parts)}</ListBucketResult>'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'.encode()
