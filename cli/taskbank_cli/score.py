"""`taskbank score`: score banks on images with labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from taskbank.options import Fit, Precision
from taskbank_cli.banks import split_names
from taskbank_cli.labelled import ImagesOption, labelled_images, named_labels
from taskbank_cli.printing import printable
from taskbank_cli.running import (
    AcceptLicence,
    BatchSize,
    Device,
    FitOption,
    MirroredOption,
    Overwrite,
    PrecisionOption,
    SizeOption,
    progress_bar,
)

if TYPE_CHECKING:
    from taskbank.scoring import TargetScores


def score(
    images: ImagesOption,
    labels: Annotated[
        list[str],
        typer.Option(
            "--labels",
            metavar="[TASK=]DIR|CSV",
            help="Labels of a task; repeat for several. A folder of maps named like the images: PNG in "
            "Taskonomy's codes, or NPY in the task's unit. For classes, a CSV with a column `file`, or DIR "
            "again, for images in a folder for each class.",
        ),
    ],
    bank: Annotated[
        list[str] | None,
        typer.Option(
            "--bank",
            metavar="BANK",
            help="Bank to score, as for `predict`; repeat it to compare others with the first.",
            show_default="what TASKBANK_BANK names",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FILE", help="Metrics of every image, *.csv.", show_default=False
        ),
    ] = None,
    resamples: Annotated[int, typer.Option(min=1, help="Bootstrap draws for the intervals.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draws.")] = 0,
    fit: FitOption = Fit.WHOLE,
    size: SizeOption = None,
    batch_size: BatchSize = 8,
    device: Device = "auto",
    precision: PrecisionOption = Precision.FP32,
    mirrored: MirroredOption = False,
    accept_licence: AcceptLicence = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print scores as JSON.")] = False,
    overwrite: Overwrite = False,
) -> None:
    """Score banks and the best constant on images with labels, and compare them image by image.

    Example: taskbank score --bank bank --images labelled/ --labels normals=labelled-normals/
    """
    from taskbank.errors import InvalidInputError
    from taskbank.inference.predictor import make_settings, open_bank
    from taskbank.saving.export import refuse_existing
    from taskbank.scoring.run import run_score, write_rows

    files = labelled_images(images)
    if out is not None and out.suffix != ".csv":
        raise InvalidInputError(f"{out} must end in .csv: metrics of images are written in that format")
    if out is not None and not overwrite:
        refuse_existing([out])
    settings = make_settings(
        {
            "fit": fit,
            "size": size,
            "batch_size": batch_size,
            "device": device,
            "precision": precision,
            "mirrored": mirrored,
            "accept_licence": split_names(accept_licence) or (),
        }
    )
    banks = {}
    listed: list[str | None] = [*bank] if bank else [None]
    for name in listed:
        opened = open_bank(name)
        called = name or opened.name
        if called in banks:
            raise InvalidInputError(f"the bank {called} is named twice: name each once")
        banks[called] = opened
    named = named_labels(labels, list(files), images)
    with progress_bar(total=len(files) * len(banks)) as bar:
        scores, failed = run_score(
            banks,
            files,
            named,
            settings=settings,
            resamples=resamples,
            seed=seed,
            each=lambda: bar.advance(bar.task_ids[0]),
        )
    if out is not None:
        write_rows(scores, out)
    for reason in failed:
        typer.echo(printable(f"left out: {reason}"), err=True)
    if as_json:
        said = {"scores": [one.to_dict() for one in scores], "failed": failed, "out": out and str(out)}
        typer.echo(json.dumps(said, indent=2))
        return
    for one in scores:
        _print(one)
    if out is not None:
        typer.echo(printable(f"metrics of every image in {out}"))


def _print(one: TargetScores) -> None:
    """Print a row for each bank, and the comparison of the others with the first."""
    names = list(dict.fromkeys(metric for means in one.means.values() for metric in means))
    typer.echo(printable(f"{one.task} on {len(one.images)} images"))
    typer.echo("  ".join(f"{name:>12}" for name in names) + "  bank")
    for bank, means in one.means.items():
        cells = [f"{means[name]:12.4g}" if name in means else f"{'-':>12}" for name in names]
        typer.echo(printable("  ".join(cells) + f"  {bank}"))
    first = next(iter(one.means))
    for found in one.comparisons:
        low, high = found.interval
        typer.echo(
            printable(
                f"{found.bank} - {first}: {found.metric} {found.difference:+.4g} (95 %: {low:+.4g} to "
                f"{high:+.4g}), better on {found.better:.0%} of the images"
            )
        )
    typer.echo("")
