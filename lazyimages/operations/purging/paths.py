"""The paths by which a CDN is told to forget variants: one by one while they are few, else by directory.

CloudFront does 3,000 paths at a time, or 15 that end in a wildcard (developer guide, "Invalidating files").
"""

from urllib.parse import urlsplit

from lazyimages import markup

MOST_PATHS = 3000
MOST_WILDCARDS = 15


class Paths:
    """Collects the paths of keys that are told one after the other; in memory are as many as are useful."""

    def __init__(self, *, exact: bool = True) -> None:
        self._exact: list[str] | None = [] if exact else None
        self._directories: set[str] = set()

    def add(self, key: str, original: str) -> None:
        """Add a variant of an original."""
        if self._exact is not None:
            self._exact.append(path(key))
            if len(self._exact) > MOST_PATHS:
                self._exact = None
        if len(self._directories) <= MOST_WILDCARDS:
            self._directories.add(original.rpartition("/")[0])

    @property
    def full(self) -> bool:
        """Tell whether more keys change nothing."""
        return self._exact is None and len(self._directories) > MOST_WILDCARDS

    def result(self) -> list[str]:
        """Return the paths: exact ones, a directory each, or all there is."""
        if self._exact is not None:
            return self._exact
        if len(self._directories) > MOST_WILDCARDS or "" in self._directories:
            return [f"{path('')}*"]
        return sorted(f"{path(directory)}/*" for directory in self._directories)


def path(key: str) -> str:
    """Return the path of a key's public URL, percent-encoded as in pages."""
    return urlsplit(markup.public_url(key)).path
