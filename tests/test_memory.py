"""Memory of one process, measured from outside: many large originals at the same moment."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
THREADS = 8
MOST = 600  # MiB

PROGRAM = """
import sys
sys.modules.update(dict.fromkeys({blocked}))
from concurrent.futures import ThreadPoolExecutor
import django
from django.conf import settings
settings.configure(
    MEDIA_ROOT=sys.argv[1],
    STORAGES={{"default": {{"BACKEND": "django.core.files.storage.FileSystemStorage"}}}},
    LAZYIMAGES={{"SIZES": ["1280w"], "MAX_RENDERS": {renders}, "RENDER_WAIT": 300, "VARIANTS": "default"}},
    INSTALLED_APPS=["lazyimages"],
)
django.setup()
from lazyimages import keys, render
wanted = [keys.parse(f"1280w/{{number}}.png") for number in range({threads})]
with ThreadPoolExecutor({threads}) as pool:
    made = list(pool.map(render.get_or_make, wanted))
assert all(variant.how is render.How.MADE for variant in made)
(peak,) = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(int(peak.split()[1]) // 1024)
"""


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight PNGs of 48 megapixels, 144 MB each when decoded, 192 in Pillow's memory."""
    folder = tmp_path_factory.mktemp("originals")
    tile = Image.merge("RGB", [Image.effect_noise((504, 432), sigma) for sigma in (20, 40, 60)])
    sheet = Image.new("RGB", (8064, 6048))
    for left in range(0, sheet.width, tile.width):
        for top in range(0, sheet.height, tile.height):
            sheet.paste(tile.resize((63, 54)).resize(tile.size), (left, top))
    sheet.save(folder / "0.png", compress_level=1)
    assert 1_000_000 < (folder / "0.png").stat().st_size < 40 * 2**20
    for number in range(1, THREADS):
        (folder / f"{number}.png").hardlink_to(folder / "0.png")
    return folder


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("renders", [2, 8])
@pytest.mark.parametrize("blocked", [["pyvips"], []], ids=["Pillow alone", "all extras"])
def test_eight_large_pngs_at_once(originals: Path, blocked: list[str], renders: int) -> None:
    program = textwrap.dedent(PROGRAM).format(blocked=blocked, renders=renders, threads=THREADS)
    done = subprocess.run(
        [sys.executable, "-c", program, str(originals)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    for variant in originals.glob("1280w/*"):
        variant.unlink()
    assert int(done.stdout) < MOST, "MiB"
