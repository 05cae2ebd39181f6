"""A proxy before S3 that fails on purpose: for one operation on one key, from now until it is told to stop.

It ends HTTP on both sides, so that it can tell a GET of a variant from one of an original and from a PUT, and
has the client's socket to itself: resets, stalls and short bodies are real ones.
"""

import contextlib
import http.client
import io
import math
import select
import socket
import struct
import threading
import time
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from urllib.parse import unquote, urlsplit

STALL_SECONDS = 20
SLOW_BYTES = 10_000  # a second
_STEP = 0.1  # seconds between two pieces of a slow body
_HOP_BY_HOP = ("connection", "keep-alive", "transfer-encoding", "server", "date", "expect")


class Fault(Enum):
    """What goes wrong. In a GET the body is that of the answer, in a PUT that of the request."""

    REFUSED_NEXT = "refused from the next connection on"
    RESET = "reset in the middle of the body"
    STALLED = "no answer for 20 s"
    STALLED_BODY = "20 s without a byte in the middle of the body"
    TRUNCATED = "an answer shorter than its Content-Length"
    TRUNCATED_CHUNKS = "an answer in chunks that lacks the last"
    CUT_REQUEST = "a request that reaches S3 shorter than its Content-Length"
    ERROR_500 = "500 InternalError"
    SLOW_DOWN = "503 SlowDown"
    SKEWED = "403 RequestTimeTooSkewed"
    SLOW = "10 KB/s"


