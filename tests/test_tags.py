"""The tags as a page's author uses them: the same output from Django's templates and from Jinja2's."""

import logging
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import html5lib
import jinja2
import pytest
from django.core.files.storage import FileSystemStorage
from django.template import TemplateSyntaxError
from django.template import engines as template_engines
from django.test import Client, override_settings
from django.utils.safestring import mark_safe
from hypothesis import example, given
from hypothesis import strategies as st
from markupsafe import Markup
from PIL import Image

from lazyimages.markup import UnknownSpec
from tests.conftest import CDN, RESIZER, SIZES, jpeg, upload
from tests.drawing import LANGUAGES, attribute_value, draw, draw_django, draw_jinja, element, parse_srcset
from tests.host.caches import CountingCache
from tests.host.models import Bare, Photo, PlainPhoto

NAME = "produs_1/img.jpg"
BASE = "https://cdn.example/produs_1"
LAYOUT = "(min-width: 60rem) 25vw, 50vw"
SRCSET = f"{BASE}/360x270/img.jpg 360w, {BASE}/480h/img.jpg 640w, {BASE}/1280w/img.jpg 1280w"
CARD = (
    f'<img src="{BASE}/360x270/img.jpg"'
    f' srcset="{BASE}/360x270/img.jpg 360w, {BASE}/720x540/img.jpg 720w"'
    f' sizes="{LAYOUT}" width="360" height="270" loading="lazy" decoding="async" alt="Bowl">'
)
ALLOWED = "Allowed sizes: 360x270, 480h, 1280w, 720x540; presets: card."
EVERY_TAG = ("srcset", "image_url", "img", "picture", "preload")
SYNTAX_ERRORS = (TemplateSyntaxError, jinja2.TemplateSyntaxError)


@pytest.fixture(autouse=True)
def _settings(settings: Any) -> None:
    settings.LAZYIMAGES = {
        "SIZES": SIZES,
        "PRESETS": {"card": {"sizes": "360x270 720x540", "layout": LAYOUT}},
        "DELIVERY": "redirect",
        "CDN_URL": CDN,
        "RESIZER_URL": RESIZER,
    }


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Product:
    """What a template calls `product`."""

    def __init__(self, name: str = NAME, width: int | None = 4032, height: int | None = 3024) -> None:
        self.photo = Photo(image=name, width=width, height=height).image
        self.name = "Bowl"


class TestSrcset:
    def test_exactly(self, language: str) -> None:
        source = '<img srcset="{% srcset product.photo "360x270 480h 1280w" %}">'
        assert draw(language, source, product=Product()) == f'<img srcset="{SRCSET}">'

    def test_between_the_brackets_of_the_article(self) -> None:
        source = '<img srcset="<% srcset product.photo "360x270 480h 1280w" %>">'
        assert draw_jinja(source, brackets="<%%>", product=Product()) == f'<img srcset="{SRCSET}">'

    def test_a_preset_and_single_quotes(self, language: str) -> None:
        printed = draw(language, "{% srcset product.photo 'card' %}", product=Product())
        assert printed == f"{BASE}/360x270/img.jpg 360w, {BASE}/720x540/img.jpg 720w"

    def test_as_a_name_prints_nothing_until_used(self, language: str) -> None:
        source = '{% srcset product.photo "480h" as small %}[{{ small }}]'
        assert draw(language, source, product=Product()) == f"[{BASE}/480h/img.jpg 640w]"

    def test_a_variable_spec(self, language: str) -> None:
        source = "{% srcset product.photo wanted %}"
        printed = draw(language, source, product=Product(), wanted="480h 1280w")
        assert printed == f"{BASE}/480h/img.jpg 640w, {BASE}/1280w/img.jpg 1280w"

    def test_a_variable_that_names_a_preset(self, language: str) -> None:
        source = "{% srcset product.photo wanted %}"
        assert "720x540" in draw(language, source, product=Product(), wanted="card")

    def test_a_small_original_has_each_width_once(self, language: str) -> None:
        printed = draw(
            language, '{% srcset product.photo "360x270 480h 1280w" %}', product=Product(NAME, 300, 200)
        )
        assert printed == f"{BASE}/360x270/img.jpg 267w, {BASE}/480h/img.jpg 300w"

    def test_a_name_instead_of_a_file(self, language: str) -> None:
        assert draw(language, '{% srcset "a.jpg" "1280w" %}') == f"{CDN}/1280w/a.jpg 1280w"
        assert draw(language, '{% srcset name "1280w" %}', name="a.jpg") == f"{CDN}/1280w/a.jpg 1280w"


