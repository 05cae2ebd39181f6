"""The bucket and its documents, on moto in this process; what moto does not do is answered by the tests."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, ClassVar

import boto3
import pytest
from django.core.files.storage import storages

from lazyimages import conf
from lazyimages.aws.bucket import plan
from lazyimages.aws.documents import Document, routing_rules
from lazyimages.doctor import access, bucket, checkup, drift, exposure, website
from lazyimages.doctor.examination import Examination, examine
from lazyimages.doctor.kinds import Finding
from lazyimages.doctor.report import Result
from tests.conftest import BUCKET, jpeg
from tests.doctor.conftest import REGION

Look = Callable[..., list[Finding]]


def look_at(*examinations: Examination) -> list[Result]:
    variants, originals = storages["lazyimages"], storages["default"]
    return list(examine(examinations, checkup.case_of(conf.settings(), variants, originals)))


def found(*examinations: Examination) -> list[Finding]:
    return [one for result in look_at(*examinations) for one in result.findings]


def names(*examinations: Examination) -> list[str]:
    return [one.name for one in found(*examinations)]


@pytest.fixture
def redirect(s3: Any, delivery: Callable[..., None]) -> Any:
    """Set the bucket up for redirect delivery; returns a client of S3."""
    delivery("redirect")
    set_up(s3)
    return s3


@pytest.fixture
def failover(s3: Any, delivery: Callable[..., None]) -> Any:
    delivery("failover")
    set_up(s3)
    return s3


def set_up(s3: Any) -> None:
    """Write the bucket's documents as the command does, without its clients, which take a while to make."""
    arn = "arn:aws:cloudfront::123456789012:distribution/E123"
    for step in plan(s3, BUCKET, conf.settings(), distribution_arn=arn):
        if step.changes:
            step.action()


def test_a_bucket_that_was_set_up_is_right(redirect: Any) -> None:
    results = look_at(
        access.ACLS,
        bucket.CLOCK,
        bucket.EXAMINATION,
        access.BLOCK,
        access.ENCRYPTION,
        website.RULES,
        exposure.ORIGINALS,
        exposure.READERS,
        drift.BUCKET,
    )
    assert [result.name for result in results if result.verdict != "ok"] == []
    assert len(results) == 9


class TestBucket:
    def test_it_is_missing(self, redirect: Any, settings: Any) -> None:
        change_storage(settings, bucket_name="nobody-has-this")
        results = look_at(bucket.EXAMINATION, website.RULES, access.ACLS)
        assert results[0].findings[0].name == "bucket-missing"
        assert "lazyimages_setup_bucket" in results[0].findings[0].remedy
        assert [result.verdict for result in results] == ["error", "skipped", "ok"]

    def test_it_is_somebody_elses(self, redirect: Any, answer: Callable[..., None]) -> None:
        """S3 API, HeadBucket: 403 without a body, as for a caller without s3:ListBucket."""
        answer("s3", "HeadBucket", "403")
        (one,) = found(bucket.EXAMINATION)
        assert one.name == "bucket-refused"
        assert f"arn:aws:s3:::{BUCKET}" in one.remedy

    def test_it_is_in_another_region(self, redirect: Any, settings: Any) -> None:
        change_storage(settings, region_name="us-west-2")
        (one,) = found(bucket.EXAMINATION)
        assert one.name == "bucket-region"
        assert one.remedy == 'Set region_name in STORAGES to "eu-central-1".'

    @pytest.mark.parametrize(("code", "status"), [("301", 301), ("400", 400)])
    def test_s3_refuses_the_wrong_region(
        self, redirect: Any, answer: Callable[..., None], code: str, status: int
    ) -> None:
        """S3 API, HeadBucket: 301 or 400 with the region in a header, where botocore cannot follow."""
        answer("s3", "HeadBucket", code, status=status, headers={"x-amz-bucket-region": "eu-west-3"})
        (one,) = found(bucket.EXAMINATION)
        assert one.name == "bucket-region"
        assert "in eu-west-3" in one.what


