"""The LAZYIMAGES setting: its defaults, and every mistake by its check, its text and its remedy."""

import dataclasses
import math
import os
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from lazyimages import conf, formats, sizes
from lazyimages.conf import Problem

KEYS = [
    "SIZES FORMATS PRESETS CDN_URL DELIVERY RESIZER_URL CORS_ORIGINS ORIGINALS VARIANTS ENGINE QUALITY",
    "BACKGROUND ANIMATION EFFORT CACHE CACHE_CONTROL MAX_PIXELS MAX_BYTES MAX_RENDERS RENDER_WAIT THREADS",
    "ORIGIN_SECRET DISTRIBUTION_ID EXPIRE_VARIANTS_DAYS CLEANUP DIRECT_UPLOADS",
]


def problem_of(**parts: Any) -> Problem:
    """Return the only mistake."""
    _, problems = conf.read(parts)
    (problem,) = problems
    return problem


def value_of(**parts: Any) -> Any:
    """Return what one part is read as."""
    settings, problems = conf.read(parts)
    assert problems == []
    (key,) = parts
    return getattr(settings, key.lower())


def texts(found: Any) -> list[str]:
    return [str(size) for size in found]


class TestDefaults:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("sizes", ()),
            ("formats", ()),
            ("presets", {}),
            ("cdn_url", ""),
            ("delivery", "local"),
            ("resizer_url", ""),
            ("originals", "default"),
            ("variants", "lazyimages"),
            ("engine", "lazyimages.engines.pillow.PillowEngine"),
            ("quality", {"jpeg": 80, "webp": 80, "avif": 52}),
            ("background", "#ffffff"),
            ("animation", "keep"),
            ("effort", "fast"),
            ("cache", "default"),
            ("cache_control", "public, max-age=31536000, immutable"),
            ("max_pixels", 100_000_000),
            ("max_bytes", 40 * 2**20),
            ("max_renders", os.cpu_count()),
            ("render_wait", 10),
            ("threads", None),
            ("origin_secret", None),
            ("distribution_id", None),
            ("expire_variants_days", None),
            ("cleanup", True),
            ("direct_uploads", None),
            ("whitelist", {}),
        ],
    )
    def test_without_any_setting(self, settings: Any, name: str, value: Any) -> None:
        del settings.LAZYIMAGES
        assert getattr(conf.settings(), name) == value

    def test_there_is_a_part_for_every_key_and_no_other(self) -> None:
        names = {field.name for field in dataclasses.fields(conf.Settings)}
        assert {key.lower() for line in KEYS for key in line.split()} == names - {"whitelist"}

    def test_an_empty_dictionary_is_the_defaults(self) -> None:
        settings, problems = conf.read({})
        assert problems == []
        assert dataclasses.asdict(settings) == dataclasses.asdict(conf.Settings())

    def test_none_renders_is_one_a_processor(self) -> None:
        assert value_of(MAX_RENDERS=None) == os.cpu_count()
        assert value_of(MAX_RENDERS=3) == 3

    def test_it_is_frozen(self) -> None:
        with pytest.raises(dataclasses.FrozenInstanceError):
            conf.settings().delivery = "failover"  # type: ignore[misc]


