"""A cache that counts, for what may not use one."""

from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache


class CountingCache(BaseCache):
    """Keeps nothing, and writes down every operation that reaches it."""

    operations: list[str] = []  # of all instances: Django makes one a thread

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        self.operations.append(f"add {key}")
        return True

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        self.operations.append(f"get {key}")
        return default

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self.operations.append(f"set {key}")

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        self.operations.append(f"touch {key}")
        return False

    def delete(self, key: str, version: int | None = None) -> bool:
        self.operations.append(f"delete {key}")
        return False

    def clear(self) -> None:
        self.operations.append("clear")
