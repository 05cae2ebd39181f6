"""The documents that AWS is given: their exact shapes, and what is kept of others'."""

import copy
import json
from typing import Any

import pytest

from lazyimages import sizes
from lazyimages.aws import documents, statements
from lazyimages.aws.documents import Conflict

SIZES = [sizes.parse("360x270"), sizes.parse("480h")]
RESOURCES = [
    "arn:aws:s3:::photos/360x270/*",
    "arn:aws:s3:::photos/*/360x270/*",
    "arn:aws:s3:::photos/480h/*",
    "arn:aws:s3:::photos/*/480h/*",
]
ARN = "arn:aws:cloudfront::123456789012:distribution/E2QWRUHEXAMPLE"
PUBLIC = documents.public_statement("photos", SIZES)
OURS = documents.routing_rules("https://shop.example/images/resizer")
LOGS = {"Sid": "Logs", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
BACKUP = {"Effect": "Allow", "Principal": {"AWS": "1"}, "Action": "s3:GetObject", "Resource": "*"}
INDEX = {"IndexDocument": {"Suffix": "index.html"}}
NARROW = {"Condition": {"KeyPrefixEquals": "old/"}, "Redirect": {"ReplaceKeyPrefixWith": "new/"}}
WIDE = {"Condition": {"HttpErrorCodeReturnedEquals": "404"}, "Redirect": {"HostName": "old.example"}}


class TestStatements:
    def test_everybody_may_read_variants_two_resources_a_size(self) -> None:
        assert {
            "Sid": "LazyImagesPublicVariants",
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": RESOURCES,
        } == PUBLIC

    def test_one_distribution_may(self) -> None:
        assert documents.distribution_statement("photos", SIZES, ARN) == {
            "Sid": "LazyImagesDistributionVariants",
            "Effect": "Allow",
            "Principal": {"Service": "cloudfront.amazonaws.com"},
            "Action": "s3:GetObject",
            "Resource": RESOURCES,
            "Condition": {"StringEquals": {"AWS:SourceArn": ARN}},
        }

    def test_in_another_partition(self) -> None:
        statement = documents.public_statement("photos", SIZES[:1], "aws-cn")
        assert statement["Resource"] == [
            "arn:aws-cn:s3:::photos/360x270/*",
            "arn:aws-cn:s3:::photos/*/360x270/*",
        ]

    def test_acls_are_blocked_always_and_policies_in_private_buckets(self) -> None:
        flags = {"BlockPublicAcls": True, "IgnorePublicAcls": True}
        assert documents.public_access_block(public=True) == {
            **flags,
            "BlockPublicPolicy": False,
            "RestrictPublicBuckets": False,
        }
        assert documents.public_access_block(public=False) == {
            **flags,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        }


class TestMergePolicy:
    def test_a_new_policy(self) -> None:
        assert documents.merge_policy(None, [PUBLIC]) == {"Version": "2012-10-17", "Statement": [PUBLIC]}

    def test_foreign_statements_stay_in_order_and_ours_are_replaced(self) -> None:
        stale = documents.public_statement("photos", SIZES[:1])
        existing = {"Version": "2008-10-17", "Id": "theirs", "Statement": [LOGS, stale, BACKUP]}
        before = copy.deepcopy(existing)
        assert documents.merge_policy(existing, [PUBLIC]) == {
            "Version": "2008-10-17",
            "Id": "theirs",
            "Statement": [LOGS, BACKUP, PUBLIC],
        }
        assert existing == before

    def test_each_of_our_statements_takes_the_place_of_the_other(self) -> None:
        ours = documents.distribution_statement("photos", SIZES, ARN)
        merged = documents.merge_policy({"Version": "2012-10-17", "Statement": [PUBLIC]}, [ours])
        assert merged == {"Version": "2012-10-17", "Statement": [ours]}

    def test_a_policy_of_one_statement_outside_a_list(self) -> None:
        merged = documents.merge_policy({"Version": "2012-10-17", "Statement": LOGS}, [PUBLIC])
        assert merged == {"Version": "2012-10-17", "Statement": [LOGS, PUBLIC]}
        merged = documents.merge_policy({"Version": "2012-10-17", "Statement": PUBLIC}, [])
        assert merged is None

    def test_none_is_left(self) -> None:
        assert documents.merge_policy({"Version": "2012-10-17", "Statement": [PUBLIC]}, []) is None
        assert documents.merge_policy(None, []) is None

    def test_merging_again_changes_nothing(self) -> None:
        once = documents.merge_policy({"Version": "2012-10-17", "Statement": [LOGS]}, [PUBLIC])
        assert documents.merge_policy(once, [PUBLIC]) == once

    @pytest.mark.parametrize(
        "changes",
        [
            {"Principal": {"AWS": "*"}},
            {"Principal": {"AWS": ["*"]}},
            {"Action": ["s3:GetObject"]},
            {"Resource": RESOURCES[::-1]},
        ],
    )
    def test_the_same_in_other_words_stays_as_it_is(self, changes: dict[str, Any]) -> None:
        existing = {"Version": "2012-10-17", "Statement": [{**PUBLIC, **changes}, LOGS]}
        assert documents.merge_policy(existing, [PUBLIC]) is existing

    @pytest.mark.parametrize(
        "changes",
        [
            {"Principal": {"AWS": "123456789012"}},
            {"Action": ["s3:GetObject", "s3:PutObject"]},
            {"Resource": RESOURCES[:3]},
            {"Condition": {"Bool": {"aws:SecureTransport": "true"}}},
            {"Effect": "Deny"},
        ],
    )
    def test_what_only_resembles_ours_makes_way(self, changes: dict[str, Any]) -> None:
        existing = {"Version": "2012-10-17", "Statement": [{**PUBLIC, **changes}, LOGS]}
        assert documents.merge_policy(existing, [PUBLIC]) == {
            "Version": "2012-10-17",
            "Statement": [LOGS, PUBLIC],
        }

    def test_bytes_without_white_space_between_the_words(self) -> None:
        assert documents.policy_bytes({"Statement": [], "Id": "a b"}) == len('{"Statement":[],"Id":"a b"}')

    def test_who_lets_everybody_in(self) -> None:
        nameless = {key: value for key, value in PUBLIC.items() if key != "Sid"}
        found = statements.public_names({"Statement": [LOGS, BACKUP, PUBLIC, nameless]})
        assert found == ["LazyImagesPublicVariants", "without Sid"]
        assert statements.public_names(None) == []

    def test_what_is_granted_already(self) -> None:
        policy = {"Statement": [{**BACKUP, "Resource": "arn:aws:s3:::photos/*"}, PUBLIC]}
        assert documents.granted_resources(policy) == set(RESOURCES)
        assert documents.granted_resources({"Statement": PUBLIC}) == set(RESOURCES)
        assert documents.granted_resources(None) == set()


@pytest.mark.parametrize(
    ("changes", "public"),
    [
        ({}, True),
        ({"Principal": {"AWS": "*"}}, True),
        ({"Principal": {"AWS": ["arn:aws:iam::1:root", "*"]}}, True),
        ({"Principal": {"AWS": "arn:aws:iam::123456789012:root"}}, False),
        ({"Principal": {"AWS": ["123456789012"]}}, False),
        ({"Principal": {"Service": "cloudfront.amazonaws.com"}}, False),
        ({"Effect": "Deny"}, False),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}, False),
        ({"Condition": {}}, True),
    ],
)
def test_is_public(changes: dict[str, Any], public: bool) -> None:
    assert statements.is_public({**PUBLIC, **changes}) is public


