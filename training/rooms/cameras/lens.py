"""Simulation of a photograph: lens, exposure, sensor, development, file.

All effects are elementwise, or sums of shifted pictures in a fixed order, so that results do not depend on
the batch.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from training.rooms.cameras.jpeg import through_jpeg
from training.rooms.look import CURVES, Looks
from training.rooms.noise import gaussian
from training.rooms.smooth import shifted

_REFERENCE = 256
"""Side in px of the pictures to which pixel sizes in `LookOptions` refer."""


def photograph(light: Tensor, distance: Tensor, looks: Looks) -> Tensor:
    """Convert the light that cameras receive to pictures.

    Args:
        light: float32 (F, H, W, 3), linear RGB, 0 or more.
        distance: float32 (F, H, W), metres.
        looks: looks of the F frames.

    Returns:
        uint8 (F, H, W, 3), sRGB.
    """
    seen = _moved(_focused(light, distance, looks), looks)
    # Scale red up and blue down slightly (chromatic aberration).
    zero, stretch = torch.zeros_like(looks.fringe), looks.fringe / _REFERENCE
    red = _sampled(seen[..., :1], zero, zero, stretch)
    blue = _sampled(seen[..., 2:], zero, zero, -stretch)
    seen = torch.cat([red, seen[..., 1:2], blue], -1)

    # Scale light so that its 70th percentile has the frame's exposure, and set the white balance.
    luminance = (0.2126 * seen[..., 0] + 0.7152 * seen[..., 1] + 0.0722 * seen[..., 2]).flatten(1)
    rank = max(1, int(0.7 * luminance.shape[1]))
    middle: Tensor = luminance.kthvalue(rank, dim=1).values.clamp(min=1e-4)
    stops = torch.stack([looks.temperature / 2, looks.tint, -looks.temperature / 2], -1)
    gain: Tensor = (looks.exposure / middle)[:, None] * torch.exp2(stops)

    height, width = seen.shape[1:3]
    y = (torch.arange(height, device=seen.device) + 0.5) / height * 2 - 1
    x = (torch.arange(width, device=seen.device) + 0.5) / width * 2 - 1
    off = (x[None, :] ** 2 + y[:, None] ** 2) / 2
    vignette = (1 - looks.vignette[:, None, None] * off)[..., None]
    seen = seen * gain[:, None, None] * vignette

    # Noise grows with the root of the light; half of it is blurred, as by demosaicing.
    numbers = torch.arange(height * width * 3, dtype=torch.int32, device=seen.device)
    noise = gaussian(numbers[None], looks.seed[:, None], 77).reshape(seen.shape)
    noise = (noise + 0.5 * shifted(noise, 1, 2) + 0.5 * shifted(noise, 1, 1)) / math.sqrt(1.5)
    grain, dark = looks.grain[:, None, None, None], looks.read_noise[:, None, None, None]
    seen = (seen + noise * (seen.clamp(0, 4) * grain * grain + dark * dark).sqrt()).clamp(min=0)
    shown = _toned(seen, looks)

    # Contrast, then saturation, then an unsharp mask.
    slope = looks.contrast[:, None, None, None]
    shown = shown + (slope - 1) * (shown - 0.5) * (4 * shown * (1 - shown)).clamp(0, 1)
    grey = 0.299 * shown[..., :1] + 0.587 * shown[..., 1:2] + 0.114 * shown[..., 2:]
    shown = (grey + (shown - grey) * looks.saturation[:, None, None, None]).clamp(0, 1)
    if bool((looks.sharpen > 0).any()):
        halo = shown - blurred(shown, torch.full_like(looks.sharpen, 1.0))
        shown = shown + looks.sharpen[:, None, None, None] * halo
    shown = through_jpeg(shown.clamp(0, 1), looks.jpeg)
    return (shown * 255).round().clamp(0, 255).to(torch.uint8)


def blurred(pictures: Tensor, deviation: Tensor) -> Tensor:
    """Blur pictures (F, H, W, C) by Gaussians of standard deviation (F,) in px, up to about 2."""
    steps = torch.arange(-4, 5, device=pictures.device)
    # in float64, so that the rounded float32 weights are equal in any batch
    curve = torch.exp(-0.5 * (steps / deviation.double().clamp(min=1e-3)[:, None]) ** 2)
    weights = (curve / curve.sum(1, keepdim=True)).float()
    for axis in (1, 2):
        total = torch.zeros_like(pictures)
        for number, step in enumerate(range(-4, 5)):
            total += weights[:, number, None, None, None] * shifted(pictures, step, axis)
        pictures = total
    return pictures


def _focused(light: Tensor, distance: Tensor, looks: Looks) -> Tensor:
    """Blur the whole picture slightly, and surfaces out of focus more."""
    scale = light.shape[1] / _REFERENCE
    sharp = blurred(light, looks.blur * max(scale, 0.6))
    if not bool((looks.defocus > 0).any()):
        return sharp
    inverse = 1 / distance.clamp(0.2, 50)
    near, far = inverse.flatten(1).amax(1), inverse.flatten(1).amin(1)
    focus = near + (far - near) * looks.focus
    off = (inverse - focus[:, None, None]).abs() / (near - far).clamp(min=1e-3)[:, None, None]
    soft = blurred(blurred(light, looks.defocus * scale), looks.defocus * scale)
    share = (2 * off).clamp(0, 1) * (looks.defocus > 0)[:, None, None]
    return torch.lerp(sharp, soft, share[..., None])


def _moved(light: Tensor, looks: Looks) -> Tensor:
    """Blur along a line, as by camera shake."""
    if not bool((looks.motion != 0).any()):
        return light
    scale = light.shape[1] / _REFERENCE
    total = torch.zeros_like(light)
    parts = 5
    for number in range(parts):
        share = number / (parts - 1) - 0.5
        total += _sampled(light, looks.motion[:, 0] * scale * share, looks.motion[:, 1] * scale * share, 0.0)
    still = (looks.motion == 0).all(1)[:, None, None, None]
    return torch.where(still, light, total / parts)


def _sampled(pictures: Tensor, right: Tensor, down: Tensor, stretch: Tensor | float) -> Tensor:
    """Shift pictures by px (F,) and scale them about their middles, with linear interpolation."""
    frames, height, width, channels = pictures.shape
    y = torch.arange(height, device=pictures.device)[None, :, None] - (height - 1) / 2
    x = torch.arange(width, device=pictures.device)[None, None, :] - (width - 1) / 2
    factor = 1 + torch.as_tensor(stretch, device=pictures.device).reshape(-1, 1, 1)
    x = (
        (x * factor + right[:, None, None] + (width - 1) / 2)
        .clamp(0, width - 1)
        .expand(frames, height, width)
    )
    y = (
        (y * factor + down[:, None, None] + (height - 1) / 2)
        .clamp(0, height - 1)
        .expand(frames, height, width)
    )
    left, top = x.floor(), y.floor()
    s, t = (x - left)[..., None], (y - top)[..., None]
    i, j = left.to(torch.int64), top.to(torch.int64)
    flat = pictures.reshape(frames, height * width, channels)

    def pixel(column: Tensor, row: Tensor) -> Tensor:
        place = (row.clamp(max=height - 1) * width + column.clamp(max=width - 1)).reshape(frames, -1, 1)
        return flat.gather(1, place.expand(-1, -1, channels)).reshape(pictures.shape)

    above = torch.lerp(pixel(i, j), pixel(i + 1, j), s)
    below = torch.lerp(pixel(i, j + 1), pixel(i + 1, j + 1), s)
    return torch.lerp(above, below, t)


def _toned(light: Tensor, looks: Looks) -> Tensor:
    """Map linear light to [0, 1] by each frame's tone curve.

    The filmic curve is Narkowicz's fit to ACES:
    https://knarkowicz.wordpress.com/2016/01/06/aces-filmic-tone-mapping-curve/
    """
    bright = 1.6 * light
    filmic = bright * (2.51 * bright + 0.03) / (bright * (2.43 * bright + 0.59) + 0.14)
    curved = {"srgb": light, "filmic": filmic, "reinhard": 1.8 * light / (1 + light)}
    linear = torch.stack([curved[name] for name in CURVES])
    rows = torch.arange(len(light), device=light.device)
    chosen = linear[looks.curve, rows].clamp(0, 1)
    bright = 1.055 * chosen.clamp(min=1e-6).pow(1 / 2.4) - 0.055
    return torch.where(chosen <= 0.0031308, 12.92 * chosen, bright)
