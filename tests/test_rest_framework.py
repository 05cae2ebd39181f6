"""The serializer field: variants on the way out, checked uploads on the way in, and its OpenAPI schema."""

import json
import logging
import re
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.urls import include, path
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import patched_settings
from drf_spectacular.validation import validate_schema
from PIL import Image
from rest_framework import generics, serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import BrowsableAPIRenderer

from lazyimages.contrib.rest_framework import LazyImageField, LazyImageSerializerMixin
from lazyimages.contrib.spectacular import image_parameters
from lazyimages.test import image_values
from tests.conftest import CDN, jpeg, upload
from tests.host.caches import CountingCache
from tests.host.engines import CountingEngine
from tests.host.models import Bare, Blurred, Photo, PlainPhoto

PRESETS = {
    "card": {"sizes": "360x270 720x540", "layout": "(min-width: 60rem) 25vw, 50vw"},
    "hero": {
        "sizes": "1280w 640w",
        "layout": "100vw",
        "sources": [{"media": "(max-width: 40rem)", "sizes": "480x600 960x1200", "layout": "90vw"}],
    },
}
NAME = "produs_1/bowl.AZ70KuRzw9.f3020.jpg"


class PhotoSerializer(LazyImageSerializerMixin, serializers.ModelSerializer):
    class Meta:
        model = Photo
        fields = ["id", "image"]


class RenamedField(LazyImageField):
    presets_parameter = "pictures"


class NarrowSerializer(serializers.ModelSerializer):
    image = RenamedField(presets=["card"], formats=["avif", "original"], background=True, read_only=True)

    class Meta:
        model = Photo
        fields = ["image"]


class Photos(generics.ListCreateAPIView):
    queryset = Photo.objects.order_by("pk")
    serializer_class = PhotoSerializer
    parser_classes = [MultiPartParser]
    pagination_class = None


class OnePhoto(generics.RetrieveUpdateAPIView):
    queryset = Photo.objects.all()
    serializer_class = PhotoSerializer
    parser_classes = [MultiPartParser]


class BrowsablePhoto(OnePhoto):
    renderer_classes = [BrowsableAPIRenderer]


class NarrowPhotos(generics.ListAPIView):
    queryset = Photo.objects.order_by("pk")
    serializer_class = NarrowSerializer
    pagination_class = None


urlpatterns = [
    path("photos/", Photos.as_view()),
    path("photos/<int:pk>/", OnePhoto.as_view()),
    path("browsable/<int:pk>/", BrowsablePhoto.as_view()),
    path("narrow/", NarrowPhotos.as_view()),
    path("images/", include("lazyimages.urls")),
]


@pytest.fixture(autouse=True)
def _api(settings: Any, lazy: Callable[..., None]) -> None:
    settings.ROOT_URLCONF = __name__
    lazy(FORMATS=["avif", "webp"], PRESETS=PRESETS)


@pytest.fixture
def shown() -> Callable[..., Any]:
    """Read from the API: `shown("/photos/", "image_presets=card")`."""

    def get(where: str = "/photos/", query: str = "", *, status: int = 200) -> Any:
        response = Client().get(f"{where}?{query}")
        assert response.status_code == status, response.content
        return response.json()

    return get


def stored(width: int = 1600, height: int = 1200, name: str = NAME) -> Photo:
    """Return a row whose file is nowhere."""
    return Photo.objects.create(**image_values(Photo.image, width, height, name=name))


def url(size: str, extension: str = "") -> str:
    return f"{CDN}/produs_1/{size}/bowl.AZ70KuRzw9.f3020.jpg{extension}"


def srcset(extension: str, **sizes: int) -> str:
    return ", ".join(f"{url(size.strip('_'), extension)} {width}w" for size, width in sizes.items())


