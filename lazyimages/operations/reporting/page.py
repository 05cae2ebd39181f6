"""The report as one HTML page that needs nothing else: no scripts, no pictures but SVG, no fonts."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from django.template import Context, Engine
from django.utils.html import escape
from django.utils.safestring import mark_safe

from lazyimages.operations.inventory import Inventory
from lazyimages.operations.report import Count, Report, total
from lazyimages.operations.reporting import charts, costs
from lazyimages.operations.reporting.charts import Bar
from lazyimages.operations.reporting.costs import Kind
from lazyimages.operations.reporting.findings import findings
from lazyimages.operations.reporting.text import ASKED, money, places, requested
from lazyimages.operations.tables import dollars, percent, shown, size

NAMES = 100  # of each sort that the page shows

_TYPED = re.compile(r"lazyimages_[a-z]+|--[a-z]+(?:-[a-z]+)*")
_TEMPLATES = Path(__file__).resolve().parents[2] / "templates"


def page(report: Report, inventory: Inventory) -> str:
    """Return the page. Nothing in it depends on the project's template settings."""
    template = Engine(dirs=[str(_TEMPLATES)]).get_template("lazyimages/report.html")
    return str(template.render(Context(_context(report, inventory))))


def _context(report: Report, inventory: Inventory) -> dict[str, Any]:
    estimate = report.estimate
    return {
        "style": charts.STYLE,
        "at": f"{report.at:%d %B %Y, %H:%M} UTC",
        "places": places(report),
        "cards": list(_cards(report)),
        "asked": _marked(ASKED),
        "requested": _marked(requested(report.requested)) if report.requested else "",
        "asked_chart": charts.bar_chart(
            list(_asked_bars(report.kinds)),
            title="Share of the possible variants that exist",
            description="A bar for each size, with a part for each format.",
        ),
        "formats": [
            {"name": name, "colour": number % charts.COLOURS} for number, name in enumerate(_formats(report))
        ],
        "kinds": [_kind(kind) for kind in report.kinds],
        "room_chart": charts.bar_chart(
            list(_room_bars(report)),
            title="Bytes stored",
            description="A bar for each sort of files, as long as its share of all bytes.",
        ),
        "room": [_room(label, count, report) for label, count in _sorts(report)],
        "money_chart": charts.bar_chart(
            list(_money_bars(report)),
            title="Cost of the variants in the first year",
            description="As it is, and with all variants made up front; storage, requests and computing.",
        ),
        "money_head": next(money(estimate)),
        "money": list(islice(money(estimate), 1, None)),
        "region": estimate.prices.region,
        "date": estimate.prices.date,
        "prices": [
            {"name": name, "what": what, "dollars": f"{getattr(estimate.prices, name):g}"}
            for name, what in costs.NAMES.items()
        ],
        "assumptions": costs.ASSUMPTIONS,
        "guessed": ", ".join(estimate.guessed),
        "findings": [_finding(found) for found in findings(report, inventory)],
        "fields": report.fields,
    }


def _cards(report: Report) -> Iterator[Mapping[str, str]]:
    estimate = report.estimate
    yield {
        "label": "Originals",
        "figure": f"{report.originals.files:,}",
        "more": f"{size(report.originals.bytes)}, the only files that have to be kept",
    }
    yield {
        "label": "Variants stored",
        "figure": f"{report.wanted.files:,}",
        "more": f"{size(report.wanted.bytes)}, made when asked for, or warmed",
    }
    yield {
        "label": "Ever asked for",
        "figure": percent(report.wanted.files, report.possible),
        "more": f"of {report.possible:,} that the settings allow",
    }
    saved = estimate.saved_first_year
    yield {
        "label": "Saved in the first year" if saved >= 0 else "More than up front, first year",
        "figure": dollars(abs(saved)),
        "more": f"estimated: {dollars(estimate.saved_once)} once, {dollars(estimate.saved_monthly)} a month",
    }


def _formats(report: Report) -> list[str]:
    return list(dict.fromkeys(kind.format for kind in report.kinds))


def _asked_bars(kinds: Sequence[Kind]) -> Iterator[Bar]:
    formats = list(dict.fromkeys(kind.format for kind in kinds))
    for one in dict.fromkeys(kind.size for kind in kinds):
        among = [kind for kind in kinds if kind.size == one]
        possible, files = sum(kind.possible for kind in among), sum(kind.files for kind in among)
        yield Bar(
            label=str(one),
            shown=f"{percent(files, possible)} · {files:,}",
            parts=[
                (
                    formats.index(kind.format),
                    kind.files / possible if possible else 0,
                    f"{one} {kind.format}: {kind.files:,} of {kind.possible:,}",
                )
                for kind in among
            ],
        )


def _sorts(report: Report) -> Iterator[tuple[str, Count]]:
    yield "Originals", report.originals
    yield "Variants", report.wanted
    yield "Variants not in the settings", total(report.dropped)
    yield "Variants without an original", total(report.without_original)
    yield "Other files", report.others


def _room_bars(report: Report) -> Iterator[Bar]:
    for number, (label, count) in enumerate(_sorts(report)):
        share = count.bytes / report.everything.bytes if report.everything.bytes else 0
        yield Bar(
            label=label,
            shown=size(count.bytes),
            parts=[(number, share, f"{label}: {percent(count.bytes, report.everything.bytes)}")],
        )


def _room(label: str, count: Count, report: Report) -> Mapping[str, str]:
    return {
        "label": label,
        "files": f"{count.files:,}",
        "bytes": size(count.bytes),
        "monthly": dollars(costs.monthly(count.bytes, report.estimate.prices)),
    }


def _money_bars(report: Report) -> Iterator[Bar]:
    estimate = report.estimate
    most = max(estimate.now.first_year, estimate.up_front.first_year) or 1
    for label, bill in (("As it is", estimate.now), ("All up front", estimate.up_front)):
        yield Bar(
            label=label,
            shown=dollars(bill.first_year),
            parts=[
                (0, costs.MONTHS * bill.storage / most, f"storage: {dollars(costs.MONTHS * bill.storage)}"),
                (1, bill.requests / most, f"requests: {dollars(bill.requests)}"),
                (2, bill.compute / most, f"computing: {dollars(bill.compute)}"),
            ],
        )


def _kind(kind: Kind) -> Mapping[str, str]:
    return {
        "size": str(kind.size),
        "format": kind.format,
        "files": f"{kind.files:,}",
        "possible": f"{kind.possible:,}",
        "share": percent(kind.files, kind.possible),
        "bytes": size(kind.bytes),
        "mean": size(kind.bytes / kind.files) if kind.files else "–",
    }


def _marked(text: str) -> str:
    """Return a text escaped, with commands and options as code, which is not torn at hyphens."""
    return mark_safe(_TYPED.sub(r"<code>\g<0></code>", escape(text)))  # noqa: S308  # escaped before


def _finding(found: Any) -> Mapping[str, Any]:
    names = found.names()
    first = [shown(name) for name in islice(names, NAMES)]
    return {
        "found": found,
        "told": _marked(found.told),
        "names": first,
        "more": next(names, None) is not None,
    }
