"""The field: one file per upload, dimensions in the row, and no look into storage to load rows."""

import pickle
from io import StringIO
from pathlib import Path

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile, File
from django.core.management import call_command
from django.db import models, transaction

from lazyimages.exceptions import CorruptImage, RefusedName, UnsupportedImage
from lazyimages.fields import LazyImageField
from tests.conftest import jpeg, upload
from tests.engine import pictures
from tests.engine.test_heic import QUADRANTS
from tests.host.models import Album, Bare, DimensionsFirst, Photo, PlainPhoto
from tests.host.storages import Watched

pytestmark = pytest.mark.django_db

OWN_NAME = r"^[a-z0-9-]+\.[A-Za-z0-9]{10}\.[a-z]+$"


class PhotoForm(forms.ModelForm):
    class Meta:
        model = Photo
        fields = ["image"]


class DimensionsFirstForm(forms.ModelForm):
    class Meta:
        model = DimensionsFirst
        fields = ["image"]


class BareForm(forms.ModelForm):
    class Meta:
        model = Bare
        fields = ["folder", "image"]


@pytest.fixture
def stored(tmp_path):
    """Return the names of all files in both storages."""

    def look() -> list[str]:
        roots = tmp_path / "originals", tmp_path / "variants"
        return sorted(
            str(path.relative_to(root)) for root in roots for path in root.rglob("*") if path.is_file()
        )

    return look


@pytest.fixture
def looks(settings, tmp_path):
    """Keep originals in a storage that tells what was asked of it."""
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "tests.host.storages.Watched",
            "OPTIONS": {"location": tmp_path / "originals"},
        },
    }
    Watched.looks.clear()
    yield Watched.looks
    Watched.looks.clear()


def in_row(photo: models.Model) -> tuple[int | None, int | None]:
    """Return the dimensions that the database has."""
    return type(photo).objects.filter(pk=photo.pk).values_list("width", "height").get()


def by_create(model, file):
    return model.objects.create(image=file)


def by_save(model, file):
    photo = model()
    photo.image = file
    photo.save()
    return photo


def by_constructor(model, file):
    photo = model(image=file)
    photo.save()
    return photo


def by_form(model, file):
    form = {Photo: PhotoForm, DimensionsFirst: DimensionsFirstForm}[model](files={"image": file})
    assert form.is_valid(), form.errors
    return form.save()


def by_bulk_create(model, file):
    return model.objects.bulk_create([model(image=file)])[0]


def by_field_save(model, file):
    photo = model()
    photo.image.save(file.name, file)
    return photo


WAYS = [by_create, by_save, by_constructor, by_form, by_bulk_create, by_field_save]


@pytest.mark.parametrize("model", [Photo, DimensionsFirst])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("orientation", [1, 6])
def test_every_way_stores_the_original_and_its_dimensions(model, way, orientation, stored, tmp_path, looks):
    data = jpeg(400, 300, orientation)
    photo = way(model, upload(data, "My Bowl.JPG"))
    expected = (400, 300) if orientation == 1 else (300, 400)
    assert (photo.width, photo.height) == expected
    assert in_row(photo) == expected
    assert [photo.image.name] == stored()
    assert (tmp_path / "originals" / photo.image.name).read_bytes() == data
    directory, name = photo.image.name.split("/")
    assert directory == {Photo: "produs_1", DimensionsFirst: "first"}[model]
    assert name.startswith("my-bowl.")
    assert name.endswith(".jpg")
    assert looks == []
    assert (photo.image.width, photo.image.height) == expected


@pytest.mark.parametrize(
    ("format", "client", "extension"),
    [
        ("PNG", "photo.jpg", "png"),
        ("JPEG", "photo.txt", "jpg"),
        ("JPEG", "photo", "jpg"),
        ("JPEG", "photo.jpeg", "jpg"),
        ("WEBP", "photo.png", "webp"),
        ("GIF", "photo.php", "gif"),
        ("AVIF", "photo.heic", "avif"),
        ("TIFF", "photo.tif", "tiff"),
    ],
)
@pytest.mark.parametrize("way", [by_create, by_form])
def test_the_extension_follows_the_content(format, client, extension, way, stored):
    photo = way(Photo, upload(pictures.saved(pictures.quadrants(), format), client))
    assert photo.image.name.startswith("produs_1/photo")
    assert photo.image.name.endswith(f".{extension}")
    assert photo.image.name.count(f".{extension}") == 1
    assert len(stored()) == 1


