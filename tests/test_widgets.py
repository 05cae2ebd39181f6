"""The file inputs as HTML, and the form fields behind them, without a browser."""

import json
from collections.abc import Callable
from html import unescape
from typing import Any

import html5lib
import pytest
from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.forms import modelform_factory
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import translation
from django.utils.datastructures import MultiValueDict

from lazyimages import accepting
from lazyimages.forms import LazyImageFormField, LazyImagesField
from lazyimages.middleware import UploadRedirects
from lazyimages.widgets import LazyImageInput, LazyImagesInput
from tests.conftest import jpeg, upload
from tests.host.models import Photo

Lazy = Callable[..., None]
ImageForm = modelform_factory(Photo, fields=["image"])


class Several(forms.Form):
    photos = LazyImagesField(max_files=2, label="Photos")


class Optional(forms.Form):
    photos = LazyImagesField(required=False)


def several(*files: Any, form: type[forms.Form] = Several) -> forms.Form:
    return form({}, MultiValueDict({"photos": list(files)}))


def stored() -> Photo:
    return Photo(pk=1, image="produs_1/bowl.AZ70KuRzw9.jpg", width=1600, height=1200)


class TestHtml:
    def test_one(self) -> None:
        html = str(ImageForm()["image"])
        assert '<input type="file" name="image" accept="image/jpeg,image/png,' in html
        assert "multiple" not in html
        assert 'data-max-bytes="41943040"' in html
        assert "data-uploads" not in html
        assert "data-max-files" not in html

    def test_progress_of_forms_needs_the_middleware(self, settings: Any) -> None:
        others = [one for one in settings.MIDDLEWARE if "UploadRedirects" not in one]
        settings.MIDDLEWARE = others
        assert "data-progress" not in str(ImageForm()["image"])
        settings.MIDDLEWARE = ["lazyimages.middleware.UploadRedirects", *others]
        assert " data-progress " in str(ImageForm()["image"])

    def test_several(self) -> None:
        html = str(Several()["photos"])
        assert " multiple required" in html
        assert 'data-max-files="2"' in html

    def test_the_label_is_the_inputs(self) -> None:
        html = str(Several())
        assert '<label for="id_photos">' in html
        assert html.count('id="id_photos"') == 1

    def test_what_is_there_is_a_variant_and_never_the_original(self) -> None:
        html = str(ImageForm(instance=stored())["image"])
        assert 'src="/images/v/produs_1/' in html
        assert "produs_1/bowl.AZ70KuRzw9.jpg" not in html.replace("/v/produs_1/", "")
        assert "<a " not in html
        assert "href" not in html

    def test_the_preview_is_the_smallest_that_is_wide_enough(self, settings: Any) -> None:
        settings.LAZYIMAGES = {"SIZES": ["1280w", "120x90", "480h", "200w", "320w"]}
        html = str(ImageForm(instance=stored())["image"])
        assert 'src="/images/v/produs_1/200w/bowl.AZ70KuRzw9.jpg"' in html
        assert 'width="200" height="150"' in html
        settings.LAZYIMAGES = {"SIZES": ["60x60", "120x90"]}
        assert "produs_1/120x90/" in str(ImageForm(instance=stored())["image"])
        settings.LAZYIMAGES = {"SIZES": []}
        assert "<img" not in str(ImageForm(instance=stored())["image"])

    def test_it_can_be_cleared_where_it_need_not_be_there(self) -> None:
        html = str(ImageForm(instance=stored())["image"])
        assert '<input type="checkbox" name="image-clear" id="image-clear_id">' in html
        assert "checkbox" not in str(ImageForm()["image"])

    def test_drawing_it_asks_no_storage(self, s3: Any, s3_calls: list[str], lazy: Lazy) -> None:
        lazy(DIRECT_UPLOADS="tests.direct.pages.allowed")
        html = str(ImageForm(instance=stored())["image"])
        assert 'data-uploads="/images/uploads"' in html
        assert s3_calls == []

    def test_its_words_are_translated_when_it_is_drawn(self) -> None:
        with translation.override("ro"):
            words = html5lib.parseFragment(str(Several()["photos"]), namespaceHTMLElements=False)
        attribute = next(one.get("data-messages") for one in words.iter() if one.get("data-messages"))
        assert set(json.loads(attribute)) >= {"remove", "tooLarge", "sending", "failed"}

    def test_it_is_valid_html(self) -> None:
        parser = html5lib.HTMLParser(strict=True)
        parser.parseFragment(str(ImageForm(instance=stored())["image"]))
        parser.parseFragment(str(Several()["photos"]))

    def test_scripts_and_styles_are_files(self) -> None:
        assert list(Several().media._js) == ["lazyimages/upload.js"]
        html = str(Several())
        assert "<script" not in html
        assert "style=" not in html
        assert " on" not in html.replace(" one", "").replace(" on ", "")

    def test_an_accept_of_ones_own(self) -> None:
        widget = LazyImagesInput(attrs={"accept": "image/jpeg"})
        assert 'accept="image/jpeg"' in widget.render("photos", None)

    def test_attributes_are_escaped(self) -> None:
        html = LazyImageInput(attrs={"title": '"><script>'}).render("image", None)
        assert "<script>" not in html
        assert '"><script>' in unescape(html)


