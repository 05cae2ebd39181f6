"""Placeholders: made of the one decode that an upload has, kept in the row, drawn without any I/O."""

import base64
import re
from io import BytesIO, StringIO
from typing import Any

import pytest
from django import forms
from django.apps.registry import Apps
from django.core.management import call_command
from django.db import models
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lazyimages import placeholders, thumbhash
from lazyimages.engines.base import Job, Rendered
from lazyimages.fields import LazyImageField
from tests.conftest import jpeg, upload
from tests.engine import pictures
from tests.host.engines import CountingEngine
from tests.host.models import Blurred, OnlyBlurred, SmallBlurred
from tests.host.storages import Watched

VALUE = re.compile(
    r"#[0-9a-f]{6} url\(data:image/png;base64,([A-Za-z0-9+/=]+)\) (\d+)% (\d+)%/cover no-repeat"
)


class ProxyBlurred(Blurred):
    """Django sends `post_init` for the proxy."""

    class Meta:
        proxy = True
        app_label = "host"


def shown(value: str) -> Image.Image:
    """Return the picture in a background."""
    match = VALUE.fullmatch(value)
    assert match, value
    picture = Image.open(BytesIO(base64.b64decode(match[1], validate=True)))
    picture.load()
    return picture


def noise(width: int, height: int) -> bytes:
    return Image.effect_noise((width, height), 120).convert("RGBA").tobytes()


class TestBackground:
    def test_a_photo(self) -> None:
        small = Image.open(BytesIO(jpeg(1600, 1200))).resize((64, 48))
        text = placeholders.text(64, 48, small.convert("RGBA").tobytes())
        assert len(text) <= placeholders.MOST_CHARACTERS
        value = placeholders.background(text)
        assert len(value) < 350
        assert value.endswith(" 50% 50%/cover no-repeat")
        picture = shown(value)
        assert (picture.mode, picture.size) == ("RGB", (8, 6))
        # The gradient that `jpeg` draws is dark above and light below, with red in the corner.
        assert picture.getpixel((7, 0))[1] < 90 < 160 < picture.getpixel((7, 5))[1]  # type: ignore[index]
        red, green, _ = picture.getpixel((0, 0))  # type: ignore[misc]
        assert red > green + 60

    def test_the_colour_is_the_mean(self) -> None:
        text = placeholders.text(8, 8, b"\xc8\x64\x32\xff" * 64)
        colour = bytes.fromhex(placeholders.background(text)[1:7])
        assert all(abs(got - want) <= 5 for got, want in zip(colour, b"\xc8\x64\x32", strict=True))

    def test_the_focal_point_is_its_position(self) -> None:
        text = placeholders.text(8, 8, b"\xc8\x64\x32\xff" * 64)
        assert placeholders.background(text, (0, 99)).endswith(") 0% 99%/cover no-repeat")

    def test_nothing_in_it_needs_escaping(self) -> None:
        value = placeholders.background(placeholders.text(20, 20, noise(20, 20)))
        assert not set(value) & set("\"'<>&;\\") - {";"}
        assert value.count(";") == 1  # in "image/png;base64"

    @pytest.mark.parametrize("alpha", [0, 200, 254])
    def test_none_for_a_picture_with_transparency(self, alpha: int) -> None:
        text = placeholders.text(2, 2, bytes([10, 20, 30, alpha]) + b"\x0a\x14\x1e\xff" * 3)
        assert text
        assert placeholders.background(text) == ""

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "-",
            "LEHV6nWB2yk8pyo0adR*.7kCMdnj",
            "data:image/png;base64,AAAA",
            "é" * 36,
            "\ud800",
            "GtiNLIQPgIdqd4iHB+iJhz8Ip4eIZ3aICQ=",
            "GtiNLIQPgIdqd4iHB-iJhz8Ip4eIZ3aICQ==",
            " GtiNLIQPgIdqd4iHB+iJhz8Ip4eIZ3aICQ==",
            "AAAA" * 1000,
        ],
    )
    def test_none_for_what_is_no_placeholder(self, text: str) -> None:
        assert placeholders.background(text) == ""

    @given(st.binary(min_size=10, max_size=25))
    def test_every_hash_fits_into_the_page(self, data: bytes) -> None:
        value = placeholders.background(base64.b64encode(data).decode())
        assert len(value) < 350
        if value:
            thumb = thumbhash.decode(data)
            assert shown(value).size == (thumb.width, thumb.height)

    @given(st.binary(min_size=19, max_size=19), st.booleans())
    def test_every_hash_of_a_square_fits_into_the_page(self, waves: bytes, is_loud: bool) -> None:
        """The longest there are: 64 pixels, as far apart as can be."""
        head = b"\x20\x08\x7e" if is_loud else b"\x20\x08\x02"
        value = placeholders.background(base64.b64encode(head + b"\xff\x7f" + waves).decode())
        assert 100 < len(value) < 350
        assert shown(value).size == (8, 8)


class BlurredForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Blurred
        fields = ["title", "image"]


class OnlyBlurredForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = OnlyBlurred
        fields = ["image"]


def in_row(row: models.Model, field: str = "placeholder") -> str:
    return str(type(row)._base_manager.filter(pk=row.pk).values_list(field, flat=True).get())


def by_create(model: Any, file: Any) -> Any:
    return model.objects.create(image=file)


def by_attribute(model: Any, file: Any) -> Any:
    row = model()
    row.image = file
    row.save()
    return row


def by_form(model: Any, file: Any) -> Any:
    form = {Blurred: BlurredForm, OnlyBlurred: OnlyBlurredForm}[model](files={"image": file})
    assert form.is_valid(), form.errors
    return form.save()


def by_bulk_create(model: Any, file: Any) -> Any:
    return model.objects.bulk_create([model(image=file)])[0]


def by_field_save(model: Any, file: Any) -> Any:
    row = model()
    row.image.save(file.name, file)
    return row


WAYS = [by_create, by_attribute, by_form, by_bulk_create, by_field_save]


def expected(data: bytes) -> str:
    """Return the hash of a picture as Pillow makes it small, to be compared by what it shows."""
    picture = Image.open(BytesIO(data))
    picture.thumbnail((64, 64))
    return placeholders.text(*picture.size, picture.convert("RGBA").tobytes())


def far(one: str, other: str) -> float:
    """Return the mean difference of what two placeholders show, of 255."""
    pixels = [thumbhash.decode(base64.b64decode(text)).rgb for text in (one, other)]
    return sum(abs(a - b) for a, b in zip(*pixels, strict=True)) / len(pixels[0])


