"""Storages for the tests of reports: on disk and on S3, with originals and variants together and apart."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import BUCKET

PLACES = ("disk, together", "disk, apart", "S3, together", "S3, apart")

Put = Callable[..., None]


def prepare(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> Put:
    """Return what puts files of so many bytes there: `put("360x270/a.jpg", 10, variant=True)`.

    It is for fixtures with the params `PLACES`.
    """
    if request.param.startswith("disk"):
        return on_disk(settings, tmp_path, together="together" in request.param)
    return on_s3(request.getfixturevalue("s3"), settings, together="together" in request.param)


def on_disk(settings: Any, tmp_path: Path, *, together: bool) -> Put:
    """Put files into directories."""
    if together:
        settings.STORAGES = {**settings.STORAGES, "lazyimages": settings.STORAGES["default"]}

    def put(name: str, length: int = 1, *, variant: bool = False) -> None:
        directory = "variants" if variant and not together else "originals"
        path = tmp_path / directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * length)

    return put


def on_s3(client: Any, settings: Any, *, together: bool) -> Put:
    """Put files into one bucket of moto's S3, or into two."""
    if not together:
        client.create_bucket(
            Bucket="originals", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        mine = settings.STORAGES["default"]
        settings.STORAGES = {
            **settings.STORAGES,
            "default": {**mine, "OPTIONS": {**mine["OPTIONS"], "bucket_name": "originals"}},
        }

    def put(name: str, length: int = 1, *, variant: bool = False) -> None:
        bucket = BUCKET if variant or together else "originals"
        client.put_object(Bucket=bucket, Key=name, Body=b"x" * length)

    return put
