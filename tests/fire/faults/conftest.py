"""A shop on gunicorn, the bucket behind it, and a proxy between the two."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import pytest

from marketplace.cloud.children import Child, start_child
from marketplace.cloud.s3 import start_s3
from tests.fire.faults.proxy import Proxy

ROOT = Path(__file__).resolve().parents[3]
BUCKET = "fault-photos"


@pytest.fixture(scope="module")
def s3_server() -> Iterator[Child]:
    """Run moto's server, with its state in memory."""
    with start_s3() as child:
        yield child


@pytest.fixture(scope="module")
def bucket(s3_server: Child) -> Any:
    """Give a client to the bucket, past the proxy. It keeps every version that was ever stored."""
    client = boto3.client(
        "s3",
        endpoint_url=s3_server.url,
        region_name="eu-central-1",
        aws_access_key_id="faults",
        aws_secret_access_key="faults",
    )
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return client


@pytest.fixture(scope="module")
def proxy(s3_server: Child) -> Iterator[Proxy]:
    """Put the proxy before the bucket."""
    with closing(Proxy(s3_server.url)) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def start_shop(bucket: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Child]]:
    """Start the marketplace on gunicorn, with 2 workers of 4 threads: `start_shop(s3_url)`."""
    started: list[Child] = []

    def start(s3_url: str) -> Child:
        folder = tmp_path_factory.mktemp("shop")
        values = {
            "DJANGO_SETTINGS_MODULE": "marketplace.settings",
            "DATA_DIR": str(folder),
            "TMPDIR": str(folder),
            "DELIVERY": "redirect",
            "CDN_URL": "https://cdn.example",
            "RESIZER_URL": "https://shop.example/images/resizer",
            "AWS_ENDPOINT_URL_S3": s3_url,
            "AWS_STORAGE_BUCKET_NAME": BUCKET,
            "AWS_ACCESS_KEY_ID": "faults",
            "AWS_SECRET_ACCESS_KEY": "faults",
            "AWS_DEFAULT_REGION": "eu-central-1",
        }
        child = start_child(
            [
                *(sys.executable, "-m", "gunicorn", "--config", "python:marketplace.gunicorn"),
                *("--bind", "127.0.0.1:0", "--workers", "2", "--threads", "4", "marketplace.wsgi"),
            ],
            ready="Listening at:",
            env={**os.environ, **values},
            cwd=ROOT,
            log=folder / "gunicorn.log",
        )
        started.append(child)
        return child

    yield start
    for child in started:
        child.stop()
