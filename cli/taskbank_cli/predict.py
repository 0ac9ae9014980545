"""`taskbank predict`: predict tasks for images and videos."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from taskbank.options import Axes, Fit, Frame, Precision
from taskbank_cli.banks import split_names
from taskbank_cli.predicting import (
    FORMS,
    CloudAxes,
    FovOption,
    FrameOption,
    NormalsOption,
    SmoothOption,
    Together,
    make_axes,
    predict_all,
    print_licences,
)
from taskbank_cli.running import (
    AcceptLicence,
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
    Tasks,
    find_inputs,
    progress_bar,
    report_failures,
)


def predict(
    images: ImagesOrVideos,
    tasks: Tasks = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the results.")] = Path("predictions"),
    save: Annotated[
        list[str] | None,
        typer.Option(
            metavar="A,B,..",
            help="png: pictures, npy: raw arrays, json: units and provenance, ply: point clouds of depth, "
            "dataset: square labels of 512 px in Taskonomy's own files and codes.",
            show_default=FORMS,
        ),
    ] = None,
    bank: BankOption = None,
    accept_licence: AcceptLicence = None,
    together: Together = False,
    fit: FitOption = Fit.WHOLE,
    frame: FrameOption = Frame.INPUT,
    normals: NormalsOption = Axes.OPENCV,
    axes: CloudAxes = Axes.OPENCV,
    fov: FovOption = None,
    building: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Building name of the photographs, for --save dataset. Without it: their folder's name.",
            show_default=False,
        ),
    ] = None,
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
    """Predict tasks for images and videos, and save pictures, arrays and facts in a folder for each.

    For a video, --save png makes a video per task, without sound; npy one array of all frames.

    Examples: taskbank predict photo.jpg --tasks normals,depth --out results

    taskbank predict clip.mp4 --tasks normals,depth

    taskbank predict photo.jpg --tasks normals,depth --bank own.toml,rooms

    taskbank predict --together a.png b.png --tasks fixated_pose,point_matching
    """
    with progress_bar() as bar:
        found = find_inputs(images, bar, once=not together, without=out)

        from taskbank.file_predictions import Saving
        from taskbank.inference.predictor import (
            choose_tasks,
            make_reading,
            make_settings,
            open_bank,
            readout_sources,
        )
        from taskbank.saving.dataset import without_folder
        from taskbank.saving.export import Form, parse_forms

        inputs = [tuple(found)] if together else [(path,) for path in found]
        forms = parse_forms(split_names(save or [FORMS]))
        saving = Saving(
            folder=out,
            forms=forms,
            overwrite=overwrite,
            skip_existing=skip_existing,
            axes=make_axes(axes, forms),
            fov=fov,
            building=building,
            smooth=smooth,
        )
        settings = make_settings(
            {
                "fit": fit,
                "size": size,
                "batch_size": batch_size,
                "device": device,
                "precision": precision,
                "mirrored": mirrored,
                "compiled": compiled,
                "accept_licence": split_names(accept_licence) or (),
            }
        )
        chosen = open_bank(bank)
        names = choose_tasks(chosen, split_names(tasks or ["all"]) or [], len(inputs[0]))
        reading = make_reading(frame, normals)
        sources = readout_sources(chosen, names)
        if not sources:
            print_licences(chosen, names)
        failures = predict_all(
            chosen,
            names,
            inputs,
            saving,
            sources=list(sources),
            settings=settings,
            reading=reading,
            bar=bar,
        )
    if Form.DATASET in forms and (left_out := without_folder(names)):
        typer.echo(f"the dataset has no files for {', '.join(left_out)}")
    report_failures(failures)
