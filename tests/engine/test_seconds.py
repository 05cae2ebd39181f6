"""Engines say what their stages took, and count nothing twice."""

import time
from collections.abc import Callable

import pytest

from lazyimages.engines.base import Engine, Job
from tests.engine import pictures
from tests.engine.conftest import LIMITS


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "GIF"])
@pytest.mark.parametrize("sizes", [["480h"], ["480h", "360x270", "900w"]], ids=["one", "three"])
def test_of_a_call(engine: Engine, job: Callable[..., Job], name: str, sizes: list[str]) -> None:
    data = pictures.saved(pictures.photo(1600, 1200), name)
    jobs = [job(data, size, "webp") for size in sizes]
    began = time.perf_counter()
    made = engine.render(data, jobs, limits=LIMITS)
    total = time.perf_counter() - began
    for one in made:
        assert sorted(one.seconds) == ["decode", "encode", "resize"]
        assert all(spent > 0 for spent in one.seconds.values())
        assert sum(one.seconds.values()) <= total
