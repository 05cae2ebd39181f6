"""URLs and srcset as pure values: what is printed for every name and all dimensions a row may have."""

import logging
import re
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from django.test import override_settings
from django.urls import clear_script_prefix, include, path, set_script_prefix, set_urlconf
from hypothesis import given
from hypothesis import strategies as st

from lazyimages import conf, formats, keys, markup, sizes
from lazyimages.exceptions import RefusedName
from lazyimages.markup import Picture, Spec, UnknownSpec
from tests.conftest import CDN, RESIZER, SIZES
from tests.drawing import attribute_value, element, parse_srcset
from tests.host.models import Bare, Photo, PlainPhoto

NAME = "produs_1/img.AZ70KuRzw9.jpg"
SPEC = "360x270 480h 1280w"


@pytest.fixture(autouse=True)
def _settings(settings: Any) -> None:
    settings.LAZYIMAGES = {
        "SIZES": SIZES,
        "FORMATS": ["webp"],
        "PRESETS": {"card": {"sizes": "360x270 720x540", "layout": "(min-width: 60rem) 25vw, 50vw"}},
        "DELIVERY": "redirect",
        "CDN_URL": CDN,
        "RESIZER_URL": RESIZER,
    }


def described(picture: Picture, spec: str = SPEC) -> list[str]:
    """Return size and descriptor of every candidate: `["360x270 360w"]`."""
    found = parse_srcset(attribute_value(markup.srcset(picture, markup.parse_spec(spec))))
    return [f"{entry.url.split('/')[-2]} {' '.join(entry.descriptors)}" for entry in found]


class TestCandidates:
    @pytest.mark.parametrize(
        ("width", "height", "expected"),
        [
            (4032, 3024, ["360x270 360w", "480h 640w", "1280w 1280w"]),
            (3024, 4032, ["360x270 360w", "1280w 1280w"]),  # 480h would be 360 wide as well
            (300, 200, ["360x270 267w", "480h 300w"]),
            (360, 270, ["360x270 360w"]),
            (1, 1, ["360x270 1w"]),
            (10_000, 1, ["360x270 1w", "480h 10000w", "1280w 1280w"]),
        ],
    )
    def test_the_descriptor_is_the_width_that_is_served_each_once(
        self, width: int, height: int, expected: list[str]
    ) -> None:
        assert described(Picture(NAME, width, height)) == expected

    @pytest.mark.parametrize("dimensions", [(None, None), (0, 0), (4032, None), (-1, 5), (None, 3024)])
    def test_without_dimensions_in_the_row_h_is_left_out(self, dimensions: tuple[Any, Any]) -> None:
        row = Photo(image=NAME, width=dimensions[0], height=dimensions[1])
        picture = markup.picture_of(row.image)
        assert picture == Picture(NAME)
        assert described(picture) == ["360x270 360w", "1280w 1280w"]
        assert described(picture, "480h") == []

    def test_in_the_order_in_which_they_are_asked_for(self) -> None:
        assert described(Picture(NAME, 4032, 3024), "1280w 360x270") == ["1280w 1280w", "360x270 360w"]

    def test_a_preset(self) -> None:
        assert described(Picture(NAME, 4032, 3024), "card") == ["360x270 360w", "720x540 720w"]

    def test_in_another_format(self) -> None:
        (entry,) = markup.candidates(Picture(NAME, 4032, 3024), [sizes.parse("480h")], formats.WEBP)
        assert entry.url == f"{CDN}/produs_1/480h/img.AZ70KuRzw9.jpg.webp"
        assert (entry.width, entry.height) == (640, 480)

    @given(
        width=st.integers(1, 20_000),
        height=st.integers(1, 20_000),
        wanted=st.lists(
            st.tuples(st.none() | st.integers(1, 9999), st.none() | st.integers(1, 9999))
            .filter(any)
            .map(lambda pair: sizes.Size(*pair)),
            max_size=6,
        ),
    )
    def test_every_candidate_tells_the_truth(self, width: int, height: int, wanted: list[sizes.Size]) -> None:
        found = markup.candidates(Picture(NAME, width, height), wanted)
        assert len({entry.width for entry in found}) == len(found)
        plans = {markup.variant_url(NAME, size): size.plan(width, height) for size in wanted}
        for entry in found:
            assert (entry.width, entry.height) == (plans[entry.url].width, plans[entry.url].height)
        assert {entry.width for entry in found} == {plan.width for plan in plans.values()}