class TestImageUrl:
    @pytest.mark.parametrize("spec", ["360x270", "card", "360x270 1280w"])
    def test_is_that_of_the_first_size(self, language: str, spec: str) -> None:
        source = f'{{% image_url product.photo "{spec}" %}}'
        assert draw(language, source, product=Product()) == f"{BASE}/360x270/img.jpg"

    def test_as_a_name(self, language: str) -> None:
        source = '{% image_url product.photo "480h" as url %}<a href="{{ url }}">'
        assert draw(language, source, product=Product()) == f'<a href="{BASE}/480h/img.jpg">'

    def test_needs_no_dimensions(self, language: str) -> None:
        source = '{% image_url product.photo "480h" %}'
        assert draw(language, source, product=Product(NAME, None, None)) == f"{BASE}/480h/img.jpg"


class TestImg:
    def test_a_preset_exactly(self, language: str) -> None:
        assert draw(language, '{% img product.photo "card" alt=product.name %}', product=Product()) == CARD

    def test_as_a_name(self, language: str) -> None:
        source = '{% img product.photo "card" alt="Bowl" as picture %}<p>{{ picture }}</p>'
        assert draw(language, source, product=Product()) == f"<p>{CARD}</p>"

    def test_one_size_needs_no_srcset(self, language: str) -> None:
        assert draw(language, '{% img product.photo "480h" %}', product=Product()) == (
            f'<img src="{BASE}/480h/img.jpg" width="640" height="480" loading="lazy" decoding="async" alt="">'
        )

    def test_several_sizes_without_a_preset(self, language: str) -> None:
        printed = draw(language, '{% img product.photo "360x270 480h 1280w" %}', product=Product())
        assert element(printed)[1]["srcset"] == SRCSET
        assert element(printed)[1]["sizes"] == "100vw"  # which HTML wants beside widths

    def test_the_picture_that_is_seen_first(self, language: str) -> None:
        _, attributes = element(
            draw(language, '{% img product.photo "card" priority=True %}', product=Product())
        )
        assert attributes["loading"] == "eager"
        assert attributes["fetchpriority"] == "high"
        _, attributes = element(
            draw(language, '{% img product.photo "card" priority=False %}', product=Product())
        )
        assert attributes["loading"] == "lazy"
        assert "fetchpriority" not in attributes

    def test_attributes_are_added(self, language: str) -> None:
        source = '{% img product.photo "480h" class="wide round" data_x=5 data_zoom_to=url itemprop=True %}'
        printed = draw(language, source, product=Product(), url="/a?b=1&c=2")
        assert printed.endswith(
            ' alt="" class="wide round" data-x="5" data-zoom-to="/a?b=1&amp;c=2" itemprop>'
        )

    def test_attributes_replace_and_leave_out(self, language: str) -> None:
        source = '{% img product.photo "card" sizes="50vw" loading=None decoding=False width=12 %}'
        _, attributes = element(draw(language, source, product=Product()))
        assert attributes["sizes"] == "50vw"
        assert attributes["width"] == "12"
        assert {"loading", "decoding"}.isdisjoint(attributes)

    @pytest.mark.parametrize("alt", ["", "alt=None", "alt=False", "alt=nothing", 'alt=""'])
    def test_alt_is_always_there(self, language: str, alt: str) -> None:
        printed = draw(language, f'{{% img product.photo "480h" {alt} %}}', product=Product(), nothing=None)
        assert printed.count(' alt=""') == 1

    @pytest.mark.parametrize(
        ("text", "escaped"),
        [
            ('"><script>alert(1)</script>', "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"),
            ("Tom & Jerry", "Tom &amp; Jerry"),
            ("it's", "it&#x27;s"),
            ("a&copy=1", "a&amp;copy=1"),
        ],
    )
    def test_attributes_are_escaped_from_variables_and_literals(
        self, language: str, text: str, escaped: str
    ) -> None:
        expected = f' alt="{escaped}">'
        assert draw(language, "{% img p '480h' alt=text %}", p=NAME, text=text).endswith(expected)
        quoted = f"'{text}'" if "'" not in text else f'"{text}"'
        assert draw(language, f"{{% img p '480h' alt={quoted} %}}", p=NAME).endswith(expected)

    @pytest.mark.parametrize("safe", [mark_safe, Markup])
    def test_what_is_html_already_keeps_its_references_but_cannot_end_the_attribute(
        self, language: str, safe: Callable[[str], str]
    ) -> None:
        text = safe('Tom &amp; &#39;Jerry&#x27; & "><b>')
        printed = draw(language, '{% img p "480h" alt=text %}', p=NAME, text=text)
        assert printed.endswith(' alt="Tom &amp; &#39;Jerry&#x27; &amp; &quot;&gt;&lt;b&gt;">')

    def test_an_attribute_may_have_any_name(self, language: str) -> None:
        source = '{% img p "480h" file="a" spec="b" name="c" self="d" tag="e" class="f" for="g" %}'
        _, attributes = element(draw(language, source, p=NAME))
        expected = {"file": "a", "spec": "b", "name": "c", "self": "d", "tag": "e", "class": "f", "for": "g"}
        assert expected.items() <= attributes.items()

    def test_without_dimensions_in_the_row(self, language: str) -> None:
        printed = draw(language, '{% img p "480h 1280w" alt="x" %}', p=NAME)
        assert printed == (f'<img src="{BASE}/480h/img.jpg" loading="lazy" decoding="async" alt="x">')
        printed = draw(language, '{% img p "card" %}', p=NAME)
        assert 'width="360" height="270"' in printed


