"""Sinks: writers of predictions for the frames of a video, as pictures, arrays or lines of JSON.

All are context managers; their files appear if the block ends without an error.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np

from taskbank.atomic_files import whole_file
from taskbank.drawing.picture_scale import Scale
from taskbank.drawing.render import picture
from taskbank.inference.preprocess import Preprocessed
from taskbank.inference.results import Prediction
from taskbank.saving.point_cloud import square_fov
from taskbank.video.files import Clip, VideoFrame, video_writer

Sink: TypeAlias = Callable[[Prediction, tuple[Preprocessed, ...], VideoFrame], object]
"""Function that takes the prediction for a frame, the networks' inputs and the frame."""


@contextmanager
def picture_sink(path: Path, clip: Clip, fov: float | None, scale: Scale | None) -> Iterator[Sink]:
    """Open a sink that draws pictures into a video.

    Args:
        path: of the MP4 file.
        clip: source of the file's rate and unit of time.
        fov: horizontal field of view in degrees; None if unknown.
        scale: scale of colours in all frames.
    """
    with video_writer(path, clip) as write:

        def take(prediction: Prediction, inputs: tuple[Preprocessed, ...], frame: VideoFrame) -> None:
            drawn = picture(prediction, inputs, fov=square_fov(prediction.views[0], fov), scale=scale)
            write(np.asarray(drawn), frame.time)

        yield take


@contextmanager
def array_sink(path: Path) -> Iterator[Sink]:
    """Open a sink that appends arrays to one `.npy` file; its header, with their number, is written last."""
    head: dict[str, Any] = {}
    count = 0
    with whole_file(path) as partial, partial.open("wb") as file:

        def take(prediction: Prediction, _inputs: tuple[Preprocessed, ...], _frame: VideoFrame) -> None:
            nonlocal count
            array = np.ascontiguousarray(prediction.array)
            if not head:
                head.update(shape=array.shape, descr=np.lib.format.dtype_to_descr(array.dtype))
                _write_head(file, head, 0)
            file.write(array.tobytes())
            count += 1

        yield take
        file.seek(0)
        _write_head(file, head, count)


def _write_head(file: BinaryIO, head: Mapping[str, Any], count: int) -> None:
    """Write the header of an array file; NumPy leaves space in it for a larger first axis."""
    written = {"descr": head["descr"], "fortran_order": False, "shape": (count, *head["shape"])}
    np.lib.format.write_array_header_1_0(file, written)


@contextmanager
def line_sink(path: Path, clip: Clip) -> Iterator[Sink]:
    """Open a sink that writes a line of JSON per frame: number, time in seconds, facts that change."""
    with whole_file(path) as partial, partial.open("w", encoding="utf-8") as file:

        def take(prediction: Prediction, _inputs: tuple[Preprocessed, ...], frame: VideoFrame) -> None:
            facts = prediction.facts()
            line = {"frame": frame.number, "seconds": float(frame.time * clip.time_base)}
            line |= {name: facts[name] for name in changing_facts(prediction) if name in facts}
            file.write(json.dumps(line, allow_nan=False) + "\n")

        yield take


def changing_facts(prediction: Prediction) -> tuple[str, ...]:
    """Return the names of facts that differ from frame to frame."""
    return ("values", "top5", *prediction.details)
