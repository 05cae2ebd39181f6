"""Keys: `str(parse(key)) == key` for all that is accepted, `InvalidKey` for all else."""

import re

import pytest
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from lazyimages import formats, keys, sizes
from lazyimages.exceptions import InvalidKey, RefusedName

WHITELIST = ["360x270", "480h", "1280w"]
PIECES = [
    "..",
    ".",
    "",
    "/",
    "//",
    "\\",
    "\0",
    "\n",
    "\r",
    "\x1f",
    "\x7f",
    "\x85",
    "\u2028",
    "\ud800",
    "%2e",
    "%2F",
]
PIECES += [
    *WHITELIST,
    "0360x270",
    "9999x1",
    "a",
    "img",
    "a.jpg",
    ".jpg",
    "a.jpg.webp",
    "a.JPG",
    "a.tiff.jpg",
    "a.jpeg",
]
PIECES += [
    "a.jpg.jpg",
    "a.gif.png",
    "a.svg",
    "é.png",
    "é.png",
    "🙂.avif",
    "a b+c&d#e.jpg",
    "CON.jpg",
    "x" * 300,
]

directories = st.lists(
    st.text(
        st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="/\\"),
        min_size=1,
        max_size=8,
    ),
    max_size=3,
)
extensions = st.sampled_from(
    [
        "jpg",
        "jpeg",
        "JPG",
        "png",
        "gif",
        "webp",
        "avif",
        "tiff.jpg",
        "jpg.webp",
        "png.avif",
        "JPG.webp",
        "heic.jpg",
    ]
)
valid = st.builds(
    lambda folders, size, stem, extension: "/".join([*folders, size, f"{stem}.{extension}"]),
    directories,
    st.sampled_from(WHITELIST),
    st.text("abcXYZ019_- .é+%&#", min_size=1, max_size=12),
    extensions,
)


@st.composite
def mutated(draw):
    """A valid key with something put in, taken out or doubled."""
    key = draw(valid)
    at, to = sorted(draw(st.tuples(st.integers(0, len(key)), st.integers(0, len(key)))))
    return draw(
        st.sampled_from(
            [key[:at] + key[to:], key[:at] + draw(st.sampled_from(PIECES)) + key[at:], key + key[at:]]
        )
    )


hostile = st.builds(
    lambda pieces, join: join.join(pieces),
    st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=6)), max_size=6),
    st.sampled_from(["/", "", "."]),
)


def round_trip(key: str) -> keys.VariantKey | None:
    """Assert the law for one text."""
    try:
        variant = keys.parse(key)
    except InvalidKey:
        return None
    assert str(variant) == key
    assert keys.variant_key(variant.original, variant.size, variant.format) == variant
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\\]", key)
    assert not {"", ".", ".."} & set(key.split("/"))
    assert len(key.encode()) <= 1024
    assert variant.format.browsers
    assert not any(sizes.is_size(part) for part in variant.original.split("/")[:-1])
    return variant


COUNTS = {"all": 0, "accepted": 0, "whitelisted": 0}


