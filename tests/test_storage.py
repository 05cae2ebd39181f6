"""Storages: what is written appears whole or not at all, and every failure has its own error."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, InMemoryStorage, storages

from lazyimages import storage
from lazyimages.exceptions import ImageTooLarge, NotDeleted, OriginalNotFound, StorageUnavailable
from tests.clock import PATIENCE
from tests.conftest import BUCKET, wait_until

KEY = "produs_1/360x270/bowl.jpg"
KINDS = ("filesystem", "s3", "generic")
DATE = "Mon, 23 Nov 2026 10:00:00 GMT"


class OverwritingMemory(InMemoryStorage):
    """A storage that lazyimages knows nothing of, and that keeps the names it is given."""

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        self.delete(name)
        return name


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest, settings: Any) -> str:
    if request.param == "s3":
        request.getfixturevalue("s3")
    if request.param == "generic":
        memory = {"BACKEND": "tests.test_storage.OverwritingMemory"}
        settings.STORAGES = {**settings.STORAGES, "default": memory, "lazyimages": memory}
    return request.param


def test_put_get_overwrite_delete(kind: str) -> None:
    assert storage.get_variant(KEY) is None
    storage.put_variant(KEY, b"one", "image/jpeg")
    storage.put_variant(KEY, b"another", "image/jpeg")
    stored = storage.get_variant(KEY)
    assert stored is not None
    assert stored.data == b"another"
    assert stored.etag == '"b32d73e56ec99bc5ec8f83871cde708a"'
    storage.delete([KEY, "not/480h/there.jpg"])
    assert storage.get_variant(KEY) is None


def test_iter_keys(kind: str) -> None:
    names = ["a/360x270/x.jpg", "a/360x270/y.jpg", "a/480h/x.jpg", "b/480h/z.jpg"]
    for name in names:
        storage.put_variant(name, b"x", "image/jpeg")
    assert sorted(storage.iter_keys()) == names
    assert sorted(storage.iter_keys("a/360x270/")) == names[:2]
    assert sorted(storage.iter_keys("a/3")) == names[:2]
    assert list(storage.iter_keys("none/")) == []


def test_originals(kind: str) -> None:
    storage.put_original("a/b.jpg", b"12345", "image/jpeg")
    assert storage.get_original("a/b.jpg", limit=5) == b"12345"
    with pytest.raises(ImageTooLarge):
        storage.get_original("a/b.jpg", limit=4)
    with pytest.raises(OriginalNotFound):
        storage.get_original("a/c.jpg", limit=5)
    assert list(storage.iter_originals("a/")) == ["a/b.jpg"]


def test_copy_original(kind: str) -> None:
    storage.put_original("a/b.jpg", b"12345", "image/jpeg")
    storage.copy_original("a/b.jpg", "new/c.jpg")
    storage.delete_with_original("a/b.jpg", [])
    assert storage.get_original("new/c.jpg", limit=5) == b"12345"
    assert list(storage.iter_originals()) == ["new/c.jpg"]
    with pytest.raises(OriginalNotFound, match=r"a/b\.jpg"):
        storage.copy_original("a/b.jpg", "new/d.jpg")
    assert list(storage.iter_originals()) == ["new/c.jpg"]


def test_copies_of_files_take_no_room_and_keep_their_rights(tmp_path: Path) -> None:
    storage.put_original("a/b.jpg", b"12345", "image/jpeg")
    (tmp_path / "originals" / "a" / "b.jpg").chmod(0o640)
    storage.copy_original("a/b.jpg", "a/c.jpg")
    one, other = (tmp_path / "originals" / "a" / name for name in ("b.jpg", "c.jpg"))
    assert one.samefile(other)
    assert other.stat().st_mode & 0o777 == 0o640


def test_copies_where_there_are_no_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On FAT, between file systems, or for a file of somebody else's (protected_hardlinks)."""
    storage.put_original("a/b.jpg", b"12345", "image/jpeg")
    link = os.link

    def refuse(source: Any, target: Any, **options: Any) -> None:
        if "src_dir_fd" not in options:  # by which a new file gets its name
            raise OSError(1, "Operation not permitted")
        link(source, target, **options)

    monkeypatch.setattr(os, "link", refuse)
    storage.copy_original("a/b.jpg", "a/c.jpg")
    one, other = (tmp_path / "originals" / "a" / name for name in ("b.jpg", "c.jpg"))
    assert not one.samefile(other)
    assert other.read_bytes() == b"12345"


