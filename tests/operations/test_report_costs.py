"""What variants cost: the arithmetic, by hand."""

import pytest

from lazyimages.operations.reporting import costs
from lazyimages.operations.reporting.costs import GB, REGIONS, Kind, Prices, estimate, mean_bytes
from lazyimages.sizes import parse
from tools import costs as tables

ROUND = Prices(region="nowhere", storage_gb=1.0, put=10.0, get=1.0, call=1_000_000.0, gb_second=1_000_000.0)
NOTHING = Prices(region="nowhere", storage_gb=0, put=0, get=0, call=0, gb_second=0)


def kind(size: str, files: int, length: int, possible: int, format: str = "jpeg") -> Kind:
    return Kind(size=parse(size), format=format, files=files, bytes=length, possible=possible)


def test_storage_and_requests_by_hand() -> None:
    """Two of ten variants are there, of half a gigabyte each; ten originals."""
    found = estimate([kind("1000x1000", 2, GB, 10)], originals=10, prices=ROUND)
    assert found.now.storage == 1.0
    assert found.up_front.storage == 5.0  # ten times half a gigabyte
    assert found.saved_monthly == 4.0
    assert found.now.requests == pytest.approx(2 * 0.010 + 2 * 3 * 0.001)
    assert found.up_front.requests == pytest.approx(10 * 0.010 + 10 * 0.001)
    assert found.up_front.bytes == 5 * GB


def test_computing_by_hand() -> None:
    """A megapixel is 20 ms, reading a photo 30; a function has 1,024 of 1,769 parts of a processor."""
    found = estimate([kind("1000x1000", 2, 200, 10)], originals=10, prices=ROUND)
    calls, cpu = 2, 2 * 50
    seconds = (cpu * 1769 / 1024 + 2 * (20 + 80 + 40) + 2 * 0.1 * 1000) / 1000
    assert found.now.compute == pytest.approx(calls + seconds)
    assert found.now.cpu_hours == pytest.approx(0.1 / 3600)
    cpu = 10 * 30 + 10 * 20
    seconds = (cpu * 1769 / 1024 + 10 * 80 + 10 * 40 + 10 * 0.1 * 1000) / 1000
    assert found.up_front.compute == pytest.approx(10 + seconds)
    assert found.saved_once == pytest.approx(found.up_front.once - found.now.once)
    assert found.saved_first_year == pytest.approx(found.saved_once + 12 * found.saved_monthly)


def test_webp_and_avif_take_longer_to_make() -> None:
    hours = [
        estimate([kind("1000x1000", 0, 0, 1000, name)], originals=0, prices=NOTHING).up_front.cpu_hours
        for name in ("jpeg", "avif", "webp")
    ]
    assert hours == pytest.approx([20 / 3600, 32 / 3600, 60 / 3600])


def test_where_everything_was_asked_for_lazily_is_dearer() -> None:
    found = estimate([kind("1000x1000", 10, 1000, 10)], originals=10, prices=REGIONS["us-east-1"])
    assert found.saved_monthly == 0
    assert found.saved_once < 0


class TestMeanBytes:
    def test_of_its_own_kind(self) -> None:
        assert mean_bytes([kind("100x100", 4, 1000, 9)])[parse("100x100"), "jpeg"] == 250

    def test_else_of_its_format_by_pixels(self) -> None:
        kinds = [
            kind("100x100", 2, 2 * 5000, 9),  # half a byte a pixel
            kind("100x100", 2, 2 * 1000, 9, "avif"),
            kind("200x200", 0, 0, 9),
            kind("400w", 0, 0, 9),
            kind("300h", 0, 0, 9, "avif"),
        ]
        means = mean_bytes(kinds)
        assert means[parse("200x200"), "jpeg"] == 20_000
        assert means[parse("400w"), "jpeg"] == 60_000  # 400 by 300
        assert means[parse("300h"), "avif"] == 12_000

    def test_else_of_any_format(self) -> None:
        means = mean_bytes([kind("100x100", 1, 5000, 9), kind("200x200", 0, 0, 9, "webp")])
        assert means[parse("200x200"), "webp"] == 20_000

    def test_else_of_the_photos_of_the_documentation(self) -> None:
        means = mean_bytes([kind("1280w", 0, 0, 9)])
        assert means[parse("1280w"), "jpeg"] == pytest.approx(tables.MEASURED["1280w"].bytes, rel=0.01)

    def test_what_is_guessed_is_named(self) -> None:
        kinds = [kind("100x100", 1, 1, 9), kind("200x200", 0, 0, 9), kind("480h", 0, 0, 0)]
        assert estimate(kinds, originals=9, prices=NOTHING).guessed == ("200x200 jpeg",)


class TestFigures:
    """Those of docs/aws.md, which has their sources."""

    @pytest.mark.parametrize("region", REGIONS)
    @pytest.mark.parametrize(
        ("name", "there"),
        [
            ("storage_gb", "storage"),
            ("put", "put"),
            ("get", "get"),
            ("call", "call"),
            ("gb_second", "gb_second"),
        ],
    )
    def test_the_prices(self, region: str, name: str, there: str) -> None:
        assert getattr(REGIONS[region], name) == tables.PRICES[there].dollars[region]

    def test_the_assumptions(self) -> None:
        for name in ("LOOK_MS", "READ_MS", "WRITE_MS", "LAMBDA_MB", "LAMBDA_MB_OF_A_CPU", "COLD_SHARE"):
            assert getattr(costs, name) == getattr(tables, name)
        assert costs.COLD_MS == tables.COLD_MS
        assert costs.GETS_OF_A_MISSING_VARIANT == tables.GETS_OF_A_MISSING_VARIANT

    def test_computing_is_near_what_was_measured(self) -> None:
        for size, measured in tables.MEASURED.items():
            alone = costs.PHOTO_MS + costs.area(parse(size)) / 1e6 * costs.MEGAPIXEL_MS
            assert alone == pytest.approx(measured.ms, rel=0.25), size
        for number, measured_ms in tables.TOGETHER_MS.items():
            pixels = sum(costs.area(parse(size)) for size in list(tables.MEASURED)[:number])
            assert costs.PHOTO_MS + pixels / 1e6 * costs.MEGAPIXEL_MS == pytest.approx(measured_ms, rel=0.25)

    @pytest.mark.parametrize("share", [0.1, 0.3])
    def test_it_says_what_the_tables_of_the_documentation_say(self, share: float) -> None:
        """Eight sizes of 300,000 photos, without the gateway that only a function behind one needs."""
        prices = REGIONS["eu-central-1"]
        number = round(share * tables.PHOTOS)
        kinds = [
            kind(size, number, number * measured.bytes, tables.PHOTOS)
            for size, measured in tables.MEASURED.items()
        ]
        found = estimate(kinds, originals=tables.PHOTOS, prices=prices)
        lazily = tables.lazily(tables.SETS[1], share, prices.region)
        up_front = tables.up_front(tables.SETS[1], prices.region)
        assert found.up_front.variants == up_front.variants
        assert found.up_front.storage == pytest.approx(up_front.storage, rel=1e-6)
        assert found.now.requests == pytest.approx(lazily.puts + lazily.gets)
        assert found.now.first_year == pytest.approx(lazily.first_year - lazily.detour, rel=0.05)
        assert found.up_front.first_year == pytest.approx(up_front.first_year, rel=0.05)
