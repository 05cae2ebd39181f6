"""Leave in good order: after SIGTERM a process ends what it has begun, and begins nothing new."""

import os
import signal
from types import FrameType

_draining = False


def draining() -> bool:
    """Tell whether this process has been asked to end."""
    return _draining


def begin() -> None:
    """From now on refuse new work in this process."""
    global _draining
    _draining = True


def on_sigterm() -> None:
    """Have SIGTERM call `begin`, besides what it does already.

    Call it in the main thread of each worker process, after the server has set its own handlers: in
    gunicorn's `post_worker_init` hook. Where SIGTERM has no handler it ends the process at once, as before;
    where it is ignored, or has a handler that is not Python's (uWSGI), nothing is changed.
    """
    before = signal.getsignal(signal.SIGTERM)
    if before is None or before == signal.SIG_IGN:  # set outside of Python; or nobody is to end
        return

    def begin_and_go_on(number: int, frame: FrameType | None) -> None:
        begin()
        if callable(before):
            before(number, frame)
        elif before == signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, begin_and_go_on)
    signal.siginterrupt(signal.SIGTERM, False)  # a handler in Python has it interrupt system calls
