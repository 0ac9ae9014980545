"""Predictions for image files, saved as they come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from taskbank.bank import Bank
from taskbank.canvas import photo_image
from taskbank.decode import Reading
from taskbank.engine import Engine, Item, Outcome
from taskbank.errors import InvalidInputError, TaskBankError
from taskbank.export import SHEET, Form, file_names, refuse_existing, save_image, save_prediction
from taskbank.geometry import DEFAULT_FOV
from taskbank.settings import Settings
from taskbank.sheet import caption, sheet
from taskbank.tasks import find_task
from taskbank.whole_files import result_names


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """Where and how predictions are saved.

    Attributes:
        folder: results of an input go to a folder of its name in it.
        forms: what is written for each prediction.
        overwrite: whether results that are there already are replaced.
        fov: field of view of what networks see, in degrees, for drawing rooms and vanishing points.
    """

    folder: Path
    forms: tuple[Form, ...] = (Form.PNG, Form.JSON)
    overwrite: bool = False
    fov: float = DEFAULT_FOV

    def __post_init__(self) -> None:
        """Refuse an impossible field of view."""
        if not 0 < self.fov < 180:
            raise InvalidInputError(f"fov {self.fov:g} must lie between 0 and 180 degrees")

    @property
    def sheet(self) -> bool:
        """Whether pictures are made, and so a sheet of them where there are several."""
        return Form.PNG in self.forms


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What became of one input.

    Attributes:
        sources: its files.
        folder: where its results are.
        error: why there are none; None where there are.
    """

    sources: tuple[str, ...]
    folder: Path
    error: TaskBankError | None = None


def predict_files(
    bank: Bank,
    tasks: Iterable[str],
    inputs: Sequence[tuple[Path, ...]],
    saving: Saving,
    *,
    settings: Settings | None = None,
    reading: Reading | None = None,
) -> Iterator[Saved]:
    """Predict and save, input by input; an input that cannot be read does not stop the others.

    Args:
        bank: where networks come from.
        tasks: names of tasks that take the same number of images.
        inputs: tuples of so many files.
        saving: where and how.
        settings: how networks are run.
        reading: how predictions are wanted.

    Yields:
        one report per input, in order, after its results are written.

    Raises:
        InvalidInputError: an input has another number of files than the tasks take images.
        OutputError: results exist already and may not be replaced (nothing is computed then), or a file
            cannot be written.
        TaskBankError: as `taskbank.engine.Engine`.
    """
    folders = [saving.folder / name for name in _names(inputs)]
    names = [bank.entry(task).task for task in tasks]
    _check_numbers(names, inputs)
    if not saving.overwrite:
        refuse_existing(path for folder in folders for path in _results(folder, names, saving))
    engine = Engine(bank, names, settings)
    items: Iterable[Item] = (files if len(files) > 1 else files[0] for files in inputs)
    for outcome, folder in zip(engine.run(items), folders, strict=True):
        if outcome.error is None:
            _save(outcome, [task.name for task in engine.tasks], folder, saving, reading or Reading())
        yield Saved(sources=outcome.sources, folder=folder, error=outcome.error)


def _check_numbers(tasks: Sequence[str], inputs: Sequence[tuple[Path, ...]]) -> None:
    """Refuse inputs of a wrong number of files at once, rather than one by one."""
    given = {len(group) for group in inputs}
    for task in tasks:
        wanted = find_task(task).num_images
        if wanted == 1 and given - {1}:
            raise InvalidInputError(f"{task} takes single images: leave --together out")
        if given - {wanted}:
            raise InvalidInputError(
                f"{task} takes {wanted} image(s) together, not {min(given - {wanted})}: name so many, with "
                "--together"
            )


def _names(inputs: Sequence[tuple[Path, ...]]) -> list[str]:
    """A folder name per input; several files of one input are joined."""
    files = [path for group in inputs for path in group]
    names = dict(zip(files, result_names(files), strict=True))
    return ["+".join(names[path] for path in group) for group in inputs]


def _results(folder: Path, tasks: Sequence[str], saving: Saving) -> list[Path]:
    """Every file that one input gives."""
    paths = [folder / name for task in tasks for name in file_names(task, saving.forms)]
    return [*paths, folder / SHEET] if saving.sheet and len(tasks) > 1 else paths


def _save(outcome: Outcome, tasks: Sequence[str], folder: Path, saving: Saving, reading: Reading) -> None:
    """Decode, write and forget one task after another; keep small pictures for the sheet."""
    pictures: dict[str, Image.Image] = {}
    captions: dict[str, str] = {}
    for task in tasks:
        prediction = outcome.prediction(task, reading)
        drawn = save_prediction(prediction, outcome.sights, folder, saving.forms, fov=saving.fov)
        if drawn is not None:
            drawn.thumbnail((512, 512))
            pictures[task], captions[task] = drawn, caption(prediction)
    if len(pictures) > 1:
        photo = photo_image(outcome.sights[0].photo, 512)
        save_image(sheet(pictures, captions, photo), folder / SHEET)
