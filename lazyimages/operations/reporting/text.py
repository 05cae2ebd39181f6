"""The report as text for a terminal of 80 columns."""

import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence

from lazyimages.operations.inventory import Inventory
from lazyimages.operations.report import Count, Report, total
from lazyimages.operations.reporting import costs
from lazyimages.operations.reporting.costs import Bill, Estimate, Kind
from lazyimages.operations.reporting.findings import findings
from lazyimages.operations.reporting.requested import Requested
from lazyimages.operations.tables import aligned, counted, dollars, percent, shown, size

WIDTH = 79
NAMES = 10  # of each sort that are shown; JSON has them all

_FIGURES: tuple[tuple[str, Callable[[Bill], float]], ...] = (
    ("storage, a month", lambda bill: bill.storage),
    ("requests, once", lambda bill: bill.requests),
    ("computing, once", lambda bill: bill.compute),
    ("first year", lambda bill: bill.first_year),
)
ASKED = (
    "A variant is made when somebody first asks for it, or by lazyimages_warm. So the share that exists is "
    "the share that was ever asked for, plus what was warmed, less what has been purged or has expired."
)


def lines(report: Report, inventory: Inventory) -> Iterator[str]:
    """Yield the report; names are listed up to `NAMES`."""
    yield f"lazyimages report, {report.at:%Y-%m-%d %H:%M} UTC"
    yield from wrapped(places(report))
    yield ""
    yield from aligned(_stored(report))
    yield ""
    yield from wrapped(
        f"Variants ever asked for: {report.wanted.files:,} of {report.possible:,} that the settings allow, "
        f"{percent(report.wanted.files, report.possible)}. {ASKED}"
    )
    if report.requested:
        yield ""
        yield from wrapped(requested(report.requested))
    if report.kinds:
        yield ""
        yield from aligned(_kinds(report.kinds), left=2)
    for found in findings(report, inventory):
        yield ""
        yield from wrapped(f"{found.heading}. {found.told}")
        yield from first(found.names())
    yield ""
    yield from _money(report)


def places(report: Report) -> str:
    """Say where originals and variants are."""
    together = "the same place" if report.together else "two places"
    return (
        f"Originals in STORAGES[{report.originals_storage!r}], variants in "
        f"STORAGES[{report.variants_storage!r}]: {together}."
    )


def requested(found: Requested) -> str:
    """Say what of the variants the logs ask for."""
    return (
        f"The logs have {counted(found.lines, 'request')} for {counted(found.variants, 'variant')} that the "
        "settings allow. Of "
        f"the {found.stored:,} that are there, they ask for {found.asked:,}, "
        f"{percent(found.asked, found.stored)}; of the others, for {found.variants - found.asked:,}."
    )


def first(names: Iterable[str]) -> Iterator[str]:
    """Yield the first names, and how many more there are."""
    more = 0
    for number, name in enumerate(names):
        if number < NAMES:
            yield f"  {shown(name)}"
        else:
            more += 1
    if more:
        yield f"  and {more:,} more; --format json names all"


def wrapped(text: str) -> Iterator[str]:
    """Yield a sentence in lines; names of commands and options are not torn."""
    yield from textwrap.wrap(shown(text), WIDTH, break_long_words=False, break_on_hyphens=False)


def _stored(report: Report) -> Iterator[Sequence[str]]:
    prices = report.estimate.prices
    yield ("stored", "files", "bytes", "a month")

    def row(label: str, count: Count) -> Sequence[str]:
        return (label, f"{count.files:,}", size(count.bytes), dollars(costs.monthly(count.bytes, prices)))

    yield row("originals", report.originals)
    yield row("variants", report.wanted)
    yield row("  not in the settings", total(report.dropped))
    yield row("  without an original", total(report.without_original))
    yield row("other files", report.others)
    yield row("all", report.everything)


def _kinds(kinds: Sequence[Kind]) -> Iterator[Sequence[str]]:
    yield ("size", "format", "files", "share", "bytes", "mean")
    for kind in kinds:
        yield (
            str(kind.size),
            kind.format,
            f"{kind.files:,}",
            percent(kind.files, kind.possible),
            size(kind.bytes),
            size(kind.bytes / kind.files) if kind.files else "–",
        )


def _money(report: Report) -> Iterator[str]:
    estimate = report.estimate
    prices = estimate.prices
    yield from wrapped(
        f"What the variants cost, estimated in US dollars (S3 and Lambda in {prices.region}, list prices of "
        f"{prices.date}):"
    )
    yield ""
    yield from aligned(money(estimate))
    yield ""
    if estimate.guessed:
        named = ", ".join(estimate.guessed[:4]) + (" and others" if len(estimate.guessed) > 4 else "")
        yield from wrapped(
            f"There is no variant to go by of {named}: their bytes are guessed by their pixels."
        )
    for assumption in costs.ASSUMPTIONS:
        yield from textwrap.wrap(
            assumption, WIDTH, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False
        )
    given = ", ".join(f"{name}={getattr(prices, name):g}" for name in costs.NAMES)
    yield from textwrap.wrap(
        f"Prices: {given}. --price changes them.",
        WIDTH,
        initial_indent="- ",
        subsequent_indent="  ",
        break_on_hyphens=False,
    )


def money(estimate: Estimate) -> Iterator[Sequence[str]]:
    """Yield the table of what was made so far, of all up front, and of what is saved."""
    now, all_of_them = estimate.now, estimate.up_front
    yield ("", "as it is", "all up front", "saved")
    more = all_of_them.variants - now.variants
    yield ("variants", f"{now.variants:,}", f"{all_of_them.variants:,}", f"{more:,}")
    yield ("bytes", size(now.bytes), size(all_of_them.bytes), size(all_of_them.bytes - now.bytes))
    for label, figure in _FIGURES:
        here, everything = figure(now), figure(all_of_them)
        yield (label, dollars(here), dollars(everything), dollars(everything - here))
    hours = (now.cpu_hours, all_of_them.cpu_hours, all_of_them.cpu_hours - now.cpu_hours)
    yield ("or own processor", *(f"{round(number, 1) + 0.0:,.1f} h" for number in hours))
