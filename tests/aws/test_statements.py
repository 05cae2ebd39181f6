"""Reading bucket policies: who is everybody, and what CloudFront may read."""

from typing import Any

import pytest

from lazyimages.aws import documents
from lazyimages.aws import statements as policy
from lazyimages.sizes import Size

ARN = "arn:aws:cloudfront::123456789012:distribution/E1"
OTHER = "arn:aws:cloudfront::123456789012:distribution/E2"
SIZE = Size(360, 270)


def reads(statement: dict[str, Any], arn: str = ARN) -> bool:
    whole = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::photos/*"} | statement
    return bool(list(policy.for_distribution({"Statement": whole}, arn)))


def by(service: str = "cloudfront.amazonaws.com", **conditions: Any) -> dict[str, Any]:
    return {"Principal": {"Service": service}, "Condition": conditions}


@pytest.mark.parametrize(
    ("statement", "may"),
    [
        (documents.distribution_statement("photos", [SIZE], ARN), True),
        (documents.distribution_statement("photos", [SIZE], OTHER), False),
        (by(StringLike={"AWS:SourceArn": "arn:aws:cloudfront::123456789012:distribution/*"}), True),
        (by(), True),
        (by("lambda.amazonaws.com"), False),
        ({"Principal": {"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E9"}}, True),
        ({"Principal": {"CanonicalUser": "79a59d"}}, True),
        ({"Principal": "*", "Action": "s3:PutObject"}, False),
        (by() | {"Effect": "Deny"}, False),
    ],
)
def test_the_distribution_may_read(statement: dict[str, Any], may: bool) -> None:
    assert reads(statement) is may


def test_a_distribution_that_is_not_known_may_be_any() -> None:
    assert reads(documents.distribution_statement("photos", [SIZE], OTHER), arn="")


@pytest.mark.parametrize(
    ("statement", "public"),
    [
        (documents.public_statement("photos", [SIZE]), True),
        ({"Principal": {"AWS": ["*"]}}, True),
        ({"NotPrincipal": {"AWS": "arn:aws:iam::1:root"}, "Principal": None}, True),
        ({"Principal": {"Service": "*"}}, False),
        ({"NotAction": "s3:PutObject", "Action": None}, True),
        ({"NotAction": ["s3:Get*"], "Action": None}, False),
        ({"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}, False),
        ({"Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}}, True),
        ({"Condition": {"Bool": {"aws:SecureTransport": "true"}}}, True),
    ],
)
def test_everybody(statement: dict[str, Any], public: bool) -> None:
    whole = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"} | statement
    whole = {key: value for key, value in whole.items() if value is not None}
    assert bool(list(policy.public({"Statement": [whole]}, "s3:GetObject"))) is public


@pytest.mark.parametrize(
    ("resource", "pattern"),
    [
        ("arn:aws:s3:::photos/a/*", "a/*"),
        ("arn:aws:s3:::photos", None),
        ("arn:aws:s3:::other/*", None),
        ("arn:aws:s3:::pho*/*", "*"),
        ("*", "*"),
    ],
)
def test_keys_of_a_resource(resource: str, pattern: str | None) -> None:
    assert policy.key_pattern(resource, "photos") == pattern


@pytest.mark.parametrize(
    ("pattern", "variants"),
    [("360x270/*", True), ("*/480h/*", True), ("*", False), ("products/*", False), ("*360x270*", False)],
)
def test_patterns_of_variants(pattern: str, variants: bool) -> None:
    assert policy.is_of_variants(pattern) is variants


def test_no_policy_lets_nobody_in() -> None:
    assert list(policy.public(None, "s3:GetObject")) == []
    assert policy.resources({"NotResource": "arn:aws:s3:::photos/a"}) == ["*"]
