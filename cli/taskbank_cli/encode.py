"""`taskbank encode`: representations of images, for other projects."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape as escape_markup
from rich.table import Table

from taskbank.options import Precision
from taskbank_cli.banks import split_names
from taskbank_cli.printing import printable
from taskbank_cli.running import (
    AcceptLicence,
    BankOption,
    BatchSize,
    Device,
    ImagesOrVideos,
    Overwrite,
    PrecisionOption,
    SizeOption,
    SquareFit,
    SquareFitOption,
    Tasks,
    find_inputs,
    progress_bar,
    report_failures,
)

if TYPE_CHECKING:
    from taskbank.sources.timing import Cost


def encode(
    images: ImagesOrVideos,
    out: Annotated[Path, typer.Option("--out", "-o", help="The file, *.safetensors.")],
    tasks: Tasks = None,
    sources: Annotated[
        list[str] | None,
        typer.Option(
            "--sources",
            "-s",
            metavar="A,B,..",
            help="Instead of --tasks: tasks, banks, timm:MODEL\\[@LAYER] with "
            "optional ?weights=FILE&size=PX, or hf:OWNER/NAME; features as each network outputs them.",
            show_default=False,
        ),
    ] = None,
    time: Annotated[
        bool,
        typer.Option(
            "--time",
            help="Measure parameters and milliseconds per picture; write them next to OUT as .costs.csv.",
        ),
    ] = False,
    bank: BankOption = None,
    accept_licence: AcceptLicence = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="The form that decoders read, not mean 0 and variance 1.")
    ] = False,
    half: Annotated[bool, typer.Option("--half", help="Write 16-bit floats.")] = False,
    fit: SquareFitOption = SquareFit.CROP,
    size: SizeOption = None,
    batch_size: BatchSize = 8,
    device: Device = "auto",
    precision: PrecisionOption = Precision.FP32,
    overwrite: Overwrite = False,
) -> None:
    """Save representations of images, a tensor (N, channels, h, w) per encoder, with the images' names.

    Encoders of a bank give 8 channels and a cell per 16 px; the file's header describes the others.

    Each frame of a video is a row, named FILE#NUMBER.

    Example: taskbank encode photos/ --tasks normals,reshading -o features.safetensors
    """
    from taskbank.errors import InvalidInputError

    if sources and (tasks or raw):
        other = "--tasks" if tasks else "--raw"
        raise InvalidInputError(
            f"{other} and --sources do not go together: --sources takes names of tasks too"
        )
    costs_file = out.with_suffix(".costs.csv")
    with progress_bar() as bar:
        refused: list[str] = []
        found = find_inputs(images, bar, refused=refused)

        from taskbank.file_features import encode_files
        from taskbank.inference.predictor import make_settings, open_bank
        from taskbank.saving.export import refuse_existing

        settings = make_settings(
            {"fit": fit, "size": size, "batch_size": batch_size, "device": device, "precision": precision}
        )
        costs: list[Cost] = []
        notes: tuple[str, ...]
        if time and not overwrite:
            refuse_existing([out, costs_file])
        held, names = _wanted(sources, tasks, bank, raw=raw, accepted=bool(accept_licence))
        if names or time:
            from taskbank.file_features import encode_sources
            from taskbank.sources import open_sources
            from taskbank.sources.timing import measure_costs, write_costs

        accept = tuple(split_names(accept_licence) or ())
        if time:
            opened = open_sources(names or held, bank=bank, size=size, accept_licence=accept)
            costs = measure_costs(opened, settings)
        if names:
            saved = encode_sources(
                open_sources(names, bank=bank, size=size, accept_licence=accept),
                found,
                out,
                settings=settings,
                half=half,
                overwrite=overwrite,
                costs=costs,
                each=lambda _: bar.advance(bar.task_ids[0]),
            )
            rows, failures, notes = len(saved.images), list(saved.failed), saved.notes
            unseen = saved.unseen
        else:
            done = encode_files(
                open_bank(bank),
                held,
                found,
                out,
                settings=settings,
                normalize=not raw,
                half=half,
                overwrite=overwrite,
                each=lambda _: bar.advance(bar.task_ids[0]),
            )
            rows, failures = len(done.images), [str(outcome.error) for outcome in done.failed]
            notes, unseen = done.notes, done.unseen
        if time:
            write_costs(costs, costs_file)
    if time:
        _print_costs(costs)
    for note in notes:
        typer.echo(printable(f"note: {note}"), err=True)
    good, total = len(found) - len(failures), len(found) + len(refused)
    typer.echo(printable(f"{good} of {total} input(s), {rows} representation(s) in {out}"))
    if unseen:
        share = f"up to {unseen:.0%} of an image is left out: --fit pad shows all of it"
        typer.echo(f"the networks saw the middle square only, {share}")
    if time:
        typer.echo(printable(f"costs in {costs_file}"))
    report_failures([*refused, *failures])


def _wanted(
    sources: list[str] | None, tasks: list[str] | None, bank: str | None, *, raw: bool, accepted: bool
) -> tuple[list[str], list[str]]:
    """Return the chosen tasks, and the sources, which are empty if the bank's own encoders are run.

    Raises:
        InvalidInputError: an option has no effect.
    """
    from taskbank.errors import InvalidInputError
    from taskbank.inference.predictor import open_bank

    if names := split_names(sources) or []:
        return [], names
    chosen = open_bank(bank)
    named = split_names(tasks or ["all"]) or []
    held = list(chosen.tasks) if named == ["all"] else named
    if any(chosen.entry(task).model for task in held):  # their features have other shapes
        if raw:
            raise InvalidInputError("--raw is for representations of our own encoders: leave it out")
        return held, held
    if accepted:
        raise InvalidInputError(
            "--accept-licence is for third-party models: leave it out, or name their bank"
        )
    return held, []


def _print_costs(costs: list[Cost]) -> None:
    """Print parameters and milliseconds by source, the fastest first."""
    table = Table(box=None, pad_edge=False)
    table.add_column("source", overflow="fold")
    table.add_column("parameters (M)", justify="right", no_wrap=True)
    table.add_column("ms a picture", justify="right", no_wrap=True)
    for cost in sorted(costs, key=lambda one: one.milliseconds):
        table.add_row(
            escape_markup(printable(cost.source)), f"{cost.parameters / 1e6:.2f}", f"{cost.milliseconds:.1f}"
        )
    Console().print(table)