def test_copies_of_links_are_files(tmp_path: Path) -> None:
    storage.put_original("a/b.jpg", b"12345", "image/jpeg")
    (tmp_path / "originals" / "a" / "link.jpg").symlink_to("b.jpg")
    (tmp_path / "elsewhere").write_bytes(b"secret")
    (tmp_path / "originals" / "a" / "out.jpg").symlink_to(tmp_path / "elsewhere")
    storage.copy_original("a/link.jpg", "a/c.jpg")
    assert not (tmp_path / "originals" / "a" / "c.jpg").is_symlink()
    assert storage.get_original("a/c.jpg", limit=5) == b"12345"
    with pytest.raises(OriginalNotFound):
        storage.copy_original("a/out.jpg", "a/d.jpg")


def test_find(kind: str) -> None:
    names = ["a/360x270/x.jpg", "a/360x270/x.jpg.webp", "a/480h/x.jpg"]
    for name in [*names, "a/360x270/x.jpg.jpg"]:
        storage.put_variant(name, b"x" * len(name), "image/jpeg")
    found = list(storage.find(sorted([*names, "a/1280w/x.jpg", "a/1280w/" + "y" * 300 + ".jpg"])))
    assert {(entry.name, entry.size) for entry in found} == {(name, len(name)) for name in names}
    assert all(entry.modified is not None and entry.modified.tzinfo for entry in found)
    assert list(storage.find([])) == []


def test_find_on_s3_is_no_more_than_a_listing(s3: Any, s3_calls: list[str], monkeypatch: Any) -> None:
    """And no more than there are names, however far they are from each other."""
    for number in range(2100):
        s3.put_object(Bucket=BUCKET, Key=f"a/360x270/{number:04}.jpg", Body=b"x")
    names = [f"a/360x270/{number:04}.jpg" for number in range(2100)]
    for wanted, requests in (
        (names, 3),
        ([names[0], names[2099], "b/480h/x.jpg"], 2),
        (["a/360x270/00005.jpg", "a/360x270/0001.jpg"], 1),
        (["b/480h/x.jpg"], 1),
    ):
        s3_calls.clear()
        assert [entry.name for entry in storage.find(wanted)] == [name for name in wanted if name in names]
        assert len(s3_calls) <= requests


def test_find_among_names_that_begin_alike(s3: Any) -> None:
    """More than a page of them stand before the name, between it and where the listing begins."""
    for number in range(1100):
        s3.put_object(Bucket=BUCKET, Key=f"a/360x270/x.jp-{number:04}", Body=b"x")
    s3.put_object(Bucket=BUCKET, Key="a/360x270/x.jpg", Body=b"x")
    assert [entry.name for entry in storage.find(["a/360x270/x.jpg"])] == ["a/360x270/x.jpg"]


NAMES = ["a.jpg", "a/480h/b.jpg", "a/b.jpg", "a/é.jpg", "a0.jpg", "b/c/d.jpg", "b/c0.jpg", "z.jpg"]


@pytest.mark.parametrize("prefix", ["", "a", "a/", "b/c", "none"])
@pytest.mark.parametrize("after", ["", "a.jpg", "a/b", "a/b.jpg", "b/c/d.jpg", "zz"])
def test_entries_are_in_order_and_go_on_after_a_name(kind: str, prefix: str, after: str) -> None:
    for name in reversed(NAMES):
        storage.put_variant(name, b"x" * len(name), "image/jpeg")
    found = list(storage.entries(prefix, after))
    assert [entry.name for entry in found] == [
        name for name in NAMES if name.startswith(prefix) and name > after
    ]
    assert all(entry.size == len(entry.name) for entry in found)


@pytest.mark.parametrize(("length", "whole"), [(0, True), (64, True), (65, False), (100_000, False)])
def test_the_start_of_an_original(kind: str, length: int, whole: bool) -> None:
    data = bytes(number % 251 for number in range(length))
    storage.put_original("a/b.jpg", data, "image/jpeg")
    assert storage.start_of_original("a/b.jpg", 64) == storage.Start(data=data[:64], whole=whole)
    with pytest.raises(OriginalNotFound):
        storage.start_of_original("a/none.jpg", 64)


def test_what_cannot_be_deleted_is_named(settings: Any, tmp_path: Path) -> None:
    for name in ("a/1.jpg", "a/2.jpg/x.jpg", "a/3.jpg"):
        storage.put_variant(name, b"x", "image/jpeg")
    with pytest.raises(NotDeleted) as error:
        storage.delete(["a/1.jpg", "a/2.jpg", "a/3.jpg"])
    assert list(error.value.names) == ["a/2.jpg"]
    assert list(storage.iter_keys()) == ["a/2.jpg/x.jpg"]


