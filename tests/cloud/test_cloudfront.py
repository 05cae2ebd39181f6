"""CloudFront's API as a child process: what it answers, and what it leaves alone."""

import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

from marketplace.cloud.children import Child
from marketplace.cloud.cloudfront import start_cloudfront
from tests.cloud.distributions import OPTIMIZED, CloudFront, website_origin
from tests.cloud.tools import fetch
from tests.processes import sockets

pytestmark = pytest.mark.chain


def test_it_knows_distributions_and_the_managed_policies(cloudfront: CloudFront) -> None:
    made = cloudfront.create(website_origin("some-bucket"))
    policy = cloudfront.client.get_cache_policy(Id=OPTIMIZED)["CachePolicy"]["CachePolicyConfig"]

    assert made["Status"] == "Deployed"
    assert (policy["Name"], policy["MinTTL"]) == ("Managed-CachingOptimized", 1)


def test_its_account_is_that_of_the_other_services(cloudfront: CloudFront, s3_server: Child) -> None:
    keys = {"aws_access_key_id": "demo", "aws_secret_access_key": "demo", "region_name": "us-east-1"}
    account = boto3.client("sts", endpoint_url=s3_server.url, **keys).get_caller_identity()["Account"]

    arn = cloudfront.create(website_origin("some-bucket"))["ARN"]

    assert arn.startswith(f"arn:aws:cloudfront::{account}:distribution/")


def test_other_services_are_off(cloudfront_server: Child) -> None:
    scope = "Credential=demo/20260101/us-east-1/sqs/aws4_request"
    signed = f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"
    assert fetch(f"{cloudfront_server.url}/?Action=ListQueues", Authorization=signed).status >= 400


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_it_opens_one_port_of_this_machine_alone(cloudfront_server: Child) -> None:
    own, listening = sockets(cloudfront_server.pid), []
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            unconnected = fields[3] in ("0A", "07")  # TCP_LISTEN, and TCP_CLOSE, which is a UDP socket's
            if unconnected and fields[9] in own:
                listening.append((table, fields[1]))

    port = urlsplit(cloudfront_server.url).port
    assert listening == [("tcp", f"0100007F:{port:04X}")]


def test_it_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its state would be in STATE_DIR and S3_DATA_DIR, and its log and process id in the temporary folder."""
    monkeypatch.setenv("PERSIST_STATE", "1")
    monkeypatch.setenv("STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    before = set(Path(tempfile.gettempdir()).glob("ministack*"))
    with start_cloudfront() as child:
        client = boto3.client(
            "cloudfront",
            endpoint_url=child.url,
            region_name="us-east-1",
            aws_access_key_id="demo",
            aws_secret_access_key="demo",
        )
        CloudFront(client).create(website_origin("some-bucket"))

    assert list(tmp_path.iterdir()) == []
    assert set(Path(tempfile.gettempdir()).glob("ministack*")) == before


def test_its_output_goes_to_a_log(tmp_path: Path) -> None:
    with start_cloudfront(log=tmp_path / "cloudfront.log") as child:
        assert child.url in (tmp_path / "cloudfront.log").read_text()
        assert child.stop() == 0


def test_a_taken_port_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        start_cloudfront(port=taken.getsockname()[1])


def test_it_ends_with_its_starter() -> None:
    code = "from marketplace.cloud.cloudfront import start_cloudfront; print(start_cloudfront().url)"
    done: Any = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    address = urlsplit(done.stdout.strip())

    deadline = time.monotonic() + 15
    while (answers := _answers(address.hostname, address.port)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not answers


def _answers(*address: Any) -> bool:
    with socket.socket() as client:
        return client.connect_ex(address) == 0
