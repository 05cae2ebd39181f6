"""The pixels of the small PNG that an upload is tried out as, whatever engine has made it."""

from io import BytesIO

from PIL.PngImagePlugin import PngImageFile


def pixels(png: bytes, *, most: int) -> tuple[int, int, bytes]:
    """Return width, height and four bytes a pixel: red, green, blue and alpha.

    `ValueError` unless it is a PNG of at most `most` pixels a side.
    """
    try:
        with PngImageFile(BytesIO(png)) as image:
            if max(image.size) > most:
                raise ValueError(f"the trial has {image.width} × {image.height} pixels, not {most} at most")
            rgba = image.convert("RGBA")
    except (OSError, SyntaxError) as error:
        raise ValueError(f"the trial is no PNG: {error}") from error
    return rgba.width, rgba.height, rgba.tobytes()