def test_s3_object_has_the_headers_and_no_acl(s3: Any, settings: Any) -> None:
    options = settings.STORAGES["lazyimages"]["OPTIONS"]
    parameters = {"ACL": "public-read", "ContentDisposition": "inline", "CacheControl": "no-cache"}
    changed = {**options, "object_parameters": parameters, "default_acl": "public-read"}
    settings.STORAGES = {
        **settings.STORAGES,
        "lazyimages": {**settings.STORAGES["lazyimages"], "OPTIONS": changed},
    }
    storage.put_variant(KEY, b"x", "image/webp")
    head = s3.head_object(Bucket=BUCKET, Key=KEY)
    assert head["ContentType"] == "image/webp"
    assert head["CacheControl"] == "public, max-age=31536000, immutable"
    assert head["ContentDisposition"] == "inline"
    grants = s3.get_object_acl(Bucket=BUCKET, Key=KEY)["Grants"]
    assert all("URI" not in grant["Grantee"] for grant in grants)


def s3_tags(s3: Any, key: str) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in s3.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"]}


def test_s3_variants_that_expire_get_a_tag_in_the_same_request(
    s3: Any, s3_calls: list[str], lazy: Callable[..., None]
) -> None:
    lazy(EXPIRE_VARIANTS_DAYS=90)
    storage.put_variant(KEY, b"x", "image/jpeg")
    storage.put_original("a/b.jpg", b"x", "image/jpeg")
    assert s3_calls == ["PutObject", "PutObject"]
    assert s3_tags(s3, KEY) == {"lazyimages": "variant"}
    assert s3_tags(s3, "a/b.jpg") == {}


def test_s3_variants_that_do_not_expire_get_none(s3: Any) -> None:
    storage.put_variant(KEY, b"x", "image/jpeg")
    assert s3_tags(s3, KEY) == {}


def test_s3_tags_of_the_storage_are_kept(s3: Any, settings: Any, lazy: Callable[..., None]) -> None:
    options = {
        **settings.STORAGES["lazyimages"]["OPTIONS"],
        "object_parameters": {"Tagging": "team=a%2Bb+at+shop&empty=&lazyimages=no"},
    }
    own = {**settings.STORAGES["lazyimages"], "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "lazyimages": own, "default": own}
    theirs = {"team": "a+b at shop", "empty": "", "lazyimages": "no"}
    storage.put_variant(KEY, b"x", "image/jpeg")
    assert s3_tags(s3, KEY) == theirs
    lazy(EXPIRE_VARIANTS_DAYS=90)
    storage.put_variant(KEY, b"x", "image/jpeg")
    storage.put_original("a/b.jpg", b"x", "image/jpeg")
    assert s3_tags(s3, KEY) == {**theirs, "lazyimages": "variant"}
    assert s3_tags(s3, "a/b.jpg") == theirs


def test_s3_location_of_originals(s3: Any, settings: Any) -> None:
    options = {**settings.STORAGES["default"]["OPTIONS"], "location": "uploads"}
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {**settings.STORAGES["default"], "OPTIONS": options},
    }
    storage.put_original("a/b.jpg", b"x", "image/jpeg")
    assert s3.get_object(Bucket=BUCKET, Key="uploads/a/b.jpg")["Body"].read() == b"x"
    assert list(storage.iter_originals()) == ["a/b.jpg"]


def test_s3_deletes_by_the_thousand(s3: Any, s3_calls: list[str]) -> None:
    storage.put_variant(KEY, b"x", "image/jpeg")
    s3_calls.clear()
    storage.delete([KEY, *(f"a/480h/{number}.jpg" for number in range(1500))])
    assert s3_calls == ["DeleteObjects", "DeleteObjects"]
    assert storage.get_variant(KEY) is None


def test_s3_client_is_one_a_process(s3: Any) -> None:
    from lazyimages.storage.s3 import client

    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(client(storages["lazyimages"]))) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 20
    assert len(set(map(id, found))) == 1


def test_s3_client_is_not_shared_across_a_fork(s3: Any) -> None:
    from lazyimages.storage.s3 import client

    before = client(storages["lazyimages"])
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write_end, b"same" if client(storages["lazyimages"]) is before else b"other")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read_end, 10) == b"other"


