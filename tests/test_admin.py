"""The admin: previews, the input with its focal point, and the pages of the stored sizes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.files.storage import FileSystemStorage
from django.test import Client
from PIL import Image

import lazyimages
from lazyimages import storage
from lazyimages.admin import LazyImageAdminMixin, thumbnail
from lazyimages.exceptions import StorageUnavailable
from lazyimages.fields import LazyImageField
from tests.conftest import jpeg, upload
from tests.host.admin_site import AlbumAdmin, PhotosInTable
from tests.host.models import Album, AlbumPhoto, Bare, Photo
from tests.marketplace.page import Page, read

pytestmark = [pytest.mark.urls("tests.host.admin_site"), pytest.mark.django_db]

ALBUMS = "/workshop/host/album/"
PICTURE = jpeg()
PANEL = {"HTTP_X_REQUESTED_WITH": "XMLHttpRequest"}


@pytest.fixture(autouse=True)
def _own_templates(settings: Any, lazy: Any) -> None:
    """Leave the marketplace out: its error pages lead to its own addresses."""
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": []}]
    lazy(PRESETS={})


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(get_user_model().objects.create_superuser("boss", password="demo"))
    return client


@pytest.fixture
def allowed(client: Client) -> Callable[..., Client]:
    """Log somebody in who may do just this: `allowed("view_album")`."""

    def log_in(*rights: str) -> Client:
        person = get_user_model().objects.create_user("helper", is_staff=True)
        person.user_permissions.set(Permission.objects.filter(codename__in=rights))
        client.force_login(person)
        return client

    return log_in


@pytest.fixture
def album() -> Album:
    album = Album.objects.create(title="Bowls", cover=upload(PICTURE, "Blue Bowl.jpg"))
    AlbumPhoto.objects.create(album=album, image=upload(PICTURE, "inside.jpg"), alt="Inside")
    return album


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Record every call that a storage's own methods get."""
    seen: list[str] = []
    for name in ("open", "exists", "size", "url", "listdir", "path", "get_modified_time", "delete", "save"):
        original = getattr(FileSystemStorage, name)

        def watched(
            self: Any, *args: Any, _name: str = name, _original: Any = original, **kwargs: Any
        ) -> Any:
            if type(self) is FileSystemStorage:  # static files have one of their own
                seen.append(_name)
            return _original(self, *args, **kwargs)

        monkeypatch.setattr(FileSystemStorage, name, watched)
    for name in ("find", "get_variant", "get_original", "copy_original", "iter_keys"):
        monkeypatch.setattr(storage, name, lambda *args, _name=name, **kwargs: seen.append(_name))
    return seen


def opened(client: Client, path: str, status: int = 200, **extra: Any) -> Page:
    response = client.get(path, **extra)
    assert response.status_code == status, response.content.decode()[:2000]
    return read(response.content.decode())


def change(album: Album) -> str:
    return f"{ALBUMS}{album.pk}/change/"


def sent(album: Album, **changes: Any) -> dict[str, Any]:
    """Return what a browser sends when the form of an album is saved as it is, but for `changes`."""
    photos = list(album.photos.all())
    data: dict[str, Any] = {
        "title": album.title,
        "photos-TOTAL_FORMS": len(photos) + 1,
        "photos-INITIAL_FORMS": len(photos),
        f"photos-{len(photos)}-image-focal-x": "50",
        f"photos-{len(photos)}-image-focal-y": "50",
        f"photos-{len(photos)}-album": album.pk,
    }
    data |= focus("cover", album.cover)
    for number, photo in enumerate(photos):
        data |= {
            f"photos-{number}-id": photo.pk,
            f"photos-{number}-album": album.pk,
            f"photos-{number}-alt": photo.alt,
            **focus(f"photos-{number}-image", photo.image),
        }
    return data | changes


def focus(name: str, file: Any) -> dict[str, str]:
    x, y = file.focal
    return {f"{name}-focal-x": str(x), f"{name}-focal-y": str(y)}