def test_everybody_but_one_is_public() -> None:
    statement = {"Effect": "Allow", "NotPrincipal": {"AWS": "1"}, "Action": "s3:*", "Resource": "*"}
    assert statements.is_public(statement)


class TestRoutingRules:
    def test_a_missing_object_leads_to_the_resizer_for_now(self) -> None:
        assert [
            {
                "Condition": {"HttpErrorCodeReturnedEquals": code},
                "Redirect": {
                    "Protocol": "https",
                    "HostName": "shop.example",
                    "ReplaceKeyPrefixWith": "images/resizer?key=",
                    "HttpRedirectCode": "307",
                },
            }
            for code in ("404", "403")
        ] == OURS

    def test_host_with_a_port_and_plain_http(self) -> None:
        redirect = documents.routing_rules("http://127.0.0.1:8000/media/resizer")[0]["Redirect"]
        assert redirect["Protocol"] == "http"
        assert redirect["HostName"] == "127.0.0.1:8000"
        assert redirect["ReplaceKeyPrefixWith"] == "media/resizer?key="

    def test_a_rule_may_be_changed_without_changing_the_next(self) -> None:
        rules = documents.routing_rules("https://shop.example/images/resizer")
        rules[0]["Redirect"]["HostName"] = "other"
        assert rules[1]["Redirect"]["HostName"] == "shop.example"


