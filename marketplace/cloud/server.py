"""The HTTP edge: threads, keep-alive and framing around a function from a request to an answer."""

import secrets
import socket
import threading
from collections.abc import Callable
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit

from marketplace.cloud.messages import Answer, Request, fault_page
from marketplace.trace.events import UNTRACED

HOST = "127.0.0.1"
IDLE_SECONDS = 60
MAX_BODY = 2**20
PATH = "/%!$&'()*+,;=:@~"  # RFC 3986, 3.3 and 3.4: what stands as it is in a path, and in a query
QUERY = PATH + "?"

Respond = Callable[[Request, bytes], Answer]


class HttpServer:
    """A server on 127.0.0.1, in a thread of its own from `start` to `stop`. Port 0 picks a free one."""

    def __init__(self, respond: Respond, *, port: int = 0) -> None:
        self._server = _Server((HOST, port), _handler(respond))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """The server's address, without a trailing slash."""
        return f"http://{HOST}:{self._server.server_address[1]}"

    def start(self) -> Self:
        """Begin to answer. The port accepts connections already since the object was made."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop accepting and free the port; connections that are open end by themselves."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: socket.socket | tuple[bytes, socket.socket], client_address: Any) -> None:
        """Say nothing: a browser that closes its connection early is no error of ours."""


def _handler(respond: Respond) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # one write, hence one packet where it fits, for headers and body
        timeout = IDLE_SECONDS

        def answer(self) -> None:
            body = self._read_body()
            request = Request(
                method=self.command,
                path=raw_path(self.requestline),
                query=raw_query(self.requestline),
                if_none_match=self.headers.get("If-None-Match"),
                origin=self.headers.get("Origin"),
                id=request_id(raw_query(self.requestline)),
            )
            try:
                answer = respond(request, body)
            except Exception as error:  # a bug of the emulator must be seen, not hang the browser
                answer = fault_page(HTTPStatus.INTERNAL_SERVER_ERROR, f"The emulator failed: {error!r}")
            self._write(answer)

        do_GET = do_HEAD = do_OPTIONS = do_POST = do_PUT = do_PATCH = do_DELETE = answer

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the request log is the record."""

        def _read_body(self) -> bytes:
            length = self.headers.get("Content-Length", "0")
            if "Transfer-Encoding" in self.headers or not length.isdecimal() or int(length) > MAX_BODY:
                self.close_connection = True
                return b""
            return self.rfile.read(int(length))

        def _write(self, answer: Answer) -> None:
            self.send_response_only(answer.status)
            headers = {"Date": formatdate(usegmt=True)} | dict(answer.headers)
            # An answer to HEAD from another server brings the length of the body it left out.
            if answer.status != HTTPStatus.NOT_MODIFIED and answer.header("Content-Length") is None:
                headers["Content-Length"] = str(len(answer.body))
            if self.close_connection:
                headers["Connection"] = "close"
            for name, value in headers.items():
                self.send_header(name, _as_header(value))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

    return Handler


def raw_path(request_line: str) -> str:
    """Return the path of a request line as it was sent, without the query.

    Not `BaseHTTPRequestHandler.path`: that one squeezes leading slashes, which are part of a key.
    """
    target = request_line.split()[1].partition("?")[0].partition("#")[0]
    if not target.startswith("/"):
        target = urlsplit(target).path or "/"  # the absolute form, as sent to a proxy
    return quote(target.encode("latin-1"), safe=PATH)


def raw_query(request_line: str) -> str:
    """Return the query of a request line as it was sent, without its "?"."""
    return quote(request_line.split()[1].partition("?")[2].partition("#")[0].encode("latin-1"), safe=QUERY)


def request_id(query: str) -> str:
    """Return a new name for a request, or the one of those that are not to be written down."""
    return UNTRACED if query == UNTRACED else secrets.token_hex(8)


def _as_header(value: str) -> str:
    # http.server writes latin-1; S3's raw Location carries the key's UTF-8 bytes. No header holds a newline.
    return value.encode("utf-8", "surrogateescape").decode("latin-1").replace("\r", "").replace("\n", "")
