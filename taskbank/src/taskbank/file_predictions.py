"""Predictions for image and video files, each saved as soon as it is computed."""

from __future__ import annotations

import errno
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, groupby
from pathlib import Path

from PIL import Image

from taskbank.bank.bank import Bank
from taskbank.drawing.canvas import photo_image
from taskbank.drawing.sheet import caption, sheet
from taskbank.errors import InvalidInputError, OutputError, TaskBankError, VideoError
from taskbank.images.files import STDIN, Piped, is_video
from taskbank.images.framing import View, for_squares, view_of
from taskbank.inference.decode import Reading
from taskbank.inference.engine import Engine, Item, Outcome
from taskbank.inference.preprocess import sees_whole
from taskbank.inference.protocol import PredictionEngine
from taskbank.inference.settings import Settings
from taskbank.inference.transfer_engine import TransferEngine
from taskbank.options import Axes
from taskbank.paths import allowed_name, plain_path, result_names
from taskbank.saving.dataset import (
    building_name,
    check_exportable,
    export_outcome,
    exported_names,
    has_exported,
    manifest_path,
    save_manifest,
)
from taskbank.saving.export import SHEET, Form, check_results, file_names, save_image, save_prediction
from taskbank.saving.strips import goes_in_strips, save_in_strips
from taskbank.tasks.kinds import OutputKind
from taskbank.tasks.registry import Task
from taskbank.video.files import load_av, open_clip
from taskbank.video.predictions import VideoSaving, save_video, video_file_names


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """Options for saving predictions.

    Attributes:
        folder: parent of the folders of results, one per input and named after it.
        forms: what is written for each prediction.
        overwrite: whether existing results are replaced.
        skip_existing: whether inputs whose results all exist already are skipped; those with a part of their
            results are predicted again. The bank that made existing results is not checked.
        axes: of the points of point clouds.
        fov: horizontal field of view of the photographs in degrees, for drawing rooms and vanishing points
            and for point clouds; None where it is not known.
        building: name of the building in the dataset's form; None for the name of the inputs' folder.
        smooth: seconds over which numbers are averaged in videos, see `video.predictions.VideoSaving`.

    Examples:
        >>> from pathlib import Path
        >>> import taskbank
        >>> saving = taskbank.Saving(folder=Path("results"), forms=(taskbank.Form.NPY,), skip_existing=True)
        >>> saving.overwrite
        False
    """

    folder: Path
    forms: tuple[Form, ...] = (Form.PNG, Form.JSON)
    overwrite: bool = False
    skip_existing: bool = False
    axes: Axes = Axes.OPENCV
    fov: float | None = None
    building: str | None = None
    smooth: float = 0.0

    def __post_init__(self) -> None:
        """Reject an impossible field of view, and two options that exclude each other."""
        if self.overwrite and self.skip_existing:
            raise InvalidInputError("choose one of overwrite and skip_existing: results are replaced or left")
        if self.fov is not None and not 0 < self.fov < 180:
            raise InvalidInputError(f"fov {self.fov:g} must lie between 0 and 180 degrees")

    def for_video(self, folder: Path) -> VideoSaving:
        """Return these options for a video, with a folder for its files.

        Raises:
            InvalidInputError: a form that a video cannot have.
        """
        return VideoSaving(folder=folder, forms=self.forms, fov=self.fov, smooth=self.smooth)

    @property
    def sheet(self) -> bool:
        """True if pictures are saved, and with them a sheet of the pictures of several tasks."""
        return Form.PNG in self.forms

    def building_folder(self, inputs: Sequence[tuple[Path, ...]]) -> Path:
        """Return the folder for labels in the dataset's form.

        Raises:
            InvalidInputError: the name of the building cannot be that of a folder.
        """
        return self.folder / building_name([files[0] for files in inputs], self.building)


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """One input and its saved results.

    Attributes:
        sources: files of the input.
        folder: folder of its results, except those in the dataset's form.
        error: reason why the input has no results; None if it has some.
        skipped: whether its results existed already and were left alone.
        unseen: task -> largest share of an image that its network did not see; only tasks whose network
            missed a part.
        warning: faults of a video that did not prevent results: missing or damaged frames.
    """

    sources: tuple[str, ...]
    folder: Path
    error: TaskBankError | None = None
    skipped: bool = False
    unseen: Mapping[str, float] = field(default_factory=dict)
    warning: str | None = None