@pytest.mark.django_db
class TestField:
    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize(("model", "field"), [(Blurred, "placeholder"), (OnlyBlurred, "blur")])
    def test_an_upload_fills_the_row(self, way: Any, model: Any, field: str) -> None:
        data = jpeg(800, 600)
        row = way(model, upload(data))
        text = getattr(row, field)
        assert in_row(row, field) == text
        assert far(text, expected(data)) < 6
        assert getattr(way(model, upload(data)), field) == text, "the same photo has the same"

    def test_a_photo_held_upright(self) -> None:
        row = by_create(Blurred, upload(jpeg(800, 600, orientation=6)))
        thumb = thumbhash.decode(base64.b64decode(row.placeholder))
        assert thumb.width < thumb.height

    @pytest.mark.parametrize("size", [(1, 1), (2, 900), (900, 2), (63, 64), (65, 64)])
    def test_any_proportions(self, size: tuple[int, int]) -> None:
        row = by_create(Blurred, upload(pictures.saved(Image.new("RGB", size, "teal"), "PNG")))
        assert VALUE.fullmatch(placeholders.background(row.placeholder))

    @pytest.mark.parametrize("mode", ["1", "L", "P", "I;16", "RGB", "CMYK"])
    def test_any_mode(self, mode: str) -> None:
        grey = Image.new("I;16", (64, 64), 33_000)
        picture = grey if mode == "I;16" else Image.linear_gradient("L").convert(mode)
        row = by_create(Blurred, upload(pictures.saved(picture, "TIFF")))
        colour = placeholders.background(row.placeholder)[1:7]
        red, green, blue = bytes.fromhex(colour)
        assert 90 < red < 175
        assert max(abs(red - green), abs(red - blue)) < 20, "grey stays grey"

    def test_a_transparent_picture_is_kept_and_not_shown(self) -> None:
        picture = Image.new("RGBA", (80, 60), (200, 30, 30, 0))
        row = by_create(Blurred, upload(pictures.saved(picture, "PNG")))
        assert thumbhash.decode(base64.b64decode(row.placeholder)).has_alpha
        assert placeholders.background(row.placeholder) == ""

    def test_one_decode_from_the_form_to_the_row(self, lazy: Any) -> None:
        lazy(ENGINE="tests.host.engines.CountingEngine")
        CountingEngine.renders = CountingEngine.probes = 0
        for way in (by_form, by_create, by_bulk_create):
            CountingEngine.renders = CountingEngine.probes = 0
            assert way(Blurred, upload(jpeg(400, 300))).placeholder
            assert CountingEngine.renders == 1

    def test_another_rows_image_brings_it_along(self) -> None:
        one, other = (by_create(Blurred, upload(data)) for data in (jpeg(400, 300), jpeg(30, 90)))
        assert one.placeholder != other.placeholder
        other.image = Blurred.objects.get(pk=one.pk).image
        assert other.placeholder == one.placeholder
        other.save()
        assert in_row(other) == one.placeholder
        made = Blurred.objects.create(image=one.image)
        assert (in_row(made), made.width) == (one.placeholder, 400)
        only = OnlyBlurred.objects.create(image=one.image)
        assert in_row(only, "blur") == one.placeholder

    @pytest.mark.parametrize("model", [SmallBlurred, ProxyBlurred])
    def test_to_a_child_and_a_proxy_too(self, model: Any) -> None:
        one = by_create(Blurred, upload(jpeg(400, 300)))
        made = model.objects.create(image=one.image)
        assert (in_row(made), made.width, made.height) == (one.placeholder, 400, 300)

    @pytest.mark.parametrize("value", ["elsewhere/old.jpg", "", None])
    def test_a_name_or_nothing_empties_it(self, value: str | None) -> None:
        row = by_create(Blurred, upload(jpeg(400, 300)))
        row.image = row.image.name
        assert row.placeholder, "the same name again changes nothing"
        row.image = value
        assert row.placeholder == ""

    def test_a_new_upload_replaces_it(self) -> None:
        row = by_create(Blurred, upload(jpeg(400, 300)))
        before = row.placeholder
        row.image = upload(jpeg(30, 90))
        assert row.placeholder == "", "not the old one, while the new one is not known"
        row.save()
        assert in_row(row) == row.placeholder != before

    def test_a_form_without_a_new_file_keeps_it(self) -> None:
        row = by_create(Blurred, upload(jpeg(400, 300)))
        form = BlurredForm(data={"title": "bowl"}, instance=Blurred.objects.get(pk=row.pk))
        assert form.is_valid(), form.errors
        assert form.save().placeholder == row.placeholder == in_row(row)
        form = BlurredForm(data={"title": "bowl", "image-clear": "on"}, instance=form.instance)
        assert form.is_valid(), form.errors
        form.save()
        assert in_row(row) == ""

    def test_loading_and_drawing_opens_no_storage(self, settings: Any, tmp_path: Any) -> None:
        watched = {
            "BACKEND": "tests.host.storages.Watched",
            "OPTIONS": {"location": tmp_path / "originals"},
        }
        settings.STORAGES = {**settings.STORAGES, "default": watched}
        one = by_create(Blurred, upload(jpeg(400, 300)))
        by_create(OnlyBlurred, upload(jpeg(400, 300)))
        Blurred.objects.create(image="gone/missing.jpg")
        Watched.looks.clear()
        for row in [*Blurred.objects.all(), *OnlyBlurred.objects.all(), *Blurred.objects.only("pk")]:
            placeholders.background(getattr(row, "placeholder", ""))
            row.refresh_from_db()
            row.save()
        partly = Blurred.objects.defer("placeholder").get(pk=one.pk)
        partly.image = one.image
        assert partly.placeholder == one.placeholder
        assert Watched.looks == []

    def test_an_engine_whose_trial_cannot_be_read(self, lazy: Any, caplog: Any) -> None:
        lazy(ENGINE="tests.test_placeholders.Strange")
        row = by_create(Blurred, upload(jpeg(400, 300)))
        assert (row.placeholder, row.width) == ("", 400)
        assert "no placeholder: the trial is no PNG" in caplog.text


