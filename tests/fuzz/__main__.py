"""Fuzz for FUZZ_MINUTES minutes, 10 by default, and keep what is found: `make fuzz`."""

import logging
import os
import random
import sys
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from tests.fuzz import corpus, hostile, run  # noqa: E402  # models are loaded by now
from tests.fuzz.children import Children  # noqa: E402

_FILES, _KEYS = 50, 500  # examples of a batch
_EVERY = 30  # seconds between two lines of progress


def main() -> int:
    """Run, print, and return the exit code: 1 when something did not hold."""
    minutes = float(os.environ.get("FUZZ_MINUTES", "10"))
    number = int(os.environ.get("FUZZ_SEED", random.randrange(10**6)))
    names, tally, started, said = sorted(corpus.seeds()), run.Tally(), time.monotonic(), 0.0
    logging.disable(logging.CRITICAL)  # a line for every hostile key
    print(f"· {minutes:g} minutes, {len(names)} files to damage, FUZZ_SEED={number}", flush=True)
    problems: list[str] = []
    with hostile.shop() as keys, Children() as children:
        while (elapsed := time.monotonic() - started) < minutes * 60:
            if elapsed - said >= _EVERY:
                said = elapsed
                print(f"· {_line(elapsed, tally, keys)}", flush=True)
            number += 1
            known = len(tally.broken)
            run.batch(children, tally, names, examples=_FILES, number=number)
            for name, data, specs, text in list(tally.broken.values())[known:]:
                print(f"! {run.save(name, data)}\n  {specs}\n{text}\n", flush=True)
            if number % 5 == 0:
                problems += keys.batch(examples=_KEYS, number=number)
    print(f"· {_line(time.monotonic() - started, tally, keys)}")
    for (format, outcome), count in sorted(tally.outcomes.items()):
        print(f"  {format:<6}{outcome:<18}{count:>8,}")
    print(f"  slowest: {tally.slowest[0]:.1f} s of processor time, {tally.slowest[1]}")
    print(f"  largest: {tally.largest[0] / 2**20:.0f} MiB, {tally.largest[1]}")
    print(f"  accepted as an upload, and not rendered: {tally.accepted_in_vain:,}")
    for problem in problems:
        print(f"! {problem}")
    return 1 if tally.broken or problems else 0


def _line(elapsed: float, tally: run.Tally, keys: hostile.Shop) -> str:
    found = f"{len(tally.broken)} kinds of failure" if tally.broken else "no failure"
    return f"{elapsed:4.0f} s: {tally.files:,} files, {keys.asked:,} keys and requests, {found}"


if __name__ == "__main__":
    sys.exit(main())
