"""`taskbank encode`: representations of images, for other projects."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from taskbank_cli.banks import split_names
from taskbank_cli.printing import printable
from taskbank_cli.running import (
    BankOption,
    BatchSize,
    Device,
    ImagesOrVideos,
    Overwrite,
    PrecisionName,
    PrecisionOption,
    SizeOption,
    SquareFitName,
    SquareFitOption,
    Tasks,
    find_inputs,
    progress_bar,
    report_failures,
)


def encode(
    images: ImagesOrVideos,
    out: Annotated[Path, typer.Option("--out", "-o", help="The file, *.safetensors.")],
    tasks: Tasks = None,
    bank: BankOption = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="The form that decoders read, not mean 0 and variance 1.")
    ] = False,
    half: Annotated[bool, typer.Option("--half", help="Write 16-bit floats.")] = False,
    fit: SquareFitOption = SquareFitName.CROP,
    size: SizeOption = None,
    batch_size: BatchSize = 8,
    device: Device = "auto",
    precision: PrecisionOption = PrecisionName.FP32,
    overwrite: Overwrite = False,
) -> None:
    """Save representations of images, a tensor (N, 8, 16, 16) per task, with the images' names.

    Each frame of a video is a row, named FILE#NUMBER.

    Example: taskbank encode photos/ --tasks normals,reshading -o features.safetensors
    """
    with progress_bar() as bar:
        found = find_inputs(images, bar)

        from taskbank.inference.predictor import make_settings, open_bank
        from taskbank.saving.features import encode_files

        settings = make_settings(
            {"fit": fit, "size": size, "batch_size": batch_size, "device": device, "precision": precision}
        )
        chosen = open_bank(bank)
        names = split_names(tasks or ["all"]) or []
        done = encode_files(
            chosen,
            chosen.tasks if names == ["all"] else names,
            found,
            out,
            settings=settings,
            normalize=not raw,
            half=half,
            overwrite=overwrite,
            each=lambda _: bar.advance(bar.task_ids[0]),
        )
    for note in done.notes:
        typer.echo(printable(f"note: {note}"), err=True)
    good = len(found) - len(done.failed)
    typer.echo(printable(f"{good} of {len(found)} input(s), {len(done.images)} representation(s) in {out}"))
    report_failures(str(outcome.error) for outcome in done.failed)
