"""Amazon S3 through django-storages' `S3Storage`: one request an operation, one client a process."""

import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import parse_qsl, urlencode
from weakref import WeakKeyDictionary

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from storages.backends.s3 import S3Storage
from storages.utils import clean_name
from urllib3.exceptions import HTTPError

from lazyimages.exceptions import NotDeleted, StorageUnavailable
from lazyimages.storage.base import AccessDenied, Entry, Start, Stored
from lazyimages.storage.bodies import Sent, announced, give_up, shorten, until, whole

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

# botocore lets through HTTPError while it reads a body, the last two for an answer that is none.
FAILURES = (BotoCoreError, HTTPError, OSError, ResponseParserError, ValueError)
_BATCH = 1000  # S3 API, DeleteObjects: at most 1,000 keys a request
_CONNECTIONS = 64  # botocore keeps 10 by default and throws away those of further threads
_UPLOAD_ONLY = ("ACL", "ContentType", "CacheControl")  # buckets made since April 2023 refuse an ACL
SSE_CUSTOMER = ("SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5")

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
    made.meta.events.register("request-created.s3", shorten)
    made.meta.events.register("needs-retry.s3", give_up)
    return made


class S3Backend:
    """Reads and writes a bucket by name relative to the storage's `location`.

    What it writes gets `tag`, a key and a value, beside the tags in the storage's own `object_parameters`.
    """

    def __init__(self, storage: S3Storage, *, tag: tuple[str, str] | None = None) -> None:
        self._storage = storage
        self._tag = tag

    @property
    def place(self) -> tuple[object, ...]:
        """Bucket and folder, and who asks for them where: what one client deletes together."""
        asked = ("endpoint_url", "region_name", "bucket_name", "location", "access_key", "session_profile")
        return tuple(getattr(self._storage, name, None) for name in asked)

    def read(self, name: str, *, limit: int | None = None, deadline: float | None = None) -> Stored | None:
        """Return an object by one GET, or None; `ImageTooLarge` beyond `limit` bytes, unread.

        Length and checksum are compared with what S3 announced, so that a part is never taken for whole.
        """
        parameters = self._storage.get_object_parameters(name)
        try:
            s3 = client(self._storage)
            with until(deadline) as time_left:
                answer = s3.get_object(
                    Bucket=self._storage.bucket_name,
                    Key=self._key(name),
                    **{key: parameters[key] for key in SSE_CUSTOMER if key in parameters},
                )
                # closing(), for "with body" would hand over the stream below, which compares nothing.
                with closing(answer["Body"]) as body:
                    length = announced(answer)
                    data = whole(body, length, limit=limit, time_left=time_left)
            return Stored(data=data, last_modified=answer.get("LastModified"))
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                return None
            raise_ours(error)
        except FAILURES as error:
            raise_ours(error)

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
        with translated():
            s3 = client(self._storage)
            with until(deadline) as time_left:
                s3.put_object(
                    Bucket=self._storage.bucket_name,
                    Key=self._key(name),
                    Body=Sent(data, time_left),
                    ContentType=content_type,
                    **parameters,
                )
        return name

    def copy(self, name: str, new_name: str) -> str | None:
        """Have S3 copy an object by one request, with its headers and metadata; None when there is none.

        Class of storage, encryption and tags are those that an upload gets: to copy the tags of the object
        would need a permission of its own.
        """
        parameters = self._parameters(new_name)
        as_source = {f"CopySource{key}": parameters[key] for key in SSE_CUSTOMER if key in parameters}
        try:
            client(self._storage).copy_object(
                Bucket=self._storage.bucket_name,
                Key=self._key(new_name),
                CopySource={"Bucket": self._storage.bucket_name, "Key": self._key(name)},
                MetadataDirective="COPY",
                TaggingDirective="REPLACE",
                **as_source,
                **parameters,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                return None
            raise_ours(error)
        except FAILURES as error:
            raise_ours(error)
        return new_name

    def read_start(self, name: str, most: int) -> Start | None:
        """Return the first `most` bytes of an object by one GET (RFC 9110, 14.2), or None."""
        parameters = self._storage.get_object_parameters(name)
        try:
            answer = client(self._storage).get_object(
                Bucket=self._storage.bucket_name,
                Key=self._key(name),
                Range=f"bytes=0-{most - 1}",
                **{key: parameters[key] for key in SSE_CUSTOMER if key in parameters},
            )
            with closing(answer["Body"]) as body:
                data = body.read(most)
            # Who knows no ranges sends all of it, without this header.
            length = int(answer.get("ContentRange", f"/{answer['ContentLength']}").rpartition("/")[2])
            return Start(data=data, whole=len(data) >= length)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in ("NoSuchKey", "404"):
                return None
            if code in ("InvalidRange", "416"):  # an empty file has no first byte
                return Start(data=b"", whole=True)
            raise_ours(error)
        except FAILURES as error:
            raise_ours(error)

    def find(self, names: Iterable[str]) -> Iterator[Entry]:
        """Yield which of these objects are there, by listing where they would be.

        A request shows a thousand objects that follow each other, and the next begins where the next name
        would be: so they are never more than there are names, nor than a listing of all between the first
        name and the last.
        """
        wanted = iter(names)
        name = next(wanted, None)
        last: str | None = ""
        while name is not None and last is not None:
            # S3 lists what comes after a key; the last letter is left out so that this key is among it.
            page, last = self._page(max(name[:-1], last))
            there = {entry.name: entry for entry in page}
            while name is not None and (last is None or name <= last):
                if name in there:
                    yield there[name]
                name = next(wanted, None)

    def _page(self, after: str) -> tuple[list[Entry], str | None]:
        """Return the thousand objects after a name, and the last one's name unless it is the last of all."""
        with translated():
            answer = client(self._storage).list_objects_v2(
                Bucket=self._storage.bucket_name, Prefix=self._base, StartAfter=f"{self._base}{after}"
            )
        found = [self._entry(each) for each in answer.get("Contents", ())]
        return found, found[-1].name if answer["IsTruncated"] and found else None

    def presigned_url(self, name: str, seconds: int) -> str:
        """Return a URL by which anybody may GET an object for so many seconds (S3: "Presigned URLs").

        It ends earlier with the credentials that sign it, where those are temporary.
        """
        with translated():
            return client(self._storage).generate_presigned_url(
                "get_object",
                Params={"Bucket": self._storage.bucket_name, "Key": self._key(name)},
                ExpiresIn=seconds,
            )

    def delete(self, names: Iterable[str]) -> None:
        """Delete objects, a thousand a request."""
        keys = [self._key(name) for name in names]
        failed: dict[str, str] = {}
        for start in range(0, len(keys), _BATCH):
            objects = [{"Key": key} for key in keys[start : start + _BATCH]]
            with translated():
                answer = client(self._storage).delete_objects(
                    Bucket=self._storage.bucket_name,
                    Delete={"Objects": objects, "Quiet": True},  # type: ignore[typeddict-item]
                )
            for each in answer.get("Errors", ()):
                failed[each["Key"].removeprefix(self._base)] = each["Code"]
        if failed:
            raise NotDeleted(failed)

    def entries(self, prefix: str, after: str = "") -> Iterator[Entry]:
        """Yield the objects whose names begin with `prefix` and come after `after`, a thousand a request."""
        options = {"StartAfter": f"{self._base}{after}"} if after else {}
        with translated():
            pages = client(self._storage).get_paginator("list_objects_v2")
            prefix = f"{self._base}{prefix}"
            for page in pages.paginate(Bucket=self._storage.bucket_name, Prefix=prefix, **options):  # type: ignore[arg-type]
                yield from map(self._entry, page.get("Contents", ()))

    def _entry(self, listed: Any) -> Entry:
        name: str = listed["Key"].removeprefix(self._base)
        return Entry(name=name, size=listed["Size"], modified=listed["LastModified"])

    @property
    def _base(self) -> str:
        location = self._storage.location.strip("/")
        return f"{location}/" if location else ""

    def _key(self, name: str) -> str:
        key: str = self._storage._normalize_name(clean_name(name))
        return key

    def _parameters(self, name: str) -> dict[str, Any]:
        own: dict[str, Any] = self._storage.get_object_parameters(name)
        return {key: value for key, value in own.items() if key not in _UPLOAD_ONLY}


class translated:
    """Turn what boto3 raises into the errors of lazyimages."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, (ClientError, *FAILURES)):
            raise_ours(error)


def raise_ours(error: Exception) -> NoReturn:
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
    if code in ("AccessDenied", "403"):
        raise AccessDenied(str(error)) from error
    raise StorageUnavailable(f"{type(error).__name__}: {error}") from error
