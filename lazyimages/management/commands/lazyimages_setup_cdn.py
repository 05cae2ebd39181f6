"""`manage.py lazyimages_setup_cdn`: make a CloudFront distribution deliver the bucket of the variants."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandParser

from lazyimages import conf
from lazyimages.management.parts import cdn_part
from lazyimages.management.setup import Part, SetupCommand

if TYPE_CHECKING:
    from storages.backends.s3 import S3Storage

HELP = """\
Make a CloudFront distribution deliver the bucket of LAZYIMAGES["VARIANTS"].

It is the one of DISTRIBUTION_ID, else the one that CDN_URL is on, else the one with the
tag lazyimages=<bucket>, else a new one. Of one that somebody else made, only the
behaviours of image extensions, and what they lead to, are set; all else is kept.

redirect: images come from the bucket's website endpoint, which sends who asks for a
          missing one to RESIZER_URL.
failover: images come from the private bucket; CloudFront asks your app for those that
          are missing, with ORIGIN_SECRET in a header.

Run it again after changing DELIVERY, CDN_URL, RESIZER_URL, ORIGIN_SECRET, CORS_ORIGINS or
RENDER_WAIT: a second run changes nothing, and says so.

Start with --dry-run, which prints every document before and after and writes nothing.
"""


class Command(SetupCommand):
    """Plan, show and take the steps of `lazyimages.aws.cdn`, and wait for CloudFront."""

    help = HELP
    made_true = ("lazyimages.E007",)  # CDN_URL is known once there is a distribution

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --certificate and --no-wait to the options of all such commands."""
        super().add_arguments(parser)
        parser.add_argument(
            "--certificate",
            metavar="ARN",
            help="of a certificate in ACM in us-east-1, for a CDN_URL on a domain of your own",
        )
        parser.add_argument(
            "--no-wait", action="store_true", help="do not wait until CloudFront has deployed it everywhere"
        )

    def parts(
        self,
        settings: conf.Settings,
        variants: "S3Storage",
        *,
        certificate: str | None = None,
        no_wait: bool = False,
        **options: Any,
    ) -> Iterator[Part]:
        """Yield the distribution."""
        yield cdn_part(settings, variants, self.out, certificate=certificate, wait=not no_wait)