@pytest.fixture
def silent_server() -> Iterator[int]:
    """A socket that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def s3_at(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    from botocore.config import Config

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")

    def point(port: int, **config: Any) -> None:
        once = {"connect_timeout": 60, "read_timeout": 60, "retries": {"total_max_attempts": 1}}
        options = {
            "bucket_name": BUCKET,
            "region_name": "eu-central-1",
            "endpoint_url": f"http://127.0.0.1:{port}",
            "client_config": Config(**{**once, **config}),
        }
        entry = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
        settings.STORAGES = {**settings.STORAGES, "default": entry, "lazyimages": entry}

    return point


def test_s3_that_never_answers(silent_server: int, s3_at: Callable[..., None]) -> None:
    s3_at(silent_server, read_timeout=0.3)
    started = time.monotonic()
    for call in (
        lambda: storage.get_variant(KEY),
        lambda: storage.get_original("a.jpg", limit=9),
        lambda: storage.put_variant(KEY, b"x", "image/jpeg"),
        lambda: storage.delete([KEY]),
        lambda: storage.copy_original("a.jpg", "b.jpg"),
        lambda: list(storage.find([KEY])),
        lambda: list(storage.iter_keys()),
    ):
        with pytest.raises(StorageUnavailable):
            call()
    assert time.monotonic() - started < 60


def test_s3_that_never_answers_over_http(silent_server: int, s3_at: Callable[..., None], client: Any) -> None:
    s3_at(silent_server, read_timeout=0.3)
    response = client.get(f"/images/v/{KEY}")
    assert (response.status_code, response["Retry-After"]) == (503, "5")


def test_s3_that_is_not_there(s3_at: Callable[..., None]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    s3_at(port)
    with pytest.raises(StorageUnavailable):
        storage.get_variant(KEY)


def answering(status: str, body: bytes, length: int | None = None) -> Iterator[int]:
    """Answer every request with one canned response, as a bucket in trouble does."""
    size = len(body) if length is None else length
    with speaking(
        lambda connection: connection.sendall(head(status, f"Content-Length: {size}") + body)
    ) as port:
        yield port


def head(status: str, *headers: str) -> bytes:
    lines = (f"HTTP/1.1 {status}", "Connection: close", f"Last-Modified: {DATE}", *headers, "", "")
    return "\r\n".join(lines).encode()


@contextmanager
def speaking(speak: Callable[[socket.socket], None], *, requests: list[bytes] | None = None) -> Iterator[int]:
    """Have `speak` answer every connection, once its request has begun; gives the port.

    What the requests begin with is added to `requests`.
    """
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                connection.settimeout(PATIENCE)
                beginning = connection.recv(65536)
                if requests is not None:
                    requests.append(beginning)
                speak(connection)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield server.getsockname()[1]
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


@pytest.fixture
def refusing_server() -> Iterator[int]:
    body = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
    yield from answering("403 Forbidden", body)


def test_access_denied(refusing_server: int, s3_at: Callable[..., None]) -> None:
    """Without ListBucket S3 says so of a missing object."""
    s3_at(refusing_server)
    assert storage.get_variant(KEY) is None
    with pytest.raises(StorageUnavailable, match="ListBucket"):
        storage.get_original("a.jpg", limit=9)
    with pytest.raises(StorageUnavailable):
        storage.put_variant(KEY, b"x", "image/jpeg")
    with pytest.raises(StorageUnavailable, match="s3:GetObject and s3:PutObject on the originals"):
        storage.copy_original("a.jpg", "b.jpg")


@pytest.fixture
def skewed_server() -> Iterator[int]:
    yield from answering("403 Forbidden", b"<Error><Code>RequestTimeTooSkewed</Code></Error>")


def test_other_refusals_are_not_a_missing_variant(skewed_server: int, s3_at: Callable[..., None]) -> None:
    s3_at(skewed_server)
    with pytest.raises(StorageUnavailable):
        storage.get_variant(KEY)


@pytest.fixture
def cutting_server() -> Iterator[int]:
    yield from answering("200 OK", b"only the beginning", length=1000)


def test_a_body_that_is_cut_short(cutting_server: int, s3_at: Callable[..., None]) -> None:
    s3_at(cutting_server)
    with pytest.raises(StorageUnavailable):
        storage.get_original("a.jpg", limit=5000)


def chunked(*pieces: bytes, end: bytes = b"0\r\n\r\n") -> Callable[[socket.socket], None]:
    """Answer in chunks, without a Content-Length, as some of S3's imitators do."""
    body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + end
    return lambda connection: connection.sendall(head("200 OK", "Transfer-Encoding: chunked") + body)


