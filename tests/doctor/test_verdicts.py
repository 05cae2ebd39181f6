"""What hops say, one by one: the answers that no whole chain of the tests gives."""

from typing import Any

import pytest

from lazyimages import conf
from lazyimages.conf import Settings
from lazyimages.doctor import verdicts
from lazyimages.doctor.hops import Chain, Hop
from lazyimages.doctor.verdicts import Road

CDN, RESIZER = "https://cdn.example", "https://shop.example/images/resizer"
KEY = "d/360x270/probe.jpg"
OURS = {"server-timing": "total;dur=1", "content-security-policy": "default-src 'none'; sandbox"}


def road(delivery: str) -> Road:
    raw = {"SIZES": ["360x270"], "DELIVERY": delivery, "CDN_URL": CDN, "RESIZER_URL": RESIZER}
    settings, problems = conf.read(raw)
    assert problems == []
    return Road(settings=settings, site="https://shop.example")


def cdn(status: int = 200, **headers: str) -> Hop:
    return Hop(url=f"{CDN}/{KEY}", status=status, headers=named(headers))


def to_resizer(status: int = 307, **headers: str) -> Hop:
    return cdn(status, location=f"{RESIZER}?key={KEY}", **headers)


def app(status: int = 301, **headers: str) -> Hop:
    return Hop(url=f"{RESIZER}?key={KEY}", status=status, headers=named(headers) | OURS)


def named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def chain(*hops: Hop, looped: bool = False) -> Chain:
    return Chain(hops=hops, looped=looped)


def missing(delivery: str, *hops: Hop, looped: bool = False) -> list[str]:
    return [one.name for one in verdicts.missing(chain(*hops, looped=looped), road(delivery))]


BACK: dict[str, Any] = {"location": f"{CDN}/{KEY}", "cache_control": "no-store"}


class TestRedirect:
    @pytest.mark.parametrize(
        ("hops", "names"),
        [
            ([to_resizer(), app(**BACK), cdn()], []),
            ([to_resizer(302), app(**BACK), cdn()], ["redirect-code"]),
            ([to_resizer(), app(location=f"{CDN}/{KEY}"), cdn()], ["redirect-permanent"]),
            ([to_resizer(), app(**BACK | {"cache_control": "max-age=60"}), cdn()], ["redirect-permanent"]),
            ([to_resizer(), app(404)], ["resizer-disagrees"]),
            ([to_resizer(), app(503)], ["resizer-failed"]),
            ([to_resizer(), app(415)], ["answer-unexpected"]),
            ([to_resizer(), app(200, cache_control="no-store")], ["resizer-cannot-store"]),
            ([to_resizer(), app(200, link='<x>; rel="canonical"')], []),
            ([to_resizer(), app(200, cache_control="public, max-age=9")], ["resizer-disagrees"]),
            (
                [
                    to_resizer(),
                    app(**BACK),
                    to_resizer(x_cache="Hit from cloudfront"),
                    app(200, link="canonical"),
                ],
                ["redirect-kept"],
            ),
            (
                [
                    to_resizer(),
                    app(**BACK),
                    to_resizer(x_cache="Miss from cloudfront"),
                    app(200, link="canonical"),
                ],
                ["variants-not-readable"],
            ),
            ([to_resizer(), app(location="https://old.example/x")], ["resizer-disagrees"]),
            ([cdn(403, content_type="application/xml")], ["cdn-rest-endpoint"]),
            ([cdn(404, content_type="text/html")], ["redirect-missing"]),
            ([cdn(502)], ["answer-unexpected"]),
        ],
    )
    def test_missing(self, hops: list[Hop], names: list[str]) -> None:
        assert missing("redirect", *hops) == names

    def test_a_login_before_the_resizer(self) -> None:
        asked = f"{RESIZER}?key={KEY}"
        login = Hop(url=asked, status=302, headers={"location": "https://sso.example/login"})
        page = Hop(url="https://sso.example/login", status=200, headers={"content-type": "text/html"})
        found = verdicts.missing(chain(to_resizer(), login, page), road("redirect"))
        assert [one.name for one in found] == ["answer-unexpected"]

    def test_a_page_of_somebody_else_at_the_resizer(self) -> None:
        page = Hop(url=f"{RESIZER}?key={KEY}", status=404, headers={"content-type": "text/html"})
        assert missing("redirect", to_resizer(), page) == ["resizer-unreachable"]

    def test_from_http_to_https_is_no_hop_of_the_chain(self) -> None:
        plain = Hop(
            url=f"http://cdn.example/{KEY}", status=301, headers={"location": f"https://cdn.example/{KEY}"}
        )
        raw = {"SIZES": ["1w"], "DELIVERY": "redirect", "CDN_URL": "http://cdn.example"}
        settings, _ = conf.read(raw | {"RESIZER_URL": RESIZER})
        hops = (plain, cdn(x_cache="Miss from cloudfront"))
        assert verdicts.stored(Chain(hops=hops), Road(settings=settings)) == []

    def test_a_loop_says_why_as_well(self) -> None:
        hops = [to_resizer(), app(location=f"{CDN}/{KEY}")] * 2
        assert missing("redirect", *hops, looped=True) == [
            "redirect-permanent",
            "variants-not-readable",
            "redirect-permanent",
            "redirect-loop",
        ]

    def test_nobody_answers(self) -> None:
        silent = Hop(url=f"{CDN}/{KEY}", trouble="the host's name is not known")
        (one,) = verdicts.missing(chain(silent), road("redirect"))
        assert one.name == "cdn-unreachable"
        assert one.what == "https://cdn.example: the host's name is not known."


