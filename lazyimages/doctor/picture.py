"""The probe's picture: drawn, recognised when it comes back, and shown in a terminal."""

from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageChops, ImageDraw, ImageStat

from lazyimages.sizes import Plan

WIDTH, HEIGHT = 1280, 960
_SKY, _SUN, _FAR, _NEAR, _SEA = (142, 197, 232), (255, 205, 84), (96, 128, 160), (70, 140, 88), (44, 92, 128)
_MOST_PIXELS = 20_000_000  # of what comes back; the probe itself has 1.2 million
_GRID = (16, 12)
_LIKE = 14.0  # of 255: the mean difference on the grid; variants of few pixels have 9, a mirrored one has 20


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture that could be read: its dimensions in pixels, and all of it."""

    width: int
    height: int
    image: Image.Image


def draw() -> bytes:
    """Return the probe as a JPEG: a sun over hills and the sea, which no two sides of are alike."""
    image = _drawn()
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def read(data: bytes) -> Shown | None:
    """Return the JPEG that some bytes are, decoded to its end; None when they are none, or a broken one."""
    try:
        with Image.open(BytesIO(data), formats=["JPEG"]) as opened:
            if opened.width * opened.height > _MOST_PIXELS:
                return None
            image = opened.convert("RGB")
    # Pillow's own for what it cannot identify, for a bad part, and for a size that is a trap
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
    return Shown(image.width, image.height, image)


def is_probe(shown: Shown, plan: Plan) -> bool:
    """Tell whether a picture shows the part of the probe that a plan cuts out."""
    wanted = _drawn().resize(_GRID, Image.Resampling.BOX, box=plan.box)
    found = shown.image.resize(_GRID, Image.Resampling.BOX)
    return sum(ImageStat.Stat(ImageChops.difference(wanted, found)).mean) / 3 < _LIKE


def half_blocks(shown: Shown, *, columns: int = 40) -> list[str]:
    """Return lines of ▀ in 24-bit colours, each two rows of pixels: the upper in front, the lower behind."""
    rows = max(1, round(columns * shown.height / shown.width / 2))
    pixels = shown.image.resize((columns, 2 * rows), Image.Resampling.BOX).tobytes()

    def colour(x: int, y: int) -> str:
        at = 3 * (y * columns + x)
        return ";".join(str(value) for value in pixels[at : at + 3])

    return [
        "".join(f"\x1b[38;2;{colour(x, y)};48;2;{colour(x, y + 1)}m▀" for x in range(columns)) + "\x1b[0m"
        for y in range(0, 2 * rows, 2)
    ]


def _drawn() -> Image.Image:
    image = Image.new("RGB", (WIDTH, HEIGHT), _SKY)
    pen = ImageDraw.Draw(image)
    pen.ellipse((820, 120, 1080, 380), fill=_SUN)
    pen.polygon([(0, 640), (300, 380), (620, 620), (900, 460), (1280, 640), (1280, 960), (0, 960)], fill=_FAR)
    pen.rectangle((0, 640, WIDTH, HEIGHT), fill=_SEA)
    pen.polygon([(0, 700), (240, 620), (560, 820), (640, 960), (0, 960)], fill=_NEAR)
    return image
