"""`manage.py lazyimages_report`: say what is stored, what of it is asked for, and what it costs."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from secrets import token_hex
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import storages
from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from lazyimages import storage
from lazyimages.exceptions import LazyImagesError
from lazyimages.management import output as writing
from lazyimages.management.ending import ending_tidily
from lazyimages.management.progress import Progress
from lazyimages.management.teaching import TeachingCommand
from lazyimages.operations import adopt, report
from lazyimages.operations.inventory import Inventory, Say
from lazyimages.operations.reporting import adopt_text, costs
from lazyimages.operations.reporting import as_json as report_json
from lazyimages.operations.reporting import page as report_page
from lazyimages.operations.reporting import text as report_text
from lazyimages.operations.reporting.costs import Prices

_PIECES = 1000  # of JSON that are written together

HELP = """\
Say what is stored: originals, variants by size and format, the share of variants that
was ever asked for, what is left over or missing, what it costs on S3, and what making
every variant beforehand would have cost.

It lists the storages once, reads the names in all rows, and writes nothing but FILE.
On S3 that is one request for a thousand files.

--adopt looks at a bucket that was not made by lazyimages, or holds sizes made earlier:
which files are originals, which are variants, which are neither, and what belongs into
LAZYIMAGES. No file has to be moved.

Exit code: 0, or 1 when the report could not be made. What it finds is no failure.
"""


class Command(TeachingCommand):
    """Survey the storages, and print it as text, as JSON, or as one HTML page."""

    help = HELP
    requires_system_checks: list[str] = []  # it is for looking, also where something is still wrong

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --format, --output, --adopt, --region and --price."""
        parser.add_argument(
            "--format", choices=("text", "json", "html"), default="text", help="of the output"
        )
        parser.add_argument("--output", type=Path, metavar="FILE", help="write it there, not to the terminal")
        parser.add_argument(
            "--adopt", action="store_true", help="say what is what in a bucket, and what belongs into SIZES"
        )
        parser.add_argument(
            "--log",
            type=Path,
            nargs="+",
            action="extend",
            default=[],
            metavar="FILE",
            help="an access log, or list of keys: say how many of the stored variants it asks for",
        )
        parser.add_argument(
            "--region",
            choices=tuple(costs.REGIONS),
            help="whose prices; by default the storage's, if it is one of these, else us-east-1",
        )
        parser.add_argument(
            "--price",
            nargs="+",
            action="extend",
            default=[],
            metavar="NAME=DOLLARS",
            help=f"another price: {', '.join(f'{name} ({what})' for name, what in costs.NAMES.items())}",
        )

    def handle(
        self,
        *,
        format: str,
        output: Path | None,
        adopt: bool,
        log: list[Path],
        price: list[str],
        region: str | None,
        **options: Any,
    ) -> None:
        """Survey and print; `CommandError` with what is wrong when that cannot be."""
        if adopt and format == "html":
            raise CommandError("--adopt has no page. Choose --format text or json.")
        if adopt and (log or price or region):
            raise CommandError("--adopt looks at files alone. Leave out --log, --price and --region.")
        progress = Progress(self.stderr, "files")

        def say(what: str, number: int) -> None:
            progress.say(f"{number:,} {what} so far" if number else "Adding up")

        try:
            with ending_tidily(), Inventory() as inventory:
                try:
                    if adopt:
                        parts = _adoption(inventory, format, say)
                    else:
                        parts = _report(inventory, format, _prices(region).changed(price), log, say)
                finally:
                    progress.close()
                # A page may have any character by its number.
                errors = "xmlcharrefreplace" if format == "html" else "backslashreplace"
                with writing.patient(self.stdout, errors=errors):
                    self._write(parts, output)
        except (LazyImagesError, ImproperlyConfigured) as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(f"The rows cannot be read: {error}. Has everything been migrated?") from error
        except KeyboardInterrupt as end:
            raise CommandError("Interrupted. Nothing was written.", returncode=130) from end

    def _write(self, parts: Iterable[str], output: Path | None) -> None:
        if output is None:
            for part in parts:
                self.stdout.write(part, ending="")
            return
        # Whole or not at all, so that yesterday's report is there until today's is.
        new = output.with_name(f".{output.name}.{token_hex(4)}")
        try:
            with new.open("w", encoding="utf-8") as file:
                file.writelines(parts)
            new.replace(output)
        except OSError as error:
            raise CommandError(f"{output} cannot be written: {error}") from error
        finally:
            new.unlink(missing_ok=True)
        self.stderr.write(f"Written to {output}.", style_func=str)


def _report(
    inventory: Inventory, format: str, prices: Prices, logs: Sequence[Path], say: Say
) -> Iterable[str]:
    found = report.collect(inventory, prices=prices, logs=logs, say=say)
    if format == "html":
        return [report_page.page(found, inventory)]
    if format == "json":
        return _dumped(report_json.as_json(found, inventory))
    return _lines(report_text.lines(found, inventory))


def _adoption(inventory: Inventory, format: str, say: Say) -> Iterable[str]:
    found = adopt.collect(inventory, say=say)
    if format == "json":
        return _dumped(adopt.as_json(found, inventory))
    return _lines(adopt_text.lines(found, inventory))


def _dumped(data: Any) -> Iterator[str]:
    pieces = json.JSONEncoder(indent=2).iterencode(data)
    while some := list(islice(pieces, _PIECES)):
        yield "".join(some)
    yield "\n"


def _lines(lines: Iterable[str]) -> Iterator[str]:
    return (f"{line}\n" for line in lines)


def _prices(region: str | None) -> Prices:
    own = getattr(storages[storage.variants_alias()], "region_name", None)
    return costs.REGIONS.get(region or own or "", costs.REGIONS["us-east-1"])
