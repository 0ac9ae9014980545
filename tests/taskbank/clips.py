"""Small video files for tests."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

COLOURS = ((200, 40, 40), (40, 180, 60), (50, 60, 220), (220, 200, 40), (120, 40, 160))
MILLISECOND = Fraction(1, 1000)


def corner_frames(count: int, width: int = 64, height: int = 48) -> list[np.ndarray]:
    """Frames of one colour each, in turn, with a white upper left corner."""
    frames = []
    for number in range(count):
        frame = np.full((height, width, 3), COLOURS[number % len(COLOURS)], np.uint8)
        frame[: height // 4, : width // 4] = 255
        frames.append(frame)
    return frames


def write_clip(
    path: Path,
    frames: Iterable[np.ndarray],
    times: Iterable[int] | None = None,
    *,
    rotation: int = 0,
    sound: bool = False,
    codec: str = "libx264",
) -> Path:
    """A file with these frames at these milliseconds, by default 40 apart."""
    given = list(frames)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=25)
        stream.height, stream.width = given[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = MILLISECOND
        stream.codec_context.gop_size = 4
        if rotation:
            stream.set_display_rotation(rotation)
        audio: Any = container.add_stream("aac", rate=8000) if sound else None
        for number, (pixels, time) in enumerate(
            zip(given, times or range(0, 40 * len(given), 40), strict=True)
        ):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = time, MILLISECOND
            container.mux(stream.encode(frame))
            if audio is not None and number == 0:
                silence = av.AudioFrame.from_ndarray(
                    np.zeros((1, 1024), np.float32), format="fltp", layout="mono"
                )
                silence.sample_rate, silence.pts = 8000, 0
                container.mux(audio.encode(silence))
        for each in (stream, audio):
            if each is not None:
                container.mux(each.encode())
    return path


def read_clip(path: Path) -> tuple[list[np.ndarray], list[float]]:
    """All frames as RGB, and their times in seconds, read by PyAV alone."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    return [frame.to_ndarray(format="rgb24") for frame in frames], [float(frame.time) for frame in frames]
