"""Colours of PNG files that carry no ICC profile: the chunks cICP, cHRM and gAMA (PNG, third edition)."""

from __future__ import annotations

import logging
import math
import struct
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

Point: TypeAlias = tuple[float, float]

_GAMMAS = (0.1, 10)  # others are mistakes of writers
_SAME_GAMMA = 0.05  # relative; writers round 1 / 2.2 differently

_D65: Point = (0.3127, 0.3290)
_P3: tuple[Point, Point, Point] = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
_SMPTE: tuple[Point, Point, Point] = ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070))

# White, red, green and blue by their numbers in ITU-T H.273.
_PRIMARIES: dict[int, tuple[Point, Point, Point, Point]] = {
    1: (_D65, (0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
    5: (_D65, (0.640, 0.330), (0.290, 0.600), (0.150, 0.060)),
    6: (_D65, *_SMPTE),
    7: (_D65, *_SMPTE),
    9: (_D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    11: ((0.314, 0.351), *_P3),
    12: (_D65, *_P3),
}

# Exponents of the curves likewise; None for that of sRGB, as which players show those of cameras, too.
_CURVES: dict[int, float | None] = {1: None, 4: 2.2, 5: 2.8, 6: None, 8: 1.0, 13: None, 14: None, 15: None}
_SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)

_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])

_log = logging.getLogger(__name__)


def png_gamma(image: Image.Image) -> float | None:
    """Return the exponent that a PNG was encoded with (chunk gAMA) if it differs from that of sRGB."""
    gamma = image.info.get("gamma")
    if "srgb" in image.info or not isinstance(gamma, float) or not _GAMMAS[0] <= gamma <= _GAMMAS[1]:
        return None
    return None if abs(gamma * 2.2 - 1) < _SAME_GAMMA else gamma


def png_profile(image: Image.Image, name: str) -> bytes | None:
    """Make an ICC profile of the colours that a PNG states in numbers.

    The chunk cICP takes precedence over an ICC profile, and that over cHRM and gAMA. Curves of HDR (PQ and
    HLG) have no counterpart in sRGB: they are ignored with a warning in the log.

    Args:
        image: of any format, before its pixels are loaded, as Pillow then closes its file.
        name: for the warning.

    Returns:
        a profile for RGB; None if the image is not a PNG, or states nothing or nothing plausible.
    """
    if (stated := _cicp(image)) is not None:
        primaries, curve = stated
        if primaries in _PRIMARIES and curve in _CURVES:
            return rgb_profile(_PRIMARIES[primaries], _CURVES[curve])
        _log.warning(
            "%r: its colours (cICP %d, %d) are not converted",
            name,
            primaries,
            curve,
        )
    points = image.info.get("chromaticity")
    if "icc_profile" in image.info or "srgb" in image.info or not isinstance(points, tuple):
        return None
    white, *colours = zip(points[::2], points[1::2], strict=True)
    gamma = png_gamma(image)
    try:
        return rgb_profile((white, *colours), None if gamma is None else 1 / gamma)
    except (ValueError, np.linalg.LinAlgError):
        return None


def rgb_profile(points: Sequence[Point], exponent: float | None) -> bytes:
    """Make an ICC profile (ICC.1:2010) of three primaries and one curve.

    Args:
        points: x and y of white, red, green and blue.
        exponent: of the curve; None for that of sRGB.

    Raises:
        ValueError: the points are not those of light.
        numpy.linalg.LinAlgError: the primaries lie on one line.
    """
    if any(not (0 <= x <= 1 and 0 < y <= 1) for x, y in points):
        raise ValueError(f"{points} are not chromaticities")
    white, *colours = (np.array([x / y, 1.0, (1 - x - y) / y]) for x, y in points)
    matrix = np.stack(colours, axis=1)
    matrix = matrix * np.linalg.solve(matrix, white)
    seen, wanted = _BRADFORD @ white, _BRADFORD @ _D50
    adapted = np.linalg.solve(_BRADFORD, np.diag(wanted / seen) @ _BRADFORD @ matrix)
    if not (np.isfinite(adapted).all() and np.abs(adapted).max() < 2 and np.linalg.det(matrix) > 0):
        raise ValueError(f"{points} are not chromaticities")
    curve = (exponent,) if exponent is not None else _SRGB_CURVE
    kind = struct.pack(">HH", 0 if exponent is not None else 3, 0)
    tags = {b"wtpt": _xyz(_D50)}
    tags |= {name + b"XYZ": _xyz(column) for name, column in zip((b"r", b"g", b"b"), adapted.T, strict=True)}
    tags |= {name + b"TRC": b"para\0\0\0\0" + kind + _fixed(curve) for name in (b"r", b"g", b"b")}
    table, body, start = b"", b"", 132 + 12 * len(tags)
    for name, content in tags.items():
        table += name + struct.pack(">II", start + len(body), len(content))
        body += content + b"\0" * (-len(content) % 4)
    head = struct.pack(">I4xI4s4s4s", start + len(body), 0x04200000, b"mntr", b"RGB ", b"XYZ ")
    head += b"\0" * 12 + b"acsp" + b"\0" * 28 + _fixed(_D50) + b"\0" * 48
    return head + struct.pack(">I", len(tags)) + table + body


def _cicp(image: Image.Image) -> tuple[int, int] | None:
    """Read the numbers of primaries and curve in the chunk cICP, which Pillow leaves out."""
    file = image.fp if isinstance(image, PngImageFile) else None
    if file is None:
        return None
    before, found = file.tell(), None
    try:
        file.seek(8)  # after the signature
        while found is None:
            head = file.read(8)
            length, kind = struct.unpack(">I4s", head) if len(head) == 8 else (0, b"IDAT")
            if kind == b"IDAT":  # the chunk stands before the pixels
                break
            if kind == b"cICP" and length == 4:
                primaries, curve, _, _ = file.read(4)
                found = (primaries, curve)
            file.seek(length + 4, 1)
    except (OSError, ValueError, OverflowError):
        found = None
    file.seek(before)
    return found


def _xyz(values: NDArray[np.float64]) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(values)


def _fixed(values: Sequence[float] | NDArray[np.float64]) -> bytes:
    """Write numbers with sixteen bits after the point."""
    return b"".join(struct.pack(">i", math.floor(value * 65536 + 0.5)) for value in values)
