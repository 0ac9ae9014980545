"""Predictions for videos: files per task, written frame by frame; memory does not grow with the clip.

| form | files |
|---|---|
| png | `TASK.mp4`: the pictures, in the input's frame, size and times |
| npy | `TASK.npy`: the arrays, one per frame on the first axis; 25 MB per frame for normals at 1920 x 1080 |
| json | `TASK.json`: unit, convention, provenance, facts of the video |
|      | `TASK.jsonl`: a line per frame, for tasks that predict numbers rather than maps |

Sound is left out; the facts state this. H.264 needs even sides: if a side is odd, its last row or column is
repeated in `TASK.mp4` (not in arrays).

Colours have the same meaning in all frames: scales that depend on the predictions (depth, curvature,
embeddings) are measured beforehand on frames from the whole clip. With a scale per frame, pictures would
flicker and could not be compared.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass, replace
from math import exp
from pathlib import Path

import numpy as np
from torch import Tensor

from taskbank.drawing.picture_scale import ADAPTED, CurvatureScale, DepthScale, Scale, measure
from taskbank.errors import InvalidInputError, VideoError
from taskbank.inference.decode import Reading
from taskbank.inference.outcome import Item, Outcome
from taskbank.inference.protocol import PredictionEngine
from taskbank.inference.results import Prediction
from taskbank.labels.files import save_facts
from taskbank.options import Frame
from taskbank.saving.export import Form
from taskbank.tasks.kinds import OutputKind
from taskbank.tasks.registry import TASKS, Task
from taskbank.video.files import Clip, VideoFrame, read_frames
from taskbank.video.sinks import Sink, array_sink, changing_facts, line_sink, picture_sink

_MEASURED_FRAMES = 24  # frames of a clip on which scales of colours are measured
_FORMS = (Form.PNG, Form.NPY, Form.JSON)
_FEW_NUMBERS = frozenset(
    {
        OutputKind.CLASSES,
        OutputKind.LAYOUT,
        OutputKind.NUMBERS,
        OutputKind.VANISHING_POINTS,
        OutputKind.PERMUTATION,
    }
)
_PUZZLES = frozenset(task.name for task in TASKS.values() if task.output is OutputKind.PERMUTATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoSaving:
    """Options for saving predictions for a video.

    Attributes:
        folder: of the files; it is created.
        forms: what is written for each task.
        fov: horizontal field of view in degrees, for rooms and vanishing points; None if unknown.
        smooth: seconds over which the networks' raw outputs are averaged: a running mean whose weights fall
            to 1/e in that time. It reduces flicker, but moving things leave trails. 0 for none. The order of
            shuffled tiles is never averaged.
    """

    folder: Path
    forms: tuple[Form, ...] = (Form.PNG, Form.JSON)
    fov: float | None = None
    smooth: float = 0.0

    def __post_init__(self) -> None:
        """Check the values for a video."""
        if not 0 <= self.smooth < float("inf"):
            raise InvalidInputError(f"smooth {self.smooth:g} must be seconds, 0 or more")
        for form in self.forms:
            if form not in _FORMS:
                raise InvalidInputError(
                    f"a video cannot be saved as {form}: choose from {', '.join(_FORMS)}, or name its frames "
                    "as images"
                )


def video_file_names(task: Task, forms: Iterable[Form]) -> list[str]:
    """List the file names of one task for a video.

    Args:
        task: the task of the files.
        forms: the forms to save.
    """
    endings = {Form.PNG: "mp4", Form.NPY: "npy", Form.JSON: "json"}
    wanted = tuple(forms)
    names = [f"{task.name}.{endings[form]}" for form in wanted if form in endings]
    return names + [f"{task.name}.jsonl"] * (Form.JSON in wanted and task.output in _FEW_NUMBERS)


def save_video(
    engine: PredictionEngine,
    clip: Clip,
    saving: VideoSaving,
    *,
    reading: Reading | None = None,
    each: Callable[[int], object] = lambda number: None,
) -> int:
    """Predict for every frame of a clip, and save the results. Files appear once the clip is finished.

    Args:
        engine: of tasks that take single images.
        clip: from `taskbank.video.files.open_clip`.
        saving: folder and form of the results.
        reading: form of the predictions.
        each: called with the number of every finished frame.

    Returns:
        the number of frames.

    Raises:
        VideoError: the clip is damaged.
        OutputError: a file cannot be written.
    """
    chosen = reading or Reading()
    names = [task.name for task in engine.tasks]
    scales: dict[str, Scale | None] = {}
    adapted = [task.name for task in engine.tasks if task.output in ADAPTED]
    if adapted and Form.PNG in saving.forms:
        # Scales of colours for the whole clip, measured on frames spread over it.
        spread = set(np.linspace(0, max(clip.frames - 1, 0), _MEASURED_FRAMES).round().astype(int).tolist())
        seen: dict[str, list[Prediction]] = {name: [] for name in adapted}
        for outcome in engine.run(frame.pixels for frame in read_frames(clip, spread)):
            for name in adapted:
                # In the network's frame, predictions are small and have the same range of values.
                seen[name].append(outcome.prediction(name, replace(chosen, frame=Frame.NETWORK)))
        scales = {name: measure(predictions) for name, predictions in seen.items() if predictions}
    count, last = 0, None
    with ExitStack() as stack:
        sinks = {task.name: _sinks(stack, task, clip, saving, scales.get(task.name)) for task in engine.tasks}
        for frame, outcome in _outcomes(engine, clip, saving.smooth):
            last = {}
            for name in names:
                last[name] = replace(outcome.prediction(name, chosen), sources=(str(clip.path),))
                for sink in sinks[name]:
                    sink(last[name], outcome.inputs, frame)
            count += 1
            each(frame.number)
        if last is None:
            raise VideoError(f"no picture of {clip.path} can be read: it may be damaged, get it again")
        if Form.JSON in saving.forms:
            for name, prediction in last.items():
                # Facts of the whole clip, without those that change from frame to frame.
                changing, scale = changing_facts(prediction), scales.get(name)
                colours = {}
                if isinstance(scale, DepthScale | CurvatureScale):
                    colours["colours"] = asdict(scale)
                facts = {key: value for key, value in prediction.facts().items() if key not in changing}
                facts["video"] = {
                    "frames": count,
                    "rate": float(clip.rate),
                    "width": clip.width,
                    "height": clip.height,
                    "rotation": clip.rotation,
                    "sound": "left out" if clip.sound else "none",
                    "smoothed_seconds": saving.smooth,
                    **colours,
                    "mirrored": clip.mirrored,
                    "cut_off": clip.cut_off,
                    "damage": str(clip.damage),
                }
                save_facts(saving.folder / f"{name}.json", facts)
    return count


def _outcomes(
    engine: PredictionEngine, clip: Clip, smooth: float = 0.0
) -> Iterator[tuple[VideoFrame, Outcome]]:
    """Yield every frame and its outcome."""
    waiting: deque[VideoFrame] = deque()
    average = _Average(smooth, float(clip.time_base))

    def images() -> Iterator[Item]:
        for frame in read_frames(clip):
            waiting.append(frame)
            yield frame.pixels

    for outcome in engine.run(images()):
        frame = waiting.popleft()
        yield frame, replace(outcome, raw=average.of(outcome.raw, frame.time)) if smooth else outcome


class _Average:
    """A running mean of networks' raw outputs, weighted by time rather than by frames.

    Args:
        seconds: time in which weights fall to 1/e.
        unit: of times, in seconds.
    """

    def __init__(self, seconds: float, unit: float) -> None:
        self._seconds = seconds
        self._unit = unit
        self._mean: Mapping[str, Tensor] = {}
        self._time = 0

    def of(self, raw: Mapping[str, Tensor], time: int) -> Mapping[str, Tensor]:
        """Return the mean of all outputs so far, including those of this time."""
        if self._mean:
            share = 1 - exp(-(time - self._time) * self._unit / self._seconds)
            raw = {
                task: values if task in _PUZZLES else self._mean[task].lerp(values, share)
                for task, values in raw.items()
            }
        self._mean, self._time = raw, time
        return raw


def _sinks(stack: ExitStack, task: Task, clip: Clip, saving: VideoSaving, scale: Scale | None) -> list[Sink]:
    """Open a sink for each form of a task's predictions."""
    sinks: list[AbstractContextManager[Sink]] = []
    for name in video_file_names(task, saving.forms):
        path = saving.folder / name
        match path.suffix:
            case ".mp4":
                sinks.append(picture_sink(path, clip, saving.fov, scale))
            case ".npy":
                sinks.append(array_sink(path))
            case ".jsonl":
                sinks.append(line_sink(path, clip))
    return [stack.enter_context(sink) for sink in sinks]
