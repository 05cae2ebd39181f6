"""Chromium, one for each file of tests."""

from collections.abc import Iterator
from typing import Any

import pytest

from marketplace.demo.screenshots import chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Start it."""
    with chromium() as running:
        yield running
