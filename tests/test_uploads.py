"""Uploads: what a person is told of a file that cannot be used, and what an upload costs."""

import pytest
from django import forms
from django.core.files.uploadedfile import InMemoryUploadedFile, SimpleUploadedFile, TemporaryUploadedFile
from django.test import RequestFactory
from PIL import Image

from lazyimages.engines import reading
from tests.conftest import BUCKET, jpeg, upload
from tests.engine import pictures
from tests.engine.test_heic import QUADRANTS
from tests.host.engines import CountingEngine
from tests.host.models import Bare, DimensionsFirst, Photo

pytestmark = pytest.mark.django_db

KINDS = "JPEG, PNG, WebP, GIF, AVIF, HEIC or TIFF"


class PhotoForm(forms.ModelForm):
    class Meta:
        model = Photo
        fields = ["image"]


class RequiredForm(forms.ModelForm):
    class Meta:
        model = Bare
        fields = ["image"]


@pytest.fixture
def nothing_stored(tmp_path):
    """Assert at the end that no file and no row came of it."""
    yield
    assert not [path for path in (tmp_path / "originals").rglob("*") if path.is_file()]
    assert not Photo.objects.exists()


@pytest.fixture
def counting(lazy):
    """Count what the engine does."""
    lazy(ENGINE="tests.host.engines.CountingEngine")
    CountingEngine.renders = CountingEngine.probes = 0
    return CountingEngine


def errors(data: bytes, name: str = "bowl.jpg") -> list[str]:
    """Return what a form says of a file."""
    form = PhotoForm(files={"image": SimpleUploadedFile(name, data, content_type="image/jpeg")})
    assert not form.is_valid()
    assert list(form.errors) == ["image"]
    return form.errors["image"]


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200)
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'
BMP = pictures.saved(pictures.quadrants(), "BMP")
PNG = pictures.saved(pictures.quadrants(), "PNG")
CUT = "The file ends too early; upload it again from the original."


@pytest.mark.usefixtures("nothing_stored")
@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        (b"hello", "bowl.jpg", f"The file is no image that we can read; it must be {KINDS}."),
        (b"", "bowl.jpg", "The submitted file is empty."),
        (HEIC, "bowl.heic", "The file is damaged and cannot be read as an image."),
        (QUADRANTS[:-99], "bowl.heic", CUT),
        (SVG, "bowl.svg", f"The file is no image that we can read; it must be {KINDS}."),
        (BMP, "bowl.bmp", f"The file is no image that we can read; it must be {KINDS}."),
        (jpeg(400, 300)[:-200], "bowl.jpg", CUT),
        (PNG[:-30], "bowl.png", CUT),
        (PNG[:8] + bytes(500), "bowl.png", "The file is damaged and cannot be read as an image."),
        (
            jpeg(40, 30),
            "a.jpg.webp",
            "The name 'a.jpg.webp' ends in two image extensions; "
            "rename the file so that it has one, such as photo.jpg.",
        ),
    ],
)
def test_refused_in_plain_words(data, name, message):
    assert errors(data, name) == [message]


@pytest.mark.usefixtures("nothing_stored")
@pytest.mark.parametrize("name", ["bowl.heic", "bowl.jpg"])
def test_heic_without_the_package_that_reads_it(monkeypatch, name):
    monkeypatch.delitem(reading._PLUGINS, "heic")
    kinds = "JPEG, PNG, WebP, GIF, AVIF or TIFF"
    assert errors(QUADRANTS, name) == [f"The file is HEIC; it must be {kinds}."]


@pytest.mark.usefixtures("nothing_stored")
def test_too_many_bytes(lazy):
    lazy(MAX_BYTES=5000)
    data = jpeg(400, 300) + bytes(5000)
    assert errors(data) == [f"The file has {len(data):,} bytes; at most 5,000 are allowed."]


class Endless(SimpleUploadedFile):
    """A file of which only the size is known yet."""

    def read(self, *args):
        pytest.fail("the file was read")


@pytest.mark.usefixtures("nothing_stored")
def test_too_many_bytes_are_not_read():
    file = Endless("bowl.jpg", b"\xff\xd8\xff")
    file.size = 10**13
    form = PhotoForm(files={"image": file})
    assert form.errors["image"] == ["The file has 10,000,000,000,000 bytes; at most 41,943,040 are allowed."]


@pytest.mark.usefixtures("nothing_stored")
def test_too_many_pixels(lazy):
    lazy(MAX_PIXELS=119_999)
    assert errors(jpeg(400, 300)) == [
        "The image has 400 × 300 pixels; at most 119,999 pixels are allowed in all."
    ]


@pytest.mark.usefixtures("nothing_stored")
def test_a_bomb():
    data = pictures.png(60000, 60000, pictures.zlib.compress(bytes(1000)))
    assert errors(data, "bomb.png") == [
        "The image has 60000 × 60000 pixels; at most 100,000,000 pixels are allowed in all."
    ]


@pytest.mark.usefixtures("nothing_stored")
def test_too_many_frames(lazy):
    lazy(MAX_PIXELS=20_000)
    frames = [Image.new("L", (100, 80), shade) for shade in (0, 90, 200)]
    data = pictures.saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert errors(data, "moving.gif") == [
        "The image has 100 × 80 pixels in 3 frames; at most 20,000 pixels are allowed in all."
    ]


