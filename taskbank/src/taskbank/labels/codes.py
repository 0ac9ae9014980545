"""Codes of the dataset's labels on disk: values with units to integers and back.

https://github.com/StanfordVL/taskonomy (`data/README.md`) and measurements on its records. Exported
predictions, rendered frames and the dataset's own files use the same codes.

| domain | code | invalid |
|---|---|---|
| rgb | 8 bits, sRGB | |
| depth_zbuffer, depth_euclidean | 16 bits, 1/512 m | 65535; codes from 64500 on are not trusted |
| normal | 8 bits, floor((n / 2 + 1 / 2) 255); OpenCV camera frame: x right, y down, z into the scene | 127 |
| principal_curvature | 8 bits, 127 + 127 * 0.03 m * k, 127 is flat | 0 |
| reshading | 8 bits, brightness in [0, 1] | 0 |
| edge_occlusion, edge_texture, keypoints2d, keypoints3d | 16 bits, share of the full scale in [0, 1] | |
| segment_unsup2d, segment_unsup25d | 8 bits, number of a segment | |
| segment_semantic | 8 bits, 0 unknown, 1 background, 2 to 17 things | 0 |

Code 0 of a curvature, a brightness or a share is also the code of the lowest value, so `decode` cannot
distinguish it from an invalid one: use the pixels of unknown depth as the mask.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import torch
from torch import Tensor

from taskbank.errors import InvalidInputError

TRUSTED_DEPTH = 64500
"""Depth codes from here on are not used as labels, nor are labels of other domains at these pixels."""

_UNKNOWN_DEPTH = 65535
_STEPS_PER_METRE = 512
_FLAT = 127
_MIN_RADIUS = 0.03  # metres; curvatures are clipped to 1 / this


class Coding(StrEnum):
    """Meaning of the integers of a domain."""

    COLOUR = "colour"
    DEPTH = "depth"
    NORMAL = "normal"
    CURVATURE = "curvature"
    SHARE = "share"
    NUMBER = "number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """A folder of pictures in the dataset.

    Attributes:
        name: of the folder.
        coding: meaning of the integers.
        bits: per channel.
        channels: of a label.
        file_channels: of a picture on disk, 1 or 3; if more than `channels`, they repeat a single channel, or
            are 0.
    """

    name: str
    coding: Coding
    bits: int = 8
    channels: int = 1
    file_channels: int = 1

    @property
    def highest(self) -> int:
        """The greatest code."""
        return (1 << self.bits) - 1


DOMAINS: MappingProxyType[str, Domain] = MappingProxyType(
    {
        domain.name: domain
        for domain in (
            Domain(name="rgb", coding=Coding.COLOUR, channels=3, file_channels=3),
            Domain(name="depth_zbuffer", coding=Coding.DEPTH, bits=16),
            Domain(name="depth_euclidean", coding=Coding.DEPTH, bits=16),
            Domain(name="normal", coding=Coding.NORMAL, channels=3, file_channels=3),
            Domain(name="principal_curvature", coding=Coding.CURVATURE, channels=2, file_channels=3),
            Domain(name="reshading", coding=Coding.SHARE, file_channels=3),
            Domain(name="edge_occlusion", coding=Coding.SHARE, bits=16),
            Domain(name="edge_texture", coding=Coding.SHARE, bits=16),
            Domain(name="keypoints2d", coding=Coding.SHARE, bits=16),
            Domain(name="keypoints3d", coding=Coding.SHARE, bits=16),
            Domain(name="segment_unsup2d", coding=Coding.NUMBER),
            Domain(name="segment_unsup25d", coding=Coding.NUMBER),
            Domain(name="segment_semantic", coding=Coding.NUMBER),
        )
    }
)
"""Domains of pictures, by the name of their folder."""


def encode(domain: str, values: Tensor) -> Tensor:
    """Encode labels as integers.

    Args:
        domain: name of a domain.
        values: (..., H, W) or (..., H, W, C): float in the domain's unit (metres, unit vectors, 1/m, shares
            in [0, 1]; NaN is unknown), integers for numbers.

    Returns:
        the same shape, uint8 for domains of 8 bits, int32 for those of 16.

    Raises:
        InvalidInputError: there is no such domain.
    """
    coded = find_domain(domain)
    match coded.coding:
        case Coding.DEPTH:
            unknown = torch.full_like(values, _UNKNOWN_DEPTH)
            codes = (values * _STEPS_PER_METRE).round().clamp(0, _UNKNOWN_DEPTH - 1)
            codes = torch.where(values.isfinite(), codes, unknown)
        case Coding.NORMAL:
            codes = torch.where(values.isnan(), float(_FLAT), ((values + 1) * 127.5).floor().clamp(0, 255))
        case Coding.CURVATURE:
            codes = (_FLAT + _FLAT * _MIN_RADIUS * values).round().clamp(0, 2 * _FLAT).nan_to_num(0)
        case Coding.NUMBER:
            codes = values.clamp(0, coded.highest)
        case _:
            codes = (values * coded.highest).round().clamp(0, coded.highest).nan_to_num(0)
    return codes.to(torch.uint8 if coded.bits == 8 else torch.int32)


def decode(domain: str, codes: Tensor) -> Tensor:
    """Decode the integers that `encode` made, up to rounding.

    Args:
        domain: name of a domain.
        codes: integers of any dtype, (..., H, W) or (..., H, W, C).

    Returns:
        float32 of the same shape in the domain's unit, NaN for unknown depth or normals; int64 for segment
        and class numbers.

    Raises:
        InvalidInputError: there is no such domain.
    """
    coded = find_domain(domain)
    if coded.coding is Coding.NUMBER:
        return codes.long()
    values = codes.to(torch.float32)
    match coded.coding:
        case Coding.DEPTH:
            return torch.where(values < TRUSTED_DEPTH, values / _STEPS_PER_METRE, torch.nan)
        case Coding.NORMAL:
            vectors = values / 127.5 - 1
            length = vectors.norm(dim=-1, keepdim=True)
            return torch.where(length > 0.5, vectors / length, torch.nan)
        case Coding.CURVATURE:
            return (values - _FLAT) / (_FLAT * _MIN_RADIUS)
        case _:
            return values / coded.highest


def find_domain(name: str) -> Domain:
    """Find a domain by name.

    Raises:
        InvalidInputError: there is no such domain.
    """
    found = DOMAINS.get(name)
    if found is None:
        raise InvalidInputError(f"no domain {name!r}: choose from {', '.join(DOMAINS)}")
    return found
