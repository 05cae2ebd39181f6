"""Memory that was freed, back to the system.

glibc keeps what a thread has freed for that thread. A server with eight threads that have each decoded one
large picture, one after the other, would hold on to all eight of them.
"""

import ctypes
import sys

# A render that needed more bytes than this is worth the milliseconds that it takes.
LARGE = 64 * 2**20


def give_back() -> None:
    """Ask the C library to return what is free to the system; do nothing where it cannot be asked."""
    if _trim is not None:
        _trim(0)


# malloc_trim(3) is glibc's own; others return large blocks by themselves.
_trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
