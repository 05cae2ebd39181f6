"""Whatever the edge does wrong, a client gets the picture in at most one extra bounce."""

from collections.abc import Iterator

import pytest

from tests.fire.edge.conftest import Picture, Site
from tests.fire.edge.occasions import OCCASIONS
from tests.fire.edge.visitors import Visit, Visitor

pytestmark = pytest.mark.chain
RENDERS = {"first": 1, "second": 1, "purged": 2, "replaced": 1, "lifecycle": 2}

Row = tuple[str, str, str, int, str]


@pytest.fixture(scope="module", autouse=True)
def measured() -> Iterator[list[Row]]:
    """Print what was met, for who runs pytest with -s."""
    rows: list[Row] = []
    yield rows
    for row in rows:
        print(" | ".join(map(str, row)))


@pytest.mark.parametrize("occasion", OCCASIONS)
def test_the_picture_comes(site: Site, occasion: str, measured: list[Row]) -> None:
    for who in ("another", "the same"):
        regular = Visitor(remembers=True)

        def load(picture: Picture, regular: Visitor = regular) -> Visit:
            return site.visit(regular, picture)[0]

        for picture in OCCASIONS[occasion](site, load):
            visitor = regular if who == "the same" else Visitor()
            visit, extra = site.visit(visitor, picture)
            measured.append((f"{site.edge.kind} {site.behaviour.name}", occasion, who, extra, visit.trail))
        made = site.shop.lines(f"rendered key={picture.key} ", at_least=RENDERS[occasion])
        assert len(made) == RENDERS[occasion]
