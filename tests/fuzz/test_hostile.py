"""Hostile keys, paths and queries, some hundreds of them: the same ones each time."""

import logging
from collections.abc import Iterator

import pytest

from tests.fuzz import hostile


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Have no line in the log for every key; those of a thousand bytes are many."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_keys_and_requests() -> None:
    with hostile.shop() as shop:
        assert shop.batch(examples=400, number=None) == []
        print(shop.asked, dict(shop.statuses))
        assert shop.asked >= 700
        assert {200, 404, 405} <= set(shop.statuses), "no answer but refusals says little"


@pytest.mark.parametrize(("broken", "seen"), [("keys.parse", "KeyError"), ("views.get_or_make", "500 for")])
def test_what_does_not_hold_is_seen(monkeypatch: pytest.MonkeyPatch, broken: str, seen: str) -> None:
    def fails(*arguments: object, **options: object) -> None:
        raise KeyError("broken on purpose")

    monkeypatch.setattr(f"lazyimages.{broken}", fails)
    with hostile.shop() as shop:
        assert any(seen in problem for problem in shop.batch(examples=100, number=None))
