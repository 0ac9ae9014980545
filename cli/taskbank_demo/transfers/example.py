"""An example video, made on request: the camera pans over an example photograph."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from PIL import Image

from taskbank.video.files import Clip, video_writer
from taskbank_demo.example_photos import SINGLE
from taskbank_demo.services import Services

_PHOTOGRAPH = "sitting room"
_FRAMES, _RATE = 24, 12
_SHARE = 0.75  # share of the photograph in one frame, per side


def example_video(services: Services) -> str:
    """Make an example video for one visitor, like an upload; return its path.

    Raises:
        MissingPackageError: PyAV is not installed.
    """
    with Image.open(SINGLE[_PHOTOGRAPH]) as file:
        photograph = file.convert("RGB")
    path = services.new_folder() / "pan.mp4"
    width, height = (2 * round(side * _SHARE / 2) for side in photograph.size)
    clip = Clip(
        path=path,
        frames=_FRAMES,
        width=width,
        height=height,
        rotation=0,
        rate=Fraction(_RATE),
        time_base=Fraction(1, _RATE),
        sound=False,
    )
    with video_writer(path, clip) as write:
        for number in range(_FRAMES):
            left = round((photograph.width - width) * number / (_FRAMES - 1))
            top = (photograph.height - height) // 2
            write(np.asarray(photograph.crop((left, top, left + width, top + height))), number)
    return str(path)
