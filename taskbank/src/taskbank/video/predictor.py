"""Short function for videos: predict tasks for a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from taskbank.errors import InvalidInputError
from taskbank.inference.engine import Engine
from taskbank.inference.predictor import BankInput, choose_tasks, make_reading, make_settings, open_bank
from taskbank.saving.export import check_results, parse_forms
from taskbank.video.files import Clip, open_clip
from taskbank.video.predictions import VideoSaving, save_video, video_file_names


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedVideo:
    """One video and its saved predictions.

    Attributes:
        clip: the input.
        frames: number of predicted frames.
        files: task -> paths of its files.
    """

    clip: Clip
    frames: int
    files: dict[str, tuple[Path, ...]]


def predict_video(
    path: str | Path,
    tasks: str | Iterable[str],
    *,
    out: str | Path,
    bank: BankInput = None,
    save: Iterable[str] = ("png", "json"),
    frame: str = "input",
    normals: str = "opencv",
    fov: float | None = None,
    smooth: float = 0.0,
    overwrite: bool = False,
    each: Callable[[int], object] = lambda number: None,
    **settings: Any,
) -> SavedVideo:
    """Predict tasks for a video and save them frame by frame: memory does not grow with its length.

    Args:
        path: of a video in any format that FFmpeg reads.
        tasks: names of tasks that take single images; `all` for every such task of the bank.
        out: folder of the files, see `taskbank.video.predictions` for their names.
        bank: as for `taskbank.load`.
        save: `png` for a video of pictures per task, `npy` for arrays, `json` for units, provenance and, one
            line per frame, numbers.
        frame: maps in the `input`'s frame and size, or the `network`'s.
        normals: axes of surface normals, `opencv` or `opengl`.
        fov: horizontal field of view in degrees; None if unknown.
        smooth: seconds over which the networks' numbers are averaged, see `VideoSaving`.
        overwrite: whether existing files are replaced.
        each: called with the number of every finished frame.
        settings: as for `taskbank.load`.

    Raises:
        VideoError: the file is missing, damaged or not a video.
        MissingPackageError: PyAV is not installed: `pip install 'taskbank[video]'`.
        OutputError: files exist already, would replace the input, or cannot be written.
        TaskBankError: as `taskbank.predict`.

    Examples:
        >>> import taskbank
        >>> taskbank.predict_video("clip.mp4", ["normals"], out="results").frames
        3
    """
    saving = VideoSaving(folder=Path(out), forms=parse_forms(save), fov=fov, smooth=smooth)
    reading = make_reading(frame, normals)
    clip = open_clip(Path(path))
    chosen = open_bank(bank)
    engine = Engine(chosen, choose_tasks(chosen, tasks), make_settings(settings))
    if engine.num_images != 1:
        raise InvalidInputError(
            f"{engine.tasks[0].name} takes {engine.num_images} images, not a video's frames"
        )
    files = {
        task.name: tuple(saving.folder / name for name in video_file_names(task, saving.forms))
        for task in engine.tasks
    }
    names = [path.name for paths in files.values() for path in paths]
    check_results([(saving.folder, names)], [clip.path], overwrite=overwrite)
    count = save_video(engine, clip, saving, reading=reading, each=each)
    return SavedVideo(clip=clip, frames=count, files=files)