def predict_files(
    bank: Bank,
    tasks: Iterable[str],
    inputs: Sequence[tuple[Path, ...]],
    saving: Saving,
    *,
    sources: Sequence[str] = (),
    settings: Settings | None = None,
    reading: Reading | None = None,
    each_frame: Callable[[Path, int, int], object] = lambda path, number, frames: None,
) -> Iterator[Saved]:
    """Predict and save the results of each input; an input that cannot be read does not stop the others.

    Args:
        bank: source of the networks.
        tasks: names of tasks that take the same number of images.
        inputs: tuples of that many files; a video (see `is_video`) is predicted frame by frame.
        saving: folder and form of the results.
        sources: names of tasks from whose representations transfer networks read `tasks`; without them, the
            tasks' own networks are run.
        settings: how the networks are run.
        reading: form of the predictions.
        each_frame: called after every frame of a video with its path, the frame's number and the number of
            frames.

    Yields:
        one report per input, in order, after its results are written; those of inputs that are skipped come
        first.

    Raises:
        InvalidInputError: an input's number of files is not the number of images that the tasks take; a form
            applies to none of the tasks; `building` is set but no form uses it; `smooth` is set but no input
            is a video.
        OutputError: results exist already and may not be replaced, or would replace an input (in both cases
            nothing is computed), or a file cannot be written.
        TaskBankError: as `inference.engine.Engine` or `inference.transfer_engine.TransferEngine`.

    Examples:
        >>> from pathlib import Path
        >>> import taskbank
        >>> saving = taskbank.Saving(folder=Path("results"))
        >>> bank = taskbank.Bank.open("rooms")
        >>> inputs = [(Path("photo.jpg"),)]
        >>> [saved.error for saved in taskbank.predict_files(bank, ["normals"], inputs, saving)]
        [None]
    """
    wanted = list(
        dict.fromkeys(
            bank.transfer_entry(sources, task).task if sources else bank.find_target(bank.entry(task).task)
            for task in tasks
        )
    )
    names = [task.name for task in wanted]
    settings = settings or Settings()
    _check(wanted, inputs, saving, settings)
    if any(is_video(files[0]) for files in inputs):
        load_av()
        saving.for_video(saving.folder)
    building = saving.building_folder(inputs) if Form.DATASET in saving.forms else None
    taken = () if building is None else (building.name, manifest_path(building).name)
    places = _names(inputs, taken)
    image_names = [name for task in wanted for name in file_names(task.name, saving.forms, task.output)]
    if saving.sheet and len(wanted) > 1:
        image_names.append(SHEET)
    video_names = [name for task in wanted for name in video_file_names(task, saving.forms)]

    def make_jobs() -> Iterator[_Job]:
        # A generator, as making a hundred thousand paths takes a second.
        for point, (files, place) in enumerate(zip(inputs, places, strict=True)):
            yield _Job(point, files, saving.folder / place)

    def file_list(job: _Job) -> list[str]:
        return video_names if is_video(job.files[0]) else image_names

    # Otherwise no results can exist. Unlike methods of paths, this takes names that are too long.
    if os.path.isdir(plain_path(saving.folder)):  # noqa: PTH112 - see above
        results: Iterable[tuple[Path, Sequence[str]]] = ((job.folder, file_list(job)) for job in make_jobs())
        if building is not None:
            manifest = (saving.folder, [manifest_path(building).name])
            results = chain(results, exported_names(building, len(inputs), names), [manifest])
        replaced = saving.overwrite or saving.skip_existing
        check_results(results, chain.from_iterable(inputs), overwrite=replaced)
    done = set()
    if saving.skip_existing:
        for job in make_jobs():
            if all((job.folder / name).is_file() for name in file_list(job)) and (
                building is None or has_exported(building, job.point, names)
            ):
                done.add(job.point)
                yield Saved(sources=tuple(map(str, job.files)), folder=job.folder, skipped=True)
        if len(done) == len(inputs):
            return
    engine = TransferEngine(bank, sources, names, settings) if sources else Engine(bank, names, settings)
    if building is not None:
        save_manifest(building, [files[0] for files in inputs])
    jobs = (job for job in make_jobs() if job.point not in done)
    for videos, group in groupby(jobs, key=lambda job: is_video(job.files[0])):
        if videos:
            yield from (_save_video(engine, job, saving, reading, each_frame) for job in group)
        else:
            yield from _save_images(engine, group, saving, reading or Reading(), building)


