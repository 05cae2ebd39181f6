"""`manage.py lazyimages_warm`: make chosen variants ahead of time."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from lazyimages.management.operation import EXIT_CODES, OperationCommand, positive
from lazyimages.operations import tables, warm
from lazyimages.operations.journal import Journal
from lazyimages.operations.work import Work

HELP = f"""\
Make variants before anybody asks for them: after a redesign, before a campaign.

Say which sizes, by --sizes or --preset, and of which originals: those of all rows, or of
some by --model, --queryset and --newest. Or have made what was requested, by --from an
access log. What is there already is found by listing, and skipped.

  python manage.py lazyimages_warm --preset card --model shop.Photo --newest 5000
  zcat logs/*.gz | python manage.py lazyimages_warm --from - --top 10000

{EXIT_CODES}"""


class Command(OperationCommand):
    """A run of `operations.warm`."""

    help = HELP

    def add_arguments(self, parser: CommandParser) -> None:
        """Add what warming has of its own."""
        super().add_arguments(parser)
        what = parser.add_argument_group("which variants")
        what.add_argument(
            "--sizes",
            nargs="+",
            action="extend",
            default=[],
            metavar="SIZE",
            help="such as 360x270 480h, of the whitelist",
        )
        what.add_argument(
            "--preset",
            nargs="+",
            action="extend",
            default=[],
            metavar="NAME",
            help="all sizes of a preset, with its sources; may be repeated",
        )
        what.add_argument("--all-sizes", action="store_true", help="the whole whitelist")
        what.add_argument(
            "--formats",
            nargs="+",
            action="extend",
            default=[],
            metavar="FORMAT",
            help="such as webp avif, or native for the original's own; else that and all of FORMATS",
        )
        what.add_argument(
            "--again",
            action="store_true",
            help="also those that are there, as after a change of QUALITY, BACKGROUND, EFFORT or ENGINE",
        )
        whose = parser.add_argument_group("of which originals")
        whose.add_argument(
            "--model",
            nargs="+",
            action="extend",
            default=[],
            metavar="FIELD",
            help="such as shop.Photo.image; may be repeated; else all fields for images",
        )
        whose.add_argument(
            "--queryset",
            nargs="+",
            action="extend",
            default=[],
            metavar="LOOKUP=VALUE",
            help="rows of which that holds, such as product__status=active; may be repeated",
        )
        whose.add_argument(
            "--newest",
            type=positive,
            metavar="N",
            help="so many rows of each field, by get_latest_by or else by primary key",
        )
        whose.add_argument(
            "--from",
            default="",
            dest="source",
            metavar="FILE",
            help="what was requested: an access log of CloudFront, S3, nginx or Apache, or a list of keys or "
            "URLs, also packed by gzip; - is standard input",
        )
        whose.add_argument(
            "--top", type=positive, metavar="N", help="with --from: the variants that were requested most"
        )

    def work(self, *, concurrency: int | None, **options: Any) -> Work:
        """Return the work of warming."""
        self.facts: dict[str, int] = {}
        if options["all_sizes"] and (options["sizes"] or options["preset"]):
            raise CommandError("--all-sizes is everything: leave out --sizes and --preset.")
        return warm.work(
            names=options["sizes"],
            presets=options["preset"],
            all_sizes=options["all_sizes"],
            formats=options["formats"],
            models=options["model"],
            lookups=options["queryset"],
            newest=options["newest"],
            source=options["source"],
            top=options["top"],
            again=options["again"],
            concurrency=concurrency,
            say=self.say,
            facts=self.facts,
        )

    def details(self) -> dict[str, Any]:
        """Return what was known before the first variant was made."""
        return dict(self.facts)

    def summary(self, journal: Journal, kind: str, more: dict[str, Any]) -> list[str]:
        """Say how many variants were made, of how many originals, and how many there were."""
        lines = []
        if "requests" in self.facts:
            other = self.facts["no_variants"]
            lines.append(
                f"{self.facts['requests']:,} requests for variants were read, {other:,} lines are not."
            )
        there = self.facts.get("existing", 0)
        if kind == "enqueue":
            tasks = journal.figures["tasks"]
            lines.append(
                f"{tables.counted(tasks, 'task')} for {tables.counted(journal.items, 'variant')} enqueued; "
                f"{there:,} are there already."
            )
        elif kind == "look":
            originals = journal.figures["originals"]
            lines.append(
                f"{journal.done:,} variants of {originals:,} originals would be made; "
                f"{there:,} are there already."
            )
        else:
            size, originals = tables.size(journal.figures["bytes"]), journal.figures["originals_read"]
            lines.append(
                f"{journal.done:,} variants were made of {originals:,} originals, {size}; "
                f"{there:,} were there already, {journal.failures:,} failed."
            )
        return lines
