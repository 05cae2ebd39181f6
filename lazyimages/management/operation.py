"""What the commands for many images have in common: options, progress, journal, summary, exit code."""

import json
import logging
import signal
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from lazyimages import locks, queueing
from lazyimages.exceptions import LazyImagesError, StorageUnavailable
from lazyimages.management import output
from lazyimages.management.ending import ending_tidily
from lazyimages.management.progress import Progress
from lazyimages.management.teaching import TeachingCommand
from lazyimages.operations import run, single
from lazyimages.operations.journal import Journal
from lazyimages.operations.work import Batch, Outcome, Work

EXIT_CODES = """\
Exit code: 0 when all is done, 1 when something failed (each is named) or the command
could not run, 130 after Ctrl-C; --resume goes on after the last batch then.
"""

_NO_WORKERS = (
    "Warning: TASKS has no backend with workers. Its tasks are done at once, by this command, or never. "
    "docs/operations.md shows backends that have some."
)


class OperationCommand(TeachingCommand):
    """A command that does one `Work`, here or, with --enqueue, by the project's task system."""

    requires_system_checks: list[str] = []  # those of lazyimages are run, and no others

    def add_arguments(self, parser: CommandParser) -> None:
        """Add what all such commands have."""
        parser.add_argument("--dry-run", action="store_true", help="say what would be done; write nothing")
        parser.add_argument(
            "--resume", action="store_true", help="go on after the last batch of an interrupted run"
        )
        parser.add_argument(
            "--concurrency",
            type=positive,
            default=None,
            metavar="N",
            help="how many images or requests at the same time",
        )
        parser.add_argument(
            "--enqueue",
            action="store_true",
            help="have the project's task system do it: this cuts the work into tasks, and ends",
        )
        parser.add_argument("--queue", default="", help="with --enqueue: the queue; else the default one")
        parser.add_argument("--format", choices=("text", "json"), default="text", help="of the output")

    def work(self, *, concurrency: int | None, **options: Any) -> Work:
        """Return what is to be done; `LazyImagesError` and `CommandError` say what is wrong with options."""
        raise NotImplementedError

    def say(self, text: str) -> None:
        """Say what is going on before the first batch."""
        self.progress.say(text)

    def after(self, journal: Journal) -> dict[str, Any]:
        """Do what follows once all batches are done, and return what there is to say of it."""
        return {}

    def before_forgetting(self, journal: Journal) -> None:
        """Do what an interrupted run owes for what it did; its journal is not read yet."""

    def details(self) -> dict[str, Any]:
        """Return what else there is to say in JSON, also of a dry run."""
        return {}

    def handle(
        self,
        *,
        dry_run: bool,
        resume: bool,
        enqueue: bool,
        queue: str,
        format: str,
        verbosity: int,
        **options: Any,
    ) -> None:
        """Do the work, print what became of it, and exit with 1 when something failed."""
        if errors := [each for each in checks.run_checks(tags=["lazyimages"]) if each.is_serious()]:
            raise CommandError("\n".join(str(error) for error in errors))
        if queue and not enqueue:
            raise CommandError("--queue is about tasks, of which there are none without --enqueue.")
        self.dry_run, self.json, self.verbosity = dry_run, format == "json", verbosity
        self.progress = Progress(self.stderr, "", quiet=True)
        try:
            work = self.work(verbosity=verbosity, **options)
            do = work.look if dry_run else (self._enqueuing(work, queue) if enqueue else work.do)
            with single.alone(work.name):
                self._run(work, do, resume=resume, enqueue=enqueue)
        except (LazyImagesError, ImproperlyConfigured) as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(
                f"The database refuses: {' '.join(str(error).split())}. Has everything been migrated? "
                "--resume goes on after the last batch."
            ) from error

    def _run(self, work: Work, do: Callable[..., Outcome], *, resume: bool, enqueue: bool) -> None:
        # A dry run and an enqueuing one have journals of their own: what they did is not done.
        kind = "look" if self.dry_run else "enqueue" if enqueue else "do"
        what = {**work.what, "kind": kind, "project": single.project()}
        journal = Journal(locks.directory(), work.name, what)
        if resume:
            journal.resume()
            if not journal.batches:
                self._line("There is no interrupted run with these options. Beginning with the first batch.")
        else:
            if journal.exists:
                self._line("An interrupted run with these options is forgotten; --resume would have gone on.")
                if kind == "do":
                    self.before_forgetting(journal)
            journal.begin()
        self.progress = Progress(self.stderr, work.unit, done=journal.items, quiet=self.json)

        def tell(batch: Batch) -> None:
            self.progress.add(batch.items, total=work.total())

        def shown(**arguments: Any) -> Outcome:
            self.progress.add(0, total=work.total())  # the first batch may take minutes
            return do(**arguments)

        try:
            with ending_tidily(), self._without_lines_for_each():
                run.run(work, journal, do=shown, tell=tell)
                more = self.after(journal) if kind == "do" else {}
        except (KeyboardInterrupt, SystemExit) as end:
            self._stop_with(journal, "Interrupted", getattr(end, "code", 128 + signal.SIGINT))
        except StorageUnavailable as error:
            self._stop_with(journal, f"Stopped: {error}", 1)
        finally:
            self.progress.close()
        with output.patient(self.stdout):
            self._sum_up(work, journal, kind, more)
        failures = journal.failures
        journal.forget()
        if failures:
            sys.exit(1)

    @contextmanager
    def _without_lines_for_each(self) -> Iterator[None]:
        """Keep the log's line for each variant from the terminal, where a bar says how far it is."""

        def is_wanted(record: logging.LogRecord) -> bool:
            # What fails is named in the end, once for all variants of an original.
            of_a_variant = record.levelno <= logging.INFO or str(record.msg).startswith("failed key=")
            if of_a_variant and self.verbosity < 2:
                return False
            self.progress.clear()
            return True

        logger = logging.getLogger("lazyimages")
        logger.addFilter(is_wanted)
        try:
            yield
        finally:
            logger.removeFilter(is_wanted)

    def _stop_with(self, journal: Journal, why: str, code: int) -> None:
        self.progress.close()
        done = f"{journal.items:,} are done in {journal.batches:,} batches"
        # A line may be in the file though the signal came before it was counted.
        hint = "Run the same command with --resume to go on after them" if journal.exists else "Nothing lost"
        raise CommandError(f"{why}. {done}. {hint}.", returncode=code)

    def _enqueuing(self, work: Work, queue: str) -> Callable[..., Outcome]:
        path = f"lazyimages.tasks.{work.task}"
        said = False

        def enqueue(**arguments: Any) -> Outcome:
            nonlocal said
            try:
                queueing.enqueue(path, queue=queue, **arguments)
            except ImportError as error:
                raise CommandError(
                    "--enqueue needs Django's Tasks API: Django 6, or pip install "
                    "'django-lazyimages[tasks]' with Django 5.2. docs/operations.md shows both, and Celery."
                ) from error
            if not said and not queueing.has_workers(path):
                said = True
                self.stderr.write(_NO_WORKERS, style_func=str)
            return Outcome(figures={"tasks": 1})

        return enqueue

    def _sum_up(self, work: Work, journal: Journal, kind: str, more: dict[str, Any]) -> None:
        if self.json:
            figures = {
                "command": work.name,
                "kind": kind,
                "items": journal.items,
                "done": journal.done,
                "skipped": journal.skipped,
                **journal.figures,
                **more,
                **self.details(),
            }
            for part in _dumped(figures, journal.failed()):
                self.stdout.write(part, ending="")
            return
        for line in self.summary(journal, kind, more):
            self.stdout.write(line)
        for name, why in journal.failed():
            self.stdout.write(self.style.ERROR(f"  failed: {name}: {why}"))

    def summary(self, journal: Journal, kind: str, more: dict[str, Any]) -> list[str]:
        """Return the lines that say what became of the work; `kind` is do, look or enqueue."""
        raise NotImplementedError

    def _line(self, text: str) -> None:
        if not self.json:
            self.stderr.write(text, style_func=str)


def _dumped(figures: dict[str, Any], failed: Iterator[tuple[str, str]]) -> Iterator[str]:
    """Yield JSON whose last member is what failed, which may be every image of a shop."""
    yield json.dumps(figures, indent=2).removesuffix("\n}") + ',\n  "failed": {'
    end = "}"
    for number, (name, why) in enumerate(failed):
        yield f"{',' if number else ''}\n    {json.dumps(name)}: {json.dumps(why)}"
        end = "\n  }"
    yield end + "\n}\n"


def positive(text: str) -> int:
    """Read a whole number above zero; nine digits are enough, and databases have a limit."""
    if not text.isdecimal() or len(text) > 9 or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is no whole number above 0, of nine digits at most")
    return int(text)
