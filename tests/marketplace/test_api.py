"""The marketplace's API: what anybody may read, a page at a time, and its schema."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from lazyimages.test import fake_images
from marketplace.models import Category, Photo, Product, Seller

PRESETS = ["card", "detail", "thumb"]


@pytest.fixture(autouse=True)
def _no_pixels() -> Iterator[None]:
    with fake_images():
        yield


@pytest.fixture
def api(client: Client) -> Callable[..., Any]:
    """Read from the API: `api("products/", q="bowl")`."""

    def read(path: str, *, status: int = 200, **query: str) -> Any:
        response = client.get(path if path.startswith("http") else f"/api/{path}", query)
        assert response.status_code == status, response.content
        assert response.headers["Content-Type"] == "application/json"
        return response.json()

    return read


@pytest.mark.django_db
class TestProducts:
    @pytest.mark.parametrize("place", ["foo", "2026-13-45", "2026-01-01\0", ""])
    def test_a_forged_cursor_is_no_error_of_ours(self, api: Callable[..., Any], place: str) -> None:
        cursor = b64encode(f"p={place}".encode()).decode()
        assert api("products/", status=404, cursor=cursor) == {"detail": "Invalid cursor"}

    def test_a_product(self, api: Callable[..., Any], make: Callable[..., Product]) -> None:
        product = make("A bowl", price="34.50", photos=2)
        (found,) = api("products/")["results"]
        cover = found.pop("cover")
        assert found == {
            "id": product.pk,
            "url": f"http://testserver/p/{product.pk}-a-bowl/",
            "title": "A bowl",
            "price": "34.50",
            "is_sold": False,
            "created": product.created.isoformat().replace("+00:00", "Z"),
            "category": {"slug": "tableware", "name": "Tableware"},
            "seller": {"slug": "marta-ilves", "name": "Marta Ilves", "town": "Hebden Bridge"},
        }
        assert list(cover["presets"]) == PRESETS
        assert product.photos.all()[0].image.name.rpartition("/")[2] in cover["url"]

    def test_one_product(self, api: Callable[..., Any], make: Callable[..., Product]) -> None:
        product = make("A bowl", photos=3)
        found = api(f"products/{product.pk}/")
        assert found["description"] == "Sits well in two hands."
        assert [photo["alt"] for photo in found["photos"]] == [
            f"A bowl, view {number}" for number in (1, 2, 3)
        ]
        assert found["photos"][0]["image"] == found["cover"]

    def test_without_photos(self, api: Callable[..., Any], make: Callable[..., Product]) -> None:
        make("A bowl")
        assert [found["cover"] for found in api("products/")["results"]] == [None]

    @pytest.mark.parametrize("status", ["draft", "pending", "rejected"])
    def test_what_is_not_public_is_not_there(
        self, api: Callable[..., Any], make: Callable[..., Product], as_moderator: Client, status: str
    ) -> None:
        hidden = make("A secret", status=status)
        assert api("products/")["results"] == []
        api(f"products/{hidden.pk}/", status=404)
        assert as_moderator.get(f"/api/products/{hidden.pk}/").status_code == 404

    def test_what_was_sold(self, api: Callable[..., Any], make: Callable[..., Product]) -> None:
        make("A bowl", status="sold")
        assert [found["is_sold"] for found in api("products/")["results"]] == [True]

    def test_filters(self, api: Callable[..., Any], make: Callable[..., Product], vases: Category) -> None:
        make("A walnut bowl")
        make("A walnut vase", category=vases)
        make("An oak vase", category=vases)

        def titles(**query: str) -> list[str]:
            return sorted(found["title"] for found in api("products/", **query)["results"])

        assert titles(category="vases") == ["A walnut vase", "An oak vase"]
        assert titles(q="walnut") == ["A walnut bowl", "A walnut vase"]
        assert titles(q="walnut", category="vases") == ["A walnut vase"]
        assert titles(q="  ") == titles()
        assert titles(category="nowhere") == []

    @pytest.mark.parametrize("query", [{"q": "a\0b"}, {"q": "a" * 101}, {"category": "no shelf"}])
    def test_a_query_that_makes_no_sense_is_400(self, api: Callable[..., Any], query: dict[str, str]) -> None:
        assert api("products/", status=400, **query).keys() == query.keys()

    def test_less_of_each_image(self, api: Callable[..., Any], make: Callable[..., Product]) -> None:
        make("A bowl", photos=1)
        (found,) = api("products/", image_presets="thumb", image_formats="original")["results"]
        assert found["cover"]["presets"].keys() == {"thumb"}
        assert found["cover"]["presets"]["thumb"]["srcset"].keys() == {"jpeg"}
        error = api("products/", image_presets="hero", status=400)
        assert error == {"image_presets": ["'hero' is not one of: card, detail, thumb."]}

    @pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
    def test_it_is_there_to_be_read(
        self, as_moderator: Client, make: Callable[..., Product], method: str
    ) -> None:
        product = make("A bowl")
        for path in ("/api/products/", f"/api/products/{product.pk}/"):
            assert getattr(as_moderator, method)(path).status_code == 405


@pytest.mark.django_db
class TestPages:
    @pytest.fixture
    def many(self, seller: Seller, tableware: Category) -> list[Product]:
        now = timezone.now()
        products = Product.objects.bulk_create(
            Product(
                seller=seller,
                category=tableware,
                title=f"Bowl {number}",
                slug=f"bowl-{number}",
                price=5,
                status="active",
                # Some at the same moment, over the border of a page too.
                created=now - timedelta(seconds=number // 7),
            )
            for number in range(60)
        )
        Photo.objects.bulk_create(
            Photo(product=product, image=f"produs_{product.pk}/a.jpg", width=400, height=300)
            for product in products
        )
        return products

    def test_each_product_is_on_one_page(self, api: Callable[..., Any], many: list[Product]) -> None:
        seen, page = [], api("products/")
        sizes = [len(page["results"])]
        seen += page["results"]
        while page["next"]:
            page = api(page["next"])
            sizes.append(len(page["results"]))
            seen += page["results"]
        assert sizes == [24, 24, 12]
        expected = sorted(many, key=lambda product: (product.created, product.pk), reverse=True)
        assert [found["id"] for found in seen] == [product.pk for product in expected]
        assert len(api(page["previous"])["results"]) == 24

    def test_queries_and_storage(
        self,
        api: Callable[..., Any],
        many: list[Product],
        settings: Any,
        django_assert_num_queries: Any,
    ) -> None:
        """Rule 3.1: the list's two queries, and no look into any storage."""
        nothing = {"BACKEND": "tests.host.closed.Closed"}
        settings.STORAGES = {**settings.STORAGES, "default": nothing, "lazyimages": nothing}
        with django_assert_num_queries(2):
            page = api("products/")
        with django_assert_num_queries(2):
            api(page["next"])
        with django_assert_num_queries(2):
            api(f"products/{many[0].pk}/")


class TestSchema:
    def test_the_command_finds_nothing_to_complain_of(self, tmp_path: Path) -> None:
        call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yml"))
        schema = yaml.safe_load((tmp_path / "schema.yml").read_text())
        assert list(schema["paths"]) == ["/api/products/", "/api/products/{id}/"]

    def test_it_is_served(self, client: Client) -> None:
        schema = json.loads(client.get("/api/schema/?format=json").content)
        listing = schema["paths"]["/api/products/"]["get"]
        assert {parameter["name"] for parameter in listing["parameters"]} == {
            "category",
            "cursor",
            "image_formats",
            "image_presets",
            "q",
        }
        cover = schema["components"]["schemas"]["Product"]["properties"]["cover"]
        assert list(cover["properties"]["presets"]["properties"]) == PRESETS
