"""Options, progress and reports that the commands about images share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from taskbank.errors import ImageError
from taskbank.images.files import PassedOver
from taskbank.options import Fit, Kind, Precision
from taskbank_cli.printing import printable

INPUTS = "inputs"
"""Name of the items that progress counts."""


class SquareFit(StrEnum):
    """Ways to fit a photo to a square, for representations: `Fit` without `whole`."""

    CROP = "crop"
    PAD = "pad"
    STRETCH = "stretch"


ImagesOrVideos = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUT",
        help="Images, videos, folders, patterns such as 'scans/*.png', .txt files with one of these per "
        "line, or - for an image from a pipe. Videos in folders are skipped.",
    ),
]
BankOption = Annotated[
    str | None,
    typer.Option(
        metavar="BANK",
        help="A folder, `rooms`, hf://owner/name, `foundation` or a catalogue of third-party models "
        "(*.toml), or several: foundation,rooms. Without it: what TASKBANK_BANK names.",
        show_default=False,
    ),
]
AcceptLicence = Annotated[
    list[str] | None,
    typer.Option(
        "--accept-licence",
        metavar="ID",
        help="Id of a third-party model (`taskbank models`) whose licence you have read and accept; "
        "may be repeated.",
        show_default=False,
    ),
]
Tasks = Annotated[
    list[str] | None,
    typer.Option(
        "--tasks",
        "-t",
        metavar="A,B,..",
        help="Tasks by any of their names, or `all`.",
        show_default="all",
    ),
]
FitOption = Annotated[
    Fit,
    typer.Option(
        help="How a photo fills a network's input. whole: at its own aspect, so that maps cover all of it; "
        "tasks that need a square (classes, rooms, poses, matching, jigsaw) see the middle one. crop: the "
        "middle square. pad: a grey square around the photo. stretch: squeezed into a square."
    ),
]
SquareFitOption = Annotated[
    SquareFit,
    typer.Option(
        help="How a photo fills the network's square. crop: its middle square. pad: a grey square around "
        "it. stretch: squeezed."
    ),
]
SizeOption = Annotated[
    int | None,
    typer.Option(
        metavar="PX",
        help="Side of the square, and shorter side of whole photos: a multiple of 16.",
        show_default="what the bank was trained on",
    ),
]
BatchSize = Annotated[int, typer.Option(min=1, help="Images per call of a network.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")]
PrecisionOption = Annotated[Precision, typer.Option(help="bf16 is faster on recent CPUs; fp16 needs a GPU.")]
CompileOption = Annotated[
    bool, typer.Option("--compile", help="Compile the networks: minutes at first, faster over many images.")
]
GroupsOption = Annotated[
    Path | None,
    typer.Option(
        metavar="CSV",
        help="Columns `file` and `group`: images of one group (scene, video) are kept together. Without it: "
        "folders are groups.",
        show_default=False,
    ),
]
KindOption = Annotated[
    Kind, typer.Option(help="Kind of labels. auto: cells that are all numbers are numbers.")
]
MirroredOption = Annotated[
    bool,
    typer.Option(
        "--mirrored",
        help="Predict the mirrored image too, and average: a little better, at twice the time.",
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace existing results.")]
SkipExisting = Annotated[
    bool,
    typer.Option(
        "--skip-existing",
        help="Skip inputs whose results all exist, to continue an interrupted run.",
    ),
]


@contextmanager
def progress_bar(total: int | None = None) -> Iterator[Progress]:
    """Show a progress bar on stderr, if it is a terminal; without a total it only counts."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        bar.add_task(INPUTS, total=total)
        yield bar


def find_inputs(
    named: Iterable[str],
    bar: Progress,
    *,
    once: bool = True,
    without: Path | None = None,
    refused: list[str] | None = None,
) -> list[Path]:
    """Find the named files, with progress, and print on stderr which files in folders were skipped.

    Nothing heavy is imported, so that progress shows at once.

    Args:
        named: names of files, folders, patterns and lists, as for `taskbank.images.files.find_images`.
        bar: progress bar to update.
        once: as for `find_images`.
        without: as for `find_images`.
        refused: list to which the messages about names without images are appended; None raises the first.

    Raises:
        ImageError: as `taskbank.images.files.find_images`.
    """
    from taskbank.images.files import PassedOver, find_images

    job = bar.task_ids[0]
    bar.update(job, description="looking for inputs")
    passed_over = PassedOver()
    errors: list[ImageError] | None = None if refused is None else []
    found = find_images(
        named,
        once=once,
        without=without,
        passed_over=passed_over,
        refused=errors,
        each=lambda number: bar.update(job, completed=number),
    )
    if refused is not None:
        refused += map(str, errors or ())
    bar.reset(job, description=INPUTS, total=len(found))
    print_passed_over(passed_over)
    return found


def print_passed_over(passed_over: PassedOver) -> None:
    """Print on stderr which files in folders were skipped."""
    for line in passed_over.lines():
        typer.echo(printable(line), err=True)


def report_failures(failures: Iterable[str]) -> None:
    """Print failed inputs on stderr, and exit with code 1 if there are any.

    Args:
        failures: one message per failed input, with the input's name.

    Raises:
        typer.Exit: with code 1.
    """
    listed = list(failures)
    if not listed:
        return
    for reason in listed:
        typer.echo(printable(f"failed: {reason}"), err=True)
    typer.echo(f"{len(listed)} input(s) failed", err=True)
    raise typer.Exit(1)
