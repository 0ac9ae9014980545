"""`taskbank probe`: estimate in seconds which encoders help a target."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from taskbank.options import Kind, Precision
from taskbank_cli.banks import split_names
from taskbank_cli.labelled import SOURCES_HELP, ImagesOption, check_packages, labelled_images, named_labels
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
    SizeOption,
    SquareFit,
    SquareFitOption,
    progress_bar,
)

if TYPE_CHECKING:
    from taskbank.probing.result import Probe, TargetScores
    from taxsolver import AffinityTensor

_PICTURES = (".png", ".svg", ".pdf")


def probe(
    images: ImagesOption,
    labels: Annotated[
        list[str],
        typer.Option(
            "--labels",
            metavar="[NAME=]DIR|CSV",
            help="Labels of a target; repeat for several. A folder of maps (PNG, NPY) named like the images; "
            "a CSV with a column `file`, optionally `group`, and one for each target; or DIR again, for "
            "images in a folder for each class. NAME is the target's.",
        ),
    ],
    sources: Annotated[
        list[str],
        typer.Option(
            "--sources",
            "-s",
            metavar="A,B,..",
            help=SOURCES_HELP,
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE", help="Affinity tensor, *.safetensors.")
    ] = Path("probe.safetensors"),
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Draw scores and intervals: .png, .svg or .pdf.", show_default=False
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON instead.")] = False,
    kind: KindOption = Kind.AUTO,
    groups: GroupsOption = None,
    places: Annotated[int, typer.Option(help="Rows and columns to which maps are pooled.")] = 8,
    share: Annotated[
        float, typer.Option("--held-out", metavar="SHARE", help="Share of held-out images.")
    ] = 0.4,
    resamples: Annotated[int, typer.Option(help="Bootstrap draws of groups.")] = 500,
    seed: Annotated[int, typer.Option(min=0, help="Seed of division, draws and random weights.")] = 0,
    bank: BankOption = None,
    accept_licence: AcceptLicence = None,
    fit: SquareFitOption = SquareFit.CROP,
    size: SizeOption = None,
    batch_size: BatchSize = 8,
    device: Device = "auto",
    precision: PrecisionOption = Precision.FP32,
    overwrite: Overwrite = False,
) -> None:
    """Estimate which encoders a target can be read out from best, without training networks.

    Images are encoded once; ridge regression, k-NN and LogME score every encoder, raw pixels and an untrained
    encoder. OUT is an affinity tensor for `taxsolver`, marked as estimated.

    Example: taskbank probe --images pictures/ --labels labels.csv --sources normals,reshading
    """
    from taskbank.errors import InvalidInputError

    check_packages(["taxsolver", *(["matplotlib"] if plot else [])], "probing")
    if out.suffix != ".safetensors":
        raise InvalidInputError(
            f"{out} must end in .safetensors: affinity tensors are written in that format"
        )
    if plot is not None and plot.suffix not in _PICTURES:
        raise InvalidInputError(f"{plot} must end in {', '.join(_PICTURES)}")
    files = labelled_images(images)

    from taskbank.inference.predictor import make_settings
    from taskbank.probing.controls import with_controls
    from taskbank.probing.labels import read_groups
    from taskbank.probing.plan import Plan
    from taskbank.probing.run import run_probe
    from taskbank.saving.export import refuse_existing
    from taskbank.sources import open_sources
    from taxsolver import save_affinity

    if not overwrite:
        refuse_existing([out, *([plot] if plot else [])])
    plan = Plan(places=places, share=share, resamples=resamples, seed=seed)
    settings = make_settings({"fit": fit, "batch_size": batch_size, "device": device, "precision": precision})
    named = named_labels(labels, list(files), images, kind)
    together = None if groups is None else read_groups(groups, list(files))
    accepted = split_names(accept_licence) or ()
    opened = open_sources(sources, bank=bank, size=size, seed=seed, accept_licence=accepted)
    compared, controls = with_controls(opened, seed)
    with progress_bar(total=len(files)) as bar:
        found = run_probe(
            files,
            named,
            compared,
            controls=controls,
            groups=together,
            plan=plan,
            settings=settings,
            each=lambda: bar.advance(bar.task_ids[0]),
        )
    tensor = _tensor(found, images)
    if plot is not None:
        _draw(found, plot)
    save_affinity(tensor, out)
    for reason in found.failed:
        typer.echo(printable(f"left out: {reason}"), err=True)
    if as_json:
        typer.echo(json.dumps(found.to_dict() | {"affinity": str(out)}, indent=2))
        return
    for one in found.targets:
        _print(one)
    targets = ",".join(one.target for one in found.targets)
    typer.echo(printable(f"estimated affinities in {out}"))
    typer.echo(printable(f"plan:  taxsolver --affinity {out} --targets {targets} --budget 2"))


def _tensor(found: Probe, images: Path) -> AffinityTensor:
    """Convert the estimates to an affinity tensor: order 1, affinities by the analytic hierarchy process."""
    import numpy as np

    from taskbank.probing.controls import PIXELS, RANDOM
    from taskbank.tasks.registry import ALIASES
    from taxsolver import AffinityTensor, ahp

    names = [str(source["name"]) for source in found.sources]
    targets = [one.target for one in found.targets]
    tasks = (*names, *(name for name in targets if name not in names))
    read, of, affinity = [], [], []
    for one in found.targets:
        losses = np.stack([one.losses[name] for name in names], axis=1)
        affinity += ahp(losses, names).tolist()
        read += np.eye(len(names), len(tasks), dtype=bool).tolist()
        of += [tasks.index(one.target)] * len(names)
    nowhere = np.full(len(of), np.nan)
    learned = {one.target: f"{one.learned} images, compared on {one.held_out}" for one in found.targets}
    return AffinityTensor(
        name=f"probe of {images.name} (estimated)",
        tasks=tasks,
        targets=tuple(task for task in tasks if task in targets),
        sources=np.array(read, dtype=bool),
        target=np.array(of, dtype=np.int32),
        affinity=np.array(affinity),
        gain=nowhere,
        quality=nowhere,
        full_supervision=np.zeros(len(of), dtype=bool),
        aliases={alias: task for alias, task in ALIASES.items() if task in tasks and alias not in tasks},
        untrained=tuple(name for name in (PIXELS, RANDOM) if name in names),
        about={
            "estimated": "by ridge regression on held-out images; no network was trained",
            "made_by": "taskbank probe",
            "dataset": images.name,
            "learned_from": json.dumps(learned),
            "seed": str(found.plan.seed),
        },
    )


def _print(one: TargetScores) -> None:
    """Print the ranking of the sources of one target; names come last, as they may be long."""
    lines = [
        f"{one.target}: {one.measure} on {one.held_out} held-out images of {one.groups} groups, learned "
        f"from {one.learned}",
        " rank (90 %)   ridge (90 % of draws)     k-NN   LogME  beats pixels  params (M)  source",
    ]
    for score in one.scores:
        low, high = score.ridge_interval
        first, last = score.rank_interval
        ranks, interval = f"({first}-{last})", f"({low:.3f} to {high:.3f})"
        control = " (control)" if score.control else ""
        lines.append(
            f"{score.rank:3} {ranks:8} {score.ridge:7.3f} {interval:18} {score.knn:6.3f}  {score.logme:6.2f}"
            f"  {score.beats_pixels:12.0%}  {score.parameters / 1e6:10.2f}  {score.source}{control}"
        )
    # How many sources beat the controls, and how well the order by parameters ranks sources.
    real = [score for score in one.scores if not score.control]
    bar = max(score.ridge for score in one.scores if score.control)
    above = sum(score.ridge > bar for score in real)
    largest = max(real, key=lambda score: score.parameters)
    said = f"{above} of {len(real)} sources beat both controls. "
    if math.isnan(one.by_parameters):
        said += "Order by parameters: nothing to compare (too few sources, or all of one size)."
    else:
        said += (
            f"Order by parameters: Spearman {one.by_parameters:.2f} with the ridge scores; the largest, "
            f"{largest.source}, is number {largest.rank}."
        )
    for line in (*lines, said, ""):
        typer.echo(printable(line))


def _draw(found: Probe, path: Path) -> None:
    """Draw scores with intervals, one panel per target, with controls in grey."""
    from io import BytesIO

    from matplotlib.figure import Figure

    from taskbank.atomic_files import write_whole

    rows = max(len(one.scores) for one in found.targets)
    figure = Figure(figsize=(5 * len(found.targets), 1.2 + 0.22 * rows), layout="constrained")
    for axes, one in zip(
        figure.subplots(1, len(found.targets), squeeze=False)[0], found.targets, strict=True
    ):
        scores = one.scores[::-1]
        for place, score in enumerate(scores):
            colour = "tab:gray" if score.control else "tab:blue"
            axes.plot(score.ridge_interval, [place, place], color=colour)
            axes.plot([score.ridge], [place], "o", color=colour)
        axes.set_yticks(range(len(scores)), [score.source for score in scores], fontsize=7)
        axes.set_title(one.target)
        axes.set_xlabel(f"{one.measure} (ridge, held out)")
    picture = BytesIO()
    figure.savefig(picture, format=path.suffix[1:], dpi=120)
    write_whole(path, lambda file: file.write(picture.getvalue()))
