"""Conversion of colours to sRGB by ICC profiles and exponents."""

from __future__ import annotations

import logging
from functools import lru_cache
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

LEVELS = np.linspace(0, 1, 256)
"""The values of eight bits as shares of white."""

_SAME_COLOUR = 2  # of 255; smaller differences come from rounding in profiles

_log = logging.getLogger(__name__)


def encode_srgb(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """Encode light in [0, 1] as sRGB (IEC 61966-2-1)."""
    return np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)


def grey_curve(profile: object, gamma: float | None, name: str) -> NDArray[np.float64] | None:
    """Return sRGB values of the greys `LEVELS` by a profile of grey or an exponent; None for no change."""
    if isinstance(profile, bytes) and profile:
        if not is_grey(profile):
            return None
        ramp = to_srgb(Image.fromarray(np.arange(256, dtype=np.uint8)[None]), profile, name)
        return None if ramp is None else np.asarray(ramp)[0, :, 0] / 255
    return None if gamma is None else encode_srgb(LEVELS ** (1 / gamma))


def is_grey(profile: bytes) -> bool:
    """True if a profile describes grey, by the colour space in its header."""
    return profile[16:20] == b"GRAY"


def to_srgb(image: Image.Image, profile: bytes, name: str) -> Image.Image | None:
    """Convert an image to sRGB; return None if it is sRGB already or its profile cannot be used."""
    try:
        transform = _transform(profile, image.mode)
        if transform is None:
            return None
        converted = ImageCms.applyTransform(image, transform)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, SyntaxError) as error:
        _log.warning("%r: its colour profile is left out, as it cannot be applied: %s", name, error)
        return None
    return converted


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return the transform from a colour profile to sRGB; None if the two differ by rounding only."""
    given = ImageCms.ImageCmsProfile(BytesIO(profile))
    transform = ImageCms.buildTransform(
        given,
        ImageCms.createProfile("sRGB"),
        mode,
        "RGB",
        renderingIntent=ImageCms.Intent(ImageCms.getDefaultIntent(given)),
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    if mode == "RGB":
        # Most photographs have an sRGB profile; a conversion would only add rounding errors.
        steps = np.arange(0, 256, 17, dtype=np.uint8)
        cube = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 16, 3)
        there = np.asarray(ImageCms.applyTransform(Image.fromarray(cube), transform))
        if np.abs(there.astype(int) - cube).max() <= _SAME_COLOUR:
            return None
    return transform
