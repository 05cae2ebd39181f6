"""`manage.py lazyimages_doctor`: say what is wrong between the settings, AWS, the CDN and the app."""

import json
import os
import sys
from argparse import ArgumentTypeError
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.core.files.storage import storages
from django.core.management.base import CommandParser
from django.core.management.color import no_style, supports_color

from lazyimages import conf, storage
from lazyimages.doctor import live, project, text
from lazyimages.doctor.live import Places
from lazyimages.doctor.report import Report, Result
from lazyimages.management.ending import ending_tidily
from lazyimages.management.teaching import TeachingCommand

HELP = """\
Say what is wrong between the settings, AWS, the CDN and the app, and how to mend it.

Without options it reads: the settings, who the credentials belong to, the bucket and
its documents, the distribution and its policies, and what setting up would change.
Nothing is written. What the caller may not read is a note that names the permission.

--live also sends a probe down the chain. It stores an original and a variant of its
own below lazyimages-doctor-*, asks for variants through the CDN as a browser would,
prints every hop, looks at what comes, asks for what has to be refused, and deletes
the probe. --dry-run says what it would store. Run one at a time: each removes what
earlier ones have left. In local delivery say where the app is: --site.

Run it with the credentials of the app, to learn whether they are enough and no more;
run it with those of whoever sets AWS up, to see everything.

Exit code: 0 when there is nothing but notes, 1 with warnings, 2 with errors.
docs/doctor.md explains every finding.
"""

_POINTLESS = {"credentials", "bucket-missing"}  # nothing can be stored then
_COLOURS = {"ok": "SUCCESS", "warning": "WARNING", "error": "ERROR"}


class Command(TeachingCommand):
    """Run the examinations, and print what each says at once, and all findings at the end."""

    help = HELP
    requires_system_checks: list[str] = []  # they are the first examination

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --live, --site, --website, --dry-run and --format."""
        parser.add_argument(
            "--live", action="store_true", help="store a probe and ask for it, then delete it"
        )
        parser.add_argument("--site", type=_base, default="", help="where the app is, for local delivery")
        parser.add_argument(
            "--website",
            type=_base,
            default="",
            help="the website endpoint's URL, if the bucket is not on AWS",
        )
        parser.add_argument("--dry-run", action="store_true", help="with --live: say what would be stored")
        parser.add_argument("--format", choices=("text", "json"), default="text", help="of the output")

    def handle(
        self,
        *,
        live: bool,
        site: str,
        website: str,
        dry_run: bool,
        format: str,
        no_color: bool = False,
        force_color: bool = False,
        **options: Any,
    ) -> None:
        """Examine, print, and exit with 0, 1 or 2."""
        self._colours = force_color or self._may_colour(no_color)
        if not self._colours:
            self.style = no_style()
        settings, _ = conf.read(getattr(django_settings, "LAZYIMAGES", {}))
        self._secret = settings.origin_secret
        self._quiet = format == "json"
        self._say(f"lazyimages with {settings.delivery} delivery")
        results: list[Result] = []
        # Closed at once when somebody interrupts, so that the probe is removed before anything else.
        running = self._results(settings, site, website, live=live, dry_run=dry_run)
        with ending_tidily(), closing(running):
            for result in running:
                results.append(result)
                for line in text.result_lines(
                    result, self._style, ascii=self._is_ascii, colours=self._colours
                ):
                    self._say(line)
        report = Report(delivery=settings.delivery, results=tuple(results))
        if format == "json":
            self.stdout.write(json.dumps(self._cleaned(report.as_dict()), indent=2))
        for found in report.findings:
            self._say("")
            for line in text.finding_lines(found, self._style, ascii=self._is_ascii):
                self._say(line)
        self._say(f"\n{text.summary(report)}")
        if report.exit_code:
            sys.exit(report.exit_code)

    def _results(
        self, settings: conf.Settings, site: str, website: str, *, live: bool, dry_run: bool
    ) -> Generator[Result, None, None]:
        found = tuple(project.examine(settings))
        yield Result(name="settings", findings=found)
        if any(one.name == "settings-wrong" for one in found):
            yield Result(name="everything else", skipped="because of settings-wrong")
            return
        variants, originals = storages[storage.variants_alias()], storages[settings.originals]
        places, hindrances = Places(), set[str]()
        if storage.is_s3(variants) or storage.is_s3(originals):
            from lazyimages.doctor import checkup

            case = checkup.case_of(settings, variants, originals)
            for result in checkup.run(case):
                hindrances |= _POINTLESS.intersection(one.name for one in result.findings)
                yield result
            places = checkup.places(case, website=website) if live and not hindrances else places
        if live and hindrances:
            yield Result(name="live", skipped=f"because of {', '.join(sorted(hindrances))}")
        elif live:
            yield from self._live(settings, replace(places, site=site), dry_run=dry_run)

    def _live(self, settings: conf.Settings, places: Places, *, dry_run: bool) -> Iterator[Result]:
        if dry_run:
            yield Result(name="live", skipped=f"would {', then '.join(live.intended(settings))}")
        else:
            yield from live.run(settings, places)

    def _say(self, line: str) -> None:
        if not self._quiet:
            encoding = getattr(self.stdout, "encoding", None) or "utf-8"
            self.stdout.write(self._without_secret(line).encode(encoding, "replace").decode(encoding))
            self.stdout.flush()

    def _without_secret(self, line: str) -> str:
        """Return a text without ORIGIN_SECRET, wherever it came from: an error message, a header."""
        return line.replace(self._secret, "(ORIGIN_SECRET)") if self._secret else line

    def _cleaned(self, value: Any) -> Any:
        """Return what is to be JSON without ORIGIN_SECRET in any text; the names in it are our own."""
        if isinstance(value, str):
            return self._without_secret(value)
        if isinstance(value, dict):
            return {name: self._cleaned(one) for name, one in value.items()}
        return [self._cleaned(one) for one in value] if isinstance(value, list) else value

    def _style(self, line: str, verdict: str) -> str:
        colour = _COLOURS.get(verdict)
        return str(getattr(self.style, colour)(line)) if colour else line

    def _may_colour(self, no_color: bool) -> bool:
        return self.stdout.isatty() and supports_color() and not no_color and not os.environ.get("NO_COLOR")

    @property
    def _is_ascii(self) -> bool:
        encoding = getattr(self.stdout, "encoding", None) or "utf-8"
        try:
            "✓✗▀×".encode(encoding)
        except (UnicodeEncodeError, LookupError):
            return True
        return False


def _base(value: str) -> str:
    """Return a URL of a site without the slash at its end."""
    parts = urlsplit(value)
    if value and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ArgumentTypeError(f"{value!r} is no URL of a site. Write it like https://shop.example.")
    return value.rstrip("/")
