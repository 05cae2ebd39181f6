"""The bucket, read over the S3 API, and what one caller may see of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from marketplace.cloud.messages import Answer, ConfigurationFault, Unavailable, error_page
from marketplace.cloud.policy import Caller, Policy, parse_policy
from marketplace.cloud.remembered import Remembered

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

MissingStatus = Literal[403, 404]

MAX_KEY_BYTES = 1024
FIRST_REGION = "us-east-1"  # GetBucketLocation names it by naming none

# Where AWS keeps what moto leaves out: since April 2023 a new bucket blocks public access ("Default settings
# for new S3 buckets FAQ"), so no configuration at all reads as everything blocked.
NEW_BUCKET_BLOCKS = {"BlockPublicPolicy": True, "RestrictPublicBuckets": True}

OBJECT_HEADERS = {
    "Content-Type": "ContentType",
    "Content-Encoding": "ContentEncoding",
    "Content-Disposition": "ContentDisposition",
    "Cache-Control": "CacheControl",
    "Expires": "ExpiresString",
    "ETag": "ETag",
}


@dataclass(frozen=True, kw_only=True)
class BucketState:
    """A bucket's settings at one moment, as the S3 API returns them; `website` None: not a website."""

    policy: Policy
    blocks: Mapping[str, bool]
    website: Mapping[str, Any] | None
    region: str

    def allows(self, caller: Caller, action: str, resource: str) -> bool:
        """Whether the caller may do this, after the policy and the public access block.

        RestrictPublicBuckets leaves a public policy to AWS services and the bucket's own account;
        BlockPublicPolicy "doesn't affect existing bucket policies" (S3 API, PublicAccessBlockConfiguration).
        """
        restricted = self.blocks.get("RestrictPublicBuckets") and self.policy.public
        if restricted and caller.service is None:
            return False
        return self.policy.allows(caller, action, resource)


class Bucket:
    """One bucket behind one shared client. Settings are remembered for `state_ttl` seconds, objects never."""

    def __init__(self, name: str, *, endpoint: str, state_ttl: float = 1.0) -> None:
        self.name = name
        self._client = _make_client(endpoint)
        self._state = Remembered(self._read_state, seconds=state_ttl)

    def state(self) -> BucketState:
        """Return the bucket's settings. Raise ConfigurationFault or Unavailable when they cannot be had."""
        return self._state.get()

    def forget_state(self) -> None:
        """Read the settings anew at the next request."""
        self._state.forget()

    def get(self, key: str) -> dict[str, Any] | None:
        """Return GetObject's response with its `Body` read, or None when there is no such object."""
        return self._call(self._get_whole, "NoSuchKey", "404", Bucket=self.name, Key=key)

    def head(self, key: str) -> dict[str, Any] | None:
        """Return HeadObject's response, or None when there is no such object."""
        return self._call(self._client.head_object, "404", Bucket=self.name, Key=key)

    def close(self) -> None:
        """Close the client's connections."""
        self._client.close()

    def _get_whole(self, **arguments: str) -> dict[str, Any]:
        found = self._client.get_object(**arguments)  # type: ignore[arg-type]
        with found["Body"] as stream:
            return {**found, "Body": stream.read()}

    def _read_state(self) -> BucketState:
        client, name = self._client, self.name
        policy = self._call(client.get_bucket_policy, "NoSuchBucketPolicy", Bucket=name)
        block = self._call(
            client.get_public_access_block, "NoSuchPublicAccessBlockConfiguration", Bucket=name
        )
        location = self._call(client.get_bucket_location, Bucket=name) or {}
        return BucketState(
            policy=parse_policy(policy["Policy"]) if policy else Policy(),
            blocks=block["PublicAccessBlockConfiguration"] if block else NEW_BUCKET_BLOCKS,
            website=self._call(client.get_bucket_website, "NoSuchWebsiteConfiguration", Bucket=name),
            region=location.get("LocationConstraint") or FIRST_REGION,
        )

    def _call(self, operation: Callable[..., Any], *missing: str, **arguments: str) -> dict[str, Any] | None:
        try:
            return dict(operation(**arguments))
        except ClientError as error:
            if error.response["Error"]["Code"] in missing:
                return None
            raise ConfigurationFault(f"Bucket {self.name}: {error}") from error
        except BotoCoreError as error:
            raise Unavailable(f"S3 does not answer: {error}") from error


@dataclass(frozen=True, kw_only=True)
class View:
    """What one caller sees of a bucket.

    `missing` is the status of a key that does not exist for a caller without ListBucket: GetObject's page
    says 403, "Setting permissions for website access" says 404.
    """

    bucket: Bucket
    caller: Caller
    missing: MissingStatus

    def read(self, key: str) -> Answer:
        """Return 200 with the object, 403 for one that may not be read, 403 or 404 for a missing one.

        400 stands for what cannot be a key: not UTF-8, or too long ("InvalidURI", "KeyTooLongError").
        """
        if not _is_key(key):
            return error_page(HTTPStatus.BAD_REQUEST)
        state, arn = self.bucket.state(), f"arn:aws:s3:::{self.bucket.name}"
        may_read = bool(key) and state.allows(self.caller, "s3:GetObject", f"{arn}/{key}")
        found = self.bucket.get(key) if may_read else self.bucket.head(key) if key else None
        if found is None:
            listing = state.allows(self.caller, "s3:ListBucket", arn)
            return error_page(HTTPStatus.NOT_FOUND if listing else self.missing)
        # "Why do I get 403 from an S3 website origin" (re:Post): KMS objects are not for anonymous readers.
        encrypted = found.get("ServerSideEncryption", "").startswith("aws:kms") and not self.caller.service
        if not may_read or encrypted:
            return error_page(HTTPStatus.FORBIDDEN)
        return Answer(status=HTTPStatus.OK, headers=_object_headers(found), body=found["Body"])


def _is_key(key: str) -> bool:
    try:
        return len(key.encode()) <= MAX_KEY_BYTES
    except UnicodeEncodeError:
        return False


def _object_headers(found: Mapping[str, Any]) -> dict[str, str]:
    headers = {name: found[field] for name, field in OBJECT_HEADERS.items() if found.get(field)}
    last_modified = formatdate(found["LastModified"].timestamp(), usegmt=True)
    return headers | {"Last-Modified": last_modified, "Accept-Ranges": "bytes"}


def _make_client(endpoint: str) -> "S3Client":
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        # The emulator acts as the cloud itself: it must not depend on the credentials of whoever runs it.
        aws_access_key_id="cloud",
        aws_secret_access_key="cloud",  # noqa: S106
        config=Config(
            connect_timeout=2,
            read_timeout=10,
            max_pool_connections=64,
            retries={"mode": "standard", "total_max_attempts": 2},
            s3={"addressing_style": "path"},
        ),
    )
