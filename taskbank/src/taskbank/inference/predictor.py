"""Short functions for prediction: `load` a task's network and predict, or `predict` tasks in one call."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskbank.bank.bank import Bank
from taskbank.errors import InvalidInputError
from taskbank.images.reading import split_batch
from taskbank.inference.decode import Reading
from taskbank.inference.engine import Engine
from taskbank.inference.protocol import PredictionEngine
from taskbank.inference.settings import Settings
from taskbank.inference.transfer_engine import TransferEngine
from taskbank.options import Axes, Frame
from taskbank.tasks.registry import find_task, normalise

BankInput = Bank | str | Path | None
"""A bank, or an argument of `Bank.open`; None is the default bank."""


class Predicts:
    """Base of predictors of one task.

    Attributes:
        task: canonical name.
        bank: source of the networks.
    """

    def __init__(self, bank: Bank, task: str, engine: PredictionEngine) -> None:
        self.task = task
        self.bank = bank
        self._engine = engine

    def predict(self, images: Any, *, frame: str = "input", normals: str = "opencv") -> Any:
        """Predict the task for an image, or for each of several.

        Args:
            images: one image: a path, a PIL image, an array (H, W) or (H, W, 1, 3 or 4), a tensor (H, W) or
                (1, 3 or 4, H, W), of uint8, uint16, or float in [0, 1]; a tuple of images for a task that
                takes several; a list or a fourth axis for several predictions.
            frame: `input`: maps have the input's size and pixels; `network`: maps are in the network's frame.
            normals: axes of surface normals: `opencv`, as in the dataset, or `opengl`.

        Returns:
            a `Prediction`, or a list of them for several `images`.

        Raises:
            ImageError: an image cannot be read, or is none.
            InvalidInputError: an unknown value of `frame` or `normals`; a tuple of the wrong length.
            MissingTaskError: the bank holds no decoder for the task.
        """
        reading = make_reading(frame, normals)
        items, alone = split_batch(images)
        made = [outcome.prediction(self.task, reading) for outcome in self._engine.run(items)]
        return made[0] if alone else made


class Predictor(Predicts):
    """The network of one task, ready for use. Made by `taskbank.load`.

    Attributes:
        task: canonical name.
        bank: source of the network.
    """

    def __init__(self, bank: Bank, task: str, settings: Settings) -> None:
        entry = bank.entry(task)
        self._encoder = Engine(bank, [entry.task], settings, encoders_only=not entry.predicts)
        super().__init__(bank, entry.task, self._encoder)

    def encode(self, images: Any, *, normalize: bool = True) -> NDArray[np.float32]:
        """Encode an image, or each of several, as features for other networks.

        Args:
            images: as for `predict`, but always single images.
            normalize: whether every channel is scaled to mean 0 and variance 1, as in `visualpriors`;
                otherwise representations are in the form that decoders and transfer networks read,
                non-negative for `resnet50` and the first `compact` banks.

        Returns:
            float32 (8, h, w), or (B, 8, h, w) for several `images`; h and w are 16 for 256 px. With the fit
            `whole`, these cover the middle square.

        Raises:
            ImageError: an image cannot be read, or is none.
            InvalidInputError: `images` is a tuple.
        """
        items, alone = split_batch(images)
        outcomes = self._encoder.encode(items, normalize=normalize)
        codes = []
        for outcome in outcomes:
            if outcome.error is not None:
                raise outcome.error
            codes.append(outcome.raw[self.task].numpy())
        if alone:
            return codes[0]
        return np.stack(codes) if codes else np.empty((0, *self.bank.index.representation), np.float32)


class TransferPredictor(Predicts):
    """A transfer: one task read out from the representations of others. Made by `taskbank.load_transfer`.

    Attributes:
        task: canonical name of the target.
        bank: source of the networks.
        sources: canonical names, in the order in which their representations are joined.
    """

    def __init__(self, bank: Bank, sources: Iterable[str], target: str, settings: Settings) -> None:
        entry = bank.transfer_entry(sources, target)
        self.sources = entry.sources
        super().__init__(bank, entry.target, TransferEngine(bank, entry.sources, [entry.target], settings))


def load(task: str, *, bank: BankInput = None, **settings: Any) -> Predictor:
    """Load the network of a task, ready to predict.

    Args:
        task: any name of a task, such as `normals`.
        bank: a `Bank`, a folder, `hf://owner/name`; None is the one that the variable TASKBANK_BANK names, or
            the bundled one.
        settings: fields of `inference.settings.Settings`: device, precision, compiled, batch_size, workers,
            fit, size.

    Raises:
        UnknownTaskError: the name is none of the 26 tasks.
        MissingTaskError: the bank does not hold the task.
        MissingBankError: no bank was named, and none is bundled.
        InvalidInputError: a setting is unknown, or this machine cannot meet it.
        BankFormatError: the bank is missing or damaged.

    Examples:
        >>> import taskbank
        >>> depth = taskbank.load("depth").predict("photo.jpg")
        >>> depth.unit, depth.array.shape
        ('m', (384, 384))
    """
    return Predictor(open_bank(bank), task, make_settings(settings))


def load_transfer(
    sources: str | Iterable[str], target: str, *, bank: BankInput = None, **settings: Any
) -> TransferPredictor:
    """Load a transfer network of a bank with the encoders of its sources, ready to predict the target.

    Args:
        sources: any names of tasks, in any order; a single name needs no list.
        target: any name of a task.
        bank: as for `load`.
        settings: as for `load`.

    Raises:
        UnknownTaskError: a name is none of the 26 tasks.
        MissingTaskError: the bank does not hold that transfer, or the encoder of a source.
        MissingBankError: no bank was named, and none is bundled.
        InvalidInputError: a setting is unknown, or this machine cannot meet it.
        BankFormatError: the bank is missing or damaged.

    Examples:
        >>> import taskbank
        >>> network = taskbank.load_transfer("edge_occlusion", "reshading")
        >>> network.predict("photo.jpg").task
        'reshading'
    """
    names = [sources] if isinstance(sources, str) else list(sources)
    return TransferPredictor(open_bank(bank), names, target, make_settings(settings))


def predict(
    images: Any,
    tasks: str | Iterable[str],
    *,
    bank: BankInput = None,
    frame: str = "input",
    normals: str = "opencv",
    **settings: Any,
) -> Any:
    """Predict several tasks for an image, or for each of several; each image is read once.

    All results are held in memory: for folders of images use `taskbank.Engine.run`, which yields them one by
    one.

    Args:
        images: as for `Predictor.predict`.
        tasks: names of tasks that take the same number of images; `all` is every single-image task of the
            bank that has a decoder.
        bank: as for `load`.
        frame: as for `Predictor.predict`.
        normals: as for `Predictor.predict`.
        settings: as for `load`.

    Returns:
        canonical task name -> `Prediction`, or a list of them for several `images`.

    Raises:
        TaskBankError: as `load` and `Predictor.predict`.

    Examples:
        >>> import taskbank
        >>> results = taskbank.predict("photo.jpg", ["normals", "depth"])
        >>> sorted(results)
        ['depth_zbuffer', 'normal']
    """
    reading = make_reading(frame, normals)
    chosen = open_bank(bank)
    engine = Engine(chosen, choose_tasks(chosen, tasks), make_settings(settings))
    items, alone = split_batch(images)
    made = [
        {task.name: outcome.prediction(task.name, reading) for task in engine.tasks}
        for outcome in engine.run(items)
    ]
    return made[0] if alone else made


def choose_tasks(bank: Bank, tasks: str | Iterable[str], num_images: int = 1) -> list[str]:
    """Return the chosen tasks: the given names, or for `all`, every task of that number of images."""
    names = [tasks] if isinstance(tasks, str) else list(tasks)
    if "all" not in names:
        return names
    held = [name for name, entry in bank.index.tasks.items() if entry.predicts]
    fitting = [name for name in held if find_task(name).num_images == num_images]
    own = list(bank.index.own_tasks)
    if not fitting and own and num_images == 1:
        return own
    if not fitting:
        raise InvalidInputError(
            f"{bank.where} holds no task that predicts from {num_images} image(s): it holds "
            f"{', '.join(held) or 'no decoder at all'}"
        )
    others = [name for name in names if name != "all" and find_task(name).name not in fitting]
    return [*fitting, *others]


def readout_sources(bank: Bank, tasks: Iterable[str]) -> tuple[str, ...]:
    """Return the sources that users' own targets are read out from: those of the first transfer to each.

    Args:
        bank: a bank lists the transfers to a learned target best first.
        tasks: any names.

    Returns:
        sources; empty if the tasks have networks of their own.

    Raises:
        InvalidInputError: own targets and other tasks, or own targets of different sources, are asked for
            together.
    """
    names = list(tasks)
    own = [normalise(name) for name in names if normalise(name) in bank.index.own_tasks]
    if not own:
        return ()
    best = {name: next(one.sources for one in bank.index.transfers if one.target == name) for name in own}
    if len(own) < len(names) or len(set(best.values())) > 1:
        listed = "; ".join(f"{name} from {','.join(sources)}" for name, sources in best.items())
        raise InvalidInputError(
            f"targets of your own are read out from other encoders ({listed}): ask for each by itself"
        )
    return best[own[0]]


def open_bank(bank: BankInput) -> Bank:
    """Return the given bank, or open the named one."""
    return bank if isinstance(bank, Bank) else Bank.open(bank)


def make_settings(given: dict[str, Any]) -> Settings:
    """Make settings from keyword arguments.

    Raises:
        InvalidInputError: an unknown name or value.
    """
    known = Settings.__dataclass_fields__.keys()
    if unknown := sorted(given.keys() - known):
        raise InvalidInputError(f"unknown setting {', '.join(unknown)}: known are {', '.join(known)}")
    return Settings(**given)


def make_reading(frame: str, normals: str) -> Reading:
    """Make the form of predictions from the arguments of a call.

    Raises:
        InvalidInputError: an unknown value.
    """
    for name, value, kind in (("frame", frame, Frame), ("normals", normals, Axes)):
        if value not in set(kind):
            raise InvalidInputError(f"unknown {name} {value!r}: choose {' or '.join(kind)}")
    return Reading(frame=Frame(frame), normals=Axes(normals))
