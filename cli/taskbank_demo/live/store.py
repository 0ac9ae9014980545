"""Store of photographs and raw outputs of one request of the Live tab, for later clicks.

Each request has a folder with a name that cannot be guessed, and the page holds only that name. The server
keeps no state of a user in memory, and deleting the folder deletes the request.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file

from taskbank.images.reading import read_photo
from taskbank.inference.outcome import Outcome
from taskbank.inference.preprocess import InputKind, Preprocessed, input_kind, preprocess
from taskbank.tasks.registry import find_task
from taskbank_demo.errors import MissingError
from taskbank_demo.services import Services

_TOKEN = re.compile(r"result-[0-9a-f]{32}")
_RAW = "raw"
_ORIGIN = "origin"  # in the metadata of a file: facts about the third-party model


@dataclass(frozen=True, slots=True)
class Shot:
    """The photographs of one request, and outputs of networks for them.

    Attributes:
        folder: of all its files.
    """

    folder: Path

    @property
    def token(self) -> str:
        """The name by which a page finds the request."""
        return self.folder.name

    @property
    def photographs(self) -> tuple[Path, ...]:
        """The request's photographs, in order."""
        return tuple(sorted(self.folder.glob("photograph_*.png")))

    @property
    def tasks(self) -> tuple[str, ...]:
        """Canonical names of the finished tasks, in any order."""
        return tuple(path.stem for path in (self.folder / _RAW).glob("*.safetensors"))

    def keep(self, task: str, outcome: Outcome) -> None:
        """Write the raw output of a network, with the facts about a third-party model."""
        metadata = {_ORIGIN: json.dumps(outcome.origins[task])} if task in outcome.origins else None
        path = self.folder / _RAW / f"{task}.safetensors"
        save_file({task: outcome.raw[task].contiguous()}, path, metadata)


def new_shot(services: Services, images: Sequence[Image.Image]) -> Shot:
    """Store the photographs of a request. They are re-encoded, so that no metadata are kept."""
    shot = Shot(services.new_folder())
    (shot.folder / _RAW).mkdir()
    for number, image in enumerate(images, 1):
        image.save(shot.folder / f"photograph_{number}.png", compress_level=1)
    return shot


def find_shot(services: Services, token: object) -> Shot:
    """Return the stored request that a page names.

    Raises:
        MissingError: there is no request of that name, or its result was deleted.
    """
    if isinstance(token, str) and _TOKEN.fullmatch(token) and (services.folder / token / _RAW).is_dir():
        return Shot(services.folder / token)
    minutes = services.settings.keep_seconds / 60
    raise MissingError(f"This result is no longer stored: results are kept for {minutes:.0f} minutes.")


def forget_shot(services: Services, token: object) -> None:
    """Delete a result, if it still exists."""
    if isinstance(token, str) and _TOKEN.fullmatch(token):
        shutil.rmtree(services.folder / token, ignore_errors=True)


def load_outcome(services: Services, shot: Shot, tasks: Sequence[str]) -> Outcome:
    """Load the stored outputs of networks for a request as an outcome.

    Args:
        services: state that users share.
        shot: the request.
        tasks: canonical names; all take the same number of photographs, the first ones of the request.

    Raises:
        MissingError: there is no bank, or no result of a task.
    """
    networks = services.need_networks()
    raw: dict[str, torch.Tensor] = {}
    origins: dict[str, dict[str, Any]] = {}
    for task in tasks:
        if task not in shot.tasks:
            raise MissingError(f"There is no result of {task!r} here.")
        with safe_open(shot.folder / _RAW / f"{task}.safetensors", framework="pt") as file:
            raw[task] = file.get_tensor(task)
            if _ORIGIN in (metadata := file.metadata() or {}):
                origins[task] = json.loads(metadata[_ORIGIN])
    # The photographs are preprocessed as they were for the networks.
    settings = networks.settings
    size = settings.size or networks.bank.index.image_size
    tiles = any(input_kind(find_task(task)) is InputKind.TILES for task in tasks)
    inputs: list[Preprocessed] = []
    paths = shot.photographs[: find_task(tasks[0]).num_images]
    for path in paths:
        with Image.open(path, formats=("PNG",)) as image:
            photo = read_photo(np.asarray(image))
        inputs.append(preprocess(photo, settings.fit, size, tiles=tiles, square=True))
    names = tuple(path.name for path in paths)
    return Outcome(sources=names, inputs=tuple(inputs), raw=raw, bank=networks.bank, origins=origins)