@dataclass(frozen=True, slots=True)
class _Job:
    """One input: its position among all inputs, its files, and the folder of its results."""

    point: int
    files: tuple[Path, ...]
    folder: Path


def _save_images(
    engine: PredictionEngine,
    jobs: Iterable[_Job],
    saving: Saving,
    reading: Reading,
    building: Path | None,
) -> Iterator[Saved]:
    """Predict and save images, in batches."""
    names = [task.name for task in engine.tasks]
    waiting: deque[_Job] = deque()  # read ahead, not yet predicted

    def items() -> Iterator[Item]:
        for job in jobs:
            waiting.append(job)
            images = tuple(Piped() if path == STDIN else path for path in job.files)
            yield images if len(images) > 1 else images[0]

    for outcome in engine.run(items()):
        job = waiting.popleft()
        trouble = outcome.error
        if trouble is None:
            try:
                _save(outcome, names, job.folder, saving, reading)
                if building is not None:
                    export_outcome(outcome, names, building, job.point, fov=saving.fov)
            except OutputError as error:
                trouble = _of_its_name(error)
        views = {task: [one.for_task(task).view for one in outcome.inputs] for task in engine.tasks}
        unseen = _unseen(views) if trouble is None else {}
        yield Saved(sources=outcome.sources, folder=job.folder, error=trouble, unseen=unseen)


def _of_its_name(error: OutputError) -> OutputError:
    """Return an error that concerns the name of one input's results; raise others, which would repeat."""
    if getattr(error.__cause__, "errno", None) not in (errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL):
        raise error
    return error


def _save_video(
    engine: PredictionEngine,
    job: _Job,
    saving: Saving,
    reading: Reading | None,
    each_frame: Callable[[Path, int, int], object],
) -> Saved:
    """Predict and save one video; report its faults."""
    path = job.files[0]
    try:
        clip = open_clip(path)
        each = partial(each_frame, path)
        save_video(
            engine,
            clip,
            saving.for_video(job.folder),
            reading=reading,
            each=lambda number: each(number, clip.frames),
        )
    except VideoError as error:
        return Saved(sources=(str(path),), folder=job.folder, error=error)
    except OutputError as error:
        return Saved(sources=(str(path),), folder=job.folder, error=_of_its_name(error))
    fit, size = engine.settings.fit, engine.settings.size or engine.bank.index.image_size
    views = {
        task: [view_of(clip.width, clip.height, fit if sees_whole(task) else for_squares(fit), size)]
        for task in engine.tasks
    }
    warning = "; ".join(filter(None, (clip.cut_off, str(clip.damage))))
    return Saved(
        sources=(str(path),),
        folder=job.folder,
        unseen=_unseen(views),
        warning=f"{path}: {warning}" if warning else None,
    )


def _unseen(views: Mapping[Task, Sequence[View]]) -> dict[str, float]:
    """Return, for each task, the largest share of an image that its network did not see, if it missed any."""
    shares = {task.name: max((view.unseen for view in seen), default=0.0) for task, seen in views.items()}
    return {task: share for task, share in shares.items() if share > 0}


