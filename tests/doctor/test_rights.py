"""Permissions: too few and too many, on ministack, which enforces policies and tries them out."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config

from lazyimages import storage
from lazyimages.doctor import rights
from lazyimages.doctor.case import Case
from lazyimages.exceptions import StorageUnavailable
from tests.aws.conftest import ministack_with_iam as ministack_with_iam
from tests.conftest import BUCKET
from tests.doctor.conftest import REGION, ask_doctor
from tests.doctor.test_bucket import found, look_at

_numbers = itertools.count()
Policy = Callable[..., str]


def client(url: str, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(s3={"addressing_style": "path"}),
    )


@pytest.fixture
def as_user(
    ministack_with_iam: str,
    settings: Any,
    delivery: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> Policy:
    """Let the storages belong to a user with these statements alone; give the bucket's name."""
    url = ministack_with_iam
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)

    def make(*statements: tuple[str | list[str], str]) -> str:
        number = next(_numbers)
        bucket, user = f"rights-{number}", f"doctor-{number}"
        client(url, "s3").create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        iam = client(url, "iam")
        iam.create_user(UserName=user)
        document = {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": action, "Resource": resource.replace("BUCKET", bucket)}
                for action, resource in statements
            ],
        }
        iam.put_user_policy(UserName=user, PolicyName="app", PolicyDocument=json.dumps(document))
        key = iam.create_access_key(UserName=user)["AccessKey"]
        entry = {
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": {
                "bucket_name": bucket,
                "region_name": REGION,
                "endpoint_url": url,
                "access_key": key["AccessKeyId"],
                "secret_key": key["SecretAccessKey"],
                "client_config": Config(
                    connect_timeout=1,
                    read_timeout=3,
                    retries={"total_max_attempts": 1},
                    s3={"addressing_style": "path"},
                ),
            },
        }
        settings.STORAGES = {**settings.STORAGES, "default": entry, "lazyimages": entry}
        delivery("redirect")
        return bucket

    return make


