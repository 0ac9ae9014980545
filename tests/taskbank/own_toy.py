"""Photographs whose labels are known by computing them, and a bank with one encoder that sees nothing."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from tests.taskbank.toy import TOY_COMPACT, toy_encoder

from taskbank.bank.bank import Bank
from taskbank.own_task.plan import LearnPlan

COUNT, SIDE = 24, 32
KINDS = ("numbers", "classes", "maps")
BLIND = "edge_texture"
"""The source whose representation is the same for all photographs."""
SEEING = ("normal", "reshading")
SOURCES = (*SEEING, BLIND)


def pixels(number: int) -> NDArray[np.uint8]:
    """A bright and a dark half, the darker one left where the number is even; wider than high."""
    draw = np.random.default_rng(number)
    picture = np.full((SIDE, SIDE + 8, 3), draw.uniform(80, 250))
    half = SIDE // 2 + 4
    picture[:, slice(None, half) if number % 2 == 0 else slice(half, None)] *= 0.3
    return picture.astype(np.uint8)


def seen(number: int) -> NDArray[np.float64]:
    """The middle square in [0, 1], which networks see."""
    return pixels(number)[:, 4:-4] / 255


def brightness(number: int) -> float:
    """Mean of what is seen, in percent."""
    return float(seen(number).mean() * 100)


def side(number: int) -> str:
    """Return the dark side of a photograph."""
    return "left" if number % 2 == 0 else "right"


def file_name(number: int) -> str:
    """Of a photograph."""
    return f"p{number:02}.png"


def write_photographs(folder: Path, count: int = COUNT) -> Path:
    """All photographs."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        Image.fromarray(pixels(number)).save(folder / file_name(number))
    return folder


def write_csv(path: Path, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    """A table."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(headings)
        writer.writerows(rows)
    return path


def write_labels(folder: Path, kind: str, count: int = COUNT) -> Path:
    """Labels of a kind in the folder: brightness in percent, the dark side, or 16-bit grey maps."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = range(count)
    if kind == "numbers":
        rows = ((file_name(number), brightness(number)) for number in numbers)
        return write_csv(folder / "light.csv", ("file", "brightness"), rows)
    if kind == "classes":
        return write_csv(
            folder / "side.csv", ("file", "label"), ((file_name(number), side(number)) for number in numbers)
        )
    maps = folder / "maps"
    maps.mkdir()
    for number in numbers:
        grey = pixels(number)[..., 0].astype(np.uint16) * 100
        Image.fromarray(grey).save(maps / file_name(number))
    return maps


def toy_bank(folder: Path, sources: Sequence[str] = SOURCES) -> Bank:
    """Seeded encoders, and the blind one: nothing of the photograph reaches its end."""
    encoders = {task: toy_encoder(seed=seed) for seed, task in enumerate(sources)}
    if BLIND in encoders:
        with torch.no_grad():
            next(encoders[BLIND].parameters()).zero_()
    return Bank.save(
        folder, name="toy", architecture=TOY_COMPACT, networks=encoders, licence="MIT", image_size=SIDE
    )


def toy_plan(**more: object) -> LearnPlan:
    """Small and quick."""
    settings: dict[str, object] = {
        "name": "light",
        "size": SIDE,
        "steps": 60,
        "best": 2,
        "batch": 8,
        "learning_rate": 3e-3,
        "resamples": 20,
    }
    return LearnPlan(**(settings | more))  # type: ignore[arg-type] # checked by the class itself
