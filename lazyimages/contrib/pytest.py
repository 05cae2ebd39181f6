"""Fixtures for pytest: `pytest_plugins = ["lazyimages.contrib.pytest"]` in the topmost conftest.py."""

from collections.abc import Iterator

import pytest

from lazyimages import test


@pytest.fixture
def fake_images() -> Iterator[None]:
    """Keep originals and variants in memory, and make variants without decoding any photo."""
    with test.fake_images():
        yield