@pytest.mark.parametrize("way", [by_create, by_form])
def test_a_heic_from_a_phone(way, stored):
    """Stored as it is; browsers get JPEGs."""
    photo = way(Photo, upload(QUADRANTS, "IMG_0042.jpg"))
    assert (photo.width, photo.height) == (240, 160)
    (name,) = stored()
    assert name.endswith(".heic")
    assert photo.image.variant_url("480h").endswith(".heic.jpg")


@pytest.mark.parametrize("model", [Photo, DimensionsFirst])
def test_replacing_through_an_existing_row(model, stored):
    pk = by_create(model, upload(jpeg(400, 300))).pk
    photo = model.objects.get(pk=pk)
    first = photo.image.name
    photo.image = upload(jpeg(200, 500))
    assert (photo.width, photo.height) == (200, 500), "at once, so that a page can be drawn before the save"
    photo.save()
    assert in_row(photo) == (200, 500)
    assert photo.image.name != first
    assert photo.image.name in stored()


@pytest.mark.parametrize("model", [Photo, DimensionsFirst])
def test_replacing_what_was_not_loaded(model):
    """A row loaded in part has no image to compare with; the dimensions must follow all the same."""
    pk = by_create(model, upload(jpeg(400, 300))).pk
    photo = model.objects.only("pk").get(pk=pk)
    photo.image = upload(jpeg(200, 500))
    photo.save()
    assert in_row(photo) == (200, 500)


def test_replacing_through_a_form(stored):
    photo = by_create(Photo, upload(jpeg(400, 300)))
    form = PhotoForm(files={"image": upload(jpeg(100, 70))}, instance=Photo.objects.get(pk=photo.pk))
    assert form.is_valid(), form.errors
    form.save()
    assert in_row(photo) == (100, 70)


def test_a_form_without_a_new_file_changes_nothing(looks):
    photo = by_create(Photo, upload(jpeg(400, 300)))
    form = PhotoForm(data={}, instance=Photo.objects.get(pk=photo.pk))
    assert form.is_valid(), form.errors
    assert form.save().image.name == photo.image.name
    assert in_row(photo) == (400, 300)
    assert looks == []


def test_clearing_through_a_form():
    photo = by_create(Photo, upload(jpeg(400, 300)))
    form = PhotoForm(data={"image-clear": "on"}, instance=Photo.objects.get(pk=photo.pk))
    assert form.is_valid(), form.errors
    form.save()
    assert in_row(photo) == (None, None)
    assert not Photo.objects.get(pk=photo.pk).image


@pytest.mark.parametrize("nothing", ["", None])
@pytest.mark.parametrize("model", [Photo, DimensionsFirst])
def test_clearing_by_assignment(model, nothing):
    photo = model.objects.get(pk=by_create(model, upload(jpeg(400, 300))).pk)
    photo.image = nothing
    assert (photo.width, photo.height) == (None, None)


@pytest.mark.parametrize("model", [Photo, DimensionsFirst])
def test_deleting_the_file(model, stored, django_capture_on_commit_callbacks):
    photo = model.objects.get(pk=by_create(model, upload(jpeg(400, 300))).pk)
    with django_capture_on_commit_callbacks(execute=True):
        photo.image.delete()
    assert stored() == []
    assert (photo.width, photo.height) == (None, None)
    assert in_row(photo) == (None, None)


def test_another_rows_image(looks):
    """Assigned as Django allows it: the name is shared, and the dimensions come along."""
    one = by_create(Photo, upload(jpeg(400, 300)))
    other = by_create(Photo, upload(jpeg(200, 100)))
    other.image = Photo.objects.get(pk=one.pk).image
    other.save()
    assert in_row(other) == (400, 300)
    assert looks == []


