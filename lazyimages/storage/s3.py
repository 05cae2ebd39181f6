"""Amazon S3 through django-storages' `S3Storage`: one request an operation, one client a process."""

import os
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn
from weakref import WeakKeyDictionary

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from storages.backends.s3 import S3Storage
from storages.utils import clean_name
from urllib3.exceptions import HTTPError

from lazyimages.exceptions import ImageTooLarge, StorageUnavailable
from lazyimages.storage.base import AccessDenied, Stored

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

_FAILURES = (BotoCoreError, HTTPError, OSError)  # HTTPError: botocore lets it through while a body is read
_BATCH = 1000  # S3 API, DeleteObjects: at most 1,000 keys a request
_CONNECTIONS = 64  # botocore keeps 10 by default and throws away those of further threads
_UPLOAD_ONLY = ("ACL", "ContentType", "CacheControl")  # buckets made since April 2023 refuse an ACL
_SSE_CUSTOMER = ("SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5")

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
    made: S3Client = storage._create_session().client(
        "s3",
        region_name=storage.region_name,
        use_ssl=storage.use_ssl,
        endpoint_url=storage.endpoint_url,
        config=config.merge(Config(max_pool_connections=connections)),
        verify=storage.verify,
    )
    return made


class S3Backend:
    """Reads and writes a bucket by name relative to the storage's `location`."""

    def __init__(self, storage: S3Storage) -> None:
        self._storage = storage

    def read(self, name: str, *, limit: int | None = None) -> Stored | None:
        """Return an object by one GET, or None; `ImageTooLarge` beyond `limit` bytes, unread."""
        parameters = self._storage.get_object_parameters(name)
        try:
            answer = client(self._storage).get_object(
                Bucket=self._storage.bucket_name,
                Key=self._key(name),
                **{key: parameters[key] for key in _SSE_CUSTOMER if key in parameters},
            )
            length = answer["ContentLength"]
            with answer["Body"] as body:
                if limit is not None and length > limit:
                    raise ImageTooLarge(f"the file has {length} bytes; {limit} are allowed")
                return Stored(data=body.read(), last_modified=answer["LastModified"])
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                return None
            _raise(error)
        except _FAILURES as error:
            _raise(error)

    def write(self, name: str, data: bytes, *, content_type: str, cache_control: str | None) -> str:
        """Store an object by one PUT, which S3 makes visible whole or not at all."""
        parameters = self._parameters(name)
        if cache_control is not None:
            parameters["CacheControl"] = cache_control
        with _translated():
            client(self._storage).put_object(
                Bucket=self._storage.bucket_name,
                Key=self._key(name),
                Body=data,
                ContentType=content_type,
                **parameters,
            )
        return name

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
