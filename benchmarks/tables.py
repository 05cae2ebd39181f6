"""Medians, ratios and Markdown tables."""

from collections.abc import Callable, Iterable, Sequence
from math import prod
from statistics import median

Pair = tuple[float, float]


def interleaved(ours: Callable[[], float], theirs: Callable[[], float], rounds: int) -> list[Pair]:
    """Return what both measured, in turn, after one round that does not count.

    Who is first changes every round, since the first has the processor's caches to itself.
    """
    pairs = []
    for number in range(rounds + 1):
        if number % 2:
            mine, other = ours(), theirs()
        else:
            other, mine = theirs(), ours()
        pairs.append((mine, other))
    return pairs[1:]


def medians(pairs: Sequence[Pair]) -> tuple[float, float, float]:
    """Return the median of ours, of theirs, and of theirs divided by ours, pair by pair."""
    return (
        median(mine for mine, _ in pairs),
        median(other for _, other in pairs),
        median(other / mine for mine, other in pairs),
    )


def geometric_mean(values: Iterable[float]) -> float:
    """Return the geometric mean of positive numbers."""
    values = list(values)
    return float(prod(values)) ** (1 / len(values))


def markdown(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table; all columns but the first are aligned right."""
    marks = ["---", *["---:"] * (len(head) - 1)]
    lines = [head, marks, *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
