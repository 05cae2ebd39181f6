"""Standard output as it is where commands run: with an encoding of its own, and closed at any time."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import OutputWrapper


@contextmanager
def patient(out: OutputWrapper, *, errors: str = "backslashreplace") -> Iterator[None]:
    """Write within the block what the terminal can show, and nothing more once nobody reads it.

    That is when the output goes to `head`. `errors` says what becomes of characters that a terminal with
    LANG=C has not, as Python's codecs name it.
    """
    if isinstance(out, OutputWrapper) and out._out is sys.stdout and hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors=errors)
    try:
        yield
        out.flush()
    except BrokenPipeError:
        # What is left in the buffer would be written at the end (Python: "Note on SIGPIPE").
        nobody = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nobody, sys.stdout.fileno())
        os.close(nobody)