def saved(client: Client, album: Album, **changes: Any) -> Page:
    response = client.post(change(album), sent(album, **changes), follow=True)
    assert response.status_code == 200
    page = read(response.content.decode())
    assert page.all(css="errorlist") == [], page.text
    return page


def originals() -> list[str]:
    return sorted(storage.iter_originals())


class TestPreviews:
    def test_a_list_shows_a_whitelisted_size_of_fixed_dimensions(self, staff: Client, album: Album) -> None:
        image = opened(staff, ALBUMS).one("img", css="lazyimages-thumb")
        assert image["src"] == f"/images/v/covers/360x270/{album.cover.name.removeprefix('covers/')}"
        assert (image["width"], image["height"], image["loading"]) == ("120", "90", "lazy")
        assert image["alt"] == "blue bowl"

    @pytest.mark.parametrize(
        ("sizes", "shown"),
        [
            (["1280w", "100x100", "200x100", "160w"], ("160w", "120", "90")),
            (["100x100", "120x60"], ("120x60", "120", "60")),
            (["480h"], ("480h", "120", "90")),
            (["50x200"], ("50x200", "22", "90")),
        ],
    )
    def test_the_smallest_that_is_wide_enough_else_the_largest(
        self, staff: Client, lazy: Any, album: Album, sizes: list[str], shown: tuple[str, ...]
    ) -> None:
        lazy(SIZES=sizes)
        image = opened(staff, ALBUMS).one("img", css="lazyimages-thumb")
        assert (image["src"].split("/")[-2], image["width"], image["height"]) == shown

    def test_without_dimensions_in_the_row(self, staff: Client, lazy: Any) -> None:
        Bare.objects.create(image=upload(PICTURE))
        for size, width, height in (("480h", "90", "90"), ("200x100", "120", "60"), ("640w", "90", "90")):
            lazy(SIZES=[size])
            image = opened(staff, "/workshop/host/bare/").one("img", css="lazyimages-thumb")
            assert (image["width"], image["height"]) == (width, height)

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("", "No image"),
            ("covers/a.jpg.webp", "Unusable name"),
            ("../a.jpg", "Unusable name"),
            ("covers/480h/a.jpg", "Unusable name"),
            ("covers/" + "é" * 80 + ".txt", "Unusable name"),
            ("covers/" + "é" * 510 + ".jpg", "Unusable name"),
        ],
    )
    def test_what_cannot_be_shown_is_a_text(self, staff: Client, album: Album, name: str, text: str) -> None:
        Album.objects.update(cover=name, width=None, height=None)
        AlbumPhoto.objects.update(image=name or "albums/gone.jpg", width=None, height=None)
        assert opened(staff, ALBUMS).one(css="field-cover").text == text
        assert opened(staff, change(album)).all(css="lazyimages-none")[0].text == text
        page = opened(staff, f"{ALBUMS}{album.pk}/sizes/cover/", 200 if name else 404)
        assert not name or "can have no sizes" in page.one(css="lazyimages-trouble").text

    def test_no_size_at_all(self, staff: Client, album: Album, lazy: Any) -> None:
        lazy(SIZES=[])
        assert opened(staff, ALBUMS).one(css="field-cover").text == "No size to show it in"
        opened(staff, change(album))

    def test_names_are_escaped(self, staff: Client, album: Album) -> None:
        name = 'covers/"><script>alert(1)</script>.jpg'
        Album.objects.update(cover=name)
        AlbumPhoto.objects.update(image='albums/"><script>alert(1)<.jpg')
        for path in (ALBUMS, change(album), f"{ALBUMS}{album.pk}/sizes/cover/"):
            html = staff.get(path).content.decode()
            assert "<script>alert" not in html
            assert '"><script' not in html

    def test_the_path_may_lead_over_other_rows(self, album: Album) -> None:
        photo = album.photos.get()
        column = thumbnail("album.cover", alt="album.title")
        assert 'alt="Bowls"' in column(photo)
        assert column.__name__ == "album_cover"
        for nothing in (AlbumPhoto(), AlbumPhoto(album=Album())):
            assert column(nothing) == '<span class="lazyimages-none">No image</span>'

    def test_lists_and_forms_ask_no_storage(self, staff: Client, album: Album, looks: list[str]) -> None:
        for path in (ALBUMS, change(album), f"{ALBUMS}add/", f"/stacked/host/album/{album.pk}/change/"):
            opened(staff, path)
        assert looks == []

    def test_a_list_costs_no_query_an_image(
        self, staff: Client, album: Album, django_assert_max_num_queries: Any
    ) -> None:
        for number in range(20):
            Album.objects.create(title=f"{number}", cover=album.cover.name)
        with django_assert_max_num_queries(5):  # session, user, two counts, albums
            opened(staff, ALBUMS)


