"""Sizes: their grammar, and the geometry, compared with arithmetic on fractions."""

from fractions import Fraction
from math import floor

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lazyimages import sizes
from lazyimages.exceptions import InvalidSize, LazyImagesError

sides = st.one_of(st.integers(1, 40), st.integers(1, 20_000))
numbers = st.one_of(st.integers(1, 12), st.integers(1, 9999))
percents = st.tuples(st.integers(0, 99), st.integers(0, 99))


def half_up(value: Fraction) -> int:
    """Round by the book: half up, never below 1."""
    return max(1, floor(value + Fraction(1, 2)))


@pytest.mark.parametrize(
    "text", ["1x1", "360x270", "9999x9999", "1w", "1280w", "9999w", "1h", "480h", "9999h"]
)
def test_canonical_texts(text):
    assert str(sizes.parse(text)) == text
    assert sizes.is_size(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "w",
        "h",
        "0w",
        "0x1",
        "1x0",
        "0360x270",
        "360x0270",
        "01w",
        "10000w",
        "10000x1",
        "1x10000",
        "+1w",
        "-1w",
        "1.5w",
        "1e3w",
        " 1w",
        "1w ",
        "1w\n",
        "\n1w",
        "1W",
        "1H",
        "1X1",
        "360×270",
        "1x",
        "x1",
        "1xw",
        "1wh",
        "1x1x1",
        "1x1w",
        "360 x 270",
        "١w",
        "１w",
        "²w",
        "360",
        "1w\0",
        "0x0",
        "auto",
        "original",
    ],
)
def test_everything_else_is_refused(text):
    assert not sizes.is_size(text)
    with pytest.raises(InvalidSize, match="write 360x270") as caught:
        sizes.parse(text)
    assert isinstance(caught.value, (LazyImagesError, ValueError))


@settings(max_examples=1000, deadline=None)
@given(st.one_of(st.text(alphabet="0123456789xwhXW \n", max_size=9), st.text(max_size=9)))
def test_what_is_accepted_is_canonical(text):
    try:
        size = sizes.parse(text)
    except InvalidSize:
        assert not sizes.is_size(text)
    else:
        assert str(size) == text
        assert all(number is None or 1 <= number <= 9999 for number in (size.width, size.height))
        assert (size.width, size.height) != (None, None)


@pytest.mark.parametrize(
    ("original", "size", "expected"),
    [
        ((4032, 3024), "360x270", (360, 270)),
        ((4032, 3024), "480h", (640, 480)),
        ((4032, 3024), "1280w", (1280, 960)),
        ((3024, 4032), "360x270", (360, 270)),
        ((3024, 4032), "480h", (360, 480)),
        ((3024, 4032), "1280w", (1280, 1707)),
        ((300, 200), "360x270", (267, 200)),
        ((300, 200), "480h", (300, 200)),
        ((300, 200), "1280w", (300, 200)),
        ((1, 1), "360x270", (1, 1)),
        ((1, 20_000), "360x270", (1, 1)),
        ((20_000, 1), "360x270", (1, 1)),
        ((1, 20_000), "480h", (1, 480)),
        ((20_000, 1), "1280w", (1280, 1)),
        ((1, 20_000), "9999x1", (1, 1)),
        ((3, 1), "2w", (2, 1)),
        ((100, 5), "10w", (10, 1)),
        ((100, 15), "10w", (10, 2)),
        ((100, 25), "10w", (10, 3)),
        ((2, 5), "1w", (1, 3)),
    ],
)
def test_worked_examples(original, size, expected):
    plan = sizes.parse(size).plan(*original)
    assert (plan.width, plan.height) == expected


def test_box_of_a_landscape_crop():
    assert sizes.parse("360x270").plan(4032, 3024).box == (0, 0, 4032, 3024)
    assert sizes.parse("100x100").plan(4000, 2000).box == (1000, 0, 3000, 2000)
    assert sizes.parse("100x100").plan(4000, 2000, (0, 0)).box == (0, 0, 2000, 2000)
    assert sizes.parse("100x100").plan(4000, 2000, (99, 99)).box == (2000, 0, 4000, 2000)
    assert sizes.parse("100x100").plan(4000, 2000, (40, 99)).box == (600, 0, 2600, 2000)


def test_an_original_too_small_is_cut_not_resampled():
    plan = sizes.parse("360x270").plan(300, 200)
    left, top, right, bottom = plan.box
    assert (right - left, bottom - top) == (plan.width, plan.height) == (267, 200)
    assert left == int(left)


