"""`manage.py lazyimages_cloudformation`: print all of AWS as one template."""

import json
from typing import Any

from django.core import checks
from django.core.management.base import CommandError, CommandParser

from lazyimages import conf
from lazyimages.aws import template
from lazyimages.exceptions import LazyImagesError
from lazyimages.management.scope import scope
from lazyimages.management.teaching import TeachingCommand

_OF_CDN_URL = "lazyimages.E007"  # it may be missing until there is a distribution

HELP = """\
Print one CloudFormation template for all that lazyimages has on AWS, from the settings, as JSON. Nothing is
sent to AWS. It declares what lazyimages_setup would set up, in a stack instead of by requests:

  python manage.py lazyimages_cloudformation > lazyimages.json
  aws cloudformation deploy --stack-name lazyimages --template-file lazyimages.json \\
    --capabilities CAPABILITY_IAM

With ORIGIN_SECRET, in failover, add --parameter-overrides OriginSecret=...; it is not in the template. With
a CDN_URL on a domain of your own add CertificateArn=...
The buckets are created, so they must not exist yet, and they stay when the stack is deleted.
Use either the stack or the lazyimages_setup commands, not both.
"""


class Command(TeachingCommand):
    """Print the template of `lazyimages.aws.template`."""

    help = HELP
    requires_system_checks: list[str] = []  # run in `handle`, but for one

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --format."""
        parser.add_argument("--format", choices=("json",), default="json", help="of the output")

    def handle(self, **options: Any) -> None:
        """Print the template; exit code 1 when none can be made from the settings."""
        from lazyimages.aws import cdn  # boto3 is an extra

        found_wrong = checks.run_checks(tags=["lazyimages"])
        if mistakes := [str(one) for one in found_wrong if one.is_serious() and one.id != _OF_CDN_URL]:
            raise CommandError("\n".join(mistakes))
        settings = conf.settings()
        if settings.delivery == "local":
            raise CommandError(
                "DELIVERY is 'local', which needs no AWS. "
                "Set LAZYIMAGES['DELIVERY'] to 'redirect' or 'failover'."
            )
        found, _ = scope(settings)
        try:
            made = template.template(settings, found, alias=cdn.alias(settings))
        except LazyImagesError as error:
            raise CommandError(f"{str(error)[:1].upper()}{str(error)[1:]}") from error
        self.stdout.write(json.dumps(made, indent=2))