@settings(
    max_examples=12_000,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(st.one_of(valid, mutated(), mutated(), hostile, st.text(st.characters(), max_size=40)))
@example("360x270/a.jpg")
@example("a/360x270/\ud800.jpg")
def test_parsing_is_total_and_reversible(key):
    variant = round_trip(key)
    COUNTS["all"] += 1
    COUNTS["accepted"] += variant is not None
    COUNTS["whitelisted"] += any(f"{size}/" in key for size in WHITELIST)
    event("accepted" if variant else "refused")


def test_the_law_was_tried_on_enough():
    """Runs after the test above; alone it has nothing to say."""
    if COUNTS["all"]:
        assert COUNTS["all"] >= 10_000
        assert COUNTS["whitelisted"] >= 4_000
        assert 1_000 <= COUNTS["accepted"] <= COUNTS["all"] - 1_000


@pytest.mark.parametrize(
    ("key", "original", "size", "format"),
    [
        ("produs_227613/360x270/img.AZ70KuRzw9.jpg", "produs_227613/img.AZ70KuRzw9.jpg", "360x270", "jpeg"),
        (
            "produs_227613/360x270/img.AZ70KuRzw9.jpg.webp",
            "produs_227613/img.AZ70KuRzw9.jpg",
            "360x270",
            "webp",
        ),
        ("360x270/img.jpg", "img.jpg", "360x270", "jpeg"),
        ("a/480h/scan.tiff.jpg", "a/scan.tiff", "480h", "jpeg"),
        ("a/480h/scan.tif.avif", "a/scan.tif", "480h", "avif"),
        ("a/480h/IMG.HEIC.jpg", "a/IMG.HEIC", "480h", "jpeg"),
        ("a/480h/IMG_1.JPG", "a/IMG_1.JPG", "480h", "jpeg"),
        ("a/480h/IMG_1.JPG.webp", "a/IMG_1.JPG", "480h", "webp"),
        ("a/480h/IMG_1.jpeg", "a/IMG_1.jpeg", "480h", "jpeg"),
        ("a/480h/x.png.jpg", "a/x.png", "480h", "jpeg"),
        ("a/480h/x.gif.webp", "a/x.gif", "480h", "webp"),
        ("480h/.jpg", ".jpg", "480h", "jpeg"),
        ("480h/.jpg.webp", ".jpg", "480h", "webp"),
        ("a b/480h/é ü+&%#?=.jpg", "a b/é ü+&%#?=.jpg", "480h", "jpeg"),
        ("a/b/c/d/1w/x.png", "a/b/c/d/x.png", "1w", "png"),
        ("a/480H/480h/x.png", "a/480H/x.png", "480h", "png"),
        ("a/0480h/480h/x.png", "a/0480h/x.png", "480h", "png"),
        ("...../480h/...jpg", "...../...jpg", "480h", "jpeg"),
    ],
)
def test_accepted(key, original, size, format):
    variant = round_trip(key)
    assert (variant.original, str(variant.size), variant.format.name) == (original, size, format)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/",
        "a",
        "a.jpg",
        "a/b.jpg",
        "360x270",
        "360x270/",
        "/360x270/a.jpg",
        "//360x270/a.jpg",
        "a//360x270/b.jpg",
        "a/360x270//b.jpg",
        "../360x270/a.jpg",
        "a/../360x270/b.jpg",
        "a/360x270/..",
        "a/360x270/../b.jpg",
        "./360x270/a.jpg",
        "a/./360x270/b.jpg",
        "a/360x270/.",
        "a\\b/360x270/c.jpg",
        "360x270\\c.jpg",
        "..\\360x270/c.jpg",
        "a/0360x270/b.jpg",
        "a/360x0270/b.jpg",
        "a/360X270/b.jpg",
        "a/10000w/b.jpg",
        "a/0w/b.jpg",
        "a/360x270 /b.jpg",
        "a/360x270/b",
        "a/360x270/b.",
        "a/360x270/b.svg",
        "a/360x270/b.txt",
        "a/360x270/b.jpg/",
        "a/360x270/b.tiff",
        "a/360x270/b.tif",
        "a/360x270/b.heic",
        "a/360x270/b.jpg.tiff",
        "a/360x270/b.jpg.jpg",
        "a/360x270/b.jpg.jpeg",
        "a/360x270/b.jpeg.jpg",
        "a/360x270/b.jpg.WEBP",
        "a/360x270/b.jpg.Webp",
        "a/360x270/b.tiff.JPG",
        "a/360x270/b.tiff.jpeg",
        "a/360x270/b.JPG.jpg",
        "a/360x270/b.png.webp.avif",
        "a/360x270/b.jpg.webp.webp",
        "a/360x270/480h/b.jpg",
        "480h/360x270/b.jpg",
        "480h/a/360x270/b.jpg",
        "a/360x270/360x270/b.jpg",
        "b.jpg/360x270",
    ],
)
def test_refused(key):
    assert round_trip(key) is None


@pytest.mark.parametrize("code", [*range(0x20), *range(0x7F, 0xA0), 0xD800, 0xDFFF])
@pytest.mark.parametrize(
    "place", ["{}a/360x270/b.jpg", "a/360x270/b{}.jpg", "a/360x270/b.jpg{}", "a/{}360x270/b.jpg"]
)
def test_control_characters_and_surrogates(place, code):
    assert round_trip(place.format(chr(code))) is None