class TestMergeWebsite:
    def test_a_new_website(self) -> None:
        assert documents.merge_website(None, OURS) == {**INDEX, "RoutingRules": OURS}

    def test_rules_for_a_prefix_come_before_ours(self) -> None:
        existing = {**INDEX, "RoutingRules": [NARROW]}
        before = copy.deepcopy(existing)
        assert documents.merge_website(existing, OURS)["RoutingRules"] == [NARROW, *OURS]
        assert existing == before

    def test_what_others_add_to_our_website_is_kept_and_a_rule_for_all_keys_comes_after_ours(self) -> None:
        existing = {**INDEX, "RoutingRules": [WIDE, *OURS, NARROW]}
        before = copy.deepcopy(existing)
        assert documents.merge_website(existing, OURS)["RoutingRules"] == [NARROW, *OURS, WIDE]
        assert existing == before

    def test_our_earlier_rules_are_replaced(self) -> None:
        stale = documents.routing_rules("http://old.example/r")
        existing = {**INDEX, "RoutingRules": [stale[0], NARROW, stale[1]]}
        assert documents.merge_website(existing, OURS)["RoutingRules"] == [NARROW, *OURS]

    def test_merging_again_changes_nothing(self) -> None:
        once = documents.merge_website({**INDEX, "RoutingRules": [WIDE, *OURS, NARROW]}, OURS)
        assert documents.merge_website(once, OURS) == once

    def test_index_and_error_documents_are_kept(self) -> None:
        existing = {"IndexDocument": {"Suffix": "start.html"}, "ErrorDocument": {"Key": "oops.html"}}
        with_ours = {**existing, "RoutingRules": OURS}
        assert documents.merge_website(with_ours, OURS) == with_ours
        assert documents.merge_website({**existing, "RoutingRules": OURS}, []) == existing

    @pytest.mark.parametrize(
        "rule",
        [
            {**OURS[0], "Condition": {"HttpErrorCodeReturnedEquals": "404", "KeyPrefixEquals": "a/"}},
            {**OURS[0], "Condition": {"HttpErrorCodeReturnedEquals": "500"}},
            {**OURS[0], "Redirect": {"HostName": "a.example", "ReplaceKeyPrefixWith": "images/"}},
            {"Redirect": {"HostName": "a.example"}},
        ],
    )
    def test_what_only_looks_like_ours_is_kept(self, rule: dict[str, Any]) -> None:
        existing = {**INDEX, "RoutingRules": [rule, *OURS]}
        assert rule in documents.merge_website(existing, OURS)["RoutingRules"]

    def test_without_ours_nothing_is_left_of_our_website(self) -> None:
        assert documents.merge_website({**INDEX, "RoutingRules": OURS}, []) is None
        assert documents.merge_website(None, []) is None

    def test_without_ours_the_others_stay(self) -> None:
        merged = documents.merge_website({**INDEX, "RoutingRules": [NARROW, *OURS]}, [])
        assert merged == {**INDEX, "RoutingRules": [NARROW]}

    @pytest.mark.parametrize(
        "existing", [INDEX, {**INDEX, "RoutingRules": [WIDE]}, {"RedirectAllRequestsTo": {"HostName": "a"}}]
    )
    def test_a_website_without_anything_of_ours_is_left_alone(self, existing: dict[str, Any]) -> None:
        assert documents.merge_website(existing, []) == existing

    def test_fifty_rules_and_no_more(self) -> None:
        rules = [{**NARROW, "Condition": {"KeyPrefixEquals": f"{n}/"}} for n in range(49)]
        assert len(documents.merge_website({**INDEX, "RoutingRules": rules[:48]}, OURS)["RoutingRules"]) == 50
        with pytest.raises(
            Conflict, match=r"would have 51 routing rules; S3 takes 50\. 49 are .*: remove 1 "
        ):
            documents.merge_website({**INDEX, "RoutingRules": rules}, OURS)

    @pytest.mark.parametrize(
        "existing",
        [
            {"RedirectAllRequestsTo": {"HostName": "www.example"}},
            {"IndexDocument": {"Suffix": "start.html"}},
            {**INDEX, "ErrorDocument": {"Key": "oops.html"}},
            {**INDEX, "RoutingRules": [NARROW, WIDE]},
        ],
    )
    def test_a_website_for_something_else(self, existing: dict[str, Any]) -> None:
        with pytest.raises(
            Conflict, match=r"(?s)something else:\n\{.*\n\}\nUse .*--replace-website"
        ) as caught:
            documents.merge_website(existing, OURS)
        assert json.dumps(existing, indent=2) in str(caught.value)
        assert documents.merge_website(existing, OURS, replace=True) == {**INDEX, "RoutingRules": OURS}
        assert documents.merge_website(existing, [], replace=True) == existing

    @pytest.mark.parametrize("existing", [INDEX, {**INDEX, "RoutingRules": [NARROW]}])
    def test_a_website_that_gets_on_with_ours_is_not_replaced(self, existing: dict[str, Any]) -> None:
        with_ours = documents.merge_website(existing, OURS)
        assert documents.merge_website(existing, OURS, replace=True) == with_ours


class TestEncryption:
    def test_what_s3_can_serve_is_kept_with_all_its_parts(self) -> None:
        existing = {
            "Rules": [
                {
                    "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
                    "BucketKeyEnabled": True,
                    "BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]},
                }
            ]
        }
        assert documents.encryption(existing) == existing

    @pytest.mark.parametrize(
        "existing",
        [
            None,
            {"Rules": []},
            {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]},
        ],
    )
    def test_other_encryption_makes_way(self, existing: dict[str, Any] | None) -> None:
        (rule,) = documents.encryption(existing)["Rules"]
        assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
