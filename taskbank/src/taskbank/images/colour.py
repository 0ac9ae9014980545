"""sRGB and CIE Lab (D65, two-degree observer; IEC 61966-2-1 and CIE 15), channels first."""

from __future__ import annotations

import torch
from torch import Tensor

_TO_XYZ = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
_WHITE = (0.95047, 1.0, 1.08883)
# A constant, so that graphs can be exported; it includes the white point.
_FROM_XYZ = (
    torch.linalg.inv(torch.tensor(_TO_XYZ, dtype=torch.float64)) * torch.tensor(_WHITE, dtype=torch.float64)
).tolist()
_LINEAR_BELOW = (6 / 29) ** 3
_SLOPE = (29 / 6) ** 2 / 3
_OFFSET = 4 / 29


def lightness(rgb: Tensor) -> Tensor:
    """Compute the CIE lightness of colours.

    Args:
        rgb: float (..., 3, H, W), sRGB in [0, 1].

    Returns:
        float (..., 1, H, W), 0 to 100.
    """
    return 116 * _response(_mixed(_linear(rgb), _TO_XYZ[1:2])) - 16


def rgb_to_lab(rgb: Tensor) -> Tensor:
    """Convert colours from sRGB to CIE Lab.

    Args:
        rgb: float (..., 3, H, W), sRGB in [0, 1].

    Returns:
        float (..., 3, H, W): L 0 to 100, a and b about -110 to 110.
    """
    scaled = [tuple(share / white for share in row) for row, white in zip(_TO_XYZ, _WHITE, strict=True)]
    x, y, z = _response(_mixed(_linear(rgb), scaled)).unbind(-3)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=-3)


def lab_to_rgb(lab: Tensor) -> Tensor:
    """Convert colours from CIE Lab to sRGB; channels of colours outside sRGB are clipped to [0, 1].

    Args:
        lab: float (..., 3, H, W).

    Returns:
        float (..., 3, H, W) in [0, 1].
    """
    light, a, b = lab.unbind(-3)
    y = (light + 16) / 116
    responses = torch.stack([y + a / 500, y, y - b / 200], dim=-3)
    low = (responses - _OFFSET) / _SLOPE
    xyz = torch.where(responses > 6 / 29, responses**3, low)
    linear = _mixed(xyz, _FROM_XYZ).clamp(0, 1)
    return torch.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)


def _linear(rgb: Tensor) -> Tensor:
    """Undo the gamma of sRGB."""
    return torch.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)


def _response(xyz: Tensor) -> Tensor:
    """Compute Lab's response: a cube root with a linear part."""
    return torch.where(xyz > _LINEAR_BELOW, xyz.clamp(min=_LINEAR_BELOW) ** (1 / 3), xyz * _SLOPE + _OFFSET)


def _mixed(colours: Tensor, matrix: object) -> Tensor:
    """Apply a matrix (n, 3) to the channels of (..., 3, H, W)."""
    weights = torch.tensor(matrix, dtype=colours.dtype, device=colours.device)
    return torch.einsum("ij,...jhw->...ihw", weights, colours)


def recolour(rgb: Tensor, ab: Tensor) -> Tensor:
    """Combine a picture's lightness with other colours.

    Args:
        rgb: sRGB (3, H, W), uint8 or float in [0, 1].
        ab: float (2, H, W), of CIE Lab.

    Returns:
        sRGB (3, H, W), float in [0, 1].
    """
    shares = rgb / 255 if rgb.dtype == torch.uint8 else rgb
    return lab_to_rgb(torch.cat([lightness(shares), ab]))
