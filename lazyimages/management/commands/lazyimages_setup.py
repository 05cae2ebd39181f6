"""`manage.py lazyimages_setup`: set up the buckets and the CloudFront distribution."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandParser

from lazyimages import conf
from lazyimages.management.commands import lazyimages_setup_cdn
from lazyimages.management.parts import bucket_parts, cdn_part
from lazyimages.management.setup import Part

if TYPE_CHECKING:
    from storages.backends.s3 import S3Storage

    from lazyimages.aws.plans import Step

NAMED_LATER = "The policy of the bucket will name the distribution, once there is one."

HELP = """\
Set up the S3 bucket of LAZYIMAGES["VARIANTS"] and the CloudFront distribution that
delivers it: lazyimages_setup_bucket and lazyimages_setup_cdn in one run, in the order in
which images stay visible all the time.

redirect: the bucket, and then the distribution that reads its website.
failover: the distribution, and then the bucket, which lets nobody else in.

Start with --dry-run, which prints every document before and after and writes nothing.
"""


class Command(lazyimages_setup_cdn.Command):
    """Both parts, with the options of both."""

    help = HELP

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --replace-website."""
        super().add_arguments(parser)
        parser.add_argument(
            "--replace-website",
            action="store_true",
            help="where the bucket is a website for something else, put ours in its place",
        )

    def parts(
        self,
        settings: conf.Settings,
        variants: "S3Storage",
        *,
        certificate: str | None = None,
        no_wait: bool = False,
        replace_website: bool = False,
        **options: Any,
    ) -> Iterator[Part]:
        """Yield bucket and distribution, in the order of the delivery."""
        failover = settings.delivery == "failover"
        buckets = partial(bucket_parts, settings, variants, replace_website=replace_website)
        distribution = cdn_part(
            settings,
            variants,
            self.out,
            certificate=certificate,
            wait=not no_wait,
            bucket_follows=failover,
        )
        if failover:
            if self.writes:
                # A distribution before a bucket that is not there yet could be one before somebody else's.
                yield from map(_creation, buckets())
            yield distribution
        yield from buckets(warn=lambda text: self.out.write(NAMED_LATER, style_func=str))
        if not failover:
            yield distribution


def _creation(part: Part) -> Part:
    """Return what creates the buckets alone, if they are missing."""

    def plan() -> "list[Step]":
        return [step for step in part.plan() if step.changes and step.name.startswith("bucket")]

    return replace(part, plan=plan)