def _check(
    tasks: Sequence[Task], inputs: Sequence[tuple[Path, ...]], saving: Saving, settings: Settings
) -> None:
    """Reject wrong numbers of files per input, and unused output formats and options."""
    given = {len(group) for group in inputs}
    together = [path for group in inputs if len(group) > 1 for path in group if is_video(path)]
    if together:
        raise InvalidInputError(f"{together[0]} is a video: only images can be taken together")
    for task in tasks:
        wanted = task.num_images
        if wanted == 1 and given - {1}:
            raise InvalidInputError(f"{task.name} takes single images: leave --together out")
        if given - {wanted}:
            raise InvalidInputError(
                f"{task.name} takes {wanted} image(s) together, not {min(given - {wanted})}: name so many, "
                "with --together"
            )
    names = [task.name for task in tasks]
    if Form.PLY in saving.forms and not any(task.output is OutputKind.DEPTH for task in tasks):
        raise InvalidInputError(
            f"a point cloud (ply) is made of depth, not of {', '.join(names)}: add depth_zbuffer or "
            "depth_euclidean to the tasks"
        )
    relative = [task.name for task in tasks if task.output is OutputKind.INVERSE_DEPTH]
    if Form.DATASET in saving.forms and relative:
        raise InvalidInputError(
            f"{', '.join(relative)} is relative here, and the dataset's files are in metres: take a model "
            "that gives metres, or leave the task out"
        )
    if Form.DATASET in saving.forms:
        check_exportable(names, settings.fit)
    elif saving.building is not None:
        raise InvalidInputError("only --save dataset has buildings: add it, or leave --building out")
    if saving.smooth and not any(is_video(files[0]) for files in inputs):
        raise InvalidInputError("only videos can be smoothed, and none is named: leave --smooth out")


def _names(inputs: Sequence[tuple[Path, ...]], taken: Iterable[str]) -> list[str]:
    """Choose a folder name per input; names of several files of one input are joined."""
    # Names are taken in order and paths compared as text, as a hundred thousand hashes of paths take a third
    # of a second.
    piped = str(STDIN)
    files = [path for group in inputs for path in group if str(path) != piped]
    if len(files) < sum(map(len, inputs)):
        taken = {*taken, Piped.name}
    single = iter(result_names(files, taken))
    named = [[Piped.name if str(path) == piped else next(single) for path in group] for group in inputs]
    if all(len(group) == 1 for group in inputs):
        return [name for (name,) in named]
    names: dict[tuple[Path, ...], str] = {}
    used = {name.casefold() for name in taken}
    for group, parts in zip(inputs, named, strict=True):
        if group in names:
            continue
        name = joined = allowed_name("+".join(parts).replace(os.sep, "_"))
        number = 1
        while name.casefold() in used:
            number += 1
            name = f"{joined}-{number}"
        used.add(name.casefold())
        names[group] = name
    return [names[group] for group in inputs]


def _save(outcome: Outcome, tasks: Sequence[str], folder: Path, saving: Saving, reading: Reading) -> None:
    """Decode and write one task after another to save memory; keep small pictures for the sheet."""
    pictures: dict[str, Image.Image] = {}
    captions: dict[str, str] = {}
    normals = None
    with_normals = Form.PLY in saving.forms and "normal" in tasks
    for task in tasks if set(saving.forms) - {Form.DATASET} else ():
        if goes_in_strips(outcome, task, reading):
            made = save_in_strips(
                outcome,
                task,
                folder,
                saving.forms,
                reading,
                fov=saving.fov,
                with_normals=with_normals,
                axes=saving.axes,
            )
            if made is not None:
                pictures[task], captions[task] = made
            continue
        prediction = outcome.prediction(task, reading)
        if with_normals and normals is None and prediction.kind is OutputKind.DEPTH:
            normals = outcome.prediction("normal", reading)
        drawn = save_prediction(
            prediction,
            outcome.inputs,
            folder,
            saving.forms,
            fov=saving.fov,
            normals=normals,
            axes=saving.axes,
        )
        if drawn is not None:
            drawn.thumbnail((512, 512))
            pictures[task], captions[task] = drawn, caption(prediction)
    if len(pictures) > 1:
        photo = photo_image(outcome.inputs[0].photo, 512)
        save_image(sheet(pictures, captions, photo), folder / SHEET)
