"""What herds run into. All servers listen on 127.0.0.1, and end with the tests that started them."""

import os
import shutil
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import boto3
import pytest
from PIL import Image

from marketplace.cloud.children import Child
from marketplace.cloud.s3 import start_s3
from tests.fire.herd.redis_server import Redis
from tests.fire.herd.shops import BUCKET, WARM, Bucket, Files, Shop, Store, open_shop, photo


@pytest.fixture(scope="session")
def soak() -> bool:
    """Tell whether the long forms are wanted."""
    return os.environ.get("SOAK") == "1"


@pytest.fixture(scope="session")
def original() -> bytes:
    """Draw the photo of 12 megapixels that herds ask for."""
    return photo()


@pytest.fixture(scope="session")
def small() -> bytes:
    """Draw a photo of 3 megapixels, of which there may be a hundred."""
    return photo(2016, 1512)


@pytest.fixture(scope="session")
def slow(original: bytes) -> bytes:
    """Draw a photo of 48 megapixels, whose render gives a test the time to interfere."""
    quarter = Image.open(BytesIO(original))
    picture = Image.new("RGB", (2 * quarter.width, 2 * quarter.height))
    for corner in ((0, 0), (quarter.width, 0), (0, quarter.height), quarter.size):
        picture.paste(quarter, corner)
    buffer = BytesIO()
    picture.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the module a folder."""
    return tmp_path_factory.mktemp("herd")


@pytest.fixture(scope="module")
def redis(folder: Path) -> Iterator[Redis]:
    """Run a Redis of the tests' own."""
    if shutil.which("redis-server") is None:
        pytest.skip("Redis is missing: apt install redis-server")
    server = Redis(folder)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def s3_server() -> Iterator[Child]:
    """Run moto's server, with its state in memory, which it never gives back: so one a module."""
    with start_s3() as child:
        yield child


@pytest.fixture(scope="module")
def bucket(s3_server: Child, folder: Path) -> Bucket:
    """Make a bucket that keeps every version."""
    client: Any = boto3.client(
        "s3",
        endpoint_url=s3_server.url,
        region_name="eu-central-1",
        aws_access_key_id="herd",
        aws_secret_access_key="herd",
    )
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    store = Bucket(client, s3_server.url, folder)
    store.put_original(WARM, photo(400, 300))
    return store


@pytest.fixture(scope="module", params=["files", "s3"])
def shop(request: pytest.FixtureRequest, folder: Path) -> Iterator[Shop]:
    """Run a shop on each kind of storage in turn."""
    store: Store
    if request.param == "s3":
        store = request.getfixturevalue("bucket")
    else:
        store = Files(folder)
        store.put_original(WARM, photo(400, 300))
    with open_shop(store, folder / f"on-{request.param}") as opened:
        opened.warm()
        yield opened
