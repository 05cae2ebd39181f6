"""The chain: s3rver, the shop under gunicorn, an edge for each behaviour. All ends with the tests."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from marketplace.cloud.children import Child, start_child
from marketplace.demo.ports import free_port
from tests.clock import PATIENCE
from tests.conftest import upload
from tests.fire.edge.behaviours import BEHAVIOURS, Behaviour, Origins
from tests.fire.edge.bucket import CREDENTIALS, REGION, Bucket, address, start_s3rver
from tests.fire.edge.nginx import Nginx
from tests.fire.edge.varnish import Varnish
from tests.fire.edge.visitors import Visit, Visitor
from tests.npm import ROOT

SECRET = "open-sesame"
EDGES: dict[str, type[Varnish] | type[Nginx]] = {"varnish": Varnish, "nginx": Nginx}
SIZE = "360x270"


class Shop:
    """The marketplace under gunicorn, its bucket, and the port that its edge is to have."""

    def __init__(
        self,
        name: str,
        *,
        delivery: str,
        s3rver: str,
        objects: Path,
        folder: Path,
        label: str = "",
        secret: str = "",
        port: int | None = None,
        workers: int = 1,
        **environment: str,
    ) -> None:
        self.delivery = delivery
        self.secret = secret
        self.edge_port = free_port()
        self.cdn_url = f"http://127.0.0.1:{self.edge_port}"
        self.address = f"127.0.0.1:{port or free_port()}"
        self.url = f"http://{self.address}"
        resizer_url = f"{self.url}/images/resizer"
        self.bucket = Bucket(name, s3rver, objects)
        self.bucket.route_to(resizer_url)
        self.log = folder / f"{label or name}.log"
        data = folder / (label or name)  # of its own, for the locks and what counts late arrivals are in it
        data.mkdir()
        values = {
            "DJANGO_SETTINGS_MODULE": "tests.fire.patient",
            "DATA_DIR": str(data),
            "TMPDIR": str(data),
            "DELIVERY": delivery,
            "CDN_URL": self.cdn_url,
            "RESIZER_URL": resizer_url,
            "ORIGIN_SECRET": secret,
            "REDIS_URL": "",
            "AWS_ENDPOINT_URL_S3": self.bucket.endpoint,
            "AWS_STORAGE_BUCKET_NAME": name,
            "AWS_ACCESS_KEY_ID": CREDENTIALS,
            "AWS_SECRET_ACCESS_KEY": CREDENTIALS,
            "AWS_DEFAULT_REGION": REGION,
        }
        command = [sys.executable, "-m", "gunicorn", "marketplace.wsgi:application"]
        self._child = start_child(
            [*command, "--bind", self.address, "--workers", str(workers), "--threads", "8"],
            ready="Listening at:",
            env={**os.environ, **values, **environment},
            cwd=ROOT,
            log=self.log,
        )

    def lines(self, text: str, *, at_least: int = 0) -> list[str]:
        """Return the log's lines with a text, once there are so many; the log comes a moment later."""
        deadline = time.monotonic() + PATIENCE
        while True:
            found = [line for line in self.log.read_text().splitlines() if text in line]
            if len(found) >= at_least or time.monotonic() > deadline:
                return found
            time.sleep(0.01)

    def stop(self) -> None:
        """End it."""
        self._child.stop()


@pytest.fixture(scope="session")
def edge_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for all that runs here."""
    return tmp_path_factory.mktemp("edge")


@pytest.fixture(scope="session")
def s3rver(edge_folder: Path) -> Iterator[Child]:
    """Run s3rver."""
    with start_s3rver(edge_folder / "objects") as child:
        yield child


StartShop = Callable[..., Shop]


@pytest.fixture(scope="session")
def start_shop(s3rver: Child, edge_folder: Path) -> Iterator[StartShop]:
    """Give the shop of a bucket, or of a label: the same one for all tests that ask for it."""
    shops: dict[str, Shop] = {}

    def start(name: str, delivery: str, *, label: str = "", **options: Any) -> Shop:
        known = label or name
        if known not in shops:
            own = {"s3rver": address(s3rver), "objects": edge_folder / "objects", "folder": edge_folder}
            shops[known] = Shop(name, label=label, delivery=delivery, **own, **options)
        return shops[known]

    yield start
    with ThreadPoolExecutor() as pool:  # each may take a second
        list(pool.map(Shop.stop, shops.values()))


StartEdge = Callable[..., Varnish | Nginx]


@pytest.fixture(scope="session")
def start_edge(tmp_path_factory: pytest.TempPathFactory) -> StartEdge:
    """Start an edge before a shop, on the port where the shop has its CDN unless told otherwise.

    `origins` puts others in the place of the right ones. Whoever calls this stops it.
    """

    def start(
        kind: str, behaviour: Behaviour, shop: Shop, *, port: int | None = None, **origins: str
    ) -> Varnish | Nginx:
        website = behaviour.rules or not behaviour.group
        right = {
            "s3": shop.bucket.address,
            "s3_host": shop.bucket.website_host if website else shop.bucket.rest_host,
            "resizer": shop.address,
            "secret": shop.secret or "none",
        }
        folder = tmp_path_factory.mktemp(f"{kind}-{behaviour.name}")
        return EDGES[kind](folder, port or shop.edge_port, behaviour, Origins(**right | origins))

    return start


class Picture:
    """A photo in the shop's bucket, uploaded through the field, and its variant as a page names it."""

    def __init__(self, shop: Shop, data: bytes | None = None) -> None:
        from tests.host.models import Photo

        self._shop = shop
        self._photo = Photo()
        self.replace(data)

    def replace(self, data: bytes | None = None) -> None:
        """Upload another original in its place; the row, and so every page, has another URL."""
        self._photo.image.save("bowl.jpg", upload(data), save=False)
        self.url: str = self._photo.image.variant_url(SIZE)
        self.path = urlsplit(self.url).path
        self.key = self.path.lstrip("/")

        self.expected: bytes | None = None

    @property
    def stored(self) -> bytes | None:
        """The variant in the bucket, whose bytes are the same whenever it is made."""
        found = self._shop.bucket.get(self.key)
        self.expected = self.expected or found
        return found