class TestGoodValues:
    def test_sizes_as_a_list_or_as_words_each_once(self) -> None:
        assert texts(value_of(SIZES=["360x270", "480h", "360x270"])) == ["360x270", "480h"]
        assert texts(value_of(SIZES=" 360x270\n480h ")) == ["360x270", "480h"]
        assert texts(value_of(SIZES=("1280w",))) == ["1280w"]

    def test_the_whitelist_is_sizes_and_then_those_of_presets(self) -> None:
        parts = {
            "PRESETS": {"card": {"sizes": "720x540 480h"}, "hero": {"sizes": ["1920w"], "layout": "100vw"}},
            "SIZES": ["360x270", "480h"],
        }
        settings, problems = conf.read(parts)
        assert problems == []
        assert texts(settings.whitelist) == ["360x270", "480h", "720x540", "1920w"]
        assert settings.presets["hero"].layout == "100vw"
        assert settings.presets["card"].layout == ""

    def test_formats(self) -> None:
        assert value_of(FORMATS=["avif", "webp"]) == (formats.AVIF, formats.WEBP)

    def test_quality_keeps_what_is_not_named(self) -> None:
        assert value_of(QUALITY={"webp": 70}) == {"jpeg": 80, "webp": 70, "avif": 52}

    @pytest.mark.parametrize(
        ("given_url", "read"),
        [
            ("https://cdn.example", "https://cdn.example"),
            ("https://cdn.example/", "https://cdn.example"),
            ("http://127.0.0.1:8000/images/resizer", "http://127.0.0.1:8000/images/resizer"),
            ("http://[::1]:8000", "http://[::1]:8000"),
            ("https://cdn.example/photos/", "https://cdn.example/photos"),
            ("", ""),
        ],
    )
    @pytest.mark.parametrize("key", ["CDN_URL", "RESIZER_URL"])
    def test_urls_lose_the_last_slash(self, key: str, given_url: str, read: str) -> None:
        assert value_of(**{key: given_url}) == read

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("DELIVERY", "failover"),
            ("BACKGROUND", "#1a2B3c"),
            ("ANIMATION", "first"),
            ("EFFORT", "small"),
            ("CACHE_CONTROL", "public, max-age=60"),
            ("MAX_PIXELS", 1),
            ("RENDER_WAIT", 0.5),
            ("THREADS", 16),
            ("ORIGIN_SECRET", "a long one"),
            ("ORIGIN_SECRET", None),
            ("DISTRIBUTION_ID", "E2QWRUHEXAMPLE"),
            ("EXPIRE_VARIANTS_DAYS", 90),
            ("EXPIRE_VARIANTS_DAYS", None),
            ("CLEANUP", False),
        ],
    )
    def test_kept_as_they_are(self, key: str, value: Any) -> None:
        assert value_of(**{key: value}) == value

    def test_what_may_be_made(self) -> None:
        settings, _ = conf.read({"SIZES": ["480h"], "FORMATS": ["webp"]})
        size, other = sizes.parse("480h"), sizes.parse("481h")
        assert settings.allows(size, formats.JPEG, formats.JPEG)
        assert settings.allows(size, formats.WEBP, formats.JPEG)
        assert not settings.allows(size, formats.AVIF, formats.JPEG)
        assert not settings.allows(other, formats.JPEG, formats.JPEG)