class TestPictureOf:
    def test_a_row_with_dimensions(self) -> None:
        row = Photo(image=NAME, width=4032, height=3024)
        assert markup.picture_of(row.image) == Picture(NAME, 4032, 3024)

    def test_a_row_without_fields_for_them(self) -> None:
        assert markup.picture_of(Bare(image=NAME).image) == Picture(NAME)

    def test_djangos_own_field(self) -> None:
        assert markup.picture_of(PlainPhoto(image=NAME).image) == Picture(NAME)

    @pytest.mark.parametrize("sides", [("4032", "3024"), (4032.0, 3024.0), ("", ""), ("wide", "high")])
    def test_what_is_no_number_of_pixels_is_no_dimension(self, sides: tuple[Any, Any]) -> None:
        row = Photo(image=NAME)
        row.width, row.height = sides
        assert markup.picture_of(row.image) == Picture(NAME)

    @pytest.mark.parametrize("name", ["", None])
    def test_an_empty_field(self, name: str | None) -> None:
        assert markup.picture_of(Photo(image=name).image) is None

    @pytest.mark.parametrize("value", [None, "", 0, False, [], 7, object(), [1], {"name": "x"}])
    def test_what_is_no_file(self, value: object) -> None:
        assert markup.picture_of(value) is None

    def test_a_name(self) -> None:
        assert markup.picture_of(NAME) == Picture(NAME)


class TestUrls:
    @pytest.mark.parametrize(
        ("name", "path"),
        [
            ("a b.jpg", "480h/a%20b.jpg"),
            ("a+b.jpg", "480h/a%2Bb.jpg"),
            ("a&b.jpg", "480h/a%26b.jpg"),
            ("100%.jpg", "480h/100%25.jpg"),
            ("a%20b.jpg", "480h/a%2520b.jpg"),
            ("a#1.jpg", "480h/a%231.jpg"),
            ("a?b=c.jpg", "480h/a%3Fb%3Dc.jpg"),
            ("café.jpg", "480h/caf%C3%A9.jpg"),
            ("a,b,.jpg", "480h/a%2Cb%2C.jpg"),
            ("it's.jpg", "480h/it%27s.jpg"),
            ('19".jpg', "480h/19%22.jpg"),
            ("a<b>.jpg", "480h/a%3Cb%3E.jpg"),
            ("a:b@c;d!$(e)*.jpg", "480h/a%3Ab%40c%3Bd%21%24%28e%29%2A.jpg"),
            ("a~b-c_d.e.jpg", "480h/a~b-c_d.e.jpg"),
            ("produs 1/ä/x.jpg", "produs%201/%C3%A4/480h/x.jpg"),
            ("image.tiff", "480h/image.tiff.jpg"),
        ],
    )
    @pytest.mark.parametrize("delivery", ["redirect", "local"])
    def test_names_are_percent_encoded(
        self, lazy: Callable[..., None], delivery: str, name: str, path: str
    ) -> None:
        lazy(DELIVERY=delivery)
        base = {"redirect": f"{CDN}/", "local": "/images/v/"}[delivery]
        assert markup.image_url(Picture(name), Spec((sizes.parse("480h"),))) == f"{base}{path}"

    @given(st.text(min_size=1, max_size=30))
    def test_an_url_leads_back_to_the_key(self, stem: str) -> None:
        name = f"produs_1/{stem}.jpg"
        try:
            key = keys.variant_key(name, sizes.parse("480h"))
        except RefusedName:
            return
        url = markup.variant_url(name, sizes.parse("480h"))
        assert re.fullmatch(r"https://cdn\.example/[A-Za-z0-9_.~/%-]+", url)
        assert unquote(urlsplit(url).path) == f"/{key}"

    @pytest.mark.parametrize("cdn", ["https://cdn.example/", "https://cdn.example"])
    def test_one_slash_after_the_host(self, lazy: Callable[..., None], cdn: str) -> None:
        lazy(CDN_URL=cdn)
        assert markup.variant_url("a.jpg", sizes.parse("480h")) == "https://cdn.example/480h/a.jpg"

    def test_what_the_cdns_own_url_has_is_escaped(self, lazy: Callable[..., None]) -> None:
        lazy(CDN_URL="https://cdn.example/a&copy=1'")
        printed = markup.srcset(Picture("a.jpg"), markup.parse_spec("1280w"))
        assert printed == "https://cdn.example/a&amp;copy=1&#x27;/1280w/a.jpg 1280w"
        html = markup.img(Picture("a.jpg"), markup.parse_spec("card"), attributes={})
        assert element(html)[1]["src"] == "https://cdn.example/a&copy=1'/360x270/a.jpg"