@pytest.mark.parametrize("made", [True, False], ids=["made with it", "assigned"])
def test_another_rows_image_becomes_the_rows_own(made):
    """Not an object that both rows share, nor one of the other's field."""
    photo = by_create(Photo, upload(jpeg(400, 300)))
    album = Album(cover=photo.image) if made else Album.objects.create()
    album.cover = photo.image
    assert album.cover.field is Album._meta.get_field("cover")
    assert (album.cover.width, album.cover.height) == (album.width, album.height) == (400, 300)
    album.save()
    album.cover.move_focal(1, 2)
    assert Album.objects.get(pk=album.pk).cover.focal == (1, 2)
    assert photo.image.focal == (50, 50)
    assert photo.image.instance is photo
    copied = Photo.objects.create(image=photo.image)
    copied.image.move_focal(3, 4)
    assert photo.image.focal == (50, 50)


@pytest.mark.parametrize("model", [Photo, Bare])
def test_an_image_of_djangos_own_field(model):
    plain = PlainPhoto.objects.create(image=upload(jpeg(400, 300)))
    for row in (model(image=plain.image), model()):
        row.image = plain.image
        row.save()
        assert row.image.variant_url("360x270").endswith("/plain/360x270/bowl.jpg")


def test_another_name_has_unknown_dimensions(looks):
    photo = by_create(Photo, upload(jpeg(400, 300)))
    photo.image = photo.image.name
    assert (photo.width, photo.height) == (400, 300), "the same name again changes nothing"
    photo.image = "elsewhere/old.jpg"
    assert (photo.width, photo.height) == (None, None)
    assert (photo.image.width, photo.image.height) == (None, None)
    assert looks == []


def test_loading_rows_never_opens_storage(looks):
    """Django's own field opens the file of every row that has no dimensions."""
    photos = [by_create(Photo, upload(jpeg(40, 30))) for _ in range(3)]
    Photo.objects.update(width=None, height=None)
    Photo.objects.create(image="gone/missing.jpg")
    by_create(DimensionsFirst, upload(jpeg(40, 30)))
    DimensionsFirst.objects.update(width=None)
    by_create(Bare, upload(jpeg(40, 30)))
    looks.clear()

    for photo in [*Photo.objects.all(), *DimensionsFirst.objects.all()]:
        assert photo.width is None or photo.height is None
        assert (photo.image.width, photo.image.height) == (None, None)
    (bare,) = Bare.objects.all()
    assert (bare.image.width, bare.image.height) == (None, None)
    assert str(Photo(image="old/name.jpg").image) == "old/name.jpg"
    photo = Photo.objects.only("pk").get(pk=photos[0].pk)
    assert photo.image.name == photos[0].image.name
    photo = Photo.objects.defer("image").get(pk=photos[0].pk)
    assert photo.image.width is None
    photo.refresh_from_db()
    photo.refresh_from_db(fields=["image"])
    photo.full_clean()
    photo.save()
    list(Photo.objects.values("image"))
    list(Photo.objects.in_bulk())
    list(Photo.objects.iterator())
    again = pickle.loads(pickle.dumps(photo))
    assert again.image.name == photo.image.name
    assert again.image.width is None
    assert pickle.loads(pickle.dumps(photo.image)).name == photo.image.name
    PhotoForm(instance=photo).as_p()
    assert looks == []


def test_refreshing_keeps_what_is_known(looks):
    photo = by_create(Photo, upload(jpeg(40, 30)))
    fresh = Photo.objects.get(pk=photo.pk)
    for fields in (None, ["image"], ["width"], ["image", "width", "height"]):
        fresh.refresh_from_db(fields=fields)
        assert (fresh.width, fresh.height) == (40, 30)
    partly = Photo.objects.defer("image").get(pk=photo.pk)
    assert partly.image.name == photo.image.name
    assert (partly.width, partly.height) == (40, 30)
    partly.save()
    assert in_row(photo) == (40, 30)
    assert looks == []


