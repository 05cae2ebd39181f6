"""Set up the buckets of variants and originals: read what is there, and plan what to change.

Every function that plans returns steps in the order to take them, and raises what boto3 raises, and
`Conflict` when the bucket holds something that cannot stand beside what is asked for; nothing has been
changed then.
"""

import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lazyimages.aws import documents, exposure, reading, rules, statements, trouble
from lazyimages.aws import incoming as sent
from lazyimages.aws.documents import Conflict, Document
from lazyimages.aws.plans import Step
from lazyimages.conf import Settings
from lazyimages.sizes import Size

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

# Seconds between tries. AWS gives no figure for how long a change of the public access block takes.
_PAUSES = (1.0, 2.0, 4.0)
# S3 says so for a moment after a bucket was created; boto3 does not try again.
_UNSETTLED = ("OperationAborted", "NoSuchBucket")


def plan(
    client: "S3Client",
    bucket: str,
    settings: Settings,
    *,
    distribution_arn: str | None = None,
    list_originals: Callable[[], Iterator[str]] | None = None,
    holds_originals: bool = True,
    incoming: str | None = None,
    replace_website: bool = False,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Step]:
    """Return the steps that make the bucket of the variants fit for the delivery in the settings.

    In failover the distribution alone may read; without one, nobody. `list_originals` lists the originals,
    where listing the bucket does not show their names. `incoming` is with what the keys begin
    that browsers send here; None where they send nothing.
    """
    public = settings.delivery == "redirect"
    there = reading.exists(client, bucket)
    policy = reading.policy(client, bucket) if there else None
    if public:
        _refuse_what_redirect_cannot_have(policy, bucket, settings, client, holds_originals=holds_originals)
    else:
        _refuse_public(policy)
    grant = partial(_statements, bucket, settings, distribution_arn, client.meta.partition)
    wanted = documents.merge_policy(policy, grant(settings.whitelist))
    if wanted != policy and wanted is not None:
        _refuse_long(policy, wanted, list(settings.whitelist), grant)
    own = partial(reading.names, client, bucket)
    fresh = _not_yet_granted(policy, bucket, settings.whitelist, client.meta.partition)
    exposure.refuse_originals_in(fresh, in_bucket=own, originals=list_originals or own)
    document = partial(_document, there, bucket)
    block = _public_access_step(client, document, bucket, public=public)
    opens = public and block.changes  # and AWS may still refuse the policy for a moment
    put = partial(_put_policy, client, bucket, pauses=_PAUSES if opens else (), sleep=sleep)
    steps = {
        "block": block,
        "policy": _policy_step(client, bucket, policy, wanted, put),
        "website": _website_step(client, document, bucket, settings, replace=replace_website),
    }
    # AWS refuses a public policy while public policies are blocked; and a policy that is no longer public
    # has to be there before the blocking of public ones cuts off its readers.
    order = ("block", "policy", "website") if public else ("policy", "website", "block")
    following = [
        _ownership_step(client, document, bucket),
        _encryption_step(client, document, bucket, documents.encryption),
        _lifecycle_step(client, document, bucket, settings.expire_variants_days, incoming),
        _cors_step(client, document, bucket, sent.cors_rules(settings, incoming)),
        *(steps[name] for name in order),
    ]
    return [_create_step(client, bucket, exists=there), *_patiently(following, sleep)]


def plan_originals(
    client: "S3Client",
    bucket: str,
    *,
    incoming: str | None = None,
    cors_origins: Iterable[str] = (),
    sleep: Callable[[float], None] = time.sleep,
) -> list[Step]:
    """Return the steps that make a bucket of originals alone private, whatever the delivery.

    Its policy is only looked at, and its encryption kept, for neither a website nor a CDN reads there. Pages
    of `cors_origins` may send to it where `incoming` is not None.
    """
    there = reading.exists(client, bucket)
    policy = reading.policy(client, bucket) if there else None
    if found := statements.public_names(policy):
        raise Conflict(
            f"the policy of the bucket {bucket!r}, which holds originals, lets everybody in: "
            f"{', '.join(found)}. Remove the statement (aws s3api put-bucket-policy, or "
            "delete-bucket-policy for all of it)."
        )
    document = partial(_document, there, bucket)
    following = [
        _public_access_step(client, document, bucket, public=False),
        _ownership_step(client, document, bucket),
        _encryption_step(client, document, bucket, lambda existing: existing or documents.ENCRYPTION),
        _lifecycle_step(client, document, bucket, None, incoming),
    ]
    cors = rules.upload_cors_rules(cors_origins) if incoming is not None else []
    sending = _cors_step(client, document, bucket, cors)
    if cors or sending.changes:
        following.append(sending)
    steps = [_create_step(client, bucket, exists=there), *_patiently(following, sleep)]
    return [
        Step(name=f"{step.name} (originals)", before=step.before, after=step.after, action=step.action)
        for step in steps
    ]


