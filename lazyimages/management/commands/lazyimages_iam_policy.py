"""`manage.py lazyimages_iam_policy`: print the policy with the fewest rights that do."""

import json
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError, CommandParser

from lazyimages import conf
from lazyimages.aws import distribution, iam
from lazyimages.exceptions import LazyImagesError
from lazyimages.management.scope import scope
from lazyimages.management.teaching import TeachingCommand

HELP = """\
Print the IAM policy with the fewest rights that do, from the settings, as JSON. Nothing is sent to AWS.

app:      what your site needs: upload originals, and read, make, replace and delete variants.
setup:    what the person needs who runs lazyimages_setup and lazyimages_doctor.
operator: what it takes to run lazyimages_measure, _warm, _purge and _report, or their tasks.
lambda:   what the resizer needs on Lambda; with --trust, who may take that role.

Make a managed policy of it, for instance:

  python manage.py lazyimages_iam_policy app > app.json
  aws iam create-policy --policy-name lazyimages-app --policy-document file://app.json

Print it again after changing SIZES, PRESETS, EXPIRE_VARIANTS_DAYS, DIRECT_UPLOADS,
DISTRIBUTION_ID or a bucket.
"""


class Command(TeachingCommand):
    """Print one of the policies of `lazyimages.aws.iam`."""

    help = HELP
    requires_system_checks: list[str] = []  # a policy may be wanted before all else is as it should be

    def add_arguments(self, parser: CommandParser) -> None:
        """Add for whom the policy is, and what is asked of the one for Lambda."""
        parser.add_argument(
            "who", choices=("app", "setup", "operator", "lambda"), help="for whom the policy is"
        )
        parser.add_argument("--format", choices=("json",), default="json", help="of the output")
        parser.add_argument(
            "--trust", action="store_true", help="with lambda: print the role's trust policy instead"
        )
        parser.add_argument(
            "--function", default="", metavar="NAME", help="with lambda: its name; by default as in the stack"
        )

    def handle(self, *, who: str, trust: bool, function: str, **options: Any) -> None:
        """Print the policy; exit code 1 when none can be made from the settings."""
        if who != "lambda" and (trust or function):
            raise CommandError("--trust and --function are for lambda alone.")
        try:
            settings = conf.settings()
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        if who == "setup" and settings.delivery == "local":
            raise CommandError("DELIVERY is 'local', for which nothing is set up on AWS.")
        found, region = scope(settings)
        try:
            if who == "app":
                policy = iam.app(found)
            elif who == "setup":
                policy = iam.setup(found, distribution_id=settings.distribution_id)
            elif who == "operator":
                policy = iam.operator(
                    found,
                    distribution_id=settings.distribution_id,
                    has_cdn=settings.delivery != "local",
                )
            elif trust:
                policy = iam.TRUST
            else:
                area = found.variants or found.originals
                name = function or distribution.name(area.bucket if area else "")
                policy = iam.function(found, name=name, region=region)
        except LazyImagesError as error:
            raise CommandError(f"{str(error)[:1].upper()}{str(error)[1:]}") from error
        self.stdout.write(json.dumps(policy, indent=2))