@pytest.mark.django_db
class TestReading:
    def test_all_of_it(self, delivery: Callable[..., None], shown: Callable[..., Any]) -> None:
        delivery("redirect")
        photo = stored()
        card = {"_360x270": 360, "_720x540": 720}
        hero = {"_1280w": 1280, "_640w": 640}
        phone = {"_480x600": 480, "_960x1200": 960}
        formats = {"avif": ".avif", "webp": ".webp", "jpeg": ""}
        assert shown() == [
            {
                "id": photo.pk,
                "image": {
                    "url": url("360x270"),
                    "width": 360,
                    "height": 270,
                    "focal": [30, 20],
                    "placeholder": "",
                    "presets": {
                        "card": {
                            "url": url("360x270"),
                            "width": 360,
                            "height": 270,
                            "sizes": "(min-width: 60rem) 25vw, 50vw",
                            "srcset": {name: srcset(end, **card) for name, end in formats.items()},
                            "sources": [],
                        },
                        "hero": {
                            "url": url("1280w"),
                            "width": 1280,
                            "height": 960,
                            "sizes": "100vw",
                            "srcset": {name: srcset(end, **hero) for name, end in formats.items()},
                            "sources": [
                                {
                                    "media": "(max-width: 40rem)",
                                    "width": 480,
                                    "height": 600,
                                    "sizes": "90vw",
                                    "srcset": {name: srcset(end, **phone) for name, end in formats.items()},
                                }
                            ],
                        },
                    },
                },
            }
        ]

    def test_local_urls_have_the_requests_host(self, shown: Callable[..., Any]) -> None:
        stored()
        text = json.dumps(shown())
        assert re.findall(r'["\s](/images[^ "]+)', text) == []
        (card,) = [row["image"]["presets"]["card"] for row in shown()]
        assert card["url"] == "http://testserver/images/v/produs_1/360x270/bowl.AZ70KuRzw9.f3020.jpg"
        assert card["srcset"]["webp"].count("http://testserver/images/v/") == 2

    def test_every_url_in_it_is_served_and_never_the_original(self, shown: Callable[..., Any]) -> None:
        photo = Photo.objects.create(image=upload())
        text = json.dumps(shown())
        assert f'/{photo.image.name}"' not in text
        urls = set(re.findall(r'http://testserver(/images/v/[^ "]+)', text))
        assert len(urls) == 18
        for address in sorted(urls)[:4]:
            response = Client().get(address)
            assert response.status_code == 200
            width = int(re.search(r"/([0-9]+)[xw]", address)[1])  # type: ignore[index]
            assert Image.open(BytesIO(response.content)).width == width

    def test_small_originals_are_described_as_they_will_be_served(self, shown: Callable[..., Any]) -> None:
        stored(300, 200)
        (row,) = shown(query="image_presets=card&image_formats=original")
        image = row["image"]
        assert (image["width"], image["height"]) == (267, 200)
        assert image["presets"]["card"]["srcset"]["jpeg"].endswith(" 267w")
        assert ", " not in image["presets"]["card"]["srcset"]["jpeg"]

    def test_an_empty_field_is_null(self, shown: Callable[..., Any]) -> None:
        Photo.objects.create()
        assert [row["image"] for row in shown()] == [None]

    def test_a_name_that_can_have_no_variants_is_null_and_logged(
        self, shown: Callable[..., Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        stored(name="a.jpg.webp")
        with caplog.at_level(logging.WARNING, "lazyimages"):
            assert [row["image"] for row in shown()] == [None]
        assert "no variants: " in caplog.text

    def test_rows_without_dimensions(self, lazy: Callable[..., None]) -> None:
        lazy(PRESETS={"tall": {"sizes": "480h 360x270"}})
        image = LazyImageField().to_representation(Bare(image="a.png").image)
        assert image is not None
        assert image["url"].endswith("/480h/a.png")
        assert (image["width"], image["height"]) == (None, None)
        assert image["presets"]["tall"]["srcset"]["png"] == "/images/v/360x270/a.png 360w"

    def test_djangos_own_field_and_a_plain_name(self) -> None:
        for value in (PlainPhoto(image="a.tiff").image, "a.tiff"):
            image = LazyImageField(presets=["card"]).to_representation(value)
            assert image is not None
            assert image["url"].endswith("/360x270/a.tiff.jpg")
            assert list(image["presets"]["card"]["srcset"]) == ["avif", "webp", "jpeg"]

    def test_a_native_format_that_is_offered_anyway_is_there_once(self) -> None:
        image = LazyImageField().to_representation("a.webp")
        assert image is not None
        assert list(image["presets"]["card"]["srcset"]) == ["avif", "webp"]

    def test_without_presets_there_are_the_sizes(self, lazy: Callable[..., None]) -> None:
        lazy(PRESETS={}, SIZES=["360x270", "480h"])
        image = LazyImageField().to_representation("a.jpg")
        assert image is not None
        assert list(image["presets"]) == ["360x270", "480h"]

    def test_sizes_in_place_of_a_preset(self) -> None:
        image = LazyImageField(presets=["360x270 1280w"]).to_representation("a.jpg")
        assert image is not None
        assert image["presets"]["360x270 1280w"]["srcset"]["jpeg"].endswith("1280w/a.jpg 1280w")

    def test_the_placeholder(self) -> None:
        row = Blurred.objects.create(image=upload())
        row.image.move_focal(30, 20)
        assert row.placeholder
        narrow = NarrowSerializer(row).data["image"]
        assert narrow["placeholder"] == row.placeholder
        assert narrow["background"].startswith("#")
        assert narrow["background"].endswith(" 30% 20%/cover no-repeat")
        wide = PhotoSerializer(row).data["image"]
        assert wide["placeholder"] == row.placeholder
        assert "background" not in wide


@pytest.mark.django_db
class TestAskingForLess:
    def test_by_argument(self, shown: Callable[..., Any]) -> None:
        stored()
        (row,) = shown("/narrow/")
        assert list(row["image"]["presets"]) == ["card"]
        assert list(row["image"]["presets"]["card"]["srcset"]) == ["avif", "jpeg"]

    def test_by_query(self, shown: Callable[..., Any]) -> None:
        stored()
        (row,) = shown(query="image_presets=hero&image_formats=webp")
        assert list(row["image"]["presets"]) == ["hero"]
        assert "/1280w/" in row["image"]["url"]
        assert list(row["image"]["presets"]["hero"]["srcset"]) == ["webp"]
        (row,) = shown(query="image_presets=hero,card,hero")
        assert list(row["image"]["presets"]) == ["hero", "card"]

    @pytest.mark.parametrize(
        ("where", "query", "error"),
        [
            ("/photos/", "image_presets=vast", {"image_presets": ["'vast' is not one of: card, hero."]}),
            ("/photos/", "image_presets=1280w", {"image_presets": ["'1280w' is not one of: card, hero."]}),
            ("/photos/", "image_presets=", {"image_presets": ["'' is not one of: card, hero."]}),
            ("/photos/", "image_presets=card%20", {"image_presets": ["'card ' is not one of: card, hero."]}),
            (
                "/photos/",
                "image_formats=gif",
                {"image_formats": ["'gif' is not one of: avif, webp, original."]},
            ),
            ("/narrow/", "pictures=hero", {"pictures": ["'hero' is not one of: card."]}),
            ("/narrow/", "image_formats=webp", {"image_formats": ["'webp' is not one of: avif, original."]}),
        ],
    )
    def test_what_is_not_offered_is_400(
        self, shown: Callable[..., Any], where: str, query: str, error: Any
    ) -> None:
        stored()
        assert shown(where, query, status=400) == error

    def test_only_where_nothing_has_been_done_yet(self) -> None:
        response = Client().post("/photos/?image_presets=vast", {"image": upload()})
        assert response.status_code == 201
        assert list(response.json()["image"]["presets"]) == ["card", "hero"]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"presets": ["vast"]}, "'vast' is neither a size nor a preset. Allowed sizes: 360x270"),
            ({"presets": ["33w"]}, "The size '33w' is not in LAZYIMAGES"),
            ({"formats": ["gif"]}, "'gif' is not one; choose from avif, webp, original"),
        ],
    )
    def test_mistakes_in_arguments_name_the_choices(self, arguments: Any, message: str) -> None:
        with pytest.raises(ImproperlyConfigured, match=re.escape(message)):
            LazyImageField(**arguments).to_representation("a.jpg")

    def test_arguments_that_say_nothing(self, lazy: Callable[..., None]) -> None:
        with pytest.raises(TypeError, match=r"presets are a list: presets=\['card'\]"):
            LazyImageField(presets="card")
        with pytest.raises(ValueError, match="formats are empty"):
            LazyImageField(formats=[])
        lazy(PRESETS={}, SIZES=[])
        with pytest.raises(ImproperlyConfigured, match="needs a size"):
            LazyImageField().to_representation("a.jpg")