def test_refreshing_sees_what_others_changed():
    photo = by_create(DimensionsFirst, upload(jpeg(40, 30)))
    mine = DimensionsFirst.objects.get(pk=photo.pk)
    photo.image = upload(jpeg(70, 90))
    photo.save()
    mine.refresh_from_db()
    assert (mine.width, mine.height, mine.image.name) == (70, 90, photo.image.name)


@pytest.mark.parametrize("change", ["focal point", "cleared"])
def test_refreshing_the_image_alone_after_others_changed_it(looks, change):
    """What was not asked for is loaded when it is, and nothing is lost when the row is saved."""
    photo = by_create(Photo, upload(jpeg(40, 30)))
    mine, partly = Photo.objects.get(pk=photo.pk), Photo.objects.only("image").get(pk=photo.pk)
    if change == "cleared":
        Photo.objects.filter(pk=photo.pk).update(image="", width=None, height=None)
    else:
        Photo.objects.filter(pk=photo.pk).update(image="produs_1/moved.AZ70KuRzw9.f0102.jpg")
    mine.refresh_from_db(fields=["image"])
    partly.refresh_from_db()
    for row in (mine, partly):
        row.save()
        expected = (None, None) if change == "cleared" else (40, 30)
        assert in_row(photo) == (row.width, row.height) == expected
    assert looks == []


def test_refreshing_the_image_alone_keeps_what_is_not_saved_yet():
    photo = by_create(Photo, upload(jpeg(40, 30)))
    photo.width = 7
    photo.refresh_from_db(fields=["image"])
    assert photo.width == 7


def test_reading_an_image_opens_it_once(looks):
    photo = Photo.objects.get(pk=by_create(Photo, upload(jpeg(40, 30))).pk)
    assert photo.image.read() == jpeg(40, 30)
    assert looks == [("open", photo.image.name)]


def test_save_by_program(stored):
    photo = Photo()
    photo.image.save("x.jpg", ContentFile(jpeg(40, 30)))
    assert photo.pk
    assert in_row(photo) == (40, 30)
    assert stored() == [photo.image.name]
    photo.image.save("y.jpg", ContentFile(jpeg(50, 60)), save=False)
    assert (photo.width, photo.height) == (50, 60)
    assert in_row(photo) == (40, 30), "save=False leaves the database alone"
    assert photo.image.read() == jpeg(50, 60)


def test_save_from_an_open_file(tmp_path, stored):
    path = tmp_path / "from disk.jpg"
    path.write_bytes(jpeg(40, 30))
    with path.open("rb") as file:
        photo = Photo.objects.create(image=File(file, name="from disk.jpg"))
    assert stored() == [photo.image.name]
    assert in_row(photo) == (40, 30)


@pytest.mark.parametrize("way", [by_create, by_save, by_bulk_create, by_field_save])
@pytest.mark.parametrize(
    ("data", "name", "error"),
    [
        (b"hello", "a.jpg", UnsupportedImage),
        (jpeg(400, 300)[:-300], "a.jpg", CorruptImage),
        (jpeg(40, 30), "a.jpg.webp", RefusedName),
    ],
)
def test_a_program_gets_an_exception_and_nothing_is_stored(way, data, name, error, stored):
    with pytest.raises(error), transaction.atomic():
        way(Photo, upload(data, name))
    assert stored() == []
    assert not Photo.objects.exists()


def test_a_directory_that_looks_like_a_size(stored):
    bare = Bare(folder="480h", image=upload(jpeg(40, 30)))
    with pytest.raises(ValidationError) as caught:
        bare.full_clean()
    (message,) = caught.value.message_dict["image"]
    assert message.startswith("The directory '480h' in '480h/bowl.")
    assert message.endswith("looks like a size; rename it, because such directories hold the variants.")
    with pytest.raises(RefusedName, match="looks like a size; rename it"):
        bare.save()
    form = BareForm(data={"folder": "a/480h/b"}, files={"image": upload(jpeg(40, 30))})
    assert "The directory '480h'" in form.errors["image"][0]
    assert stored() == []


