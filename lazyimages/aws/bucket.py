"""Set up the bucket of the variants: read what is there, plan what to change, change it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lazyimages import keys, sizes
from lazyimages.aws import documents
from lazyimages.aws.documents import Conflict, Document
from lazyimages.conf import Settings
from lazyimages.exceptions import InvalidKey
from lazyimages.sizes import Size

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

_ABSENT = (
    "404",
    "NoSuchBucket",
    "NoSuchBucketPolicy",
    "NoSuchWebsiteConfiguration",
    "NoSuchPublicAccessBlockConfiguration",
    "OwnershipControlsNotFoundError",
    "ServerSideEncryptionConfigurationNotFoundError",
)
_SHOWN = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One document of the bucket, before and after; `call` and `arguments` make the change."""

    name: str
    before: Document | None
    after: Document | None
    call: str
    arguments: dict[str, Any]

    @property
    def changes(self) -> bool:
        """Tell whether there is anything to do."""
        return self.before != self.after


def plan(
    client: "S3Client",
    bucket: str,
    settings: Settings,
    *,
    distribution_arn: str | None = None,
    list_originals: Callable[[], Iterator[str]] | None = None,
) -> list[Step]:
    """Return the steps that make a bucket fit for the delivery in the settings, in the order to take them.

    `list_originals` lists the originals, where they are in another bucket. `Conflict` when the bucket
    holds something that cannot stand beside what is asked for; nothing has been changed then.
    """
    public = settings.delivery == "redirect"
    partition = client.meta.partition
    exists = _read(client.head_bucket, bucket) is not None
    policy_text = _part(_read(client.get_bucket_policy, bucket), "Policy")
    policy: Document | None = json.loads(policy_text) if policy_text else None
    if not public:
        _refuse_public(policy)
    if exists:
        fresh = _not_yet_granted(policy, bucket, settings, partition)
        _refuse_originals_in(client, bucket, fresh, list_originals)
    statements = _statements(bucket, settings, distribution_arn, partition)
    steps = {
        "block": _public_access_step(client, bucket, public=public),
        "policy": _policy_step(bucket, policy, documents.merge_policy(policy, statements)),
        "website": _website_step(client, bucket, settings, public=public),
    }
    # AWS refuses a public policy while public policies are blocked; and a policy that is no longer public
    # has to be there before the blocking of public ones cuts off its readers.
    order = ("block", "policy", "website") if public else ("policy", "website", "block")
    return [
        _create_step(client, bucket, exists=exists),
        _ownership_step(client, bucket),
        _encryption_step(client, bucket),
        *(steps[name] for name in order),
    ]


def apply(client: "S3Client", steps: list[Step]) -> list[Step]:
    """Take the steps that change anything, in order, and return them."""
    taken = [step for step in steps if step.changes]
    for step in taken:
        getattr(client, step.call)(**step.arguments)
    return taken


def _statements(
    bucket: str, settings: Settings, distribution_arn: str | None, partition: str
) -> list[Document]:
    """Return who may read variants: everybody, or one distribution, or as yet nobody."""
    if settings.delivery == "redirect":
        return [documents.public_statement(bucket, settings.whitelist, partition)]
    if distribution_arn is None:
        return []
    return [documents.distribution_statement(bucket, settings.whitelist, distribution_arn, partition)]


def _not_yet_granted(policy: Document | None, bucket: str, settings: Settings, partition: str) -> list[Size]:
    granted = documents.granted_resources(policy)
    return [
        size
        for size in settings.whitelist
        if not granted.issuperset(documents.variant_resources(bucket, [size], partition))
    ]


def _create_step(client: "S3Client", bucket: str, *, exists: bool) -> Step:
    region = client.meta.region_name
    arguments: dict[str, Any] = {"Bucket": bucket}
    if region != "us-east-1":  # S3 API, CreateBucket: the one region that is named by naming none
        arguments["CreateBucketConfiguration"] = {"LocationConstraint": region}
    after: Document = {"Bucket": bucket}
    return Step(
        name="bucket",
        before=after if exists else None,
        after=after,
        call="create_bucket",
        arguments=arguments,
    )


