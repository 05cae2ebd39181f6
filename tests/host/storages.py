"""A storage that tells what was asked of it."""

from typing import Any

from django.core.files.storage import FileSystemStorage


class Watched(FileSystemStorage):
    """A FileSystemStorage that writes down every look into a file: `("open", "a.jpg")`."""

    looks: list[tuple[str, str]] = []

    def _open(self, name: str, mode: str = "rb") -> Any:
        self.looks.append(("open", name))
        return super()._open(name, mode)

    def size(self, name: str) -> int:
        """Return a file's size in bytes."""
        self.looks.append(("size", name))
        return super().size(name)