class TestFailover:
    @pytest.mark.parametrize(
        ("hop", "names"),
        [
            (cdn(200, **OURS), []),
            (cdn(404, cache_control="no-store", **OURS), ["secret-refused"]),
            (cdn(404, cache_control="max-age=0, s-maxage=10", **OURS), ["resizer-disagrees"]),
            (cdn(403), ["failover-silent"]),
            (cdn(404), ["failover-silent"]),
            (to_resizer(), ["failover-redirects"]),
            (cdn(504), ["resizer-unreachable"]),
            (cdn(503, **OURS), ["resizer-failed"]),
            (cdn(200, cache_control="max-age=60", **OURS), ["resizer-cannot-store"]),
        ],
    )
    def test_missing(self, hop: Hop, names: list[str]) -> None:
        assert missing("failover", hop) == names

    @pytest.mark.parametrize(
        ("hop", "name"),
        [
            (cdn(200, x_cache="Miss from cloudfront", **OURS), "variant-remade"),
            (cdn(200, x_cache="Hit from cloudfront", **OURS), None),
            (cdn(200, x_cache="Miss from cloudfront"), None),
        ],
    )
    def test_again(self, hop: Hop, name: str | None) -> None:
        found = verdicts.stored(chain(hop), road("failover"), again=True)
        assert [one.name for one in found] == ([name] if name else [])


@pytest.mark.parametrize("delivery", ["redirect", "failover"])
@pytest.mark.parametrize(
    ("hop", "name"),
    [
        (cdn(200), None),
        (cdn(403), "variants-not-readable"),
        (to_resizer(x_cache="Hit from cloudfront"), "redirect-kept"),
        (to_resizer(), "variants-not-readable"),
        (cdn(500), "answer-unexpected"),
        (Hop(url=f"{CDN}/{KEY}", trouble="refused"), "cdn-unreachable"),
    ],
)
def test_stored(delivery: str, hop: Hop, name: str | None) -> None:
    found = verdicts.stored(chain(hop), road(delivery))
    assert [one.name for one in found] == ([name] if name else [])


def test_an_unknown_size() -> None:
    way = road("redirect")
    assert verdicts.unknown_size(chain(to_resizer(), app(404)), way) == []
    assert verdicts.unknown_size(chain(cdn(403)), way) == []
    (served,) = verdicts.unknown_size(chain(cdn(200)), way)
    assert served.name == "size-served"


def test_the_original() -> None:
    way = road("failover")
    data = b"the original"
    body = Hop(url=f"{CDN}/d/probe.jpg", status=200, body=data)
    as_404 = Hop(url=f"{CDN}/d/probe.jpg", status=404, body=data)
    page = Hop(url=f"{CDN}/d/probe.jpg", status=200, body=b"<html>")
    assert verdicts.original(chain(cdn(403)), way, data, image=False) == []
    for hop, image in ((body, False), (as_404, False), (page, True)):
        (one,) = verdicts.original(chain(hop), way, data, image=image)
        assert one.name == "original-served"
    (one,) = verdicts.original(chain(page), way, data, image=False)
    assert one.name == "answer-unexpected"


def test_after_deletion() -> None:
    way = road("redirect")
    assert verdicts.gone(chain(cdn(200)), way, may_be_kept=True) == []
    assert verdicts.gone(chain(to_resizer(), app(404)), way, may_be_kept=False) == []
    (one,) = verdicts.gone(chain(cdn(200)), way, may_be_kept=False)
    assert one.name == "answer-unexpected"
    (one,) = verdicts.gone(chain(*[to_resizer(), app(**BACK)] * 2, looped=True), way, may_be_kept=True)
    assert one.name == "redirect-loop"


def test_settings_are_enough_of_a_road() -> None:
    assert not Road(settings=Settings()).is_resizer("https://shop.example/")


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        (OURS, True),
        ({"server-timing": "read;dur=2.1, total;dur=9.0"}, True),
        ({"content-security-policy": "default-src 'none'; sandbox"}, True),
        ({"server-timing": 'cdn-upstream-layer;desc="EDGE",cdn-cache-miss'}, False),
        ({"content-security-policy": "default-src 'self'"}, False),
        ({"server": "AmazonS3"}, False),
    ],
)
def test_who_has_answered(headers: dict[str, str], ours: bool) -> None:
    assert Hop(url=CDN, status=200, headers=headers).from_app is ours