OBJECTS = (["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], "arn:aws:s3:::BUCKET/*")
LIST = ("s3:ListBucket", "arn:aws:s3:::BUCKET")
SIMULATE = ("iam:SimulatePrincipalPolicy", "*")


def test_enough(as_user: Policy) -> None:
    as_user(OBJECTS, LIST)
    assert found(rights.LISTING) == []


def test_without_list_bucket(s3: Any, answer: Callable[..., None]) -> None:
    """S3 API, GetObject, "Permissions": 404 with s3:ListBucket, and 403 without; no stand-in does that."""
    answer("s3", "GetObject", "AccessDenied")
    answer("s3", "HeadBucket", "403")
    (one,) = found(rights.LISTING)
    assert (one.name, one.severity) == ("role-cannot-list", "error")
    assert f"s3:ListBucket on arn:aws:s3:::{BUCKET};" in one.remedy


def test_below_the_folder_of_the_originals(s3: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The app's policy is about that folder alone, where they have a bucket of their own."""
    s3.create_bucket(Bucket="originals", CreateBucketConfiguration={"LocationConstraint": REGION})
    entry = settings.STORAGES["default"]
    below = {**entry, "OPTIONS": {**entry["OPTIONS"], "bucket_name": "originals", "location": "media"}}
    settings.STORAGES = {**settings.STORAGES, "default": below}
    asked = set()
    s3.meta.events.register(
        "before-parameter-build.s3.GetObject",
        lambda params, **kwargs: asked.add((params["Bucket"], params["Key"])),
    )
    monkeypatch.setattr(Case, "client", lambda self, storage, service="s3": s3)
    assert found(rights.LISTING) == []
    missing = "lazyimages-doctor-missing.jpg"
    assert asked == {("originals", f"media/{missing}"), (BUCKET, f"360x270/{missing}")}


def test_without_get_object(as_user: Policy) -> None:
    bucket = as_user(LIST)
    (one,) = found(rights.LISTING)
    assert (one.name, one.severity) == ("role-cannot-read", "error")
    assert f"s3:GetObject on arn:aws:s3:::{bucket}/*" in one.remedy


def test_originals_are_tried_beside_variants(as_user: Policy) -> None:
    as_user((["s3:GetObject"], "arn:aws:s3:::BUCKET/360x270/*"), LIST)
    assert [one.name for one in found(rights.LISTING)] == ["role-cannot-read"]


def test_no_more_than_enough(as_user: Policy) -> None:
    as_user(OBJECTS, LIST, SIMULATE)
    (result,) = look_at(rights.EXCESS)
    assert result.verdict == "ok"
    assert result.seen == ("none of the 11 that were tried",)


@pytest.mark.parametrize(
    ("action", "resource", "seen"),
    [
        ("s3:*", "arn:aws:s3:::BUCKET", "s3:PutBucketPolicy on arn:aws:s3:::BUCKET"),
        ("s3:DeleteBucket", "arn:aws:s3:::BUCKET", "s3:DeleteBucket on"),
        ("s3:GetObject", "*", "s3:GetObject on arn:aws:s3:::lazyimages-doctor-another-bucket/secret"),
        ("iam:*", "*", "iam:CreateUser on *"),
        ("cloudfront:*", "*", "cloudfront:UpdateDistribution on *"),
    ],
)
def test_too_much(as_user: Policy, action: str, resource: str, seen: str) -> None:
    bucket = as_user(OBJECTS, LIST, SIMULATE, (action, resource))
    (one,) = found(rights.EXCESS)
    assert (one.name, one.severity) == ("role-too-wide", "warning")
    assert seen.replace("BUCKET", bucket) in one.what


def test_what_cannot_be_tried_out_is_a_note(as_user: Policy) -> None:
    as_user(OBJECTS, LIST)
    (one,) = found(rights.EXCESS)
    assert (one.name, one.severity) == ("not-seen", "note")
    assert "iam:SimulatePrincipalPolicy" in one.remedy


def test_a_session_has_the_policies_of_its_role(s3: Any, answer: Callable[..., None]) -> None:
    asked: list[dict[str, Any]] = []
    arn = "arn:aws:sts::123456789012:assumed-role/shop/i-0abc"
    answer("sts", "GetCallerIdentity", parsed={"Account": "123456789012", "Arn": arn, "UserId": "1"})
    answer("iam", "SimulatePrincipalPolicy", parsed={"EvaluationResults": []}, asked=asked)
    assert found(rights.EXCESS) == []
    assert {one["PolicySourceArn"] for one in asked} == {"arn:aws:iam::123456789012:role/shop"}


def test_root_is_not_tried_out(s3: Any, answer: Callable[..., None]) -> None:
    arn = "arn:aws:iam::123456789012:root"
    answer("sts", "GetCallerIdentity", parsed={"Account": "123456789012", "Arn": arn, "UserId": "1"})
    (result,) = look_at(rights.EXCESS)
    assert result.seen == ("everything, as the account's root user",)


class TestProbe:
    """What only a probe shows, since it writes; in local delivery, where there is no CDN to be set up."""

    @pytest.fixture
    def local(self, lazy: Callable[..., None]) -> Callable[[], Any]:
        def ask() -> Any:
            lazy(DELIVERY="local")
            return ask_doctor("--live", "--site", "http://127.0.0.1:9")

        return ask

    def test_it_may_write_nothing(self, as_user: Policy, local: Callable[[], Any]) -> None:
        as_user(("s3:GetObject", "arn:aws:s3:::BUCKET/*"), LIST)
        told = local()
        assert {"role-cannot-write", "role-cannot-upload"} <= set(told.serious)
        assert "s3:PutObject" in told.findings["role-cannot-write"]["remedy"]

    def test_it_may_not_delete(self, as_user: Policy, local: Callable[[], Any]) -> None:
        as_user((["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::BUCKET/*"), LIST)
        told = local()
        assert {"role-cannot-delete", "probe-left"} <= set(told.serious)
        assert "s3:DeleteObject" in told.findings["role-cannot-delete"]["remedy"]
        with pytest.raises(StorageUnavailable):
            storage.delete(["nothing"])
        assert "lazyimages-doctor-" in told.findings["probe-left"]["what"]

    def test_without_list_bucket_the_rest_goes_on(self, as_user: Policy, local: Callable[[], Any]) -> None:
        bucket = as_user(OBJECTS)
        told = local()
        assert "bucket-refused" in told.serious
        assert f"arn:aws:s3:::{bucket}" in told.findings["bucket-refused"]["remedy"]
        assert told.checks["a stored variant"]["hops"][0]["trouble"]