@pytest.mark.usefixtures("nothing_stored")
def test_a_required_file_is_missing():
    form = RequiredForm(files={})
    assert form.errors["image"] == ["This field is required."]


def test_at_the_limits(lazy):
    data = jpeg(400, 300)
    lazy(MAX_PIXELS=120_000, MAX_BYTES=len(data))
    assert PhotoForm(files={"image": upload(data)}).is_valid()


def test_a_long_name_is_no_error():
    form = PhotoForm(files={"image": upload(jpeg(40, 30), "x" * 240 + ".jpg")})
    assert form.is_valid(), form.errors
    assert len(form.save().image.name) <= 100


@pytest.mark.parametrize(
    "name", ["bowl.jpg", "Blå skål + 50% & #1.JPG", "碗.jpg", "a.b.c.jpg", "bowl", "bowl.jpg.exe"]
)
def test_any_client_name_becomes_a_plain_one(name):
    form = PhotoForm(files={"image": upload(jpeg(40, 30), name)})
    assert form.is_valid(), form.errors
    stored = form.save().image.name
    assert stored.isascii()
    assert stored.startswith("produs_1/")
    assert stored.endswith(".jpg")
    assert not set(stored) & set(" +%&#?\\\"'<>")


def test_one_decode_from_the_form_to_the_row(counting):
    form = PhotoForm(files={"image": upload(jpeg(400, 300))})
    assert form.is_valid(), form.errors
    photo = form.save()
    assert counting.renders == 1
    assert counting.probes == 1
    Photo.objects.get(pk=photo.pk).full_clean()
    assert counting.renders == 1


def test_one_decode_without_a_form(counting):
    photo = Photo(image=upload(jpeg(400, 300)))
    assert counting.renders == 0, "assigning decodes nothing"
    photo.full_clean()
    photo.save()
    assert counting.renders == 1


def test_an_invalid_file_is_not_decoded_again(counting):
    form = PhotoForm(files={"image": upload(b"hello")})
    assert not form.is_valid()
    assert counting.renders == 0


def test_an_animation_is_decoded_as_one_frame(counting):
    frames = [Image.new("L", (100, 80), shade) for shade in (0, 90, 200)]
    data = pictures.saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    form = PhotoForm(files={"image": upload(data, "moving.gif")})
    assert form.is_valid(), form.errors
    assert form.save().image.read() == data


def posted(data: bytes, settings, most_in_memory: int) -> object:
    """Return an upload as Django's own parser of requests makes it."""
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = most_in_memory
    request = RequestFactory().post("/", {"image": upload(data)})
    return request.FILES["image"]


@pytest.mark.parametrize(("most", "kind"), [(0, TemporaryUploadedFile), (10**9, InMemoryUploadedFile)])
def test_uploads_on_disk_and_in_memory(settings, tmp_path, counting, most, kind):
    data = jpeg(400, 300)
    file = posted(data, settings, most)
    assert type(file) is kind
    form = PhotoForm(files={"image": file})
    assert form.is_valid(), form.errors
    photo = form.save()
    assert (tmp_path / "originals" / photo.image.name).read_bytes() == data
    assert (photo.width, photo.height) == (400, 300)
    assert counting.renders == 1


def test_a_file_that_was_read_before(tmp_path):
    """Somebody looked at the upload, and left it at its end or in the middle."""
    for spoil in (lambda file: file.read(), lambda file: file.seek(5)):
        file = upload(jpeg(40, 30))
        spoil(file)
        photo = DimensionsFirst.objects.create(image=file)
        assert (tmp_path / "originals" / photo.image.name).read_bytes() == jpeg(40, 30)
        assert DimensionsFirst.objects.filter(pk=photo.pk, width=40, height=30).exists()


def big(size: int) -> bytes:
    """Return a valid JPEG of that many bytes: the picture, and what an editor appended."""
    data = jpeg(400, 300)
    return data + bytes(size - len(data))


@pytest.mark.parametrize("size", [20_000, 20 * 2**20], ids=["small", "20MB"])
def test_one_put_for_an_upload(s3, s3_calls, size):
    data = big(size)
    form = PhotoForm(files={"image": upload(data)})
    assert form.is_valid(), form.errors
    photo = form.save()
    assert s3_calls == ["PutObject"]
    stored = s3.get_object(Bucket=BUCKET, Key=photo.image.name)
    assert stored["Body"].read() == data
    assert stored["ContentType"] == "image/jpeg"
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == [photo.image.name]


def test_nothing_is_asked_of_s3_for_a_refused_file(s3, s3_calls):
    assert errors(b"hello")
    assert errors(jpeg(40, 30)[:-50])
    assert s3_calls == []


def test_loading_asks_nothing_of_s3(s3, s3_calls):
    photo = Photo.objects.create(image=upload(jpeg(40, 30)))
    Photo.objects.update(width=None)
    del s3_calls[:]
    photo = Photo.objects.get(pk=photo.pk)
    photo.refresh_from_db()
    assert photo.image.width is None
    assert photo.image.variant_url("480h")
    photo.full_clean()
    photo.save()
    assert s3_calls == []
