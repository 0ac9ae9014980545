"""`taskbank transfer`: predict targets from the representations of other tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from taskbank.options import Axes, Fit, Frame, Precision
from taskbank_cli.banks import split_names
from taskbank_cli.predict import (
    FORMS,
    CloudAxes,
    FovOption,
    FrameOption,
    NormalsOption,
    SmoothOption,
    Together,
    checked_axes,
    predict_all,
)
from taskbank_cli.running import (
    BankOption,
    BatchSize,
    CompileOption,
    Device,
    FitOption,
    ImagesOrVideos,
    MirroredOption,
    Overwrite,
    PrecisionOption,
    SizeOption,
    SkipExisting,
    find_inputs,
    progress_bar,
    report_failures,
)


def transfer(
    images: ImagesOrVideos,
    sources: Annotated[
        list[str],
        typer.Option(
            "--sources",
            "-s",
            metavar="A,B,..",
            help="Tasks whose representations are read, in any order; or `scratch`, the target's "
            "whole network, trained on as few images as transfers.",
        ),
    ],
    target: Annotated[
        list[str],
        typer.Option(
            "--target", metavar="A,B,..", help="Targets to read out: tasks, or the bank's own targets."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the results.")] = Path("transfers"),
    save: Annotated[
        list[str] | None,
        typer.Option(
            metavar="A,B,..",
            help="png: pictures, npy: raw arrays, json: units and provenance, ply: point clouds of depth.",
            show_default=FORMS,
        ),
    ] = None,
    bank: BankOption = None,
    together: Together = False,
    fit: FitOption = Fit.WHOLE,
    frame: FrameOption = Frame.INPUT,
    normals: NormalsOption = Axes.OPENCV,
    axes: CloudAxes = Axes.OPENCV,
    fov: FovOption = None,
    smooth: SmoothOption = 0.0,
    size: SizeOption = None,
    batch_size: BatchSize = 8,
    device: Device = "auto",
    precision: PrecisionOption = Precision.FP32,
    mirrored: MirroredOption = False,
    compiled: CompileOption = False,
    overwrite: Overwrite = False,
    skip_existing: SkipExisting = False,
) -> None:
    """Read a target out from other tasks' representations. `taskbank info` lists the transfers of a bank.

    Results have the form of `taskbank predict`; the JSON files name the sources.

    Example: taskbank transfer photo.jpg --sources edge_occlusion --target reshading
    """
    from taskbank.errors import InvalidInputError

    named = split_names(sources)
    if named is None:
        raise InvalidInputError("no source was named: name one, as in --sources normals")
    with progress_bar() as bar:
        refused: list[str] = []
        found = find_inputs(
            images, bar, once=not together, without=out, refused=None if together else refused
        )

        from taskbank.file_predictions import Saving
        from taskbank.inference.predictor import make_reading, make_settings, open_bank
        from taskbank.saving.export import parse_forms

        forms = parse_forms(split_names(save or [FORMS]))
        saving = Saving(
            folder=out,
            forms=forms,
            overwrite=overwrite,
            skip_existing=skip_existing,
            axes=checked_axes(axes, forms),
            fov=fov,
            smooth=smooth,
        )
        failures = predict_all(
            open_bank(bank),
            split_names(target) or [],
            [tuple(found)] if together else [(path,) for path in found],
            saving,
            sources=named,
            settings=make_settings(
                {
                    "fit": fit,
                    "size": size,
                    "batch_size": batch_size,
                    "device": device,
                    "precision": precision,
                    "mirrored": mirrored,
                    "compiled": compiled,
                }
            ),
            reading=make_reading(frame, normals),
            bar=bar,
            refused=refused,
        )
    report_failures(failures)
