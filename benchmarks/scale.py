"""`python -m benchmarks.scale`: the example shop's pages with 40,000 products in PostgreSQL.

Starts a PostgreSQL of its own in a temporary folder, fills it, asks for every kind of page in this process
at several depths, and prints a table. With --write it takes the place of the one in docs/performance.md.
"""

import argparse
import json
import logging
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from benchmarks.__main__ import DOCUMENT, _with
from benchmarks.peers import say
from benchmarks.tables import markdown

ROOT = Path(__file__).resolve().parents[1]
LIMIT_MS, LIMIT_QUERIES = 60, 6
ROUNDS = 10


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A page as it is asked for, and what it costs."""

    name: str
    depth: str
    times: list[float]  # ms of wall time
    work: list[float]  # ms of processor time, of this process and of PostgreSQL's, per request
    queries: int
    plan: str


@contextmanager
def postgresql() -> Iterator[str]:
    """Run a PostgreSQL with nothing in it on 127.0.0.1, and end it; yield the URL of a database."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if not programs:
        sys.exit("PostgreSQL is missing: apt install postgresql")
    with tempfile.TemporaryDirectory() as folder, socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
        found.close()
        # It refuses to run as root; Debian makes it a user of its own.
        account: dict[str, Any] = {"user": "postgres", "group": "postgres"} if os.getuid() == 0 else {}
        if account:
            Path(folder).chmod(0o755)
        data = Path(folder) / "data"
        data.mkdir(mode=0o700)
        if account:
            shutil.chown(data, **account)

        def run(program: str, *arguments: str) -> None:
            command = [str(programs[-1] / program), *arguments]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", **account)

        run("initdb", "-D", str(data), "-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8")
        options = f"-p {port} -k {data} -c listen_addresses=127.0.0.1"
        run("pg_ctl", "-D", str(data), "-o", options, "-l", str(data / "log"), "--wait", "start")
        try:
            run("createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "scale")
            yield f"postgres://postgres@127.0.0.1:{port}/scale"
        finally:
            run("pg_ctl", "-D", str(data), "--mode=immediate", "--wait", "stop")


def prepare(products: int, photos_dir: Path) -> str:
    """Migrate, fill the shop and gather the static files; return a sentence about the seeding."""
    from django.core.management import call_command

    from marketplace.models import Photo, Product

    call_command("migrate", verbosity=0)
    call_command("collectstatic", "--no-input", verbosity=0)
    start = time.perf_counter()
    call_command("seed_marketplace", f"--products={products}", "--photos-dir", str(photos_dir))
    seconds = time.perf_counter() - start
    active = Product.objects.filter(status="active").count()
    return (
        f"{active:,} products on sale with {Photo.objects.count():,} photos; "
        f"`seed_marketplace --products {products}` took {seconds:.0f} s."
    )


def pages() -> Iterator[tuple[str, str, str, str]]:
    """Yield every page that is asked for: what it is, at what depth, its address, and who asks for it."""
    from django.http import QueryDict
    from django.urls import reverse

    from marketplace.catalogue import NEWEST, OLDEST, FilterForm
    from marketplace.models import Category, Product, Seller
    from marketplace.paging import cursor_at

    category = Category.objects.get(slug="tableware")
    seller = Seller.objects.get(slug="marta-ilves")
    lists = [
        ("everything, newest", reverse("product-list"), ""),
        ("everything, price up", reverse("product-list"), "sort=price"),
        ("everything, price down", reverse("product-list"), "sort=-price"),
        ("everything, £30–£40", reverse("product-list"), "min_price=30&max_price=40"),
        ("category, newest", category.get_absolute_url(), ""),
        ("category, price up", category.get_absolute_url(), "sort=price"),
        ("category of one maker, price up", category.get_absolute_url(), "seller=marta-ilves&sort=price"),
        ("shop, newest", seller.get_absolute_url(), ""),
        ("shop, price down", seller.get_absolute_url(), "sort=-price"),
        ("search “bowl”, best match", reverse("search"), "q=bowl"),
        ("search “bowl”, newest", reverse("search"), "q=bowl&sort=newest"),
        ("search “bowl”, price up", reverse("search"), "q=bowl&sort=price"),
        ("search “harbour vase”, best match", reverse("search"), "q=harbour+vase"),
        ("search “harbour vase”, newest", reverse("search"), "q=harbour+vase&sort=newest"),
        ("search “hands”, category, price", reverse("search"), "q=hands&category=tableware&sort=price"),
    ]
    yield "home", "", "/", ""
    for name, path, query in lists:
        of = {"category": category} if path.startswith("/c/") else {}
        of |= {"seller": seller} if path.startswith("/shop/") else {}
        form = FilterForm(QueryDict(query), categories=[category], sellers=list(Seller.objects.all()), **of)
        for depth, cursor in _depths(form.products(), form.order, cursor_at):
            yield name, depth, f"{path}?{query}&page={cursor}" if cursor else f"{path}?{query}", ""
    on_sale = Product.objects.visible()
    for depth, product in (("newest", on_sale[0]), ("middle", on_sale[on_sale.count() // 2])):
        yield "product", depth, product.get_absolute_url(), ""
    for depth, cursor in _depths(seller.products.all(), NEWEST, cursor_at):
        yield "my products", depth, f"{reverse('sell')}?page={cursor}", "marta"
    for depth, cursor in _depths(Product.objects.waiting(), OLDEST, cursor_at):
        yield "moderation", depth, f"{reverse('moderation')}?page={cursor}", "admin"


def _depths(rows: Any, order: Any, cursor_at: Callable[..., str]) -> Iterator[tuple[str, str]]:
    """Yield the first page, and cursors to the middle and the last one, where there are many rows."""
    yield "first", ""
    count = rows.count()
    if count > 24 * 4:
        yield "middle", cursor_at(order.sort(rows)[count // 2], order, "after")
        yield "last", cursor_at(order.sort(rows)[count - 24], order, "after")


def measure(requests: int) -> list[Asked]:
    """Ask for every page so many times, in turns, so that what disturbs the machine disturbs all alike."""
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    clients = {"": Client(SERVER_NAME="127.0.0.1")}
    for name in ("marta", "admin"):
        clients[name] = Client(SERVER_NAME="127.0.0.1")
        clients[name].force_login(get_user_model().objects.get(username=name))
    asked = []
    for name, depth, address, who in pages():
        with CaptureQueriesContext(connection) as queries:
            response = clients[who].get(address)
        if response.status_code != 200:
            sys.exit(f"{address}: {response.status_code}")
        plan = _plan([entry["sql"] for entry in queries.captured_queries])
        page = Asked(name=name, depth=depth, times=[], work=[], queries=len(queries), plan=plan)
        asked.append((page, address, clients[who]))
    each = requests // ROUNDS
    for number in range(1, ROUNDS + 1):
        for page, address, client in asked:
            before = _processor_ms()
            for _ in range(each):
                start = time.perf_counter()
                client.get(address)
                page.times.append(1000 * (time.perf_counter() - start))
            page.work.append((_processor_ms() - before) / each)
        say(f"{number * each} of {requests} requests each")
    return [page for page, _, _ in asked]


def _processor_ms() -> float:
    """Return the processor time of this process and of the PostgreSQL process that serves it."""
    from django.db import connection

    status = Path(f"/proc/{connection.connection.info.backend_pid}/stat").read_text()
    fields = status.rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return 1000 * (time.process_time() + ticks / os.sysconf("SC_CLK_TCK"))


def _plan(statements: list[str]) -> str:
    """Return how PostgreSQL reaches the products of a page: the indexes it uses, or that it reads all."""
    from django.db import connection

    of_products = re.compile(r'SELECT .* FROM "marketplace_product".* LIMIT (9|13|25|21)\b')
    lists = [sql for sql in statements if of_products.match(sql)]
    if not lists:
        return ""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {lists[0]}")
        (answer,) = cursor.fetchone()
    plan = json.loads(answer) if isinstance(answer, str) else answer
    found: dict[str, None] = {}

    def walk(node: dict[str, Any]) -> None:
        if node.get("Relation Name") == "marketplace_product" and node["Node Type"] == "Seq Scan":
            found["reads all"] = None
        index = node.get("Index Name", "")
        if index and not index.startswith(("marketplace_seller", "marketplace_category")):
            found["primary key" if index.endswith("_pkey") else index] = None
        for child in node.get("Plans", []):
            walk(child)

    walk(plan[0]["Plan"])
    return ", ".join(found)


def table(asked: list[Asked]) -> str:
    """Return the table, as Markdown."""
    rows = []
    for page in asked:
        p95 = quantiles(page.times, n=20)[-1]
        work = sum(page.work) / len(page.work)
        figures = (f"{median(page.times):.1f}", f"{p95:.1f}", f"{work:.1f}", page.queries, page.plan)
        rows.append((page.name, page.depth, *figures))
    head = ("page", "depth", "median, ms", "p95, ms", "CPU, ms", "queries", "products by")
    return markdown(head, rows)


def main() -> None:
    """Seed, ask, print; 1 as the exit code when a listing page is over its limits."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--products", type=int, default=40_000)
    parser.add_argument("--requests", type=int, default=200, help="for each page at each depth (200)")
    parser.add_argument("--photos-dir", type=Path, default=ROOT / ".cache" / "photos")
    parser.add_argument("--database", metavar="URL", help="a PostgreSQL that is there and may be filled")
    parser.add_argument("--write", action="store_true", help="write the table into docs/performance.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as data:
        os.environ |= {"DATA_DIR": data, "DJANGO_SETTINGS_MODULE": "marketplace.settings", "DEBUG": ""}
        if options.database:
            asked, seeded = _run(options.database, options)
        else:
            with postgresql() as url:
                asked, seeded = _run(url, options)
    load, processors = os.getloadavg()[1], os.cpu_count()
    text = (
        f"{table(asked)}\n\n{seeded} {options.requests} requests for each line. "
        f"Load average at the end: {load:.1f} on {processors} processors."
    )
    print(f"\n{text}")
    if options.write:
        DOCUMENT.write_text(_with(DOCUMENT.read_text(), {"scale": text}))
    slow = [page for page in asked if page.name != "home" and not _is_within(page)]
    for page in slow:
        print(f"Over the limits: {page.name} {page.depth}", file=sys.stderr)
    sys.exit(1 if slow else 0)


def _run(url: str, options: argparse.Namespace) -> tuple[list[Asked], str]:
    os.environ["DATABASE_URL"] = url
    import django
    from django.db import connection

    django.setup()
    logging.disable(logging.WARNING)
    try:
        seeded = prepare(options.products, options.photos_dir)
        return measure(options.requests), seeded
    finally:
        connection.close()


def _is_within(page: Asked) -> bool:
    return page.queries <= LIMIT_QUERIES and quantiles(page.times, n=20)[-1] <= LIMIT_MS


if __name__ == "__main__":
    main()
