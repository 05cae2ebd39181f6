"""The demonstration shop: the same every time, nothing twice, carried on after an interruption."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.db import models

from marketplace import multitude, seeding
from marketplace.models import Category, Photo, Product, Seller
from marketplace.seeding import Seeded, seed
from tests.marketplace.conftest import picture
from tests.marketplace.page import Page

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Drawn:
    """What the demo's photos look like to the seeding."""

    slug: str
    subject: str
    kind: str
    title: str
    alt: str
    path: Path


SUBJECTS = [
    ("bowl", "walnut-bowl", "Turned walnut bowl"),
    ("bowl", "noodle-bowl", "Deep noodle bowl"),
    ("vase", "moon-jar", "Moon jar"),
    ("cloth", "tea-towel", "Checked tea towel"),
    ("candle", "pillar", "Beeswax pillar"),
    ("kite", "kite", "Paper kite"),
]


@pytest.fixture
def photos(tmp_path: Path) -> list[Drawn]:
    drawn = []
    for kind, subject, title in SUBJECTS:
        for view in range(1, 5 if subject == "moon-jar" else 2 if subject == "pillar" else 3):
            path = tmp_path / f"{subject}-{view}.jpg"
            path.write_bytes(picture(400, 300, f"#a0522{view}"))
            drawn.append(Drawn(path.stem, subject, kind, title, f"{title}, view {view}", path))
    return drawn


def rows() -> list[tuple[Any, ...]]:
    fields = (
        "seller__name",
        "category__name",
        "title",
        "price",
        "status",
        "created",
        "updated",
        "photos__alt",
    )
    return list(Product.objects.order_by("created", "photos__position").values_list(*fields))


def test_it_fills_a_varied_shop(photos: list[Drawn], originals: Callable[[], list[Path]]) -> None:
    added = seed(60, photos)
    assert added == Seeded(products=60, photos=Photo.objects.count())
    assert len(originals()) == added.photos  # one upload each, and nothing but originals
    status = Counter(Product.objects.values_list("status", flat=True))
    assert set(status) == set(Product.Status.values)
    assert status["active"] > 40
    assert {product.photos.count() for product in Product.objects.all()} == {1, 2, 3, 4}
    assert Seller.objects.filter(products__isnull=False).distinct().count() >= 7
    assert len(set(Product.objects.values_list("title", flat=True))) == 60


def test_a_second_run_adds_and_changes_nothing(
    photos: list[Drawn], originals: Callable[[], list[Path]]
) -> None:
    seed(30, photos)
    before, files = rows(), originals()
    assert seed(30, photos) == Seeded(products=0, photos=0)
    assert (rows(), originals()) == (before, files)


def test_it_is_the_same_every_time(photos: list[Drawn]) -> None:
    seed(20, photos)
    before = rows()
    Product.objects.all().delete()
    seed(20, photos)
    assert rows() == before


def test_more_products_leave_the_first_as_they_are(photos: list[Drawn]) -> None:
    seed(10, photos)
    before = rows()
    assert seed(15, photos).products == 5
    assert set(before) < set(rows())


def test_what_a_visitor_has_changed_stays(photos: list[Drawn]) -> None:
    seed(10, photos)
    product = Product.objects.filter(status="active").first()
    product.photos.all().delete()
    product.mark_sold()
    seed(10, photos)
    product.refresh_from_db()
    assert (product.status, product.photos.count()) == ("sold", 0)


