"""The edit page: photos moved, described, removed and added; what goes back to the moderators."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import AbstractUser
from django.test import Client

from marketplace.forms import ProductForm
from marketplace.models import Photo, Product, Seller
from marketplace.views import desk
from tests.marketplace.conftest import edit_data, sent, upload

Make, Originals = Callable[..., Product], Callable[[], list[Path]]
SUBMIT = {"submit": "1"}


def test_photos_are_reordered_described_removed_and_added(
    make: Make, as_seller: Client, originals: Originals
) -> None:
    product = make(status="draft", photos=3)
    first, second, third = product.photos.all()
    changes = {
        "photos-0-position": "3",
        "photos-1-DELETE": "on",
        "photos-2-alt": "From below",
        "photos": upload("new.jpg"),
    }
    page = sent(as_seller, f"/sell/{product.pk}/", edit_data(product, **changes))
    assert "Your changes are saved." in page.one(css="message-success").text
    photos = list(product.photos.all())
    assert [photo.pk for photo in photos[:2]] == [third.pk, first.pk]
    assert [photo.position for photo in photos] == [1, 2, 3]
    assert photos[0].alt == "From below"
    assert not Photo.objects.filter(pk=second.pk).exists()


@pytest.mark.parametrize(
    "moves, expected",
    [
        ({2: 1}, [2, 0, 1]),
        ({0: 3}, [1, 2, 0]),
        ({0: 2}, [1, 0, 2]),
        ({0: 9, 2: 1}, [2, 1, 0]),
        ({}, [0, 1, 2]),
    ],
)
def test_a_photo_takes_the_place_that_its_number_says(
    make: Make, as_seller: Client, moves: dict[int, int], expected: list[int]
) -> None:
    product = make(status="draft", photos=3)
    before = [photo.pk for photo in product.photos.all()]
    changes = {f"photos-{which}-position": number for which, number in moves.items()}
    sent(as_seller, f"/sell/{product.pk}/", edit_data(product, **changes))
    assert [photo.pk for photo in product.photos.all()] == [before[which] for which in expected]


@pytest.mark.parametrize(
    "changes, status",
    [
        ({"title": "Other words"}, "pending"),
        ({"description": "Other words"}, "pending"),
        ({"description": "Sits well\r\nin two hands."}, "active"),  # the line ends of a browser
        ({"price": "99"}, "active"),
        ({"photos-0-alt": "From above"}, "pending"),  # read out to whoever cannot see the photo
        ({"photos-0-alt": "From above", "photos-1-DELETE": "on"}, "pending"),
        ({"photos-1-alt": "From above", "photos-1-DELETE": "on"}, "active"),
        ({"photos-0-position": "2"}, "active"),
        ({}, "active"),
    ],
)
def test_new_words_on_sale_are_looked_at_again(
    make: Make, as_seller: Client, changes: dict[str, str], status: str
) -> None:
    product = make(photos=2, description="Sits well\nin two hands.")
    sent(as_seller, f"/sell/{product.pk}/", edit_data(product, **changes))
    product.refresh_from_db()
    assert product.status == status


def test_new_photos_on_sale_are_looked_at_again(make: Make, as_seller: Client) -> None:
    product = make(photos=1)
    page = sent(as_seller, f"/sell/{product.pk}/", edit_data(product, photos=upload()))
    assert "quick look" in page.one(css="message-info").text
    product.refresh_from_db()
    assert (product.status, product.photos.count()) == ("pending", 2)


@pytest.mark.parametrize("status", ["active", "sold"])
@pytest.mark.parametrize("what", ["words", "photos"])
def test_nothing_that_everybody_sees_is_changed_unseen(
    make: Make, as_seller: Client, status: str, what: str
) -> None:
    product = make(status=status, photos=1)
    changes = {"words": {"title": "Quite different"}, "photos": {"photos": upload()}}[what]
    assert "looked at by a moderator" in as_seller.get(f"/sell/{product.pk}/").content.decode()
    sent(as_seller, f"/sell/{product.pk}/", edit_data(product, **changes))
    assert not Product.objects.visible().filter(pk=product.pk).exists()
    assert Product.objects.waiting().filter(pk=product.pk).exists()


@pytest.mark.parametrize("decided", ["before the photo is stored", "after it"])
def test_a_photo_stored_after_the_words_is_not_approved_unseen(
    make: Make, as_seller: Client, moderator: AbstractUser, monkeypatch: pytest.MonkeyPatch, decided: str
) -> None:
    """Photos take a while to store; the moderator's page was drawn between the words and the photo."""
    product = make(status="pending", photos=1)
    other = Client()
    other.force_login(moderator)
    store, data = desk._store_photos, {"action": "approve"}

    def approve() -> None:
        assert other.post(f"/moderation/{product.pk}/", data).status_code == 302

    def store_later(*arguments: Any) -> bool:
        (waiting,) = other.get("/moderation/").context["products"]
        data["seen"] = waiting.updated.isoformat()
        if decided.startswith("before"):
            approve()
        return store(*arguments)

    monkeypatch.setattr(desk, "_store_photos", store_later)
    sent(as_seller, f"/sell/{product.pk}/", edit_data(product, photos=upload()))
    if decided.startswith("after"):
        approve()
    product.refresh_from_db()
    assert (product.status, product.photos.count()) == ("pending", 2)


def test_a_refused_product_is_sent_in_again_without_its_note(make: Make, as_seller: Client) -> None:
    product = make(status="rejected", rejection_note="Too dark.", photos=1)
    sent(as_seller, f"/sell/{product.pk}/", edit_data(product, photos=upload("light.jpg"), **SUBMIT))
    product.refresh_from_db()
    assert (product.status, product.rejection_note, product.photos.count()) == ("pending", "", 2)