class TestClock:
    @pytest.mark.parametrize(
        ("minutes", "name"),
        [
            (0, None),
            (-4, None),
            (6, "clock-late"),
            (-14, "clock-late"),
            (16, "clock-wrong"),
            (-60, "clock-wrong"),
        ],
    )
    def test_it_differs_from_s3s(
        self, redirect: Any, answer: Callable[..., None], minutes: int, name: str | None
    ) -> None:
        date = format_datetime(datetime.now(UTC) - timedelta(minutes=minutes), usegmt=True)
        answer("s3", "HeadBucket", parsed={}, headers={"date": date})
        assert names(bucket.CLOCK) == ([name] if name else [])

    def test_it_says_in_which_direction(self, redirect: Any, answer: Callable[..., None]) -> None:
        date = format_datetime(datetime.now(UTC) - timedelta(minutes=20), usegmt=True)
        answer("s3", "HeadBucket", parsed={}, headers={"date": date})
        assert "20 minutes ahead of" in found(bucket.CLOCK)[0].what

    @pytest.mark.parametrize("code", ["RequestTimeTooSkewed", "RequestInTheFuture"])
    def test_s3_refuses(self, redirect: Any, answer: Callable[..., None], code: str) -> None:
        answer("s3", "HeadBucket", code)
        assert names(bucket.CLOCK) == ["clock-wrong"]

    def test_also_while_something_else_is_read(self, redirect: Any, answer: Callable[..., None]) -> None:
        answer("s3", "GetBucketPolicy", "RequestTimeTooSkewed")
        assert names(exposure.ORIGINALS) == ["clock-wrong"]


class TestAcls:
    @pytest.mark.parametrize(
        "options", [{"default_acl": "public-read"}, {"object_parameters": {"ACL": "private"}}]
    )
    def test_the_storage_sends_one(self, redirect: Any, settings: Any, options: dict[str, Any]) -> None:
        change_storage(settings, **options)
        (one,) = found(access.ACLS)
        assert (one.name, one.severity) == ("acl-sent", "error")
        assert next(iter(options)) in one.what

    def test_the_one_that_buckets_take(self, redirect: Any, settings: Any) -> None:
        change_storage(settings, default_acl="bucket-owner-full-control")
        assert found(access.ACLS) == []


class TestPublicAccessBlock:
    FLAGS: ClassVar = {"BlockPublicAcls": True, "IgnorePublicAcls": True}

    def test_it_is_on(self, redirect: Any) -> None:
        flags = self.FLAGS | {"BlockPublicPolicy": False, "RestrictPublicBuckets": True}
        redirect.put_public_access_block(Bucket=BUCKET, PublicAccessBlockConfiguration=flags)
        (one,) = found(access.BLOCK)
        assert one.name == "public-access-blocked"
        assert "RestrictPublicBuckets" in one.what

    def test_blocking_policies_leaves_the_one_that_is_there(self, redirect: Any) -> None:
        """S3 API, PublicAccessBlockConfiguration: it "doesn't affect existing bucket policies"."""
        flags = self.FLAGS | {"BlockPublicPolicy": True, "RestrictPublicBuckets": False}
        redirect.put_public_access_block(Bucket=BUCKET, PublicAccessBlockConfiguration=flags)
        assert found(access.BLOCK) == []
        assert names(drift.BUCKET) == ["bucket-drift"]

    def test_there_is_none(self, redirect: Any) -> None:
        redirect.delete_public_access_block(Bucket=BUCKET)
        assert found(access.BLOCK) == []

    def test_failover_wants_it(self, failover: Any) -> None:
        assert look_at(access.BLOCK) == []

    def test_of_the_account(self, redirect: Any) -> None:
        assert found(access.ACCOUNT) == []
        boto3.client("s3control", region_name=REGION).put_public_access_block(
            AccountId="123456789012",
            PublicAccessBlockConfiguration={"BlockPublicPolicy": True, "RestrictPublicBuckets": True},
        )
        (one,) = found(access.ACCOUNT)
        assert one.name == "account-blocks-public"
        assert "failover" in one.remedy

    def test_of_the_account_unseen(self, redirect: Any, answer: Callable[..., None]) -> None:
        answer("s3-control", "GetPublicAccessBlock", "AccessDenied")
        (one,) = found(access.ACCOUNT)
        assert (one.name, one.severity) == ("not-seen", "note")
        assert "Give the caller s3:GetAccountPublicAccessBlock," in one.remedy


