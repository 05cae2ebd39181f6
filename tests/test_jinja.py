"""What only Jinja2 has: the tags as globals, and its own syntax around the statement form."""

from typing import Any

import jinja2
import pytest
from django.template.backends.jinja2 import Jinja2
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from lazyimages.jinja import LazyImagesExtension
from tests.conftest import CDN, RESIZER, SIZES
from tests.drawing import draw_jinja, element
from tests.host.models import Photo

NAME = "produs_1/img.jpg"
URL = f"{CDN}/produs_1/480h/img.jpg"


@pytest.fixture(autouse=True)
def _settings(settings: Any) -> None:
    settings.LAZYIMAGES = {
        "SIZES": SIZES,
        "PRESETS": {"card": {"sizes": "360x270 720x540", "layout": "50vw"}},
        "DELIVERY": "redirect",
        "CDN_URL": CDN,
        "RESIZER_URL": RESIZER,
    }


@pytest.fixture
def photo() -> Any:
    return Photo(image=NAME, width=4032, height=3024).image


class TestGlobals:
    def test_print_what_the_statements_print(self, photo: Any) -> None:
        for call, statement in (
            ('srcset(photo, "480h 1280w")', 'srcset photo "480h 1280w"'),
            ('image_url(photo, "480h")', 'image_url photo "480h"'),
            (
                'img(photo, "card", alt="a & b", priority=True)',
                'img photo "card" alt="a & b" priority=True',
            ),
        ):
            printed = draw_jinja(f"{{{{ {call} }}}}", photo=photo)
            assert printed == draw_jinja(f"{{% {statement} %}}", photo=photo)
            assert URL in printed or "card" in call

    def test_their_values_are_safe_and_can_be_kept(self, photo: Any) -> None:
        source = '{% set picture = img(photo, "480h", alt="<") %}{{ picture }}'
        assert draw_jinja(source, photo=photo).endswith(' alt="&lt;">')

    def test_the_exact_value(self, photo: Any) -> None:
        assert draw_jinja('{{ srcset(photo, "480h") }}', photo=photo) == f"{URL} 640w"

    def test_print_nothing_for_what_is_not_there(self) -> None:
        assert draw_jinja('[{{ srcset(missing, "480h") }}{{ img(none, "card") }}]') == "[]"

    def test_sizes_outside_the_whitelist_are_left_out(
        self, photo: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert draw_jinja('{{ srcset(photo, "9x9 480h") }}', photo=photo) == f"{URL} 640w"
        assert "'9x9' is not in LAZYIMAGES" in caplog.text

    def test_attributes_from_a_dictionary_may_have_any_name_of_html(self, photo: Any) -> None:
        attributes = {"@click": "open()", "x-on:click.prevent": "a", "data_x": 1}
        printed = draw_jinja('{{ img(photo, "480h", **attributes) }}', photo=photo, attributes=attributes)
        assert printed.endswith(' alt="" @click="open()" x-on:click.prevent="a" data-x="1">')

    def test_large_letters_are_small_ones_to_a_browser(self, photo: Any) -> None:
        """Of two attributes with one name it takes the first, and the page is not valid."""
        attributes = {"ALT": "x", "Style": "margin:0", "SRC": "/a.jpg", "Loading": None}
        printed = draw_jinja('{{ img(photo, "480h", **attributes) }}', photo=photo, attributes=attributes)
        assert printed == (
            '<img src="/a.jpg" width="640" height="480" decoding="async" alt="x" style="margin:0">'
        )

    @pytest.mark.parametrize("name", ["a b", 'a"', "a>", "a/b", "a=b", "", "_", "a\n", "a'", "a<"])
    def test_other_names_are_left_out_and_logged(
        self, photo: Any, name: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        printed = draw_jinja('{{ img(photo, "480h", **a) }}', photo=photo, a={name: "x", "id": "y"})
        assert printed.endswith(' alt="" id="y">')
        assert "is no attribute's name" in caplog.text
        element(printed)


class TestStatements:
    @pytest.mark.parametrize(
        "source",
        [
            '{%- srcset photo "480h" -%}',
            '{% srcset photos[0] "480h" %}',
            '{% srcset row["image"] "480h" %}',
            '{% srcset get() "480h" %}',
            "{% srcset photo wanted.small %}",
            '{% srcset missing|default(photo) "480h" %}',
        ],
    )
    def test_expressions(self, photo: Any, source: str) -> None:
        context = {
            "photo": photo,
            "photos": [photo],
            "row": {"image": photo},
            "get": lambda: photo,
            "wanted": {"small": "480h"},
        }
        assert draw_jinja(source, **context) == f"{URL} 640w"

    @pytest.mark.parametrize(
        "source", ['{% srcset photo "480" ~ "h" %}', '{% srcset photo, "480h" %}', "{% srcset photo ( %}"]
    )
    def test_operators_and_commas_have_no_place_between_the_parts(self, source: str) -> None:
        with pytest.raises(jinja2.TemplateSyntaxError):
            draw_jinja(source)

    def test_a_string_is_an_image_of_its_own(self) -> None:
        assert draw_jinja('{% srcset "a.jpg" "1280w" %}') == f"{CDN}/1280w/a.jpg 1280w"

    def test_a_variable_of_the_same_name_is_not_in_the_way(self, photo: Any) -> None:
        assert draw_jinja('{% srcset img "480h" %}', img=photo, srcset="x") == f"{URL} 640w"
        assert (
            draw_jinja('{% for img in [photo] %}{% image_url img "480h" %}{% endfor %}', photo=photo) == URL
        )

    def test_as_takes_one_name(self, photo: Any) -> None:
        with pytest.raises(jinja2.TemplateSyntaxError):
            draw_jinja('{% srcset photo "480h" as a, b %}', photo=photo)

    def test_as_keeps_within_its_scope(self, photo: Any) -> None:
        source = '{% for p in [photo] %}{% srcset p "480h" as s %}{{ s }}{% endfor %}[{{ s }}]'
        assert draw_jinja(source, photo=photo) == f"{URL} 640w[]"

    def test_inside_a_macro_and_an_include(self, photo: Any) -> None:
        templates = {
            "page": '{% macro m(p) %}{% image_url p "480h" %}{% endmacro %}{{ m(photo) }} '
            '{% include "part" %}',
            "part": '{% image_url photo "480h" %}',
        }
        environment = jinja2.Environment(
            loader=jinja2.DictLoader(templates), extensions=[LazyImagesExtension], autoescape=True
        )
        assert environment.get_template("page").render(photo=photo) == f"{URL} {URL}"

    def test_errors_tell_template_and_line(self) -> None:
        environment = jinja2.Environment(
            loader=jinja2.DictLoader({"page.html": '\n\n{% srcset photo "9x9" %}'}),
            extensions=[LazyImagesExtension],
        )
        with pytest.raises(jinja2.TemplateSyntaxError) as caught:
            environment.get_template("page.html")
        assert (caught.value.name, caught.value.lineno) == ("page.html", 3)

    def test_between_other_brackets_for_everything(self, photo: Any) -> None:
        source = '<% if photo %><% img photo "480h" alt=name class_="x" %><% endif %>'
        printed = draw_jinja(source, brackets="<%%>", photo=photo, name="a < b")
        assert printed == (
            f'<img src="{URL}" width="640" height="480" loading="lazy" decoding="async"'
            ' alt="a &lt; b" class="x">'
        )


class TestEnvironments:
    def test_without_autoescaping(self, photo: Any) -> None:
        environment = jinja2.Environment(extensions=[LazyImagesExtension], autoescape=False)
        template = environment.from_string(
            '{% img photo "480h" alt=text %}{{ img(photo, "480h", alt=text) }}'
        )
        assert template.render(photo=photo, text='"><b>').count('alt="&quot;&gt;&lt;b&gt;"') == 2

    def test_sandboxed(self, photo: Any) -> None:
        environment = SandboxedEnvironment(extensions=[LazyImagesExtension], autoescape=True)
        template = environment.from_string('{% image_url photo "480h" %} {{ image_url(photo, "480h") }}')
        assert template.render(photo=photo) == f"{URL} {URL}"

    def test_strict_undefined_is_the_projects_own_wish(self) -> None:
        environment = jinja2.Environment(extensions=[LazyImagesExtension], undefined=jinja2.StrictUndefined)
        with pytest.raises(jinja2.UndefinedError):
            environment.from_string('{% srcset missing "480h" %}').render()

    def test_asynchronous(self, photo: Any) -> None:
        environment = jinja2.Environment(extensions=[LazyImagesExtension], enable_async=True, autoescape=True)
        assert environment.from_string('{% image_url photo "480h" %}').render(photo=photo) == URL

    def test_djangos_backend(self, photo: Any) -> None:
        backend = Jinja2(
            {
                "NAME": "jinja2",
                "DIRS": [],
                "APP_DIRS": False,
                "OPTIONS": {
                    "extensions": ["lazyimages.jinja.LazyImagesExtension"],
                    "block_start_string": "<%",
                    "block_end_string": "%>",
                },
            }
        )
        template = backend.from_string('<% srcset photo "480h" %>')
        assert template.render({"photo": photo}) == f"{URL} 640w"

    def test_values_are_markup(self, photo: Any) -> None:
        environment = jinja2.Environment(extensions=[LazyImagesExtension])
        assert isinstance(environment.globals["img"](photo, "480h"), Markup)
