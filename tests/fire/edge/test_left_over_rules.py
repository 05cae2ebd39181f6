"""Routing rules that stayed behind in failover delivery, and a secret that browsers do not have."""

from collections.abc import Callable

import pytest

from tests.fire.edge.behaviours import Behaviour
from tests.fire.edge.conftest import EDGES, SECRET, Site, StartShop
from tests.fire.edge.visitors import Visitor

pytestmark = pytest.mark.chain

RULES = Behaviour(name="group-and-rules", error_ttl=300, group=True, rules=True)


@pytest.mark.parametrize("kind", EDGES)
def test_the_secret_keeps_browsers_out_until_the_rules_are_gone(
    open_site: Callable[..., Site], start_shop: StartShop, kind: str
) -> None:
    site = open_site(kind, RULES, start_shop("failover-secret", "failover", secret=SECRET))
    picture = site.picture()
    visitor = Visitor(remembers=True)

    # ORIGIN_SECRET lets in who brings it, and a browser that S3's rule sends brings nothing.
    refused = visitor.visit(picture.url)
    assert refused.trail == "s3 307, shop 404"
    assert refused.end.headers["Cache-Control"] == "no-store"
    assert picture.stored is None

    # Nothing has kept the refusal.
    with site.bucket.without_rules():
        assert site.visit(visitor, picture)[0].trail == "resizer 200"
        assert site.visit(visitor, picture)[0].trail == "cache 200"
