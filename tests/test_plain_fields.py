"""Django's own ImageField in the tags, as in a project that has only just installed lazyimages."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.template import engines
from django.test import Client
from PIL import Image

from tests.conftest import jpeg
from tests.host.models import MeasuredPhoto, PlainPhoto

PRESETS = {
    "hero": {
        "sizes": "1280w 640w 480h",
        "layout": "100vw",
        "sources": [{"media": "(max-width: 40rem)", "sizes": "480x600", "layout": "90vw"}],
    }
}
BASE = "/images/v/plain"
# The rows of neither model hold the dimensions that are served: Django takes them before EXIF orientation.
# So 480h, whose width would be a guess, is left out.
TAGS = {
    '{% srcset photo.image "360x270 480h 1280w" %}': (
        f"{BASE}/360x270/bowl.jpg 360w, {BASE}/1280w/bowl.jpg 1280w"
    ),
    '{% image_url photo.image "480h" %}': f"{BASE}/480h/bowl.jpg",
    '{% img photo.image "360x270" alt="Bowl" %}': (
        f'<img src="{BASE}/360x270/bowl.jpg" width="360" height="270" '
        'loading="lazy" decoding="async" alt="Bowl">'
    ),
    '{% picture photo.image "hero" alt="Bowl" %}': (
        '<picture><source media="(max-width: 40rem)" type="image/webp" '
        f'srcset="{BASE}/480x600/bowl.jpg.webp 480w" sizes="90vw" width="480" height="600">'
        f'<source media="(max-width: 40rem)" srcset="{BASE}/480x600/bowl.jpg 480w" sizes="90vw" '
        'width="480" height="600">'
        f'<source type="image/webp" '
        f'srcset="{BASE}/1280w/bowl.jpg.webp 1280w, {BASE}/640w/bowl.jpg.webp 640w" '
        'sizes="100vw">'
        f'<img src="{BASE}/1280w/bowl.jpg" srcset="{BASE}/1280w/bowl.jpg 1280w, {BASE}/640w/bowl.jpg 640w" '
        'sizes="100vw" loading="lazy" decoding="async" alt="Bowl"></picture>'
    ),
    '{% preload photo.image "hero" img=True %}': (
        '<link rel="preload" as="image" '
        f'imagesrcset="{BASE}/1280w/bowl.jpg 1280w, {BASE}/640w/bowl.jpg 640w" imagesizes="100vw" '
        'fetchpriority="high">'
    ),
}


@pytest.fixture(params=["plain files", "s3"])
def where(request: pytest.FixtureRequest, lazy: Callable[..., None]) -> str:
    """Keep originals on this machine or on S3."""
    lazy(FORMATS=["webp"], PRESETS=PRESETS)
    if request.param == "s3":
        request.getfixturevalue("s3")
    return str(request.param)


@pytest.fixture(params=[PlainPhoto, MeasuredPhoto])
def photo(request: pytest.FixtureRequest, where: str, db: None) -> Any:
    """Return a row as it comes from the database; the file was stored by Django's own field."""
    # Stored lying on its side, and without Django's renaming, which has a random part.
    stored = request.param(image=SimpleUploadedFile("bowl.jpg", jpeg(1600, 1200, orientation=6)))
    stored.save()
    assert stored.image.name == "plain/bowl.jpg"
    return request.param.objects.get(pk=stored.pk)


def drawn(tag: str, photo: Any) -> str:
    return str(engines["django"].from_string(f"{{% load lazyimages %}}{tag}").render({"photo": photo}))


def test_what_the_tags_print(photo: Any) -> None:
    assert {tag: drawn(tag, photo) for tag in TAGS} == TAGS


def test_without_any_io(
    photo: Any, settings: Any, s3_calls: list[str], django_assert_num_queries: Any
) -> None:
    nothing = {"BACKEND": "tests.host.closed.Closed"}
    settings.STORAGES = {**settings.STORAGES, "default": nothing, "lazyimages": nothing}
    with django_assert_num_queries(0):
        for tag in TAGS:
            drawn(tag, photo)
    assert s3_calls == []


def test_the_variants_are_made_upright(photo: Any) -> None:
    for size, expected in (("360x270", (360, 270)), ("480h", (360, 480)), ("1280w", (1200, 1600))):
        response = Client().get(drawn(f'{{% image_url photo.image "{size}" %}}', photo))
        assert response.status_code == 200
        assert Image.open(BytesIO(response.content)).size == expected
    assert storages["lazyimages"].exists("plain/360x270/bowl.jpg")


@pytest.mark.django_db
@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize("model", [PlainPhoto, MeasuredPhoto])
def test_an_empty_field_prints_nothing(model: Any, tag: str, lazy: Callable[..., None]) -> None:
    lazy(FORMATS=["webp"], PRESETS=PRESETS)
    assert drawn(tag, model()) == ""