def test_encryption_by_kms(redirect: Any) -> None:
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    redirect.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": [rule]})
    assert names(access.ENCRYPTION) == ["encryption-kms"]


class TestWebsite:
    def rules(self, s3: Any, change: Callable[[list[Document]], None]) -> list[str]:
        configuration = {"IndexDocument": {"Suffix": "index.html"}}
        rules = routing_rules(conf.settings().resizer_url)
        change(rules)
        if rules:
            configuration["RoutingRules"] = rules
        s3.put_bucket_website(Bucket=BUCKET, WebsiteConfiguration=configuration)
        return names(website.RULES)

    def test_there_is_none(self, redirect: Any) -> None:
        redirect.delete_bucket_website(Bucket=BUCKET)
        assert names(website.RULES) == ["website-missing"]

    @pytest.mark.parametrize(("kept", "code"), [(0, "403"), (1, "404")])
    def test_a_rule_for_one_code_alone(self, redirect: Any, kept: int, code: str) -> None:
        """AWS's pages name both for a missing object, so that one rule works here and not there."""
        assert self.rules(redirect, lambda rules: rules.__setitem__(slice(None), [rules[kept]])) == [
            "website-code-missing"
        ]
        assert code in found(website.RULES)[0].what

    @pytest.mark.parametrize("code", ["301", "302", "308", None])
    def test_another_redirect(self, redirect: Any, code: str | None) -> None:
        def change(rules: list[Document]) -> None:
            if code:
                rules[0]["Redirect"]["HttpRedirectCode"] = code
            else:
                del rules[0]["Redirect"]["HttpRedirectCode"]

        assert self.rules(redirect, change) == ["website-code-redirect"]

    @pytest.mark.parametrize(
        "other",
        [
            {"HostName": "old.example"},
            {"Protocol": "http"},
            {"ReplaceKeyPrefixWith": "img/resizer?key="},
        ],
    )
    def test_another_place(self, redirect: Any, other: Document) -> None:
        assert self.rules(redirect, lambda rules: rules[1]["Redirect"].update(other)) == ["website-elsewhere"]
        assert "https://shop.example/images/resizer?key=KEY" in found(website.RULES)[0].what

    def test_a_rule_for_a_prefix_is_none_for_the_rest(self, redirect: Any) -> None:
        def change(rules: list[Document]) -> None:
            rules[0]["Condition"]["KeyPrefixEquals"] = "old/"

        assert self.rules(redirect, change) == ["website-code-missing"]

    def test_a_rule_without_condition_takes_all_requests(self, redirect: Any) -> None:
        """S3 API, RoutingRule: "Condition" is not required; the first rule that fits counts."""
        there = redirect.get_bucket_website(Bucket=BUCKET)
        del there["ResponseMetadata"]
        there["RoutingRules"].insert(0, {"Redirect": {"HostName": "other.example", "Protocol": "https"}})
        redirect.put_bucket_website(Bucket=BUCKET, WebsiteConfiguration=there)
        assert "website-elsewhere" in names(website.RULES)

    def test_all_requests_are_redirected(self, redirect: Any) -> None:
        everything = {"RedirectAllRequestsTo": {"HostName": "www.example"}}
        redirect.put_bucket_website(Bucket=BUCKET, WebsiteConfiguration=everything)
        assert names(website.RULES) == ["website-elsewhere"]

    def test_rules_are_left_over_in_failover(self, failover: Any) -> None:
        assert names(website.LEFT_OVER) == []
        configuration = {
            "IndexDocument": {"Suffix": "index.html"},
            "RoutingRules": routing_rules(conf.settings().resizer_url),
        }
        failover.put_bucket_website(Bucket=BUCKET, WebsiteConfiguration=configuration)
        assert names(website.LEFT_OVER) == ["website-left-over"]