MISTAKES = [
    ("E002", {"SIZES": 360}, "360 is not a list of sizes.", '["360x270", "480h", "1280w"]'),
    ("E002", {"SIZES": ["360 x 270"]}, "'360 x 270' is not a size", "Correct it"),
    ("E002", {"SIZES": ["0360x270"]}, "no leading zeros", "Correct it"),
    ("E002", {"SIZES": "10000w"}, "from 1 to 9999", "Correct it"),
    ("E002", {"SIZES": [None]}, "'None' is not a size", "Correct it"),
    ("E005", {"PRESETS": ["card"]}, "['card'] is not a dictionary", "docs/settings.md"),
    ("E005", {"PRESETS": {5: {}}}, "is not a dictionary whose keys are texts", "docs/settings.md"),
    ("E005", {"PRESETS": {"480h": {"sizes": "480h"}}}, "'480h' cannot be told from", "such as 'card'"),
    ("E005", {"PRESETS": {"9x9": {"sizes": "480h"}}}, "'9x9' cannot be told from", "such as 'card'"),
    ("E005", {"PRESETS": {"a b": {"sizes": "480h"}}}, "'a b' cannot be told from", "one word"),
    ("E005", {"PRESETS": {"": {"sizes": "480h"}}}, "'' cannot be told from", "one word"),
    ("E005", {"PRESETS": {"card": "480h"}}, "'card': '480h' is not a dictionary", "docs/settings.md"),
    ("E005", {"PRESETS": {"card": {}}}, "'card': there are no sizes", '"sizes": "360x270 720x540"'),
    ("E005", {"PRESETS": {"card": {"sizes": "big"}}}, "'card': 'big' is not a size", "Correct it"),
    ("E005", {"PRESETS": {"card": {"sizes": "9w", "size": ""}}}, "the part 'size' is unknown", "'layout'"),
    ("E005", {"PRESETS": {"card": {"sizes": "9w", "layout": 50}}}, "'card': 50 is not a text", "string"),
    ("E005", {"PRESETS": {"card": {"sizes": "9w", "layout": "5\nvw"}}}, "control characters", "one line"),
    ("E005", {"PRESETS": {"card": {"sizes": "9w", "priority": 1}}}, "'card': 1 is neither", "True or False"),
    ("E005", {"PRESETS": {"card": {"sizes": "9w", "sources": {}}}}, "'sources' is not a list", "Write [{"),
    ("E004", {"FORMATS": "webp"}, "'webp' is not a list", '["avif", "webp"]'),
    ("E004", {"FORMATS": ["jxl"]}, "'jxl' is not one", "jpeg, png, gif, webp, avif."),
    ("E004", {"FORMATS": ["tiff"]}, "'tiff' is not one", "Choose from"),
    ("E004", {"FORMATS": [["webp"]]}, "['webp'] is not one", "Choose from"),
    ("E004", {"CDN_URL": "cdn.example"}, "'cdn.example' is not the absolute URL", "scheme and host"),
    ("E004", {"CDN_URL": "//cdn.example"}, "not the absolute URL", "scheme and host"),
    ("E004", {"CDN_URL": "ftp://cdn.example"}, "not the absolute URL", "https://"),
    ("E004", {"CDN_URL": "https://"}, "not the absolute URL", "scheme and host"),
    ("E004", {"CDN_URL": "https://:443"}, "not the absolute URL", "scheme and host"),
    ("E004", {"CDN_URL": "https://cdn.example:http"}, "not the absolute URL", "scheme and host"),
    ("E004", {"CDN_URL": "https://[cdn.example"}, "not the absolute URL", "scheme and host"),
    ("E004", {"CDN_URL": "https://cdn.example/?"}, "not the absolute URL", "without ?"),
    ("E004", {"CDN_URL": "https://cdn.example/#a"}, "not the absolute URL", "without ?"),
    ("E004", {"CDN_URL": "https://cdn.example/a b"}, "not the absolute URL", "spaces"),
    ("E004", {"CDN_URL": "https://cdn.example\n"}, "no HTTP header", "printable ASCII"),
    ("E004", {"CDN_URL": None}, "None is not a text", "string"),
    ("E004", {"DELIVERY": "cdn"}, "'cdn' is not one", "Choose from local, redirect, failover."),
    ("E004", {"DELIVERY": ["local"]}, "['local'] is not one", "Choose from"),
    ("E004", {"RESIZER_URL": "/images/resizer"}, "not the absolute URL", "scheme and host"),
    ("E004", {"RESIZER_URL": "https://shop.example/r?key="}, "not the absolute URL", "without ?"),
    ("E004", {"CORS_ORIGINS": ["https://shop.example/x"]}, "is not an origin", "scheme and host alone"),
    ("E004", {"ORIGINALS": None}, "None is not a text", "string"),
    ("E004", {"VARIANTS": 5}, "5 is not a text", "string"),
    ("E004", {"ENGINE": object}, "is not a text", "string"),
    ("E004", {"QUALITY": 80}, "80 is not a dictionary", "docs/settings.md"),
    ("E004", {"QUALITY": {"png": 80}}, "'png' is not one", "jpeg, webp, avif."),
    ("E004", {"QUALITY": {"jpeg": 0}}, "0 is out of range", "from 1 to 100"),
    ("E004", {"QUALITY": {"jpeg": 101}}, "101 is out of range", "from 1 to 100"),
    ("E004", {"QUALITY": {"jpeg": "80"}}, "'80' is out of range", "whole number"),
    ("E004", {"BACKGROUND": "white"}, "'white' is not a colour", "#ffffff"),
    ("E004", {"BACKGROUND": "#fff"}, "'#fff' is not a colour", "#ffffff"),
    ("E004", {"BACKGROUND": "#ffffff\n"}, "is not a colour", "#ffffff"),
    ("E004", {"ANIMATION": "drop"}, "'drop' is not one", "keep, first."),
    ("E004", {"EFFORT": 6}, "6 is not one", "fast, small."),
    ("E004", {"CACHE": None}, "None is not a text", "string"),
    ("E004", {"CACHE_CONTROL": "public\r\nSet-Cookie: a=b"}, "no HTTP header", "printable ASCII"),
    ("E004", {"CACHE_CONTROL": "é"}, "no HTTP header", "printable ASCII"),
    ("E004", {"MAX_PIXELS": 0}, "0 is out of range", "whole number from 1"),
    ("E004", {"MAX_PIXELS": 1e8}, "out of range", "whole number"),
    ("E004", {"MAX_BYTES": True}, "True is out of range", "whole number"),
    ("E004", {"MAX_RENDERS": 0}, "0 is out of range", "from 1 to 1024"),
    ("E004", {"THREADS": 0}, "0 is out of range", "from 1 to 1024"),
    ("E004", {"RENDER_WAIT": 0}, "0 is out of range", "at most 300"),
    ("E004", {"RENDER_WAIT": 301}, "301 is out of range", "at most 300"),
    ("E004", {"RENDER_WAIT": math.nan}, "nan is out of range", "seconds"),
    ("E004", {"RENDER_WAIT": "10"}, "'10' is out of range", "seconds"),
    ("E004", {"RENDER_WAIT": True}, "True is out of range", "seconds"),
    ("E004", {"ORIGIN_SECRET": ""}, "no secret", "random"),
    ("E004", {"ORIGIN_SECRET": "a\nb"}, "no secret", "ASCII"),
    ("E004", {"DISTRIBUTION_ID": 5}, "5 is not a text", "string"),
    ("E004", {"EXPIRE_VARIANTS_DAYS": 0}, "0 is out of range", "from 1 to 36500"),
    ("E004", {"CLEANUP": 1}, "1 is neither True nor False", "True or False"),
    ("E004", {"DIRECT_UPLOADS": True}, "True is not a text", "string"),
]