def test_an_interrupted_run_is_carried_on(photos: list[Drawn], monkeypatch: pytest.MonkeyPatch) -> None:
    seed(8, photos)
    whole = rows()
    Product.objects.all().delete()
    save, calls = Photo.save, []

    def interrupt(self: Photo, *args: Any, **kwargs: Any) -> None:
        calls.append(self)
        if len(calls) == 6:
            raise KeyboardInterrupt
        save(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(Photo, "save", interrupt)
        with pytest.raises(KeyboardInterrupt):
            seed(8, photos)
    assert 0 < Product.objects.count() < 8
    seed(8, photos)
    assert rows() == whole


def test_wood_is_made_by_those_who_work_in_wood(photos: list[Drawn]) -> None:
    seed(12, photos)
    walnut = Product.objects.filter(title__startswith="Turned walnut")
    assert {product.seller.name for product in walnut} <= {"Tomás Finch", "Alder & Ash"}
    assert {product.category.name for product in walnut} == {"Wood"}


def test_no_shelf_is_empty(photos: list[Drawn]) -> None:
    seed(12, photos)
    assert not Category.objects.filter(products__isnull=True).exists()


def test_sellers_and_the_moderator_can_log_in(photos: list[Drawn]) -> None:
    seed(1, photos)
    assert authenticate(username="admin", password="demo").is_superuser
    marta = authenticate(username="marta", password="demo")
    assert (marta.seller.name, marta.is_staff) == ("Marta Ilves", False)


def test_the_shop_opens_with_what_was_seeded(photos: list[Drawn], get: Callable[..., Page]) -> None:
    seed(60, photos)
    page = get("/all/")
    assert len(page.titles) == 24
    assert len(page.all("img")) == 24
    assert all("background" in image["style"] for image in page.all("img"))  # the placeholders


def test_further_products_are_on_sale_and_share_the_originals(
    photos: list[Drawn], originals: Callable[[], list[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seeding, "VARIED", 20)
    monkeypatch.setattr(multitude, "BATCH", 30)
    seed(20, photos)
    stored, varied = originals(), Product.objects.exclude(status="active").count()
    seen: list[tuple[int, int]] = []
    added = seed(120, photos, progress=lambda done, total: seen.append((done, total)))
    assert Product.objects.filter(status="active").count() == 120
    assert added.products == 100 + varied
    assert originals() == stored
    assert [done for done, _ in seen] == [*range(1, 21), 50, 80, 110, seen[-1][1]]
    assert seen[-1] == (120 + varied, 120 + varied)
    further = Product.objects.order_by("-pk")[: added.products]
    assert {product.photos.count() for product in further} == {5, 6, 7, 8, 9, 10}
    assert len({product.title for product in further}) > 90
    assert len({product.created for product in Product.objects.all()}) == Product.objects.count()
    assert not Photo.objects.filter(width=None).exists()
    assert not Photo.objects.filter(placeholder="").exists()
    assert not Product.objects.exclude(maker_name=models.F("seller__name")).exists()
    assert seed(120, photos) == Seeded(products=0, photos=0)


def test_further_products_need_no_varied_ones_of_every_subject(
    photos: list[Drawn], originals: Callable[[], list[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seeding, "VARIED", 1)
    seed(60, photos)
    assert 0 < len(originals()) <= 2 + len(photos)  # each is stored once, but for those of the varied one
    assert Photo.objects.values("image").distinct().count() == len(originals())


def test_a_batch_that_is_interrupted_leaves_nothing(
    photos: list[Drawn], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seeding, "VARIED", 4)
    monkeypatch.setattr(multitude, "BATCH", 10)
    calls = []

    def interrupt(rows: Any, **options: Any) -> Any:
        calls.append(rows)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return create(rows, **options)

    create = Photo.objects.bulk_create
    with monkeypatch.context() as patch:
        patch.setattr(Photo.objects, "bulk_create", interrupt)
        with pytest.raises(KeyboardInterrupt):
            seed(40, photos)
    assert Product.objects.count() == 4 + 10
    assert not Product.objects.filter(photos=None).exists()
    assert seed(40, photos).products == 26


def test_progress_is_reported(photos: list[Drawn]) -> None:
    seen: list[tuple[int, int]] = []
    seed(3, photos, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_without_photos_there_is_nothing_to_seed() -> None:
    with pytest.raises(ValueError, match="at least one photo"):
        seed(3, [])


def test_the_command_draws_seeds_and_says_so(
    photos: list[Drawn], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[Path] = []

    def draw(cache_dir: Path, *, progress: Any) -> list[Drawn]:
        asked.append(cache_dir)
        if progress:
            progress(len(photos), len(photos))
        return photos

    module = pytest.importorskip("marketplace.management.commands.seed_marketplace")
    monkeypatch.setattr(module, "draw_photos", draw)
    out = StringIO()
    call_command("seed_marketplace", "--products", "3", "--photos-dir", str(tmp_path / "drawn"), stdout=out)
    assert asked == [tmp_path / "drawn"]
    assert asked[0].is_dir()
    assert "Products ready: 3" in out.getvalue()
    assert "Added 3 products with" in out.getvalue()
    quiet = StringIO()
    call_command("seed_marketplace", "--products=3", f"--photos-dir={tmp_path}", verbosity=0, stdout=quiet)
    assert quiet.getvalue() == ""


@pytest.mark.parametrize("number", ["0", "-3", "many", "999999"])
def test_the_command_refuses_senseless_numbers(number: str) -> None:
    pytest.importorskip("marketplace.management.commands.seed_marketplace")
    with pytest.raises(CommandError, match="not a number from 1 to 100000"):
        call_command("seed_marketplace", f"--products={number}")


def test_each_photo_is_one_put_and_pages_ask_the_storage_nothing(
    s3: Any, s3_calls: list[str], delivery: Callable[..., None], photos: list[Drawn], get: Callable[..., Page]
) -> None:
    delivery("redirect")
    added = seed(5, photos)
    assert s3_calls == ["PutObject"] * added.photos
    assert get("/").all("img")[0]["src"].startswith("https://cdn.example/produs_")
    assert len(s3_calls) == added.photos
