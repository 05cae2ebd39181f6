"""Run in an environment that has the wheel and no checkout: `python -P tests/wheel.py dist/X.whl`.

Checks what is in the wheel, and makes a variant with Django, Pillow and the wheel alone.
"""

import sys
import tempfile
import zipfile
from io import BytesIO
from pathlib import Path


def check_contents(wheel: str) -> None:
    """Fail unless all is lazyimages and its metadata."""
    names = zipfile.ZipFile(wheel).namelist()
    roots = {name.split("/")[0] for name in names}
    assert len(roots) == 2, roots
    assert "lazyimages" in roots
    assert "lazyimages/py.typed" in names
    assert "lazyimages/templatetags/lazyimages.py" in names
    assert "lazyimages/management/commands/lazyimages_setup_bucket.py" in names
    for part in ("admin.css", "admin.js", "focal.js"):
        assert f"lazyimages/static/lazyimages/{part}" in names
    assert "lazyimages/templates/lazyimages/admin/image_input.html" in names
    assert "lazyimages/templates/lazyimages/report.html" in names
    assert "lazyimages/locale/ro/LC_MESSAGES/django.mo" in names


def check_use() -> None:
    """Make a variant as a new project would, without boto3 and Jinja2."""
    import django
    from django.conf import settings

    folder = Path(tempfile.mkdtemp())
    files = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": folder}}
    settings.configure(
        INSTALLED_APPS=["lazyimages"],
        ROOT_URLCONF="project_urls",
        ALLOWED_HOSTS=["testserver"],
        STORAGES={"default": files},
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
        LAZYIMAGES={"SIZES": ["360x270"]},
    )
    from types import ModuleType

    from django.urls import include, path

    urls = ModuleType("project_urls")
    urls.urlpatterns = [path("images/", include("lazyimages.urls"))]  # type: ignore[attr-defined]
    sys.modules["project_urls"] = urls
    django.setup()

    from django.core.management import call_command
    from django.template import engines
    from django.test import Client
    from PIL import Image

    import lazyimages

    assert "boto3" not in sys.modules
    assert Path(lazyimages.__file__).is_relative_to(sys.prefix)
    call_command("check", fail_level="WARNING")
    picture = BytesIO()
    Image.new("RGB", (800, 600), "teal").save(picture, "JPEG")
    (folder / "a.jpg").write_bytes(picture.getvalue())
    template = engines["django"].from_string("{% load lazyimages %}{% image_url name '360x270' %}")
    url = template.render({"name": "a.jpg"})
    answer = Client().get(url)
    assert answer.status_code == 200, answer.content
    assert Image.open(BytesIO(answer.content)).size == (360, 270)


if __name__ == "__main__":
    check_contents(sys.argv[1])
    check_use()
    print("The wheel is good.")
