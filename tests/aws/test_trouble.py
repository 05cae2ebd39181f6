"""What is said of AWS's errors, for those that no other test brings about."""

from typing import Any

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    TokenRetrievalError,
)

from lazyimages.aws import trouble

ABOUT = "the bucket 'photos'"


def answer(code: str, operation: str = "PutBucketWebsite", message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NoCredentialsError(), "There are no AWS credentials"),
        (PartialCredentialsError(provider="env", cred_var="secret"), "Set AWS_ACCESS_KEY_ID and"),
        (ProfileNotFound(profile="shop"), "Set AWS_PROFILE to a profile of ~/.aws/config"),
        (TokenRetrievalError(provider="sso", error_msg="expired"), "aws sso login"),
        (NoRegionError(), "Set region_name in STORAGES, or AWS_DEFAULT_REGION."),
        (
            EndpointConnectionError(endpoint_url="http://127.0.0.1:9"),
            "did not answer about the bucket 'photos'",
        ),
        (ConnectTimeoutError(endpoint_url="http://127.0.0.1:9"), "Check the network"),
        (ReadTimeoutError(endpoint_url="http://127.0.0.1:9"), "Check the network"),
        (BotoCoreError(), "AWS could not be asked about the bucket 'photos'"),
        (answer("ExpiredToken"), "The AWS session has expired."),
        (answer("RequestTimeTooSkewed"), "Set it (NTP), and try again."),
        (answer("SlowDown"), "AWS asks to slow down (PutBucketWebsite on the bucket 'photos')."),
        (answer("OperationAborted"), "Somebody else changed the bucket 'photos' at the same time."),
        (answer("AccessDenied"), "Give the caller s3:PutBucketWebsite."),
        (answer("AccessDenied", "GetCallerIdentity"), "Give the caller sts:GetCallerIdentity."),
        (
            answer("AccessDenied", "CreateInvalidation"),
            "Give the caller cloudfront:CreateInvalidation. `manage.py lazyimages_iam_policy operator`",
        ),
        (answer("AccessDenied", "ListDistributions"), "Give the caller cloudfront:ListDistributions."),
        (answer("InvalidRequest", message="Because."), "InvalidRequest Because."),
    ],
)
def test_explained(error: ClientError | BotoCoreError, words: str) -> None:
    said = trouble.explain(error, ABOUT)
    assert words in said
    assert said.endswith(".")
    assert ".." not in said


def test_only_a_refused_policy_may_be_the_accounts_doing() -> None:
    assert "whole account" in trouble.explain(answer("AccessDenied", "PutBucketPolicy"), ABOUT)
    assert "whole account" not in trouble.explain(answer("AccessDenied"), ABOUT)


@pytest.mark.parametrize(
    ("code", "message", "says", "never"),
    [
        # What CloudFront says to new accounts; no permission would help.
        (
            "AccessDenied",
            "Your account must be verified before you can add new CloudFront resources.",
            "must be verified",
            "Give the caller",
        ),
        (
            "AccessDenied",
            "... with an explicit deny in a service control policy",
            "AWS says: ...",
            "verified",
        ),
        # CloudFront's and STS's words for a clock that is wrong.
        ("SignatureDoesNotMatch", "Signature expired: 2019 is now earlier than 2020", "clock", "SECRET"),
        ("InvalidToken", "The provided token is malformed.", "The AWS session has expired.", "clock"),
        ("InvalidBucketAclWithObjectOwnership", "Bucket cannot have ACLs set", "--acl private", "taken"),
    ],
)
def test_by_its_words(code: str, message: str, says: str, never: str) -> None:
    answer: Any = {"Error": {"Code": code, "Message": message}}
    told = trouble.explain(ClientError(answer, "CreateDistributionWithTags"), "the distribution")
    assert says in told
    assert never not in told
