"""Hostile keys, paths and queries, and what must hold for each."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.test import Client, override_settings
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from lazyimages import keys, markup, sizes
from lazyimages.exceptions import InvalidKey, InvalidSize, RefusedName
from tests.conftest import jpeg
from tests.drawing import attribute_value, parse_srcset

STATUSES = {200, 301, 304, 404, 405, 415, 422, 503}
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}
_DELIVERIES = ("local", "redirect", "failover")
_WHITELIST = ["360x270", "480h", "1280w"]
_ORIGINALS = ["a/b.jpg", "b.AZ70KuRzw9.f2080.jpg", "old/a b+c&d%e.jpg", "é/x.JPG"]

_odd = st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Zs", "Mn", "Nd", "Nl", "No", "Co"])
_number = st.one_of(
    st.integers(-1, 10_001).map(str),
    st.sampled_from(
        ["0", "00", "01", "9999", "10000", "٣٦٠", "３６０", "36O", "1e3", "0x10", "²", " 360", "360 "]
    ),
)
size = st.one_of(
    st.sampled_from(_WHITELIST),
    st.builds(lambda w, by, h: f"{w}{by}{h}", _number, st.sampled_from(["x", "X", "×", "*", ""]), _number),
    st.builds(
        lambda n, unit: f"{n}{unit}", _number, st.sampled_from(["w", "h", "W", "H", "px", "w\n", "ｗ"])
    ),
)
_name = st.one_of(
    st.text("abc019_-. +&%é", max_size=12),
    st.text(max_size=12),
    st.text(_odd, max_size=4),
    st.sampled_from(
        [".", "..", "...", "", "x" * 255, "é" * 600, "%2e%2e", "%2F", "%", "%zz", "%00", "b", "a b+c&d%e"]
    ),
    st.builds(
        "img.{}.f{}".format, st.text("AZaz09", min_size=9, max_size=11), st.text("0123456789٣", max_size=5)
    ),
)
_extensions = (
    ".jpg .JPG .jpeg .webp .jpg.webp .tiff.jpg .heic.jpg .jpg.jpg .svg . .ｊpg .tiff .jpg.webp.avif .JPG.jpg"
)
_extension = st.sampled_from([*_extensions.split(), "", ".jpg\0", ".jpg "])
_file = st.builds(lambda name, extension: name + extension, _name, _extension)
_slash = st.sampled_from(["/", "/", "/", "//", "\\", "%2F", "", "/./", "/../"])
_near = st.builds(  # a real original's variant, in a size that may be wrong
    lambda original, size, more: f"{size}{more}".join(keys.around_size(original)),
    st.sampled_from(_ORIGINALS),
    size,
    st.sampled_from(["", "", "", "/", "\n", "?", "/.."]),
)
_folder = st.one_of(_name, st.just("a"), size)
key = st.one_of(
    st.tuples(_folder, _slash, size, _slash, _file).map("".join),
    st.builds(lambda folders, file: "/".join([*folders, file]), st.lists(_folder, max_size=5), _file),
    st.builds(str.__add__, _near, st.sampled_from(["", "", ".webp", ".avif", ".png", "/", "\n"])),
    st.text(max_size=40),
    st.text(max_size=10).map(lambda text: text * 200),
)


def check_key(text: str) -> bool:
    """Assert that parsing is total and reversible; tell whether the text is a key."""
    for part in text.split("/"):
        try:
            assert str(sizes.parse(part)) == part
        except InvalidSize:
            assert not sizes.is_size(part)
    assert all(0 <= percent <= 99 for percent in keys.focal_point(text))
    try:
        parsed = keys.parse(text)
    except InvalidKey:
        return False
    assert str(parsed) == text
    assert keys.variant_key(parsed.original, parsed.size, parsed.format) == parsed
    assert parsed.focal == keys.focal_point(parsed.original)
    return True


def check_markup(name: str) -> None:
    """Assert that the srcset of an original is read by a browser as the URLs of its variants."""
    wanted = [sizes.parse(text) for text in _WHITELIST]
    try:
        made = [keys.variant_key(name, size) for size in wanted]
    except RefusedName:
        return
    urls = [markup.public_url(str(key)) for key in made]
    read = parse_srcset(attribute_value(", ".join(f"{url} {at + 1}w" for at, url in enumerate(urls))))
    assert [entry.url for entry in read] == urls
    for url, one in zip(urls, made, strict=True):
        path = urlsplit(url).path
        assert path.isascii()
        assert keys.parse(unquote(path).partition("/images/v/")[2]) == one


class Shop:
    """A resizer with some originals, that answers requests as they come from a server."""

    def __init__(self) -> None:
        self.asked = 0
        self.statuses: Counter[int] = Counter()
        self._client = Client(raise_request_exception=False)

    def request(self, path: str, query: str, method: str = "GET") -> int:
        """Send a raw path and query, as WSGI hands them over, and return the status, one of the contract."""
        response = self._client.generic(method, "/", PATH_INFO=path, QUERY_STRING=query)
        assert response.status_code in STATUSES, f"{response.status_code} for {method} {path!r} {query!r}"
        for name, value in ALWAYS.items():
            assert response[name] == value
        assert "Content-Length" in response
        self.statuses[response.status_code] += 1
        return int(response.status_code)

    def batch(self, *, examples: int, number: int | None) -> list[str]:
        """Try so many keys, paths and queries, and return what did not hold."""
        problems = []
        for check in (self._keys, self._paths):
            drawn = settings(
                max_examples=examples,
                deadline=None,
                database=None,
                phases=(Phase.generate, Phase.shrink),
                derandomize=number is None,
                suppress_health_check=list(HealthCheck),
            )(check())
            try:
                (drawn if number is None else seed(number)(drawn))()
            except Exception as error:  # which is what fuzzing looks for
                problems.append(f"{error!r} {getattr(error, '__notes__', '')}")
        return problems

    def _keys(self) -> Any:
        @given(key)
        def check(text: str) -> None:
            self.asked += 1
            check_key(text)
            check_markup(text)

        return check

    def _paths(self) -> Any:
        @given(
            st.sampled_from(_DELIVERIES),
            _paths,
            _queries,
            st.sampled_from(["GET", "GET", "HEAD", "POST", "é"]),
        )
        def check(delivery: str, path: str, query: str, method: str) -> None:
            self.asked += 1
            with override_settings(LAZYIMAGES=_settings(delivery)):
                self.request(path, query, method)

        return check


def _settings(delivery: str) -> dict[str, Any]:
    base = {"SIZES": _WHITELIST, "FORMATS": ["webp"], "DELIVERY": delivery}
    outside = {"CDN_URL": "https://cdn.example", "RESIZER_URL": "https://shop.example/images/resizer"}
    return base if delivery == "local" else base | outside


def _as_wsgi(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


_real = st.builds(
    lambda original, size, more: size.join(keys.around_size(original)) + more,
    st.sampled_from(_ORIGINALS),
    st.sampled_from(_WHITELIST),
    st.sampled_from(["", ".webp"]),
)
_escaped = st.one_of(
    _real.map(quote),
    _real.map(_as_wsgi),
    key.map(_as_wsgi),
    key.map(lambda text: quote(text.encode("utf-8", "surrogatepass"))),
    key.map(lambda text: quote(text.encode("utf-8", "surrogatepass"), safe="")),
    st.binary(max_size=40).map(lambda raw: raw.decode("latin-1")),
)
_paths = st.one_of(
    st.just("/images/resizer"),
    _escaped.map("/images/v/{}".format),
    key.map(_as_wsgi).map("/images/v/{}".format),
    _escaped.map("/images/{}".format),
    st.sampled_from(["/images/health", "/images/v/", "/images/resizer/", "/images/resizer\n", "/images/v"]),
)
_queries = st.one_of(
    _escaped.map("key={}".format),
    _escaped.map("x=1&key={}".format),
    _escaped,
    st.sampled_from(["", "key", "key=", "&key=&key=", "KEY=a/360x270/b.jpg", "key=%", "key=%ff"]),
)


@contextmanager
def shop() -> Iterator[Shop]:
    """Yield a resizer with storages of its own."""
    with tempfile.TemporaryDirectory() as folder:
        files = {
            name: {
                "BACKEND": "django.core.files.storage.FileSystemStorage",
                "OPTIONS": {"location": f"{folder}/{name}"},
            }
            for name in ("default", "lazyimages", "staticfiles")
        }
        with override_settings(STORAGES=files, LAZYIMAGES=_settings("local"), ALLOWED_HOSTS=["*"]):
            for name in _ORIGINALS:
                storages["default"].save(name, ContentFile(jpeg(64, 48)))
            yield Shop()
