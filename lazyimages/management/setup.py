"""What the commands that set up AWS have in common: plan, show, take, and say what went wrong."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core import checks
from django.core.files.storage import storages
from django.core.management.base import CommandError, CommandParser, OutputWrapper

from lazyimages import conf, storage
from lazyimages.exceptions import LazyImagesError
from lazyimages.management.teaching import TeachingCommand

if TYPE_CHECKING:
    from storages.backends.s3 import S3Storage

    from lazyimages.aws.plans import Step


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One thing to set up: what it is called in messages, its plan, and what follows.

    `plan` may raise what boto3 raises, and `Conflict`. `finish` runs when the steps have been taken, not in
    a dry run; it is told whether any was.
    """

    about: str
    plan: Callable[[], "list[Step]"]
    finish: Callable[[bool], None] = lambda changed: None


class SetupCommand(TeachingCommand):
    """A command that yields its parts; each is planned when the one before has been taken."""

    requires_system_checks: list[str] = []  # run in `handle`, but for those in `made_true`
    made_true: tuple[str, ...] = ()  # ids of checks that may fail before this command has run
    out: OutputWrapper  # for what `parts` have to say; standard error, where JSON is asked for
    writes: bool  # neither --dry-run nor --check

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --dry-run, --check and --format."""
        writing = parser.add_mutually_exclusive_group()
        writing.add_argument("--dry-run", action="store_true", help="print before and after; write nothing")
        writing.add_argument(
            "--check",
            action="store_true",
            help="write nothing; exit code 1 when anything is not as the settings want it (for CI)",
        )
        parser.add_argument("--format", choices=("text", "json"), default="text", help="of the output")

    def parts(self, settings: conf.Settings, variants: "S3Storage", **options: Any) -> Iterator[Part]:
        """Yield what is to be set up, in order."""
        raise NotImplementedError

    def handle(self, *, dry_run: bool, check: bool, format: str, **options: Any) -> None:
        """Set up all parts; exit code 1 when that is not possible, or with --check when anything differs."""
        from botocore.exceptions import BotoCoreError, ClientError

        from lazyimages.aws import trouble

        settings = self._checked_settings()
        variants = _s3_storage(storage.variants_alias())
        options.pop("settings", None)  # Django's own
        self.out = self.stderr if format == "json" else self.stdout
        self.writes = write = not (dry_run or check)
        about = "AWS"
        steps: list[Step] = []
        taken: list[str] = []
        try:
            for part in self.parts(settings, variants, **options):
                about = part.about
                planned = part.plan()
                steps += planned
                before = len(taken)
                for step in self._take(planned, write=write, quiet=format == "json"):
                    taken.append(step.name)
                if write:
                    part.finish(len(taken) > before)
        except (LazyImagesError, BotoCoreError, ClientError) as error:
            problem = str(error) if isinstance(error, LazyImagesError) else trouble.explain(error, about)
            raise CommandError(f"{_so_far(taken)}{problem}") from error
        differing = [step.name for step in steps if step.changes]
        if format == "json":
            once = {step.name: step for step in reversed(steps)}  # a bucket is created before all else
            self.stdout.write(json.dumps([step.as_dict() for step in reversed(once.values())], indent=2))
        if check and differing:
            raise CommandError(f"Not as the settings want it: {', '.join(differing)}.")
        if format == "text":
            self._sum_up(bool(differing), dry_run=dry_run)

    def _checked_settings(self) -> conf.Settings:
        """Return the settings, when the system checks find nothing that setting up would not mend."""
        found = [error for error in checks.run_checks(tags=["lazyimages"]) if error.id not in self.made_true]
        if errors := [error for error in found if error.is_serious()]:
            raise CommandError("\n".join(str(error) for error in errors))
        settings = conf.settings()
        if settings.delivery == "local":
            raise CommandError(
                "DELIVERY is 'local', which needs no AWS. "
                "Set LAZYIMAGES['DELIVERY'] to 'redirect' or 'failover'."
            )
        return settings

    def _take(self, steps: "list[Step]", *, write: bool, quiet: bool) -> "Iterator[Step]":
        """Take the steps and show each; without `write` show them alone, and yield none."""
        for step in steps:
            if step.changes and write:
                step.action()
                yield step
            if quiet:
                continue
            if not step.changes:
                self.stdout.write(f"  {step.name}: as it should be")
                continue
            self.stdout.write(self.style.WARNING(f"{'changed' if write else 'would change'} {step.name}"))
            for line in step.diff():
                self.stdout.write(f"    {line}")

    def _sum_up(self, differing: bool, *, dry_run: bool) -> None:
        if not differing:
            self.stdout.write(self.style.SUCCESS("Nothing to change."))
        elif dry_run:
            self.stdout.write("Nothing was written. Run it without --dry-run to do this.")
        else:
            self.stdout.write(self.style.SUCCESS("All of it is as the settings want it."))


def _s3_storage(alias: str) -> "S3Storage":
    """Return the storage of an alias; `CommandError` when it is not on S3."""
    found = storages[alias]
    if not storage.is_s3(found):
        raise CommandError(
            f"The storage {alias!r} is no S3Storage. Set STORAGES[{alias!r}] to "
            "storages.backends.s3.S3Storage; docs/settings.md has an example."
        )
    return found


def _so_far(taken: list[str]) -> str:
    if not taken:
        return "Nothing was changed: "
    return f"Changed before this happened: {', '.join(taken)}. Run it again to do the rest. "
