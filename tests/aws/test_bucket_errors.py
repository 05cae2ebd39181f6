"""What goes wrong while a bucket is set up: what is said, what was changed, and that a rerun completes.

Answers that none of the stand-ins gives come from the wire (`refused`); each such test relies on what the
S3 API says about its error codes ("Error responses").
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore import handlers
from django.core.management import CommandError

from lazyimages import conf
from lazyimages.aws import bucket as bucket_module
from lazyimages.aws import documents, trouble
from tests.aws.conftest import Request, bucket_state, writes
from tests.conftest import BUCKET

Setup = Callable[..., str]
Delivery = Callable[..., None]
Refused = Callable[..., None]

# What the command does on the way from nothing to redirect, in order; and what else in other cases.
READING = {
    "HeadBucket": "s3:ListBucket",
    "GetBucketPolicy": "s3:GetBucketPolicy",
    "ListObjectsV2": "s3:ListBucket",
    "GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "GetBucketWebsite": "s3:GetBucketWebsite",
    "GetBucketOwnershipControls": "s3:GetBucketOwnershipControls",
    "GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "GetBucketCors": "s3:GetBucketCORS",
}
WRITING = {
    "CreateBucket": "s3:CreateBucket",
    "PutBucketOwnershipControls": "s3:PutBucketOwnershipControls",
    "PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "PutBucketCors": "s3:PutBucketCORS",
    "PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "PutBucketPolicy": "s3:PutBucketPolicy",
    "PutBucketWebsite": "s3:PutBucketWebsite",
}
EMPTY = documents.public_statement(BUCKET, [])
DELETING = {
    "DeleteBucketPolicy": "s3:DeleteBucketPolicy",
    "DeleteBucketWebsite": "s3:DeleteBucketWebsite",
    "DeleteBucketCors": "s3:PutBucketCORS",
}


@pytest.fixture(autouse=True)
def _redirect(s3: Any, no_pauses: None, delivery: Delivery) -> None:
    delivery("redirect")


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failover in which no distribution is found; moto's CloudFront is not asked."""
    monkeypatch.setattr("lazyimages.aws.cdn.find", lambda *args: None)


def said(setup: Setup, *arguments: str) -> str:
    with pytest.raises(CommandError) as caught:
        setup(*arguments)
    return str(caught.value)


class TestDenied:
    @pytest.mark.parametrize(("operation", "action"), READING.items())
    def test_while_reading(
        self, setup: Setup, refused: Refused, requests: list[Request], operation: str, action: str
    ) -> None:
        refused(operation)
        message = said(setup)
        assert message.startswith("Nothing was changed: AWS refused ")
        assert f"the caller {'lacks ' if operation == 'HeadBucket' else ''}{action}" in message
        assert writes(requests) == []

    @pytest.mark.parametrize(("operation", "action"), WRITING.items())
    def test_while_writing(
        self, s3: Any, setup: Setup, refused: Refused, requests: list[Request], operation: str, action: str
    ) -> None:
        s3.delete_bucket(Bucket=BUCKET)
        refused(operation)
        requests.clear()
        message = said(setup)
        assert f"AWS refused {operation} on the bucket '{BUCKET}'. Give the caller {action}." in message
        assert writes(requests) == [*WRITING][: [*WRITING].index(operation) + 1]
        if operation == "CreateBucket":
            assert message.startswith("Nothing was changed: ")
        else:
            assert message.startswith("Changed before this happened: bucket")
            assert "Run it again to do the rest." in message

    @pytest.mark.parametrize(("operation", "action"), DELETING.items())
    def test_while_removing(
        self,
        setup: Setup,
        delivery: Delivery,
        refused: Refused,
        nobody: None,
        operation: str,
        action: str,
    ) -> None:
        setup()
        delivery("failover", CORS_ORIGINS=[])
        refused(operation)
        assert f"AWS refused {operation} on the bucket '{BUCKET}'. Give the caller {action}." in said(setup)

    def test_these_are_all_the_requests_there_are(
        self, s3: Any, setup: Setup, delivery: Delivery, requests: list[Request], nobody: None
    ) -> None:
        s3.delete_bucket(Bucket=BUCKET)
        requests.clear()
        setup()
        setup()
        delivery("failover", CORS_ORIGINS=[])
        setup()
        assert {name for name, _ in requests} == {*READING, *WRITING, *DELETING}

    def test_a_policy_may_also_be_refused_for_the_whole_account(self, setup: Setup, refused: Refused) -> None:
        """Rely on AWS answering so when the account blocks what the bucket allows; no stand-in has that."""
        refused("PutBucketPolicy", message="public policies are prevented by the BlockPublicPolicy setting")
        message = said(setup)
        assert "Block Public Access settings for this account" in message
        assert "or use failover" in message