class TestOriginalsStayPrivate:
    """No page of the admin says where an original is."""

    def paths(self, album: Album) -> list[str]:
        photo = Photo.objects.create(image=upload(PICTURE, "fixed.jpg"))
        return [
            ALBUMS,
            change(album),
            f"/stacked/host/album/{album.pk}/change/",
            f"{ALBUMS}{album.pk}/sizes/cover/",
            f"{ALBUMS}{album.pk}/sizes/cover/purge/",
            "/workshop/host/photo/",
            f"/workshop/host/photo/{photo.pk}/change/",
        ]

    def addresses(self, page: Page) -> list[str]:
        return [
            str(element[attribute])
            for element in [*page.all("a"), *page.all("img")]
            for attribute in ("href", "src")
            if element.get(attribute)
        ]

    def check(self, client: Client, album: Album, status: tuple[int, ...] = (200,)) -> None:
        for path in self.paths(album):
            response = client.get(path)
            assert response.status_code in status, path
            for address in self.addresses(read(response.content.decode())):
                for name in originals():
                    assert not address.endswith(name), (path, address)

    def test_for_who_may_change(self, staff: Client, album: Album) -> None:
        self.check(staff, album)

    def test_for_who_may_look(self, allowed: Any, album: Album) -> None:
        client = allowed("view_album", "view_albumphoto", "view_photo")
        self.check(client, album, (200, 403))
        page = opened(client, change(album))
        assert len(page.all("img", css="lazyimages-thumb")) == 2
        assert page.all("input", type="file") == []
        assert len(page.all("a", css="lazyimages-ask")) == 2
        assert page.text.count("1600 × 1200 pixels") == 2

    def test_for_who_may_change_photos_but_no_album(self, allowed: Any, album: Album) -> None:
        client = allowed("view_album", "change_albumphoto", "add_albumphoto")
        self.check(client, album, (200, 403))
        page = opened(client, change(album))
        assert page.all("input", type="file") == []
        assert len(page.all("a", css="lazyimages-ask")) == 2

    def test_for_who_may_only_add_photos(self, allowed: Any, album: Album) -> None:
        client = allowed("change_album", "view_albumphoto", "add_albumphoto")
        self.check(client, album, (200, 403))
        page = opened(client, change(album))
        assert len(page.all("img", css="lazyimages-thumb")) == 2
        files = {element["name"] for element in page.all("input", type="file")}
        assert files == {"cover", "photos-1-image", "photos-__prefix__-image"}


