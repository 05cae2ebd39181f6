"""Threads that render and do nothing else, and give way to those that answer.

A thread that answers needs the processor for a millisecond, one that renders for fifty. A thread that has
given way gets its priority back only from root, hence threads of their own. The C library keeps memory for
each thread that has rendered; these are as many as render at the same time, however many the web server has.
"""

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from lazyimages.exceptions import Busy

T = TypeVar("T")

# Of 19. Such a thread gets a tenth of what others get where all want the whole processor. Not less: while
# one holds the interpreter's lock, all others of the process wait for it.
_GIVES_WAY = 10
_MOST = 1024  # as MAX_RENDERS; a thread is started only when all others are at work


class Crew:
    """The threads of this process that render."""

    def __init__(self) -> None:
        self._begin()
        os.register_at_fork(after_in_child=self._begin)  # a child has no thread but the one that forked

    def _begin(self) -> None:
        self._threads = ThreadPoolExecutor(_MOST, "lazyimages-render", initializer=_give_way)

    def do(self, work: Callable[[], T]) -> T:
        """Return what `work` returns, or raise what it raises, from one of these threads."""
        try:
            done = self._threads.submit(work)
        except RuntimeError as error:  # the interpreter is shutting down
            raise Busy("this process is to end") from error
        return done.result()


def _give_way() -> None:
    if sys.platform == "linux":  # elsewhere it would be the whole process (Linux: setpriority(2), "BUGS")
        os.nice(_GIVES_WAY)


crew = Crew()