NARROW = "(max-width: 40rem)"
SOURCE_MISTAKES = [
    ("480x600", "source 1: '480x600' is not a dictionary", "docs/settings.md"),
    ({"sizes": "9w"}, "source 1: there is no media.", "(max-width: 40rem)"),
    ({"sizes": "9w", "media": " "}, "source 1: there is no media.", "(max-width: 40rem)"),
    ({"sizes": "9w", "media": 40}, "source 1: 40 is not a text.", "string"),
    ({"sizes": "9w", "media": "max-width: 40rem"}, "'max-width: 40rem' has no brackets", "in brackets"),
    ({"sizes": "9w", "media": "print"}, "'print' has no brackets", "screen and print have no place"),
    ({"sizes": "9w", "media": f"screen and {NARROW}"}, "is no condition in brackets", "have no place"),
    ({"sizes": "9w", "media": f"{NARROW}, (width < 9rem)"}, "has a comma", "`or`"),
    ({"sizes": "9w", "media": f"{NARROW} (hover)"}, "is no condition in brackets", "and, or, not"),
    ({"sizes": "9w", "media": f"{NARROW} and (hover) or (print)"}, "is no condition", "and, or, not"),
    ({"sizes": "9w", "media": f"not {NARROW} and (hover)"}, "is no condition in brackets", "and, or, not"),
    ({"sizes": "9w", "media": f"{NARROW}and(hover)"}, "is no condition in brackets", "and, or, not"),
    ({"sizes": "9w", "media": "((max-width: 40rem)"}, "is no condition in brackets", "in brackets"),
    ({"sizes": "9w", "media": ")("}, "is no condition in brackets", "in brackets"),
    ({"sizes": "9w", "media": "( )"}, "has brackets with nothing in them", "(max-width: 40rem)"),
    ({"sizes": "9w", "media": '(a: "b")'}, "characters that no condition has", "in brackets"),
    ({"sizes": "9w", "media": "(a)\n"}, None, None),
    ({"sizes": "9w", "media": "(a\n)"}, "characters that no condition has", "in brackets"),
    ({"media": NARROW}, "source 1: there are no sizes.", '"sizes": "360x270'),
    ({"media": NARROW, "sizes": "big"}, "source 1: 'big' is not a size", "Correct it"),
    ({"media": NARROW, "sizes": "9w", "layout": None}, "source 1: None is not a text", "string"),
    ({"media": NARROW, "sizes": "9w", "priority": True}, "the part 'priority' is unknown", "'layout'"),
]