class TestFocalPoint:
    def test_saving_moves_the_point_of_the_image_and_of_one_inline(
        self, staff: Client, album: Album, django_capture_on_commit_callbacks: Any
    ) -> None:
        Client().get(album.cover.variant_url("360x270"))
        inline = {"photos-0-image-focal-x": "90", "photos-0-image-focal-y": "5"}
        with django_capture_on_commit_callbacks(execute=True):
            saved(staff, album, **{"cover-focal-x": "10", "cover-focal-y": "80", **inline})
        album.refresh_from_db()
        photo = album.photos.get()
        assert album.cover.name.endswith(".f1080.jpg")
        assert photo.image.name.endswith(".f9005.jpg")
        assert (album.width, album.height, photo.width, photo.height) == (1600, 1200, 1600, 1200)
        assert originals() == sorted([album.cover.name, photo.image.name]), "the old ones are gone"
        assert list(storage.iter_keys("covers/")) == []

    def test_the_same_point_changes_nothing(self, staff: Client, album: Album) -> None:
        before = album.cover.name, album.photos.get().image.name
        page = saved(staff, album)
        assert "changed successfully" in page.text
        album.refresh_from_db()
        assert (album.cover.name, album.photos.get().image.name) == before

    def test_with_a_new_upload_it_is_that_ones(
        self, staff: Client, album: Album, django_capture_on_commit_callbacks: Any
    ) -> None:
        new = {"cover": upload(jpeg(800, 600), "new.jpg"), "cover-focal-x": "20", "cover-focal-y": "30"}
        extra = {
            "photos-1-image": upload(jpeg(400, 600), "more.jpg"),
            "photos-1-image-focal-x": "0",
            "photos-1-image-focal-y": "99",
        }
        with django_capture_on_commit_callbacks(execute=True):
            saved(staff, album, **new, **extra)
        album.refresh_from_db()
        photo = album.photos.last()
        assert re.fullmatch(r"covers/new\.\w{10}\.f2030\.jpg", album.cover.name)
        assert (album.width, album.height) == (800, 600)
        assert re.fullmatch(r"albums/more\.\w{10}\.f0099\.jpg", photo.image.name)
        stored = [name for name in originals() if "/new." in name or "/more." in name]
        assert stored == sorted([album.cover.name, photo.image.name])

    def test_an_upload_in_the_centre_has_no_point_in_its_name(self, staff: Client, album: Album) -> None:
        AlbumPhoto.objects.all().delete()
        saved(
            staff, album, cover=upload(PICTURE, "new.jpg"), **{"cover-focal-x": "50", "cover-focal-y": "50"}
        )
        album.refresh_from_db()
        assert re.fullmatch(r"covers/new\.\w{10}\.jpg", album.cover.name)

    def test_removing_takes_no_notice_of_it(self, staff: Client, album: Album) -> None:
        saved(staff, album, **{"cover-clear": "on", "cover-focal-x": "1", "cover-focal-y": "1"})
        album.refresh_from_db()
        assert not album.cover

    def test_who_moved_nothing_takes_nobody_elses_point_back(self, staff: Client, album: Album) -> None:
        """A page that was opened before somebody else moved the point says another one."""
        drawn = sent(album, title="Cups", **{"cover-focal-of": album.cover.name})
        album.cover.move_focal(20, 30)
        assert staff.post(change(album), drawn).status_code == 302
        album.refresh_from_db()
        assert (album.title, album.cover.focal) == ("Cups", (20, 30))

    def test_a_point_is_not_given_to_another_picture(self, staff: Client, album: Album) -> None:
        chosen = {"cover-focal-of": album.cover.name, "cover-focal-x": "5", "title": "Cups"}
        drawn = sent(album, **chosen)
        album.cover = upload(PICTURE, "Red Bowl.jpg")
        album.save()
        page = read(staff.post(change(album), drawn, follow=True).content.decode())
        assert f"The focal point of “{album.cover.name}” was not moved" in page.text
        album.refresh_from_db()
        assert (album.title, album.cover.focal) == ("Cups", (50, 50))
        # A form with a mistake shows the point of the picture that it shows.
        wrong = read(staff.post(change(album), {**drawn, "title": ""}).content.decode())
        assert wrong.one("input", name="cover-focal-x")["value"] == "50"
        assert wrong.one("input", name="cover-focal-of")["value"] == album.cover.name

    def test_a_new_file_gets_its_point_whoever_was_faster(self, staff: Client, album: Album) -> None:
        drawn = sent(album, **{"cover-focal-of": album.cover.name, "cover-focal-x": "5"})
        album.cover.move_focal(20, 30)
        staff.post(change(album), {**drawn, "cover": upload(PICTURE, "Red Bowl.jpg")})
        album.refresh_from_db()
        assert album.cover.name.startswith("covers/red-bowl.")
        assert album.cover.focal == (5, 50)

    @pytest.mark.parametrize("x", ["100", "-1", "", "a", "1.5"])
    def test_numbers_that_are_none_are_an_error_and_shown_again(
        self, staff: Client, album: Album, x: str
    ) -> None:
        before = originals()
        data = sent(album, **{"cover-focal-x": x, "photos-0-image-focal-x": "30"})
        page = read(staff.post(change(album), data).content.decode())
        assert "two whole numbers from 0 to 99" in page.one(css="errorlist").text
        assert page.one("input", name="cover-focal-x")["value"] == x
        assert page.one("input", name="photos-0-image-focal-x")["value"] == "30"
        assert len(page.all("img", css="lazyimages-thumb")) == 2
        assert originals() == before, "a form that is refused moves nothing"

    def test_an_upload_that_is_no_image_is_an_error_in_plain_words(self, staff: Client, album: Album) -> None:
        data = sent(album, cover=upload(b"hello", "notes.jpg"))
        page = read(staff.post(change(album), data).content.decode())
        assert "no image that we can read" in page.one(css="errorlist").text

    def test_the_input_accepts_what_may_be_uploaded(self, staff: Client, album: Album) -> None:
        accepted = opened(staff, change(album)).one("input", name="cover")["accept"]
        assert {"image/jpeg", "image/avif", ".png"} <= set(accepted.split(","))

    def test_a_missing_file_is_said_and_the_rest_saved(self, staff: Client, album: Album) -> None:
        storage.originals_storage.delete(album.cover.name)
        page = saved(staff, album, title="Plates", **{"cover-focal-x": "1", "cover-focal-y": "1"})
        album.refresh_from_db()
        assert album.title == "Plates"
        assert album.cover.focal == (50, 50)
        assert "its file is missing" in page.one(css="warning").text

    @pytest.mark.parametrize("name", ["covers/a.jpg.webp", "covers/480h/a.jpg", "covers/a.txt"])
    def test_a_name_that_can_have_no_sizes(self, staff: Client, album: Album, name: str) -> None:
        Album.objects.update(cover=name)
        saved(staff, album, title="Plates", **{"cover-focal-x": "1", "cover-focal-y": "1"})
        album.refresh_from_db()
        assert (album.title, album.cover.name) == ("Plates", name)

    def test_another_widget_may_be_named(self) -> None:
        class Plain(LazyImageAdminMixin, admin.ModelAdmin):
            formfield_overrides = {LazyImageField: {"widget": forms.FileInput}}

        field = Plain(Photo, admin.site).formfield_for_dbfield(Photo._meta.get_field("image"), None)
        assert type(field.widget) is forms.FileInput

    def test_a_storage_that_is_down_is_said(
        self, staff: Client, album: Album, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def down(*args: Any, **kwargs: Any) -> Any:
            raise StorageUnavailable("the bucket shop-photos is closed")

        monkeypatch.setattr(storage, "copy_original", down)
        page = saved(staff, album, title="Plates", **{"cover-focal-x": "1", "cover-focal-y": "1"})
        assert "was not moved; everything else was saved" in page.one(css="warning").text
        assert "shop-photos" not in page.text

    def test_an_upload_that_cannot_be_stored_is_said_and_nothing_saved(
        self, staff: Client, album: Album, tmp_path: Any
    ) -> None:
        (tmp_path / "originals" / "covers").rename(tmp_path / "elsewhere")
        (tmp_path / "originals" / "covers").write_bytes(b"in the way")
        page = saved(staff, album, title="Plates", cover=upload(PICTURE))
        assert "Nothing was saved" in page.one(css="error").text
        album.refresh_from_db()
        assert album.title == "Bowls"

    def test_the_picker_shows_a_size_that_crops_nothing(self, staff: Client, album: Album, lazy: Any) -> None:
        lazy(SIZES=["360x270", "1280w", "480h", "600w", "100x100", "720x540"])
        page = opened(staff, change(album))
        picker = next(image for image in page.all("img") if image["width"] == "320")
        assert "/600w/" in picker["src"]
        assert (picker["height"], picker["loading"]) == ("240", "lazy")
        crops = [
            (crop["data-width"], crop["data-height"]) for crop in page.all("span", css="lazyimages-crop")
        ]
        assert crops[:2] == [("132", "99"), ("99", "99")]

    def test_without_such_a_size_the_numbers_are_left(self, staff: Client, album: Album, lazy: Any) -> None:
        lazy(SIZES=["360x270"])
        page = opened(staff, change(album))
        assert "None of the sizes shows the whole picture" in page.text
        assert page.one("input", name="cover-focal-x")["value"] == "50"


class TestStoredSizes:
    def test_what_is_there_is_shown_with_bytes_and_age(self, staff: Client, album: Album, lazy: Any) -> None:
        lazy(FORMATS=["webp"])
        url = album.cover.variant_url("360x270")
        size = len(Client().get(url).content)
        page = opened(staff, f"{ALBUMS}{album.pk}/sizes/cover/")
        link = page.one("a", target="_blank")
        assert link["href"] == url
        assert "1 of 6 files exists" in page.one(css="lazyimages-count").text
        assert "just made" in page.text
        assert f"{size / 1024:.1f}" in link.text or f"{size} bytes" in link.text.replace("\xa0", " ")
        assert [cell.text for cell in page.all("th", scope="col")] == ["Size", "JPEG", "WEBP"]

    def test_scripts_get_the_part_that_matters(self, staff: Client, album: Album) -> None:
        Client().get(album.cover.variant_url("360x270"))
        html = staff.get(f"{ALBUMS}{album.pk}/sizes/cover/", **PANEL).content.decode()
        assert "<html" not in html
        assert "<form" not in html, "it is put into the form of the row"
        assert "<table" in html
        assert "480h" in html, "also what is not there yet"
        assert f'data-lazyimages-confirm="{ALBUMS}{album.pk}/sizes/cover/purge/"' in html

    def test_an_inlines_image_is_below_its_parent(self, staff: Client, album: Album) -> None:
        photo = album.photos.get()
        Client().get(photo.image.variant_url("360x270"))
        links = [link["href"] for link in opened(staff, change(album)).all("a", css="lazyimages-ask")]
        assert links == [
            f"{ALBUMS}{album.pk}/sizes/cover/",
            f"{ALBUMS}{album.pk}/sizes/host.albumphoto/{photo.pk}/image/",
        ]
        assert "1 of" in opened(staff, links[1]).one(css="lazyimages-count").text

    def test_deleting_without_scripts(self, staff: Client, album: Album) -> None:
        for size in ("360x270", "480h"):
            Client().get(album.cover.variant_url(size))
        ask = opened(staff, f"{ALBUMS}{album.pk}/sizes/cover/").one("a", css="lazyimages-delete")
        sure = opened(staff, ask["href"])
        assert "live on until they expire" in sure.text
        assert len(list(storage.iter_keys("covers/"))) == 2, "asking deletes nothing"
        done = read(staff.post(ask["href"], follow=True).content.decode())
        assert "2 files were deleted." in done.one(css="success").text
        assert "live on until they expire" in done.one(css="success").text
        assert list(storage.iter_keys("covers/")) == []
        assert album.cover.name in originals()

    def test_deleting_by_script(self, staff: Client, album: Album) -> None:
        Client().get(album.cover.variant_url("360x270"))
        answer = staff.post(f"{ALBUMS}{album.pk}/sizes/cover/purge/", **PANEL)
        page = read(answer.content.decode())
        assert "1 file was deleted." in page.one(css="lazyimages-said").text
        assert "0 of" in page.one(css="lazyimages-count").text

    def test_deleting_is_in_the_history(self, staff: Client, album: Album) -> None:
        staff.post(f"{ALBUMS}{album.pk}/sizes/cover/purge/")
        assert "Deleted the stored sizes" in opened(staff, f"{ALBUMS}{album.pk}/history/").text

    def test_deleting_needs_a_token(self, album: Album) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(get_user_model().objects.create_superuser("boss"))
        Client().get(album.cover.variant_url("360x270"))
        assert client.post(f"{ALBUMS}{album.pk}/sizes/cover/purge/").status_code == 403
        assert len(list(storage.iter_keys("covers/"))) == 1

    def test_who_may_look_deletes_nothing(self, allowed: Any, album: Album) -> None:
        Client().get(album.cover.variant_url("360x270"))
        client = allowed("view_album", "view_albumphoto")
        path = f"{ALBUMS}{album.pk}/sizes/cover/"
        assert "1 of" in opened(client, path).one(css="lazyimages-count").text
        assert opened(client, path).all(css="lazyimages-delete") == []
        assert b"data-lazyimages-purge" not in client.get(path, **PANEL).content
        for answer in (client.get(f"{path}purge/"), client.post(f"{path}purge/")):
            assert answer.status_code == 403
        assert len(list(storage.iter_keys("covers/"))) == 1

    def test_permissions_are_asked_for_each_row(self, staff: Client, album: Album) -> None:
        Album.objects.update(title="locked")
        photo = album.photos.get()
        for path in ("cover", f"host.albumphoto/{photo.pk}/image"):
            assert staff.get(f"{ALBUMS}{album.pk}/sizes/{path}/").status_code == 200
            assert staff.post(f"{ALBUMS}{album.pk}/sizes/{path}/purge/").status_code == 403

    def test_a_field_that_the_form_has_not_is_not_there(
        self, staff: Client, album: Album, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mine = f"{ALBUMS}{album.pk}/sizes/cover/"
        photos = f"{ALBUMS}{album.pk}/sizes/host.albumphoto/{album.photos.get().pk}/image/"
        opened(staff, mine)
        opened(staff, photos)
        monkeypatch.setattr(AlbumAdmin, "exclude", ["cover"])
        monkeypatch.setattr(PhotosInTable, "fields", ["alt"])
        for path in (mine, photos):
            assert staff.get(path).status_code == 404
            assert staff.post(f"{path}purge/").status_code == 404

    def test_an_inlines_own_permissions_count(self, allowed: Any, album: Album) -> None:
        photo = album.photos.get()
        client = allowed("change_album", "view_albumphoto")
        path = f"{ALBUMS}{album.pk}/sizes/host.albumphoto/{photo.pk}/image/"
        assert client.get(path).status_code == 200
        assert client.post(f"{path}purge/").status_code == 403

    def test_strangers_see_nothing(self, client: Client, allowed: Any, album: Album) -> None:
        path = f"{ALBUMS}{album.pk}/sizes/cover/"
        assert client.get(path).status_code == 302
        assert client.post(f"{path}purge/").status_code == 302
        assert allowed("view_photo").get(path).status_code == 403

    @pytest.mark.parametrize(
        "path",
        [
            "0/sizes/cover/",
            "{album}/sizes/title/",
            "{album}/sizes/nothing/",
            "{album}/sizes/host.albumphoto/0/image/",
            "{album}/sizes/host.albumphoto/x/image/",
            "{album}/sizes/host.albumphoto/{other}/image/",
            "{album}/sizes/host.photo/1/image/",
        ],
    )
    def test_what_is_not_there_is_404(self, staff: Client, album: Album, path: str) -> None:
        elsewhere = Album.objects.create(title="Other")
        other = AlbumPhoto.objects.create(album=elsewhere, image=upload(PICTURE))
        path = f"{ALBUMS}{path.format(album=album.pk, other=other.pk)}"
        # Django's own admin answers an unknown row with a message on its index.
        assert staff.get(path).status_code == 404
        assert staff.post(f"{path}purge/").status_code == 404

    def test_a_storage_that_is_down_is_said(
        self, staff: Client, album: Album, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def down(*args: Any, **kwargs: Any) -> Any:
            raise StorageUnavailable("the bucket shop-photos is closed")

        monkeypatch.setattr(storage, "find", down)
        path = f"{ALBUMS}{album.pk}/sizes/cover/"
        for page in (opened(staff, path), opened(staff, path, **PANEL)):
            assert "does not answer" in page.one(css="lazyimages-trouble").text
        page = read(staff.post(f"{path}purge/", follow=True).content.decode())
        assert "does not answer" in page.one(css="error").text
        assert "shop-photos" not in page.text

    def test_on_s3_asking_is_one_list(self, s3: Any, s3_calls: list[str], staff: Client, lazy: Any) -> None:
        lazy(SIZES=["360x270", "480h"])
        album = Album.objects.create(title="Bowls", cover=upload(PICTURE))
        Client().get(album.cover.variant_url("360x270"))
        s3_calls.clear()
        opened(staff, ALBUMS)
        opened(staff, change(album))
        assert s3_calls == []
        assert "1 of 2" in opened(staff, f"{ALBUMS}{album.pk}/sizes/cover/").one(css="lazyimages-count").text
        assert s3_calls == ["ListObjectsV2"]


def test_no_page_has_a_script_or_a_handler_in_it(staff: Client, album: Album) -> None:
    for path in (ALBUMS, change(album), f"{ALBUMS}{album.pk}/sizes/cover/"):
        html = staff.get(path).content.decode()
        assert not re.search(r"<[^>]+\son\w+=", html)
        for script in re.findall(r"<script([^>]*)>([^<]*)", html):
            assert "src=" in script[0] or not script[1].strip() or "json" in script[0]


@pytest.mark.parametrize(("x", "is_red"), [("0", True), ("99", False)])
def test_the_crop_follows_the_point(staff: Client, album: Album, lazy: Any, x: str, is_red: bool) -> None:
    """The picture's left upper corner is red, and a narrow crop has it or has it not."""
    lazy(SIZES=["60x270"])
    saved(staff, album, **{"cover-focal-x": x, "cover-focal-y": "0"})
    album.refresh_from_db()
    answer = Client().get(album.cover.variant_url("60x270"))
    red, green, _ = Image.open(BytesIO(answer.content)).getpixel((5, 5))
    assert (red > green + 100) == is_red


def test_romanian(staff: Client, album: Album, settings: Any) -> None:
    settings.LANGUAGE_CODE = "ro"
    page = opened(staff, change(album))
    assert "Punct focal 50% din stânga, 50% de sus" in page.text
    assert "Ce dimensiuni există?" in page.text
    panel = opened(staff, f"{ALBUMS}{album.pk}/sizes/cover/")
    assert "Există 0 fișiere din 3" in panel.one(css="lazyimages-count").text


def test_every_word_of_the_templates_is_in_romanian_too() -> None:
    folder = Path(lazyimages.__file__).parent
    with (folder / "locale/ro/LC_MESSAGES/django.mo").open("rb") as file:
        known = GNUTranslations(file)
    found = [
        words
        for path in (folder / "templates/lazyimages/admin").glob("*.html")
        for words in re.findall(r'{% translate "([^"]+)" %}', path.read_text())
    ]
    assert len(found) > 20
    assert [words for words in found if known.gettext(words.replace("%", "%%")) == words] == []
