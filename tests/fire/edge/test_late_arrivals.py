"""A cache that keeps sending visitors for variants that exist is counted, logged and shown in health."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.fire.edge.behaviours import DAY, Behaviour
from tests.fire.edge.conftest import SECRET, Shop, Site, StartShop
from tests.fire.edge.visitors import Visitor, ask

pytestmark = pytest.mark.chain

KEEPS_307 = Behaviour(name="keeps-307", default_ttl=DAY, cache_307="always")
RIGHT = Behaviour(name="right")
GROUP = Behaviour(name="group", group=True)
RULES = Behaviour(name="group-and-rules", default_ttl=DAY, cache_307="always", group=True, rules=True)
VISITS = 12


def cdn(shop: Shop) -> dict[str, Any]:
    """Return what health says of the CDN."""
    return json.loads(ask(f"{shop.url}/images/health").body)["cdn"]


def warnings(shop: Shop, at_least: int = 0) -> list[str]:
    """Return the shop's warnings about the CDN."""
    return shop.lines("WARNING lazyimages cdn misconfigured", at_least=at_least)


def test_visitors_behind_a_307_that_is_kept_are_counted(
    open_site: Callable[..., Site], start_shop: StartShop
) -> None:
    shop = start_shop("late-redirect", "redirect", workers=2)
    site = open_site("varnish", KEEPS_307, shop)
    picture = site.picture()

    for _ in range(3):
        site.visit(Visitor(), picture)
    assert cdn(shop) == {"status": "ok", "late_arrivals_last_hour": 0, "advice": ""}, "it is new"

    site.bucket.age(picture.key, 3600)
    trails = [site.visit(Visitor(), picture)[0].trail for _ in range(VISITS)]

    assert trails == ["cache 307, shop 200"] * VISITS
    told = cdn(shop)
    assert (told["status"], told["late_arrivals_last_hour"]) == ("misconfigured", VISITS)
    assert "TTL" in told["advice"]
    # One a minute and process.
    lines = warnings(shop, at_least=1)
    assert 1 <= len(lines) <= 2
    assert f"key={picture.key} " in lines[0]


def test_a_cache_that_is_set_right_causes_no_alarm(
    open_site: Callable[..., Site], start_shop: StartShop
) -> None:
    shop = start_shop("late-right", "redirect", workers=2)
    site = open_site("varnish", RIGHT, shop)
    picture = site.picture()
    site.visit(Visitor(), picture)
    site.bucket.age(picture.key, 3600)

    for number in range(VISITS):
        if number % 3 == 0:
            site.edge.purge(picture.path)
        site.visit(Visitor(), picture)

    assert cdn(shop) == {"status": "ok", "late_arrivals_last_hour": 0, "advice": ""}
    assert not warnings(shop)


def test_a_bucket_that_the_cdn_cannot_read_is_noticed(
    open_site: Callable[..., Site], start_shop: StartShop
) -> None:
    shop = start_shop("late-group", "failover", secret=SECRET, workers=2)
    site = open_site("varnish", GROUP, shop, s3_host="another-bucket.s3.test")
    picture = site.picture()
    site.visit(Visitor(), picture)
    site.bucket.age(picture.key, 3600)

    for _ in range(VISITS):
        site.edge.purge(picture.path)
        assert site.visit(Visitor(), picture)[0].trail == "resizer 200"

    told = cdn(shop)
    assert (told["status"], told["late_arrivals_last_hour"]) == ("misconfigured", VISITS)
    assert "bucket" in told["advice"]
    assert warnings(shop, at_least=1)


def test_rules_that_were_left_over_are_noticed(open_site: Callable[..., Site], start_shop: StartShop) -> None:
    shop = start_shop("late-rules", "failover", workers=2)
    site = open_site("varnish", RULES, shop)
    picture = site.picture()
    site.visit(Visitor(), picture)
    site.bucket.age(picture.key, 3600)

    for _ in range(VISITS):
        assert site.visit(Visitor(), picture)[0].trail == "cache 307, shop 200"

    told = cdn(shop)
    assert (told["status"], told["late_arrivals_last_hour"]) == ("misconfigured", VISITS)
    assert warnings(shop, at_least=1)
