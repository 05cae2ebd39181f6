"""docs/api.md can be followed by copying: its modules are an API that works, with a schema that is valid."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
GUIDE = (ROOT / "docs" / "api.md").read_text()
MODULES: dict[str, str] = dict(re.findall(r"```python\n# ([\w/]+\.py)\n(.*?)```", GUIDE, re.DOTALL))
MODEL = re.findall(
    r"```python\n# shop/models\.py\n(.*?)```", (ROOT / "docs" / "testing.md").read_text(), re.DOTALL
)

SETTINGS = """
SECRET_KEY = "x"
ALLOWED_HOSTS = ["testserver"]
INSTALLED_APPS = ["rest_framework", "drf_spectacular", "lazyimages", "shop"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
ROOT_URLCONF = "urls"
REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {"TITLE": "Shop", "VERSION": "1", "COMPONENT_SPLIT_REQUEST": True}
LAZYIMAGES = {
    "PRESETS": {
        "card": {"sizes": "360x270 720x540", "layout": "(min-width: 60rem) 25vw, 50vw"},
        "hero": {"sizes": "1280w"},
        "vast": {"sizes": "1920w"},
    },
    "FORMATS": ["avif"],
}
"""
URLS = """
from django.urls import include, path
from shop.api import ProductList

urlpatterns = [path("products/", ProductList.as_view()), path("images/", include("lazyimages.urls"))]
"""
USE = """
import json, django
django.setup()
from django.core.management import call_command
from django.test import Client
from lazyimages.test import fake_images, image_file
from shop.cards import CardSerializer
from shop.models import Product

call_command("migrate", "--run-syncdb", verbosity=0)
options = ["--validate", "--fail-on-warn", "--format", "openapi-json", "--file", "schema.json"]
call_command("spectacular", *options)
with fake_images():
    made = Client().post("/products/", {"name": "Bowl", "photo": image_file(1600, 1200)})
    bad = image_file()
    bad.file.truncate(10)
    refused = Client().post("/products/", {"name": "Bowl", "photo": bad})
less = Client().get("/products/?image_presets=card&image_formats=avif,original")
wrong = Client().get("/products/?image_presets=vast")
print(json.dumps({
    "made": [made.status_code, made.json()],
    "refused": [refused.status_code, list(refused.json())],
    "less": less.json(),
    "wrong": [wrong.status_code, wrong.json()],
    "card": CardSerializer(Product.objects.get()).data["photo"],
}))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Make the guide's project and use it; returns what came out, and its schema."""
    folder = tmp_path_factory.mktemp("shop")
    files = {
        **MODULES,
        "shop/models.py": MODEL[0],
        "shop/__init__.py": "",
        "settings.py": SETTINGS,
        "urls.py": URLS,
    }
    for name, code in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(code)
    done = subprocess.run(
        [sys.executable, "-c", USE],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{folder}:{ROOT}", "DJANGO_SETTINGS_MODULE": "settings"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout) | {"schema": json.loads((folder / "schema.json").read_text())}


def shape(value: Any) -> Any:
    """Return which names an answer has, at every level."""
    return {name: shape(part) for name, part in value.items()} if isinstance(value, dict) else ()


def test_its_modules() -> None:
    assert list(MODULES) == ["shop/serializers.py", "shop/cards.py", "shop/api.py"]


def test_the_answer_has_the_parts_that_it_shows(project: Any) -> None:
    (shown,) = (json.loads(block) for block in re.findall(r"```json\n(\{\n.*?)```", GUIDE, re.DOTALL))
    (row,) = project["less"]
    assert shape(row["photo"]) == shape(shown)
    assert row["photo"]["presets"]["card"]["sizes"] == shown["presets"]["card"]["sizes"]


def test_what_is_offered(project: Any) -> None:
    status, made = project["made"]
    assert status == 201
    assert list(made["photo"]["presets"]) == ["card", "hero"]
    assert list(project["card"]["presets"]) == ["card"]
    assert project["card"]["background"].startswith("#")


def test_the_errors_that_it_shows(project: Any) -> None:
    assert project["refused"] == [400, ["photo"]]
    assert json.dumps(project["wrong"][1]) in GUIDE
    assert project["wrong"][0] == 400


def test_the_schema(project: Any) -> None:
    schemas = project["schema"]["components"]["schemas"]
    assert schemas["ProductRequest"]["properties"]["photo"] == {"type": "string", "format": "binary"}
    photo = schemas["Product"]["properties"]["photo"]
    assert list(photo["properties"]["presets"]["properties"]) == ["card", "hero"]
    assert set(photo["required"]) == set(photo["properties"])