@pytest.mark.django_db
class TestWriting:
    def test_an_upload_comes_back_as_variants(self) -> None:
        response = Client().post(
            "/photos/", {"image": upload(jpeg(1600, 1200, orientation=6), "My bowl.JPG")}
        )
        assert response.status_code == 201, response.content
        photo = Photo.objects.get()
        assert (photo.width, photo.height) == (1200, 1600)
        image = response.json()["image"]
        assert image["presets"]["hero"]["height"] == 1600
        assert photo.image.name.rpartition("/")[2] in image["url"]

    def test_it_is_decoded_once(self, lazy: Callable[..., None]) -> None:
        lazy(ENGINE="tests.host.engines.CountingEngine")
        CountingEngine.renders = 0
        assert Client().post("/photos/", {"image": upload()}).status_code == 201
        assert CountingEngine.renders == 1

    @pytest.mark.parametrize(
        ("file", "error"),
        [
            (upload(b"Dear diary", "a.jpg"), "JPEG, PNG"),
            (upload(jpeg()[:5000]), "ends too early"),
            (upload(name="a.jpg.webp"), "ends in two image extensions"),
        ],
    )
    def test_errors_are_those_of_the_form(self, file: Any, error: str) -> None:
        response = Client().post("/photos/", {"image": file})
        assert response.status_code == 400
        (message,) = response.json()["image"]
        assert re.search(error, message), message
        assert Photo.objects.count() == 0

    def test_errors_of_rest_framework(self) -> None:
        response = Client().post("/photos/", {"image": "a.jpg"})
        assert response.json() == {
            "image": ["The submitted data was not a file. Check the encoding type on the form."]
        }
        assert Client().post("/photos/", {"image": upload(b"")}).json() == {
            "image": ["The submitted file is empty."]
        }

    def test_the_name_may_be_as_long_as_the_client_likes(self) -> None:
        assert Client().post("/photos/", {"image": upload(name=f"{'a' * 180}.jpg")}).status_code == 201

    def test_in_the_browsable_api(self) -> None:
        photo = Photo.objects.create(image=upload())
        page = Client().get(f"/browsable/{photo.pk}/").content.decode()
        assert re.search('<input name="image" +type="file"', page)
        assert f"/360x270/{photo.image.name.rpartition('/')[2]}" in page
        again = Client().put(f"/browsable/{photo.pk}/", b"", content_type="multipart/form-data; boundary=x")
        assert again.status_code == 200

    def test_a_change_of_another_part_keeps_the_image(self) -> None:
        photo = stored()
        response = Client().patch(f"/photos/{photo.pk}/", b"", content_type="multipart/form-data; boundary=x")
        assert response.status_code == 200
        photo.refresh_from_db()
        assert photo.image.name == NAME