def test_a_key_has_at_most_1024_bytes():
    for letter in ("x", "é", "🙂"):
        room = 1024 - len("/360x270/b.jpg")
        longest = "y" * (room % len(letter.encode())) + letter * (room // len(letter.encode()))
        assert round_trip(f"{longest}/360x270/b.jpg")
        assert round_trip(f"{longest}y/360x270/b.jpg") is None
    assert round_trip("x" * 10**6) is None


def test_an_original_whose_variants_no_key_reaches():
    """Its own name is short enough, but not with the size in it."""
    name = "x" * 1011 + "/b.jpg"
    with pytest.raises(RefusedName, match="more than 1024 bytes"):
        keys.variant_key(name, sizes.parse("360x270"))


@pytest.mark.parametrize(
    ("original", "native", "key"),
    [
        ("a/b.jpg", "jpeg", "a/480h/b.jpg"),
        ("a/b.PNG", "png", "a/480h/b.PNG"),
        ("b.gif", "gif", "480h/b.gif"),
        ("a/b.tiff", "jpeg", "a/480h/b.tiff.jpg"),
        ("a/b.heic", "jpeg", "a/480h/b.heic.jpg"),
        ("a/b.webp", "webp", "a/480h/b.webp"),
    ],
)
def test_key_of_an_original(original, native, key):
    assert keys.native_format(original).name == native
    made = keys.variant_key(original, sizes.parse("480h"))
    assert str(made) == key
    assert keys.parse(key) == made


@pytest.mark.parametrize(
    "name",
    [
        "a.jpg.webp",
        "d/a.tiff.jpg",
        "d/a.JPG.PNG",
        "x/480h/a.jpg",
        "480h/a.jpg",
        "1x1/b/a.jpg",
        "a",
        "a.txt",
        "d/",
        "",
        "/a.jpg",
        "../a.jpg",
        "d//a.jpg",
        "d\\a.jpg",
        "a\n.jpg",
        "\ud800.jpg",
        "x" * 1021 + ".jpg",
        ".jpg.png",
    ],
)
def test_originals_that_are_refused(name):
    with pytest.raises(RefusedName):
        keys.check_original(name)
    with pytest.raises(RefusedName):
        keys.variant_key(name, sizes.parse("480h"))


def test_refusals_say_what_to_do():
    with pytest.raises(RefusedName, match=r"directory '480h' in 'x/480h/a.jpg' looks like a size; rename it"):
        keys.check_original("x/480h/a.jpg")
    with pytest.raises(RefusedName, match=r"'a.jpg.webp' ends in two image extensions; rename the file"):
        keys.check_original("a.jpg.webp")
    with pytest.raises(RefusedName, match=r"leaves 9 characters .*; shorten upload_to, or raise the field's"):
        keys.fresh_filename("bowl", formats.JPEG, 9)


@settings(max_examples=1000, deadline=None)
@given(st.one_of(hostile, st.text(max_size=30)), st.sampled_from(formats.OUTPUTS), st.sampled_from(WHITELIST))
def test_every_original_that_is_not_refused_can_be_reached(name, output, size):
    try:
        made = keys.variant_key(name, sizes.parse(size), formats.BY_NAME[output])
    except RefusedName:
        return
    assert keys.parse(str(made)) == made


@pytest.mark.parametrize(
    ("name", "focal"),
    [
        ("d/bowl.AZ70KuRzw9.f2080.jpg", (20, 80)),
        ("bowl.AZ70KuRzw9.f0099.png", (0, 99)),
        ("a-b_c.0123456789.f9900.webp", (99, 0)),
        ("bowl.AZ70KuRzw9.jpg", (50, 50)),
        ("bowl.f2080.jpg", (50, 50)),
        ("bowl.short.f2080.jpg", (50, 50)),
        ("bowl.AZ70KuRzw9x.f2080.jpg", (50, 50)),
        ("bowl.AZ70KuRzw9.f208.jpg", (50, 50)),
        ("bowl.AZ70KuRzw9.f20800.jpg", (50, 50)),
        ("bowl.AZ70KuRzw9.F2080.jpg", (50, 50)),
        ("bowl.AZ70KuRzw9.f20٨0.jpg", (50, 50)),
        ("my bowl.AZ70KuRzw9.f2080.jpg", (50, 50)),
        ("a.b.AZ70KuRzw9.f2080.jpg", (50, 50)),
        (".AZ70KuRzw9.f2080.jpg", (50, 50)),
        ("bowl.AZ70KuRzw9.f2080.jpg\n", (50, 50)),
        ("bowl.AZ70KuRzw9.f2080/x.jpg", (50, 50)),
    ],
)
def test_focal_point_in_names_of_our_own_form_alone(name, focal):
    assert keys.focal_point(name) == focal
    if name.endswith((".jpg", ".png", ".webp")) and "/x" not in name:
        made = keys.variant_key(name, sizes.parse("360x270"), formats.AVIF)
        assert made.focal == focal
        assert keys.parse(str(made)).focal == focal


@pytest.mark.parametrize(
    ("client", "slug"),
    [
        ("IMG_1234.JPG", "img-1234"),
        ("Blå skål (2).jpeg", "bla-skal-2"),
        ("C:\\Users\\me\\Bowl.png", "bowl"),
        ("../../etc/passwd", "passwd"),
        ("碗.jpg", "img"),
        ("", "img"),
        (".jpg", "img"),
        ("----.jpg", "img"),
        ("a.b.c.jpg", "a-b-c"),
        ("bowl.txt", "bowl-txt"),
        ("x" * 300 + ".jpg", "x" * 40),
        ("\0\n<script>.jpg", "script"),
    ],
)
def test_slug(client, slug):
    assert keys.slug(client) == slug


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=80), st.integers(0, 90), st.sampled_from(list(formats.BY_NAME.values())))
def test_fresh_names(client, room, output):
    slug = keys.slug(client)
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", slug)
    try:
        name = keys.fresh_filename(slug, output, room)
    except RefusedName:
        name = None
    assert (name is None) == (room < len(f"x.0123456789.{output.extension}")), "only when nothing fits"
    if name is None:
        return
    assert len(name) <= room
    stem, random, extension = name.split(".")
    assert slug.startswith(stem)
    assert re.fullmatch(r"[A-Za-z0-9]{10}", random)
    assert extension == output.extension
    keys.check_original(name)
    assert keys.focal_point(name) == (50, 50)


