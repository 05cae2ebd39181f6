"""CloudFront's API for the embedded cloud: ministack's server as a process of its own, its state in memory.

It keeps distributions, policies and invalidations as `lazyimages_setup_cdn` and boto3 write them; what
they do to viewers is emulated in `marketplace.cloud.cdn`, which reads them from here.
"""

import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from marketplace.cloud.children import Child, start_child

HOST = "127.0.0.1"
READY = "Running on"
ACCOUNT = "123456789012"  # moto's, so that both services speak of one account
NOWHERE = "/nonexistent"
# Nothing of the caller's environment: a variable of his could make ministack keep state, or open a port.
SWITCHED_OFF = {
    "PERSIST_STATE": "0",
    "S3_PERSIST": "0",
    "STATE_DIR": NOWHERE,
    "S3_DATA_DIR": NOWHERE,
    "SFTP_ENABLED": "0",
    "IOT_MTLS_ENABLED": "0",
    "DOCKER_HOST": f"unix://{NOWHERE}",  # it would remove containers that it takes for its own
}


def start_cloudfront(*, port: int = 0, log: Path | None = None) -> Child:
    """Start the API as a child (port 0: a free one) and return it when it answers; see `Child.url`.

    The state is gone when it stops. The thread rule of `start_child` holds.
    """
    return start_ministack("cloudfront", port=port, log=log)


def start_ministack(
    services: str, *, port: int = 0, log: Path | None = None, environment: Mapping[str, str] | None = None
) -> Child:
    """Start the APIs of some services, by comma, as `start_cloudfront` does; `environment` is added."""
    # Not `python -m ministack`: that writes a file with its process id and cannot take a free port. The
    # socket is bound here and handed on, so nobody else can have the port.
    with socket.create_server((HOST, port)) as listening:
        number = listening.fileno()
        bound = str(listening.getsockname()[1])
        return start_child(
            [
                *(sys.executable, "-m", "hypercorn", "ministack.app:app"),
                *("--bind", f"fd://{number}", "--workers", "0", "--log-level", "INFO"),
            ],
            ready=READY,
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                "PYTHONUNBUFFERED": "1",
                "GATEWAY_PORT": bound,
                "BIND_HOST": HOST,
                "SERVICES": services,
                "MINISTACK_ACCOUNT_ID": ACCOUNT,
                **SWITCHED_OFF,
                **(environment or {}),
            },
            log=log,
            pass_fds=(number,),
        )
