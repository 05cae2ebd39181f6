"""Ending a command in the middle, with all that is to be done then."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def ending_tidily() -> Iterator[None]:
    """Let SIGTERM end the command as Ctrl-C does, with all that is to be done in the end."""
    if threading.current_thread() is not threading.main_thread():
        yield  # no other may set signal handlers
        return
    ends = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]  # a closed terminal
    before = {
        one: signal.signal(one, lambda number, frame: sys.exit(128 + number))
        for one in ends
        if signal.getsignal(one) is not signal.SIG_IGN  # nohup
    }
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
