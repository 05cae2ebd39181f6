"""What policies and templates are about: the buckets of the storages in the settings."""

from typing import TYPE_CHECKING, Any

from django.core.files.storage import storages
from django.core.management.base import CommandError

from lazyimages import storage
from lazyimages.aws.iam import Area, Scope
from lazyimages.conf import Settings

if TYPE_CHECKING:
    from storages.backends.s3 import S3Storage


def scope(settings: Settings) -> tuple[Scope, str]:
    """Return the scope, and the region of the variants; no request is made. `CommandError` without S3."""
    from botocore.exceptions import BotoCoreError  # boto3 is an extra

    from lazyimages.aws import clients, trouble

    aliases = (settings.originals, storage.variants_alias())
    originals, variants = (storages[alias] if storage.is_s3(storages[alias]) else None for alias in aliases)
    known: Any = variants or originals
    if known is None:
        raise CommandError(
            f"Neither {aliases[0]!r} nor {aliases[1]!r} in STORAGES is an S3Storage, so there is nothing to "
            "permit. docs/settings.md has an example of one."
        )
    try:
        meta = clients.client(known, "s3").meta
    except BotoCoreError as error:  # such as an unknown AWS_PROFILE
        raise CommandError(trouble.explain(error, f"the bucket {known.bucket_name!r}")) from error
    found = Scope(
        originals=_area(originals),
        variants=_area(variants),
        sizes=tuple(settings.whitelist),
        tagged=settings.expire_variants_days is not None or _tags(variants),
        incoming=settings.direct_uploads is not None,
        cleanup=settings.cleanup,
        partition=meta.partition,
    )
    # What boto3 calls S3's region when none is set.
    return found, "us-east-1" if meta.region_name == "aws-global" else meta.region_name


def _tags(found: "S3Storage | None") -> bool:
    """Tell whether a storage gives tags of its own to what it stores."""
    return found is not None and "Tagging" in (found.object_parameters or {})


def _area(found: "S3Storage | None") -> Area | None:
    return found and Area(bucket=found.bucket_name, location=found.location)
