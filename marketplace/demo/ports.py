"""Ports of 127.0.0.1 for servers that start later."""

import contextlib
import random
import socket

_BELOW_EPHEMERAL = range(20_000, 32_000)


def free_port() -> int:
    """Return a port that nobody uses, for a server that starts in a moment.

    The port lies below the range from which Linux takes the local ports of outgoing connections (32768
    and above, ip_local_port_range), so no client takes it in the meantime.
    """
    while True:
        port = random.choice(_BELOW_EPHEMERAL)  # noqa: S311  # not a secret
        with contextlib.suppress(OSError), hold_port(port):
            return port


def hold_port(port: int) -> socket.socket:
    """Return a socket that is bound to `port` but does not listen yet; OSError when it is taken.

    Until the socket is closed nobody else can have the port.
    """
    held = socket.socket()
    try:
        # The connections that an earlier server has closed would block the port for a minute.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", port))
    except BaseException:
        held.close()
        raise
    return held
