"""Storages that tell what was asked of them, or have their own ideas."""

from typing import Any

from django.core.files.storage import FileSystemStorage, InMemoryStorage


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


class Renaming(InMemoryStorage):
    """A storage that gives every file another name than it was asked for."""

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """Return the name with an addition."""
        return name.replace(".jpg", "_renamed.jpg")
