"""Examine ACLs, Block Public Access and encryption: what keeps variants from being read, or stored."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from lazyimages.aws import reading, trouble
from lazyimages.aws.documents import Document
from lazyimages.doctor.case import Case
from lazyimages.doctor.examination import Examination, Seen
from lazyimages.doctor.findings import finding

# S3 user guide, "Controlling ownership of objects and disabling ACLs": the one that such buckets take.
_HARMLESS = "bucket-owner-full-control"
# S3 API, PublicAccessBlockConfiguration: BlockPublicPolicy "doesn't affect existing bucket policies"; it
# refuses new ones, which is a matter of setting up.
_BLOCKING = ("RestrictPublicBuckets",)


def _look_at_acls(case: Case) -> Iterator[Seen]:
    for storage in case.storages:
        own: dict[str, Any] = storage.get_object_parameters("probe.jpg")
        for where, acl in (("default_acl", storage.default_acl), ("object_parameters", own.get("ACL"))):
            if acl and acl != _HARMLESS:
                what = f"The storage of the bucket {storage.bucket_name!r} has {where} {acl!r}."
                yield finding("acl-sent", what)


def _look_at_block(case: Case) -> Iterator[Seen]:
    assert case.variants is not None
    name = case.variants.bucket_name
    call = case.client(case.variants).get_public_access_block
    on = _blocking(reading.document(call, name, "PublicAccessBlockConfiguration"))
    if on:
        yield finding("public-access-blocked", f"The bucket {name!r} has {' and '.join(on)} on.")


def _look_at_account(case: Case) -> Iterator[Seen]:
    assert case.variants is not None
    if not case.on_aws(case.variants) or not case.has(case.variants, "sts"):
        yield "not asked, because the bucket is not on AWS"
        return
    account = case.client(case.variants, "sts").get_caller_identity()["Account"]
    control = case.client(case.variants, "s3control")
    try:
        answer = control.get_public_access_block(AccountId=account)
    except ClientError as error:
        if trouble.code(error) in trouble.DENIED:
            what = f"AWS refused to show the public access block of the account {account}."
            yield finding("not-seen", what, action="s3:GetAccountPublicAccessBlock")
        elif trouble.code(error) != "NoSuchPublicAccessBlockConfiguration":
            raise
        return
    if on := _blocking(answer["PublicAccessBlockConfiguration"]):
        yield finding("account-blocks-public", f"The account {account} has {' and '.join(on)} on.")


def _blocking(flags: Document | None) -> list[str]:
    """Return which of the flags that concern policies are on; without a document none is."""
    return [flag for flag in _BLOCKING if (flags or {}).get(flag)]


def _look_at_encryption(case: Case) -> Iterator[Seen]:
    assert case.variants is not None
    name = case.variants.bucket_name
    call = case.client(case.variants).get_bucket_encryption
    found = reading.document(call, name, "ServerSideEncryptionConfiguration") or {}
    for rule in found.get("Rules", []):
        algorithm = rule.get("ApplyServerSideEncryptionByDefault", {}).get("SSEAlgorithm", "")
        if algorithm.startswith("aws:kms"):
            yield finding("encryption-kms", f"The bucket {name!r} encrypts with {algorithm}.")


ACLS = Examination(name="ACLs", look=_look_at_acls, unless=())
BLOCK = Examination(name="public access block", look=_look_at_block, deliveries=("redirect",))
ACCOUNT = Examination(
    name="public access block of the account", look=_look_at_account, deliveries=("redirect",)
)
ENCRYPTION = Examination(name="encryption", look=_look_at_encryption, deliveries=("redirect",))