def test_a_body_in_chunks(s3_at: Callable[..., None]) -> None:
    with speaking(chunked(b"a" * 5000, b"b" * 5000)) as port:
        s3_at(port)
        assert storage.get_original("a.jpg", limit=10_000) == b"a" * 5000 + b"b" * 5000
        with pytest.raises(ImageTooLarge):
            storage.get_original("a.jpg", limit=9_999)


@pytest.mark.parametrize("end", [b"", b"3e8\r\nbeg"])
def test_chunks_that_are_cut_short(s3_at: Callable[..., None], end: bytes) -> None:
    with speaking(chunked(b"a" * 5000, end=end)) as port:
        s3_at(port)
        with pytest.raises(StorageUnavailable):
            storage.get_variant(KEY)


@pytest.mark.parametrize("sent, whole", [(b"as it was stored", True), (b"as it was spoilt", False)])
def test_the_checksum_is_compared(s3_at: Callable[..., None], sent: bytes, whole: bool) -> None:
    """S3 announces it for what was stored with one, as boto3 does."""
    checksum = b64encode(zlib.crc32(b"as it was stored").to_bytes(4, "big")).decode()
    headers = (f"Content-Length: {len(sent)}", f"x-amz-checksum-crc32: {checksum}")
    with speaking(lambda connection: connection.sendall(head("200 OK", *headers) + sent)) as port:
        s3_at(port)
        if whole:
            assert storage.get_original("a.jpg", limit=100) == sent
        else:
            with pytest.raises(StorageUnavailable, match="checksum"):
                storage.get_original("a.jpg", limit=100)


