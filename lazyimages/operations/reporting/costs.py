"""What variants cost: as they are, and what making all of them beforehand would have cost. Pure.

All of it is an estimate, and `ASSUMPTIONS` says by what. docs/aws.md has the sources of the figures.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from lazyimages.exceptions import LazyImagesError
from lazyimages.sizes import Size

GB = 2**30  # what S3 bills as one
MONTHS = 12

# Measured on photos of 12 megapixels (docs/aws.md): reading one, and making so much of a variant as JPEG. The
# line through the eight sizes there is within a quarter of each.
PHOTO_MS, MEGAPIXEL_MS = 30.0, 20.0
FORMAT_FACTOR = {"webp": 3.0, "avif": 1.6}  # times as long as JPEG, with EFFORT "fast" (docs/performance.md)
BYTES_A_PIXEL = 0.116  # of the JPEG at 1280w there; where a bucket has no variant to go by
# Assumed: what a function waits for S3, and how its start is billed. 1,769 MB have a whole processor (Lambda
# developer guide, "Configure Lambda function memory").
LOOK_MS, READ_MS, WRITE_MS = 20, 80, 40
LAMBDA_MB, LAMBDA_MB_OF_A_CPU = 1024, 1769
COLD_SHARE, COLD_MS = 0.1, 1000
GETS_OF_A_MISSING_VARIANT = 3  # the redirect or refusal, the look for it, its original


class UnknownPrice(LazyImagesError, ValueError):
    """A price was given under a name that there is not, or is no price."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prices:
    """List prices in US dollars, before free tiers, discounts and taxes; docs/aws.md has their sources."""

    region: str
    date: str = "2026-08"
    storage_gb: float  # S3 Standard, a GB and month, first 50 TB
    put: float  # S3, 1,000 PUT
    get: float  # S3, 1,000 GET
    call: float = 0.20  # Lambda, 1,000,000 requests
    gb_second: float = 16.6667  # Lambda, 1,000,000 GB-seconds, x86

    def changed(self, given: Iterable[str]) -> "Prices":
        """Return the prices with others in place: `["storage_gb=0.02", "put=0.005"]`."""
        changes: dict[str, float] = {}
        for text in given:
            name, _, value = text.partition("=")
            try:
                changes[name] = float(value)
            except ValueError:
                changes[name] = -1
            if name not in NAMES or not 0 <= changes[name] < 1e9:
                raise UnknownPrice(
                    f"{text!r} is no price. Write it like storage_gb=0.023, in US dollars; "
                    f"known are {', '.join(NAMES)}."
                )
        return replace(self, **changes) if changes else self  # type: ignore[arg-type]


