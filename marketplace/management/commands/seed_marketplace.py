"""`manage.py seed_marketplace`: fill the example shop."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from marketplace.demo.photos import draw_photos
from marketplace.seeding import PASSWORD, seed

BAR = 30  # characters


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100_000:
        raise ArgumentTypeError(f"{text!r} is not a number from 1 to 100000")
    return int(text)


class Command(BaseCommand):
    """Draw photos, and put products with them on sale."""

    help = (
        "Fill the example shop: sellers, categories, products and their photos, which are drawn on this "
        "computer. The shop is the same every time, and a second run adds nothing. Beyond 60 products, all "
        "are on sale and share the photos of the first ones. It also makes the "
        f"accounts of the sellers and of the moderator “admin”, all with the password “{PASSWORD}”: "
        "use it for a demonstration only."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare how much to make, and where to keep the drawn photos."""
        parser.add_argument(
            "--products", type=_count, default=60, metavar="N", help="how many products there shall be (60)"
        )
        parser.add_argument(
            "--photos-dir",
            type=Path,
            default=settings.DATA_DIR / "photos",
            metavar="DIR",
            help="where drawn photos are kept, so that the next run need not draw them again (%(default)s)",
        )

    def handle(self, *, products: int, photos_dir: Path, **options: Any) -> None:
        """Draw, seed, and say what there is now."""
        quiet = options["verbosity"] == 0
        try:
            photos_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CommandError(f"cannot keep photos in {photos_dir}: {error.strerror}") from error
        photos = draw_photos(photos_dir, progress=None if quiet else self._meter("Photos ready"))
        added = seed(products, photos, progress=None if quiet else self._meter("Products ready"))
        if not quiet:
            self.stdout.write(
                self.style.SUCCESS(f"Added {added.products} products with {added.photos} photos.")
            )
            self.stdout.write(f"Log in as “admin”, “marta” or another seller; the password is “{PASSWORD}”.")

    def _meter(self, what: str) -> Callable[[int, int], None]:
        """Draw a bar on one line of a terminal; elsewhere only say when all is done."""
        is_terminal = self.stdout.isatty()

        def show(done: int, total: int) -> None:
            if is_terminal:
                bar = "█" * (BAR * done // total)
                end = "\n" if done == total else ""
                self.stdout.write(f"\r{what}: {bar:·<{BAR}} {done} of {total}", ending=end)
                self.stdout.flush()
            elif done == total:
                self.stdout.write(f"{what}: {total}")

        return show
