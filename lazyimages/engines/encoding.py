"""Small pictures to files: what every format can hold, and how hard its encoder tries."""

from io import BytesIO
from typing import Any

from PIL import Image, features

from lazyimages.engines import colour
from lazyimages.engines.base import Job, Rendered

_WITHOUT_ALPHA = ("jpeg",)
_ALWAYS: dict[str, dict[str, Any]] = {
    "jpeg": {"optimize": True},
    "gif": {"optimize": False},
    # More threads would make other bytes on other machines, and take what the render slots count on.
    "avif": {"max_threads": 1},
}
_BY_EFFORT: dict[str, dict[str, dict[str, Any]]] = {
    "fast": {"png": {"compress_level": 6}, "webp": {"method": 4}, "avif": {"speed": 9}},
    "small": {"png": {"compress_level": 9}, "webp": {"method": 6}, "avif": {"speed": 6}},
}


def encoders() -> frozenset[str]:
    """Return the names of the formats that this Pillow can write."""
    return frozenset(
        {"png", "gif"}
        | ({"jpeg"} if features.check("jpg") else set())
        | ({"webp"} if features.check("webp") else set())
        | ({"avif"} if features.check("avif") else set())
    )


def holdable(picture: Image.Image, job: Job) -> Image.Image:
    """Return an sRGB or grey picture in a mode that the job's format can hold, without metadata."""
    if job.format.name in _WITHOUT_ALPHA:
        picture = colour.flatten(picture, job.background)
    if job.format.name in ("webp", "avif", "gif"):
        picture = picture.convert("RGBA" if picture.mode in ("LA", "RGBA") else "RGB")
    if job.format.name == "gif" and picture.mode == "RGBA":
        # GIF has no half transparency, and the encoder would make all of it opaque.
        picture.putalpha(picture.getchannel("A").point([0] * 128 + [255] * 128))
    picture.info = {}  # comments, profiles and the like would be written into the variant
    return picture


def encode(frames: list[Image.Image], job: Job, durations: list[int], plays: int) -> Rendered:
    """Return the file of one picture, or of an animation with the frames' durations in milliseconds.

    `plays` says how many times it is shown; 0 is without end.
    """
    name = job.format.name
    options: dict[str, Any] = _ALWAYS.get(name, {}) | _BY_EFFORT[job.effort].get(name, {})
    if job.quality is not None:
        options["quality"] = job.quality
    if len(frames) > 1:
        options |= {"save_all": True, "append_images": frames[1:], "duration": durations, "loop": plays}
        if name == "gif":
            options |= _gif_options(frames, options.pop("loop"))
    buffer = BytesIO()
    frames[0].save(buffer, name.upper(), **options)
    return Rendered(data=buffer.getvalue(), width=frames[0].width, height=frames[0].height)


def _gif_options(frames: list[Image.Image], plays: int) -> dict[str, Any]:
    options = {} if plays == 1 else {"loop": plays and plays - 1}
    if any(frame.mode == "RGBA" for frame in frames):
        options["disposal"] = 2  # else what a frame leaves transparent shows the frame before
    return options
