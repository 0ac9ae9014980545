"""Options and shared code of the commands that predict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from taskbank.options import DEFAULT_FOV, Axes, Frame
from taskbank_cli.printing import printable
from taskbank_cli.running import INPUTS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

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


def make_axes(axes: Axes, forms: Sequence[str]) -> Axes:
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
) -> list[str]:
    """Predict and save everything, with progress; print a summary, and return the failures.

    `bar` shows progress; the other arguments are those of `taskbank.file_predictions.predict_files`.
    """
    from taskbank.file_predictions import predict_files

    failures: list[str] = []
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
    done = f"{len(inputs) - len(failures)} of {len(inputs)} input(s), results in {saving.folder}"
    done += f" ({skipped} were there already)" if skipped else ""
    typer.echo(printable(done))
    if unseen:
        share = max(unseen.values())
        words = f"the networks saw the middle square only, up to {share:.0%} of an image is left out"
        typer.echo(printable(f"{', '.join(unseen)}: {words}"))
    return failures