@pytest.fixture
def other_urls(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Make a root URLconf with another prefix, and return its name."""
    module = types.ModuleType("tests_other_urls")
    module.urlpatterns = [path("foto/klein/", include("lazyimages.urls"))]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    yield module.__name__
    set_urlconf(None)


class TestLocalDelivery:
    @pytest.fixture(autouse=True)
    def _local(self, lazy: Callable[..., None]) -> None:
        lazy(DELIVERY="local")

    @staticmethod
    def url() -> str:
        return markup.variant_url(NAME, sizes.parse("480h"))

    def test_the_url_is_the_variant_view(self) -> None:
        assert self.url() == "/images/v/produs_1/480h/img.AZ70KuRzw9.jpg"

    def test_below_another_prefix(self, settings: Any, other_urls: str) -> None:
        assert self.url().startswith("/images/v/")
        settings.ROOT_URLCONF = other_urls
        assert self.url() == "/foto/klein/v/produs_1/480h/img.AZ70KuRzw9.jpg"

    def test_with_the_urlconf_of_one_request(self, other_urls: str) -> None:
        set_urlconf(other_urls)
        assert self.url().startswith("/foto/klein/v/")
        set_urlconf(None)
        assert self.url().startswith("/images/v/")

    def test_below_a_script_prefix(self) -> None:
        set_script_prefix("/shop/")
        try:
            assert self.url() == "/shop/images/v/produs_1/480h/img.AZ70KuRzw9.jpg"
        finally:
            clear_script_prefix()
        assert self.url() == "/images/v/produs_1/480h/img.AZ70KuRzw9.jpg"

    def test_a_script_prefix_does_not_matter_to_the_cdn(self, lazy: Callable[..., None]) -> None:
        lazy(DELIVERY="failover")
        set_script_prefix("/shop/")
        try:
            assert self.url() == f"{CDN}/produs_1/480h/img.AZ70KuRzw9.jpg"
        finally:
            clear_script_prefix()


class TestRefusedNames:
    @pytest.mark.parametrize(
        "name",
        [
            "a.jpg.webp",
            "480h/a.jpg",
            "produs_1/360x270/a.jpg",
            "../a.jpg",
            "/etc/a.jpg",
            "a//b.jpg",
            "a\\b.jpg",
            "a\n.jpg",
            "a.txt",
            "a",
            "a.svg",
            "\ud800.jpg",
            "x" * 1100 + ".jpg",
        ],
    )
    def test_print_nothing_and_are_logged(self, caplog: pytest.LogCaptureFixture, name: str) -> None:
        picture, spec = Picture(name, 4032, 3024), markup.parse_spec(SPEC)
        draws: list[Callable[[], str]] = [
            lambda: markup.srcset(picture, spec),
            lambda: markup.image_url(picture, spec),
            lambda: markup.img(picture, spec, attributes={}),
        ]
        for draw in draws:
            caplog.clear()
            assert draw() == ""
            (record,) = caplog.records
            assert (record.name, record.levelno) == ("lazyimages", logging.WARNING)
            assert record.getMessage().startswith("no variants: ")

    def test_a_name_in_python_raises(self) -> None:
        with pytest.raises(RefusedName):
            markup.variant_url("a.jpg.webp", sizes.parse("480h"))


class TestSpecs:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("9x9", "The size '9x9' is not in LAZYIMAGES."),
            ("480h 9x9", "The size '9x9' is not in LAZYIMAGES."),
            ("hero", "'hero' is neither a size nor a preset."),
            ("card 480h", "'card' is neither a size nor a preset."),
            ("0480h", "'0480h' is neither a size nor a preset."),
            ("480h,1280w", "'480h,1280w' is neither a size nor a preset."),
            ("", "An empty text asks for no size."),
            ("  ", "An empty text asks for no size."),
        ],
    )
    def test_a_mistake_names_what_is_allowed(self, text: str, message: str) -> None:
        with pytest.raises(UnknownSpec) as caught:
            markup.parse_spec(text)
        allowed = "Allowed sizes: 360x270, 480h, 1280w, 720x540; presets: card."
        assert str(caught.value) == f"{message} {allowed}"

    def test_without_any_size_it_names_the_setting(self, settings: Any) -> None:
        settings.LAZYIMAGES = {}
        with pytest.raises(UnknownSpec, match=r"Allowed sizes: none; set LAZYIMAGES\['SIZES'\]\."):
            markup.parse_spec("480h")

    def test_every_mistake_is_named(self) -> None:
        with pytest.raises(UnknownSpec, match=r"'9x9'.*'big'"):
            markup.parse_spec("9x9 480h big")

    def test_whitespace_of_any_kind_is_between_sizes(self) -> None:
        assert markup.parse_spec(" 480h\n\t1280w ").sizes == (sizes.parse("480h"), sizes.parse("1280w"))

    def test_a_change_of_settings_is_seen_at_once(self, lazy: Callable[..., None]) -> None:
        with pytest.raises(UnknownSpec):
            markup.parse_spec("9x9")
        lazy(SIZES=["9x9"])
        assert markup.parse_spec("9x9").sizes == (sizes.parse("9x9"),)

    def test_leniently_the_rest_is_used_and_the_mistake_logged(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert markup.parse_spec_leniently("9x9 480h").sizes == (sizes.parse("480h"),)
        (record,) = caplog.records
        assert "left out of the markup: The size '9x9' is not in LAZYIMAGES." in record.getMessage()

    @override_settings(DEBUG=True)
    def test_leniently_with_debug_it_is_raised(self) -> None:
        with pytest.raises(UnknownSpec, match="'9x9' is not in LAZYIMAGES"):
            markup.parse_spec_leniently("9x9 480h")

    @given(st.text(max_size=40))
    def test_leniently_any_text_is_taken(self, text: str) -> None:
        allowed = {str(size) for size in conf.settings().whitelist}
        assert {str(size) for size in markup.parse_spec_leniently(text).sizes} <= allowed


class TestSrcsetAlwaysParses:
    @given(
        name=st.text(max_size=30) | st.text(max_size=20).map(lambda stem: f"photos/{stem}.jpg"),
        width=st.none() | st.integers(-5, 20_000),
        height=st.none() | st.integers(-5, 20_000),
        spec=st.sampled_from([SPEC, "480h", "card", "1280w 480h"]),
    )
    def test_whatever_name_and_dimensions_a_row_has(
        self, name: str, width: int | None, height: int | None, spec: str
    ) -> None:
        picture = markup.picture_of(Photo(image=name, width=width, height=height).image)
        printed = markup.srcset(picture, markup.parse_spec(spec))
        entries = parse_srcset(attribute_value(printed))
        for entry in entries:
            assert entry.url.startswith(f"{CDN}/")
            assert re.fullmatch(r"[1-9][0-9]*w", " ".join(entry.descriptors))
        assert ", ".join(f"{e.url} {e.descriptors[0]}" for e in entries) == printed
