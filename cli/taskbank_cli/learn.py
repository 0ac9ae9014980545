"""`taskbank learn`: probe, train and save a task of your own."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from taskbank.options import Kind, Precision
from taskbank_cli.banks import split_names
from taskbank_cli.labelled import SOURCES_HELP, ImagesOption, check_packages, labelled_images
from taskbank_cli.printing import printable
from taskbank_cli.running import (
    AcceptLicence,
    BankOption,
    BatchSize,
    Device,
    GroupsOption,
    KindOption,
    Overwrite,
    PrecisionOption,
    progress_bar,
)

if TYPE_CHECKING:
    from taskbank.own_task.result import Learned
    from taxsolver import AffinityTensor

TENSOR = "affinity.safetensors"
BUDGET = 3  # budget of the proposed plan


def learn(
    images: ImagesOption,
    labels: Annotated[
        Path,
        typer.Option(
            "--labels",
            metavar="DIR|CSV",
            help="A folder of maps (PNG, NPY) named like the images; a CSV with a column `file`, maybe "
            "`group`, and one of classes or several of numbers; or the folder of images again, for images in "
            "a folder for each class.",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="DIR", help="Folder of the results; a repeated run continues."),
    ],
    name: Annotated[str, typer.Option("--name", help="Name of the task.")] = "mytask",
    unit: Annotated[str, typer.Option("--unit", help="Unit of maps and numbers; 1 for none.")] = "1",
    kind: KindOption = Kind.AUTO,
    sources: Annotated[
        list[str] | None,
        typer.Option(
            "--sources",
            "-s",
            metavar="A,B,..",
            help=SOURCES_HELP,
            show_default="all of the bank",
        ),
    ] = None,
    bank: BankOption = None,
    accept_licence: AcceptLicence = None,
    groups: GroupsOption = None,
    best: Annotated[int, typer.Option(help="Number of best sources whose read-outs are trained.")] = 3,
    orders: Annotated[
        str, typer.Option(metavar="A,B,..", help="Numbers of sources of a read-out, including 1.")
    ] = "1",
    scratch: Annotated[
        bool, typer.Option("--scratch", help="Train a whole network on the same images too, to compare.")
    ] = False,
    steps: Annotated[int, typer.Option(help="Training steps of each read-out.")] = 600,
    affinity: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE", help="Tensor to which the task is added.", show_default="a new one"
        ),
    ] = None,
    resamples: Annotated[int, typer.Option(help="Bootstrap draws of groups.")] = 500,
    size: Annotated[
        int | None,
        typer.Option(
            metavar="PX",
            help="Side of the squares that networks see: a multiple of 16.",
            show_default="that of the bank, or of the largest encoder",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of division, weights, batches and draws.")] = 0,
    batch_size: BatchSize = 8,
    device: Device = "auto",
    precision: PrecisionOption = Precision.FP32,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON instead.")] = False,
    overwrite: Overwrite = False,
) -> None:
    """Learn a task of your own from labelled images, and save a bank that predicts it.

    All encoders are probed in closed form, the read-outs of the best few are trained, and they are measured
    on images of other groups, beside the best constant. OUT holds the bank, an affinity tensor for
    `taxsolver`, the ranking, the errors of every image and a report.

    Example: taskbank learn --images pictures/ --labels labels.csv --sources normals,reshading -o light
    """
    check_packages(["taxsolver"], "the affinity tensor")
    files = labelled_images(images)

    from taskbank.bank.source import default_source
    from taskbank.inference.predictor import make_settings
    from taskbank.options import Fit
    from taskbank.own_task.plan import LearnPlan
    from taskbank.own_task.run import run_learn
    from taskbank.probing.labels import read_groups, read_labels
    from taskbank.saving.export import refuse_existing
    from taskbank.sources import open_sources
    from taskbank_cli.learned_tensor import affinities_of, check_new, extended, new_tensor
    from taxsolver import save_affinity

    plan = LearnPlan(
        name=name,
        unit=unit,
        best=best,
        orders=_numbers(orders),
        size=size,
        scratch=scratch,
        steps=steps,
        precision=precision,
        resamples=resamples,
        seed=seed,
    )
    settings = make_settings(
        {"fit": Fit.CROP, "batch_size": batch_size, "device": device, "precision": precision}
    )
    tensor_file = out / TENSOR
    if not overwrite:
        refuse_existing([tensor_file])
    base = None if affinity is None else _tensor(affinity)
    if base is not None:
        check_new(base, plan.name)  # early, before anything is trained
    named = read_labels(
        labels, list(files), folder=images, name=plan.name if labels.is_dir() else None, kind=kind
    )
    together = None if groups is None else read_groups(groups, list(files))
    opened = open_sources(
        split_names(sources) or bank or default_source(),
        bank=bank,
        seed=seed,
        accept_licence=split_names(accept_licence) or (),
    )
    with progress_bar(total=len(files)) as bar:
        job = bar.task_ids[0]
        learned = run_learn(
            files,
            named,
            opened,
            out=out,
            groups=together,
            plan=plan,
            settings=settings,
            overwrite=overwrite,
            each=lambda: bar.advance(job),
            say=lambda text: bar.update(job, description=printable(text)),
        )
    found = affinities_of(learned, seed)
    save_affinity(new_tensor(found) if base is None else extended(base, found), tensor_file)
    for reason in learned.failed:
        typer.echo(printable(f"left out: {reason}"), err=True)
    if as_json:
        typer.echo(json.dumps(learned.to_dict() | {"affinity": str(tensor_file)}, indent=2))
        return
    _print(learned)
    _print_next(learned, out, extends=base is not None)


def _tensor(name: str) -> AffinityTensor:
    """Load the tensor to extend.

    Raises:
        InvalidInputError: it cannot be loaded.
    """
    from taskbank.errors import InvalidInputError
    from taxsolver import load_affinity
    from taxsolver.errors import TaxSolverError

    try:
        return load_affinity(name)
    except TaxSolverError as error:
        raise InvalidInputError(f"--affinity {name}: {error}") from error


def _numbers(text: str) -> tuple[int, ...]:
    """Parse whole numbers separated by commas.

    Raises:
        InvalidInputError: the text has another form.
    """
    from taskbank.errors import InvalidInputError

    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise InvalidInputError(f"--orders {text!r}: write whole numbers between commas, as 1,2") from error


def _print(learned: Learned) -> None:
    """Print the transfers, best first, and the controls; names come last, as they may be long."""
    counts = {part: len(images) for part, images in learned.images.items()}
    unit = "" if learned.unit == "1" else f" in {learned.unit}"
    lines = [
        f"{learned.task}: {learned.error}{unit} on {counts['measured']} images of "
        f"{len(set(learned.groups))} other groups; learned from {counts['learned']}, chosen on "
        f"{counts['chosen']}",
        "    error (90 % of draws)          beats constant    loss  sources",
    ]
    for score in learned.scores:
        low, high = score.error_interval
        least, most = score.wins_interval
        interval, wins = f"({low:.4g} to {high:.4g})", f"{score.wins:.0%} ({least:.0%}-{most:.0%})"
        lines.append(f"{score.error:9.4g} {interval:22} {wins:>16} {score.loss:7.4f}  {score.name}")
    constant = next(score for score in learned.scores if score.name == "constant")
    first = learned.transfers[0]
    if first.wins_interval[0] <= 0.5:
        lines.append(
            "The best read-out does not surely beat the best constant: label more images, or take other "
            "sources."
        )
    elif first.error < constant.error:
        lines.append(f"The best read-out has {first.error / constant.error:.0%} of the constant's error.")
    if learned.without_label:
        lines.append(f"{learned.without_label} image(s) without a label were left out.")
    for line in lines:
        typer.echo(printable(line))


def _print_next(learned: Learned, out: Path, *, extends: bool) -> None:
    """Print the commands for planning with the task and for predicting it.

    In an extended tensor, targets have different numbers of transfers, whose affinities sum to one for each
    target; so the plan uses affinities divided by the target's best.
    """
    plan = f"taxsolver --affinity {shlex.quote(str(out / TENSOR))} --targets all --budget {BUDGET}"
    plan += " --objective normalised-affinity" if extends else ""
    best = shlex.quote(",".join(learned.transfers[0].sources))
    bank = shlex.quote(str(learned.bank))
    typer.echo(printable(f"plan:     {plan}"))
    typer.echo(printable(f"predict:  taskbank predict PHOTO --tasks {learned.task} --bank {bank}"))
    typer.echo(
        printable(f"as well:  taskbank transfer PHOTO --sources {best} --target {learned.task} --bank {bank}")
    )
