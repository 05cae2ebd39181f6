"""Figures and names as text for people: aligned tables, sizes of files, names without tricks. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote


def aligned(rows: Iterable[Sequence[str]], *, left: int = 1, indent: str = "") -> Iterator[str]:
    """Yield the rows with their columns below each other, the first `left` ones at the left."""
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = (
            cell.ljust(width) if number < left else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield f"{indent}{'  '.join(cells)}".rstrip()


def size(number: float) -> str:
    """Return a number of bytes as people read it: "12.1 kB", of a thousand bytes each."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if number < 999.95 or (unit == "bytes" and number < 1000):
            return counted(round(number), "byte") if unit == "bytes" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:,.1f} TB"


def percent(part: float, whole: float) -> str:
    """Return a share in percent; a dash where there is no whole."""
    if not whole:
        return "–"
    share = 100 * part / whole
    return f"{share:.1f} %" if share >= 0.1 or not part else "< 0.1 %"


def dollars(amount: float) -> str:
    """Return an amount of money."""
    sign = "-" if amount < -0.005 else ""
    return f"{sign}${abs(amount):,.2f}"


def counted(number: int, what: str) -> str:
    """Return a number of things: "1 variant", "2,000 variants"."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def shown(name: str) -> str:
    """Return a name as one can look at it: percent-encoded if anything in it is not printable."""
    return name if name.isprintable() else quote(name, safe="/~ ", errors="surrogateescape")