@pytest.mark.parametrize("status, extra", [("active", {}), ("draft", SUBMIT)])
def test_the_last_photo_of_what_others_see_stays(
    make: Make, as_seller: Client, status: str, extra: dict[str, str]
) -> None:
    product = make(status=status, photos=1)
    data = edit_data(product, **{"photos-0-DELETE": "on"}, **extra)
    page = sent(as_seller, f"/sell/{product.pk}/", data)
    assert "needs at least one photo" in page.one(role="alert").text
    assert product.photos.count() == 1


def test_a_bad_photo_on_the_edit_page_changes_nothing(
    make: Make, as_seller: Client, originals: Originals
) -> None:
    product = make(status="draft", photos=1)
    data = edit_data(
        product, title="Other", **{"photos-0-alt": "Other"}, photos=upload("notes.txt", b"hello")
    )
    page = sent(as_seller, f"/sell/{product.pk}/", data)
    assert "notes.txt: " in page.one("ul", css="errorlist").text
    assert page.one("h1").text == "A bowl"
    product.refresh_from_db()
    assert (product.title, product.photos.get().alt, len(originals())) == ("A bowl", "A bowl, view 1", 1)


def test_the_limit_counts_the_photos_that_are_there(make: Make, as_seller: Client) -> None:
    product = make(status="draft", photos=2)
    page = sent(as_seller, f"/sell/{product.pk}/", edit_data(product, photos=[upload() for _ in range(11)]))
    assert "at most 12 photos; this would make 13" in page.one(role="alert").text
    assert product.photos.count() == 2


@pytest.mark.parametrize(
    "tampering",
    [
        {"photos-TOTAL_FORMS": "9"},
        {"photos-TOTAL_FORMS": "", "photos-INITIAL_FORMS": ""},
        {"photos-0-id": "999999"},
        {"photos-0-id": "x"},
        {"photos-0-position": "-1"},
        {"photos-0-position": "first"},
        {"photos-0-position": "99999999"},
    ],
)
def test_a_stale_or_forged_form_harms_nothing(
    make: Make, as_seller: Client, tampering: dict[str, str]
) -> None:
    product = make(status="draft", photos=1)
    sent(as_seller, f"/sell/{product.pk}/", edit_data(product, **tampering))
    assert [(photo.position, photo.alt) for photo in product.photos.all()] == [(1, "A bowl, view 1")]


def test_photos_of_another_product_cannot_be_taken(make: Make, as_seller: Client, rival: Seller) -> None:
    product, other = make(status="draft", photos=1), make(seller=rival, photos=1)
    data = edit_data(product, **{"photos-0-id": other.photos.get().pk, "photos-0-DELETE": "on"})
    sent(as_seller, f"/sell/{product.pk}/", data)
    assert (product.photos.count(), other.photos.count()) == (1, 1)


def test_a_moderators_decision_is_not_overwritten_by_the_sellers_words(make: Make, as_seller: Client) -> None:
    product = make(status="pending", photos=1)
    data = edit_data(product, price="30")
    Product.objects.filter(pk=product.pk).update(status="active")
    sent(as_seller, f"/sell/{product.pk}/", data)
    product.refresh_from_db()
    assert (product.status, product.price) == ("active", 30)


def test_the_focal_point_moves_with_its_numbers(make: Make, as_seller: Client, originals: Originals) -> None:
    product = make(photos=2)
    _, second = product.photos.all()
    data = edit_data(product, **{"photos-0-focal_x": "20", "photos-0-focal_y": "30"})
    sent(as_seller, f"/sell/{product.pk}/", data)
    moved, same = product.photos.all()
    assert (moved.image.focal, ".f2030." in moved.image.name) == ((20, 30), True)
    assert same.image.name == second.image.name
    product.refresh_from_db()
    assert product.status == "active"
    sent(as_seller, f"/sell/{product.pk}/", {**data, "photos-0-focal_x": "50", "photos-0-focal_y": "50"})
    assert product.photos.first().image.focal == (50, 50)


@pytest.mark.parametrize("x, y", [("100", "5"), ("-1", "5"), ("left", "5"), ("5", "")])
def test_a_focal_point_that_is_none_moves_nothing(make: Make, as_seller: Client, x: str, y: str) -> None:
    product = make(photos=1)
    data = edit_data(product, **{"photos-0-focal_x": x, "photos-0-focal_y": y})
    sent(as_seller, f"/sell/{product.pk}/", data)
    assert product.photos.get().image.focal == (50, 50)


def test_a_missing_original_is_spoken_of(make: Make, as_seller: Client, originals: Originals) -> None:
    product = make(photos=1)
    for path in originals():
        path.unlink()
    data = edit_data(product, price="31", **{"photos-0-focal_x": "20", "photos-0-focal_y": "30"})
    page = sent(as_seller, f"/sell/{product.pk}/", data)
    assert "could not move" in page.one(css="message-error").text
    product.refresh_from_db()
    assert product.price == 31


def test_words_written_while_a_moderator_approves_are_looked_at(
    make: Make, as_seller: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page was opened while the product waited; it is on sale by the time the words arrive."""
    product = make(status="pending", photos=1)
    validate = ProductForm.is_valid

    def approved_meanwhile(form: ProductForm) -> bool:
        Product.objects.filter(pk=product.pk).update(status="active")
        return validate(form)

    monkeypatch.setattr(ProductForm, "is_valid", approved_meanwhile)
    sent(as_seller, f"/sell/{product.pk}/", edit_data(product, title="Other words"))
    product.refresh_from_db()
    assert (product.title, product.status) == ("Other words", "pending")
