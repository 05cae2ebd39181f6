"""The variants of one original: which there may be, which there are, and away with them."""

from typing import Any

import pytest

from lazyimages import storage, variants
from lazyimages.exceptions import StorageUnavailable
from lazyimages.signals import variants_purged
from tests.conftest import BUCKET

NAME = "produs_1/bowl.AZ70KuRzw9.jpg"
# S3's listing of one name finds those of others too, when they begin with it.
OTHER = "produs_1/bowl.AZ70KuRzw9.jpg.copy.jpg"


@pytest.fixture(autouse=True)
def _no_presets(lazy: Any) -> None:
    lazy(PRESETS={})


@pytest.fixture
def purged() -> Any:
    """Record what the signal said."""
    heard: list[tuple[str, list[str]]] = []

    def hear(sender: object, original: str, keys: list[str], **kwargs: object) -> None:
        heard.append((original, keys))

    variants_purged.connect(hear)
    yield heard
    variants_purged.disconnect(hear)


@pytest.fixture(params=["filesystem", "s3", "generic"])
def kind(request: pytest.FixtureRequest, settings: Any) -> str:
    if request.param == "s3":
        request.getfixturevalue("s3")
    if request.param == "generic":
        memory = {"BACKEND": "tests.test_storage.OverwritingMemory"}
        settings.STORAGES = {**settings.STORAGES, "default": memory, "lazyimages": memory}
    return str(request.param)


def test_keys_of(lazy: Any) -> None:
    lazy(FORMATS=["avif", "webp"], SIZES=["360x270", "480h"])
    assert variants.keys_of("a/b.jpg") == [
        "a/360x270/b.jpg",
        "a/360x270/b.jpg.avif",
        "a/360x270/b.jpg.webp",
        "a/480h/b.jpg",
        "a/480h/b.jpg.avif",
        "a/480h/b.jpg.webp",
    ]
    assert variants.keys_of("b.webp")[:2] == ["360x270/b.webp", "360x270/b.webp.avif"]
    assert len(variants.keys_of("b.webp")) == 4, "WebP is its native format already"
    assert variants.keys_of("b.tiff")[0] == "360x270/b.tiff.jpg"


@pytest.mark.parametrize(
    "name", ["", "a.jpg.webp", "x/480h/a.jpg", "../a.jpg", "a/notes.txt", "a" * 1020 + ".jpg", "a\0.jpg"]
)
def test_a_name_that_can_have_none(name: str, purged: Any) -> None:
    assert variants.keys_of(name) == []
    assert variants.existing(name) == []
    assert variants.purge(name) == 0
    assert purged == []


def test_existing(lazy: Any, kind: str) -> None:
    lazy(FORMATS=["webp"])
    storage.put_variant("produs_1/480h/bowl.AZ70KuRzw9.jpg.webp", b"12345", "image/webp")
    storage.put_variant("produs_1/360x270/bowl.AZ70KuRzw9.jpg", b"123", "image/jpeg")
    storage.put_variant("produs_1/480h/bowl.AZ70KuRzw9.jpg.avif", b"not allowed any more", "image/avif")
    storage.put_variant(f"produs_1/480h/{OTHER.partition('/')[2]}", b"another's", "image/jpeg")
    one, other = variants.existing(NAME)
    assert (one.key, str(one.size), one.format.name, one.bytes) == (
        "produs_1/360x270/bowl.AZ70KuRzw9.jpg",
        "360x270",
        "jpeg",
        3,
    )
    assert (other.key, str(other.size), other.format.name, other.bytes) == (
        "produs_1/480h/bowl.AZ70KuRzw9.jpg.webp",
        "480h",
        "webp",
        5,
    )
    assert one.modified is not None
    assert one.modified.tzinfo is not None


def test_existing_asks_s3_once(lazy: Any, s3: Any, s3_calls: list[str]) -> None:
    lazy(FORMATS=["avif", "webp"])
    storage.put_variant("produs_1/480h/bowl.AZ70KuRzw9.jpg.webp", b"12345", "image/webp")
    s3_calls.clear()
    assert len(variants.existing(NAME)) == 1
    assert s3_calls == ["ListObjectsV2"]


def test_purge(lazy: Any, kind: str, purged: Any) -> None:
    lazy(FORMATS=["webp"])
    for key in variants.keys_of(NAME)[:3] + variants.keys_of(OTHER)[:1]:
        storage.put_variant(key, b"x", "image/jpeg")
    assert variants.purge(NAME) == 6, "all that the settings allow, of which three were there"
    assert list(storage.iter_keys()) == variants.keys_of(OTHER)[:1]
    assert purged == [(NAME, variants.keys_of(NAME))]


def test_purge_is_one_request_for_a_thousand_keys(
    lazy: Any, s3: Any, s3_calls: list[str], purged: Any
) -> None:
    lazy(SIZES=[f"{width}w" for width in range(1, 502)], FORMATS=["webp"])
    assert variants.purge(NAME) == 1002
    assert s3_calls == ["DeleteObjects", "DeleteObjects"]


def test_a_name_that_is_too_long_with_another_ending(lazy: Any, kind: str) -> None:
    """255 bytes are the most that a file's name may have here; one with .avif behind it cannot exist."""
    lazy(FORMATS=["avif"])
    name = f"a/{'x' * 248}.jpg"
    storage.put_original(name, b"x", "image/jpeg")
    natives = [key for key in variants.keys_of(name) if key.endswith(".jpg")]
    for key in natives:
        storage.put_variant(key, b"x", "image/jpeg")
    assert variants.purge(name) == 2 * len(natives)
    assert variants.existing(name) == []
    variants.purge_with_originals([name])
    assert list(storage.iter_originals()) == []


def test_with_its_original(lazy: Any, kind: str, purged: Any) -> None:
    storage.put_original(NAME, b"x", "image/jpeg")
    storage.put_variant(variants.keys_of(NAME)[0], b"x", "image/jpeg")
    variants.purge_with_originals([NAME])
    assert list(storage.iter_keys()) == []
    assert list(storage.iter_originals()) == []
    assert [original for original, _ in purged] == [NAME]


def test_one_request_with_its_original(s3: Any, s3_calls: list[str]) -> None:
    variants.purge_with_originals([NAME])
    assert s3_calls == ["DeleteObjects"]


def test_two_requests_where_they_are_apart(s3: Any, s3_calls: list[str], settings: Any) -> None:
    options = {**settings.STORAGES["default"]["OPTIONS"], "location": "private"}
    apart = {**settings.STORAGES["default"], "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": apart}
    storage.put_original(NAME, b"x", "image/jpeg")
    s3_calls.clear()
    variants.purge_with_originals([NAME])
    assert s3_calls == ["DeleteObjects", "DeleteObjects"]
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET)


def test_a_receiver_that_fails_stops_nobody(purged: Any) -> None:
    def fail(**kwargs: object) -> None:
        raise RuntimeError("it is broken")

    variants_purged.connect(fail)
    try:
        assert variants.purge(NAME) == 3
    finally:
        variants_purged.disconnect(fail)
    assert len(purged) == 1


def test_a_storage_that_fails(settings: Any, purged: Any) -> None:
    broken = {"BACKEND": "tests.test_variants.Broken"}
    settings.STORAGES = {**settings.STORAGES, "default": broken, "lazyimages": broken}
    for ask in (variants.existing, variants.purge):
        with pytest.raises(StorageUnavailable):
            ask(NAME)
    assert purged == []


class Broken:
    """A storage that is down."""

    def __getattr__(self, name: str) -> Any:
        raise ConnectionError("nobody answers")
