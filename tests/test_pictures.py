"""What `picture`, `preload` and `img` choose for a row: formats, media ranges, placeholders, messages."""

import logging
import re
from collections.abc import Callable
from io import BytesIO
from typing import Any

import html5lib
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.template import Context, Engine
from django.test import Client, override_settings
from PIL import Image

from lazyimages import conf, markup, placeholders
from lazyimages.aws import documents
from lazyimages.markup import Picture, parse_spec
from lazyimages.markup.preloads import ranges
from tests.cases import AT, CARD_IMG, LAZYIMAGES, NAME, photo
from tests.conftest import CDN, jpeg, upload
from tests.drawing import LANGUAGES, draw, draw_django, element, parse_srcset
from tests.host.models import Blurred, Photo, PlainPhoto

COLOURS = placeholders.text(4, 3, bytes((200, 120, 40, 255)) * 12)
SEE_THROUGH = placeholders.text(4, 3, bytes((200, 120, 40, 90)) * 12)


@pytest.fixture(autouse=True)
def _settings(settings: Any) -> None:
    settings.LAZYIMAGES = LAZYIMAGES


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def children(printed: str) -> list[dict[str, str]]:
    """Return the attributes of every `<source>`, `<img>` and `<link>`, as a browser reads them."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    found = parser.parseFragment(printed).iter()
    return [dict(one.attrib) for one in found if one.tag in ("source", "img", "link")]


def draw_picture(picture: Picture, spec: str = "card", **options: Any) -> list[dict[str, str]]:
    return children(markup.picture(picture, parse_spec(spec), attributes=options))


class TestFormats:
    @pytest.mark.parametrize(
        ("offered", "name", "types"),
        [
            (["avif", "webp"], "a.jpg", ["avif", "webp"]),
            (["webp"], "a.png", ["webp"]),
            ([], "a.jpg", []),
            (["avif", "webp"], "a.webp", ["avif"]),  # its own is offered once, by the <img>
            (["avif", "webp"], "a.avif", []),  # nothing is better than its own
            (["avif", "webp", "jpeg"], "a.jpeg", ["avif", "webp"]),
            (["avif", "jpeg"], "a.tiff", ["avif"]),  # which is served as a JPEG
            (["avif", "webp"], "a.gif", ["avif", "webp"]),  # both of which move
            (["jpeg", "webp"], "a.gif", ["webp"]),  # and JPEG does not
            (["webp", "webp"], "a.jpg", ["webp"]),
        ],
    )
    def test_each_is_offered_once_and_the_best_first(
        self, lazy: Callable[..., None], offered: list[str], name: str, types: list[str]
    ) -> None:
        lazy(FORMATS=offered)
        *sources, last = draw_picture(Picture(name, 800, 600))
        assert [source["type"] for source in sources] == [f"image/{format}" for format in types]
        assert "type" not in last

    def test_what_is_offered_may_be_made(self) -> None:
        from lazyimages import keys

        for name in ("a.jpg", "a.gif", "a.tiff", "a.webp"):
            for found in draw_picture(Picture(name, 4000, 3000), "hero"):
                for entry in parse_srcset(found["srcset"]):
                    key = keys.parse(entry.url.removeprefix(f"{CDN}/"))
                    assert key.original == name
                    assert conf.settings().allows(key.size, key.format, keys.native_format(name))


class TestArtDirection:
    def test_every_source_has_the_dimensions_of_its_own_first_size(self) -> None:
        found = draw_picture(Picture("a.jpg", 600, 900), "hero")
        sides = {(one.get("media", ""), one["width"], one["height"]) for one in found}
        # The photo is smaller than the presets: nothing is enlarged, and proportions are kept.
        assert sides == {
            ("(max-width: 40rem)", "480", "600"),
            ("(max-width: 70rem) and (orientation: portrait)", "600", "600"),
            ("", "600", "900"),
        }

    def test_without_dimensions_in_the_row_only_crops_have_them(self) -> None:
        found = draw_picture(Picture("a.jpg"), "hero")
        assert [one.get("width") for one in found] == ["480"] * 3 + ["800"] * 3 + [None] * 3

    def test_an_authors_sizes_are_for_all_formats_and_his_width_for_the_img(self) -> None:
        *sources, last = draw_picture(Picture("a.jpg", 4000, 3000), sizes="33vw", width=90)
        assert [one["sizes"] for one in (*sources, last)] == ["33vw"] * 3
        assert last["width"] == "90"
        assert all("width" not in source for source in sources)

    def test_an_img_has_none_of_it(self) -> None:
        (found,) = children(markup.img(Picture("a.jpg"), parse_spec("hero"), attributes={}))
        assert [entry.url for entry in parse_srcset(found["srcset"])] == [
            f"{CDN}/1280w/a.jpg",
            f"{CDN}/640w/a.jpg",
        ]


class TestPreload:
    @pytest.mark.parametrize("spec", ["card", "hero", "480h", "480h 1280w", "1280w"])
    @pytest.mark.parametrize("name", ["a.jpg", "a.webp", "a.avif", "a.tiff"])
    def test_is_what_the_picture_has_first_for_each_range(self, spec: str, name: str) -> None:
        picture = Picture(name, 4000, 3000)
        first = {}
        for found in draw_picture(picture, spec):
            first.setdefault(found.get("media", ""), found)
        links = children(markup.preload(picture, parse_spec(spec), attributes={}))
        assert len(links) == len(first)
        for link, chosen in zip(links, first.values(), strict=True):
            assert link.get("type") == chosen.get("type")
            if "imagesrcset" in link:
                assert (link["imagesrcset"], link["imagesizes"]) == (chosen["srcset"], chosen["sizes"])
                assert "href" not in link
            else:
                assert link["href"] == (chosen.get("srcset") or chosen["src"]).split()[0]

    def test_priority_is_no_condition_for_it(self) -> None:
        (link,) = children(markup.preload(Picture("a.jpg"), parse_spec("card"), attributes={}))
        assert link["fetchpriority"] == "high"

    @pytest.mark.parametrize("width", [300, 640, 641, 900, 1120, 1121, 2000])
    @pytest.mark.parametrize("portrait", [True, False])
    @pytest.mark.parametrize("hover", [True, False])
    def test_one_range_holds_at_a_time_and_it_is_the_first_that_fits(
        self, lazy: Callable[..., None], width: int, portrait: bool, hover: bool
    ) -> None:
        media = [
            "(max-width: 40rem)",
            "(max-width: 70rem) and (orientation: portrait)",
            "not (hover)",
            "((hover) or (orientation: portrait)) and (not (max-width: 20rem))",
        ]
        sources = [{"media": one, "sizes": f"{number}00w"} for number, one in enumerate(media, 1)]
        lazy(PRESETS={"hero": {"sizes": "1280w", "sources": sources}})

        def holds(condition: str) -> bool:
            """Evaluate a condition as Python, whose `and`, `or`, `not` and brackets are the same."""
            condition = re.sub(r"\(max-width: (\d+)rem\)", rf"({width} <= \1 * 16)", condition)
            return bool(eval(condition.replace("orientation: portrait", "portrait"), {**values}))

        values = {"portrait": portrait, "hover": hover}
        found = list(ranges(parse_spec("hero")))
        held = [str(sizes[0]) for condition, sizes, _ in found if holds(condition)]
        first = next((f"{number}00w" for number, one in enumerate(media, 1) if holds(one)), "1280w")
        assert held == [first]


class TestPlaceholder:
    PICTURE = Picture("a.jpg", 800, 600, COLOURS)
    FOCUSED = Picture("a.AZ70KuRzw9.f3020.jpg", 800, 600, COLOURS)

    @staticmethod
    def style(picture: Picture, **options: Any) -> str | None:
        names = {"placeholder", "priority", "email"}
        arguments = {name: options.pop(name) for name in list(options) if name in names}
        printed = markup.img(picture, parse_spec("card"), attributes=options, **arguments)
        return element(printed)[1].get("style")

    def test_it_is_the_background(self) -> None:
        assert self.style(self.PICTURE) == f"background:{placeholders.background(COLOURS)}"
        assert "50% 50%/cover no-repeat" in (self.style(self.PICTURE) or "")

    def test_with_a_focal_point(self) -> None:
        style = self.style(self.FOCUSED)
        background = placeholders.background(COLOURS, (30, 20))
        assert style == f"object-position:30% 20%;background:{background}"
        assert "30% 20%/cover" in background

    def test_an_authors_style_comes_after(self) -> None:
        assert (self.style(self.FOCUSED, style="margin:0") or "").endswith(
            " 30% 20%/cover no-repeat;margin:0"
        )

    def test_without(self) -> None:
        assert self.style(self.PICTURE, placeholder=False) is None
        assert self.style(self.FOCUSED, placeholder=False) == "object-position:30% 20%"
        assert self.style(self.FOCUSED, style=None) is None
        assert self.style(self.FOCUSED, email=True) is None

    @pytest.mark.parametrize("text", ["", SEE_THROUGH, "!", "a", "%%%%", "x" * 36, "é"])
    def test_what_shows_no_colours_prints_nothing(self, text: str) -> None:
        assert self.style(Picture("a.jpg", 800, 600, text)) is None

    @pytest.mark.django_db
    def test_a_rows_own_is_printed_without_a_query(
        self, language: str, django_assert_num_queries: Any
    ) -> None:
        Blurred().image.save("bowl.jpg", upload(jpeg(400, 300)))
        source = '{% for row in rows %}{% picture row.image "card" %}{% endfor %}'
        for rows, shown in ((Blurred.objects.all(), True), (Blurred.objects.defer("placeholder"), False)):
            with django_assert_num_queries(1):
                printed = draw(language, source, rows=rows)
            assert ("background:#" in printed) is shown
            assert "url(data:image/png;base64," in printed or not shown

    def test_a_picture_element_has_it_once(self) -> None:
        printed = markup.picture(self.PICTURE, parse_spec("hero"), attributes={})
        assert printed.count("background:") == 1
        assert "placeholder" not in printed


class TestMessages:
    def draw(self, language: str, name: str = NAME) -> list[str]:
        context = {"photo": photo(name)}
        return [
            draw(language, '{% img photo "card" email=True %}', **context),
            draw(language, '{% image_url photo "card" email=True %}', **context),
        ]

    def test_local_delivery_takes_the_host_of_the_resizer(
        self, lazy: Callable[..., None], language: str
    ) -> None:
        lazy(DELIVERY="local", RESIZER_URL="https://Shop.example:8443/images/resizer")
        url = "https://shop.example:8443/images/v/produs_1/360x270/img.jpg"
        assert self.draw(language) == [f'<img src="{url}" width="360" height="270" alt="">', url]

    def test_without_a_host_there_is_nothing_and_a_line_in_the_log(
        self, lazy: Callable[..., None], language: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        lazy(DELIVERY="local", RESIZER_URL="")
        assert self.draw(language) == ["", ""]
        assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
            (logging.WARNING, "no absolute address: local delivery has no RESIZER_URL")
        ] * 2

    @override_settings(DEBUG=True)
    def test_with_debug_it_is_raised(self, lazy: Callable[..., None], language: str) -> None:
        lazy(DELIVERY="local", RESIZER_URL="")
        with pytest.raises(ImproperlyConfigured, match="RESIZER_URL"):
            self.draw(language)

    def test_in_a_format_that_mail_programs_show(self, lazy: Callable[..., None], language: str) -> None:
        assert self.draw(language, "a.webp")[1] == f"{CDN}/360x270/a.webp"
        lazy(FORMATS=["avif", "jpeg", "webp"])
        assert self.draw(language, "a.webp")[1] == f"{CDN}/360x270/a.webp.jpg"
        assert self.draw(language, "a.png")[1] == f"{CDN}/360x270/a.png"
        assert self.draw(language, "a.tiff")[1] == f"{CDN}/360x270/a.tiff.jpg"


class TestPriority:
    @pytest.mark.parametrize("tag", ["img", "picture"])
    @pytest.mark.parametrize(
        ("spec", "argument", "loading"),
        [
            ("hero", "", "eager"),
            ("hero", "priority=False", "lazy"),
            ("hero", "priority=None", "eager"),
            ("card", "", "lazy"),
            ("card", "priority=True", "eager"),
            ("card", "priority=None", "lazy"),
        ],
    )
    def test_the_argument_wins(self, language: str, tag: str, spec: str, argument: str, loading: str) -> None:
        printed = draw(language, f'{{% {tag} photo "{spec}" {argument} %}}', photo=photo())
        assert f'loading="{loading}"' in printed
        assert ("fetchpriority" in printed) == (loading == "eager")


class TestOtherLibraries:
    """`{% srcset %}` is also a tag of django-pictures' and of others'."""

    @staticmethod
    def draw(source: str) -> str:
        engine = Engine(
            libraries={
                "lazyimages": "lazyimages.templatetags.lazyimages",
                "gallery": "tests.host.other_tags",
            }
        )
        return engine.from_string(source).render(Context({"photo": photo()}))

    OURS, THEIRS = f"{AT}/480h/img.jpg 640w", "theirs"
    USE = '{% srcset photo "480h" %}'

    @pytest.mark.parametrize(
        ("load", "use", "printed"),
        [
            ("{% load gallery lazyimages %}", USE, OURS),
            ("{% load lazyimages gallery %}", USE, THEIRS),
            ("{% load gallery %}{% load lazyimages %}", USE, OURS),
            ("{% load lazyimages %}{% load srcset from gallery %}", USE, THEIRS),
            ("{% load gallery %}{% load srcset from lazyimages %}", USE, OURS),
            ("{% load gallery %}{% load img picture from lazyimages %}", USE, THEIRS),
            ("{% load lazyimages gallery %}", '{% lazyimages_srcset photo "480h" %}', OURS),
        ],
    )
    def test_what_is_loaded_last_has_the_short_name(self, load: str, use: str, printed: str) -> None:
        assert self.draw(load + use) == printed

    def test_both_in_one_template(self) -> None:
        source = (
            f"{{% load lazyimages gallery %}}{self.USE}|{self.USE.replace('srcset', 'lazyimages_srcset')}"
        )
        assert self.draw(source) == f"{self.THEIRS}|{self.OURS}"

    def test_in_jinja2_a_global_that_is_set_later_has_the_short_name(self) -> None:
        import jinja2

        from lazyimages.jinja import LazyImagesExtension

        environment = jinja2.Environment(extensions=[LazyImagesExtension], autoescape=True)
        environment.globals["srcset"] = lambda *args: self.THEIRS
        source = (
            '{{ srcset(photo, "480h") }}|{{ lazyimages_srcset(photo, "480h") }}|{% srcset photo "480h" %}'
        )
        printed = environment.from_string(source).render(photo=photo())
        assert printed == f"{self.THEIRS}|{self.OURS}|{self.OURS}"


class TestOnePlace:
    """A designer edits PRESETS, and whitelist, tags, resizer and bucket policy follow."""

    @pytest.mark.django_db
    def test_a_size_of_a_source_is_everywhere(self, client: Client, lazy: Callable[..., None]) -> None:
        row = Photo()
        row.image.save("bowl.jpg", upload(jpeg(1600, 1200)))

        def status(size: str) -> int:
            directory, _, file = row.image.name.rpartition("/")
            return client.get(f"/images/v/{directory}/{size}/{file}").status_code

        lazy(DELIVERY="local")
        assert status("444x555") == 404
        source = {"media": "(max-width: 40rem)", "sizes": "444x555"}
        lazy(PRESETS={"card": {"sizes": "333w", "sources": [source]}})
        assert [status("444x555"), status("333w")] == [200, 200]
        assert {"444x555", "333w"} <= set(map(str, conf.settings().whitelist))
        resources = documents.variant_resources("photos", conf.settings().whitelist, "aws")
        assert "arn:aws:s3:::photos/*/444x555/*" in resources
        for tag in ("srcset", "image_url", "img", "picture", "preload"):
            assert "333w" in draw_django(f'{{% {tag} photo "card" %}}', photo=row.image)
        printed = draw_django('{% picture photo "card" %}', photo=row.image)
        for found in children(printed):
            for entry in parse_srcset(found.get("srcset", "")):
                response = client.get(entry.url)
                assert response.status_code == 200
                with Image.open(BytesIO(response.content)) as image:
                    assert f"{image.width}w" == entry.descriptors[0]


class TestPlainImageField:
    def test_all_tags_take_it(self, language: str) -> None:
        plain = PlainPhoto(image=NAME).image
        assert draw(language, '{% img photo "card" %}', photo=plain) == CARD_IMG
        for tag in ("srcset", "image_url", "picture", "preload"):
            for spec in ("card", "hero", "1280w 640w"):
                printed = draw(language, f'{{% {tag} photo "{spec}" %}}', photo=plain)
                assert AT in printed
                if tag in ("picture", "preload"):
                    assert children(printed)
