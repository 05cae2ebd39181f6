"""The seller's desk: who may use it, what an upload does, and what is said when something is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from marketplace.models import Category, Photo, Product, Seller
from tests.marketplace.conftest import edit_data, picture, sent, upload
from tests.marketplace.page import Page

Make, Get, Originals = Callable[..., Product], Callable[..., Page], Callable[[], list[Path]]
NEW, SUBMIT = "/sell/new/", {"submit": "1"}


@pytest.fixture
def words(tableware: Category) -> dict[str, Any]:
    return {"title": "Oat bowl", "category": tableware.pk, "price": "24", "description": "For soup."}


# Who may


@pytest.mark.parametrize("path", ["/sell/", "/sell/new/", "/sell/profile/", "/sell/1/"])
def test_the_desk_asks_strangers_to_log_in(db: None, client: Client, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, response["Location"]) == (302, f"/login/?next={path}")


@pytest.mark.parametrize("status", ["draft", "active"])
def test_only_the_owner_can_edit(
    make: Make, client: Client, rival: Seller, moderator: Any, status: str
) -> None:
    product = make(status=status)
    for user in (rival.user, moderator):
        client.force_login(user)
        assert client.get(f"/sell/{product.pk}/").status_code == 404
        assert client.post(f"/sell/{product.pk}/", edit_data(product, title="Mine")).status_code == 404
        assert client.post(f"/sell/{product.pk}/status/", {"action": "submit"}).status_code == 404
    product.refresh_from_db()
    assert (product.title, product.status) == ("A bowl", status)


def test_the_status_changes_by_post_alone(make: Make, as_seller: Client) -> None:
    assert as_seller.get(f"/sell/{make().pk}/status/").status_code == 405


def test_logging_in_and_out(seller: Seller, client: Client) -> None:
    page = sent(client, "/login/?next=/sell/", {"username": "marta", "password": "wrong"})
    assert "Please enter a correct username and password" in page.one(role="alert").text
    page = sent(client, "/login/", {"username": "marta", "password": "demo", "next": "/sell/"})
    assert page.one("h1").text == "Marta Ilves"
    assert "Log in" in sent(client, "/logout/", {}).one("nav", **{"aria-label": "Account"}).text


def test_an_account_without_a_shop_opens_one_first(as_moderator: Client) -> None:
    page = sent(as_moderator, "/sell/profile/", {"name": "Ädam’s", "town": "Rye", "about": ""})
    assert page.one("h1").text == "Ädam’s"
    assert Seller.objects.get().slug == "adams"


def test_a_name_of_letters_that_become_several_has_an_address_that_fits(as_moderator: Client) -> None:
    sent(as_moderator, "/sell/profile/", {"name": "㎯" * 80, "town": "Rye"})
    assert Seller.objects.get().slug == "rads2" * 16


def test_two_shops_cannot_have_one_name(seller: Seller, as_moderator: Client) -> None:
    assert as_moderator.get("/sell/new/")["Location"] == "/sell/profile/"
    page = sent(as_moderator, "/sell/profile/", {"name": "Marta ilves", "town": "Rye"})
    assert "There is a shop of this name already." in page.text


# The list


def test_the_desk_lists_own_products_with_their_status(
    make: Make, get: Get, rival: Seller, as_seller: Client
) -> None:
    make("Draft", status="draft")
    make("Refused", status="rejected", rejection_note="Too dark.")
    make("Not mine", seller=rival)
    page = get("/sell/")
    assert [badge.text for badge in page.all("span", css="badge")] == ["Rejected", "Draft"]
    assert "From our moderators: Too dark." in page.text
    assert "Not mine" not in page.text


@pytest.mark.parametrize(
    "status, action, photos, expected",
    [
        ("draft", "submit", 1, "pending"),
        ("draft", "submit", 0, "draft"),
        ("rejected", "submit", 1, "pending"),
        ("active", "submit", 1, "active"),
        ("active", "sold", 1, "sold"),
        ("draft", "sold", 1, "draft"),
        ("pending", "approve", 1, "pending"),
    ],
)
def test_steps_that_a_seller_can_take(
    make: Make, as_seller: Client, status: str, action: str, photos: int, expected: str
) -> None:
    product = make(status=status, photos=photos)
    page = sent(as_seller, f"/sell/{product.pk}/status/", {"action": action})
    product.refresh_from_db()
    assert product.status == expected
    assert page.one(css="message-success" if expected != status else "message-error").text


# A new product


def test_an_upload_makes_a_draft_with_photos_in_order(
    words: dict[str, Any], as_seller: Client, originals: Originals, seller: Seller
) -> None:
    files = [upload("Front view.jpg"), upload("back.JPG", picture(300, 400))]
    page = sent(as_seller, NEW, {**words, "photos": files})
    assert "Your draft is saved" in page.one(css="message-success").text
    product = Product.objects.get()
    assert (product.seller, product.status, product.slug) == (seller, "draft", "oat-bowl")
    photos = list(product.photos.all())
    assert [(photo.position, photo.width, photo.height) for photo in photos] == [(1, 400, 300), (2, 300, 400)]
    assert all(photo.image.name.startswith(f"produs_{product.pk}/") for photo in photos)
    assert len(originals()) == 2
    assert originals()[0].read_bytes() in (files[0].file.getvalue(), files[1].file.getvalue())


def test_an_upload_can_go_to_the_moderators_at_once(words: dict[str, Any], as_seller: Client) -> None:
    page = sent(as_seller, NEW, {**words, "photos": upload(), **SUBMIT})
    assert "Thank you!" in page.one(css="message-success").text
    assert Product.objects.get().status == "pending"


def test_each_file_that_is_no_photo_is_named_and_nothing_is_stored(
    words: dict[str, Any], as_seller: Client, originals: Originals
) -> None:
    files = [
        upload("good.jpg"),
        upload("notes <b>.jpg", b"hello"),
        upload("half.jpg", picture(800, 800)[:-400]),
        upload("empty.jpg", b""),
    ]
    page = sent(as_seller, NEW, {**words, "photos": files})
    errors = page.one("ul", css="errorlist").text
    assert "half.jpg: " in errors
    assert "empty.jpg: The submitted file is empty." in errors
    assert "notes <b>.jpg: " in errors
    assert "good.jpg" not in errors
    assert "choose your photos again" in page.one(role="alert").text
    assert page.one("input", name="title")["value"] == "Oat bowl"
    assert (Product.objects.count(), originals()) == (0, [])


def test_good_photos_beside_bad_words_are_not_stored_either(
    words: dict[str, Any], as_seller: Client, originals: Originals
) -> None:
    page = sent(as_seller, NEW, {**words, "price": "0", "photos": upload()})
    assert "Ensure this value is greater than or equal to 0.01." in page.text
    assert (Product.objects.count(), originals()) == (0, [])


def test_a_product_needs_a_photo(words: dict[str, Any], as_seller: Client) -> None:
    assert "Choose at least one photo." in sent(as_seller, NEW, words).text


def test_there_is_a_limit_to_photos(words: dict[str, Any], as_seller: Client, originals: Originals) -> None:
    page = sent(as_seller, NEW, {**words, "photos": [upload(f"{n}.jpg") for n in range(13)]})
    assert "Choose at most 12 files; these are 13." in page.text
    assert originals() == []


def test_an_empty_form_marks_what_is_missing(seller: Seller, as_seller: Client) -> None:
    page = sent(as_seller, NEW, {})
    assert len(page.all("div", css="field-invalid")) == 5
    assert page.one("input", name="title")["aria-invalid"] == "true"


def test_a_storage_that_fails_leaves_a_draft_that_can_be_completed(
    words: dict[str, Any], as_seller: Client, originals: Originals, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, calls = Photo.save, []

    def fail_at_second(self: Photo, *args: Any, **kwargs: Any) -> None:
        calls.append(self)
        if len(calls) == 2:
            raise OSError("no space left")
        save(self, *args, **kwargs)

    monkeypatch.setattr(Photo, "save", fail_at_second)
    files = [upload("one.jpg"), upload("two.jpg"), upload("three.jpg")]
    page = sent(as_seller, NEW, {**words, "photos": files, **SUBMIT})
    assert "We could not store two.jpg just now." in page.one(css="message-error").text
    product = Product.objects.get()
    assert (product.status, product.photos.count(), len(originals())) == ("draft", 1, 1)
