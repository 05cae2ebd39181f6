"""One original asked for in every size and format at the same moment."""

import itertools
import json
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from tests.engine import pictures
from tests.security.conftest import saved

ROOT = Path(__file__).resolve().parents[2]
SIZES = ["96x96", "192x192", "360x270", "480h", "640w", "960w", "1280w"]
FORMATS = ["webp", "avif"]
MOST = 400  # MiB, of which the process itself needs about 100

PROGRAM = """
import json, sys, threading
from concurrent.futures import ThreadPoolExecutor
import django
from django.conf import settings
keys = json.loads(sys.argv[2])
settings.configure(
    MEDIA_ROOT=sys.argv[1],
    ROOT_URLCONF="lazyimages.urls",
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["lazyimages"],
    STORAGES={"default": {"BACKEND": "django.core.files.storage.FileSystemStorage"}},
    LAZYIMAGES={
        "SIZES": json.loads(sys.argv[3]),
        "FORMATS": json.loads(sys.argv[4]),
        "VARIANTS": "default",
        "MAX_RENDERS": 2,
        "RENDER_WAIT": 300,
        "ENGINE": "tests.security.crowd.CrowdedEngine",
    },
    SECRET_KEY="x",
)
django.setup()
from django.test import Client
from tests.security.crowd import CrowdedEngine
start = threading.Barrier(len(keys))
def ask(key):
    start.wait(300)
    return Client(raise_request_exception=False).get(f"/v/{key}").status_code
with ThreadPoolExecutor(len(keys)) as pool:
    statuses = list(pool.map(ask, keys))
(line,) = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(json.dumps([statuses, CrowdedEngine.renders, CrowdedEngine.most, int(line.split()[1]) // 1024]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_every_size_and_format_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each three times: made once each, two at a time, and nothing beside what the whitelist names."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "n.jpg").write_bytes(saved(pictures.photo(2000, 1500), "JPEG", quality=90))
    allowed = [
        f"a/{size}/n.jpg{suffix}"
        for size, suffix in itertools.product(SIZES, ["", *(f".{name}" for name in FORMATS)])
    ]
    others = [
        "a/97x96/n.jpg",
        "a/480h/n.jpg.png",
        "a/480h/n.jpg.gif",
        "a/480h/n.jpg.jpg",
        "a/481h/n.jpg.webp",
    ]
    asked = [*allowed * 3, *others]
    done = subprocess.run(
        [
            *(sys.executable, "-c", PROGRAM, str(tmp_path), json.dumps(asked)),
            *(json.dumps(SIZES), json.dumps(FORMATS)),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    statuses, renders, most, memory = json.loads(done.stdout.splitlines()[-1])
    with capsys.disabled():
        print(f"\n{len(asked)} at once: {renders} renders, {most} at the same time, {memory} MiB")
    assert statuses == [200] * len(allowed) * 3 + [404] * len(others)
    assert renders == len(allowed) == 21
    assert most <= 2
    assert memory < MOST
    made = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert made == sorted(["a/n.jpg", *allowed])
    for key in allowed:
        with Image.open(BytesIO((tmp_path / key).read_bytes())) as picture:
            assert max(picture.size) <= 1280
