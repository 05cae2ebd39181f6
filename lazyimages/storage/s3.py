"""Amazon S3 through django-storages' `S3Storage`: one request an operation, one client a process."""

import math
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from contextvars import ContextVar
from io import BytesIO
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import parse_qsl, urlencode
from weakref import WeakKeyDictionary

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from storages.backends.s3 import S3Storage
from storages.utils import clean_name
from urllib3.exceptions import HTTPError

from lazyimages.exceptions import ImageTooLarge, StorageUnavailable
from lazyimages.storage.base import AccessDenied, Stored

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from types_boto3_s3.client import S3Client

# botocore lets through HTTPError while it reads a body, the last two for an answer that is none.
_FAILURES = (BotoCoreError, HTTPError, OSError, ResponseParserError, ValueError)
_BATCH = 1000  # S3 API, DeleteObjects: at most 1,000 keys a request
_PIECE = 2**20  # bytes of a body that are asked for at a time
_ROOM = 2**26  # bytes at most that are made room for before they come
_MOMENT = 0.5  # seconds that every operation has, however late it is
_CONNECTIONS = 64  # botocore keeps 10 by default and throws away those of further threads
_UPLOAD_ONLY = ("ACL", "ContentType", "CacheControl")  # buckets made since April 2023 refuse an ACL
_SSE_CUSTOMER = ("SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5")

_latest: ContextVar[float] = ContextVar("lazyimages_s3_latest", default=math.inf)  # of time.monotonic
_clients: WeakKeyDictionary[S3Storage, tuple[int, "S3Client"]] = WeakKeyDictionary()
_clients_lock = threading.Lock()
os.register_at_fork(after_in_child=lambda: globals().update(_clients_lock=threading.Lock()))


def client(storage: S3Storage) -> "S3Client":
    """Return this process's client for a storage, with the storage's own credentials and settings.

    `S3Storage.connection` is one a thread, which costs 17 MB and 0.2 s in each; a client is
    thread-safe (boto3: "Clients"), though not across a fork, hence the process number.
    """
    held = _clients.get(storage)
    if held is not None and held[0] == os.getpid():
        return held[1]
    with _clients_lock:
        held = _clients.get(storage)
        if held is None or held[0] != os.getpid():
            held = _clients[storage] = (os.getpid(), _make_client(storage))
    return held[1]


def _make_client(storage: S3Storage) -> "S3Client":
    config: Config = storage.client_config
    connections = max(_CONNECTIONS, config.max_pool_connections)  # type: ignore[attr-defined]
    signature = config.signature_version or "s3v4"  # type: ignore[attr-defined]
    made: S3Client = storage._create_session().client(
        "s3",
        region_name=storage.region_name,
        use_ssl=storage.use_ssl,
        endpoint_url=storage.endpoint_url,
        # The second part is the default of all requests; only URLs would be signed by the old version 2.
        config=config.merge(Config(max_pool_connections=connections, signature_version=signature)),
        verify=storage.verify,
    )
    # Read for signed URLs alone, and only now. Otherwise they would lead to the host of all regions, which
    # sends on to the bucket's own at first, and a signature is good for one host.
    made.meta.config.s3 = {**(config.s3 or {}), "addressing_style": "virtual"}  # type: ignore[attr-defined]
    made.meta.events.register("request-created.s3", _shorten)
    made.meta.events.register("needs-retry.s3", _give_up)
    return made


