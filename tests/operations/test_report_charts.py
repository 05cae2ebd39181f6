"""Charts: what is in the SVG, and that it is XML whatever the names are."""

from itertools import pairwise
from xml.etree import ElementTree

import pytest

from lazyimages.operations.reporting.charts import STYLE, Bar, bar_chart, line_chart

SVG = "{http://www.w3.org/2000/svg}"
SERIES = {"purge": [(1e4, 2.0), (1e6, 2.5)], "warm": [(1e4, 2.1), (1e6, 2.4)]}


def drawn(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def chart(series: dict[str, list[tuple[float, float]]] = SERIES, **more: bool) -> ElementTree.Element:
    return drawn(line_chart(series, title="Time", x_label="files", y_label="seconds", **more))


def texts(svg: ElementTree.Element) -> list[str]:
    return [one.text or "" for one in svg.iter(f"{SVG}text")]


def test_a_line_for_each_series_with_its_name_at_its_end() -> None:
    lines = [one.get("points", "").split() for one in chart().iter(f"{SVG}polyline")]
    assert [len(line) for line in lines] == [2, 2]
    assert {"purge", "warm", "files", "seconds", "Time", "10,000", "100,000", "1,000,000"} < set(
        texts(chart())
    )


def test_a_logarithmic_axis_gives_each_power_of_ten_the_same_room() -> None:
    (line,) = chart({"a": [(1e4, 1), (1e5, 1), (1e6, 1)]}).iter(f"{SVG}polyline")
    xs = [float(point.split(",")[0]) for point in line.get("points", "").split()]
    assert xs[1] - xs[0] == pytest.approx(xs[2] - xs[1])
    (line,) = chart({"a": [(0, 1), (50, 1), (100, 1)]}, log_x=False).iter(f"{SVG}polyline")
    xs = [float(point.split(",")[0]) for point in line.get("points", "").split()]
    assert xs[1] - xs[0] == pytest.approx(xs[2] - xs[1])


def test_the_vertical_axis_begins_at_nothing() -> None:
    ys = [point.get("cy") for point in chart({"a": [(10, 0), (100, 5)]}).iter(f"{SVG}circle")]
    (zero,) = [one for one in chart({"a": [(10, 0), (100, 5)]}).iter(f"{SVG}text") if one.text == "0"]
    assert float(zero.get("y", "")) - 5 == float(ys[0] or "")


def test_names_of_lines_do_not_lie_upon_each_other() -> None:
    svg = chart({name: [(10, 1.0), (100, 1.0)] for name in "abcdef"})
    heights = sorted(float(one.get("y", "")) for one in svg.iter(f"{SVG}text") if one.text in tuple("abcdef"))
    assert min(after - before for before, after in pairwise(heights)) >= 15


def test_the_figures_are_told_to_who_does_not_see() -> None:
    svg = chart()
    title, described = svg.find(f"{SVG}title"), svg.find(f"{SVG}desc")
    assert title is not None
    assert described is not None
    assert svg.get("role") == "img"
    assert svg.get("aria-labelledby") == f"{title.get('id')} {described.get('id')}"
    assert "purge: 2 at 10,000, 2.5 at 1,000,000" in (described.text or "")


def test_a_file_of_its_own_has_colours_for_light_and_dark_and_nothing_from_elsewhere() -> None:
    text = line_chart(SERIES, title="", x_label="", y_label="")
    assert "prefers-color-scheme:dark" in text
    assert text.count("http") == 1  # the name of the SVG namespace
    assert "<script" not in text


@pytest.mark.parametrize("hostile", ["</svg><script>alert(1)</script>", "a&b", '"', "\x00\x1b[31m", "\ud800"])
def test_any_name_gives_xml(hostile: str) -> None:
    svg = chart({hostile: [(10, 1.0)]})
    assert not list(svg.iter(f"{SVG}script"))
    bar = Bar(label=hostile, shown=hostile, parts=[(0, 0.5, hostile)])
    assert not list(drawn(bar_chart([bar], title=hostile, description=hostile)).iter("script"))


def test_charts_without_points_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one point"):
        chart({"a": []})
    with pytest.raises(ValueError, match="no place for 0"):
        chart({"a": [(0, 1)]})


class TestBars:
    def test_parts_are_as_long_as_their_shares(self) -> None:
        svg = drawn(
            bar_chart(
                [Bar(label="a", shown="60 %", parts=[(0, 0.5, ""), (1, 0.1, "")])], title="", description=""
            )
        )
        track, *parts = svg.iter("rect")
        assert track.get("width") == "100%"
        assert [(part.get("x"), part.get("width")) for part in parts] == [
            ("0.000%", "50.000%"),
            ("50.000%", "10.000%"),
        ]

    def test_what_is_there_can_be_seen_and_nothing_cannot(self) -> None:
        bar = Bar(label="a", shown="", parts=[(0, 0.00001, ""), (1, 0, ""), (2, 1, "")])
        _, *parts = drawn(bar_chart([bar], title="", description="")).iter("rect")
        assert [part.get("width") for part in parts] == ["0.400%", "99.600%"]

    def test_no_bars_are_no_trouble(self) -> None:
        assert drawn(bar_chart([], title="", description="")) is not None

    def test_no_attribute_is_a_style(self) -> None:
        """So that a page may have a Content-Security-Policy without 'unsafe-inline' for attributes."""
        assert (
            "style=" not in bar_chart([Bar(label="a", shown="", parts=[])], title="", description="") + STYLE
        )