def _public_access_step(client: "S3Client", bucket: str, *, public: bool) -> Step:
    before = _part(_read(client.get_public_access_block, bucket), "PublicAccessBlockConfiguration")
    after = documents.public_access_block(public=public)
    return Step(
        name="public access block",
        before=before,
        after=after,
        call="put_public_access_block",
        arguments={"Bucket": bucket, "PublicAccessBlockConfiguration": after},
    )


def _ownership_step(client: "S3Client", bucket: str) -> Step:
    return Step(
        name="object ownership",
        before=_part(_read(client.get_bucket_ownership_controls, bucket), "OwnershipControls"),
        after=documents.OWNERSHIP,
        call="put_bucket_ownership_controls",
        arguments={"Bucket": bucket, "OwnershipControls": documents.OWNERSHIP},
    )


def _encryption_step(client: "S3Client", bucket: str) -> Step:
    before = _part(_read(client.get_bucket_encryption, bucket), "ServerSideEncryptionConfiguration")
    after = documents.encryption(before)
    return Step(
        name="encryption",
        before=before,
        after=after,
        call="put_bucket_encryption",
        arguments={"Bucket": bucket, "ServerSideEncryptionConfiguration": after},
    )


def _policy_step(bucket: str, before: Document | None, after: Document | None) -> Step:
    if after is None:
        return Step(
            name="policy",
            before=before,
            after=None,
            call="delete_bucket_policy",
            arguments={"Bucket": bucket},
        )
    arguments = {"Bucket": bucket, "Policy": json.dumps(after)}
    return Step(name="policy", before=before, after=after, call="put_bucket_policy", arguments=arguments)


def _website_step(client: "S3Client", bucket: str, settings: Settings, *, public: bool) -> Step:
    answer = _read(client.get_bucket_website, bucket)
    before = answer and {key: value for key, value in answer.items() if key != "ResponseMetadata"}
    ours = documents.routing_rules(settings.resizer_url) if public else []
    after = documents.merge_website(before, ours)
    if after is None:
        return Step(
            name="website",
            before=before,
            after=None,
            call="delete_bucket_website",
            arguments={"Bucket": bucket},
        )
    arguments = {"Bucket": bucket, "WebsiteConfiguration": after}
    return Step(name="website", before=before, after=after, call="put_bucket_website", arguments=arguments)


def _read(call: Callable[..., Any], bucket: str) -> Document | None:
    """Return an answer of S3, or None when there is no such thing."""
    try:
        answer: Document = call(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] in _ABSENT:
            return None
        raise
    return answer


def _part(answer: Document | None, name: str) -> Any:
    return answer[name] if answer is not None else None


def _refuse_public(policy: Document | None) -> None:
    for statement in documents.foreign_statements(policy):
        if documents.is_public(statement):
            raise Conflict(
                f"somebody else's statement ({statement.get('Sid', 'without Sid')}) in the bucket's policy "
                "lets everybody in, and failover delivery needs a private bucket; remove the statement, "
                "or use another bucket"
            )


def _refuse_originals_in(
    client: "S3Client",
    bucket: str,
    fresh: list[Size],
    list_originals: Callable[[], Iterator[str]] | None,
) -> None:
    """Raise `Conflict` when granting sizes that are not granted yet would show more than variants."""
    if not fresh:
        return
    segments = {str(size) for size in fresh}
    exposed = [key for key in _list(client, bucket) if segments.intersection(key.split("/")[:-1])]
    if not exposed:
        return
    listed = list_originals() if list_originals else _list(client, bucket)
    originals = {name for name in listed if not any(map(sizes.is_size, name.split("/")[:-1]))}
    wrong = [key for key in exposed if _original_of(key) not in originals]
    if wrong:
        shown = "\n".join(f"  {key}" for key in wrong[:_SHOWN])
        more = f"\n  and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise Conflict(
            "objects that are no variants sit in directories that look like sizes, and would become public "
            f"({len(wrong)}):\n{shown}{more}\nMove them, or delete those that are left over."
        )


def _original_of(key: str) -> str | None:
    try:
        return keys.parse(key).original
    except InvalidKey:
        return None


def _list(client: "S3Client", bucket: str) -> Iterator[str]:
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        yield from (entry["Key"] for entry in page.get("Contents", ()))
