"""The engines in their processes, started once for all tests."""

from collections.abc import Iterator

import pytest

from tests.fuzz.children import Children


@pytest.fixture(scope="package")
def children() -> Iterator[Children]:
    with Children() as started:
        yield started
