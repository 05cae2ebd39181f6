"""Examine what the credentials may do: too little for the app, or more than it ever needs."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from lazyimages.aws import trouble
from lazyimages.doctor.case import Case
from lazyimages.doctor.examination import FAILURES, Examination, Seen
from lazyimages.doctor.findings import finding

if TYPE_CHECKING:
    from storages.backends.s3 import S3Storage

_MISSING = "lazyimages-doctor-missing.jpg"
# What only those who set AWS up do, by what it is done to; "{...}" as in the ARNs.
_TOO_MUCH = (
    (
        "arn:{partition}:s3:::{bucket}",
        ("s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:PutBucketPublicAccessBlock", "s3:DeleteBucket"),
    ),
    (
        "arn:{partition}:s3:::lazyimages-doctor-another-bucket/secret",
        ("s3:GetObject", "s3:PutObject", "s3:DeleteObject"),
    ),
    ("*", ("iam:CreateUser", "iam:PutRolePolicy", "iam:AttachRolePolicy", "cloudfront:UpdateDistribution")),
)
_ASSUMED = re.compile(r"arn:(?P<partition>[^:]+):sts::(?P<account>\d+):assumed-role/(?P<role>[^/]+)/.*")


def _look_at_listing(case: Case) -> Iterator[Seen]:
    """Ask for what is not there: 403 instead of 404 is S3's answer to who may not list.

    Source: S3 API, GetObject, "Permissions".
    """
    size = next(iter(case.settings.whitelist))
    # Both of them also in one bucket: the app's rights to originals are others than those to variants.
    places = [(case.variants, str(size)), (case.originals, "")]
    refused: set[str] = set()
    for storage, directory in places:
        if storage is None or storage.bucket_name in refused:
            continue
        below = storage.location.strip("/")
        name = "/".join(filter(None, (below, directory, _MISSING)))
        try:
            case.client(storage).get_object(Bucket=storage.bucket_name, Key=name)
        except ClientError as error:
            code = trouble.code(error)
            if code in trouble.DENIED:
                what = f"S3 answers {code} for an object of {storage.bucket_name!r} that is not there."
                refused.add(storage.bucket_name)
                known = _lists(case, storage)
                yield finding(
                    "role-cannot-read" if known else "role-cannot-list", what, bucket=storage.bucket_name
                )
            elif code not in ("NoSuchKey", "404"):
                raise


def _lists(case: Case, storage: "S3Storage") -> bool:
    """Tell whether the caller has s3:ListBucket, which HeadBucket needs."""
    try:
        case.client(storage).head_bucket(Bucket=storage.bucket_name)
    except ClientError:
        return False
    return True


def _look_at_excess(case: Case) -> Iterator[Seen]:
    for storage in case.storages[:1]:
        if not (case.has(storage, "sts") and case.has(storage, "iam")):
            yield "not asked, because the bucket is not on AWS"
            continue
        arn = case.client(storage, "sts").get_caller_identity()["Arn"]
        if arn.endswith(":root"):
            yield "everything, as the account's root user"
            continue
        yield from _simulate(case, storage, _principal(arn))


def _simulate(case: Case, storage: "S3Storage", principal: str) -> Iterator[Seen]:
    iam, partition = case.client(storage, "iam"), case.client(storage).meta.partition
    allowed: list[str] = []
    try:
        for resource, actions in _TOO_MUCH:
            arn = resource.format(partition=partition, bucket=storage.bucket_name)
            answer = iam.simulate_principal_policy(
                PolicySourceArn=principal, ActionNames=list(actions), ResourceArns=[arn]
            )
            allowed += [
                f"{result['EvalActionName']} on {arn}"
                for result in answer["EvaluationResults"]
                if result["EvalDecision"] == "allowed"
            ]
    except iam.exceptions.NoSuchEntityException:  # a role with a path, as those of SSO and the console have
        what = f"There is no {principal}: the role has a path, which its sessions do not name."
        yield finding("not-seen", what, action="a role without a path")
        return
    except FAILURES as error:
        code = trouble.code(error) if isinstance(error, ClientError) else type(error).__name__
        what = f"The policies of {principal} could not be tried out ({code})."
        yield finding("not-seen", what, action="iam:SimulatePrincipalPolicy")
        return
    if allowed:
        yield finding("role-too-wide", f"{principal} may do {', '.join(allowed)}.")
    else:
        yield f"none of the {sum(len(actions) for _, actions in _TOO_MUCH)} that were tried"


def _principal(arn: str) -> str:
    """Return the ARN whose policies count: of a session, that of its role.

    A session does not name the path of its role; one that has a path is not found, which is a note.
    """
    match = _ASSUMED.fullmatch(arn)
    return f"arn:{match['partition']}:iam::{match['account']}:role/{match['role']}" if match else arn


LISTING = Examination(name="permissions: those needed", look=_look_at_listing)
EXCESS = Examination(name="permissions: too many", look=_look_at_excess)
