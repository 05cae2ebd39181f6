"""`python -m tools.costs`: what variants cost on AWS, made lazily or all up front, for docs/aws.md.

With --write the tables take the place of those in docs/aws.md. --measure renders the demo photos again, and
prints what belongs into MEASURED and TOGETHER_MS.
"""

import argparse
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from benchmarks import originals, ours
from benchmarks.tables import markdown

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "aws.md"
REGIONS = ("eu-central-1", "us-east-1")


@dataclass(frozen=True, kw_only=True, slots=True)
class Price:
    """A list price in US dollars for `units` of something, by region, before free tiers and taxes."""

    what: str
    units: int
    dollars: dict[str, float]
    source: str

    def of(self, number: float, region: str) -> float:
        """Return the dollars for a number of single units."""
        return number * self.dollars[region] / self.units


_S3 = "AWS price list, AmazonS3, of 2026-08-07, at second hand"
PRICES = {
    "storage": Price(
        what="S3 Standard, GB-month, first 50 TB",
        units=1,
        dollars={"eu-central-1": 0.0245, "us-east-1": 0.023},
        source=_S3,
    ),
    "put": Price(
        what="S3, 1,000 PUT",
        units=1_000,
        dollars={"eu-central-1": 0.0054, "us-east-1": 0.005},
        source=_S3,
    ),
    "get": Price(
        what="S3, 1,000 GET",
        units=1_000,
        dollars={"eu-central-1": 0.00043, "us-east-1": 0.0004},
        source=_S3,
    ),
    "call": Price(
        what="Lambda, 1,000,000 requests",
        units=1_000_000,
        dollars={"eu-central-1": 0.20, "us-east-1": 0.20},
        source="How AWS Pricing Works (AWS), Lambda",
    ),
    "gb_second": Price(
        what="Lambda, 1,000,000 GB-seconds, x86",
        units=1_000_000,
        dollars={"eu-central-1": 16.6667, "us-east-1": 16.6667},
        source="How AWS Pricing Works (AWS), Lambda, which rounds it; eu-central-1: at second hand",
    ),
    "gateway": Price(
        what="API Gateway, 1,000,000 HTTP API requests",
        units=1_000_000,
        dollars={"eu-central-1": 1.20, "us-east-1": 1.00},
        source="Best Practices for Designing Amazon API Gateway Private APIs (AWS); eu-central-1: assumed",
    ),
    "cdn": Price(
        what="CloudFront, 10,000 HTTPS requests to visitors there",
        units=10_000,
        dollars={"eu-central-1": 0.012, "us-east-1": 0.010},
        source="assumed; seen at second hand alone",
    ),
}

PHOTOS = 300_000
ORIGINAL_BYTES = 3_000_000  # assumed; the demo photos, which are drawn, have 2.7 MB in the mean
MONTHS = 12
ASKED = (0.01, 0.10, 0.30, 1.00)
LAMBDA_MB = 1024
# "At 1,769 MB, a function has the equivalent of one vCPU": Lambda developer guide, "Configure Lambda function
# memory". That a vCPU there is as fast as the processor measured here is an assumption.
LAMBDA_MB_OF_A_CPU = 1769
# What a function waits for S3, in milliseconds; assumed. A missing variant, an original of 3 MB, a PUT.
LOOK_MS, READ_MS, WRITE_MS = 20, 80, 40
# Assumed: every tenth call finds no warm function, and a start takes a second; it is billed like the rest.
COLD_SHARE, COLD_MS = 0.1, 1000
# A missing variant costs S3 a redirect or a refusal, the resizer's look, and the original. What the CDN reads
# afterwards is the same however the variant came to be there, and is left out of both sides.
GETS_OF_A_MISSING_VARIANT = 3
_GB = 2**30


@dataclass(frozen=True, kw_only=True, slots=True)
class Variant:
    """A size of the mean demo photo: its bytes, and the CPU time of making it alone, in milliseconds."""

    bytes: int
    ms: float


