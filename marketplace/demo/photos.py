"""Demo photos for the example marketplace: drawn by code, kept in a cache folder, never downloaded.

python -m marketplace.demo.photos DIR
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from marketplace.cloud.children import end_with
from marketplace.demo.camera import develop, save
from marketplace.demo.catalogue import RECIPES, Recipe

# Raise this when a change of the drawing code changes the pictures: they are then drawn anew.
VERSION = 2

# Pictures of these kinds take longest; started first, they do not leave one worker behind at the end.
_SLOW_FIRST = ("board", "plate", "mug", "bowl")


@dataclass(frozen=True, kw_only=True)
class DemoPhoto:
    """A photo in the cache folder and the words a shop would show with it."""

    slug: str
    subject: str
    kind: str
    title: str
    alt: str
    path: Path


def draw_photos(
    cache_dir: Path, *, workers: int | None = None, progress: Callable[[int, int], None] | None = None
) -> list[DemoPhoto]:
    """All demo photos; those that the cache folder lacks are drawn, in several processes.

    `progress(done, total)` is called at the start and as pictures become ready.
    """
    folder = cache_dir / f"v{VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    photos = [_photo(recipe, folder) for recipe in RECIPES]
    missing = [recipe for recipe in RECIPES if not (folder / f"{recipe.slug}.jpg").exists()]
    report = progress or (lambda done, total: None)
    ready = len(photos) - len(missing)
    report(ready, len(photos))
    for done, _ in enumerate(_draw_all(missing, folder, workers), start=ready + 1):
        report(done, len(photos))
    return photos


def _photo(recipe: Recipe, folder: Path) -> DemoPhoto:
    return DemoPhoto(
        slug=recipe.slug,
        subject=recipe.subject,
        kind=recipe.kind,
        title=recipe.title,
        alt=recipe.alt,
        path=folder / f"{recipe.slug}.jpg",
    )


def _draw_all(recipes: list[Recipe], folder: Path, workers: int | None, scale: float = 1.0) -> Iterator[Path]:
    """Draw them in worker processes; yields each path as it is ready."""
    if not recipes:
        return
    # Spawned, since forking a process that has threads (a web server, say) can hang.
    context = multiprocessing.get_context("spawn")
    count = min(workers or os.cpu_count() or 1, len(recipes))
    ordered = sorted(recipes, key=lambda r: r.kind not in _SLOW_FIRST)
    # Workers would wait for ever for pictures to draw when this process is killed.
    with ProcessPoolExecutor(
        count, mp_context=context, initializer=end_with, initargs=(os.getpid(),)
    ) as pool:
        jobs = [pool.submit(draw_to, recipe.slug, folder, scale) for recipe in ordered]
        for job in as_completed(jobs):
            yield job.result()


def draw(recipe: Recipe, scale: float = 1.0) -> Image.Image:
    """The upright picture, its sides multiplied by `scale`."""
    width, height = (round(side * scale) for side in recipe.size)
    light = recipe.scene().render(round(width * recipe.detail), round(height * recipe.detail))
    seed = zlib.crc32(recipe.slug.encode())
    return develop(light, width, height, seed=seed, exposure=recipe.exposure, iso=recipe.iso)


def draw_to(slug: str, folder: Path, scale: float = 1.0) -> Path:
    """Draw one picture into the folder."""
    recipe = next(recipe for recipe in RECIPES if recipe.slug == slug)
    path = folder / f"{slug}.jpg"
    save(draw(recipe, scale), path, orientation=recipe.orientation, quality=recipe.quality)
    return path


def main(arguments: list[str]) -> int:
    """Draw the photos into the folder given on the command line."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m marketplace.demo.photos DIR\n")
        return 2

    def show(done: int, total: int) -> None:
        sys.stderr.write(f"\rdemo photos: {done} of {total}")
        sys.stderr.flush()

    draw_photos(Path(arguments[0]), progress=show)
    sys.stderr.write("\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
