"""From `incoming/` to an original: what is asked of S3, what is refused, and what is left behind."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from django.core import signing
from django.core.exceptions import BadRequest
from django.core.files.storage import storages
from django.test import Client
from PIL import Image

from lazyimages import direct as direct_upload
from lazyimages.storage.s3 import client as s3_client
from tests.conftest import BUCKET, jpeg
from tests.direct.conftest import Browser, names
from tests.direct.pages import SeveralForm
from tests.host.models import Photo

pytestmark = pytest.mark.django_db


def encoded(kind: str, width: int = 700, height: int = 500, **options: Any) -> bytes:
    """Return a noisy picture, so that it is far longer than its header."""
    noise = Image.effect_noise((width, height), 90).convert("RGB")
    buffer = BytesIO()
    noise.save(buffer, kind, **options)
    return buffer.getvalue()


def errors(answer: Any) -> str:
    assert answer.status_code == 200
    return answer.content.decode()


def test_one_get_one_copy_one_delete(browser: Browser, s3_calls: list[str]) -> None:
    offer = browser.send(jpeg(1600, 1200, orientation=6), name="Blue bowl.JPG")
    s3_calls.clear()
    answer = browser.hand_in(offer["token"])
    assert (answer.status_code, answer["Location"]) == (302, "/done/")
    assert s3_calls == ["GetObject", "CopyObject", "DeleteObjects"]
    photo = Photo.objects.get()
    assert (photo.width, photo.height) == (1200, 1600)
    assert photo.image.name.startswith("produs_1/blue-bowl.")
    assert photo.image.name.endswith(".jpg")
    assert names(browser.s3) == [photo.image.name]
    stored = browser.s3.get_object(Bucket=BUCKET, Key=photo.image.name)
    assert stored["Body"].read() == jpeg(1600, 1200, orientation=6)


def test_the_header_is_all_that_passes_through_the_app(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = encoded("PNG")
    assert len(data) > 2**19
    offer = browser.send(data, type="image/png")
    read: list[int] = []
    look = direct_upload._incoming().__class__.look

    def record(self: Any, name: str, most: int) -> Any:
        head = look(self, name, most)
        read.append(len(head.data) if head else 0)
        return head

    monkeypatch.setattr("lazyimages.storage.incoming.Incoming.look", record)
    assert browser.hand_in(offer["token"]).status_code == 302
    assert read == [64 * 2**10]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF"])
def test_of_every_format_the_beginning_is_enough(browser: Browser, s3_calls: list[str], kind: str) -> None:
    data = encoded(kind)
    assert len(data) > 64 * 2**10
    offer = browser.send(data, type="", name=f"a.{kind.lower()}")
    s3_calls.clear()
    assert browser.hand_in(offer["token"]).status_code == 302
    assert s3_calls == ["GetObject", "CopyObject", "DeleteObjects"]
    photo = Photo.objects.get()
    assert (photo.width, photo.height) == (700, 500)
    stored = browser.s3.head_object(Bucket=BUCKET, Key=photo.image.name)
    assert stored["ContentType"] == f"image/{kind.lower()}"


def test_a_long_header_is_read_further(browser: Browser, s3_calls: list[str]) -> None:
    plain = jpeg()
    comment = b"\xff\xfe\xff\xff" + b"x" * 65_533
    offer = browser.send(plain[:2] + 3 * comment + plain[2:])
    s3_calls.clear()
    assert browser.hand_in(offer["token"]).status_code == 302
    assert s3_calls == ["GetObject", "GetObject", "CopyObject", "DeleteObjects"]
    assert Photo.objects.get().width == 1600


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")  # Pillow's, of a file that is cut short
def test_dimensions_at_the_end_are_found(browser: Browser) -> None:
    """A TIFF may have its directory behind the pixels (TIFF 6.0, "Image File Directory")."""
    data = bytearray(encoded("TIFF", 900, 700))
    start = int.from_bytes(data[4:8], "little")
    count = int.from_bytes(data[start : start + 2], "little")
    directory = bytes(data[start : start + 2 + 12 * count + 4])
    if len(data) % 2:
        data += b"\0"
    data[4:8] = len(data).to_bytes(4, "little")
    offer = browser.send(bytes(data) + directory, type="image/tiff", name="a.tiff")
    assert browser.hand_in(offer["token"]).status_code == 302
    assert (Photo.objects.get().width, Photo.objects.get().height) == (900, 700)


def test_type_and_metadata_are_the_servers(browser: Browser) -> None:
    """A PNG that was announced as a JPEG is stored as what it is."""
    offer = browser.ask(type="image/jpeg", name="bowl.jpg").json()
    browser.s3.put_object(
        Bucket=BUCKET,
        Key=offer["fields"]["key"],
        Body=encoded("PNG", 64, 64),
        ContentType="text/html",
        Metadata={"evil": "1"},
    )
    assert browser.hand_in(offer["token"]).status_code == 302
    name = Photo.objects.get().image.name
    assert name.endswith(".png")
    stored = browser.s3.head_object(Bucket=BUCKET, Key=name)
    assert (stored["ContentType"], stored["Metadata"]) == ("image/png", {})


def test_several_and_an_ordinary_file_beside_them(browser: Browser) -> None:
    from tests.conftest import upload

    one, two = browser.send(jpeg(100, 80)), browser.send(jpeg(200, 80))
    answer = browser.hand_in(one["token"], two["token"], photos=upload(jpeg(300, 80)))
    assert answer.status_code == 302
    assert sorted(Photo.objects.values_list("width", flat=True)) == [100, 200, 300]


def test_a_models_form(browser: Browser, s3_calls: list[str]) -> None:
    offer = browser.send(jpeg(640, 480))
    s3_calls.clear()
    assert browser.hand_in(offer["token"], path="/one/").status_code == 302
    assert s3_calls == ["GetObject", "CopyObject", "DeleteObjects"]
    photo = Photo.objects.get()
    assert (photo.width, photo.height) == (640, 480)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"hello, I am no picture at all", "The file is no image that we can read; it must be JPEG"),
        (b"", "is no image that we can read"),
        (b"\xff\xd8\xff\xe0", "The file is damaged and cannot be read as an image."),
    ],
)
def test_what_is_no_picture_is_named(browser: Browser, data: bytes, text: str) -> None:
    offer = browser.send(data)
    shown = errors(browser.hand_in(offer["token"]))
    assert "bowl.jpg: " in shown
    assert text in shown
    assert offer["token"] not in shown, "it is not to be sent again"
    assert not Photo.objects.exists()
    assert names(browser.s3) == [], "nor to be read again by sending the token"


def test_too_many_pixels(browser: Browser, lazy: Callable[..., None]) -> None:
    offer = browser.send()
    lazy(MAX_PIXELS=1000)
    assert "The image has 1600 × 1200 pixels" in errors(browser.hand_in(offer["token"]))
    assert not Photo.objects.exists()


def test_too_many_bytes_although_the_policy_forbids_them(browser: Browser, lazy: Callable[..., None]) -> None:
    offer = browser.send()
    lazy(MAX_BYTES=1000)
    assert "at most 1,000 are allowed" in errors(browser.hand_in(offer["token"]))


def test_never_sent(browser: Browser) -> None:
    offer = browser.ask().json()
    assert "The file is not there any more; choose it again." in errors(browser.hand_in(offer["token"]))
    assert names(browser.s3) == []


def test_a_second_time(browser: Browser) -> None:
    offer = browser.send()
    assert browser.hand_in(offer["token"]).status_code == 302
    assert "The file is not there any more; choose it again." in errors(browser.hand_in(offer["token"]))
    assert Photo.objects.count() == 1


def test_storage_that_is_another_one_now(browser: Browser, settings: Any, tmp_path: Path) -> None:
    offer = browser.send()
    local = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "default": local}
    assert "The file is not there any more; choose it again." in errors(browser.hand_in(offer["token"]))


def test_twice_in_one_form_is_once(browser: Browser, s3_calls: list[str]) -> None:
    offer = browser.send()
    s3_calls.clear()
    assert browser.hand_in(*[offer["token"]] * 3).status_code == 302
    assert s3_calls == ["GetObject", "CopyObject", "DeleteObjects"]
    assert Photo.objects.count() == 1


def test_more_tokens_than_files_may_come_are_not_looked_at(
    browser: Browser, s3_calls: list[str], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SeveralForm.base_fields["photos"], "max_files", None)
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 2
    tokens = [browser.ask().json()["token"] for _ in range(3)]
    s3_calls.clear()
    assert "Choose at most 2 files; these are 3." in errors(browser.hand_in(*tokens))
    assert s3_calls == []


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("", "img"),
        ("..", "img"),
        ("a/", "img"),
        ("\0\n", "img"),
        ("../../etc/passwd", "passwd"),
        ("C:\\b.jpg", "b"),
    ],
)
@pytest.mark.parametrize("path", ["/one/", "/several/"])
def test_a_name_is_never_empty_and_never_a_path(browser: Browser, name: str, slug: str, path: str) -> None:
    """A file without a name counts as none in Django, so that a row would be without a picture."""
    offer = browser.send(name=name)
    assert browser.hand_in(offer["token"], path=path).status_code == 302
    assert Photo.objects.get().image.name.startswith(f"produs_1/{slug}.")


def test_a_row_that_is_not_saved_after_all_costs_no_second_upload(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer = browser.send()

    def fail(*args: Any, **kwargs: Any) -> None:
        raise direct_upload.UploadAgain("another of the files has changed")

    with monkeypatch.context() as patch:
        patch.setattr("tests.direct.pages.after_saving", fail)
        shown = errors(browser.hand_in(offer["token"], path="/one/"))
    assert offer["token"] in shown
    assert not Photo.objects.exists()
    assert browser.hand_in(offer["token"], path="/one/").status_code == 302
    assert names(browser.s3).count(offer["fields"]["key"]) == 0


def test_by_another_browser(browser: Browser) -> None:
    offer = browser.send()
    other = Browser(browser.s3)
    shown = errors(other.hand_in(offer["token"]))
    assert "This file was sent by somebody else; choose it again." in shown
    assert offer["token"] not in shown
    assert not Photo.objects.exists()
    assert names(browser.s3) == [offer["fields"]["key"]]


@pytest.mark.parametrize("change", [lambda token: token + "x", lambda token: "", lambda token: "x:y:z"])
def test_a_token_that_is_none(browser: Browser, change: Callable[[str], str]) -> None:
    offer = browser.send()
    shown = errors(browser.hand_in(change(offer["token"])))
    assert "choose the file again" in shown or "This field is required." in shown
    assert not Photo.objects.exists()


def test_a_token_for_another_key_cannot_be_made(browser: Browser) -> None:
    forged = signing.dumps({"key": "produs_1/secret.jpg", "name": "a.jpg", "owner": "x"}, salt="other")
    assert "too old or damaged" in errors(browser.hand_in(forged))


def test_too_old(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    offer = browser.send()
    monkeypatch.setattr(direct_upload, "TOKEN_SECONDS", -1)
    assert "The upload is too old or damaged; choose the file again." in errors(
        browser.hand_in(offer["token"])
    )


def test_without_a_csrf_token_in_the_form_nobody_is_the_owner(browser: Browser) -> None:
    offer = browser.send()
    data = {"title": "x", "photos-sent": offer["token"]}
    answer = browser.client.post("/several/", data, headers={"X-CSRFToken": browser.csrf()})
    assert "sent by somebody else" in errors(answer)


def test_a_name_with_two_extensions(browser: Browser) -> None:
    offer = browser.send()
    ticket = signing.loads(offer["token"], salt="lazyimages.direct")
    token = signing.dumps({**ticket, "name": "a.jpg.png"}, salt="lazyimages.direct")
    assert "ends in two image extensions" in errors(browser.hand_in(token))


class TestChanged:
    @pytest.fixture
    def offer(self, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
        """Have the object change between the look at it and the copy.

        moto pays no heed to CopySourceIfMatch; the answer here is the one of S3 (S3 API, CopyObject).
        """
        offer = browser.send()
        look = direct_upload._incoming().__class__.look

        def change(found: Any, name: str, most: int) -> Any:
            head = look(found, name, most)
            browser.s3.put_object(Bucket=BUCKET, Key=offer["fields"]["key"], Body=b"<script>")
            return head

        client = s3_client(storages["default"])
        copy = client.copy_object

        def copy_if_same(**parameters: Any) -> Any:
            now = browser.s3.head_object(Bucket=BUCKET, Key=offer["fields"]["key"])["ETag"]
            if parameters["CopySourceIfMatch"] != now:
                raise ClientError({"Error": {"Code": "PreconditionFailed"}}, "CopyObject")
            return copy(**parameters)

        monkeypatch.setattr(client, "copy_object", copy_if_same)
        monkeypatch.setattr("lazyimages.storage.incoming.Incoming.look", change)
        return offer

    def test_it_is_a_forms_error(self, browser: Browser, offer: dict[str, Any]) -> None:
        shown = errors(browser.hand_in(offer["token"], path="/one/"))
        assert "the file has changed since it was looked at; choose it again" in shown
        assert not Photo.objects.exists()
        assert names(browser.s3) == [offer["fields"]["key"]]

    def test_it_is_400_where_a_view_does_nothing_about_it(
        self, browser: Browser, offer: dict[str, Any]
    ) -> None:
        assert issubclass(direct_upload.UploadAgain, BadRequest)
        assert browser.hand_in(offer["token"], path="/bare/").status_code == 400
        assert names(browser.s3) == [offer["fields"]["key"]]


def test_what_a_header_cannot_show_is_found_at_the_first_render(browser: Browser) -> None:
    whole = encoded("JPEG")
    offer = browser.send(whole[: len(whole) // 2])
    assert browser.hand_in(offer["token"]).status_code == 302
    photo = Photo.objects.get()
    assert (photo.width, photo.height) == (700, 500)
    assert Client().get(photo.image.variant_url("360x270")).status_code == 415


def test_a_form_with_another_mistake_keeps_what_was_sent(browser: Browser) -> None:
    offer = browser.send(name="bowl & cup.jpg")
    shown = errors(browser.hand_in(offer["token"], title="much too long"))
    assert f'name="photos-sent" value="{offer["token"]}"' in shown
    assert "bowl &amp; cup.jpg" in shown
    assert browser.hand_in(offer["token"]).status_code == 302


def test_storage_that_is_away_is_a_forms_error(browser: Browser, settings: Any) -> None:
    offer = browser.send()
    own = settings.STORAGES["default"]
    gone = {**own, "OPTIONS": {**own["OPTIONS"], "endpoint_url": "http://127.0.0.1:9"}}
    settings.STORAGES = {**settings.STORAGES, "default": gone}
    shown = errors(browser.hand_in(offer["token"]))
    assert "The file cannot be looked at right now. Try again in a moment." in shown
    assert offer["token"] in shown


def test_what_cannot_be_deleted_is_left_to_the_lifecycle(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from lazyimages.exceptions import StorageUnavailable

    def refuse(self: Any, names: Any) -> None:
        raise StorageUnavailable("no")

    offer = browser.send()
    monkeypatch.setattr("lazyimages.storage.incoming.Incoming.delete", refuse)
    assert browser.hand_in(offer["token"]).status_code == 302
    assert "left for the lifecycle rule" in caplog.text
    assert offer["fields"]["key"] in names(browser.s3)


def test_who_reads_the_upload_gets_what_was_looked_at(browser: Browser) -> None:
    """What a project's own validator reads is what becomes the original, or nothing does."""
    offer = browser.send()
    upload = direct_upload.confirm(direct_upload.pending(offer["token"], browser.csrf()))
    browser.s3.put_object(Bucket=BUCKET, Key=offer["fields"]["key"], Body=b"something else")
    with pytest.raises(direct_upload.UploadAgain, match="has changed"):
        upload.read()


def test_who_reads_the_upload_gets_all_of_it(browser: Browser) -> None:
    data = jpeg()
    offer = browser.send(data)
    csrf = browser.csrf()
    upload = direct_upload.confirm(direct_upload.pending(offer["token"], csrf))
    assert upload.size == len(data)
    assert upload.read() == data
    assert b"".join(upload.chunks()) == data
