"""S3 of the embedded cloud: moto's server as a process of its own, its state in memory.

    python -m marketplace.cloud.s3 --port 5000

django-storages and boto3 talk to it over HTTP as they talk to AWS; any credentials will do.
"""

import argparse
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from marketplace.cloud.children import Child, start_child

HOST = "127.0.0.1"
READY = "S3 ready:"


def start_s3(*, port: int = 0, log: Path | None = None) -> Child:
    """Start the S3 server as a child (port 0: a free one) and return it when it answers; see `Child.url`.

    The state is gone when it stops. The thread rule of `start_child` holds.
    """
    args = [sys.executable, "-m", "marketplace.cloud.s3", "--port", str(port)]
    return start_child(args, ready=READY, log=log, cwd=Path(__file__).parents[2])


def main(argv: Sequence[str] | None = None) -> None:
    """Serve S3 on 127.0.0.1 until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m marketplace.cloud.s3", description=main.__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one (default)")
    options = parser.parse_args(argv)

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = DomainDispatcherApplication(create_backend_app)
    server = make_server(HOST, options.port, app, threaded=True, request_handler=MotoRequestHandler)
    # The socket listens since make_server: whoever reads this line may connect.
    print(f"{READY} http://{HOST}:{server.port}/", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
