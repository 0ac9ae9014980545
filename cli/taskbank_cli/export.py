"""`taskbank export`: export a task network as a file that runs without this package."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from taskbank.options import Format
from taskbank_cli.banks import megabytes
from taskbank_cli.printing import printable
from taskbank_cli.running import BankOption, Overwrite


def export(
    task: Annotated[str, typer.Argument(metavar="TASK", help="The task, by any of its names.")],
    form: Annotated[
        Format, typer.Option("--format", help="ONNX needs pip install '.[export]' in a checkout.")
    ] = Format.ONNX,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="The file.", show_default="TASK.onnx or TASK.pt"),
    ] = None,
    dynamic: Annotated[
        bool,
        typer.Option(
            "--dynamic",
            help="Batch, height and width are free (multiples of 16), as TorchScript files always are. "
            "Without it: one item at the size that the bank was trained on.",
        ),
    ] = False,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify",
            help="Compare the file with this package on pictures, and print the largest difference.",
        ),
    ] = False,
    images: Annotated[
        list[str] | None,
        typer.Option(
            metavar="INPUT",
            help="Pictures for --verify: files, folders, patterns; may be repeated.",
            show_default="those of the web page",
        ),
    ] = None,
    bank: BankOption = None,
    overwrite: Overwrite = False,
) -> None:
    """Write a task network as ONNX or TorchScript, with preprocessing and decoding in the graph.

    It takes sRGB images in [0, 1], float32 (batch, 3, height, width), and gives metres, unit vectors or
    probabilities; the file's metadata state the unit, axes, classes, licence and hashes.

    Example: taskbank export normals --format torchscript --dynamic --verify
    """
    from taskbank.errors import InvalidInputError
    from taskbank.exporting.files import SUFFIXES, check_installed
    from taskbank.exporting.run import export_task
    from taskbank.images.files import find_images
    from taskbank.inference.predictor import open_bank

    if images and not verify:
        raise InvalidInputError("--images are for --verify: add it, or leave them out")
    check_installed(form)
    found = open_bank(bank)
    name = found.entry(task).task
    if verify and not images:  # the example photographs of the web page
        import taskbank_demo

        images = [str(Path(taskbank_demo.__file__).parent / "examples")]
    done = export_task(
        found,
        name,
        out or Path(f"{name}{SUFFIXES[form]}"),
        form,
        dynamic=dynamic,
        pictures=find_images(images) if images else None,
        overwrite=overwrite,
    )
    size = megabytes(done.path.stat().st_size)
    typer.echo(printable(f"{name}, {size} MB: {done.path}"))
    typer.echo(printable(done.facts["input"]))
    licence = done.facts["licence"] or "none stated"
    typer.echo(printable(f"{name}: {done.facts['convention']} (licence: {licence})"))
    labels = done.facts["kind"] == "semantic map"
    what = "share of pixels with another label" if labels else "largest difference"
    for one in done.differences:
        typer.echo(f"{one.batch} at once, {one.size} px: {what} {one.largest:.2g}")
