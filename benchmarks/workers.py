"""`python -m benchmarks.workers`: a warm-up of 2,000 photos by one worker, and by two.

Starts a PostgreSQL of its own, enqueues the work by `lazyimages_warm --enqueue`, and takes the time from the
start of real `manage.py db_worker` processes until the last of them finds the queue empty. One and two take
turns, since others may use the machine too.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.originals import demo_photos
from benchmarks.scale import postgresql
from benchmarks.tables import interleaved, markdown, medians
from tests.operations.workers.project import ROOT, Project

SIZES = ("360x270", "480h")
LIMIT = 0.6


def draw(shop: Project, images: int) -> None:
    """Give the shop the demo's photos as originals, again and again, and a row for each."""
    # Links, for 2,000 of them have 5 GB; to be read they are what copies are.
    photos = [Path(shutil.copy(path, shop.originals.parent)) for path in demo_photos()]
    for number in range(images):
        path = shop.originals / f"produs_{number}" / "bowl.jpg"
        path.parent.mkdir()
        path.hardlink_to(photos[number % len(photos)])
    shop.python(
        "from tests.host.models import Photo\n"
        f"Photo.objects.bulk_create(Photo(image=f'produs_{{n}}/bowl.jpg') for n in range({images}))"
    )


def warm(shop: Project, images: int, workers: int) -> float:
    """Return how many seconds so many workers take for everything, after a fresh start."""
    shutil.rmtree(shop.variants)
    shop.variants.mkdir()
    shop.manage("lazyimages_warm", "--sizes", *SIZES, "--model", "host.Photo", "--enqueue")
    command = [sys.executable, str(ROOT / "manage.py"), "db_worker", "--batch", "--no-startup-delay"]
    environment = {**shop.environment, "PYTHONDONTWRITEBYTECODE": "1"}
    begun = time.perf_counter()
    running = [
        subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(workers)
    ]
    for process in running:
        process.wait()
    seconds = time.perf_counter() - begun
    made = len(shop.files())
    if made != images * len(SIZES):
        sys.exit(f"{workers} workers made {made} variants of {images * len(SIZES)}")
    return seconds


def main() -> None:
    """Measure, print a table, and exit with 1 when two workers take too long."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder, postgresql() as url:
        shop = Project(Path(folder), "database", DATABASE_URL=url)
        shop.migrate()
        draw(shop, options.images)
        pairs = interleaved(
            lambda: warm(shop, options.images, 1), lambda: warm(shop, options.images, 2), options.rounds
        )
    one, two, ratio = medians(pairs)
    rate = options.images / one
    print(
        markdown(
            ["workers", "seconds", "images a second"],
            [["1", f"{one:.1f}", f"{rate:.0f}"], ["2", f"{two:.1f}", f"{options.images / two:.0f}"]],
        )
    )
    rounds = ", ".join(f"{mine:.1f}/{other:.1f}" for mine, other in pairs)
    print(
        f"\n{options.images:,} images in {len(SIZES)} sizes each; two workers take {ratio:.2f} of the time "
        f"of one (at most {LIMIT}). {os.cpu_count()} processors, load before: {load:.1f}. Rounds: {rounds} s."
    )
    sys.exit(ratio > LIMIT)


if __name__ == "__main__":
    main()
