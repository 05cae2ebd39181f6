"""Originals in a bucket of their own: private in either delivery, and otherwise left as it is."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError

from lazyimages.aws import documents
from tests.aws.conftest import Request, bucket_state, writes
from tests.conftest import BUCKET

Setup = Callable[..., str]
Delivery = Callable[..., None]

ORIGINALS = "shop-originals"


@pytest.fixture(autouse=True, params=["redirect", "failover"])
def _two_buckets(request: pytest.FixtureRequest, s3: Any, settings: Any, delivery: Delivery) -> None:
    own = settings.STORAGES["default"]
    apart = {**own, "OPTIONS": {**own["OPTIONS"], "bucket_name": ORIGINALS}}
    settings.STORAGES = {**settings.STORAGES, "default": apart}
    delivery(request.param, DISTRIBUTION_ID="E2QWRUHEXAMPLE", EXPIRE_VARIANTS_DAYS=90)


@pytest.fixture
def there(s3: Any) -> None:
    s3.create_bucket(Bucket=ORIGINALS, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})


def put_policy(s3: Any, *statements: dict[str, Any]) -> None:
    policy = {"Version": "2012-10-17", "Statement": list(statements)}
    s3.put_bucket_policy(Bucket=ORIGINALS, Policy=json.dumps(policy))


def statement(**changes: Any) -> dict[str, Any]:
    resource = f"arn:aws:s3:::{ORIGINALS}/*"
    return {
        "Sid": "Theirs",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": resource,
        **changes,
    }


def test_it_is_created_and_private(s3: Any, setup: Setup, requests: list[Request]) -> None:
    out = setup()
    assert "changed bucket (originals)" in out
    state = bucket_state(s3, ORIGINALS)
    block = documents.public_access_block(public=False)
    assert state["get_public_access_block"] == {"PublicAccessBlockConfiguration": block}
    assert all(block.values())
    assert state["get_bucket_ownership_controls"]["OwnershipControls"] == documents.OWNERSHIP
    assert [rule["ID"] for rule in state["get_bucket_lifecycle_configuration"]["Rules"]] == [
        "lazyimages-abort-multipart"
    ]
    assert state["get_bucket_policy"] == state["get_bucket_website"] == state["get_bucket_cors"] == {}
    (encryption,) = state["get_bucket_encryption"]["ServerSideEncryptionConfiguration"]["Rules"]
    assert encryption["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert "LazyImages" in bucket_state(s3, BUCKET)["get_bucket_policy"]["Policy"]
    of_originals = [request for request in requests if request[1]["Bucket"] == ORIGINALS]
    assert not {"PutBucketPolicy", "PutBucketWebsite", "PutBucketCors"} & set(writes(of_originals))


def test_a_second_run_writes_nothing(setup: Setup, requests: list[Request]) -> None:
    setup()
    requests.clear()
    assert "Nothing to change." in setup()
    assert writes(requests) == []
    setup("--check")
    assert writes(requests) == []


def test_its_key_of_kms_is_kept_and_that_of_the_variants_not(s3: Any, there: None, setup: Setup) -> None:
    rule = {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/photos"}
    }
    for bucket in (ORIGINALS, BUCKET):
        s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    before = bucket_state(s3, ORIGINALS)["get_bucket_encryption"]
    setup()
    assert bucket_state(s3, ORIGINALS)["get_bucket_encryption"] == before
    (after,) = bucket_state(s3, BUCKET)["get_bucket_encryption"]["ServerSideEncryptionConfiguration"]["Rules"]
    assert after["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


@pytest.mark.parametrize(
    ("changes", "name"),
    [({}, "Theirs"), ({"Sid": "LazyImagesPublicVariants"}, "LazyImagesPublicVariants")],
)
def test_a_statement_that_lets_everybody_in_is_named(
    s3: Any, there: None, setup: Setup, requests: list[Request], changes: dict[str, str], name: str
) -> None:
    put_policy(s3, statement(**changes))
    requests.clear()
    with pytest.raises(CommandError) as caught:
        setup()
    assert str(caught.value).startswith(
        f"Nothing was changed: the policy of the bucket '{ORIGINALS}', which holds originals, lets everybody "
        f"in: {name}. Remove the statement"
    )
    assert writes(requests) == []


def test_other_statements_and_the_website_are_its_owners_business(s3: Any, there: None, setup: Setup) -> None:
    put_policy(s3, statement(Principal={"AWS": "arn:aws:iam::123456789012:root"}))
    s3.put_bucket_website(Bucket=ORIGINALS, WebsiteConfiguration={"IndexDocument": {"Suffix": "start.html"}})
    before = bucket_state(s3, ORIGINALS)
    setup()
    after = bucket_state(s3, ORIGINALS)
    assert after["get_bucket_policy"] == before["get_bucket_policy"]
    assert after["get_bucket_website"] == before["get_bucket_website"]


def test_the_steps_are_told_apart(setup: Setup) -> None:
    names = [step["name"] for step in json.loads(setup("--dry-run", "--format", "json"))]
    assert names[:5] == [
        *("bucket (originals)", "public access block (originals)", "object ownership (originals)"),
        *("encryption (originals)", "lifecycle (originals)"),
    ]
    assert len(set(names)) == len(names) == 13


def test_which_of_the_buckets_a_refusal_is_about(setup: Setup, refused: Callable[..., None]) -> None:
    refused("PutBucketLifecycleConfiguration")
    with pytest.raises(CommandError) as caught:
        setup()
    assert f"on the bucket '{ORIGINALS}'. Give the caller s3:PutLifecycleConfiguration" in str(caught.value)
