"""`python -m marketplace.demo`: the example shop with everything that it needs, on this machine alone."""

import argparse
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from marketplace.cloud.children import ChildError, end_with
from marketplace.demo.ports import hold_port
from marketplace.demo.stack import DELIVERIES, ROOT, Stack, StackError

_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

HELP = """\
Start the example shop: an embedded S3 and CDN, a database, 60 products with photos that are drawn on
this machine, and gunicorn. Everything listens on 127.0.0.1 and ends with Ctrl-C. The environment variables
DELIVERY, DEMO_PORT and CDN_PORT give the defaults.
"""


def main() -> None:
    """Start the shop, say when it is ready, and end it when told to."""
    options = _parser().parse_args()
    for ending in _ENDINGS:
        # SIGINT too: who is started in the background of a script has it ignored.
        signal.signal(ending, _leave)
    end_with(os.getppid())
    for port, variable in ((options.port, "DEMO_PORT"), (options.cdn_port, "CDN_PORT")):
        _check_free(port, variable)
    stack = Stack(
        delivery=options.delivery,
        data_dir=options.data_dir,
        photos_dir=options.photos_dir,
        port=options.port,
        cdn_port=options.cdn_port,
        products=options.products,
        say=lambda line: print(f"· {line}", flush=True),
    )
    try:
        with stack:
            print(f"Marketplace ready: {stack.url}/", flush=True)
            print(f"See it work: {stack.url}/trace/", flush=True)
            print(f"Delivery: {stack.delivery}. Logs: {stack.logs}. Ctrl-C ends it.", flush=True)
            while (dead := stack.dead_child()) is None:
                time.sleep(0.5)
            sys.exit(dead)
    except (StackError, ChildError) as error:
        sys.exit(f"The demo cannot run: {error}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m marketplace.demo", description=HELP)
    environment = os.environ.get
    add = parser.add_argument
    add(
        "--delivery",
        choices=DELIVERIES,
        default=environment("DELIVERY", "redirect"),
        help="how a missing size reaches the resizer (default: %(default)s)",
    )
    add("--port", type=int, default=int(environment("DEMO_PORT", "8000")), help="of the shop (%(default)s)")
    add("--cdn-port", type=int, default=int(environment("CDN_PORT", "8001")), help="of the CDN (%(default)s)")
    add("--products", type=int, default=60, help="how many to put on sale (%(default)s)")
    add("--data-dir", type=Path, default=ROOT / ".demo", help="for database, logs and files")
    add("--photos-dir", type=Path, default=ROOT / ".cache" / "photos", help="for the drawn photos")
    return parser


def _leave(number: int, frame: FrameType | None) -> None:
    # A second signal must not cut short the ending of the children.
    for ending in _ENDINGS:
        signal.signal(ending, signal.SIG_IGN)
    sys.exit(0 if number == signal.SIGINT else 128 + number)


def _check_free(port: int, variable: str) -> None:
    try:
        hold_port(port).close()
    except OSError as error:
        sys.exit(f"Port {port} cannot be used ({error.strerror}). Choose another: {variable}=… make demo")


if __name__ == "__main__":
    main()