class TestAccepting:
    def test_heic_is_asked_for_only_where_it_can_be_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Safari turns HEIC into JPEG by itself where it is not in the list."""
        monkeypatch.setattr(accepting, "find_spec", lambda name: None)
        assert "heic" not in accepting.attribute()
        assert accepting.media_type("image/heic", "a.heic") is None
        monkeypatch.setattr(accepting, "find_spec", lambda name: object())
        assert "image/heic" in accepting.attribute()
        assert accepting.media_type("image/heif", "a.heif") == "image/heic"

    @pytest.mark.parametrize(
        ("claimed", "name", "found"),
        [
            ("image/png", "a.jpg", "image/png"),
            ("", "a.JPEG", "image/jpeg"),
            ("", "a.svg", None),
            ("text/html", "a.jpg", None),
            ("image/svg+xml", "a.svg", None),
        ],
    )
    def test_types(self, claimed: str, name: str, found: str | None) -> None:
        assert accepting.media_type(claimed, name) == found


class TestSeveral:
    def test_all_are_checked_and_returned(self) -> None:
        form = several(upload(jpeg(40, 30), "a.jpg"), upload(jpeg(50, 30), "b.jpg"))
        assert form.is_valid()
        assert [one.name for one in form.cleaned_data["photos"]] == ["a.jpg", "b.jpg"]

    def test_each_bad_one_is_named(self) -> None:
        form = several(upload(b"hello", "notes.jpg"), upload(jpeg()[:2000], "cut.jpg"))
        assert not form.is_valid()
        first, second = form.errors["photos"]
        assert first.startswith("notes.jpg: The file is no image that we can read")
        assert second.startswith("cut.jpg: The file ends too early")

    def test_empty_files_and_too_many(self) -> None:
        form = several(SimpleUploadedFile("empty.jpg", b""))
        assert form.errors["photos"] == ["empty.jpg: The submitted file is empty."]
        form = several(*(upload(jpeg(8, 8), f"{number}.jpg") for number in range(3)))
        assert form.errors["photos"] == ["Choose at most 2 files; these are 3."]

    def test_none(self) -> None:
        assert several().errors["photos"] == ["This field is required."]
        form = several(form=Optional)
        assert form.is_valid()
        assert form.cleaned_data["photos"] == []
        assert not form.has_changed()

    def test_each_is_decoded_once_also_by_the_row(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from lazyimages import uploads

        decoded = []
        decode = uploads._decode
        monkeypatch.setattr(uploads, "_decode", lambda *given: decoded.append(1) or decode(*given))
        form = several(upload(jpeg(40, 30)), upload(jpeg(50, 30)))
        assert form.is_valid()
        for one in form.cleaned_data["photos"]:
            Photo(image=one).full_clean()
        assert len(decoded) == 2

    def test_validators_see_every_file(self) -> None:
        seen: list[str] = []
        field = LazyImagesField(validators=[lambda file: seen.append(file.name)])
        field.clean([upload(jpeg(8, 8), "a.jpg"), upload(jpeg(8, 8), "b.jpg")])
        assert seen == ["a.jpg", "b.jpg"]

    def test_forms_do_not_share_what_they_refused(self) -> None:
        assert LazyImagesField.refused == LazyImageFormField.refused == frozenset()


@pytest.mark.django_db
class TestWithoutJavaScript:
    @pytest.fixture(autouse=True)
    def _pages(self, settings: Any) -> None:
        settings.ROOT_URLCONF = "tests.direct.pages"

    def test_one(self) -> None:
        answer = Client().post("/one/", {"title": "Bowl", "image": upload(jpeg(64, 48))})
        assert answer.status_code == 302
        assert Photo.objects.get().width == 64

    def test_several(self) -> None:
        files = [upload(jpeg(64, 48)), upload(jpeg(32, 48))]
        assert Client().post("/several/", {"title": "Bowls", "photos": files}).status_code == 302
        assert sorted(Photo.objects.values_list("width", flat=True)) == [32, 64]

    def test_clearing_and_contradicting_oneself(self) -> None:
        photo = Photo.objects.create(image=upload(jpeg(64, 48)))
        both = {"title": "x", "image-clear": "on", "image": upload(jpeg(8, 8))}
        shown = Client().post(f"/one/{photo.pk}/", both).content.decode()
        assert "either submit a file or check the clear checkbox" in shown
        assert Client().post(f"/one/{photo.pk}/", {"title": "x", "image-clear": "on"}).status_code == 302
        photo.refresh_from_db()
        assert not photo.image

    def test_a_form_without_a_file_keeps_what_is_there(self) -> None:
        photo = Photo.objects.create(image=upload(jpeg(64, 48)))
        assert Client().post(f"/one/{photo.pk}/", {"title": "x"}).status_code == 302
        photo.refresh_from_db()
        assert photo.width == 64


@pytest.mark.django_db
class TestRedirects:
    @pytest.fixture(autouse=True)
    def _pages(self, settings: Any) -> None:
        settings.ROOT_URLCONF = "tests.direct.pages"
        settings.MIDDLEWARE = ["lazyimages.middleware.UploadRedirects", *settings.MIDDLEWARE]

    def post(self, **headers: str) -> Any:
        return Client().post("/one/", {"title": "Bowl", "image": upload(jpeg(64, 48))}, headers=headers)

    def test_who_asks_is_told_the_address_with_the_cookies(self) -> None:
        answer = self.post(**{"X-Lazyimages-Upload": "1"})
        assert (answer.status_code, answer["X-Lazyimages-Location"]) == (200, "/done/")
        assert "Location" not in answer
        assert "messages" in answer.cookies

    def test_others_are_redirected(self) -> None:
        answer = self.post()
        assert (answer.status_code, answer["Location"]) == (302, "/done/")
        assert "X-Lazyimages-Location" not in answer

    def test_what_is_no_redirect_stays_as_it_is(self) -> None:
        answer = Client().post("/one/", {"title": ""}, headers={"X-Lazyimages-Upload": "1"})
        assert answer.status_code == 200
        assert "X-Lazyimages-Location" not in answer
        assert b"This field is required." in answer.content

    @pytest.mark.parametrize(
        ("status", "answered"), [(301, 200), (302, 200), (303, 200), (307, 307), (308, 308)]
    )
    def test_what_wants_the_form_once_more_is_left_alone(self, status: int, answered: int) -> None:
        led = HttpResponse(status=status, headers={"Location": "/elsewhere/"})
        request = RequestFactory().post("/one/", headers={"X-Lazyimages-Upload": "1"})
        answer = UploadRedirects(lambda request: led)(request)
        assert answer.status_code == answered
