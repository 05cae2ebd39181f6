"""docs/engines.md can be followed by copying: its modules are engines that work behind the resizer."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.module_loading import import_string
from PIL import Image

from lazyimages import current, exceptions, formats, sizes, uploads
from lazyimages.checks import check_settings
from lazyimages.engines import streamed
from lazyimages.engines.base import Engine, Job, Limits, Rendered
from lazyimages.engines.pillow import PillowEngine
from tests.engine import pictures, profiles

ROOT = Path(__file__).resolve().parents[1]
GUIDE = (ROOT / "docs" / "engines.md").read_text()
MODULES: dict[str, str] = dict(re.findall(r"```python\n# (shop/\w+\.py)\n(.*?)```", GUIDE, re.DOTALL))
OWN, WATERMARKED = "shop.engine.ShopEngine", "shop.watermark.Watermarked"
LIMITS = Limits(max_pixels=100_000_000, max_bytes=40 * 2**20)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Copy the guide's modules into a package, as a reader does; returns the folder that it is in."""
    folder = tmp_path / "project"
    (folder / "shop").mkdir(parents=True)
    for name, code in MODULES.items():
        (folder / name).write_text(code)
    monkeypatch.syspath_prepend(folder)
    yield folder
    current._load.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
        del sys.modules[name]


@pytest.fixture
def ask(shop: Path, lazy: Callable[..., None]) -> Callable[..., Any]:
    """Return a client of the resizer: `ask(engine, data, "360x270", "bowl.jpg", FORMATS=["webp"])`."""

    def get(
        engine: str, data: bytes, size: str, file: str = "bowl.jpg", suffix: str = "", **parts: Any
    ) -> Any:
        lazy(ENGINE=engine, SIZES=["360x270", "480h", "1280w"], **parts)
        name = storages["default"].save(file, ContentFile(data))
        return Client().get(f"/images/v/{size}/{name}{suffix}")

    return get


def job_for(engine: Engine, data: bytes, size: str, format: str, **options: Any) -> Job:
    probe = engine.probe(data, limits=LIMITS)
    plan = sizes.parse(size).plan(probe.width, probe.height)
    return Job(
        plan=plan,
        format=formats.BY_NAME[format],
        **{"quality": None, "background": "#ffffff", "animation": "keep", **options},
    )


def lossless(data: bytes, size: str, **options: Any) -> Image.Image:
    """Return what the default engine makes, before any compression."""
    engine = PillowEngine()
    (made,) = engine.render(data, [job_for(engine, data, size, "png", **options)], limits=LIMITS)
    return pictures.opened(made.data)


def turned(orientation: int) -> dict[str, Any]:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return {"exif": exif}


def transparent() -> Image.Image:
    drawn = pictures.photo(900, 700).convert("RGBA")
    drawn.putalpha(Image.linear_gradient("L").resize(drawn.size))
    return drawn


PHOTO = pictures.photo(2003, 1502)
JPEGS = {
    "plain": pictures.saved(PHOTO, "JPEG", quality=92),
    "progressive": pictures.saved(PHOTO, "JPEG", quality=92, progressive=True),
    "grey": pictures.saved(PHOTO.convert("L"), "JPEG", quality=92),
    "display-p3": pictures.saved(PHOTO, "JPEG", quality=92, icc_profile=profiles.matrix(profiles.DISPLAY_P3)),
    "bad-profile": pictures.saved(PHOTO, "JPEG", quality=92, icc_profile=b"no profile"),
    "bad-exif": pictures.saved(PHOTO, "JPEG", quality=92, exif=b"Exif\0\0MM\0*\xff\xff\xff\xff"),
    "small": pictures.saved(pictures.photo(70, 50, noise=0), "JPEG", quality=92),
    "one-pixel": pictures.saved(pictures.photo(1, 1), "JPEG", quality=92),
    **{
        f"orientation-{number}": pictures.saved(PHOTO, "JPEG", quality=92, **turned(number))
        for number in range(2, 9)
    },
}


def test_the_guide_has_its_modules() -> None:
    assert list(MODULES) == ["shop/engine.py", "shop/test_engine.py", "shop/watermark.py"]
    assert all(len(line) <= 110 for code in MODULES.values() for line in code.splitlines())


def test_what_it_says_is_for_libvips_is() -> None:
    text = " ".join(GUIDE.split("## What an engine has to do")[0].split())
    least = [int(number) * 1_000_000 for number in re.findall(r"([0-9]+) MB", text)]
    assert least == [streamed._LEAST_PNG_BYTES, streamed._LEAST_WEBP_BYTES, streamed._LEAST_JPEG_BYTES]