class TestNothing:
    @pytest.mark.parametrize(
        "source",
        [
            '{% srcset p "card" %}',
            '{% image_url p "card" %}',
            '{% img p "card" alt="x" %}',
            '{% img p "card" email=True %}',
            '{% image_url p "card" email=True %}',
            '{% picture p "card" alt="x" priority=True %}',
            '{% preload p "card" %}',
            '{% img p "card" as kept %}{{ kept }}',
        ],
    )
    @pytest.mark.parametrize(
        "context", [{"p": None}, {"p": ""}, {"p": 0}, {"p": Photo().image}, {"p": PlainPhoto().image}, {}]
    )
    def test_is_printed_for_what_is_not_there(
        self, language: str, source: str, context: dict[str, Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        assert draw(language, f"[{source}]", **context) == "[]"
        assert caplog.records == []

    def test_nor_with_string_if_invalid(self, caplog: pytest.LogCaptureFixture) -> None:
        for tag in EVERY_TAG:
            source = f'[{{% {tag} product.photo "card" %}}]'
            assert draw_django(source, string_if_invalid="INVALID %s") == "[]"
            assert draw_django(source, string_if_invalid="INVALID %s", product=None) == "[]"
            assert draw_django(source, string_if_invalid="invalid.jpg") == "[]"
        assert caplog.records == []

    def test_nor_for_an_attribute_that_jinja_does_not_know(self) -> None:
        assert draw_jinja('[{% srcset product.photo "card" %}]', product=object()) == "[]"

    @pytest.mark.parametrize("name", ["a.jpg.webp", "480h/a.jpg", "a.txt", "../a.jpg"])
    def test_is_printed_for_a_name_that_is_refused_which_is_logged(
        self, language: str, name: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        for tag in EVERY_TAG:
            caplog.clear()
            assert draw(language, f'{{% {tag} product.photo "card" %}}', product=Product(name)) == ""
            (record,) = caplog.records
            assert record.levelno == logging.WARNING
            assert record.getMessage().startswith("no variants: ")


class TestSizesOutsideTheWhitelist:
    @pytest.mark.parametrize("tag", EVERY_TAG)
    @pytest.mark.parametrize("spec", ["9x9", "480h 9x9"])
    def test_a_literal_one_is_a_syntax_error_that_names_the_allowed(
        self, language: str, tag: str, spec: str
    ) -> None:
        with pytest.raises(SYNTAX_ERRORS) as caught:
            draw(language, f'{{% if no %}}{{% {tag} photo "{spec}" %}}{{% endif %}}')
        assert str(caught.value).startswith(f"{tag}: The size '9x9' is not in LAZYIMAGES. {ALLOWED}")

    def test_a_literal_that_is_nothing(self, language: str) -> None:
        with pytest.raises(SYNTAX_ERRORS, match="srcset: 'hero' is neither a size nor a preset"):
            draw(language, '{% srcset photo "hero" %}')
        with pytest.raises(SYNTAX_ERRORS, match="srcset: An empty text asks for no size"):
            draw(language, '{% srcset photo "" %}')

    def test_one_from_a_variable_is_left_out_and_logged(
        self, language: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        printed = draw(language, "{% srcset product.photo s %}", product=Product(), s="9x9 480h")
        assert printed == f"{BASE}/480h/img.jpg 640w"
        (record,) = caplog.records
        assert (
            record.getMessage() == f"left out of the markup: The size '9x9' is not in LAZYIMAGES. {ALLOWED}"
        )

    @pytest.mark.parametrize("tag", EVERY_TAG)
    @pytest.mark.parametrize("spec", ["9x9", "", None, 480, "hero", ["480h"]])
    def test_nothing_is_left(self, language: str, tag: str, spec: Any) -> None:
        assert draw(language, f"{{% {tag} product.photo s %}}", product=Product(), s=spec) == ""
        assert draw(language, f"{{% {tag} product.photo missing %}}", product=Product()) == ""

    @override_settings(DEBUG=True)
    @pytest.mark.parametrize("tag", EVERY_TAG)
    def test_with_debug_it_is_raised(self, language: str, tag: str) -> None:
        with pytest.raises(UnknownSpec, match="'9x9' is not in LAZYIMAGES"):
            draw(language, f"{{% {tag} product.photo s %}}", product=Product(), s="9x9 480h")


class TestWrongUse:
    @pytest.mark.parametrize(
        ("source", "remedy"),
        [
            ("{% srcset %}", 'srcset product.photo "360x270 480h 1280w"'),
            ("{% img %}", 'img product.photo "360x270 480h 1280w"'),
            ("{% srcset product.photo %}", 'srcset product.photo "360x270 480h 1280w"'),
            ("{% image_url product.photo as url %}", 'image_url product.photo "360x270 480h 1280w"'),
            ('{% srcset product.photo "480h" "1280w" %}', "does not understand"),
            ('{% img product.photo "480h" wide %}', "'wide'; write attribute=value"),
            ('{% img product.photo "480h" alt="x" wide %}', "'wide'; write attribute=value"),
            ('{% img product.photo "480h" data-x="1" %}', "data_id for data-id"),
            (
                '{% srcset product.photo "480h" alt="x" %}',
                "no argument 'alt'; only img, picture and preload take",
            ),
            (
                '{% image_url product.photo "480h" alt="x" %}',
                "no argument 'alt'; only img, picture and preload take",
            ),
            ('{% img product.photo "480h" alt="x" alt="y" %}', "'alt' is there twice"),
            ('{% picture product.photo "480h" email=True %}', "no argument 'email'"),
            ('{% preload product.photo "480h" alt="x" %}', "no argument 'alt'"),
            ('{% preload product.photo "480h" priority=True %}', "no argument 'priority'"),
            ('{% lazyimages_srcset product.photo "480h" alt="x" %}', "no argument 'alt'"),
            ("{% lazyimages_img product.photo %}", 'lazyimages_img product.photo "360x270'),
            ('{% img product.photo "480h" _="x" %}', "'_' is no attribute's name"),
        ],
    )
    def test_names_the_remedy(self, language: str, source: str, remedy: str) -> None:
        with pytest.raises(SYNTAX_ERRORS) as caught:
            draw(language, source)
        assert remedy in str(caught.value)
        assert str(caught.value).startswith(f"{source.split()[1]}: ")


class TestPlainImageField:
    @pytest.fixture(autouse=True)
    def _no_storage(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*args: Any, **kwargs: Any) -> None:
            raise AssertionError("a tag opened storage")

        for method in ("_open", "exists", "size", "url", "path"):
            monkeypatch.setattr(FileSystemStorage, method, refuse)

    def test_prints_what_can_be_known_and_opens_nothing(self, language: str) -> None:
        photo = PlainPhoto(image="plain/img.jpg").image
        printed = draw(language, '{% srcset photo "360x270 480h 1280w" %}', photo=photo)
        assert printed == f"{CDN}/plain/360x270/img.jpg 360w, {CDN}/plain/1280w/img.jpg 1280w"
        _, attributes = element(draw(language, '{% img photo "card" %}', photo=photo))
        assert (attributes["width"], attributes["height"]) == ("360", "270")

    def test_rows_that_lack_dimensions_open_nothing(self, language: str) -> None:
        for photo in (Photo(image=NAME).image, Bare(image=NAME).image):
            printed = draw(language, '{% srcset photo "360x270 480h 1280w" %}', photo=photo)
            assert printed == f"{BASE}/360x270/img.jpg 360w, {BASE}/1280w/img.jpg 1280w"
            assert draw(language, '{% img photo "480h" %}', photo=photo) == (
                f'<img src="{BASE}/480h/img.jpg" loading="lazy" decoding="async" alt="">'
            )


PAGE = {
    "django": """{% for photo in photos %}
      {% srcset photo.image "360x270 480h 1280w" %}{% image_url photo.image "480h" %}
      {% img photo.image "360x270 480h 1280w" alt="x" priority=forloop.first %}
      {% img photo.image "card" as c %}
      {% picture photo.image "card" %}{% preload photo.image "card" %}
      {% image_url photo.image "card" email=True %}
      {% endfor %}""",
    "jinja": """{% for photo in photos %}
      {% srcset photo.image "360x270 480h 1280w" %}{% image_url photo.image "480h" %}
      {% img photo.image "360x270 480h 1280w" alt="x" priority=loop.first %}{% img photo.image "card" as c %}
      {{ srcset(photo.image, "card") }}{{ image_url(photo.image, "card") }}{{ img(photo.image, "card") }}
      {% picture photo.image "card" %}{% preload photo.image "card" %}
      {{ image_url(photo.image, "card", email=True) }}
      {% endfor %}""",
}


@pytest.mark.django_db
@pytest.mark.parametrize("dimensions", [(4032, 3024), (None, None)])
@pytest.mark.parametrize("mode", ["redirect", "failover", "local"])
def test_drawing_a_page_does_no_io_for_images(
    s3: Any,
    s3_calls: list[str],
    settings: Any,
    delivery: Callable[..., None],
    django_assert_num_queries: Any,
    language: str,
    mode: str,
    dimensions: tuple[int | None, int | None],
) -> None:
    delivery(mode)
    settings.CACHES = {"default": {"BACKEND": "tests.host.caches.CountingCache"}}
    width, height = dimensions
    Photo.objects.bulk_create(
        Photo(image=f"produs_{number}/img.AZ70KuRzw9.jpg", width=width, height=height) for number in range(24)
    )
    CountingCache.operations.clear()
    s3_calls.clear()
    with django_assert_num_queries(1):
        printed = draw(language, PAGE[language], photos=Photo.objects.order_by("pk"))
    assert all(f"produs_{number}/360x270/img.AZ70KuRzw9.jpg 360w" in printed for number in range(24))
    assert s3_calls == []
    assert CountingCache.operations == []


def test_the_counters_of_that_test_count(s3: Any, s3_calls: list[str], settings: Any) -> None:
    from django.core.cache import cache
    from django.core.files.storage import default_storage

    settings.CACHES = {"default": {"BACKEND": "tests.host.caches.CountingCache"}}
    CountingCache.operations.clear()
    default_storage.exists("a.jpg")
    cache.get("a")
    assert s3_calls == ["HeadObject"]
    assert CountingCache.operations == ["get a"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("width", "height", "orientation"), [(1600, 1200, 1), (1200, 1600, 1), (1600, 1200, 6), (300, 200, 1)]
)
def test_what_is_printed_is_what_is_served(
    client: Client, lazy: Callable[..., None], width: int, height: int, orientation: int
) -> None:
    lazy(DELIVERY="local")
    photo = Photo()
    photo.image.save("bowl.jpg", upload(jpeg(width, height, orientation)))

    def served(url: str) -> tuple[int, int]:
        response = client.get(url)
        assert response.status_code == 200
        with Image.open(BytesIO(response.content)) as image:
            return image.size

    for spec in ("360x270 480h 1280w", "480h", "card", "1280w 360x270"):
        _, attributes = element(draw("django", "{% img photo spec %}", photo=photo.image, spec=spec))
        assert served(attributes["src"]) == (int(attributes["width"]), int(attributes["height"]))
        for entry in parse_srcset(attributes.get("srcset", "")):
            assert f"{served(entry.url)[0]}w" == entry.descriptors[0]


def test_it_is_loaded_by_name_in_djangos_own_templates() -> None:
    source = '{% load lazyimages %}{% srcset product.photo "480h" %}'
    template = template_engines["django"].from_string(source)
    assert template.render({"product": Product()}) == f"{BASE}/480h/img.jpg 640w"


def test_autoescaping_switched_off_changes_nothing() -> None:
    source = "{% autoescape off %}{% img p 'card' alt=text %}{% endautoescape %}"
    printed = draw_django(source, p=NAME, text='"><b>')
    assert 'alt="&quot;&gt;&lt;b&gt;"' in printed


def test_a_template_can_be_drawn_again(tmp_path: Path) -> None:
    source = '{% for photo in photos %}{% img photo "480h" class=c %}{% endfor %}'
    photos = ["a.jpg", "b.jpg"]
    assert draw_django(source, photos=photos, c="x").count('class="x"') == 2


DATA = st.text(max_size=25)


class TestData:
    @given(
        name=DATA | DATA.map(lambda stem: f"photos/{stem}.jpg"),
        width=st.none() | st.integers(-3, 9999) | DATA,
        height=st.none() | st.integers(-3, 9999) | DATA,
        spec=DATA | st.sampled_from(["360x270 480h 1280w", "card", "480h", "9x9 480h"]),
        alt=DATA | st.none() | st.booleans() | st.integers() | DATA.map(mark_safe),
    )
    @example(name="a.jpg", width=5, height=5, spec="card", alt=mark_safe('"><script>'))
    @example(name='".jpg', width=0, height=5, spec="480h", alt="\x00")
    def test_none_makes_a_tag_raise_or_print_what_a_browser_reads_otherwise(
        self, name: str, width: Any, height: Any, spec: str, alt: Any
    ) -> None:
        photo = Photo(image=name)
        photo.width, photo.height = width, height
        context = {"p": photo.image, "s": spec, "alt": alt, "p_": None}
        for tag in (
            *("srcset p s", "image_url p s", "preload p s data_x=alt"),
            *("img p s alt=alt data_x=alt", "picture p s alt=alt sizes=alt style=alt priority=alt"),
        ):
            printed = draw_django(f"{{% {tag} %}}", **context)
            assert draw_jinja(f"{{% {tag} %}}", **context) == printed
            if tag.startswith(("picture", "preload")):
                if is_html(str(alt)):
                    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
                    elements = {found.tag for found in parser.parseFragment(printed).iter()}
                    assert elements <= {"DOCUMENT_FRAGMENT", "picture", "source", "img", "link"}
            elif not tag.startswith("img"):
                assert all(entry.url.startswith(CDN) for entry in parse_srcset(attribute_value(printed)))
            elif printed and is_html(str(alt)):
                name_, attributes = element(printed)
                assert name_ == "img"
                assert set(attributes) <= {
                    *("src", "srcset", "sizes", "width", "height", "loading", "decoding", "alt", "data-x")
                }
                if isinstance(alt, str) and not hasattr(alt, "__html__"):
                    assert attributes["alt"] == attributes["data-x"] == alt
                assert all(e.url.startswith(CDN) for e in parse_srcset(attributes.get("srcset", "")))


def is_html(text: str) -> bool:
    """Tell whether a document can hold a text at all, and gives it back unchanged."""
    return not any(
        ord(c) < 32 or 127 <= ord(c) < 160 or 0xFDD0 <= ord(c) <= 0xFDEF or ord(c) & 0xFFFE == 0xFFFE
        for c in text
    )