def _patiently(steps: Iterable[Step], sleep: Callable[[float], None]) -> list[Step]:
    return [replace(step, action=partial(_settled, step.action, _PAUSES, sleep)) for step in steps]


def _settled(action: Callable[[], object], pauses: Iterable[float], sleep: Callable[[float], None]) -> None:
    """Do it, once more after each pause while S3 is still busy with the bucket, as after its creation."""
    for pause in pauses:
        try:
            action()
        except ClientError as error:
            if trouble.code(error) not in _UNSETTLED:
                raise
        else:
            return
        sleep(pause)
    action()


_Read = Callable[..., Document | None]


def _document(there: bool, bucket: str, call: Callable[..., Any], part: str = "") -> Document | None:
    return reading.document(call, bucket, part) if there else None


def _statements(
    bucket: str, settings: Settings, distribution_arn: str | None, partition: str, sizes: Iterable[Size]
) -> list[Document]:
    """Return who may read variants: everybody, or one distribution, or as yet nobody."""
    if settings.delivery == "redirect":
        return [documents.public_statement(bucket, sizes, partition)]
    if distribution_arn is None:
        return []
    return [documents.distribution_statement(bucket, sizes, distribution_arn, partition)]


def _not_yet_granted(
    policy: Document | None, bucket: str, whitelist: Iterable[Size], partition: str
) -> list[Size]:
    granted = documents.granted_resources(policy)
    return [
        size
        for size in whitelist
        if not granted.issuperset(documents.variant_resources(bucket, [size], partition))
    ]


def _refuse_public(policy: Document | None) -> None:
    for statement in documents.foreign_statements(policy):
        if statements.is_public(statement):
            raise Conflict(
                f"somebody else's statement ({statement.get('Sid', 'without Sid')}) in the bucket's policy "
                "lets everybody in, and failover delivery needs a private bucket; remove the statement, "
                "or use another bucket"
            )


def _refuse_what_redirect_cannot_have(
    policy: Document | None, bucket: str, settings: Settings, client: "S3Client", *, holds_originals: bool
) -> None:
    own = documents.variant_resources(bucket, settings.whitelist, client.meta.partition)
    for statement in documents.foreign_statements(policy):
        name = statement.get("Sid", "without Sid")
        if statements.demands_tls(statement, own):
            raise Conflict(
                f"somebody else's statement ({name}) in the bucket's policy refuses requests without TLS, "
                "and CloudFront can ask a website endpoint in no other way (redirect): every image would be "
                "refused. Except the variants from it, use another bucket, or use failover"
            )
        if holds_originals and statements.shows_others(statement, own):
            raise Conflict(
                f"somebody else's statement ({name}) in the bucket's policy lets everybody read more than "
                "variants, and the originals are in this bucket. Remove it, or name only the variants in it: "
                f"{', '.join(own)}"
            )


def _refuse_long(
    before: Document | None,
    wanted: Document,
    whitelist: list[Size],
    grant: Callable[[Iterable[Size]], list[Document]],
) -> None:
    """Raise `Conflict` for a policy that S3 would not take."""
    needed = documents.policy_bytes(wanted)
    if needed <= documents.MOST_BYTES:
        return

    def taken(count: int) -> int:
        return documents.policy_bytes(documents.merge_policy(before, grant(whitelist[:count])) or {})

    fitting = max(0, bisect_right(range(len(whitelist) + 1), documents.MOST_BYTES, key=taken) - 1)
    foreign = len(documents.foreign_statements(before))
    beside = f" beside the statements of others ({foreign})" if foreign else ""
    raise Conflict(
        f"the bucket's policy would have {needed:,} bytes; S3 takes {documents.MOST_BYTES:,}. "
        f"{fitting} of {len(whitelist)} sizes fit{beside}. Take some out of SIZES and PRESETS, or use a "
        "bucket with a shorter name or without the statements of others."
    )


