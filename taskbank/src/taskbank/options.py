"""Options that users choose by name, for the API and the commands; quick to import.

The commands import them before anything heavy, so that `--help` needs neither torch nor NumPy.
"""

from __future__ import annotations

from enum import StrEnum

LARGEST_SIZE = 4096
"""Largest side in px of a network's square, so that an unknown bank or a mistyped size takes no memory."""

DEFAULT_FOV = 75.0
"""Horizontal field of view in degrees that the original networks were trained on."""


class Fit(StrEnum):
    """Ways to fit a photo to a network's input.

    `WHOLE` is for networks that predict maps; all others use `CROP` instead.
    """

    WHOLE = "whole"
    CROP = "crop"
    PAD = "pad"
    STRETCH = "stretch"


class Precision(StrEnum):
    """Floating-point form of weights and activations while a network runs."""

    FP32 = "fp32"
    FP16 = "fp16"
    BF16 = "bf16"


class Frame(StrEnum):
    """Frame of a map: its rows and columns are the pixels of the input, or those of the network."""

    INPUT = "input"
    NETWORK = "network"


class Axes(StrEnum):
    """Directions of the camera's axes, for normals and point clouds."""

    OPENCV = "opencv"
    OPENGL = "opengl"


class Kind(StrEnum):
    """Kind of labels."""

    AUTO = "auto"
    NUMBERS = "numbers"
    CLASSES = "classes"


class Format(StrEnum):
    """Forms of exported files."""

    ONNX = "onnx"
    TORCHSCRIPT = "torchscript"
