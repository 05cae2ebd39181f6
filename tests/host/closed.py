"""A storage for what may not look into any."""

from typing import Any

from django.core.files.storage import Storage


class Closed(Storage):
    """Fails whatever it is asked for, but for what the system checks want to know."""

    def __getattribute__(self, name: str) -> Any:
        """Refuse methods and attributes."""
        if name in ("get_available_name", "location") or name.startswith("__"):
            return super().__getattribute__(name)
        raise AssertionError(f"the storage was asked for {name}")

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """Overwrite, as a storage for variants has to."""
        return name
