"""Bucket policies, without a server."""

import json
from typing import Any

import pytest

from marketplace.cloud.messages import ConfigurationFault
from marketplace.cloud.policy import Policy, anonymous, cloudfront, parse_policy
from tests.cloud.tools import cloudfront_read, public_list, public_read

ARN = "arn:aws:cloudfront::123456789012:distribution/ONE"
GET = "s3:GetObject"


def policy(*statements: dict[str, Any]) -> Policy:
    return parse_policy(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))


def reads(one: Policy, key: str, caller=None) -> bool:
    return one.allows(caller or anonymous(), GET, f"arn:aws:s3:::b/{key}")


def test_nothing_is_allowed_without_a_policy() -> None:
    assert not reads(Policy(), "a")


def test_two_resources_a_size_cover_the_variants_and_no_original() -> None:
    variants = policy(public_read("b", "360x270/*", "*/360x270/*"))

    assert reads(variants, "360x270/img.jpg")
    assert reads(variants, "produs_1/360x270/img.jpg")
    assert not reads(variants, "produs_1/img.jpg")
    assert not reads(variants, "produs_1/480h/img.jpg")


def test_a_star_crosses_slashes_so_an_original_in_a_size_like_directory_is_public() -> None:
    variants = policy(public_read("b", "*/360x270/*"))

    assert reads(variants, "a/b/c/360x270/d/e.jpg")
    assert reads(variants, "photos/360x270/original.jpg")


def test_wildcards_are_only_star_and_question_mark() -> None:
    odd = policy(public_read("b", "a?c/[x]/*"))

    assert reads(odd, "abc/[x]/1")
    assert not reads(odd, "abc/x/1")
    assert not reads(odd, "ac/[x]/1")


def test_actions_match_without_case_and_with_wildcards() -> None:
    for action in ("s3:getobject", "S3:Get*", "*", ["s3:PutObject", "s3:GetObjec?"]):
        assert reads(policy(public_read("b") | {"Action": action}), "a")
    assert not reads(policy(public_read("b") | {"Action": "s3:GetObjectAcl"}), "a")


def test_an_explicit_deny_wins() -> None:
    both = policy(public_read("b"), public_read("b", "secret/*") | {"Effect": "Deny"})

    assert reads(both, "open/a")
    assert not reads(both, "secret/a")


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, {"AWS": ["*"]}])
def test_everyone_in_each_spelling(principal: Any) -> None:
    assert reads(policy(public_read("b") | {"Principal": principal}), "a")


def test_a_named_principal_is_not_the_public() -> None:
    for principal in ({"AWS": "arn:aws:iam::1:role/app"}, {"CanonicalUser": "x"}):
        one = policy(public_read("b") | {"Principal": principal})
        assert not reads(one, "a")
        assert not one.public


def test_cloudfront_reads_by_service_principal_and_source_arn() -> None:
    private = policy(cloudfront_read("b", ARN, "*/360x270/*"))

    assert reads(private, "p/360x270/a", cloudfront(ARN))
    assert not reads(private, "p/a", cloudfront(ARN))
    assert not reads(private, "p/360x270/a", cloudfront(ARN + "X"))
    assert not reads(private, "p/360x270/a")
    assert not private.public


@pytest.mark.parametrize(
    "condition",
    [
        {"StringLike": {"aws:sourcearn": "arn:aws:cloudfront::*:distribution/*"}},
        {"ArnLike": {"AWS:SourceArn": ["arn:x", ARN]}},
        {"ArnEquals": {"aws:SourceArn": ARN}},
        {"StringEquals": {"aws:SourceArn": ARN}, "Bool": {"aws:SecureTransport": True}},
    ],
)
def test_conditions_that_hold(condition: dict[str, Any]) -> None:
    assert reads(policy(cloudfront_read("b", ARN) | {"Condition": condition}), "a", cloudfront(ARN))


def test_all_conditions_must_hold() -> None:
    condition = {"StringEquals": {"aws:SourceArn": ARN}, "Bool": {"aws:SecureTransport": "false"}}
    assert not reads(policy(cloudfront_read("b", ARN) | {"Condition": condition}), "a", cloudfront(ARN))


def test_the_website_endpoint_is_http_only_so_a_deny_of_insecure_transport_shuts_it() -> None:
    deny = public_read("b") | {"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    one = policy(public_read("b"), deny)

    assert not reads(one, "a")
    assert reads(one, "a", anonymous(secure=True))


@pytest.mark.parametrize(
    "condition, named",
    [
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, "IpAddress aws:SourceIp"),
        ({"StringEquals": {"aws:Referer": "x"}}, "StringEquals aws:Referer"),
        ({"StringEqualsIfExists": {"aws:SourceArn": "x"}}, "StringEqualsIfExists aws:SourceArn"),
    ],
)
def test_an_unknown_condition_is_named_not_ignored(condition: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigurationFault, match=named):
        policy(public_read("b") | {"Condition": condition})


@pytest.mark.parametrize("element", ["NotPrincipal", "NotAction", "NotResource"])
def test_an_unknown_element_is_named_not_ignored(element: str) -> None:
    with pytest.raises(ConfigurationFault, match=element):
        policy(public_read("b") | {element: "*"})


@pytest.mark.parametrize("text", ["{", "{}", '{"Statement": [{"Effect": "Allow"}]}'])
def test_a_malformed_policy_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationFault):
        parse_policy(text)


def test_what_is_public() -> None:
    pinned = public_read("b") | {"Condition": {"StringEquals": {"aws:SourceArn": ARN}}}
    loose = public_read("b") | {"Condition": {"StringLike": {"aws:SourceArn": "arn:aws:*"}}}

    assert policy(public_read("b", "360x270/*")).public
    assert policy(public_list("b")).public
    assert policy(loose).public
    assert not policy(pinned).public
    assert not policy(public_read("b") | {"Effect": "Deny"}).public
