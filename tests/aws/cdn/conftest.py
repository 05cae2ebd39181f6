"""Variants in a bucket of ministack, CloudFront before it, and what requests are made of both."""

import io
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore import handlers
from botocore.awsrequest import AWSResponse
from django.core.management import call_command

from lazyimages import conf
from lazyimages.aws import cdn
from lazyimages.aws.cdn import Place
from tests.clock import Clock
from tests.conftest import RESIZER, SIZES

Configure = Callable[..., conf.Settings]
Hook = Callable[[str, Callable[..., Any]], None]

READS = ("Get", "Head", "List")


@pytest.fixture(scope="module")
def cloudfront(ministack: str) -> Any:
    """A client for looking at what is there."""
    return boto3.client(
        "cloudfront",
        endpoint_url=ministack,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


@pytest.fixture(autouse=True)
def _tidy(cloudfront: Any) -> Iterator[None]:
    """Delete the distributions of a test, or each would list those of all before it."""
    before = {entry["Id"] for entry in listed(cloudfront)}
    yield
    for id in {entry["Id"] for entry in listed(cloudfront)} - before:
        answer = cloudfront.get_distribution_config(Id=id)
        disabled = answer["DistributionConfig"] | {"Enabled": False}
        answer = cloudfront.update_distribution(Id=id, IfMatch=answer["ETag"], DistributionConfig=disabled)
        cloudfront.delete_distribution(Id=id, IfMatch=answer["ETag"])


@pytest.fixture
def bucket() -> str:
    return f"photos-{uuid4().hex[:8]}"


@pytest.fixture
def configure(ministack: str, bucket: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Configure:
    """Set delivery and parts of LAZYIMAGES, with the variants in the bucket: `configure("redirect")`."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFRONT", ministack)
    options = {"bucket_name": bucket, "region_name": "eu-central-1", "endpoint_url": ministack}
    s3 = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": s3, "lazyimages": s3}

    def change(delivery: str, **parts: Any) -> conf.Settings:
        settings.LAZYIMAGES = {"SIZES": SIZES, "DELIVERY": delivery, "RESIZER_URL": RESIZER, **parts}
        return conf.settings()

    return change


@pytest.fixture
def place(bucket: str) -> Place:
    return Place(bucket=bucket, region="eu-central-1")


@pytest.fixture
def hook() -> Iterator[Hook]:
    """Have clients that are made afterwards call a handler of botocore's."""
    added: list[tuple[str, Callable[..., Any]]] = []

    def add(event: str, handler: Callable[..., Any]) -> None:
        added.append((event, handler))
        handlers.BUILTIN_HANDLERS.append((event, handler))

    yield add
    for entry in added:
        handlers.BUILTIN_HANDLERS.remove(entry)


@pytest.fixture
def calls(hook: Hook) -> list[str]:
    """Record the operations that clients made afterwards call, of CloudFront and of others."""
    made: list[str] = []
    hook("before-call", lambda model, **kwargs: made.append(model.name))
    return made


@pytest.fixture
def deploys(hook: Hook) -> Callable[[float], None]:
    """Have GetDistribution say InProgress so many times, as AWS does for minutes and ministack never."""
    left = 0.0

    def answer(parsed: dict[str, Any], **kwargs: Any) -> None:
        nonlocal left
        left -= 1
        if left >= 0:
            parsed["Distribution"]["Status"] = "InProgress"

    def set_to(times: float) -> None:
        nonlocal left
        left = times

    hook("after-call.cloudfront.GetDistribution", answer)
    return set_to


@pytest.fixture
def clock(stop_clock: Callable[..., Clock]) -> Clock:
    """Stop the clock by which is waited."""
    return stop_clock(cdn)


def run(*arguments: str, command: str = "lazyimages_setup_cdn") -> str:
    """Run a command and return what it prints."""
    out = io.StringIO()
    call_command(command, *arguments, stdout=out, no_color=True)
    return out.getvalue()


def writes(calls: list[str]) -> list[str]:
    """Return the operations that change something."""
    return [name for name in calls if not name.startswith(READS)]


def error_answer(code: str, status: int) -> Callable[..., AWSResponse]:
    """Answer as CloudFront does: CloudFront API reference, "Common errors"."""
    body = (
        '<?xml version="1.0"?><ErrorResponse xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/">'
        f"<Error><Type>Sender</Type><Code>{code}</Code><Message>As CloudFront says.</Message></Error>"
        "<RequestId>1</RequestId></ErrorResponse>"
    )
    return lambda request, **kwargs: AWSResponse(request.url, status, {}, _Raw(body.encode()))


class _Raw(io.BytesIO):
    def stream(self, **kwargs: Any) -> Iterator[bytes]:
        yield self.read()


def listed(client: Any) -> list[Any]:
    """Return all distributions, as they are listed."""
    return list(client.list_distributions()["DistributionList"].get("Items", []))


def distributions(client: Any, bucket: str) -> list[Any]:
    """Return all distributions that have an origin in the bucket."""
    return [
        client.get_distribution(Id=entry["Id"])["Distribution"]
        for entry in listed(client)
        if any(origin["DomainName"].startswith(f"{bucket}.") for origin in entry["Origins"]["Items"])
    ]
