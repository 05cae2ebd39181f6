"""ICC profiles made for the tests, of every kind that photos come with (ICC.1:2001-04 and ICC.1:2010)."""

import struct
from itertools import product

import numpy as np
from PIL import ImageCms

from tests.engine.pictures import BytesIO

Primaries = tuple[tuple[float, float, float], ...]

# Colorants adapted to D50, as they stand in the profiles of Apple, Adobe and Kodak.
DISPLAY_P3: Primaries = (
    (0.51512, 0.24120, -0.00105),
    (0.29198, 0.69225, 0.04189),
    (0.15710, 0.06657, 0.78407),
)
ADOBE_RGB: Primaries = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
PROPHOTO: Primaries = ((0.79767, 0.28804, 0.0), (0.13519, 0.71188, 0.0), (0.03134, 0.00009, 0.82491))
D50 = (0.9642, 1.0, 0.8249)


def fixed(*values: float) -> bytes:
    """Return s15Fixed16Numbers."""
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


def _xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ \0\0\0\0" + fixed(*values)


def _gamma(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"


def _srgb_curve() -> bytes:
    """Return the sRGB curve as formula, which profiles of version 4 have (parametric type 3)."""
    return b"para\0\0\0\0\0\3\0\0" + fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def _text(version: int) -> tuple[bytes, bytes]:
    """Return the tags `desc` and `cprt`."""
    if version == 4:
        text = (
            b"mluc\0\0\0\0"
            + struct.pack(">II2s2sII", 1, 12, b"en", b"US", 8, 28)
            + "test".encode("utf-16-be")
        )
        return text, text
    desc = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(8 + 3 + 67)
    return desc + bytes(-len(desc) % 4), b"text\0\0\0\0none\0\0\0\0"


def assembled(kind: bytes, space: bytes, pcs: bytes, tags: dict[bytes, bytes], version: int = 2) -> bytes:
    """Return a profile of these tags and those that every profile has."""
    desc, copyright = _text(version)
    tags = {b"desc": desc, b"cprt": copyright, b"wtpt": _xyz(D50), **tags}
    table, body, start = b"", b"", 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        table += name + struct.pack(">II", start + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    number = {2: 0x02100000, 4: 0x04300000}[version]
    header = struct.pack(">I4sI4s4s4s12s4s", start + len(body), b"", number, kind, space, pcs, b"", b"acsp")
    header += bytes(68 - len(header)) + fixed(*D50)
    return header + bytes(128 - len(header)) + struct.pack(">I", len(tags)) + table + body


def matrix(primaries: Primaries, gamma: float | None = 2.2, version: int = 2) -> bytes:
    """Return a display profile: three colorants, and a gamma or, with None, the curve of sRGB."""
    curve = _srgb_curve() if gamma is None else _gamma(gamma)
    colorants = {
        name: _xyz(primary) for name, primary in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)
    }
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    return assembled(b"mntr", b"RGB ", b"XYZ ", colorants | curves, version)


def grey(gamma: float) -> bytes:
    """Return a profile for greyscale."""
    return assembled(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": _gamma(gamma)})


# The Lab colours of full ink on paper, about as coated offset gives them.
_INKS = {"paper": (95, 0, -2), "c": (55, -37, -50), "m": (48, 74, -3), "y": (89, -5, 93), "k": (16, 0, 0)}


def cmyk() -> bytes:
    """Return a printer's profile: a table of three points an ink, from a simple model of inks.

    Inks mix like filters: what each lets through of the paper's light, in XYZ, is multiplied.
    """
    paper = _xyz_of_lab(_INKS["paper"])
    through = np.array([_xyz_of_lab(_INKS[ink]) / paper for ink in "cmyk"])
    entries = []
    for amounts in product((0.0, 0.5, 1.0), repeat=4):
        light = paper * np.prod(through ** np.array(amounts)[:, None], axis=0)
        lightness, a, b = _lab_of_xyz(light)
        entries.append((lightness / 100 * 65280, (a + 128) * 256, (b + 128) * 256))
    table = np.array(entries).round().clip(0, 65535).astype(">u2")
    straight = struct.pack(">HH", 0, 65535)
    lut = b"mft2\0\0\0\0" + struct.pack(">BBBB", 4, 3, 3, 0) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    lut += struct.pack(">HH", 2, 2) + straight * 4 + table.tobytes() + straight * 3
    return assembled(b"prtr", b"CMYK", b"Lab ", {b"A2B0": lut})


def _xyz_of_lab(lab: tuple[float, float, float]) -> np.ndarray:
    lightness, a, b = lab
    y = (lightness + 16) / 116
    roots = np.array([y + a / 500, y, y - b / 200])
    return np.where(roots > 6 / 29, roots**3, 3 * (6 / 29) ** 2 * (roots - 4 / 29)) * D50


def _lab_of_xyz(xyz: np.ndarray) -> tuple[float, float, float]:
    share = xyz / D50
    x, y, z = np.where(share > (6 / 29) ** 3, np.cbrt(share), share / (3 * (6 / 29) ** 2) + 4 / 29)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def opened(profile: bytes) -> ImageCms.ImageCmsProfile:
    """Return a profile as littleCMS understands it."""
    return ImageCms.ImageCmsProfile(BytesIO(profile))