_ERRORS = {
    Fault.ERROR_500: ("500 Internal Server Error", "InternalError"),
    Fault.SLOW_DOWN: ("503 Slow Down", "SlowDown"),
    Fault.SKEWED: ("403 Forbidden", "RequestTimeTooSkewed"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Request:
    method: str
    target: str
    headers: dict[str, str]

    @property
    def key(self) -> str:
        """The key in the bucket, from a path-style URL."""
        return unquote(urlsplit(self.target).path).lstrip("/").partition("/")[2]

    @property
    def length(self) -> int:
        return int(self.headers.get("content-length", 0))


class _ClientGone(Exception):
    pass


class Proxy:
    """Listens on a port of 127.0.0.1 and asks `upstream`; see `inject`."""

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        self._upstream = (parts.hostname or "", parts.port or 80)
        self._faults: dict[tuple[str, str], tuple[Fault, float]] = {}
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._port = self._listener.getsockname()[1]
        self.met: Counter[tuple[str, str]] = Counter()  # requests that met their fault, by method and key
        self.said_to_parts: list[bytes] = []  # what upstream answered to a part of a request
        self._accept_in_thread()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def inject(self, method: str, key: str, fault: Fault, *, times: float = math.inf) -> None:
        """Have the next `times` of such requests fail, or every one."""
        self._faults[method, key] = fault, times

    def heal(self, method: str, key: str) -> None:
        """Let such requests through again."""
        self._faults.pop((method, key), None)

    def refuse(self, *, but: socket.socket | None = None) -> None:
        """Refuse connections as a port does on which nobody listens, and break the open ones."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            others = [connection for connection in self._connections if connection is not but]
        for connection in others:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def listen(self) -> None:
        """Take connections again, on the same port."""
        self._listener = socket.create_server(("127.0.0.1", self._port), backlog=128)
        self._accept_in_thread()

    def close(self) -> None:
        """Break everything off."""
        self._ended.set()
        self.refuse()

    def _accept_in_thread(self) -> None:
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.add(connection)
        try:
            with connection, connection.makefile("rb") as stream:
                while (request := _read_head(stream)) is not None:
                    if not self._answer(connection, stream, request):
                        return
        except (OSError, _ClientGone):
            return
        finally:
            with self._lock:
                self._connections.discard(connection)

    def _answer(self, client: socket.socket, stream: io.BufferedReader, request: _Request) -> bool:
        """Answer one request; False when the connection has ended with it."""
        fault = self._next_fault(request)
        if request.headers.get("expect") == "100-continue":
            client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if request.method == "PUT" and fault in (Fault.RESET, Fault.CUT_REQUEST):
            half = stream.read(request.length // 2)
            self._forward_part(request, half)
            return _reset(client)
        if request.method == "PUT" and fault is Fault.STALLED_BODY:
            stream.read(request.length // 2)
            self._stall(client)
            return False
        body = (
            self._read_slowly(client, stream, request) if fault is Fault.SLOW else stream.read(request.length)
        )
        if len(body) < request.length:
            return False
        if fault in _ERRORS:
            status, code = _ERRORS[fault]
            text = f"<Error><Code>{code}</Code><Message>on purpose</Message></Error>".encode()
            client.sendall(
                _head(status, {"Content-Type": "application/xml", "Content-Length": str(len(text))})
            )
            client.sendall(text)
            return True
        status, headers, data = self._ask_upstream(request, body)
        if fault is Fault.STALLED:
            self._stall(client)
            return False
        if fault is Fault.REFUSED_NEXT:
            self.refuse(but=client)
            client.sendall(_head(status, {**headers, "Connection": "close"}) + data)
            return False
        return self._answer_badly(client, request, fault, status, headers, data)

    def _next_fault(self, request: _Request) -> Fault | None:
        place = request.method, request.key
        with self._lock:
            fault, times = self._faults.get(place, (None, 0))
            if fault is None or times < 1:
                return None
            self._faults[place] = fault, times - 1
            self.met[place] += 1
            return fault

    def _answer_badly(
        self,
        client: socket.socket,
        request: _Request,
        fault: Fault | None,
        status: str,
        headers: dict[str, str],
        data: bytes,
    ) -> bool:
        if request.method == "PUT" and fault is Fault.TRUNCATED:
            headers, data = {**headers, "Content-Length": "1000"}, b"x" * 1000
        if fault is Fault.TRUNCATED_CHUNKS:
            del headers["Content-Length"]
            half = data[: len(data) // 2]
            client.sendall(_head(status, {**headers, "Transfer-Encoding": "chunked"}))
            client.sendall(b"%x\r\n%b\r\n" % (len(half), half))
            return False
        client.sendall(_head(status, headers))
        if fault in (Fault.TRUNCATED, Fault.RESET, Fault.STALLED_BODY):
            client.sendall(data[: len(data) // 2])
            if fault is Fault.STALLED_BODY:
                self._stall(client)
            return _reset(client) if fault is Fault.RESET else False
        if fault is Fault.SLOW:
            step = int(SLOW_BYTES * _STEP)
            for start in range(0, len(data), step):
                client.sendall(data[start : start + step])
                self._pause(client, _STEP)
        elif request.method != "HEAD":
            client.sendall(data)
        return True

    def _ask_upstream(self, request: _Request, body: bytes) -> tuple[str, dict[str, str], bytes]:
        upstream = http.client.HTTPConnection(*self._upstream, timeout=30)
        try:
            upstream.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
            for name, value in request.headers.items():
                if name not in _HOP_BY_HOP:
                    upstream.putheader(name, value)
            upstream.endheaders(body if request.length else None)
            answer = upstream.getresponse()
            data = answer.read()
            headers = {n: v for n, v in answer.getheaders() if n.lower() not in _HOP_BY_HOP}
            if "Content-Length" not in headers:
                headers["Content-Length"] = str(len(data))
            return f"{answer.status} {answer.reason}", headers, data
        finally:
            upstream.close()

    def _forward_part(self, request: _Request, part: bytes) -> None:
        """Send the whole head and a part of the body, and end: S3 answers such a PUT with IncompleteBody."""
        headers = {n: v for n, v in request.headers.items() if n not in _HOP_BY_HOP}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        with socket.create_connection(self._upstream, timeout=5) as upstream:
            upstream.sendall(f"{request.method} {request.target} HTTP/1.1\r\n{lines}\r\n".encode() + part)
            upstream.shutdown(socket.SHUT_WR)
            with contextlib.suppress(OSError):
                self.said_to_parts.append(upstream.recv(65536))

    def _read_slowly(self, client: socket.socket, stream: io.BufferedReader, request: _Request) -> bytes:
        body = b""
        while len(body) < request.length:
            piece = stream.read(min(request.length - len(body), int(SLOW_BYTES * _STEP)))
            if not piece:
                break
            body += piece
            if self._ended.wait(_STEP):
                raise _ClientGone
        return body

    def _stall(self, client: socket.socket) -> None:
        self._pause(client, STALL_SECONDS)

    def _pause(self, client: socket.socket, seconds: float) -> None:
        """Wait, as long as the client does."""
        poll = select.poll()
        poll.register(client, select.POLLRDHUP)  # also tells of an end behind bytes that were not read
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if self._ended.is_set() or poll.poll(1000 * min(left, 0.2)):
                raise _ClientGone


def _read_head(stream: io.BufferedReader) -> _Request | None:
    line = stream.readline().decode("latin-1").split()
    if len(line) != 3:
        return None
    headers = {}
    while (text := stream.readline().decode("latin-1").strip()) != "":
        name, _, value = text.partition(":")
        headers[name.lower()] = value.strip()
    return _Request(method=line[0], target=line[1], headers=headers)


def _head(status: str, headers: dict[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode("latin-1")


def _reset(client: socket.socket) -> bool:
    """Close with RST in place of FIN."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False
