"""`taskbank predict`: what tasks see in images."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from taskbank_cli.banks import split_names
from taskbank_cli.running import (
    BankOption,
    BatchSize,
    Device,
    FitName,
    FitOption,
    Images,
    Overwrite,
    PrecisionName,
    PrecisionOption,
    SizeOption,
    Tasks,
    progress_bar,
    report_failures,
)

DEFAULT_FOV = 75.0
"""Degrees; a copy of `taskbank.geometry.DEFAULT_FOV`, which needs NumPy."""


class AxesName(StrEnum):
    """Axes of normals; a copy of `taskbank.results.Axes`, which needs torch."""

    OPENCV = "opencv"
    OPENGL = "opengl"


class FrameName(StrEnum):
    """Whose pixels maps have; a copy of `taskbank.results.Frame`, which needs torch."""

    INPUT = "input"
    NETWORK = "network"


def predict(
    images: Images,
    tasks: Tasks = "all",
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the results.")] = Path("predictions"),
    save: Annotated[
        str,
        typer.Option(metavar="A,B,..", help="png: pictures, npy: raw arrays, json: units and provenance."),
    ] = "png,json",
    bank: BankOption = None,
    together: Annotated[
        bool, typer.Option("--together", help="The images are one input, for tasks that take several.")
    ] = False,
    fit: FitOption = FitName.CROP,
    frame: Annotated[FrameName, typer.Option(help="Maps as large as the input, or as the network's.")] = (
        FrameName.INPUT
    ),
    normals: Annotated[AxesName, typer.Option(help="Axes of normals; opencv is the dataset's.")] = (
        AxesName.OPENCV
    ),
    fov: Annotated[
        float, typer.Option(metavar="DEGREES", help="Field of view, to draw rooms and vanishing points.")
    ] = DEFAULT_FOV,
    size: SizeOption = 256,
    batch_size: BatchSize = 8,
    device: Device = "auto",
    precision: PrecisionOption = PrecisionName.FP32,
    overwrite: Overwrite = False,
) -> None:
    """Predict tasks for images, and save pictures, arrays and facts in a folder per image.

    Examples: taskbank predict photo.jpg --tasks normals,depth --out results

    taskbank predict --together a.png b.png --tasks fixated_pose,point_matching
    """
    from taskbank.export import parse_forms
    from taskbank.image_files import find_images
    from taskbank.predict_files import Saving, predict_files
    from taskbank.predictor import choose_tasks, make_reading, make_settings, open_bank

    found = find_images(images)
    inputs = [tuple(found)] if together else [(path,) for path in found]
    saving = Saving(folder=out, forms=parse_forms(split_names(save)), overwrite=overwrite, fov=fov)
    settings = make_settings(
        {"fit": fit, "size": size, "batch_size": batch_size, "device": device, "precision": precision}
    )
    chosen = open_bank(bank)
    names = choose_tasks(chosen, split_names(tasks) or [], len(inputs[0]))
    reading = make_reading(frame, normals)
    failures = []
    with progress_bar(len(inputs)) as bar:
        for saved in predict_files(chosen, names, inputs, saving, settings=settings, reading=reading):
            bar.advance(bar.task_ids[0])
            if saved.error is not None:
                failures.append(str(saved.error))
    typer.echo(f"{len(inputs) - len(failures)} of {len(inputs)} input(s), results in {out}")
    report_failures(failures)
