"""`taxsolver ahp`: affinities from per-image losses."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from taxsolver_cli import options as opt
from taxsolver_cli import show
from taxsolver_cli.errors import usage_error
from taxsolver_cli.outputs import check_row_outputs, write_picture, write_rows

SHORT = "Affinities from per-image losses."
HELP = """
Compute affinities of the transfers of one target from their losses on every test image.

The file is a CSV: the first line names the transfers by their sources (normal|edge_texture for two), every
other line holds the losses of one image. To plan with several targets, join the files that
--save writes for each of them, or give each with its own --affinity.

With a column scratch (a network trained from scratch on the same data) gains are computed too, and with a
column self (the fully supervised network) qualities.

\b
  taxsolver ahp losses.csv --target reshading --save reshading.csv
  taxsolver ahp losses.csv --target reshading --plot before-and-after.png
  taxsolver --affinity reshading.csv --affinity normals.csv --targets all --budget 2
"""


def ahp_command(
    losses: Annotated[
        Path, typer.Argument(metavar="LOSSES.csv", help="Losses: images down, transfers across.")
    ],
    target: Annotated[str, typer.Option("--target", metavar="NAME", help="The target of the transfers.")],
    json: opt.Json = False,
    save: opt.SaveRows = None,
    plot: opt.Plot = None,
) -> None:
    """Compute affinities from per-image losses, and print them."""
    from taxsolver.tensors.affinity_csv import check_target
    from taxsolver.tensors.ahp import preference_ratios, principal_eigenvector, win_rates
    from taxsolver.tensors.losses_csv import read_losses

    if not target.strip():
        raise usage_error("--target is empty: name the task that the transfers are read out for")
    check_target(target.strip(), "--target")
    check_row_outputs(save, plot)
    with show.working("comparing"):
        matrix = read_losses(losses)
        check_target(target.strip(), "--target", {name for sources in matrix.transfers for name in sources})
        measured = {"gain": matrix.against("scratch", "pixels"), "quality": matrix.against("self")}
        matrix = matrix.without_controls
        wins = win_rates(matrix.losses, matrix.names)
    affinities = principal_eigenvector(preference_ratios(wins))
    known = {name: values.tolist() for name, values in measured.items() if values is not None}
    rows = [
        {
            "target": target,
            "order": len(sources),
            "sources": list(sources),
            "affinity": float(value),
            **{name: values[place] for name, values in known.items()},
        }
        for place, (sources, value) in enumerate(zip(matrix.transfers, affinities, strict=True))
    ]
    if json:
        show.print_json({"target": target, "images": len(matrix.losses), "rows": rows})
    else:
        numbers = ("affinity", *known, "mean loss")
        table = show.new_table("read out from", *numbers, numbers=numbers)
        means = matrix.losses.mean(axis=0)
        for place in sorted(range(len(rows)), key=lambda place: -rows[place]["affinity"]):
            table.add_row(
                show.escape(matrix.names[place]),
                show.affinity(rows[place]["affinity"]),
                *(show.number(rows[place][name]) for name in known),
                f"{means[place]:.4g}",
            )
        show.print_rich(
            f"[bold]{show.escape(target)}[/]: {len(rows)} transfers on {len(matrix.losses):,} images",
            "",
            table,
        )
    write_rows(rows, save)
    if plot is not None:
        from taxsolver.figures.matrix import draw_ahp

        write_picture(draw_ahp(wins, affinities, matrix.names, target), plot)