@given(
    st.text(max_size=60),
    st.integers(25, 90),
    st.sampled_from(list(formats.BY_NAME.values())),
    st.tuples(st.integers(0, 99), st.integers(0, 99)),
)
def test_fresh_names_with_a_focal_point(client, room, output, focal):
    slug = keys.slug(client)
    name = keys.fresh_filename(slug, output, room, focal)
    assert len(name) <= room
    assert keys.focal_point(name) == focal
    assert (re.search(r"\.f[0-9]{4}\.", name) is None) == (focal == (50, 50))
    assert slug.startswith(keys.slug_of(name))
    assert keys.slug_of(f"some/where/{name}") == keys.slug_of(name)
    keys.check_original(name)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("d/bowl.AZ70KuRzw9.f2080.jpg", "bowl"),
        ("Bowl_1.AZ70KuRzw9.jpg", "Bowl_1"),
        ("d/My bowl (2).JPG", "my-bowl-2"),
        ("bowl.short.f2080.jpg", "bowl-short-f2080"),
        ("碗.tiff", "img"),
    ],
)
def test_slug_of_an_original(name, slug):
    assert keys.slug_of(name) == slug


def test_fresh_names_cannot_be_guessed():
    names = {keys.fresh_filename("img", formats.JPEG, 100) for _ in range(1000)}
    assert len(names) == 1000
    randoms = "".join(name.split(".")[1] for name in names)
    assert len(set(randoms)) == 62, "all letters and digits occur"
    assert max(map(randoms.count, set(randoms))) < 3 * len(randoms) / 62