class TestPolicy:
    def add(self, s3: Any, *resources: str, **parts: Any) -> None:
        policy = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])
        statement = {
            "Sid": "Theirs",
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": [f"arn:aws:s3:::{BUCKET}{one}" for one in resources],
        } | parts
        policy["Statement"].append(statement)
        s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))

    @pytest.mark.parametrize(
        "parts",
        [
            {},
            {"Principal": {"AWS": "*"}},
            {"Principal": {"AWS": ["123456789012", "*"]}},
            {"Action": ["s3:PutObject", "s3:Get*"]},
            {"Action": "*"},
            {"Condition": {"StringLike": {"aws:Referer": "https://shop.example/*"}}},
            {"Condition": {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}},
        ],
    )
    def test_originals_are_public(self, redirect: Any, parts: Document) -> None:
        self.add(redirect, "/*", **parts)
        (one,) = found(exposure.ORIGINALS)
        assert (one.name, one.severity) == ("originals-public", "error")
        assert "'Theirs'" in one.what

    @pytest.mark.parametrize("resource", [f"arn:aws:s3:::{BUCKET}*", "arn:aws:s3:::*"])
    def test_a_star_has_slashes_too(self, redirect: Any, resource: str) -> None:
        policy = json.loads(redirect.get_bucket_policy(Bucket=BUCKET)["Policy"])
        reads = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": resource}
        policy["Statement"].append({"Sid": "All", **reads})
        redirect.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
        assert "originals-public" in names(exposure.ORIGINALS)

    def test_some_originals_are_public(self, redirect: Any) -> None:
        redirect.put_object(Bucket=BUCKET, Key="products/bowl.jpg", Body=jpeg())
        self.add(redirect, "/products/*")
        (one,) = found(exposure.ORIGINALS)
        assert one.name == "originals-public"
        assert "'products/bowl.jpg'" in one.what

    def test_something_else_is_public(self, redirect: Any) -> None:
        redirect.put_object(Bucket=BUCKET, Key="static/shop.css", Body=b"body {}")
        self.add(redirect, "/static/*")
        (one,) = found(exposure.ORIGINALS)
        assert (one.name, one.severity) == ("policy-wide", "warning")

    @pytest.mark.parametrize(
        "parts",
        [
            {"Effect": "Deny"},
            {"Principal": {"AWS": "arn:aws:iam::123456789012:user/ann"}},
            {"Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}},
            {"Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}},
            {"Action": "s3:PutObjectTagging"},
        ],
    )
    def test_what_lets_not_everybody_read(self, redirect: Any, parts: Document) -> None:
        self.add(redirect, "/*", **parts)
        assert found(exposure.ORIGINALS) == []

    def test_variants_of_a_size_that_was_removed(self, redirect: Any) -> None:
        self.add(redirect, "/*/99x99/*")
        assert found(exposure.ORIGINALS) == []

    @pytest.mark.parametrize("action", ["s3:ListBucket", "s3:*"])
    def test_everybody_may_list(self, redirect: Any, action: str) -> None:
        self.add(redirect, "", Action=action)
        assert names(exposure.ORIGINALS) == ["listing-public"]

    def test_originals_in_a_bucket_of_their_own(self, redirect: Any, settings: Any) -> None:
        redirect.create_bucket(
            Bucket="originals-only", CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        change_storage(settings, aliases=("default",), bucket_name="originals-only")
        assert found(exposure.ORIGINALS) == []
        statement = {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::originals-only/*",
        }
        policy = {"Version": "2012-10-17", "Statement": statement}
        redirect.put_bucket_policy(Bucket="originals-only", Policy=json.dumps(policy))
        (one,) = found(exposure.ORIGINALS)
        assert one.name == "originals-public"
        assert "A statement without Sid in the policy of 'originals-only'" in one.what

    def test_nobody_may_read_variants(self, redirect: Any) -> None:
        redirect.delete_bucket_policy(Bucket=BUCKET)
        assert names(exposure.READERS) == ["variants-not-readable"]

    def test_variants_of_a_new_size(self, redirect: Any, lazy: Callable[..., None]) -> None:
        lazy(SIZES=["360x270", "480h", "1280w", "99w"])
        (one,) = found(exposure.READERS)
        assert "variants of 99w." in one.what

    def test_a_wider_statement_will_do(self, redirect: Any) -> None:
        self.add(redirect, "/*")
        redirect_policy = json.loads(redirect.get_bucket_policy(Bucket=BUCKET)["Policy"])
        redirect_policy["Statement"] = redirect_policy["Statement"][1:]
        redirect.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(redirect_policy))
        assert found(exposure.READERS) == []


class TestDrift:
    def test_what_differs_is_named(self, redirect: Any, lazy: Callable[..., None]) -> None:
        lazy(SIZES=["360x270"], RESIZER_URL="https://other.example/images/resizer")
        (one,) = found(drift.BUCKET)
        assert (one.name, one.severity) == ("bucket-drift", "warning")
        assert {"policy", "website"} <= set(one.what.rstrip(".").split(": ")[1].split(", "))
        assert "lazyimages_setup_bucket --dry-run" in one.remedy

    def test_what_cannot_be_set_up_says_why(self, redirect: Any) -> None:
        everything = {"RedirectAllRequestsTo": {"HostName": "www.example"}}
        redirect.put_bucket_website(Bucket=BUCKET, WebsiteConfiguration=everything)
        (one,) = found(drift.BUCKET)
        assert (one.name, one.severity) == ("bucket-drift", "error")
        assert "website" in one.what


@pytest.mark.parametrize(
    ("operation", "examination", "action"),
    [
        ("GetPublicAccessBlock", access.BLOCK, "s3:GetBucketPublicAccessBlock"),
        ("GetBucketEncryption", access.ENCRYPTION, "s3:GetEncryptionConfiguration"),
        ("GetBucketWebsite", website.RULES, "s3:GetBucketWebsite"),
        ("GetBucketPolicy", exposure.ORIGINALS, "s3:GetBucketPolicy"),
        ("GetBucketPolicy", exposure.READERS, "s3:GetBucketPolicy"),
        ("GetBucketCors", drift.BUCKET, "s3:GetBucketCORS"),
    ],
)
def test_what_the_caller_may_not_see_is_a_note_that_names_the_action(
    redirect: Any,
    answer: Callable[..., None],
    operation: str,
    examination: Examination,
    action: str,
) -> None:
    answer("s3", operation, "AccessDenied")
    first, second = look_at(examination, access.ACLS)
    assert [one.name for one in first.findings] == ["not-seen"]
    assert f"Give the caller {action}," in first.findings[0].remedy
    assert first.verdict == "note"
    assert second.verdict == "ok"


def test_an_error_that_nobody_expects_keeps_no_other_from_looking(
    redirect: Any, answer: Callable[..., None]
) -> None:
    answer("s3", "GetBucketWebsite", "InternalError", status=500, message="We are sorry")
    first, second = look_at(website.RULES, exposure.ORIGINALS)
    assert [one.name for one in first.findings] == ["no-answer"]
    assert "We are sorry" in first.findings[0].remedy
    assert second.verdict == "ok"


def change_storage(
    settings: Any, *, aliases: tuple[str, ...] = ("default", "lazyimages"), **options: Any
) -> None:
    entries = dict(settings.STORAGES)
    for alias in aliases:
        entries[alias] = entries[alias] | {"OPTIONS": entries[alias]["OPTIONS"] | options}
    settings.STORAGES = entries
