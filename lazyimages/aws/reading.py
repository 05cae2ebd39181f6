"""What is on a bucket now, read so that what is not there is None and no refusal is mistaken for another."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lazyimages.aws import trouble
from lazyimages.aws.documents import Conflict, Document

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

_ABSENT = (
    "404",
    "NoSuchBucket",
    "NoSuchBucketPolicy",
    "NoSuchCORSConfiguration",
    "NoSuchLifecycleConfiguration",
    "NoSuchPublicAccessBlockConfiguration",
    "NoSuchWebsiteConfiguration",
    "OwnershipControlsNotFoundError",
    "ServerSideEncryptionConfigurationNotFoundError",
)
_NAMELESS = ("400", "403")  # AWS answers HEAD without a body, so that all refusals look alike


def exists(client: "S3Client", bucket: str) -> bool:
    """Tell whether there is a bucket that the caller may use; `Conflict` when it is in another region.

    boto3 follows a bucket into its region by itself, but the host of its website would be another.
    """
    try:
        answer = _answer(client.head_bucket, bucket)
    except ClientError as error:
        if trouble.code(error) in _NAMELESS:
            _say_why(client, bucket)
        raise
    if answer is None:
        return False
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    there = answer.get("BucketRegion") or headers.get("x-amz-bucket-region")
    here = client.meta.region_name
    if there and there != here:
        raise Conflict(
            f"the bucket {bucket!r} is in the region {there}, and region_name in STORAGES says {here}. "
            f"Set it to {there!r}, or choose another bucket_name."
        )
    return True


def policy(client: "S3Client", bucket: str) -> Document | None:
    """Return the bucket's policy."""
    answer = _answer(client.get_bucket_policy, bucket)
    found: Document | None = json.loads(answer["Policy"]) if answer else None
    return found


def document(call: Callable[..., Any], bucket: str, part: str = "") -> Document | None:
    """Return what a call of the client reads, or the `part` of it that is the document, fit for JSON."""
    answer = _answer(call, bucket)
    if answer is None:
        return None
    own = {key: value for key, value in answer.items() if key != "ResponseMetadata"}
    found: Document = json.loads(json.dumps(own[part] if part else own, default=_iso))
    return found


def names(client: "S3Client", bucket: str, prefix: str = "") -> Iterator[str]:
    """Yield the keys of a bucket that begin with `prefix`, without it; none when there is no bucket."""
    try:
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            yield from (entry["Key"].removeprefix(prefix) for entry in page.get("Contents", ()))
    except ClientError as error:
        if trouble.code(error) not in _ABSENT:
            raise


def _answer(call: Callable[..., Any], bucket: str) -> Document | None:
    try:
        answer: Document = call(Bucket=bucket)
    except ClientError as error:
        if trouble.code(error) in _ABSENT:
            return None
        raise
    return answer


def _say_why(client: "S3Client", bucket: str) -> None:
    """Ask something else that needs s3:ListBucket too: its refusal has a body, which names the reason."""
    try:
        client.list_objects_v2(Bucket=bucket, MaxKeys=1)
    except ClientError as error:
        if trouble.code(error) not in trouble.DENIED:
            raise


def _iso(value: object) -> str:
    """Write a date of a lifecycle rule as boto3 takes it too."""
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{value!r} is no JSON")
