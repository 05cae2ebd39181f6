"""What the runs say together: time and memory by the number of keys, requests beside the fewest, a plot."""

from collections.abc import Iterable, Sequence
from statistics import mean, median

from benchmarks.operations.commands import COMMANDS
from benchmarks.operations.runs import Cost
from benchmarks.tables import markdown
from lazyimages.operations.reporting.charts import line_chart

SPREAD = 0.20  # of the time per 1,000 keys, about the middle of all points
MOST_MIB = 150
MOST_REQUESTS = 1.05  # times the fewest

Curve = dict[int, float]


def starting(costs: Iterable[Cost], command: str) -> float:
    """Return the seconds of a command's run over nothing."""
    return median(cost.processor for cost in costs if cost.command == command and not cost.keys)


def curve(costs: Sequence[Cost], command: str) -> Curve:
    """Return processor milliseconds for 1,000 keys by their number, without what a run over nothing takes."""
    own = [cost for cost in costs if cost.command == command and cost.keys]
    start = starting(costs, command)
    return {
        keys: 1e6 * (median(cost.processor for cost in own if cost.keys == keys) - start) / keys
        for keys in sorted({cost.keys for cost in own})
    }


def spread(points: Curve) -> float:
    """Return how far the points are from the middle between the lowest and the highest, as a share of it."""
    low, high = min(points.values()), max(points.values())
    return (high - low) / (high + low)


def commands(costs: Iterable[Cost]) -> list[str]:
    """Return the commands that were run, in their order."""
    ran = {cost.command for cost in costs}
    return [one.name for one in COMMANDS if one.name in ran]


def times(costs: Sequence[Cost]) -> str:
    """Return the table of times and memory, as Markdown."""
    sizes = sorted({cost.keys for cost in costs if cost.keys})
    rows = []
    for command in commands(costs):
        points = curve(costs, command)
        own = [cost for cost in costs if cost.command == command]
        last = [cost for cost in own if cost.keys == max(points)]
        rows.append(
            (
                command,
                *(f"{points[keys]:.1f}" if keys in points else "–" for keys in sizes),
                f"± {100 * spread(points):.0f} %",
                f"{median(cost.wall for cost in last):,.0f} s",
                f"{max(cost.peak_mib for cost in own):.0f} MiB",
            )
        )
    head = ("ms of processor time for 1,000 keys", *(f"{keys:,}" for keys in sizes))
    return markdown((*head, "spread", "the last, in all", "peak RSS"), rows)


def requests(costs: Iterable[Cost]) -> str:
    """Return the table of requests to S3, as Markdown."""
    rows = []
    for cost in costs:
        least, made = sum(cost.fewest.values()), sum(cost.calls.values())
        kinds = ", ".join(f"{number:,} {operation}" for operation, number in sorted(cost.calls.items()))
        rows.append(
            (
                cost.command,
                f"{cost.keys:,}",
                f"{least:,}",
                f"{made:,}",
                f"{made / least:.3f}",
                f"{cost.peak_mib:.0f} MiB",
                kinds,
            )
        )
    return markdown(("requests to S3", "variants", "fewest", "made", "ratio", "peak RSS", "which"), rows)


def plot(costs: Sequence[Cost]) -> str:
    """Return the curves as SVG."""
    # What is bound to the engine and the disk takes a hundred times as long, and would press the others flat.
    drawn = [command for command in commands(costs) if command != "warm, making"]
    return line_chart(
        {command: sorted(curve(costs, command).items()) for command in drawn},
        title="The time for a key does not grow with their number",
        x_label="variants in the storage",
        y_label="ms of processor time for 1,000 of them",
    )


def beyond(costs: Sequence[Cost]) -> list[str]:
    """Return what of runs on disk is not within its limits."""
    spreads = {command: spread(curve(costs, command)) for command in commands(costs)}
    grown = [f"{name}: ± {100 * own:.0f} % about the middle" for name, own in spreads.items() if own > SPREAD]
    return grown + _too_large(costs)


def too_many(costs: Sequence[Cost]) -> list[str]:
    """Return which commands made too many requests, or took too much memory meanwhile."""
    greedy = [cost for cost in costs if sum(cost.calls.values()) > MOST_REQUESTS * sum(cost.fewest.values())]
    return [f"{cost.command}: {sum(cost.calls.values()):,} requests" for cost in greedy] + _too_large(costs)


def _too_large(costs: Iterable[Cost]) -> list[str]:
    return [f"{one.command}: {one.peak_mib:.0f} MiB" for one in costs if one.peak_mib > MOST_MIB]


def load(costs: Iterable[Cost]) -> str:
    """Return the load of the machine while it was measured."""
    loads = [cost.load for cost in costs]
    return f"{mean(loads):.1f} (at most {max(loads):.1f})"
