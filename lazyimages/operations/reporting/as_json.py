"""The report as JSON: figures at once, and long lists of names while they are written."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from lazyimages.operations.inventory import Inventory
from lazyimages.operations.report import Report
from lazyimages.operations.reporting import costs, survey
from lazyimages.operations.reporting.costs import Bill, Kind


def as_json(report: Report, inventory: Inventory) -> dict[str, Any]:
    """Return the report as JSON has it; long lists of names are read from the inventory when written."""
    estimate = report.estimate
    return {
        "command": "lazyimages_report",
        "at": report.at.isoformat(timespec="seconds"),
        "storages": {
            "originals": report.originals_storage,
            "variants": report.variants_storage,
            "together": report.together,
        },
        "originals": {
            **asdict(report.originals),
            "by_format": {name: asdict(count) for name, count in report.formats.items()},
            "without_variants_by_name": report.unfit,
            "unused": {
                **asdict(report.unused),
                "own": asdict(report.own),
                "names": Streamed(lambda: survey.unused(inventory, report.at.timestamp())),
            },
        },
        "rows": {
            "fields": [asdict(one) for one in report.fields],
            "missing": Streamed(
                lambda: ({"name": name, "field": field} for name, field in survey.missing(inventory))
            ),
        },
        "variants": {
            **asdict(report.wanted),
            "possible": report.possible,
            "share": _ratio(report.wanted.files, report.possible),
            "by_size_and_format": [_kind(kind) for kind in report.kinds],
            "dropped": [asdict(one) for one in report.dropped],
            "requested": asdict(report.requested) if report.requested else None,
            "without_original": {
                name: {
                    "by_size_and_format": [asdict(one) for one in groups],
                    "keys": Streamed(partial(survey.without_original, inventory, state)),
                }
                for name, state, groups in (
                    ("lost", survey.LOST, report.lost),
                    ("orphans", survey.ORPHAN, report.orphans),
                    ("strangers", survey.STRANGER, report.strangers),
                )
            },
        },
        "others": {
            **asdict(report.others),
            "by_extension": {name: asdict(count) for name, count in report.extensions.items()},
            "incoming": asdict(report.incoming),
        },
        "costs": {
            "prices": asdict(estimate.prices),
            "originals_monthly": _cents(costs.monthly(report.originals.bytes, estimate.prices)),
            "everything_monthly": _cents(costs.monthly(report.everything.bytes, estimate.prices)),
            "now": _bill(estimate.now),
            "up_front": _bill(estimate.up_front),
            "saved": {
                "once": _cents(estimate.saved_once),
                "monthly": _cents(estimate.saved_monthly),
                "first_year": _cents(estimate.saved_first_year),
            },
            "guessed": list(estimate.guessed),
            "assumptions": list(costs.ASSUMPTIONS),
        },
    }


class Streamed(list[Any]):
    """A list whose items are made while `json.dump` writes them, so that they are never all in memory."""

    def __init__(self, items: Callable[[], Iterable[Any]]) -> None:
        super().__init__()
        self._items = items

    def __bool__(self) -> bool:
        return any(True for _ in self._items())

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items())


def _kind(kind: Kind) -> Mapping[str, Any]:
    return {
        "size": str(kind.size),
        "format": kind.format,
        "files": kind.files,
        "bytes": kind.bytes,
        "mean_bytes": round(kind.bytes / kind.files) if kind.files else None,
        "possible": kind.possible,
        "share": _ratio(kind.files, kind.possible),
    }


def _bill(bill: Bill) -> Mapping[str, Any]:
    return {
        "variants": bill.variants,
        "bytes": bill.bytes,
        "storage_monthly": _cents(bill.storage),
        "requests_once": _cents(bill.requests),
        "compute_once": _cents(bill.compute),
        "first_year": _cents(bill.first_year),
        "cpu_hours": round(bill.cpu_hours, 3),
    }


def _cents(amount: float) -> float:
    return round(amount, 6)


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None
