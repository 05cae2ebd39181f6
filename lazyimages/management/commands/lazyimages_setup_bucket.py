"""`manage.py lazyimages_setup_bucket`: make the buckets fit for the delivery."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandParser

from lazyimages import conf
from lazyimages.management import parts
from lazyimages.management.setup import Part, SetupCommand

if TYPE_CHECKING:
    from storages.backends.s3 import S3Storage

HELP = """\
Make the S3 bucket of LAZYIMAGES["VARIANTS"] fit for LAZYIMAGES["DELIVERY"].

redirect: everybody may read variants of the whitelisted sizes, and nothing else;
          the website endpoint sends who asks for a missing one to RESIZER_URL.
failover: the bucket is private; the distribution alone may read variants of the
          whitelisted sizes. Run lazyimages_setup_cdn first, which creates it.

A bucket that does not exist is created. Where LAZYIMAGES["ORIGINALS"] is another
bucket, that one is made private. Statements and rules of others are kept.
Run it again after changing SIZES, PRESETS, DELIVERY, RESIZER_URL, CORS_ORIGINS,
EXPIRE_VARIANTS_DAYS or DIRECT_UPLOADS: a second run changes nothing, and says so.

Start with --dry-run, which prints every document before and after and writes nothing.
"""


class Command(SetupCommand):
    """Set up the buckets of originals and variants."""

    help = HELP
    made_true = ("lazyimages.E007",)  # about CDN_URL; in redirect the CDN comes after the bucket

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --replace-website to the options of all such commands."""
        super().add_arguments(parser)
        parser.add_argument(
            "--replace-website",
            action="store_true",
            help="where the bucket is a website for something else, put ours in its place",
        )

    def parts(self, settings: conf.Settings, variants: "S3Storage", **options: Any) -> Iterator[Part]:
        """Yield the buckets."""
        return parts.bucket_parts(
            settings,
            variants,
            replace_website=options["replace_website"],
            alone=True,
            warn=lambda text: self.stderr.write(text, self.style.WARNING),
        )
