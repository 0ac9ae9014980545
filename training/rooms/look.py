"""Look of pictures: ranges for light, lens and sensor, and the values drawn from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

Range: TypeAlias = tuple[float, float]
"""Least and greatest value."""

CURVES = ("srgb", "filmic", "reinhard")
"""Tone curves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookOptions:
    """Ranges from which the values of each frame are drawn. A chance of 0 leaves an effect out.

    Attributes:
        shadows: True if solids block lights and ambient light.
        reflections: True if mirrors and polished surfaces show the room.
        smooth_edges: True if pixels at the borders of solids average both sides.
        occlusion_reach: metres within which surfaces darken and tint each other.
        ambient: factor on the room's ambient light.
        exposure: value after exposure of the pixel brighter than 70 % of all; drawn in stops.
        temperature: stops of red over blue.
        tint: stops of green over red and blue.
        contrast: slope of an S-shaped curve in the middle tones, 1 for unchanged.
        saturation: 1 for unchanged, 0 for grey.
        vignette: share of light lost in the corners.
        blur: standard deviation in px at 256 px of the blur of every picture.
        soft_chance: share of frames that are out of focus or motion-blurred.
        softness: px of this blur at 256 px.
        fringe: px at 256 px between red and blue in the corners.
        grain: standard deviation of noise at full brightness 1.
        read_noise: standard deviation of noise in the dark, relative to 1.
        sharpen_chance: share of frames with halos of sharpening.
        sharpen: strength of halos.
        jpeg_chance: share of frames with JPEG compression.
        jpeg: quality, as in the reference implementation.
    """

    shadows: bool = True
    reflections: bool = True
    smooth_edges: bool = True
    occlusion_reach: float = 1.5
    ambient: Range = (0.6, 1.3)
    exposure: Range = (0.16, 0.62)
    temperature: Range = (-0.35, 0.5)
    tint: Range = (-0.12, 0.12)
    contrast: Range = (0.85, 1.35)
    saturation: Range = (0.6, 1.3)
    vignette: Range = (0.0, 0.35)
    blur: Range = (0.45, 0.8)
    soft_chance: float = 0.25
    softness: Range = (0.5, 2.5)
    fringe: Range = (0.0, 0.8)
    grain: Range = (0.002, 0.02)
    read_noise: Range = (0.0, 0.005)
    sharpen_chance: float = 0.5
    sharpen: Range = (0.2, 1.2)
    jpeg_chance: float = 0.8
    jpeg: Range = (40, 98)

    def __post_init__(self) -> None:
        """Check that ranges are ordered and chances are between 0 and 1."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, tuple) and value[0] > value[1]:
                raise ValueError(f"{field.name} must be (least, greatest), got {value}")
            if field.name.endswith("chance") and not 0 <= value <= 1:
                raise ValueError(f"{field.name} must be a chance from 0 to 1, got {value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """Values drawn for F frames, float32 (F,) unless stated otherwise; names as in `LookOptions`.

    Attributes:
        seed: int32 (F,), for noise of single pixels.
        curve: int64 (F,), number in `CURVES`.
        motion: (F, 2), motion blur in x and y, px at 256 px.
        focus: position of the focus in the frame's depth range, 0 to 1.
    """

    seed: Tensor
    curve: Tensor
    ambient: Tensor
    exposure: Tensor
    temperature: Tensor
    tint: Tensor
    contrast: Tensor
    saturation: Tensor
    vignette: Tensor
    blur: Tensor
    motion: Tensor
    defocus: Tensor
    focus: Tensor
    fringe: Tensor
    grain: Tensor
    read_noise: Tensor
    sharpen: Tensor
    jpeg: Tensor

    @classmethod
    def draw(cls, seeds: Sequence[int], options: LookOptions, device: torch.device | str = "cpu") -> Looks:
        """Draw the looks of frames, each from its own seed of at least 0."""
        rows = [_one(seed, options) for seed in seeds]
        names = [field.name for field in fields(cls)]
        kinds = {"seed": torch.int32, "curve": torch.int64}
        return cls(
            **{
                name: torch.tensor([row[name] for row in rows], dtype=kinds.get(name, torch.float32)).to(
                    device
                )
                for name in names
            }
        )

    def __getitem__(self, rows: slice) -> Looks:
        """Select some of the frames."""
        return Looks(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def _one(seed: int, options: LookOptions) -> dict[str, float | int | tuple[float, float]]:
    """Draw the values of one frame. Every value consumes random numbers, used or not."""
    rng = np.random.default_rng([seed, 0x100C])

    def within(span: Range) -> float:
        return float(rng.uniform(*span))

    def sometimes(chance: float, value: float) -> float:
        return value if rng.random() < chance else 0.0

    angle, softness = rng.uniform(0, 2 * np.pi), within(options.softness)
    soft = sometimes(options.soft_chance, softness)
    moved = rng.random() < 0.4
    low, high = np.log2(options.exposure)
    return {
        "seed": int(rng.integers(2**31)),
        "curve": int(rng.choice(len(CURVES), p=(0.5, 0.35, 0.15))),
        "ambient": within(options.ambient),
        "exposure": float(2 ** rng.uniform(low, high)),
        "temperature": within(options.temperature),
        "tint": within(options.tint),
        "contrast": within(options.contrast),
        "saturation": within(options.saturation),
        "vignette": within(options.vignette),
        "blur": within(options.blur),
        "motion": (1.5 * soft * moved * float(np.cos(angle)), 1.5 * soft * moved * float(np.sin(angle))),
        "defocus": soft * (not moved),
        "focus": float(rng.random()),
        "fringe": within(options.fringe),
        "grain": float(np.exp(within((np.log(options.grain[0] + 1e-6), np.log(options.grain[1] + 1e-6))))),
        "read_noise": within(options.read_noise),
        "sharpen": sometimes(options.sharpen_chance, within(options.sharpen)),
        "jpeg": sometimes(options.jpeg_chance, within(options.jpeg)),
    }