class TestPresets:
    @pytest.mark.parametrize(("source", "message", "hint"), SOURCE_MISTAKES, ids=lambda part: str(part)[:60])
    def test_every_mistake_in_a_source_is_named(
        self, source: object, message: str | None, hint: str | None
    ) -> None:
        _, problems = conf.read({"PRESETS": {"hero": {"sizes": "1280w", "sources": [source]}}})
        if message is None or hint is None:
            assert problems == []
            return
        (problem,) = problems
        assert problem.check == "E005"
        assert problem.message.startswith("LAZYIMAGES['PRESETS']: the preset 'hero': source 1: ")
        assert message in problem.message
        assert hint in problem.hint

    def test_the_source_is_named_by_its_number(self) -> None:
        sources = [{"media": NARROW, "sizes": "9w"}, {"media": f" {NARROW}", "sizes": "8w"}]
        problem = problem_of(PRESETS={"hero": {"sizes": "1280w", "sources": sources}})
        assert problem.message.endswith(f"source 2: {NARROW!r} is there twice.")

    @pytest.mark.parametrize(
        "media",
        [
            NARROW,
            "(width < 40rem)",
            "(10rem <= width < 40rem)",
            "not (hover)",
            "NOT (hover)",
            "(hover) and (max-width: 40rem) and (color)",
            "(hover) or (max-width: calc(40rem - 1px))",
            "((hover) or (color)) and (not (max-width: 40rem))",
        ],
    )
    def test_conditions_in_brackets_are_kept(self, media: str) -> None:
        presets = value_of(PRESETS={"hero": {"sizes": "9w", "sources": [{"media": media, "sizes": "8w"}]}})
        assert presets["hero"].sources[0].media == media

    def test_all_parts(self) -> None:
        parts = {
            "sizes": "1280w 640w",
            "layout": "100vw",
            "priority": True,
            "sources": [{"media": NARROW, "sizes": ["480x600", "960x1200"], "layout": " 95vw"}],
        }
        settings, problems = conf.read({"SIZES": ["640w"], "PRESETS": {"hero": parts}})
        assert problems == []
        hero = settings.presets["hero"]
        assert (hero.layout, hero.priority) == ("100vw", True)
        (source,) = hero.sources
        assert (source.media, source.layout, texts(source.sizes)) == (NARROW, "95vw", ["480x600", "960x1200"])
        assert texts(settings.whitelist) == ["640w", "1280w", "480x600", "960x1200"]


class TestMistakes:
    @pytest.mark.parametrize(
        ("check", "parts", "message", "hint"), MISTAKES, ids=lambda part: str(part)[:40].replace("\n", " ")
    )
    def test_named_with_its_remedy(self, check: str, parts: dict[str, Any], message: str, hint: str) -> None:
        problem = problem_of(**parts)
        (key,) = parts
        assert problem.check == check
        assert problem.message.startswith(f"LAZYIMAGES['{key}']: ")
        assert message in problem.message
        assert hint in problem.hint

    def test_every_key_has_its_mistake_here(self) -> None:
        assert {key for _, parts, _, _ in MISTAKES for key in parts} == set(" ".join(KEYS).split())

    @pytest.mark.parametrize("raw", [None, [], "SIZES", 5, [("SIZES", ["480h"])]])
    def test_no_dictionary(self, raw: object) -> None:
        settings, (problem,) = conf.read(raw)
        assert problem == Problem(
            "E001", "LAZYIMAGES is not a dictionary.", 'Write LAZYIMAGES = {"SIZES": [...]}.'
        )
        assert settings.delivery == "local"

    @pytest.mark.parametrize(
        ("key", "near"), [("SIZE", "SIZES"), ("sizes", "SIZES"), ("CDNURL", "CDN_URL"), ("PRESET", "PRESETS")]
    )
    def test_an_unknown_key_suggests_the_nearest(self, key: str, near: str) -> None:
        problem = problem_of(**{key: []})
        assert problem.check == "E003"
        assert problem.message == f"LAZYIMAGES[{key!r}] is no setting of lazyimages."
        assert problem.hint == f"Did you mean {near!r}?"

    def test_an_unknown_key_like_none_names_all(self) -> None:
        (problem,) = conf.read({7: 1})[1]
        assert problem.message == "LAZYIMAGES[7] is no setting of lazyimages."
        assert problem.hint == f"Known are {', '.join(' '.join(KEYS).split())}."

    def test_one_mistake_hides_no_other_and_spoils_no_other_part(self) -> None:
        settings, problems = conf.read(
            {"SIZES": ["big"], "CLEANUP": "no", "COLOR": 1, "BACKGROUND": "#000000", "QUALITY": []}
        )
        assert [problem.check for problem in problems] == ["E002", "E004", "E003", "E004"]
        assert settings.background == "#000000"
        assert settings.cleanup is True
        assert settings.sizes == ()

    def test_a_secret_is_not_repeated(self) -> None:
        problem = problem_of(ORIGIN_SECRET="hunter2\n")
        assert "hunter2" not in problem.message + problem.hint

    @given(
        st.dictionaries(
            st.sampled_from([*" ".join(KEYS).split(), "OTHER"]),
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
                lambda inner: (
                    st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
                ),
                max_leaves=6,
            ),
        )
    )
    def test_nothing_whatever_makes_reading_fail(self, raw: dict[str, Any]) -> None:
        settings, problems = conf.read(raw)
        assert isinstance(settings, conf.Settings)
        assert all(problem.message and problem.hint for problem in problems)

    @given(st.text(max_size=20).map(lambda rest: f"https://{rest}"))
    def test_an_url_that_is_taken_begins_every_srcset_candidate_safely(self, url: str) -> None:
        settings, problems = conf.read({"CDN_URL": url})
        if not problems:
            assert not any(character.isspace() or ord(character) < 33 for character in settings.cdn_url)
            assert "?" not in settings.cdn_url
            assert "#" not in settings.cdn_url


