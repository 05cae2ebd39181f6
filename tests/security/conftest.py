"""Short ways to ask, to watch which files are opened, and to draw originals under names of their own."""

import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.test import Client

from tests.conftest import jpeg

SAFE = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"}

_numbers = itertools.count(1)
_watched: list[tuple[str, list[str]]] = []


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _watched and event in ("open", "os.listdir", "os.scandir", "os.mkdir", "os.remove", "os.link"):
        for folder, seen in _watched:
            seen.extend(f"{event} {each}" for each in arguments[:2] if str(each).startswith(folder))


sys.addaudithook(_audit)  # hooks cannot be removed; without a watched folder it does nothing


@contextmanager
def file_calls(folder: Path) -> Iterator[list[str]]:
    """Record every file below a folder that this process opens, lists, makes or removes."""
    entry = (str(folder), list[str]())
    _watched.append(entry)
    try:
        yield entry[1]
    finally:
        _watched.remove(entry)


def assert_safe(response: Any) -> None:
    """Assert what every answer of the resizer has, and that it was not our mistake."""
    assert response.status_code in (200, 301, 304, 404, 405, 415, 422, 503), response.status_code
    for name, value in SAFE.items():
        assert response[name] == value
    assert "Content-Length" in response
    assert not response.cookies


def get(key: str, **options: Any) -> Any:
    """Ask `images/v/KEY` as a browser does; what escapes from the view would be a 500."""
    response = Client(raise_request_exception=False).get(f"/images/v/{quote(key)}", **options)
    assert_safe(response)
    return response


def fresh(extension: str = "jpg") -> str:
    """Return the name of an original that no test had before, for refusals are remembered."""
    return f"attacked/n{next(_numbers)}.{extension}"


def key_of(original: str, size: str = "360x270", suffix: str = "") -> str:
    """Return the key of a variant."""
    directory, _, file = original.rpartition("/")
    return f"{directory}/{size}/{file}{suffix}"


@pytest.fixture
def store() -> Callable[..., str]:
    """Store an original under a name of its own, and return that: `store(data, "png")`."""

    def put(data: bytes | None = None, extension: str = "jpg") -> str:
        name = fresh(extension)
        return storages["default"].save(name, ContentFile(jpeg() if data is None else data))

    return put


def saved(picture: Any, format: str, **options: Any) -> bytes:
    """Return a picture as a file."""
    buffer = BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()
