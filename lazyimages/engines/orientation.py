"""EXIF orientation: reading it without decoding, and what it does to boxes and sizes."""

from PIL import ExifTags, Image

Box = tuple[float, float, float, float]

# EXIF 2.32, table "Orientation": what makes the stored picture upright.
TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8, of an image that is open but not loaded; 1 when it is broken."""
    if image.format == "TIFF":
        return 1  # Pillow turns a TIFF when it loads it, and says the turned size before
    if image.format == "HEIC":
        return 1  # its decoder has turned it, and the EXIF says once more how
    if image.format == "PNG" and not {"exif", "Raw profile type exif"} & image.info.keys():
        return 1  # getexif() would decode the whole picture to look behind it
    try:
        found = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # broken EXIF raises whatever its bytes lead to, and is no reason to refuse a picture
        return 1
    return found if found in TRANSPOSE else 1


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """Return a picture as its orientation wants it seen."""
    return image.transpose(TRANSPOSE[orientation]) if orientation in TRANSPOSE else image


def swaps(orientation: int) -> bool:
    """Tell whether width and height of the stored picture are exchanged."""
    return orientation >= 5


def stored_box(box: Box, orientation: int, width: int, height: int) -> Box:
    """Return where a box of the upright picture lies in the stored one of width × height pixels."""
    left, top, right, bottom = box
    if swaps(orientation):
        left, top, right, bottom = top, left, bottom, right
    if orientation in (2, 3, 7, 8):
        left, right = width - right, width - left
    if orientation in (3, 4, 6, 7):
        top, bottom = height - bottom, height - top
    return left, top, right, bottom