class TestReading:
    def test_improperly_configured_names_every_mistake_with_its_remedy(self, settings: Any) -> None:
        settings.LAZYIMAGES = {"SIZE": ["480h"], "DELIVERY": "cdn"}
        with pytest.raises(ImproperlyConfigured) as caught:
            conf.settings()
        assert str(caught.value) == (
            "LAZYIMAGES has mistakes:\n"
            "- LAZYIMAGES['SIZE'] is no setting of lazyimages. Did you mean 'SIZES'?\n"
            "- LAZYIMAGES['DELIVERY']: 'cdn' is not one of the choices. "
            "Choose from local, redirect, failover."
        )

    def test_a_mistake_is_raised_again_and_a_correction_seen(self, settings: Any) -> None:
        settings.LAZYIMAGES = {"DELIVERY": "cdn"}
        for _ in range(2):
            with pytest.raises(ImproperlyConfigured):
                conf.settings()
        settings.LAZYIMAGES = {"DELIVERY": "local"}
        assert conf.settings().delivery == "local"

    def test_a_change_takes_effect_at_once_and_ends_with_its_block(self, settings: Any) -> None:
        settings.LAZYIMAGES = {"BACKGROUND": "#000000"}
        assert conf.settings().background == "#000000"
        with override_settings(LAZYIMAGES={"BACKGROUND": "#111111"}):
            assert conf.settings().background == "#111111"
        assert conf.settings().background == "#000000"

    def test_it_is_read_once(self, settings: Any) -> None:
        settings.LAZYIMAGES = {}
        assert conf.settings() is conf.settings()

    def test_other_settings_change_nothing(self, settings: Any) -> None:
        before = conf.settings()
        settings.DEBUG = True
        assert conf.settings() is before


class TestCorsOrigins:
    def test_it_is_the_resizers_own_site_unless_it_is_set(self) -> None:
        raw = {"RESIZER_URL": "https://Shop.example:8443/images/resizer"}
        assert conf.read(raw)[0].cors_origins == ("https://shop.example:8443",)
        assert conf.read(raw | {"CORS_ORIGINS": None})[0].cors_origins == ("https://shop.example:8443",)
        assert conf.read(raw | {"CORS_ORIGINS": []})[0].cors_origins == ()
        assert conf.read({})[0].cors_origins == ()

    def test_several_are_kept_in_their_order(self) -> None:
        origins = ["https://b.example", "*", "http://127.0.0.1:8000", "https://b.example"]
        found, problems = conf.read({"CORS_ORIGINS": origins})
        assert problems == []
        assert found.cors_origins == ("https://b.example", "*", "http://127.0.0.1:8000")

    @pytest.mark.parametrize(
        "wrong",
        ["https://a.example", ["a.example"], ["https://a.example/shop"], ["ftp://a.example"], [""], [1]],
    )
    def test_what_is_no_origin_is_named(self, wrong: object) -> None:
        (problem,) = conf.read({"CORS_ORIGINS": wrong})[1]
        assert problem.check == "E004"
        assert "https://shop.example" in problem.hint or "https://" in problem.hint or problem.hint
