"""Comparison of all networks on a short video: one side-by-side MP4 file.

A request has a time limit. If the first frame shows that not all frames fit into it, every second one is
compared, or every third, and so on; times are kept, so the result is as long as the input.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from time import monotonic

import numpy as np
from PIL import Image

from taskbank.drawing.picture_scale import Scale
from taskbank.errors import VideoError
from taskbank.images.read_ahead import in_batches
from taskbank.inference.outcome import Outcome
from taskbank.inference.preprocess import Preprocessed, as_square_photo
from taskbank.video.files import Bytes, Clip, VideoFrame, read_frames, video_writer
from taskbank_demo.deadline import Deadline
from taskbank_demo.transfers.cast import TITLES, ComparedNetwork, Role
from taskbank_demo.transfers.mosaic import CELL, Mosaic
from taskbank_demo.transfers.stage import COMPARABLE, common_scale, draw, input_image, stage

_CHUNK = 4  # frames between two progress updates
_MEASURED = 8  # frames of the clip on which the scale of colours is measured
_SHARE = 0.6  # share of the remaining time to plan for, as other visitors' requests slow this one down


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoProgress:
    """Progress of a video.

    Attributes:
        done: number of finished frames.
        total: number of frames to compare, according to the file.
        every: 1 if all frames are compared, 2 for every second one, and so on.
        seconds: finished seconds of the video.
        image: the newest frame, RGB.
    """

    done: int
    total: int
    every: int
    seconds: float
    image: Image.Image


def compare_video(
    clip: Clip,
    parts: Sequence[ComparedNetwork],
    target: str,
    path: Path,
    lines: Sequence[str],
    deadline: Deadline,
) -> Iterator[VideoProgress]:
    """Write the input and the predictions of every network, side by side, to an MP4 file.

    Args:
        clip: the input.
        parts: of `cast`, the transfer first; missing ones are left out.
        target: canonical name.
        path: of the file, which exists after the last step.
        lines: text about the comparison, drawn into the picture.
        deadline: when it passes, the file ends with the finished frames.

    Yields:
        a step for the first frame, and then one for every few frames.

    Raises:
        SlowRequestError: the time limit passes before the first frame.
        VideoError: the video is damaged.
        OutputError: the file cannot be written.
    """
    present = [part for part in parts if part.runs is not None]
    screen = _Screen(clip, present, target, lines, deadline)
    first = next(read_frames(clip, {0}), None)
    if first is None:
        raise VideoError(f"no picture of {clip.path.name} can be read: it may be damaged")
    screen.show([first])  # warm-up: the first run is slow, as memory is not allocated yet
    began = monotonic()
    (drawn,) = screen.show([first])
    every = frame_step(monotonic() - began, clip.frames, deadline.left)
    wanted = range(0, max(clip.frames, 1), every)
    yield VideoProgress(done=0, total=len(wanted), every=every, seconds=0.0, image=Image.fromarray(drawn))
    done = 0
    with video_writer(path, clip) as write:
        for frames in in_batches(read_frames(clip, wanted), _CHUNK):
            for frame, drawn in zip(frames, screen.show(frames), strict=True):
                write(drawn, frame.time)
            done += len(frames)
            yield VideoProgress(
                done=done,
                total=max(len(wanted), done),
                every=every,
                seconds=float(frames[-1].time * clip.time_base),
                image=Image.fromarray(drawn),
            )
            if deadline.left == 0:
                break


def frame_step(seconds: float, frames: int, left: float) -> int:
    """Return the step between frames that leaves time to compare them: 1 for every frame, 2 for every second.

    Args:
        seconds: time for one frame.
        frames: number of frames of the clip.
        left: seconds left to the request.
    """
    return max(1, ceil(frames * seconds / max(_SHARE * left, 1e-3)))


class _Screen:
    """Draws frames with the predictions of each network.

    Args:
        clip: source of the frames.
        parts: networks.
        target: canonical name.
        lines: text about the comparison.
        deadline: for the measurement of the scale of colours.
    """

    def __init__(
        self,
        clip: Clip,
        parts: Sequence[ComparedNetwork],
        target: str,
        lines: Sequence[str],
        deadline: Deadline,
    ) -> None:
        self._runs = {part.role: part.runs for part in parts if part.runs is not None}
        self._target = target
        self._mosaic = Mosaic(["Input", *(TITLES[role] for role in self._runs)], lines)
        self._scale = self._measured(clip, deadline)

    def show(self, frames: Sequence[VideoFrame]) -> list[Bytes]:
        """Draw a picture per frame."""
        columns = [
            (role, list(runs.run(frame.pixels for frame in frames))) for role, runs in self._runs.items()
        ]
        return [
            self._mosaic.fill(self._pictures({role: outcomes[number] for role, outcomes in columns}))
            for number in range(len(frames))
        ]

    def _pictures(self, outcomes: dict[Role, Outcome]) -> list[Image.Image]:
        """Draw the input and the picture of each network."""
        preprocessed = _staged(outcomes[Role.TRANSFER])
        drawn = [
            draw(stage(outcome, preprocessed, self._target), preprocessed, self._scale)
            for outcome in outcomes.values()
        ]
        return [input_image(preprocessed), *drawn]

    def _measured(self, clip: Clip, deadline: Deadline) -> Scale | None:
        """Measure the scale of colours for all frames, on some of them; None if colours are fixed."""
        deadline.check()
        best = self._runs.get(Role.FULL_SUPERVISION) or self._runs[Role.TRANSFER]
        if best.tasks[0].output not in COMPARABLE:
            return None
        wanted = set(np.linspace(0, max(clip.frames - 1, 0), _MEASURED).round().astype(int).tolist())
        seen = []
        for outcome in best.run(frame.pixels for frame in read_frames(clip, wanted)):
            deadline.check()
            seen.append(stage(outcome, _staged(outcome), self._target))
        return common_scale({Role.TRANSFER: seen}) if seen else None


def _staged(outcome: Outcome) -> Preprocessed:
    """Preprocess a frame as its middle square."""
    if outcome.error is not None:
        raise outcome.error
    return as_square_photo(outcome.inputs[0], CELL)