def test_its_own_tests_pass(shop: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:django", "shop"],
        cwd=shop,
        env={"PYTHONPATH": f"{shop}:{ROOT}", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


@pytest.mark.parametrize("engine", [OWN, WATERMARKED])
def test_settings_and_health(shop: Path, lazy: Callable[..., None], engine: str) -> None:
    lazy(ENGINE=engine, FORMATS=["webp"])
    assert [
        message for message in check_settings() if message.id in ("lazyimages.E013", "lazyimages.E015")
    ] == []
    assert Client().get("/images/health").json()["engine"] == engine.rpartition(".")[2]


def test_the_block_of_settings_names_the_engine(shop: Path) -> None:
    (path,) = re.findall(r'"ENGINE": "(shop[^"]+)"', GUIDE)
    assert import_string(path)().encoders() == {"jpeg", "png", "webp"}


def test_the_check_knows_what_it_cannot_write(shop: Path, lazy: Callable[..., None]) -> None:
    lazy(ENGINE=OWN, FORMATS=["avif"])
    assert [message.id for message in check_settings() if message.id == "lazyimages.E013"] == [
        "lazyimages.E013"
    ]


class TestOwn:
    @pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
    @pytest.mark.parametrize("size", ["360x270", "480h"])
    @pytest.mark.parametrize("name", JPEGS)
    def test_jpeg(self, ask: Callable[..., Any], name: str, size: str) -> None:
        answer = ask(OWN, JPEGS[name], size)
        assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
        made = pictures.opened(answer.content)
        assert pictures.psnr(made.convert("RGB"), lossless(JPEGS[name], size).convert("RGB")) > 30
        assert not {"icc_profile", "exif", "comment"} & made.info.keys()

    @pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
    def test_png(self, ask: Callable[..., Any], mode: str) -> None:
        drawn = transparent()
        data = pictures.saved(
            drawn.convert("RGB").quantize(64) if mode == "P" else drawn.convert(mode), "PNG"
        )
        made = pictures.opened(ask(OWN, data, "480h", "bowl.png").content)
        reference = lossless(data, "480h")
        assert made.format == "PNG"
        assert made.has_transparency_data == reference.has_transparency_data == mode.endswith("A")
        difference = np.asarray(made.convert("RGBA"), float) - np.asarray(reference.convert("RGBA"), float)
        assert abs(difference[200:]).mean() < (5 if mode == "1" else 1)  # dots are hard on rounding
        assert abs(difference[..., 3]).max() <= 2

    @pytest.mark.parametrize("effort", ["fast", "small"])
    def test_another_format(self, ask: Callable[..., Any], effort: str) -> None:
        answer = ask(OWN, JPEGS["plain"], "480h", suffix=".webp", FORMATS=["webp"], EFFORT=effort)
        assert answer["Content-Type"] == "image/webp"
        made = pictures.opened(answer.content)
        assert made.format == "WEBP"
        assert pictures.psnr(made.convert("RGB"), lossless(JPEGS["plain"], "480h")) > 27

    def test_quality(self, ask: Callable[..., Any]) -> None:
        lengths = [
            len(ask(OWN, JPEGS["plain"], "480h", f"{quality}.jpg", QUALITY={"jpeg": quality}).content)
            for quality in (40, 80, 95)
        ]
        assert lengths == sorted(lengths)
        assert lengths[2] > 2 * lengths[0]

    def test_background(self, ask: Callable[..., Any]) -> None:
        data = pictures.saved(Image.new("RGBA", (600, 480), (0, 0, 0, 0)), "PNG")
        answer = ask(OWN, data, "480h", "bowl.png", suffix=".jpg", FORMATS=["jpeg"], BACKGROUND="#804020")
        assert pictures.near(pictures.mean(pictures.opened(answer.content)), (0x80, 0x40, 0x20))

    def test_several_jobs_in_their_order(self, shop: Path) -> None:
        engine, data = import_string(OWN)(), JPEGS["plain"]
        jobs = [job_for(engine, data, size, "png") for size in ("100x100", "480h", "360x270")]
        made = engine.render(data, jobs, limits=LIMITS)
        assert [(one.width, one.height) for one in made] == [(100, 100), (640, 480), (360, 270)]
        for one, size in zip(made, ("100x100", "480h", "360x270"), strict=True):
            assert pictures.psnr(pictures.opened(one.data), lossless(data, size)) > 35
        assert engine.render(data, jobs, limits=LIMITS) == made

    @pytest.mark.parametrize(
        ("file", "data"),
        {
            "bowl.gif": pictures.saved(PHOTO.resize((40, 30)), "GIF"),
            "tiff.png": pictures.saved(PHOTO.resize((40, 30)), "TIFF"),
            "webp.jpg": pictures.saved(PHOTO.resize((40, 30)), "WEBP"),
            "inks.jpg": pictures.saved(PHOTO.resize((40, 30)).convert("CMYK"), "JPEG"),
            "sixteen.png": pictures.saved(Image.new("I;16", (40, 30)), "PNG"),
            "text.jpg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            "empty.jpg": b"",
            "header.jpg": JPEGS["plain"][:300],
            "cut.jpg": JPEGS["plain"][:-20_000],
            "cut.png": pictures.saved(PHOTO, "PNG")[:-20_000],
        }.items(),
    )
    def test_not_for_it_or_damaged(self, ask: Callable[..., Any], file: str, data: bytes) -> None:
        assert ask(OWN, data, "480h", file).status_code == 415

    @pytest.mark.parametrize("parts", [{"MAX_PIXELS": 3_000_000}, {"MAX_BYTES": 50_000}])
    def test_too_large(self, ask: Callable[..., Any], parts: dict[str, int]) -> None:
        assert ask(OWN, JPEGS["plain"], "480h", **parts).status_code == 422

    def test_no_encoder(self, ask: Callable[..., Any]) -> None:
        answer = ask(OWN, JPEGS["plain"], "480h", suffix=".avif", FORMATS=["avif"])
        assert answer.status_code == 503

    def test_uploads(self, shop: Path, lazy: Callable[..., None]) -> None:
        lazy(ENGINE=OWN)
        probe = uploads.inspect(SimpleUploadedFile("a.jpg", JPEGS["orientation-6"]), "a.jpg")
        assert (probe.format.name, probe.width, probe.height) == ("jpeg", 1502, 2003)
        with pytest.raises(exceptions.UnsupportedImage, match="must be JPEG or PNG"):
            uploads.inspect(SimpleUploadedFile("a.gif", b"GIF89a"), "a.gif")

    @pytest.mark.parametrize("kind", ["JPEG", "PNG"])
    def test_any_bytes_are_answered(self, shop: Path, kind: str) -> None:
        engine, chance = import_string(OWN)(), np.random.default_rng(5)
        good = pictures.saved(pictures.photo(60, 40), kind)
        job = job_for(engine, good, "480h", "jpeg", quality=80)
        for _ in range(300):
            damaged = bytearray(good)
            for place in chance.integers(0, len(damaged), 3):
                damaged[place] = chance.integers(0, 256)
            try:
                probe = engine.probe(bytes(damaged), limits=LIMITS)
                assert engine.cost(probe, [job]) > 0
                engine.render(bytes(damaged), [job], limits=LIMITS)
            except exceptions.ImageError:
                pass


class TestWatermarked:
    def test_large_ones_are_marked_and_small_ones_are_not(self, ask: Callable[..., Any]) -> None:
        data = pictures.saved(Image.new("RGB", (1600, 1200), (20, 60, 90)), "JPEG")
        wide = pictures.opened(ask(WATERMARKED, data, "1280w").content)
        narrow = pictures.opened(ask(WATERMARKED, data, "360x270").content)
        assert (wide.size, narrow.size) == ((1280, 960), (360, 270))
        corner = np.asarray(wide.convert("L").crop((1080, 900, 1280, 960)))
        assert corner.max() > 240
        wide.paste((20, 60, 90), (1080, 900, 1280, 960))
        for picture in (wide, narrow):
            assert np.asarray(picture.convert("L")).max() < 80

    @pytest.mark.parametrize("format", ["jpeg", "png", "gif", "webp", "avif"])
    def test_in_every_format(self, ask: Callable[..., Any], format: str) -> None:
        file, suffix = ("bowl.png", "" if format == "png" else f".{formats.BY_NAME[format].extension}")
        answer = ask(
            WATERMARKED, pictures.saved(transparent(), "PNG"), "480h", file, suffix=suffix, FORMATS=[format]
        )
        assert answer["Content-Type"] == f"image/{format}"
        made = pictures.opened(answer.content)
        assert made.size == (617, 480)
        assert made.convert("L").crop((450, 440, 617, 480)).getextrema()[1] > 240
        assert made.has_transparency_data == (format != "jpeg")

    @pytest.mark.parametrize(("data", "status"), [(b"text", 415), (JPEGS["plain"][:-20_000], 415)])
    def test_what_it_refuses(self, ask: Callable[..., Any], data: bytes, status: int) -> None:
        assert ask(WATERMARKED, data, "480h").status_code == status

    def test_too_large(self, ask: Callable[..., Any]) -> None:
        assert ask(WATERMARKED, JPEGS["plain"], "480h", MAX_PIXELS=1_000_000).status_code == 422

    def test_quality_is_that_of_the_job(self, shop: Path) -> None:
        engine, data = import_string(WATERMARKED)(), JPEGS["plain"]
        made: list[Rendered] = engine.render(
            data,
            [job_for(engine, data, "1280w", "jpeg", quality=quality) for quality in (30, 90)],
            limits=LIMITS,
        )
        assert 2 * len(made[0].data) < len(made[1].data)
        for one, least in zip(made, (25, 30), strict=True):
            untouched = pictures.opened(one.data).crop((0, 0, 1280, 880))
            assert pictures.psnr(untouched, lossless(data, "1280w").crop((0, 0, 1280, 880))) > least
