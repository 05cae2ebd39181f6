"""Servers of the chain. All listen on 127.0.0.1, and end with the test that started them."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from marketplace.cloud.children import Child, start_child
from marketplace.cloud.s3 import start_s3

ROOT = Path(__file__).resolve().parents[2]
BUCKET = "chain-photos"


@pytest.fixture(scope="session")
def s3_server() -> Iterator[Child]:
    """Run moto's server, with its state in memory."""
    with start_s3() as child:
        yield child


@pytest.fixture
def bucket(s3_server: Child) -> Iterator[Any]:
    """Give a client to an empty bucket that keeps every version, so that PUTs can be counted."""
    client = boto3.client(
        "s3",
        endpoint_url=s3_server.url,
        region_name="eu-central-1",
        aws_access_key_id="chain",
        aws_secret_access_key="chain",
    )
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    yield client
    for version in client.list_object_versions(Bucket=BUCKET).get("Versions", []):
        client.delete_object(Bucket=BUCKET, Key=version["Key"], VersionId=version["VersionId"])
    client.delete_bucket(Bucket=BUCKET)


@pytest.fixture
def gunicorn(s3_server: Child, tmp_path: Path) -> Iterator[Callable[..., Child]]:
    """Start gunicorn with the marketplace on S3: `gunicorn(workers=4, threads=13)`."""
    started: list[Child] = []

    def start(*, workers: int, threads: int, **environment: str) -> Child:
        values = {
            "DJANGO_SETTINGS_MODULE": "marketplace.settings",
            "DATA_DIR": str(tmp_path),
            "TMPDIR": str(tmp_path),
            "DELIVERY": "redirect",
            "CDN_URL": "https://cdn.example",
            "RESIZER_URL": "https://shop.example/images/resizer",
            "AWS_ENDPOINT_URL_S3": s3_server.url,
            "AWS_STORAGE_BUCKET_NAME": BUCKET,
            "AWS_ACCESS_KEY_ID": "chain",
            "AWS_SECRET_ACCESS_KEY": "chain",
            "AWS_DEFAULT_REGION": "eu-central-1",
        }
        child = start_child(
            [
                *(sys.executable, "-m", "gunicorn", "marketplace.wsgi:application"),
                *("--bind", "127.0.0.1:0", "--workers", str(workers), "--threads", str(threads)),
            ],
            ready="Listening at:",
            env={**os.environ, **values, **environment},
            cwd=ROOT,
            log=tmp_path / "gunicorn.log",
        )
        started.append(child)
        return child

    yield start
    for child in started:
        child.stop()
