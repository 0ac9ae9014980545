"""`taxsolver affinity`: list, show, import and export affinity tensors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from taxsolver_cli import options as opt
from taxsolver_cli import parse, show
from taxsolver_cli.completion import complete_affinity, complete_tasks
from taxsolver_cli.errors import Boundary, usage_error
from taxsolver_cli.once import Command
from taxsolver_cli.outputs import check_picture, write_picture

if TYPE_CHECKING:
    from taxsolver.tensors.affinity import AffinityTensor

HELP = "List, show, import and export affinity tensors."

app = typer.Typer(cls=Boundary, no_args_is_help=True, rich_markup_mode="rich")

Tensor = Annotated[
    str, typer.Argument(metavar="NAME|FILE", help="Affinity tensor.", autocompletion=complete_affinity)
]


@app.command("list", cls=Command)
def list_command(json: opt.Json = False) -> None:
    """List the tensors that come with taxsolver.

    Example:  taxsolver affinity list
    """
    from taxsolver.tensors.store import available_affinities, load_affinity

    tensors = [load_affinity(name) for name in available_affinities()]
    if json:
        show.print_json({"affinities": [_summary(tensor) for tensor in tensors]})
        return
    columns = ("tasks", "targets", "transfers", "orders", "images each")
    table = show.new_table("name", *columns, numbers=columns)
    for tensor in tensors:
        facts = _summary(tensor)
        table.add_row(
            show.escape(tensor.name),
            str(len(tensor.tasks)),
            str(len(tensor.targets)),
            f"{len(tensor):,}",
            f"1-{facts['max_order']}",
            f"{tensor.images_transfer:,}" if tensor.images_transfer else "not stated",
        )
    show.print_rich(table)


@app.command("show", cls=Command)
def show_command(
    tensor: Tensor = opt.DEFAULT_AFFINITY,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FILE", help="Draw the matrix of order 1 (.png, .svg, .pdf)."),
    ] = None,
    task_map: Annotated[
        Path | None, typer.Option("--map", metavar="FILE", help="Draw the task map: similar tasks are close.")
    ] = None,
    json: opt.Json = False,
) -> None:
    """Show a tensor: its content, its origin, and the best source of each target.

    Example:  taxsolver affinity show taskonomy-16k --plot matrix.png
    """
    from taxsolver.analysis.rank import rank
    from taxsolver.tensors.store import load_affinity

    check_picture(plot)
    check_picture(task_map)
    loaded = load_affinity(tensor)
    best = rank(loaded, max_order=1)
    if json:
        show.print_json({**_summary(loaded), "best_sources": [row.to_dict() for row in best]})
    else:
        facts = show.new_table("", "")
        facts.show_header = False
        facts.add_row("transfers", f"{len(loaded):,}, orders 1 to {loaded.order.max()}")
        facts.add_row("tasks", f"{len(loaded.tasks)}, {len(loaded.targets)} of them targets")
        images = f"{loaded.images_transfer:,}" if loaded.images_transfer else "not stated"
        facts.add_row("images", f"{images} for a transfer")
        for word, text in loaded.about.items():
            facts.add_row(show.escape(word.replace("_", " ")), show.escape(text))
        table = show.new_table("target", "best single source", "gain", "quality", numbers=("gain", "quality"))
        for row in best:
            table.add_row(
                show.escape(row.target),
                show.escape(" + ".join(row.sources)) or "[dim]not measured[/]",
                show.number(row.gain),
                show.number(row.quality),
            )
        show.print_rich(f"[bold]{show.escape(loaded.name)}[/]", facts, "", table)
    if plot is not None:
        from taxsolver.figures.matrix import draw_affinity

        write_picture(draw_affinity(loaded), plot)
    if task_map is not None:
        from taxsolver.figures.task_map import draw_task_map

        write_picture(draw_task_map(loaded), task_map)


@app.command("import", cls=Command)
def import_command(
    tables: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE.csv..",
            help="One line per transfer: target, sources, measures. Several files make one tensor.",
        ),
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT.safetensors", help="File of the tensor.")],
    name: Annotated[
        str | None, typer.Option("--name", help="Name of the tensor.  \\[default: as the file]")
    ] = None,
    untrained: Annotated[
        list[str] | None,
        typer.Option(
            "--untrained",
            metavar="A,..",
            help="Sources that are not trained networks.  \\[default: random, if it occurs]",
        ),
    ] = None,
    alias: Annotated[
        list[str] | None, typer.Option("--alias", metavar="A=TASK,..", help="Other spellings of tasks.")
    ] = None,
    normalise: Annotated[
        str | None,
        typer.Option(
            "--normalise",
            metavar="NAME",
            help="Scale negative or unbounded measures to 0 to 1: min-max (for each target, least 0, most "
            "1), rank (share of the target's other transfers that it beats) or logistic (0 becomes 0.5).",
        ),
    ] = None,
    images_full: Annotated[
        int | None, typer.Option("--images-full", metavar="N", help="Labelled images of a task network.")
    ] = None,
    images_transfer: Annotated[
        int | None, typer.Option("--images-transfer", metavar="N", help="Labelled images of a transfer.")
    ] = None,
    dataset: Annotated[str, typer.Option("--dataset", help="Dataset of the measurements.")] = "",
    made_by: Annotated[str, typer.Option("--made-by", help="Origin of the measurements.")] = "",
    licence: Annotated[str, typer.Option("--licence", help="Licence of the tensor.")] = "",
    citation: Annotated[str, typer.Option("--citation", help="Publication to cite.")] = "",
) -> None:
    """Make a tensor from CSV files.

    Columns: target, sources (joined by |), affinity, gain, quality, full_supervision; target, sources and one
    measure are needed. The source self stands for the target's fully supervised network. A matrix of
    affinities has an empty corner, sources down and targets across.

    Example:  taxsolver affinity import mine.csv mine.safetensors --dataset "my own"
    """
    from dataclasses import replace

    from taxsolver.tensors.affinity_csv import read_tensor_csv
    from taxsolver.tensors.names import split_names
    from taxsolver.tensors.normalisation import Normalisation
    from taxsolver.tensors.store import join_affinities, load_affinity, save_affinity

    words = {"dataset": dataset, "made_by": made_by, "licence": licence, "citation": citation}
    if normalise is not None:
        words["normalisation"] = Normalisation.named(normalise).value
        folders = [table for table in tables if table.is_dir()]
        if folders:
            raise usage_error(f"--normalise reads CSV files, and {folders[0]} is a folder: name its files")
    parts = [
        load_affinity(table) if table.is_dir() else read_tensor_csv(table, normalise=normalise)
        for table in tables
    ]
    measured = [target for part in parts for target in part.targets]
    twice = [target for target in measured if measured.count(target) > 1]
    if normalise is not None and twice:
        raise usage_error(
            f"--normalise compares the transfers of a target, and those of {twice[0]} are in two files: "
            "put them into one"
        )
    read = join_affinities(parts)
    tensor = replace(
        read,
        name=name or read.name,
        untrained=tuple(split_names(parse.joined(untrained))) if untrained else read.untrained,
        aliases=_aliases(parse.joined(alias)),
        images_full=images_full,
        images_transfer=images_transfer,
        about={word: text for word, text in words.items() if text},
    )
    show.note(f"{len(tensor):,} transfers of {len(tensor.targets)} targets: {save_affinity(tensor, out)}")


@app.command("export", cls=Command)
def export_command(
    tensor: Tensor,
    out: Annotated[Path, typer.Argument(metavar="OUT.csv|OUT.safetensors", help="File of the transfers.")],
    max_order: Annotated[
        int | None,
        typer.Option("--max-order", "-k", metavar="N", help="Only transfers of at most that many sources."),
    ] = None,
    targets: Annotated[
        list[str] | None,
        typer.Option(
            "--targets", metavar="A,B,..", help="Only these targets.", autocompletion=complete_tasks
        ),
    ] = None,
    sources: Annotated[
        list[str] | None,
        typer.Option(
            "--sources",
            metavar="A,B,..",
            help="Only transfers from these tasks.",
            autocompletion=complete_tasks,
        ),
    ] = None,
) -> None:
    """Write a tensor, or part of it, as CSV or safetensors.

    A CSV holds the transfers only, no aliases, image counts or origin.

    Example:  taxsolver affinity export taskonomy-16k normals.csv --targets normals --max-order 2
    """
    from taxsolver.tensors.store import load_affinity, save_affinity

    part = load_affinity(tensor).select(
        max_order=max_order,
        targets=parse.joined(targets) if targets else None,
        sources=parse.joined(sources) if sources else None,
    )
    show.note(f"{len(part):,} transfers: {save_affinity(part, out)}")


def _summary(tensor: AffinityTensor) -> dict[str, Any]:
    return {
        "name": tensor.name,
        "tasks": list(tensor.tasks),
        "targets": list(tensor.targets),
        "transfers": len(tensor),
        "max_order": int(tensor.order.max()),
        "untrained": list(tensor.untrained),
        "images_full": tensor.images_full,
        "images_transfer": tensor.images_transfer,
        "about": dict(tensor.about),
    }


def _aliases(text: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    for alias, _, task in pairs:
        if not alias.strip() or not task.strip():
            raise usage_error(f"--alias: cannot read {alias!r}, expected ALIAS=TASK")
    named = [alias.strip() for alias, _, _ in pairs]
    twice = [alias for alias in named if named.count(alias) > 1]
    if twice:
        raise usage_error(f"--alias: {twice[0]!r} is given twice")
    return {alias.strip(): task.strip() for alias, _, task in pairs}
