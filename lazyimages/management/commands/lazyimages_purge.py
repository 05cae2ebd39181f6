"""`manage.py lazyimages_purge`: delete variants that are not wanted any more, and orphans."""

from argparse import ArgumentTypeError
from copy import deepcopy
from typing import Any

from django.core.management.base import CommandError, CommandParser

from lazyimages.exceptions import LazyImagesError
from lazyimages.management.operation import EXIT_CODES, OperationCommand
from lazyimages.operations import purge
from lazyimages.operations.journal import Journal
from lazyimages.operations.purge import Purge
from lazyimages.operations.purging import choosing
from lazyimages.operations.purging import text as purge_text
from lazyimages.operations.purging.choosing import Choice, UnclearChoice
from lazyimages.operations.work import Work

HELP = f"""\
Delete variants that are not wanted any more, and what no row needs.

  lazyimages_purge --dropped --dry-run        sizes and formats no longer in the settings
  lazyimages_purge --sizes 480h 100x100       these sizes
  lazyimages_purge --prefix produs_12/        what begins so
  lazyimages_purge --original produs_12/img.AZ70KuRzw9.jpg
  lazyimages_purge --model shop.Photo.image --queryset product=12
  lazyimages_purge --orphans                  variants whose original is gone
  lazyimages_purge --orphans --delete-originals --grace 30d

Several filters mean what has all of it. A variant that is asked for again is made
again. Nothing is deleted but variants of originals that are stored, that a row has, or
that you name, and nothing that is newer than the start of the command.

With DISTRIBUTION_ID, CloudFront is told to forget what was deleted.

{EXIT_CODES}"""


class Command(OperationCommand):
    """Delete, invalidate, and say what was left alone."""

    help = HELP

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the filters."""
        super().add_arguments(parser)
        add = parser.add_argument
        add("--dropped", action="store_true", help="sizes and formats that the settings no longer allow")
        add(
            "--sizes",
            nargs="+",
            action="extend",
            default=[],
            metavar="SIZE",
            help="sizes, also such as are dropped",
        )
        add(
            "--formats",
            nargs="+",
            action="extend",
            default=[],
            metavar="FORMAT",
            help="formats, as in: avif webp",
        )
        add("--prefix", default="", help="keys that begin so")
        add("--older-than", type=_duration, metavar="TIME", help="made so long ago: 12h, 90d, 2w")
        add("--original", nargs="+", action="extend", default=[], metavar="NAME", help="of these originals")
        add("--model", default="", metavar="FIELD", help="of the rows of a field, as in shop.Photo.image")
        add(
            "--queryset",
            nargs="+",
            action="extend",
            default=[],
            metavar="LOOKUP=VALUE",
            help="with --model: of these rows alone, as in product__status=sold",
        )
        add("--all", action="store_true", help="whatever their size")
        add(
            "--orphans", action="store_true", help="variants whose original is gone; lists needless originals"
        )
        add(
            "--delete-originals",
            action="store_true",
            help="with --orphans: delete originals too that no row points to",
        )
        add(
            "--grace",
            type=_duration,
            default=choosing.GRACE,
            metavar="TIME",
            help="with --delete-originals: younger ones stay (default: 30d)",
        )
        add("--no-invalidate", action="store_true", help="leave alone what CloudFront keeps")
        add(
            "--invalidate",
            nargs="+",
            action="extend",
            default=[],
            metavar="PATH",
            help="delete nothing, and have CloudFront forget these paths, as in /produs_12/*",
        )

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Remember what is not for the work itself."""
        self.enqueues, self.verbosity = bool(options["enqueue"]), int(options["verbosity"])
        self.purge: Purge | None = None
        return super().execute(*args, **options)

    def work(self, *, concurrency: int | None, **options: Any) -> Work:
        """Return what is to be done."""
        choice = _choice(options) if _filters(options) or not options["invalidate"] else None
        if options["invalidate"]:
            if choice or self.enqueues:
                raise CommandError("--invalidate deletes nothing and enqueues nothing: give it alone.")
            self.invalidates = True
            return purge.forgetting(options["invalidate"])
        assert choice is not None
        self.invalidates = not options["no_invalidate"]
        self.purge = Purge(
            choice,
            invalidates=self.invalidates,
            elsewhere=self.enqueues,
            concurrency=concurrency or 1,
            say=self.say,
        )
        return self.purge.work

    def after(self, journal: Journal) -> dict[str, Any]:
        """Have CloudFront forget what was deleted."""
        paths = _paths(journal)
        try:
            purge.invalidate(paths, say=self.say)
        except LazyImagesError as error:
            raise CommandError(
                f"{error} What was to be deleted is deleted, and CloudFront does not know of it. Run the "
                "same command with --resume once that is mended."
            ) from error
        return {"invalidated": len(paths)} if paths else {}

    def before_forgetting(self, journal: Journal) -> None:
        """Have CloudFront forget what an interrupted run has deleted: a new listing does not show that."""
        interrupted = deepcopy(journal)
        interrupted.resume()
        self.after(interrupted)

    def details(self) -> dict[str, Any]:
        """Return the totals."""
        return purge_text.figures(self.purge) if self.purge else {}

    def summary(self, journal: Journal, kind: str, more: dict[str, Any]) -> list[str]:
        """Say what was deleted, what is left, and what CloudFront knows of it."""
        paths = _paths(journal)
        if self.purge is None:
            return [purge_text.told(len(paths), kind)]
        lines = [purge_text.done(self.purge, journal, kind)]
        if kind != "do":
            lines += purge_text.table(self.purge)
        if journal.skipped:
            lines.append(f"{journal.skipped:,} were left alone, for they are needed by now.")
        lines += purge_text.originals(self.purge, names=self.verbosity > 1)
        lines += purge_text.left(self.purge)
        if self.invalidates:
            lines += purge_text.cdn(self.purge, kind, len(paths))
        return lines


def _choice(options: dict[str, Any]) -> Choice:
    return Choice(
        dropped=options["dropped"],
        sizes=tuple(dict.fromkeys(options["sizes"])),
        formats=choosing.format_names(options["formats"]),
        prefix=options["prefix"],
        older_than=options["older_than"],
        originals=tuple(dict.fromkeys(options["original"])),
        model=options["model"],
        lookups=tuple(options["queryset"]),
        everything=options["all"],
        orphans=options["orphans"],
        delete_originals=options["delete_originals"],
        grace=options["grace"],
    )


def _filters(options: dict[str, Any]) -> bool:
    names = ("dropped", "sizes", "formats", "prefix", "original", "model", "queryset", "all", "orphans")
    return options["older_than"] is not None or any(options[name] for name in (*names, "delete_originals"))


def _paths(journal: Journal) -> list[str]:
    return list(journal.cursor["paths"]) if journal.cursor else []


def _duration(text: str) -> int:
    try:
        return choosing.duration(text)
    except UnclearChoice as error:
        raise ArgumentTypeError(str(error)) from error