class TestOpeningTakesAMoment:
    """S3 goes by a changed public access block only after a moment; no stand-in does so."""

    @pytest.fixture(autouse=True)
    def _pauses(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bucket_module, "_PAUSES", (1.0, 2.0, 4.0))

    def steps(self, s3: Any, waited: list[float]) -> dict[str, Callable[[], object]]:
        planned = bucket_module.plan(s3, BUCKET, conf.settings(), sleep=waited.append)
        return {step.name: step.action for step in planned if step.changes}

    def client(self) -> Any:
        return boto3.session.Session().client("s3", region_name="eu-central-1")

    def test_the_policy_is_tried_again(self, s3: Any, refused: Refused) -> None:
        refused("PutBucketPolicy", times=2)
        waited: list[float] = []
        for action in self.steps(self.client(), waited).values():
            action()
        assert waited == [1.0, 2.0]
        assert "LazyImagesPublicVariants" in s3.get_bucket_policy(Bucket=BUCKET)["Policy"]

    def test_but_not_for_ever(self, refused: Refused) -> None:
        refused("PutBucketPolicy")
        waited: list[float] = []
        steps = self.steps(self.client(), waited)
        with pytest.raises(Exception, match="AccessDenied"):
            steps["policy"]()
        assert waited == [1.0, 2.0, 4.0]

    def test_other_errors_are_not_waited_for(self, refused: Refused) -> None:
        refused("PutBucketPolicy", "MalformedPolicy", status=400)
        waited: list[float] = []
        steps = self.steps(self.client(), waited)
        with pytest.raises(Exception, match="MalformedPolicy"):
            steps["policy"]()
        assert waited == []

    def test_nor_is_a_refusal_when_nothing_was_opened(self, s3: Any, refused: Refused) -> None:
        block = documents.public_access_block(public=True)
        s3.put_public_access_block(Bucket=BUCKET, PublicAccessBlockConfiguration=block)
        refused("PutBucketPolicy")
        waited: list[float] = []
        steps = self.steps(self.client(), waited)
        with pytest.raises(Exception, match="AccessDenied"):
            steps["policy"]()
        assert waited == []


class TestRefusedAltogether:
    @pytest.mark.parametrize(
        ("code", "status", "remedy"),
        [
            ("ExpiredToken", 400, "Log in again (aws sso login), or renew AWS_SESSION_TOKEN."),
            ("RequestTimeTooSkewed", 403, "This machine's clock is wrong: by more than 15 minutes for S3"),
            ("InvalidAccessKeyId", 403, "Check AWS_ACCESS_KEY_ID, or AWS_PROFILE."),
            ("SignatureDoesNotMatch", 403, "AWS_SECRET_ACCESS_KEY does not belong to AWS_ACCESS_KEY_ID."),
        ],
    )
    def test_head_has_no_body_and_the_reason_is_asked_for(
        self, setup: Setup, refused: Refused, requests: list[Request], code: str, status: int, remedy: str
    ) -> None:
        refused("HeadBucket", status=status)
        refused("ListObjectsV2", code, status=status)
        message = said(setup)
        assert message.startswith("Nothing was changed: ")
        assert remedy in message
        assert [name for name, _ in requests] == ["HeadBucket", "ListObjectsV2"]

    def test_a_bucket_of_another_account(self, setup: Setup, refused: Refused) -> None:
        refused("HeadBucket", status=403)
        refused("ListObjectsV2")
        assert said(setup) == (
            f"Nothing was changed: AWS refused to show the bucket '{BUCKET}': it belongs to another account, "
            "or the caller lacks s3:ListBucket. Choose another bucket_name, or give the caller s3:ListBucket."
        )

    @pytest.mark.parametrize(
        ("code", "status", "remedy"),
        [
            ("BucketAlreadyExists", 409, "is taken; bucket names are global. Choose another bucket_name"),
            ("BucketAlreadyOwnedByYou", 409, "a moment ago. Run the command again."),
            ("IllegalLocationConstraintException", 400, "Set region_name to the region's code"),
            ("InvalidLocationConstraint", 400, "Set region_name to the region's code"),
            ("OperationAborted", 409, "Run the command again."),
        ],
    )
    def test_while_creating(
        self, s3: Any, setup: Setup, refused: Refused, code: str, status: int, remedy: str
    ) -> None:
        s3.delete_bucket(Bucket=BUCKET)
        refused("CreateBucket", code, status=status)
        message = said(setup)
        assert message.startswith("Nothing was changed: ")
        assert remedy in message

    def test_a_bucket_elsewhere_that_boto3_does_not_follow(self, setup: Setup, refused: Refused) -> None:
        refused("HeadBucket", status=301, headers={"x-amz-bucket-region": "ap-south-1"})
        message = said(setup)
        assert f"The bucket '{BUCKET}' is in another region. Set region_name in STORAGES to 'ap-s" in message

    def test_a_bucket_elsewhere_that_boto3_follows(self, s3: Any, setup: Setup, refused: Refused) -> None:
        refused("HeadBucket", status=200, headers={"x-amz-bucket-region": "ap-south-1"})
        message = said(setup)
        assert (
            f"the bucket '{BUCKET}' is in the region ap-south-1, and region_name in STORAGES says" in message
        )
        assert "Set it to 'ap-south-1'" in message

    def test_a_code_that_is_not_foreseen(self, setup: Setup, refused: Refused) -> None:
        refused("PutBucketWebsite", "InvalidRequest", status=400, message="This is the reason")
        assert said(setup).endswith(f"'{BUCKET}': InvalidRequest This is the reason.")


