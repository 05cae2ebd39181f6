"""Measuring on S3: one request a row, of 64 KiB at the most; two where that is not enough."""

import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from botocore import handlers
from django.core.management import call_command
from PIL import Image

from lazyimages import storage
from lazyimages.operations.measuring import headers
from tests.conftest import BUCKET
from tests.engine import pictures
from tests.engine.test_orientation import stored
from tests.host.models import Blurred, Photo
from tests.operations.test_measure_headers import TURNED

pytestmark = pytest.mark.django_db

PICTURE = pictures.photo(700, 500)  # of noise, so that its files are larger than a beginning


@pytest.fixture
def lengths() -> Iterator[list[int]]:
    """Record how many bytes each answer to GetObject has."""
    found: list[int] = []

    def record(parsed: Any, **kwargs: Any) -> None:
        if "ContentLength" in parsed:
            found.append(parsed["ContentLength"])

    entry = ("after-call.s3.GetObject", record)
    handlers.BUILTIN_HANDLERS.append(entry)
    yield found
    handlers.BUILTIN_HANDLERS.remove(entry)


def photo(name: str, data: bytes) -> None:
    storage.put_original(name, data, "image/jpeg")
    Photo.objects.create(image=name)


def measure(*arguments: str) -> dict[str, Any]:
    out = StringIO()
    call_command("lazyimages_measure", "--format", "json", *arguments, stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


@pytest.fixture
def calls(s3: Any, s3_calls: list[str]) -> list[str]:
    return s3_calls


def large(format: str) -> bytes:
    if format == "HEIC":
        data = TURNED["heic"](6)
        return data + b"\0\0\0\0free" + b"\0" * 99_000  # a box up to the end
    options = {"WEBP": {"quality": 98}, "AVIF": {"quality": 98, "speed": 10}, "JPEG": {"quality": 96}}
    data = pictures.saved(PICTURE, format, **options.get(format, {}))
    assert len(data) > headers.MOST
    return data


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "HEIC"])
def test_one_request_of_64_kib_in_every_format(format: str, calls: list[str], lengths: list[int]) -> None:
    photo("a/1.img", large(format))
    calls.clear()
    found = measure()
    assert calls == ["GetObject"]
    assert lengths == [64 * 1024]
    assert (found["done"], found["bytes_read"], found["whole_files"]) == (1, 64 * 1024, 0)
    expected = (240, 160) if format == "HEIC" else PICTURE.size
    assert Photo.objects.values_list("width", "height").get() == expected


def test_twenty_megabytes(calls: list[str], lengths: list[int]) -> None:
    photo("a/1.jpg", stored(PICTURE, 6, "JPEG") + bytes(20 * 2**20))
    calls.clear()
    assert measure()["bytes_read"] == sum(lengths) == 64 * 1024
    assert calls == ["GetObject"]
    assert Photo.objects.values_list("width", "height").get() == PICTURE.size


@pytest.mark.parametrize("kind", ["jpeg-thumbnails", "png-text", "tiff-deflate"])
def test_two_requests_where_the_header_is_further_back(
    kind: str, calls: list[str], lengths: list[int]
) -> None:
    data = TURNED[kind](6)
    photo("a/1.img", data)
    photo("a/2.jpg", large("JPEG"))
    calls.clear()
    found = measure("--concurrency", "1")
    assert calls == ["GetObject"] * 3
    assert lengths == [64 * 1024, len(data), 64 * 1024]
    assert (found["done"], found["files"], found["whole_files"]) == (2, 2, 1)
    assert found["bytes_read"] == 2 * 64 * 1024 + len(data)
    assert list(Photo.objects.order_by("pk").values_list("width", flat=True)) == [240, 700]


def test_small_and_empty_and_missing_ones(s3: Any, calls: list[str]) -> None:
    """An empty object has no range of bytes: S3 refuses that with 416."""
    photo("a/small.png", pictures.saved(Image.new("RGB", (3, 2)), "PNG"))
    photo("a/empty.jpg", b"")
    photo("a/gone.jpg", b"x")
    s3.delete_object(Bucket=BUCKET, Key="a/gone.jpg")
    calls.clear()
    with pytest.raises(SystemExit) as end:
        call_command("lazyimages_measure", stdout=StringIO())
    assert end.value.code == 1
    assert calls == ["GetObject"] * 3
    assert Photo.objects.get(image="a/small.png").width == 3


def test_a_placeholder_is_one_request_of_all_of_it(calls: list[str]) -> None:
    data = large("JPEG")
    storage.put_original("b/1.jpg", data, "image/jpeg")
    Blurred.objects.create(image="b/1.jpg")
    calls.clear()
    found = measure("--placeholder")
    assert calls == ["GetObject"]
    assert (found["bytes_read"], found["whole_files"]) == (len(data), 1)
    row = Blurred.objects.get()
    assert (row.width, len(row.placeholder) > 20) == (700, True)
