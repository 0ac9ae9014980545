"""`taskbank predict`: predict tasks for images and videos."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from taskbank.options import DEFAULT_FOV, Axes, Fit, Frame, Precision
from taskbank_cli.banks import split_names
from taskbank_cli.printing import printable
from taskbank_cli.running import (
    INPUTS,
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

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.progress import Progress

    from taskbank.bank.bank import Bank
    from taskbank.file_predictions import Saving
    from taskbank.inference.decode import Reading
    from taskbank.inference.settings import Settings

FORMS = "png,json"
"""Default of `--save`."""

Together = Annotated[
    bool, typer.Option("--together", help="The images are one input, for tasks that take several.")
]
FrameOption = Annotated[Frame, typer.Option(help="Maps as large as the input, or as the network's.")]
NormalsOption = Annotated[Axes, typer.Option(help="Axes of normals; opencv is the dataset's.")]
CloudAxes = Annotated[
    Axes,
    typer.Option(
        "--axes",
        help="Axes of point clouds. opencv: y down, z ahead. opengl: y up, z towards the viewer, as Blender "
        "and MeshLab expect.",
    ),
]
FovOption = Annotated[
    float | None,
    typer.Option(
        metavar="DEGREES",
        help="Horizontal field of view of the photographs, for rooms, vanishing points and point clouds. "
        f"Without it: their middle square is {DEFAULT_FOV:g} degrees wide.",
        show_default=False,
    ),
]
SmoothOption = Annotated[
    float,
    typer.Option(
        min=0.0,
        metavar="SECONDS",
        help="For videos: average the networks' outputs over this time. Less flicker, but motion leaves "
        "trails.",
    ),
]


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
        refused: list[str] = []
        found = find_inputs(
            images, bar, once=not together, without=out, refused=None if together else refused
        )

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
            axes=checked_axes(axes, forms),
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
            refused=refused,
        )
    if Form.DATASET in forms and (left_out := without_folder(names)):
        typer.echo(f"the dataset has no files for {', '.join(left_out)}")
    report_failures(failures)


def checked_axes(axes: Axes, forms: Sequence[str]) -> Axes:
    """Check the axes of point clouds, and return them.

    Raises:
        InvalidInputError: axes other than the default are given, but no point clouds are saved.
    """
    from taskbank.errors import InvalidInputError

    if axes != Axes.OPENCV and "ply" not in forms:
        raise InvalidInputError("--axes is for point clouds: add --save ply, or leave it out")
    return axes


def print_licences(bank: Bank, tasks: Sequence[str]) -> None:
    """Print each third-party model that tasks use, with its licence, once, on stderr."""
    models = dict.fromkeys(bank.entry(task).model for task in tasks)
    for model in models:
        if model is not None:
            licence = f"licence {model.licence}" if model.licence else "no licence is stated"
            typer.echo(printable(f"{model.id}: {licence}"), err=True)


def predict_all(
    bank: Bank,
    tasks: list[str],
    inputs: Sequence[tuple[Path, ...]],
    saving: Saving,
    *,
    sources: list[str] | None = None,
    settings: Settings,
    reading: Reading,
    bar: Progress,
    refused: Sequence[str] = (),
) -> list[str]:
    """Predict and save everything, with progress; print a summary, and return the failures.

    `bar` shows progress, `refused` are the messages about names without images; the other arguments are those
    of `taskbank.file_predictions.predict_files`.
    """
    from taskbank.file_predictions import predict_files

    failures = list(refused)
    total = len(inputs) + len(failures)
    skipped = 0
    unseen: dict[str, float] = {}
    job = bar.task_ids[0]

    def show_frame(path: Path, number: int, frames: int) -> None:
        bar.update(job, description=printable(f"{path.name} {number + 1}/{frames}"))

    for saved in predict_files(
        bank,
        tasks,
        inputs,
        saving,
        sources=sources or (),
        settings=settings,
        reading=reading,
        each_frame=show_frame,
    ):
        bar.update(job, advance=1, description=INPUTS)
        skipped += saved.skipped
        if saved.error is not None:
            failures.append(str(saved.error))
        for task, share in saved.unseen.items():
            unseen[task] = max(share, unseen.get(task, 0.0))
        if saved.warning is not None:
            typer.echo(printable(f"note: {saved.warning}"), err=True)
    bar.stop()  # a running bar would capture text printed to stdout
    done = f"{total - len(failures)} of {total} input(s), results in {saving.folder}"
    done += f" ({skipped} were there already)" if skipped else ""
    typer.echo(printable(done))
    if unseen:
        share = max(unseen.values())
        words = f"the networks saw the middle square only, up to {share:.0%} of an image is left out"
        typer.echo(printable(f"{', '.join(unseen)}: {words}"))
    return failures
