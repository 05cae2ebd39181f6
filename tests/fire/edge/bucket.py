"""S3 by s3rver, which really serves a website's routing rules.

What it does not do, read from its source (3.7.1): it knows no bucket policy, so everything in a bucket is
public and nothing is ever 403; of the routing rules it follows those without an error code and those for
404; a key goes into Location unescaped; an object can be read while it is being written. The host decides
what a request meets: NAME.s3-website.test the website, NAME.s3.test the REST API.
"""

import functools
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import boto3
from botocore.config import Config
from storages.backends.s3 import S3Storage

from lazyimages.aws import documents
from marketplace.cloud.children import Child, start_child
from tests.npm import installed

NODE = Path(__file__).parent / "node"
SUFFIX = "test"  # RFC 6761: nobody's; s3rver takes it for amazonaws.com
CREDENTIALS = "S3RVER"  # the only ones that s3rver knows
REGION = "eu-central-1"


def start_s3rver(folder: Path, *, port: int = 0) -> Child:
    """Start s3rver on 127.0.0.1 with its objects below `folder`."""
    program = installed(NODE, "s3rver") / "s3rver" / "bin" / "s3rver.js"
    options = ["--directory", str(folder), "--address", "127.0.0.1", "--port", str(port)]
    return start_child(
        ["node", str(program), *options, "--service-endpoint", SUFFIX], ready="S3rver listening on"
    )


def address(s3rver: Child) -> str:
    """Return the host and port at which s3rver answers."""
    found = re.search(r"127\.0\.0\.1:\d+", s3rver.ready_line)
    assert found, s3rver.ready_line
    return found[0]


@functools.cache
def storage(bucket_name: str, endpoint: str) -> S3Storage:
    """Return the one storage of a bucket, as the shop has it: a client is dear to make."""
    return S3Storage(
        bucket_name=bucket_name,
        region_name=REGION,
        endpoint_url=endpoint,
        access_key=CREDENTIALS,
        secret_key=CREDENTIALS,
        querystring_auth=False,
        client_config=_client_config(),
    )


def _client_config() -> Config:
    return Config(s3={"addressing_style": "path"}, connect_timeout=2, read_timeout=5)


class Bucket:
    """A bucket of s3rver: its objects, and where website and REST API are found."""

    def __init__(self, name: str, address: str, folder: Path) -> None:
        self.name = name
        self.address = address
        self.endpoint = f"http://{address}"
        self.website_host = f"{name}.s3-website.{SUFFIX}"
        self.rest_host = f"{name}.s3.{SUFFIX}"
        self._folder = folder
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=CREDENTIALS,
            aws_secret_access_key=CREDENTIALS,
            config=_client_config(),
        )
        if not (folder / name).exists():
            self.client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})

    def route_to(self, resizer_url: str) -> None:
        """Give the bucket the website that `lazyimages_setup_bucket` gives it."""
        website = documents.merge_website(None, documents.routing_rules(resizer_url))
        self.client.put_bucket_website(Bucket=self.name, WebsiteConfiguration=website)

    @contextmanager
    def without_rules(self) -> Iterator[None]:
        """Take the routing rules away for a while."""
        held = self.client.get_bucket_website(Bucket=self.name)
        website = {"IndexDocument": held["IndexDocument"]}
        self.client.put_bucket_website(Bucket=self.name, WebsiteConfiguration=website)
        yield
        website["RoutingRules"] = held["RoutingRules"]
        self.client.put_bucket_website(Bucket=self.name, WebsiteConfiguration=website)

    def get(self, key: str) -> bytes | None:
        """Return an object's bytes."""
        try:
            return self.client.get_object(Bucket=self.name, Key=unquote(key))["Body"].read()
        except self.client.exceptions.NoSuchKey:
            return None

    def put(self, key: str, data: bytes) -> None:
        """Store an object."""
        self.client.put_object(Bucket=self.name, Key=key, Body=data, ContentType="image/jpeg")

    def delete(self, key: str) -> None:
        """Delete an object, as a lifecycle rule does."""
        assert self.get(key) is not None, f"{key} is not in the bucket"
        self.client.delete_object(Bucket=self.name, Key=unquote(key))

    def age(self, key: str, seconds: float) -> None:
        """Have an object's Last-Modified lie in the past: it is its file's mtime."""
        path = self._folder / self.name / f"{key}._S3rver_object"
        then = time.time() - seconds
        os.utime(path, (then, then))