def test_every_put_has_a_checksum(s3_at: Callable[..., None]) -> None:
    """With it S3 stores no body but the one that was meant."""
    requests: list[bytes] = []

    def take(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.recv(65536)
        connection.sendall(head("200 OK", "Content-Length: 0"))

    with speaking(take, requests=requests) as port:
        s3_at(port)
        storage.put_variant(KEY, b"bytes", "image/jpeg")
    (request,) = requests
    assert b"x-amz-checksum-crc32: " + b64encode(zlib.crc32(b"bytes").to_bytes(4, "big")) in request


@pytest.mark.parametrize(("at_once", "each"), [(0, 1000), (500_000, 100), (0, 10)])
def test_a_body_that_trickles_ends_at_the_deadline(
    s3_at: Callable[..., None], at_once: int, each: int
) -> None:
    """At 10, 1 and 0.1 KB a second something always comes, and the whole would take hours."""

    def trickle(connection: socket.socket) -> None:
        connection.sendall(head("200 OK", "Content-Length: 1000000") + b"x" * at_once)
        for _ in range(10 * PATIENCE):
            connection.sendall(b"x" * each)
            time.sleep(0.1)

    with speaking(trickle) as port:
        s3_at(port)
        for read in (
            lambda: storage.get_variant(KEY, deadline=time.monotonic() + 2),
            lambda: storage.get_original("a.jpg", limit=10**7, deadline=time.monotonic() + 2),
        ):
            started = time.monotonic()
            with pytest.raises(StorageUnavailable, match="of 1000000 bytes"):
                read()
            assert time.monotonic() - started < PATIENCE / 2


def test_a_put_that_trickles_ends_at_the_deadline(s3_at: Callable[..., None]) -> None:
    def swallow_slowly(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        while connection.recv(100_000):
            time.sleep(0.1)

    with speaking(swallow_slowly) as port:
        s3_at(port)
        started = time.monotonic()
        with pytest.raises(StorageUnavailable):
            storage.put_variant(KEY, bytes(80_000_000), "image/jpeg", deadline=started + 1)
        assert time.monotonic() - started < 30


def test_no_answer_is_waited_for_beyond_the_deadline(silent_server: int, s3_at: Callable[..., None]) -> None:
    s3_at(silent_server, retries={"mode": "standard", "total_max_attempts": 3})
    for call in (
        lambda: storage.get_variant(KEY, deadline=time.monotonic() + 1),
        lambda: storage.put_variant(KEY, b"x", "image/jpeg", deadline=time.monotonic() + 1),
    ):
        started = time.monotonic()
        with pytest.raises(StorageUnavailable):
            call()
        assert time.monotonic() - started < 30


def test_however_late_it_is_there_is_time_for_one_try(
    s3_at: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    from lazyimages.storage import bodies

    assert 0 < bodies._MOMENT <= 1
    monkeypatch.setattr(bodies, "_MOMENT", PATIENCE)
    with speaking(chunked(b"bytes")) as port:
        s3_at(port)
        assert storage.get_original("a.jpg", limit=10, deadline=time.monotonic() - 1) == b"bytes"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nLast-Modified: yesterday\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 503 Slow Down\r\nContent-Length: 900\r\n\r\n<Error><Code>Slow",
        b"HTTP/1.1 500 Oh\r\nContent-Length: 15\r\nConnection: close\r\n\r\n<html>Oh</html>",
        b"HTTP/1.1 200 OK\r\n\r\nthe beginning",
        b"\x16\x03\x01\x00",
    ],
)
def test_an_answer_that_is_none(s3_at: Callable[..., None], answer: bytes) -> None:
    with speaking(lambda connection: connection.sendall(answer)) as port:
        s3_at(port)
        with pytest.raises(StorageUnavailable):
            storage.get_variant(KEY)
        with pytest.raises(StorageUnavailable):
            storage.get_original("a.jpg", limit=100)


def test_a_storage_that_renames_is_found_out(settings: Any) -> None:
    memory = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    settings.STORAGES = {**settings.STORAGES, "lazyimages": memory}
    storages["lazyimages"].save(KEY, ContentFile(b"in the way"))
    with pytest.raises(StorageUnavailable, match="overwrites"):
        storage.put_variant(KEY, b"x", "image/jpeg")
    assert list(storage.iter_keys()) == [KEY]


def test_variants_fall_back_to_default(settings: Any, tmp_path: Path) -> None:
    stores = {name: entry for name, entry in settings.STORAGES.items() if name != "lazyimages"}
    settings.STORAGES = stores
    storage.put_variant(KEY, b"x", "image/jpeg")
    assert (tmp_path / "originals" / KEY).read_bytes() == b"x"


def test_files_get_djangos_permissions(settings: Any, tmp_path: Path) -> None:
    settings.FILE_UPLOAD_PERMISSIONS = 0o640
    settings.FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o2750
    storage.put_variant(KEY, b"x", "image/jpeg")
    path = tmp_path / "variants" / KEY
    assert path.stat().st_mode & 0o7777 == 0o640
    assert path.parent.stat().st_mode & 0o7777 == 0o2750
    assert path.parent.parent.stat().st_mode & 0o7777 == 0o2750


def test_names_that_lead_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    assert storage.get_variant("../secret.jpg") is None


WRITER = """
import sys, django
from django.conf import settings
settings.configure()
django.setup()
from django.core.files.storage import FileSystemStorage
from lazyimages.storage.filesystem import FileSystemBackend
backend = FileSystemBackend(FileSystemStorage(sys.argv[1]))
print("ready", flush=True)
while True:
    for letter in (b"a", b"b"):
        backend.write("d/360x270/x.jpg", letter * 3_000_000, content_type="image/jpeg", cache_control=None)
"""


def test_killed_while_writing(tmp_path: Path) -> None:
    """SIGKILL at ten moments: readers see a whole file or none, and nothing else is left behind."""
    seen, target = set(), tmp_path / "d" / "360x270" / "x.jpg"
    for number in range(10):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, env={**os.environ}
        )
        assert process.stdout is not None
        process.stdout.readline()
        if number == 5:  # by then there may be none yet, on a slow machine
            wait_until(target.exists)
        time.sleep(0.003 * number)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        found = list(target.parent.iterdir()) if target.parent.exists() else []
        assert {path.name for path in found} <= {"x.jpg"}
        for path in found:
            data = path.read_bytes()
            assert data in (b"a" * 3_000_000, b"b" * 3_000_000)
            seen.add(data[:1])
    assert seen


def test_without_unnamed_files(tmp_path: Path) -> None:
    """Where the file system has no O_TMPFILE, a temporary file beside the target takes its place."""
    from lazyimages.storage import filesystem

    target = tmp_path / "x.jpg"
    filesystem._write_named(target, b"one")
    filesystem._write_named(target, b"two")
    assert target.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [target]
    with pytest.raises(OSError):
        filesystem._write_named(tmp_path / "none" / "x.jpg", b"x")


def test_temporary_files_are_no_keys(tmp_path: Path) -> None:
    directory = tmp_path / "variants" / "a" / "480h"
    directory.mkdir(parents=True)
    (directory / ".lazyimages-0123").write_bytes(b"half")
    assert list(storage.iter_keys()) == []
    assert FileSystemStorage(tmp_path / "variants").exists("a/480h/.lazyimages-0123")
