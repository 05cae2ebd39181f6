"""Where browsers send files to a bucket by themselves (DIRECT_UPLOADS), and what must not be there."""

from typing import TYPE_CHECKING, Any

from lazyimages import formats, storage
from lazyimages.aws import reading, rules
from lazyimages.aws.documents import Conflict, Document
from lazyimages.conf import Settings

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client


def prefix_in(bucket: str, settings: Settings, originals: Any) -> str | None:
    """Return with what the keys begin that browsers send to this bucket; None where they send nothing."""
    if settings.direct_uploads is None or not storage.is_s3(originals) or originals.bucket_name != bucket:
        return None
    return rules.incoming_prefix(originals.location)


def cors_rules(settings: Settings, incoming: str | None) -> list[Document]:
    """Return the rules for a bucket of variants, to which browsers may send as well."""
    uploads = rules.upload_cors_rules(settings.cors_origins) if incoming is not None else []
    return [*rules.cors_rules(settings.cors_origins), *uploads]


def refuse_originals(client: "S3Client", bucket: str, prefix: str, before: Document | None) -> None:
    """Raise `Conflict` when a rule that ends all that begins with `prefix` would end originals.

    `before` is the lifecycle as it is; a bucket that has the rule already is not listed.
    """
    if any(rule.get("ID") == rules.INCOMING_ID for rule in (before or {}).get("Rules", [])):
        return
    for name in reading.names(client, bucket, prefix):
        if formats.by_extension(name):  # what browsers have sent has no extension
            raise Conflict(
                f"{prefix}{name} is where browsers would send files (DIRECT_UPLOADS), which end after a day. "
                f"Move what the bucket {bucket!r} has below {prefix!r}, and give its field another upload_to."
            )