class Site:
    """One edge with one behaviour before one shop."""

    def __init__(self, edge: Varnish | Nginx, behaviour: Behaviour, shop: Shop) -> None:
        self.edge = edge
        self.behaviour = behaviour
        self.shop = shop

    @property
    def bucket(self) -> Bucket:
        """The shop's bucket."""
        return self.shop.bucket

    def picture(self, data: bytes | None = None) -> Picture:
        """Upload a photo."""
        return Picture(self.shop, data)

    def needed(self, picture: Picture) -> int:
        """Return the redirects of a visit behind a cache that is set right.

        Two where the variant has to be made in redirect delivery, to the resizer and back, else none.
        """
        return 2 if self.shop.delivery == "redirect" and picture.stored is None else 0

    def visit(self, visitor: Visitor, picture: Picture) -> tuple[Visit, int]:
        """Load a picture; return the visit and its extra bounces: redirects beyond those needed.

        Assert what holds for each visit: at most one extra bounce and none behind a cache that is set right,
        at most two requests to a layer, and the very bytes that are stored in the end.
        """
        needed = self.needed(picture)
        visit = visitor.visit(picture.url)
        extra = visit.redirects - needed
        assert visit.end.status == 200, visit.trail
        assert extra <= self.behaviour.bounces, visit.trail
        assert max(visit.layers.values()) <= 2, visit.trail
        assert picture.stored in (picture.expected, None)
        assert visit.end.body == picture.expected, visit.trail
        return visit, max(0, extra)


def use(shop: Shop, settings: Any) -> None:
    """Have this process upload into the shop's bucket, and name its CDN."""
    entry = {
        "BACKEND": "tests.fire.edge.bucket.storage",
        "OPTIONS": {"bucket_name": shop.bucket.name, "endpoint": shop.bucket.endpoint},
    }
    settings.STORAGES = {**settings.STORAGES, "default": entry, "lazyimages": entry}
    settings.LAZYIMAGES = {
        **settings.LAZYIMAGES,
        "DELIVERY": shop.delivery,
        "CDN_URL": shop.cdn_url,
        "RESIZER_URL": f"{shop.url}/images/resizer",
    }


@pytest.fixture
def open_site(settings: Any, start_edge: StartEdge) -> Iterator[Callable[..., Site]]:
    """Start an edge before a shop, for one test."""
    with ExitStack() as stack:

        def opened(kind: str, behaviour: Behaviour, shop: Shop, **options: Any) -> Site:
            edge = start_edge(kind, behaviour, shop, **options)
            stack.callback(edge.stop)
            use(shop, settings)
            return Site(edge, behaviour, shop)

        yield opened


@pytest.fixture(scope="module", params=list(EDGES))
def kind(request: pytest.FixtureRequest) -> str:
    """Return which program is the edge."""
    return request.param


@pytest.fixture(scope="module", params=BEHAVIOURS, ids=lambda one: one.name)
def running(
    request: pytest.FixtureRequest, kind: str, start_shop: StartShop, start_edge: StartEdge
) -> Iterator[Site]:
    """Run each edge with each behaviour before the shop of its delivery."""
    behaviour: Behaviour = request.param
    # Whoever comes by a rule that was left over brings no secret.
    secret = SECRET if behaviour.group and not behaviour.rules else ""
    name = f"{behaviour.delivery}{'-secret' if secret else ''}"
    shop = start_shop(name, behaviour.delivery, secret=secret)
    with ExitStack() as stack:
        edge = start_edge(kind, behaviour, shop)
        stack.callback(edge.stop)
        yield Site(edge, behaviour, shop)


@pytest.fixture
def site(running: Site, settings: Any) -> Site:
    """Return the running site, with this process's uploads going there."""
    use(running.shop, settings)
    return running