# Measured on 2026-11-23 by --measure: 30 demo photos of 12 megapixels as JPEG of quality 80, with the extras
# fast and vips, one at a time, the best of three, means; AMD EPYC, the machine of docs/performance.md.
MEASURED = {
    "360x270": Variant(bytes=12_143, ms=27.4),
    "480h": Variant(bytes=27_341, ms=29.5),
    "1280w": Variant(bytes=142_862, ms=54.0),
    "240x180": Variant(bytes=6_159, ms=25.2),
    "720x540": Variant(bytes=40_373, ms=32.5),
    "640w": Variant(bytes=38_742, ms=31.6),
    "960w": Variant(bytes=81_936, ms=38.2),
    "1920w": Variant(bytes=317_729, ms=79.8),
}
SETS = (tuple(MEASURED)[:3], tuple(MEASURED))
TOGETHER_MS = {3: 71.7, 8: 146.9}  # all sizes of a photo from one decode


@dataclass(frozen=True, kw_only=True, slots=True)
class Bill:
    """What it takes to make variants, and to keep them for a year; dollars, gigabytes, hours."""

    variants: int
    gigabytes: float
    storage: float  # a month
    puts: float
    gets: float
    function: float
    detour: float  # gateway and CDN requests that only the redirect needs
    cpu_hours: float

    @property
    def once(self) -> float:
        """Return what making them costs, on Lambda."""
        return self.puts + self.gets + self.function + self.detour

    @property
    def first_year(self) -> float:
        """Return what making and keeping them costs, all of them being there from the first day."""
        return self.once + MONTHS * self.storage


def lazily(sizes: Sequence[str], asked: float, region: str) -> Bill:
    """Return the bill when each variant that is ever asked for is made by itself, in redirect delivery."""
    each = round(PHOTOS * asked)
    number = each * len(sizes)
    cpu_ms = each * sum(MEASURED[size].ms for size in sizes)
    waiting_ms = number * (LOOK_MS + READ_MS + WRITE_MS)
    return _bill(
        region,
        sizes,
        each=each,
        gets=number * GETS_OF_A_MISSING_VARIANT,
        calls=number,
        cpu_ms=cpu_ms,
        waiting_ms=waiting_ms,
        redirects=number,
    )


def up_front(sizes: Sequence[str], region: str) -> Bill:
    """Return the bill when every variant of every photo is made beforehand, one call a photo, one decode."""
    return _bill(
        region,
        sizes,
        each=PHOTOS,
        gets=PHOTOS,
        calls=PHOTOS,
        cpu_ms=PHOTOS * TOGETHER_MS[len(sizes)],
        waiting_ms=PHOTOS * (READ_MS + len(sizes) * WRITE_MS),
        redirects=0,
    )


def _bill(
    region: str,
    sizes: Sequence[str],
    *,
    each: int,
    gets: int,
    calls: int,
    cpu_ms: float,
    waiting_ms: float,
    redirects: int,
) -> Bill:
    """Add up: `each` photos have every size made; the rest are totals."""
    gigabytes = each * sum(MEASURED[size].bytes for size in sizes) / _GB
    slower = LAMBDA_MB_OF_A_CPU / LAMBDA_MB
    seconds = (cpu_ms * slower + waiting_ms + calls * COLD_SHARE * COLD_MS) / 1000
    function = PRICES["call"].of(calls, region) + PRICES["gb_second"].of(seconds * LAMBDA_MB / 1024, region)
    return Bill(
        variants=each * len(sizes),
        gigabytes=gigabytes,
        storage=PRICES["storage"].of(gigabytes, region),
        puts=PRICES["put"].of(each * len(sizes), region),
        gets=PRICES["get"].of(gets, region),
        function=function,
        detour=PRICES["gateway"].of(redirects, region) + PRICES["cdn"].of(redirects, region),
        cpu_hours=cpu_ms / 1000 / 3600,
    )


def price_table() -> str:
    """Return the list prices, with their sources."""
    rows = (
        [price.what, *(f"{price.dollars[region]:.7g}" for region in REGIONS), price.source]
        for price in PRICES.values()
    )
    return markdown(["US dollars for", *REGIONS, "source"], rows).replace("---: |\n", "--- |\n", 1)