NAMES = {
    "storage_gb": "S3 storage, a GB and month",
    "put": "S3, 1,000 PUT",
    "get": "S3, 1,000 GET",
    "call": "Lambda, 1,000,000 calls",
    "gb_second": "Lambda, 1,000,000 GB-seconds",
}
REGIONS = {
    "us-east-1": Prices(region="us-east-1", storage_gb=0.023, put=0.005, get=0.0004),
    "eu-central-1": Prices(region="eu-central-1", storage_gb=0.0245, put=0.0054, get=0.00043),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """The variants of one size in one format: how many there are, and how many there could be."""

    size: Size
    format: str
    files: int
    bytes: int
    possible: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Bill:
    """What some variants take: dollars once, dollars a month, hours of one processor."""

    variants: int
    bytes: int
    storage: float  # a month
    requests: float
    compute: float
    cpu_hours: float

    @property
    def once(self) -> float:
        """Return what making them costs."""
        return self.requests + self.compute

    @property
    def first_year(self) -> float:
        """Return what making them and keeping them for twelve months costs."""
        return self.once + MONTHS * self.storage


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """What the variants that there are cost, and what all that there could be would have cost."""

    prices: Prices
    now: Bill
    up_front: Bill
    guessed: tuple[str, ...]  # "360x270 webp": kinds whose bytes are guessed by their pixels

    @property
    def saved_once(self) -> float:
        """Return the dollars saved by not having made what nobody asked for; below 0 when that cost more."""
        return self.up_front.once - self.now.once

    @property
    def saved_monthly(self) -> float:
        """Return the dollars saved each month by not keeping what nobody asked for."""
        return self.up_front.storage - self.now.storage

    @property
    def saved_first_year(self) -> float:
        """Return the dollars saved until a year after."""
        return self.up_front.first_year - self.now.first_year


def estimate(kinds: Sequence[Kind], *, originals: int, prices: Prices) -> Estimate:
    """Return what is saved; `originals` is how many can have variants.

    A variant at its first request is a call by itself, which reads and decodes its original. Up front a call
    makes all of an original's.
    """
    means = mean_bytes(kinds)
    made, possible = sum(kind.files for kind in kinds), sum(kind.possible for kind in kinds)
    missing = sum(max(kind.possible - kind.files, 0) * means[kind.size, kind.format] for kind in kinds)
    stored = sum(kind.bytes for kind in kinds)
    return Estimate(
        prices=prices,
        now=_bill(
            prices,
            variants=made,
            stored=stored,
            gets=made * GETS_OF_A_MISSING_VARIANT,
            calls=made,
            cpu_ms=sum(kind.files * (PHOTO_MS + _ms(kind)) for kind in kinds),
            waiting_ms=made * (LOOK_MS + READ_MS + WRITE_MS),
        ),
        up_front=_bill(
            prices,
            variants=possible,
            stored=stored + round(missing),
            gets=originals,
            calls=originals,
            cpu_ms=originals * PHOTO_MS + sum(kind.possible * _ms(kind) for kind in kinds),
            waiting_ms=originals * READ_MS + possible * WRITE_MS,
        ),
        guessed=tuple(f"{kind.size} {kind.format}" for kind in kinds if not kind.files and kind.possible),
    )


def mean_bytes(kinds: Iterable[Kind]) -> Mapping[tuple[Size, str], float]:
    """Return the mean bytes of each kind; those of which there is none by the pixels of others.

    That is others in the same format, else others in any, else a photo of docs/aws.md.
    """
    kinds = list(kinds)
    pixels: dict[str, float] = defaultdict(float)
    stored: dict[str, float] = defaultdict(float)
    for kind in kinds:
        for group in (kind.format, ""):
            pixels[group] += kind.files * area(kind.size)
            stored[group] += kind.bytes

    def mean(kind: Kind) -> float:
        if kind.files:
            return kind.bytes / kind.files
        group = kind.format if pixels[kind.format] else ""
        a_pixel = stored[group] / pixels[group] if pixels[group] else BYTES_A_PIXEL
        return a_pixel * area(kind.size)

    return {(kind.size, kind.format): mean(kind) for kind in kinds}


def area(size: Size) -> float:
    """Return the pixels of a variant, taking the original for one of 4:3 that is large enough."""
    width = size.width or (size.height or 0) * 4 / 3
    return width * (size.height or width * 3 / 4)


def monthly(stored: int, prices: Prices) -> float:
    """Return the dollars that so many bytes cost each month."""
    return stored / GB * prices.storage_gb


ASSUMPTIONS = (
    "S3 Standard and Lambda at list prices, without free tiers, discounts and taxes; what visitors "
    "download is left out, for it is the same in either case.",
    f"A variant at its first request is one call, {GETS_OF_A_MISSING_VARIANT} GET and 1 PUT; up front an "
    "original is one call and 1 GET, and each variant 1 PUT.",
    "A variant that is not there is as large as the mean of its size and format; where none is there, as "
    "its pixels are to those of the others, for photos of 4:3.",
    f"Computing is {PHOTO_MS:.0f} ms to read a photo and {MEGAPIXEL_MS:.0f} ms a megapixel made as JPEG "
    f"(AVIF {FORMAT_FACTOR['avif']} times, WebP {FORMAT_FACTOR['webp']:.0f} times that), measured on photos "
    "of 12 megapixels.",
    f"It is paid as Lambda of {LAMBDA_MB:,} MB, which waits {LOOK_MS} ms to look for a variant, {READ_MS} ms "
    f"for an original and {WRITE_MS} ms for a PUT; every tenth call starts cold, a second more. On a server "
    "of yours it is the hours of processor instead.",
)


def _ms(kind: Kind) -> float:
    return area(kind.size) / 1e6 * MEGAPIXEL_MS * FORMAT_FACTOR.get(kind.format, 1)


def _bill(
    prices: Prices, *, variants: int, stored: int, gets: int, calls: int, cpu_ms: float, waiting_ms: float
) -> Bill:
    slower = LAMBDA_MB_OF_A_CPU / LAMBDA_MB
    seconds = (cpu_ms * slower + waiting_ms + calls * COLD_SHARE * COLD_MS) / 1000
    return Bill(
        variants=variants,
        bytes=stored,
        storage=monthly(stored, prices),
        requests=(variants * prices.put + gets * prices.get) / 1000,
        compute=(calls * prices.call + seconds * LAMBDA_MB / 1024 * prices.gb_second) / 1e6,
        cpu_hours=cpu_ms / 1000 / 3600,
    )
