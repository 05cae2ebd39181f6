"""docs/aws.md shows what the cost script prints; its sums are right, and so is what is said of them."""

import re

import pytest

from lazyimages import sizes
from tools import costs
from tools.costs import ASKED, PHOTOS, REGIONS, SETS, lazily, up_front

DOCUMENT = costs.DOCUMENT.read_text()
PROSE = " ".join(DOCUMENT.split())


def test_the_document_has_the_tables_of_today() -> None:
    """When it fails: python -m tools.costs --write, and read the sentences below the tables again."""
    assert costs.with_tables(DOCUMENT) == DOCUMENT


def test_a_document_without_marks_is_refused() -> None:
    with pytest.raises(SystemExit, match="no marks for 'prices'"):
        costs.with_tables("# On AWS\n")


def test_a_tenth_of_three_sizes_by_hand() -> None:
    """90,000 variants, of which each third is a size of 12,143, 27,341 and 142,862 bytes."""
    bill = lazily(SETS[0], 0.10, "eu-central-1")
    gigabytes = 30_000 * (12_143 + 27_341 + 142_862) / 1024**3
    assert bill.variants == 90_000
    assert bill.gigabytes == pytest.approx(gigabytes)
    assert bill.storage == pytest.approx(gigabytes * 0.0245)
    assert bill.puts == pytest.approx(90 * 0.0054)
    assert bill.gets == pytest.approx(3 * 90 * 0.00043)
    assert bill.detour == pytest.approx(0.09 * 1.20 + 9 * 0.012)
    cpu_seconds = 30 * (27.4 + 29.5 + 54.0)
    assert bill.cpu_hours == pytest.approx(cpu_seconds / 3600)
    seconds = cpu_seconds * 1769 / 1024 + 90_000 * 0.140 + 9_000 * 1.0
    assert bill.function == pytest.approx(0.09 * 0.20 + seconds * 0.0000166667)
    assert bill.first_year == pytest.approx(
        bill.puts + bill.gets + bill.detour + bill.function + 12 * bill.storage
    )


def test_all_of_eight_sizes_up_front_by_hand() -> None:
    """One call a photo, which reads it once, decodes it once, and stores eight variants one by one."""
    bill = up_front(SETS[1], "us-east-1")
    assert bill.variants == 2_400_000
    assert bill.puts == pytest.approx(2_400 * 0.005)
    assert bill.gets == pytest.approx(300 * 0.0004)
    assert bill.detour == 0
    seconds = 300 * 146.9 * 1769 / 1024 + 300_000 * (0.080 + 8 * 0.040) + 30_000 * 1.0
    assert bill.function == pytest.approx(0.3 * 0.20 + seconds * 0.0000166667)


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("chosen", SETS, ids=len)
class TestComparison:
    def test_made_either_way_the_same_is_stored(self, chosen: tuple[str, ...], region: str) -> None:
        one_by_one, beforehand = lazily(chosen, 1.0, region), up_front(chosen, region)
        assert one_by_one.gigabytes == beforehand.gigabytes
        assert one_by_one.puts == beforehand.puts

    def test_what_is_said_about_lazily(self, chosen: tuple[str, ...], region: str) -> None:
        everything = up_front(chosen, region).first_year
        share = {asked: lazily(chosen, asked, region).first_year / everything for asked in (*ASKED, 0.8)}
        assert "Below about four fifths asked for, lazily costs less" in PROSE
        assert share[0.8] == pytest.approx(1, abs=0.02)
        assert "of which 10 % is looked at costs an eighth" in PROSE
        assert share[0.10] == pytest.approx(1 / 8, abs=0.005)
        assert "lazily costs about a quarter more" in PROSE
        assert share[1.00] == pytest.approx(1.25, abs=0.02)


def test_what_is_said_about_the_run() -> None:
    hours = PHOTOS * (costs.READ_MS + 8 * costs.WRITE_MS) / 1000 / 3600
    assert f"wait for S3 alone for {hours:.0f} hours" in PROSE


def test_assumptions_are_named_where_the_tables_are() -> None:
    for milliseconds in (costs.LOOK_MS, costs.READ_MS, costs.WRITE_MS):
        assert f"{milliseconds} ms" in PROSE
    assert f"{costs.LAMBDA_MB_OF_A_CPU:,} MB have one" in PROSE
    assert f"Lambda with {costs.LAMBDA_MB} MB" in PROSE
    assert "every tenth call starts cold and takes a second more" in PROSE
    assert (costs.COLD_SHARE, costs.COLD_MS) == (0.1, 1000)
    assert f"with {PHOTOS:,} photos" in PROSE


def test_every_price_has_a_source_and_both_regions() -> None:
    for price in costs.PRICES.values():
        assert set(price.dollars) == set(REGIONS)
        assert re.search(r"AWS|assumed", price.source), price.what


def test_the_sizes_are_sizes() -> None:
    assert all(sizes.is_size(size) for size in costs.MEASURED)
    assert set(SETS[0]) < set(SETS[1])
    assert set(costs.TOGETHER_MS) == {len(chosen) for chosen in SETS}