@contextmanager
def killed_after(count: int) -> Iterator[None]:
    """Kill a command that has written so many times: nothing in it handles a KeyboardInterrupt."""
    left = [count]

    def stop(model: Any, **kwargs: Any) -> None:
        if model.name in {*WRITING, *DELETING}:
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt

    entry = ("before-call.s3", stop)
    handlers.BUILTIN_HANDLERS.append(entry)
    with pytest.raises(KeyboardInterrupt):
        yield
    handlers.BUILTIN_HANDLERS.remove(entry)


class TestInterrupted:
    @pytest.mark.parametrize("count", range(len(WRITING)))
    def test_a_rerun_completes(self, s3: Any, setup: Setup, count: int) -> None:
        setup()
        whole = bucket_state(s3, BUCKET)
        s3.delete_bucket(Bucket=BUCKET)
        with killed_after(count):
            setup()
        assert bucket_state(s3, BUCKET) != whole
        setup()
        assert bucket_state(s3, BUCKET) == whole
        assert "Nothing to change." in setup()

    @pytest.mark.parametrize("count", range(3))
    def test_also_on_the_way_to_the_other_delivery(
        self, s3: Any, setup: Setup, delivery: Delivery, count: int
    ) -> None:
        delivery("failover", DISTRIBUTION_ID="E2QWRUHEXAMPLE")
        setup()
        whole = bucket_state(s3, BUCKET)
        delivery("redirect")
        setup()
        delivery("failover", DISTRIBUTION_ID="E2QWRUHEXAMPLE")
        with killed_after(count):
            setup()
        assert bucket_state(s3, BUCKET) != whole
        setup()
        assert bucket_state(s3, BUCKET) == whole
        assert "Nothing to change." in setup()


class TestLongPolicy:
    def test_is_refused_before_anything_is_written(
        self, s3: Any, setup: Setup, lazy: Callable[..., None], requests: list[Request]
    ) -> None:
        def whitelist(count: int) -> list[str]:
            return [f"{width}w" for width in range(1000, 1000 + count)]

        lazy(SIZES=whitelist(400), PRESETS={})
        requests.clear()
        message = said(setup)
        assert writes(requests) == []
        # 400 times "arn:aws:s3:::shop-photos/1000w/*","arn:aws:s3:::shop-photos/*/1000w/*", and the rest.
        around = len(documents.policy_text({"Version": "2012-10-17", "Statement": [EMPTY]})) - 1
        assert f"would have {400 * 72 + around:,} bytes; S3 takes 20,480." in message
        fitting = (20_480 - around) // 72
        assert f"{fitting} of 400 sizes fit." in message
        lazy(SIZES=whitelist(fitting))
        setup()
        assert len(s3.get_bucket_policy(Bucket=BUCKET)["Policy"]) <= 20_480
        lazy(SIZES=whitelist(fitting + 1))
        assert f"{fitting} of {fitting + 1} sizes fit." in said(setup)

    def test_what_others_have_counts_and_is_said(
        self, s3: Any, setup: Setup, lazy: Callable[..., None]
    ) -> None:
        account = {"AWS": "arn:aws:iam::123456789012:root"}
        resources = [f"arn:aws:s3:::{BUCKET}/{number:060}/*" for number in range(200)]
        theirs = {"Sid": "Theirs", "Effect": "Allow", "Principal": account, "Action": "s3:GetObject"}
        policy = {"Version": "2012-10-17", "Statement": [{**theirs, "Resource": resources}]}
        s3.put_bucket_policy(Bucket=BUCKET, Policy=documents.policy_text(policy))
        lazy(SIZES=[f"{width}w" for width in range(1000, 1100)], PRESETS={})
        assert "of 100 sizes fit beside the statements of others (1)." in said(setup)


def test_every_denied_code_is_one_that_moves_the_command_to_name_an_action() -> None:
    assert {trouble.action(name) for name in READING} == set(READING.values())
    assert {trouble.action(name) for name in [*WRITING, *DELETING]} == {*WRITING.values(), *DELETING.values()}
