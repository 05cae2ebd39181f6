"""Who is calling, and what AWS says of the credentials; its answers are given by the tests."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest

from lazyimages.doctor import access, bucket, credentials, website
from tests.doctor.conftest import SECRET_KEY, ask_doctor
from tests.doctor.test_bucket import found, look_at, names

ROOT_ARN = "arn:aws:iam::123456789012:root"


@pytest.fixture
def redirect(s3: Any, delivery: Callable[..., None]) -> Any:
    delivery("redirect")
    return s3


def test_who_is_calling_is_said(redirect: Any) -> None:
    (result,) = look_at(credentials.EXAMINATION)
    assert result.verdict == "ok"
    assert "account 123456789012, arn:aws:sts::" in result.seen[0]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("ExpiredToken", "aws sso login"),
        ("ExpiredTokenException", "AWS_SESSION_TOKEN"),
        ("InvalidClientTokenId", "AWS_ACCESS_KEY_ID"),
        ("UnrecognizedClientException", "AWS_ACCESS_KEY_ID"),
        ("SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY"),
    ],
)
def test_aws_refuses_them(redirect: Any, answer: Callable[..., None], code: str, words: str) -> None:
    answer("sts", "GetCallerIdentity", code)
    first, *rest = look_at(credentials.EXAMINATION, bucket.EXAMINATION, website.RULES, access.ACLS)
    assert [one.name for one in first.findings] == ["credentials"]
    assert code in first.findings[0].what
    assert words in first.findings[0].remedy
    assert [result.verdict for result in rest] == ["skipped", "skipped", "ok"]
    assert rest[0].skipped == "because of credentials"


@pytest.mark.parametrize(
    "message", ["Signature expired: 20261123T100000Z is now earlier than", "Signature not yet current: "]
)
def test_sts_calls_a_wrong_clock_a_wrong_signature(
    redirect: Any, answer: Callable[..., None], message: str
) -> None:
    answer("sts", "GetCallerIdentity", "SignatureDoesNotMatch", message=message)
    assert names(credentials.EXAMINATION) == ["clock-wrong"]


def test_there_are_none(
    aws: None, settings: Any, delivery: Callable[..., None], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    storage = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {"bucket_name": "photos", "region_name": "eu-central-1"},
    }
    settings.STORAGES = {**settings.STORAGES, "default": storage, "lazyimages": storage}
    delivery("redirect")
    (one,) = found(credentials.EXAMINATION)
    assert one.name == "credentials"
    assert "Set AWS_ACCESS_KEY_ID" in one.remedy


def test_they_are_roots(redirect: Any, answer: Callable[..., None]) -> None:
    answer("sts", "GetCallerIdentity", parsed={"Account": "123456789012", "Arn": ROOT_ARN, "UserId": "1"})
    (one,) = found(credentials.EXAMINATION)
    assert (one.name, one.severity) == ("role-is-root", "warning")
    assert "lazyimages_iam_policy app" in one.remedy


def test_aws_is_not_asked_about_a_storage_elsewhere(
    settings: Any, delivery: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key of another maker's S3 is none of Amazon's business."""
    asked: list[str] = []
    monkeypatch.setattr(
        boto3.session.Session, "client", _noting(boto3.session.Session.client, asked), raising=True
    )
    storage = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": "photos",
            "region_name": "eu-central-1",
            "endpoint_url": "http://127.0.0.1:9",
            "access_key": "elsewhere",
            "secret_key": "elsewhere",
        },
    }
    settings.STORAGES = {**settings.STORAGES, "default": storage, "lazyimages": storage}
    delivery("redirect")
    (result,) = look_at(credentials.EXAMINATION)
    assert result.verdict == "ok"
    assert "not AWS's" in result.seen[0]
    assert asked == []


def _noting(make: Any, asked: list[str]) -> Any:
    """Return what makes clients that write down what they send."""

    def client(session: Any, *args: Any, **kwargs: Any) -> Any:
        made = make(session, *args, **kwargs)
        made.meta.events.register("before-send", lambda request, **rest: asked.append(request.url))
        return made

    return client


def test_the_secret_key_is_not_shown(redirect: Any, answer: Callable[..., None]) -> None:
    answer("iam", "SimulatePrincipalPolicy", "AccessDenied")
    answer("cloudfront", "ListDistributions", "AccessDenied")
    told = ask_doctor()
    assert told.checks["CDN"]["findings"] == ["not-seen"]
    assert SECRET_KEY not in told.text
