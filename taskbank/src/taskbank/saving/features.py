"""Representations of image files, as one file for other projects."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from taskbank.bank.bank import Bank
from taskbank.errors import InvalidInputError
from taskbank.inference.engine import Engine, Outcome
from taskbank.inference.settings import Settings
from taskbank.saving.export import refuse_existing
from taskbank.saving.tensor_stream import tensor_stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """What became of all inputs.

    Attributes:
        images: files in the order of the rows.
        failed: outcomes of files that could not be read.
    """

    images: tuple[str, ...]
    failed: tuple[Outcome, ...]


def encode_files(
    bank: Bank,
    tasks: Iterable[str],
    images: Sequence[Path],
    out: Path,
    *,
    settings: Settings | None = None,
    normalize: bool = True,
    half: bool = False,
    overwrite: bool = False,
    each: Callable[[Outcome], object] = lambda outcome: None,
) -> Encoded:
    """Representations of many images in one safetensors file.

    It holds a tensor per task under its canonical name, (N, 8, h, w), and in its header `images`: a JSON list
    of the N files in that order, `normalised`, `bank` and `bank_sha256`. An image takes 8 kB per task (4 kB
    as half) on disk, and until the file is whole as much again; memory does not grow with their number.

    Args:
        bank: where encoders come from.
        tasks: names of tasks, also of those that take several images.
        images: files; those that cannot be read are left out.
        out: the file.
        settings: how encoders are run.
        normalize: every channel to mean 0 and variance 1; otherwise the form that decoders read.
        half: whether 16-bit floats are written instead of 32.
        overwrite: whether a file that is there already is replaced.
        each: is called with every outcome, for progress.

    Raises:
        InvalidInputError: `out` does not end in .safetensors; no image could be read.
        OutputError: the file exists already, or cannot be written.
        TaskBankError: as `taskbank.inference.engine.Engine`.
    """
    if out.suffix != ".safetensors":
        raise InvalidInputError(f"{out} must end in .safetensors: representations are written in that format")
    if not overwrite:
        refuse_existing([out])
    engine = Engine(bank, tasks, settings, encoders_only=True)
    good, failed = [], []
    dtype = np.float16 if half else np.float32
    with tensor_stream(out) as stream:
        for outcome in engine.encode(images, normalize=normalize):
            each(outcome)
            if outcome.error is not None:
                failed.append(outcome)
                continue
            good.append(outcome.sources[0])
            stream.add({task: code.numpy().astype(dtype, copy=False) for task, code in outcome.raw.items()})
        if not good:
            raise InvalidInputError(f"none of {len(images)} image(s) could be read: {failed[0].error}")
        stream.metadata |= {
            "images": json.dumps(good),
            "normalised": json.dumps(normalize),
            "bank": bank.name,
            "bank_sha256": bank.digest,
        }
    return Encoded(images=tuple(good), failed=tuple(failed))