@pytest.mark.django_db
class TestIO:
    """Rule 3.1: serializing asks no storage and no cache, and no more of the database than the list."""

    def test_24_rows(self, settings: Any, django_assert_num_queries: Any, shown: Callable[..., Any]) -> None:
        for number in range(24):
            stored(name=f"produs_1/bowl-{number}.jpg")
        nothing = {"BACKEND": "tests.host.closed.Closed"}
        settings.STORAGES = {**settings.STORAGES, "default": nothing, "lazyimages": nothing}
        settings.CACHES = {"default": {"BACKEND": "tests.host.caches.CountingCache"}}
        CountingCache.operations.clear()
        with django_assert_num_queries(1):
            rows = shown()
        assert len(rows) == 24
        assert len({row["image"]["url"] for row in rows}) == 24
        assert CountingCache.operations == []


class TestSchema:
    def schema(self) -> Any:
        made = SchemaGenerator(patterns=urlpatterns).get_schema(request=None, public=True)
        validate_schema(made)
        return made

    def test_a_reader_finds_what_it_gets(self) -> None:
        made = self.schema()
        image = made["components"]["schemas"]["Photo"]["properties"]["image"]
        assert image["required"] == ["url", "width", "height", "focal", "placeholder", "presets"]
        assert image["nullable"] is True
        assert list(image["properties"]["presets"]["properties"]) == ["card", "hero"]
        narrow = made["components"]["schemas"]["Narrow"]["properties"]["image"]
        assert list(narrow["properties"]["presets"]["properties"]) == ["card"]
        assert "background" in narrow["properties"]
        preset = made["components"]["schemas"]["LazyImagePreset"]
        assert preset["required"] == ["url", "width", "height", "sizes", "srcset", "sources"]

    @pytest.mark.django_db
    def test_answers_are_as_it_says(self, shown: Callable[..., Any]) -> None:
        made = self.schema()
        Photo.objects.create()
        stored()
        text = json.dumps(made["components"]).replace("#/components/schemas/", "#/$defs/")
        components = json.loads(text)["schemas"]
        for where, name in (("/photos/", "Photo"), ("/narrow/", "Narrow")):
            schema = _as_json_schema({**components[name], "$defs": components})
            for row in shown(where):
                jsonschema.validate(row, schema, jsonschema.Draft202012Validator)

    def test_uploads_are_files(self) -> None:
        with patched_settings({"COMPONENT_SPLIT_REQUEST": True}):
            image = self.schema()["components"]["schemas"]["PhotoRequest"]["properties"]["image"]
        assert image == {"type": "string", "format": "binary"}

    def test_openapi_3_1(self) -> None:
        with patched_settings({"OAS_VERSION": "3.1.1"}):
            image = self.schema()["components"]["schemas"]["Photo"]["properties"]["image"]
        assert image["type"] == ["object", "null"]
        assert image["properties"]["width"]["type"] == ["integer", "null"]

    def test_parameters(self) -> None:
        presets, formats = image_parameters(presets=["card"])
        assert (presets.name, formats.name) == ("image_presets", "image_formats")
        assert presets.type["items"]["enum"] == ["card"]
        assert "enum" not in formats.type["items"]


def _as_json_schema(schema: Any) -> Any:
    """Return OpenAPI 3.0's `nullable` as JSON Schema has it, and nothing allowed that is not described."""
    if isinstance(schema, list):
        return [_as_json_schema(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _as_json_schema(value) for name, value in schema.items()}
    if found.pop("nullable", False) is True:
        found["type"] = [found["type"], "null"]
    if isinstance(found.get("properties"), dict) and "type" in found:
        found.setdefault("additionalProperties", False)
    return found


def test_it_works_without_drf_spectacular(tmp_path: Path) -> None:
    code = """
import sys
sys.modules["drf_spectacular"] = None
from django.conf import settings
import django
settings.configure(LAZYIMAGES={"SIZES": ["360x270"]}, INSTALLED_APPS=["lazyimages"], ROOT_URLCONF="urls")
django.setup()
from lazyimages.contrib.rest_framework import LazyImageField
print(LazyImageField().to_representation("a.jpg")["width"])
"""
    (tmp_path / "urls.py").write_text(
        "from django.urls import include, path\nurlpatterns = [path('', include('lazyimages.urls'))]\n"
    )
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": f"{tmp_path}:{root}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "360\n", done.stderr
