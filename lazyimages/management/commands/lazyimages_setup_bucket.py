"""`manage.py lazyimages_setup_bucket`: make the bucket of the variants fit for its delivery."""

import difflib
import json
from argparse import RawDescriptionHelpFormatter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from django.core.files.storage import Storage, storages
from django.core.management.base import BaseCommand, CommandError, CommandParser

from lazyimages import conf, storage
from lazyimages.aws.documents import Conflict
from lazyimages.exceptions import StorageUnavailable

if TYPE_CHECKING:
    from lazyimages.aws.bucket import Step

HELP = """\
Make the S3 bucket of LAZYIMAGES["VARIANTS"] fit for LAZYIMAGES["DELIVERY"].

redirect: everybody may read variants of the whitelisted sizes, and nothing else;
          the website endpoint sends who asks for a missing one to RESIZER_URL.
failover: the bucket is private; with DISTRIBUTION_ID, that distribution may read
          variants of the whitelisted sizes.

A bucket that does not exist is created. Statements and rules of others are kept.
Run it again after changing SIZES, PRESETS, DELIVERY or RESIZER_URL: a second run
changes nothing, and says so.

Start with --dry-run, which prints every document before and after and writes nothing.
"""


# Service authorization reference, "Actions defined by Amazon S3": where action and operation differ.
_ACTIONS = {
    "HeadBucket": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
    "GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "GetCallerIdentity": "sts:GetCallerIdentity",
}


class Command(BaseCommand):
    """Plan, show and take the steps of `lazyimages.aws.bucket`."""

    help = HELP
    requires_system_checks = ["lazyimages"]

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Keep the line breaks of the help."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.formatter_class = RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --dry-run and --format."""
        parser.add_argument("--dry-run", action="store_true", help="print before and after; write nothing")
        parser.add_argument("--format", choices=("text", "json"), default="text", help="of the output")

    def handle(self, *, dry_run: bool, format: str, **options: Any) -> None:
        """Set the bucket up; exit code 1 when that is not possible."""
        settings = conf.settings()
        if settings.delivery == "local":
            raise CommandError(
                "DELIVERY is 'local', which needs no bucket. "
                "Set LAZYIMAGES['DELIVERY'] to 'redirect' or 'failover'."
            )
        alias = storage.variants_alias()
        if not storage.is_s3(storages[alias]):
            raise CommandError(
                f"The storage {alias!r} is no S3Storage. Set STORAGES[{alias!r}] to "
                "storages.backends.s3.S3Storage; docs/settings.md has an example."
            )
        steps = self._run(storages[alias], settings, dry_run=dry_run)
        if format == "json":
            self.stdout.write(json.dumps([_as_dict(step) for step in steps], indent=2))
        else:
            self._print(steps, dry_run=dry_run)

    def _run(self, variants: Storage, settings: conf.Settings, *, dry_run: bool) -> "list[Step]":
        from botocore.exceptions import BotoCoreError, ClientError

        from lazyimages.aws import bucket
        from lazyimages.storage.s3 import client

        name: str = variants.bucket_name  # type: ignore[attr-defined]
        try:
            s3 = client(variants)
            arn = _distribution_arn(variants, settings.distribution_id) if settings.distribution_id else None
            steps = bucket.plan(
                s3, name, settings, distribution_arn=arn, list_originals=_other_originals(name, settings)
            )
            if not dry_run:
                bucket.apply(s3, steps)
        except Conflict as error:
            raise CommandError(f"Nothing was changed: {error}") from error
        except ClientError as error:
            operation, code = error.operation_name, error.response["Error"]["Code"]
            action = _ACTIONS.get(operation, f"s3:{operation}")
            hint = f" Give the caller {action}." if code in ("AccessDenied", "403") else ""
            raise CommandError(f"AWS refused {operation} on {name!r}: {error}.{hint}") from error
        except (BotoCoreError, StorageUnavailable) as error:
            raise CommandError(
                f"AWS did not answer: {error}. Check the credentials, and bucket_name, region_name and "
                "endpoint_url in STORAGES."
            ) from error
        return steps

    def _print(self, steps: "list[Step]", *, dry_run: bool) -> None:
        for step in steps:
            if not step.changes:
                self.stdout.write(f"  {step.name}: as it should be")
                continue
            self.stdout.write(self.style.WARNING(f"{'would change' if dry_run else 'changed'} {step.name}"))
            lines = difflib.unified_diff(
                _lines(step.before), _lines(step.after), "before", "after", lineterm=""
            )
            for line in lines:
                self.stdout.write(f"    {line}")
        if not any(step.changes for step in steps):
            self.stdout.write(self.style.SUCCESS("Nothing to change."))
        elif dry_run:
            self.stdout.write("Nothing was written. Run it without --dry-run to do this.")
        else:
            self.stdout.write(self.style.SUCCESS("The bucket is ready."))


def _distribution_arn(variants: Any, distribution_id: str) -> str:
    sts = variants._create_session().client(
        "sts", region_name=variants.region_name, config=variants.client_config
    )
    account = sts.get_caller_identity()["Account"]
    return f"arn:{sts.meta.partition}:cloudfront::{account}:distribution/{distribution_id}"


def _other_originals(bucket: str, settings: conf.Settings) -> Callable[[], Iterator[str]] | None:
    """Return a way to list the originals, unless listing the bucket of the variants shows their names."""
    originals = storages[settings.originals]
    if getattr(originals, "bucket_name", None) == bucket and not originals.location:  # type: ignore[attr-defined]
        return None
    return storage.iter_originals


def _lines(document: Any) -> list[str]:
    return [] if document is None else json.dumps(document, indent=2, sort_keys=True).splitlines()


def _as_dict(step: "Step") -> dict[str, Any]:
    return {"name": step.name, "changed": step.changes, "before": step.before, "after": step.after}
