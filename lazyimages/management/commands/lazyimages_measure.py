"""`manage.py lazyimages_measure`: fill dimensions and placeholders of rows that lack them."""

from typing import Any

from django.core.management.base import CommandParser

from lazyimages.management.operation import EXIT_CODES, OperationCommand, positive
from lazyimages.operations import measure, tables
from lazyimages.operations.journal import Journal
from lazyimages.operations.work import Work

HELP = f"""\
Fill width and height of the rows that lack them, from the originals, as an upload would
have done. It reads 64 KiB of each, and more only where the dimensions are further back.
With --placeholder it fills placeholders too, and reads and decodes whole files.

A row that has dimensions keeps them. --dry-run reads just as much, and writes nothing.

{EXIT_CODES}"""


class Command(OperationCommand):
    """A run of `operations.measure`."""

    help = HELP

    def add_arguments(self, parser: CommandParser) -> None:
        """Add what measuring has of its own."""
        super().add_arguments(parser)
        parser.add_argument(
            "--fields",
            nargs="+",
            action="extend",
            default=[],
            metavar="FIELD",
            help="such as shop.Photo.image; else all fields with a place for dimensions",
        )
        parser.add_argument(
            "--placeholder", action="store_true", help="fill empty placeholders too, by reading whole files"
        )
        parser.add_argument("--limit", type=positive, metavar="N", help="so many rows at the most")
        parser.add_argument(
            "--since",
            default="",
            metavar="WHEN",
            help="rows from then on: created=2026-01-31, product__created=2026-01-31, pk=1000, or "
            "2026-01-31 alone for a model with get_latest_by",
        )

    def work(self, *, concurrency: int | None, **options: Any) -> Work:
        """Return the work of measuring."""
        return measure.work(
            options["fields"],
            placeholder=options["placeholder"],
            limit=options["limit"],
            newer=options["since"],
            concurrency=concurrency or measure.THREADS,
        )

    def summary(self, journal: Journal, kind: str, more: dict[str, Any]) -> list[str]:
        """Say how many rows were filled, and what was read for it."""
        if kind == "enqueue":
            tasks = tables.counted(journal.figures["tasks"], "task")
            return [f"{tasks} for {tables.counted(journal.items, 'row')} enqueued."]
        files, whole = journal.figures["files"], journal.figures["whole_files"]
        share = 100 * whole / files if files else 0
        size = tables.size(journal.figures["bytes_read"])
        return [
            f"{journal.done:,} rows {'would be' if kind == 'look' else 'were'} filled, "
            f"{journal.skipped:,} needed nothing by then, {journal.failures:,} failed.",
            f"{size} of {files:,} files were read; {whole:,} of them to the end ({share:.1f} %).",
        ]