@pytest.mark.parametrize("original", [(0, 1), (1, 0), (-3, 5)])
def test_no_image_has_no_pixels(original):
    with pytest.raises(ValueError, match="at least one pixel"):
        sizes.parse("1w").plan(*original)


@settings(max_examples=1500, deadline=None)
@given(sides, sides, numbers)
@example(20_000, 1, 9999)
@example(1, 20_000, 1)
def test_by_one_side(width, height, number):
    by_width = sizes.Size(number, None).plan(width, height)
    assert by_width.width == min(number, width)
    assert by_width.height == half_up(Fraction(height * by_width.width, width))
    by_height = sizes.Size(None, number).plan(width, height)
    assert by_height.height == min(number, height)
    assert by_height.width == half_up(Fraction(width * by_height.height, height))
    for plan in (by_width, by_height):
        assert plan.box == (0, 0, width, height)
        assert 1 <= plan.width <= width
        assert 1 <= plan.height <= height


@settings(max_examples=3000, deadline=None)
@given(sides, sides, numbers, numbers, percents)
@example(20_000, 1, 360, 270, (50, 50))
@example(1, 20_000, 9999, 1, (99, 0))
@example(9999, 1, 9999, 9999, (0, 99))
def test_crops(width, height, target_w, target_h, focal):
    plan = sizes.Size(target_w, target_h).plan(width, height, focal)
    scale = min(Fraction(1), Fraction(width, target_w), Fraction(height, target_h))
    assert plan.width == half_up(target_w * scale)
    assert plan.height == half_up(target_h * scale)
    if width >= target_w and height >= target_h:
        assert (plan.width, plan.height) == (target_w, target_h)
    left, top, right, bottom = plan.box
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    assert plan.width <= right - left + 1e-9, "never enlarged"
    assert plan.height <= bottom - top + 1e-9
    if scale == 1:  # the largest box of these proportions: it touches two sides of the original
        assert (right - left) * target_h == pytest.approx((bottom - top) * target_w, rel=1e-9)
        assert right - left == pytest.approx(width) or bottom - top == pytest.approx(height)
    else:
        assert (right - left, bottom - top) == (plan.width, plan.height), "pixels as they are"
    # The box's middle is as near to the focal point as the original's sides allow.
    slack = 1e-6 if scale == 1 else 1 + 1e-6
    for low, high, side, percent in ((left, right, width, focal[0]), (top, bottom, height, focal[1])):
        wish = side * percent / 100
        half = (high - low) / 2
        reachable = min(max(wish, half), side - half)
        assert abs((low + high) / 2 - reachable) <= slack


@settings(max_examples=300, deadline=None)
@given(sides, sides, numbers, numbers)
def test_the_centre_is_the_default(width, height, target_w, target_h):
    size = sizes.Size(target_w, target_h)
    assert size.plan(width, height) == size.plan(width, height, (50, 50))


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 10**12), st.integers(1, 10**12), numbers)
def test_huge_sides_are_exact(width, height, number):
    plan = sizes.Size(number, None).plan(width, height)
    assert plan.height == half_up(Fraction(height * min(number, width), width))


@settings(max_examples=300, deadline=None)
@given(numbers, numbers, st.integers(1, 40), st.integers(1, 40))
def test_rounding_changes_no_proportions(width, height, numerator, denominator):
    scale = Fraction(numerator, denominator)
    scaled = sizes.Size(half_up(width * scale), half_up(height * scale))
    size = sizes.Size(width, height)
    assert size.has_proportions_of(size)
    if min(width * scale, height * scale) >= Fraction(1, 2):  # less becomes a whole pixel
        assert size.has_proportions_of(scaled)
        assert scaled.has_proportions_of(size)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("360x270", "720x540", True),
        ("360x270", "270x360", False),
        ("360x270", "720x560", False),
        ("360x270", "640w", False),
        ("480h", "360x270", False),
        ("480h", "640w", True),
    ],
)
def test_proportions(one, other, same):
    assert sizes.parse(one).has_proportions_of(sizes.parse(other)) is same
    assert sizes.parse(other).has_proportions_of(sizes.parse(one)) is same


@settings(max_examples=1000, deadline=None)
@given(sides, sides, st.none() | numbers, st.none() | numbers, percents)
def test_the_output_is_the_plans(width, height, target_w, target_h, focal):
    if target_w or target_h:
        size = sizes.Size(target_w, target_h)
        plan = size.plan(width, height, focal)
        assert size.output(width, height) == (plan.width, plan.height)