def size_table() -> str:
    """Return the sizes, with what was measured."""
    rows: list[Sequence[object]] = [
        (f"`{size}`", f"{variant.bytes / 1000:.1f}", f"{variant.ms:.0f}", "✓" if size in SETS[0] else "")
        for size, variant in MEASURED.items()
    ]
    for sizes in SETS:
        total = sum(MEASURED[size].bytes for size in sizes) / 1000
        rows.append((f"all {len(sizes)}, one decode", f"{total:.1f}", f"{TOGETHER_MS[len(sizes)]:.0f}", ""))
    return markdown(["JPEG of a 12 MP photo", "kB", "CPU, ms", "among the 3"], rows)


def cost_table(region: str) -> str:
    """Return the bills of one region."""
    head = ["sizes", "asked for", "variants", "GB", "storage, $ a month", "PUT, $", "GET, $", "Lambda, $"]
    head += ["gateway, CDN, $", "first year, $", "of up front", "or own CPU, h"]
    rows = []
    for sizes in SETS:
        everything = up_front(sizes, region)
        bills = [(f"{share:.0%}", lazily(sizes, share, region)) for share in ASKED]
        for name, bill in [*bills, ("all, up front", everything)]:
            share = bill.first_year / everything.first_year
            rows.append((str(len(sizes)), name, *_cells(bill), f"{share:.0%}", f"{bill.cpu_hours:.1f}"))
    return markdown(head, rows)


def _cells(bill: Bill) -> Iterable[str]:
    yield f"{bill.variants:,}"
    yield f"{bill.gigabytes:.1f}"
    for dollars in (bill.storage, bill.puts, bill.gets, bill.function, bill.detour, bill.first_year):
        yield f"{dollars:.2f}"


def originals_line() -> str:
    """Return what the originals cost, in either case."""
    gigabytes = PHOTOS * ORIGINAL_BYTES / _GB
    monthly = (f"${PRICES['storage'].of(gigabytes, region):.2f} in {region}" for region in REGIONS)
    return (
        f"{PHOTOS:,} originals of {ORIGINAL_BYTES / 1e6:.0f} MB are {gigabytes:.0f} GB, in either case: "
        f"{' and '.join(monthly)} a month."
    )


def tables() -> dict[str, str]:
    """Return everything that stands between marks in docs/aws.md, by name."""
    made = {"prices": price_table(), "sizes": size_table(), "originals": originals_line()}
    return made | {f"costs in {region}": cost_table(region) for region in REGIONS}


def with_tables(document: str) -> str:
    """Return the document with each table between the marks of its name."""
    for name, table in tables().items():
        before, start, rest = document.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- end of {name} -->")
        if not (start and end):
            raise SystemExit(f"{DOCUMENT.name} has no marks for {name!r}.")
        document = f"{before}{start}{table}\n{end}{after}"
    return document


def measure() -> None:
    """Render the demo photos, and print what belongs into MEASURED and TOGETHER_MS."""
    photos = [path.read_bytes() for path in originals.demo_photos()]
    for size in MEASURED:
        rendered = [_best(data, [size]) for data in photos]
        size_bytes, ms = mean(made for _, made in rendered), mean(spent for spent, _ in rendered)
        print(f'    "{size}": Variant(bytes={size_bytes:_.0f}, ms={ms:.1f}),', flush=True)
    together = {len(sizes): mean(_best(data, sizes)[0] for data in photos) for sizes in SETS}
    print("TOGETHER_MS =", {number: round(ms, 1) for number, ms in together.items()})


def _best(data: bytes, sizes: Sequence[str]) -> tuple[float, int]:
    """Return the least CPU time of three renders, in milliseconds, and the bytes of the first size."""
    spent = []
    for _ in range(3):
        started = time.process_time()
        made = ours.render(data, sizes)
        spent.append((time.process_time() - started) * 1000)
    return min(spent), len(made[0].data)


def main() -> None:
    """Print the tables, write them, or measure."""
    parser = argparse.ArgumentParser(prog="python -m tools.costs", description=__doc__)
    doing = parser.add_mutually_exclusive_group()
    doing.add_argument("--write", action="store_true", help="write the tables into docs/aws.md")
    doing.add_argument("--measure", action="store_true", help="render the demo photos; takes a minute")
    options = parser.parse_args()
    if options.measure:
        measure()
    elif options.write:
        DOCUMENT.write_text(with_tables(DOCUMENT.read_text()))
    else:
        for name, table in tables().items():
            print(f"\n## {name}\n\n{table}")


if __name__ == "__main__":
    main()
