"""The README can be followed by copying: its ten lines, pasted into a new project, make variants."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()

USE = """
from io import BytesIO
from django.core.files.uploadedfile import SimpleUploadedFile
from django.template import engines
from django.test import Client
from PIL import Image
from shop.models import Product

buffer = BytesIO()
Image.new("RGB", (1600, 1200), "teal").save(buffer, "JPEG")
product = Product.objects.create(name="Bowl", photo=SimpleUploadedFile("a.jpg", buffer.getvalue()))
html = engines["django"].from_string(open("template.html").read()).render({"product": product})
urls = [entry.split(" ")[0] for entry in html.split('srcset="')[1].split('"')[0].split(", ")]
for url in urls:
    answer = Client(headers={"host": "localhost"}).get(url)
    print(answer.status_code, Image.open(BytesIO(answer.content)).size)
"""


def blocks(section: str, language: str) -> list[str]:
    """Return the README's code blocks of a section."""
    text = README.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Make a project with one app and one model, as a stranger has it."""
    run(tmp_path, "-m", "django", "startproject", "site1", ".")
    run(tmp_path, "manage.py", "startapp", "shop")
    (tmp_path / "shop" / "models.py").write_text(
        "from django.db import models\n\n\nclass Product(models.Model):\n    name = models.TextField()\n"
    )
    append(
        tmp_path / "site1" / "settings.py", 'INSTALLED_APPS += ["shop"]\nMEDIA_ROOT = BASE_DIR / "media"\n'
    )
    run(tmp_path, "manage.py", "makemigrations", "shop")
    run(tmp_path, "manage.py", "migrate", "--verbosity=0")
    run(
        tmp_path,
        "manage.py",
        "shell",
        "-c",
        "from shop.models import Product; Product.objects.create(name='x')",
    )
    return tmp_path


def run(folder: Path, *arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    result = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


def test_ten_lines(project: Path) -> None:
    """Also in a project that has rows already."""
    python = blocks("Add it to a project", "python")[0]
    _, settings, urls, models = re.split(r"# (?:settings\.py|urls\.py|models\.py, in a model)\n", python)
    lines = [line for line in (settings + urls + models).splitlines() if line.strip()]
    assert len(lines) + 2 == 10, "and two of template"
    append(project / "site1" / "settings.py", settings)
    append(project / "site1" / "urls.py", urls)
    imports, *fields = models.strip().splitlines()
    append(project / "shop" / "models.py", "".join(f"    {line}\n" for line in fields))
    path = project / "shop" / "models.py"
    path.write_text(f"{imports}\n{path.read_text()}")
    (project / "template.html").write_text(blocks("Add it to a project", "django")[0])
    run(project, "manage.py", "makemigrations")
    run(project, "manage.py", "migrate")
    assert "no issues" in run(project, "manage.py", "check")
    answers = run(project, "manage.py", "shell", "-c", USE).splitlines()[-3:]
    assert answers == ["200 (360, 270)", "200 (640, 480)", "200 (1280, 960)"]


def test_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", README) + re.findall(r'src="(docs/[^"]+)"', README)
    for target in targets:
        assert target.startswith("https://") or (ROOT / target).exists(), target
