"""What cannot be made, remembered for a while: originals that are missing, or that no engine can read.

Each process has a memory of its own. It only saves work; what it forgets is found out again.
"""

import time

from django.core.signals import setting_changed

from lazyimages.exceptions import LazyImagesError

SECONDS = 10
LONGER = 60  # while nobody has a thread to spare for finding it out again
MOST = 4096  # names; a name has at most 1,024 bytes


class Refusals:
    """Errors by the name of what they were about."""

    def __init__(self) -> None:
        # One operation on a dictionary is atomic; what two threads lose to each other is only work.
        self._entries: dict[str, tuple[float, LazyImagesError]] = {}

    def remember(self, name: str, error: LazyImagesError) -> None:
        """Have `check` raise such an error for this name, for ten seconds from now."""
        self._put(name, time.monotonic() + SECONDS, error)

    def check(self, name: str, *, also: str | None = None, longer: bool = False) -> None:
        """Raise what is remembered of a name; with `longer`, what was remembered up to a minute ago.

        It is then remembered of `also` for just as long.
        """
        until, error = self._entries.get(name, (0.0, None))
        if error is None or until + (LONGER - SECONDS if longer else 0) < time.monotonic():
            return
        if also is not None:
            self._put(also, until, error)
        # A new one, because an error that is raised again grows by each traceback.
        again = type(error)(*error.args)
        again.remembered = True
        raise again

    def forget(self) -> None:
        """Forget everything."""
        self._entries = {}

    def _put(self, name: str, until: float, error: LazyImagesError) -> None:
        if len(self._entries) >= MOST:
            now = time.monotonic()
            fresh = {key: entry for key, entry in list(self._entries.items()) if entry[0] >= now}
            self._entries = fresh if len(fresh) < MOST else {}
        self._entries[name] = (until, type(error)(*error.args))


refusals = Refusals()


def _reset(*, setting: str, **kwargs: object) -> None:
    if setting in ("STORAGES", "LAZYIMAGES", "MEDIA_ROOT"):
        refusals.forget()


setting_changed.connect(_reset)
