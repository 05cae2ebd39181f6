"""An error that the edge keeps does not outlive its time, and does not touch the variant made meanwhile."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from marketplace.cloud.children import Child
from marketplace.demo.ports import free_port
from tests.clock import PATIENCE
from tests.conftest import jpeg
from tests.fire.edge.behaviours import Behaviour
from tests.fire.edge.bucket import start_s3rver
from tests.fire.edge.conftest import EDGES, SECRET, Picture, Site, StartShop
from tests.fire.edge.visitors import Step, Visitor, ask

pytestmark = pytest.mark.chain
OpenSite = Callable[..., Site]

SECONDS = 1
REDIRECT = Behaviour(name="errors-1s", error_ttl=SECONDS)
GROUP = Behaviour(name="group-errors-1s", error_ttl=SECONDS, group=True)
BOTH = pytest.mark.parametrize("kind", EDGES)


@pytest.fixture
def start_s3(edge_folder: Path, s3rver: Child) -> Iterator[Callable[[int], Child]]:
    """Start a second server before the same objects: S3 coming back."""
    with ExitStack() as stack:

        def start(port: int) -> Child:
            return stack.enter_context(start_s3rver(edge_folder / "objects", port=port))

        yield start


def expect_kept(url: str, status: int) -> Step:
    """Ask until the same error has come from behind the edge, and then from its memory."""
    origins: list[Step] = []
    started = time.monotonic()
    while time.monotonic() - started < PATIENCE:  # a slow machine asks again after it is forgotten
        step = ask(url)
        assert step.status == status
        if step.layer != "cache":
            origins.append(step)
        elif origins:
            return origins[-1]
    raise AssertionError("the error is not kept, so this would show nothing")


def wait_for(url: str, what: Callable[[Step], bool]) -> float:
    """Ask until the answer is as wanted; return the seconds it took."""
    started = time.monotonic()
    while not what(step := ask(url)):
        assert time.monotonic() - started < PATIENCE, f"still {step.layer} {step.status}"
        time.sleep(0.05)
    return time.monotonic() - started


def not_an_error(step: Step) -> bool:
    return step.status < 400


def expect_the_picture(site: Site, picture: Picture) -> None:
    """The picture comes, is made once, and is kept by the edge."""
    site.visit(Visitor(), picture)
    assert site.visit(Visitor(), picture)[0].trail == "cache 200"
    assert len(site.shop.lines(f"rendered key={picture.key} ", at_least=1)) == 1


@BOTH
def test_s3_was_down(
    open_site: OpenSite, start_shop: StartShop, start_s3: Callable[[int], Child], kind: str
) -> None:
    port = free_port()
    shop = start_shop("redirect", "redirect")
    site = open_site(kind, REDIRECT, shop, s3=f"127.0.0.1:{port}")
    picture = site.picture()

    expect_kept(picture.url, 502)
    start_s3(port)
    wait_for(picture.url, not_an_error)
    expect_the_picture(site, picture)


@BOTH
def test_the_routing_rules_came_late(open_site: OpenSite, start_shop: StartShop, kind: str) -> None:
    shop = start_shop("redirect", "redirect")
    site = open_site(kind, REDIRECT, shop)
    picture = site.picture()

    with site.bucket.without_rules():
        expect_kept(picture.url, 404)
    wait_for(picture.url, not_an_error)
    expect_the_picture(site, picture)


@BOTH
def test_resizer_and_then_its_storage_were_down(
    open_site: OpenSite, start_shop: StartShop, start_s3: Callable[[int], Child], kind: str
) -> None:
    storage, port = free_port(), free_port()
    # Only for the bucket and the port of the edge; what is behind it starts below.
    other = start_shop("failover", "failover")
    site = open_site(kind, GROUP, other, resizer=f"127.0.0.1:{port}")
    picture = site.picture()

    expect_kept(picture.url, 502)
    shop = start_shop(
        other.bucket.name,
        "failover",
        label=f"down-{kind}",
        port=port,
        AWS_ENDPOINT_URL_S3=f"http://127.0.0.1:{storage}",
    )
    wait_for(picture.url, lambda step: step.status == 503)
    site.edge.purge(picture.path)
    failed = expect_kept(picture.url, 503)
    assert failed.headers["Cache-Control"] == "no-store", "which CloudFront does not heed for a 503"

    start_s3(storage)
    wait_for(picture.url, not_an_error)
    expect_the_picture(Site(site.edge, site.behaviour, shop), picture)


def test_the_original_came_late(open_site: OpenSite, start_shop: StartShop) -> None:
    sites = []
    for kind in EDGES:
        shop = start_shop("failover-secret", "failover", secret=SECRET)
        sites.append((open_site(kind, GROUP, shop, port=free_port()), f"late/360x270/{kind}.jpg"))
    shop = start_shop("redirect", "redirect")
    sites.append((open_site("varnish", REDIRECT, shop), "late/360x270/redirect.jpg"))

    for site, key in sites:
        expect_missing(site, key)
        site.bucket.put(key.replace("360x270/", ""), jpeg())
    for site, key in sites:
        visitor = Visitor(remembers=True)
        started = time.monotonic()
        while (visit := visitor.visit(f"{site.edge.url}/{key}")).end.status != 200:
            assert visit.end.status == 404, visit.trail
            assert time.monotonic() - started < PATIENCE, visit.trail
            time.sleep(0.1)
        assert visit.redirects == (0 if site.behaviour.group else 2), visit.trail
        assert visit.end.body == site.bucket.get(key)


def expect_missing(site: Site, key: str) -> None:
    url = f"{site.edge.url}/{key}"
    if site.behaviour.group:
        assert expect_kept(url, 404).headers["Cache-Control"] == "max-age=0, s-maxage=10"
    else:
        assert Visitor().visit(url).trail == "s3 307, shop 404"
