"""Variants that are too large for Lambda's answer: stored, and the browser sent to where they are.

The AWS fact: an answer of a function ends at 6 MB, base64 included ("Lambda quotas").
"""

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber
from django.core.files.storage import storages
from django.test import Client

from lazyimages.storage.s3 import client
from tests.aws.lambda_events import KINDS, function_url
from tests.aws.test_lambda_events import Answer
from tests.conftest import BUCKET, CDN, jpeg

ORIGINAL = "produs_1/bowl é+.jpg"
KEY = "produs_1/1280w/bowl é+.jpg"
QUOTED = "produs_1/1280w/bowl%20%C3%A9%2B.jpg"
LAMBDA_LIMIT = 6 * 2**20


@pytest.fixture
def ask(
    s3: Any, settings: Any, monkeypatch: pytest.MonkeyPatch, without_database: None
) -> Callable[..., Answer]:
    """Call the handler as one that can carry 1,000 bytes, so that every variant here is too large."""
    settings.ROOT_URLCONF = "lazyimages.aws.lambda_urls"
    settings.ALLOWED_HOSTS = ["*"]
    from lazyimages.aws import lambda_handler

    monkeypatch.setattr(lambda_handler, "MOST_BYTES", 1000)
    s3.put_object(Bucket=BUCKET, Key=ORIGINAL, Body=jpeg())

    def call(target: str, kind: Callable[..., Any] = function_url, **options: Any) -> Answer:
        return Answer(lambda_handler.handler(kind(target, **options), None))

    return call


def check_elsewhere(answer: Answer) -> str:
    assert answer.status == 307
    assert answer["Cache-Control"] == "no-store"
    assert len(answer.body) < 1000
    assert "ETag" not in answer.headers
    return answer["Location"]


def check_presigned(url: str) -> None:
    """That it is the bucket's own address, for a minute, signed by today's version."""
    split = urlsplit(url)
    assert split.hostname == f"{BUCKET}.s3.eu-central-1.amazonaws.com"
    assert split.path == f"/{QUOTED}"
    query = parse_qs(split.query)
    assert query["X-Amz-Expires"] == ["60"]
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_failover(ask: Any, s3: Any, delivery: Callable[..., None], kind: Callable[..., Any]) -> None:
    delivery("failover")
    target = f"/v/{QUOTED}"
    assert check_elsewhere(ask(target, kind)) == f"{CDN}/{QUOTED}"
    stored = s3.get_object(Bucket=BUCKET, Key=KEY)
    assert stored["ContentLength"] > 1000
    # Now the CDN sends somebody here for what is there: its own URL might lead here again.
    check_presigned(check_elsewhere(ask(target, kind)))
    check_presigned(check_elsewhere(ask(target, kind, method="HEAD")))
    unchanged = ask(target, kind, headers={"If-None-Match": stored["ETag"]})
    assert (unchanged.status, unchanged.body) == (304, b"")


def test_redirect(ask: Any, delivery: Callable[..., None]) -> None:
    delivery("redirect")
    made = ask(f"/resizer?key={QUOTED}")
    assert (made.status, made["Location"]) == (301, f"{CDN}/{QUOTED}")
    check_presigned(check_elsewhere(ask(f"/resizer?key={QUOTED}")))


def test_local(ask: Any, delivery: Callable[..., None]) -> None:
    """There the public URL is the function's own, so both go to S3."""
    delivery("local")
    check_presigned(check_elsewhere(ask(f"/v/{QUOTED}")))
    check_presigned(check_elsewhere(ask(f"/v/{QUOTED}")))


@pytest.mark.parametrize("mode, target", [("redirect", "/resizer?key="), ("failover", "/v/")])
def test_what_could_not_be_stored_is_nowhere_else(
    ask: Any, delivery: Callable[..., None], mode: str, target: str
) -> None:
    delivery(mode)
    with Stubber(client(storages["lazyimages"])) as stub:
        stub.add_client_error("get_object", "NoSuchKey", http_status_code=404)
        stub.add_response("get_object", _original())
        stub.add_client_error("put_object", "SlowDown", http_status_code=503)
        answer = ask(f"{target}{QUOTED}")
    assert (answer.status, answer["Retry-After"], answer["Cache-Control"]) == (503, "5", "no-store")


def test_a_storage_without_such_urls(
    ask: Any, settings: Any, delivery: Callable[..., None], tmp_path: Any
) -> None:
    delivery("failover")
    files = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": tmp_path / "variants"},
    }
    settings.STORAGES = {**settings.STORAGES, "lazyimages": files}
    assert check_elsewhere(ask(f"/v/{QUOTED}")) == f"{CDN}/{QUOTED}"
    assert ask(f"/v/{QUOTED}").status == 503


@pytest.mark.parametrize("size, status", [(4_400_000, 200), (4_400_001, 307)])
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_the_largest_answer_fits(
    s3: Any,
    settings: Any,
    delivery: Callable[..., None],
    kind: Callable[..., Any],
    size: int,
    status: int,
    without_database: None,
) -> None:
    settings.ROOT_URLCONF = "lazyimages.aws.lambda_urls"
    settings.ALLOWED_HOSTS = ["*"]
    delivery("failover")
    from lazyimages.aws.lambda_handler import handler

    s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"\xff" * size)
    returned = handler(kind(f"/v/{QUOTED}"), None)
    assert returned["statusCode"] == status
    assert len(json.dumps(returned)) < LAMBDA_LIMIT


def test_who_carries_everything_gets_everything(s3: Any, delivery: Callable[..., None]) -> None:
    """Other servers set no limit."""
    delivery("failover")
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"\xff" * 4_400_001)
    assert len(Client().get(f"/images/v/{QUOTED}").content) == 4_400_001


def _original() -> dict[str, Any]:
    data = jpeg()
    return {
        "Body": StreamingBody(BytesIO(data), len(data)),
        "ContentLength": len(data),
        "ResponseMetadata": {"HTTPHeaders": {}},
    }
