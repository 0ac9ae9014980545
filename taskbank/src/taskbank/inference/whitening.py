"""Means and standard deviations with which the original networks' targets were whitened.

https://github.com/StanfordVL/taskonomy (`load_ops.py`). Decoding needs the same numbers as training. The row
for fixated poses cannot be right, as no angle in radians has a standard deviation of ten (it was measured on
poses that were already whitened), but the published weights need it.
"""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

_FIXATED = (
    (-0.267375523, -0.011914704, 0.0114497274, 0.00110903410, 0.0210509948, -4.02013549),
    (10.12015407, 8.1103528, 1.09171896, 1.21579016, 0.26040945, 10.05966329),
)
_NONFIXATED = (
    (-0.00953197445, -0.00105196691, -0.0107545642, 0.0208785638, -0.0927858049, -2.58052205),
    (1.02316223, 0.66477511, 1.03806996, 5.75692889, 1.37604962, 7.43157247),
)
_LAYOUT = (
    (
        0.006072743318127848, 0.010272365569691076, -3.135909774145468,
        1.5603802322235532, 5.6228218371102496e-05, -1.5669352793761442,
        5.622875878174759, 4.082800262277375, 2.7713941642895956,
    ),
    (
        0.8669452525283652, 0.687915294956501, 2.080513632043758,
        0.19627420479282623, 0.014680602791251812, 0.4183827359302299,
        3.991778013006544, 2.703495278378409, 1.2269185938626304,
    ),
)  # fmt: skip

WHITENING = MappingProxyType(
    {
        "egomotion": (_FIXATED[0] * 2, _FIXATED[1] * 2),
        "fixated_pose": _FIXATED,
        "nonfixated_pose": _NONFIXATED,
        "room_layout": _LAYOUT,
        "curvature": ((123.572, 120.1), (31.922, 21.658)),
    }
)
"""Task -> means and standard deviations, one per channel. Poses: three angles in radians, then metres; room
layout: see `taskbank.geometry.box_corners`; curvature: in the 8-bit code on disk."""


def whiten(task: str, values: ArrayLike) -> NDArray[np.float64]:
    """Whiten values (..., channels) for the network of `task`."""
    mean, std = WHITENING[task]
    return (np.asarray(values, dtype=np.float64) - mean) / std


def unwhiten(task: str, numbers: ArrayLike) -> NDArray[np.float64]:
    """Convert outputs of the network of `task`, (..., channels), to the values' own units."""
    mean, std = WHITENING[task]
    return np.asarray(numbers, dtype=np.float64) * std + mean
