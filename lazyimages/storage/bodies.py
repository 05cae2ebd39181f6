"""Bodies of requests and answers: read and sent while there is time, and a part never taken for the whole."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from io import BytesIO
from typing import TYPE_CHECKING, Any

from lazyimages.exceptions import ImageTooLarge, StorageUnavailable

if TYPE_CHECKING:
    from botocore.response import StreamingBody

_PIECE = 2**20  # bytes of a body that are asked for at a time
_ROOM = 2**26  # bytes at most that are made room for before they come
_MOMENT = 0.5  # seconds that every operation has, however late it is

_latest: ContextVar[float] = ContextVar("lazyimages_s3_latest", default=math.inf)  # of time.monotonic


def announced(answer: Mapping[str, Any]) -> int | None:
    """Return the length that an answer's head gives its body; None when it comes in chunks.

    With neither, a connection that breaks off would look like the end: so does a head that is cut short.
    """
    length: int | None = answer.get("ContentLength")
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    if length is None and headers.get("transfer-encoding", "").lower() != "chunked":
        raise StorageUnavailable("the answer does not say how long its body is")
    return length


def whole(
    body: "StreamingBody", length: int | None, *, limit: int | None, time_left: Callable[[], float]
) -> bytes:
    """Return a body of `length` bytes (None: not announced), read while there is time left."""
    if limit is not None and length is not None and length > limit:
        raise ImageTooLarge(f"the file has {length} bytes; {limit} are allowed")
    data = BytesIO()
    if length:  # room at once, for a buffer that grows is copied again and again
        data.seek(min(length, _ROOM) - 1)
        data.write(b"\0")
        data.seek(0)
    _as_it_comes(body)
    while True:
        if time_left() <= 0:
            raise StorageUnavailable(f"{data.tell()} of {length} bytes had come when the time was over")
        piece = body.read(_PIECE)
        if not piece:  # and botocore has compared the checksum
            break
        data.write(piece)
        if limit is not None and data.tell() > limit:
            raise ImageTooLarge(f"the file has more than the {limit} bytes that are allowed")
    if length is not None and data.tell() != length:
        raise StorageUnavailable(f"{data.tell()} bytes came where {length} were announced")
    data.truncate()
    return data.getvalue()


def _as_it_comes(body: "StreamingBody") -> None:
    """Have `body.read` return what there is, and not wait for as much as is asked for."""
    raw = body._raw_stream  # type: ignore[attr-defined]
    if hasattr(raw, "read1"):  # urllib3 has it since 2.1
        body._raw_stream = _AsItComes(raw)  # type: ignore[attr-defined]


class _AsItComes:
    """A stream of urllib3's whose `read` is its `read1`."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def read(self, amount: int | None = None) -> bytes:
        """Return at most `amount` bytes, and at least one unless the body is over."""
        piece: bytes = self._raw.read1(amount)
        return piece

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)


class Sent(BytesIO):
    """A body that is sent while there is time left. botocore reads it in blocks of up to a megabyte."""

    def __init__(self, data: bytes, time_left: Callable[[], float]) -> None:
        super().__init__(data)
        self._time_left = time_left

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes; `StorageUnavailable` when the time is over."""
        if self._time_left() <= 0:
            raise StorageUnavailable(f"{self.tell()} bytes were sent when the time was over")
        return super().read(size)


@contextmanager
def until(deadline: float | None) -> Iterator[Callable[[], float]]:
    """Have the requests of the block end by `deadline`; yield a function that tells the seconds left.

    However late it is, there is a moment for one try: RENDER_WAIT may be 0, and a render that waited long
    for its slot is worth storing.
    """
    latest = math.inf if deadline is None else max(deadline, time.monotonic() + _MOMENT)
    token = _latest.set(latest)
    try:
        yield lambda: latest - time.monotonic()
    finally:
        _latest.reset(token)


def shorten(request: Any, **kwargs: Any) -> None:
    """Give a request no longer to be answered than there is time left, and none begins without any.

    botocore looks for `read_timeout` there since 1.43.72; before, that of the client's settings holds.
    """
    if (latest := _latest.get()) == math.inf:
        return
    if (left := latest - time.monotonic()) <= 0:
        raise StorageUnavailable("no time is left to ask S3 once more")
    own = request.context["client_config"].read_timeout
    request.context["read_timeout"] = left if own is None else min(own, left)


def give_up(caught_exception: Exception | None, **kwargs: Any) -> None:
    """Let nobody sleep before a retry for which there is no time."""
    if caught_exception is not None and _latest.get() <= time.monotonic():
        raise caught_exception