class Strange(CountingEngine):
    """Renders what no browser reads."""

    def render(self, data: bytes, jobs: Any, **options: Any) -> list[Rendered]:
        return [Rendered(data=b"?", width=1, height=1) for job in jobs if isinstance(job, Job)]


@pytest.mark.django_db
def test_in_migrations() -> None:
    out = StringIO()
    call_command("makemigrations", "host", dry_run=True, verbosity=3, stdout=out)
    assert "placeholder_field='placeholder'" in out.getvalue()
    *_, arguments = Blurred._meta.get_field("image").deconstruct()
    assert arguments["placeholder_field"] == "placeholder"
    again = LazyImageField(**arguments)
    assert again.deconstruct()[3] == arguments
    assert again.clone().placeholder_field == "placeholder"


def messages(**fields: Any) -> list[tuple[str, str]]:
    """Return what the check says of a model with these fields, beside its image."""
    meta = type("Meta", (), {"app_label": "host", "apps": Apps()})
    body = {"__module__": __name__, "Meta": meta, **fields}
    model = type("Tried", (models.Model,), body)
    found = model._meta.get_field("image").check()
    return [(message.msg, message.hint) for message in found if message.id == "lazyimages.E021"]


class TestCheck:
    @pytest.mark.parametrize("length", [36, 40, 255])
    def test_a_good_field(self, length: int) -> None:
        image = LazyImageField(upload_to="x", placeholder_field="blur")
        assert messages(image=image, blur=models.CharField(max_length=length)) == []

    def test_none(self) -> None:
        assert messages(image=LazyImageField(upload_to="x")) == []

    def test_no_such_field(self) -> None:
        ((message, hint),) = messages(image=LazyImageField(upload_to="x", placeholder_field="blur"))
        assert message == "placeholder_field names 'blur', which is no CharField of the model."
        assert "blur = models.CharField(max_length=40" in hint

    def test_of_another_kind(self) -> None:
        image = LazyImageField(upload_to="x", placeholder_field="blur")
        ((message, _),) = messages(image=image, blur=models.IntegerField())
        assert "is no CharField" in message

    def test_too_short(self) -> None:
        image = LazyImageField(upload_to="x", placeholder_field="blur")
        ((message, _),) = messages(image=image, blur=models.CharField(max_length=35))
        assert message == (
            "placeholder_field names 'blur', which holds 35 characters; a placeholder has up to 36."
        )

    def test_declared_before_the_image(self) -> None:
        blur = models.CharField(max_length=40)
        image = LazyImageField(upload_to="x", placeholder_field="blur")
        ((message, hint),) = messages(blur=blur, image=image)
        assert "is declared before the image" in message
        assert hint == "Move 'blur' below 'image' in the model."
