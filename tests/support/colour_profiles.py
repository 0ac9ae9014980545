"""Colour profiles made by hand: a head, a table of tags, three primaries and a curve (ICC.1:2010)."""

from __future__ import annotations

import struct
from collections.abc import Sequence

DISPLAY_P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
"""XYZ of red, green and blue, adapted to D50."""

SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
"""Likewise."""

_WHITE = (0.9642, 1.0, 0.8249)  # D50
_SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def _fixed(*values: float) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def _profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Put tags behind a head."""
    table, body, start = b"", b"", 132 + 12 * len(tags)
    for name, content in tags.items():
        padded = content + b"\0" * (-len(content) % 4)
        table += name + struct.pack(">II", start + len(body), len(content))
        body += padded
    size = start + len(body)
    head = struct.pack(">I4sI4s4s4s", size, b"\0" * 4, 0x04200000, b"mntr", space, b"XYZ ")
    head += b"\0" * 12 + b"acsp" + b"\0" * 28 + _fixed(*_WHITE) + b"\0" * 48
    return head + struct.pack(">I", len(tags)) + table + body


def _curve(numbers: Sequence[float]) -> bytes:
    kind = {1: 0, 5: 3}[len(numbers)]
    return b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + _fixed(*numbers)


def rgb_profile(primaries: Sequence[Sequence[float]], curve: Sequence[float] = _SRGB_CURVE) -> bytes:
    """A profile of three primaries and one curve.

    Args:
        primaries: XYZ of red, green and blue, adapted to D50.
        curve: one number is a power, five are those of sRGB's kind.
    """
    xyz = {
        name: b"XYZ \0\0\0\0" + _fixed(*row)
        for name, row in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)
    }
    curves = {name: _curve(curve) for name in (b"rTRC", b"gTRC", b"bTRC")}
    return _profile(b"RGB ", {b"wtpt": b"XYZ \0\0\0\0" + _fixed(*_WHITE), **xyz, **curves})


def grey_profile(power: float) -> bytes:
    """A profile of grey with a power for its curve."""
    return _profile(b"GRAY", {b"wtpt": b"XYZ \0\0\0\0" + _fixed(*_WHITE), b"kTRC": _curve([power])})