def _create_step(client: "S3Client", bucket: str, *, exists: bool) -> Step:
    region = client.meta.region_name
    arguments: dict[str, Any] = {"Bucket": bucket}
    if region != "us-east-1":  # S3 API, CreateBucket: the one region that is named by naming none
        arguments["CreateBucketConfiguration"] = {"LocationConstraint": region}
    after: Document = {"Bucket": bucket}
    before = after if exists else None
    return Step(name="bucket", before=before, after=after, action=partial(client.create_bucket, **arguments))


def _public_access_step(client: "S3Client", read: _Read, bucket: str, *, public: bool) -> Step:
    before = read(client.get_public_access_block, "PublicAccessBlockConfiguration")
    after = documents.public_access_block(public=public)
    put = partial(client.put_public_access_block, Bucket=bucket, PublicAccessBlockConfiguration=after)  # type: ignore[arg-type]
    return Step(name="public access block", before=before, after=after, action=put)


def _ownership_step(client: "S3Client", read: _Read, bucket: str) -> Step:
    before = read(client.get_bucket_ownership_controls, "OwnershipControls")
    after = documents.OWNERSHIP
    put = partial(client.put_bucket_ownership_controls, Bucket=bucket, OwnershipControls=after)  # type: ignore[arg-type]
    return Step(name="object ownership", before=before, after=after, action=put)


def _encryption_step(
    client: "S3Client", read: _Read, bucket: str, wanted: Callable[[Document | None], Document]
) -> Step:
    before = read(client.get_bucket_encryption, "ServerSideEncryptionConfiguration")
    after = wanted(before)
    put = partial(client.put_bucket_encryption, Bucket=bucket, ServerSideEncryptionConfiguration=after)  # type: ignore[arg-type]
    return Step(name="encryption", before=before, after=after, action=put)


def _lifecycle_step(
    client: "S3Client", read: _Read, bucket: str, expire_days: int | None, incoming: str | None
) -> Step:
    before = read(client.get_bucket_lifecycle_configuration)
    after = rules.merge_lifecycle(before, rules.lifecycle_rules(expire_days, incoming=incoming)) or {}
    if incoming is not None:
        sent.refuse_originals(client, bucket, incoming, before)
    # It is no part of the configuration in the request, but without it S3 would go back to the default.
    beside = {key: value for key, value in after.items() if key != "Rules"}
    put = partial(
        client.put_bucket_lifecycle_configuration,
        Bucket=bucket,
        LifecycleConfiguration={"Rules": after["Rules"]},
        **beside,
    )
    return Step(name="lifecycle", before=before, after=after, action=put)


def _cors_step(client: "S3Client", read: _Read, bucket: str, ours: list[Document]) -> Step:
    before = read(client.get_bucket_cors)
    after = rules.merge_cors(before, ours)
    action: Callable[[], object] = partial(client.delete_bucket_cors, Bucket=bucket)
    if after is not None:
        action = partial(client.put_bucket_cors, Bucket=bucket, CORSConfiguration=after)  # type: ignore[arg-type]
    return Step(name="cors", before=before, after=after, action=action)


def _policy_step(
    client: "S3Client",
    bucket: str,
    before: Document | None,
    after: Document | None,
    put: Callable[[Document], None],
) -> Step:
    action: Callable[[], object] = partial(client.delete_bucket_policy, Bucket=bucket)
    if after is not None:
        action = partial(put, after)
    return Step(name="policy", before=before, after=after, action=action)


def _put_policy(
    client: "S3Client",
    bucket: str,
    policy: Document,
    *,
    pauses: Iterable[float],
    sleep: Callable[[float], None],
) -> None:
    """Put a policy, once more after each pause while AWS refuses it."""
    for pause in pauses:
        try:
            client.put_bucket_policy(Bucket=bucket, Policy=documents.policy_text(policy))
        except ClientError as error:
            if trouble.code(error) not in trouble.DENIED:
                raise
        else:
            return
        sleep(pause)
    client.put_bucket_policy(Bucket=bucket, Policy=documents.policy_text(policy))


def _website_step(client: "S3Client", read: _Read, bucket: str, settings: Settings, *, replace: bool) -> Step:
    before = read(client.get_bucket_website)
    public = settings.delivery == "redirect"
    ours = documents.routing_rules(settings.resizer_url) if public else []
    after = documents.merge_website(before, ours, replace=replace)
    action: Callable[[], object] = partial(client.delete_bucket_website, Bucket=bucket)
    if after is not None:
        action = partial(client.put_bucket_website, Bucket=bucket, WebsiteConfiguration=after)  # type: ignore[arg-type]
    return Step(name="website", before=before, after=after, action=action)