class S3Backend:
    """Reads and writes a bucket by name relative to the storage's `location`.

    What it writes gets `tag`, a key and a value, beside the tags in the storage's own `object_parameters`.
    """

    def __init__(self, storage: S3Storage, *, tag: tuple[str, str] | None = None) -> None:
        self._storage = storage
        self._tag = tag

    def read(self, name: str, *, limit: int | None = None, deadline: float | None = None) -> Stored | None:
        """Return an object by one GET, or None; `ImageTooLarge` beyond `limit` bytes, unread.

        Length and checksum are compared with what S3 announced, so that a part is never taken for whole.
        """
        parameters = self._storage.get_object_parameters(name)
        try:
            s3 = client(self._storage)
            with _until(deadline) as time_left:
                answer = s3.get_object(
                    Bucket=self._storage.bucket_name,
                    Key=self._key(name),
                    **{key: parameters[key] for key in _SSE_CUSTOMER if key in parameters},
                )
                # closing(), for "with body" would hand over the stream below, which compares nothing.
                with closing(answer["Body"]) as body:
                    length = _announced(answer)
                    data = _whole(body, length, limit=limit, time_left=time_left)
            return Stored(data=data, last_modified=answer.get("LastModified"))
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                return None
            _raise(error)
        except _FAILURES as error:
            _raise(error)

    def write(
        self,
        name: str,
        data: bytes,
        *,
        content_type: str,
        cache_control: str | None,
        deadline: float | None = None,
    ) -> str:
        """Store an object by one PUT, which S3 makes visible whole or not at all."""
        parameters = self._parameters(name)
        if cache_control is not None:
            parameters["CacheControl"] = cache_control
        if self._tag is not None:
            own = dict(parse_qsl(parameters.get("Tagging", ""), keep_blank_values=True))
            parameters["Tagging"] = urlencode(own | dict([self._tag]))
        with _translated():
            s3 = client(self._storage)
            with _until(deadline) as time_left:
                s3.put_object(
                    Bucket=self._storage.bucket_name,
                    Key=self._key(name),
                    Body=_Sent(data, time_left),
                    ContentType=content_type,
                    **parameters,
                )
        return name

    def presigned_url(self, name: str, seconds: int) -> str:
        """Return a URL by which anybody may GET an object for so many seconds (S3: "Presigned URLs").

        It ends earlier with the credentials that sign it, where those are temporary.
        """
        with _translated():
            return client(self._storage).generate_presigned_url(
                "get_object",
                Params={"Bucket": self._storage.bucket_name, "Key": self._key(name)},
                ExpiresIn=seconds,
            )

    def delete(self, names: Iterable[str]) -> None:
        """Delete objects, a thousand a request."""
        keys = [self._key(name) for name in names]
        for start in range(0, len(keys), _BATCH):
            objects = [{"Key": key} for key in keys[start : start + _BATCH]]
            with _translated():
                answer = client(self._storage).delete_objects(
                    Bucket=self._storage.bucket_name,
                    Delete={"Objects": objects, "Quiet": True},  # type: ignore[typeddict-item]
                )
            if errors := answer.get("Errors"):
                first = errors[0]
                raise StorageUnavailable(
                    f"{len(errors)} objects were not deleted; the first: {first['Key']!r} ({first['Code']})"
                )

    def iter_names(self, prefix: str) -> Iterator[str]:
        """Yield the names that begin with `prefix`, a page of a thousand at a time."""
        location = self._storage.location.strip("/")
        base = f"{location}/" if location else ""
        with _translated():
            pages = client(self._storage).get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._storage.bucket_name, Prefix=f"{base}{prefix}"):
                yield from (entry["Key"].removeprefix(base) for entry in page.get("Contents", ()))

    def _key(self, name: str) -> str:
        key: str = self._storage._normalize_name(clean_name(name))
        return key

    def _parameters(self, name: str) -> dict[str, Any]:
        own: dict[str, Any] = self._storage.get_object_parameters(name)
        return {key: value for key, value in own.items() if key not in _UPLOAD_ONLY}


def _announced(answer: Mapping[str, Any]) -> int | None:
    """Return the length that an answer's head gives its body; None when it comes in chunks.

    With neither, a connection that breaks off would look like the end: so does a head that is cut short.
    """
    length: int | None = answer.get("ContentLength")
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    if length is None and headers.get("transfer-encoding", "").lower() != "chunked":
        raise StorageUnavailable("the answer does not say how long its body is")
    return length


def _whole(
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


class _Sent(BytesIO):
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
def _until(deadline: float | None) -> Iterator[Callable[[], float]]:
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


def _shorten(request: Any, **kwargs: Any) -> None:
    """Give a request no longer to be answered than there is time left, and none begins without any.

    botocore looks for `read_timeout` there since 1.43.72; before, that of the client's settings holds.
    """
    if (latest := _latest.get()) == math.inf:
        return
    if (left := latest - time.monotonic()) <= 0:
        raise StorageUnavailable("no time is left to ask S3 once more")
    own = request.context["client_config"].read_timeout
    request.context["read_timeout"] = left if own is None else min(own, left)


def _give_up(caught_exception: Exception | None, **kwargs: Any) -> None:
    """Let nobody sleep before a retry for which there is no time."""
    if caught_exception is not None and _latest.get() <= time.monotonic():
        raise caught_exception


class _translated:
    """Turn what boto3 raises into the errors of lazyimages."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, (ClientError, *_FAILURES)):
            _raise(error)


def _raise(error: Exception) -> NoReturn:
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
    if code in ("AccessDenied", "403"):
        raise AccessDenied(str(error)) from error
    raise StorageUnavailable(f"{type(error).__name__}: {error}") from error