def test_a_directory_that_leaves_no_room(stored):
    """The column is 100 characters wide; a folder of 60 fits, one of 90 with its file does not."""
    photo = by_bulk_create(Bare, upload(jpeg(40, 30), "x" * 200 + ".jpg"))
    assert len(photo.image.name) <= 100
    bare = Bare(folder="d" * 58, image=upload(jpeg(40, 30), "y" * 200 + ".jpg"))
    bare.full_clean()
    bare.save()
    assert len(bare.image.name) == 100
    wide = Bare(folder="d" * 90, image=upload(jpeg(40, 30)))
    with pytest.raises(ValidationError) as caught:
        wide.full_clean()
    assert "leaves 9 characters for the name of a file" in caught.value.message_dict["image"][0]
    with pytest.raises(RefusedName, match="raise the field's max_length"):
        wide.save()
    assert len(stored()) == 2


def test_a_migration_holds_no_storage():
    """Where originals are is in the settings, and a migration must not freeze it."""
    out = StringIO()
    call_command("makemigrations", "host", dry_run=True, verbosity=3, stdout=out)
    assert "lazyimages.fields.LazyImageField(" in out.getvalue()
    assert "storage" not in out.getvalue()
    *_, arguments = Photo._meta.get_field("image").deconstruct()
    assert arguments == {
        "upload_to": "produs_1",
        "width_field": "width",
        "height_field": "height",
        "blank": True,
    }
    assert LazyImageField(**arguments).deconstruct()[3] == arguments


def test_storage_is_no_argument():
    with pytest.raises(TypeError, match=r'takes no storage; name one in LAZYIMAGES\["ORIGINALS"\]'):
        LazyImageField(upload_to="x", storage=Watched())


def test_originals_go_where_the_setting_says(lazy, settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "private": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path / "private"},
        },
    }
    lazy(ORIGINALS="private")
    photo = by_create(Photo, upload(jpeg(40, 30)))
    assert (tmp_path / "private" / photo.image.name).exists()
    assert photo.image.read() == jpeg(40, 30)


@pytest.mark.parametrize(
    ("upload_to", "wrong"), [("a/480h/b", True), ("360x270", True), ("a/b", False), ("", False)]
)
def test_check_of_the_directory(upload_to, wrong):
    field = LazyImageField(upload_to=upload_to)
    field.set_attributes_from_name("image")
    field.model = Photo
    found = [message for message in field.check() if message.id == "lazyimages.E020"]
    assert bool(found) is wrong


def test_variant_url(lazy, looks):
    lazy(FORMATS=["webp"])
    photo = by_create(Photo, upload(jpeg(400, 300)))
    directory, name = photo.image.name.split("/")
    assert photo.image.variant_url("360x270") == f"/images/v/{directory}/360x270/{name}"
    assert photo.image.variant_url("480h", "webp") == f"/images/v/{directory}/480h/{name}.webp"
    assert Photo().image.variant_url("360x270") == ""
    assert looks == []


@pytest.mark.parametrize("size", ["99x99", "big", "", "0360x270"])
def test_variant_url_names_what_is_allowed(size):
    for photo in (Photo(), Photo(image="a/b.jpg")):
        with pytest.raises(ValueError, match="360x270, 480h, 1280w"):
            photo.image.variant_url(size)


@pytest.mark.parametrize("format", ["bmp", "avif"])
def test_variant_url_of_a_format_that_is_not_allowed(lazy, format):
    lazy(FORMATS=["webp"])
    with pytest.raises(ValueError, match=f"'{format}' is not a format in LAZYIMAGES; choose from jpeg, webp"):
        Photo(image="a/b.jpg").image.variant_url("480h", format)


def test_variant_url_of_an_original_that_can_have_none():
    with pytest.raises(ValueError, match="looks like a size"):
        Photo(image="a/480h/b.jpg").image.variant_url("480h")


def test_names_are_never_used_twice(stored):
    names = {by_create(Photo, upload(jpeg(40, 30))).image.name for _ in range(20)}
    assert len(names) == 20
    assert stored() == sorted(names)
    assert all(Path(name).name.count(".") == 2 for name in names)
