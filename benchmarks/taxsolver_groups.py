"""Validate predicted groups on the published settings: choices by prediction against optimal, HOA and ESA.

    python -m benchmarks.taxsolver_groups [--trained 6] [--plot FILE.png]

Every setting begins with what HOA has: the networks of one task and of two. Then the group that `next_group`
names for a budget of 2.5 is trained, that is, its published losses are added, `--trained` times. Choices are
made on validation losses, measured or predicted, and scored by the published test losses of what was chosen.
The picture of docs/plan.md was drawn by this program.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table
from training.arguments import ScriptParser

from taxsolver.grouping import LossTable, PredictedGroups, group, load_setting, next_group, predict_groups
from taxsolver.grouping.curves import BUDGETS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RIVALS = ("optimal", "hoa", "esa")
BUDGET = 2.5


def kept(table: LossTable, networks: list[int]) -> LossTable:
    """Some networks of a table, with their validation losses."""
    return replace(
        table,
        networks=tuple(table.networks[network] for network in networks),
        cost=table.cost[networks],
        validation=table.validation[networks],
        test=None,
        validation_early=None,
    )


def train(table: LossTable, count: int) -> PredictedGroups:
    """Predictions after training the pairs and then `count` groups, each the one to train next."""
    networks = np.flatnonzero(table.num_predicted <= 2).tolist()
    found = predict_groups(kept(table, networks))
    for _ in range(count):
        following = next_group(found, BUDGET)
        if following is None:
            break
        networks.append(table.networks.index(following.network))
        found = predict_groups(kept(table, networks))
    return found


def scores(table: LossTable, found: PredictedGroups) -> list[float]:
    """Total published test losses of the choices at all budgets."""
    totals = []
    for budget in BUDGETS:
        chosen = group(found.table, "optimal", budget).networks
        rows = [table.networks.index(name) for name in chosen]
        totals.append(float(np.nanmin(table.scored[rows], axis=0).sum()))
    return totals


def draw(lines: dict[int, dict[str, list[float]]], trained: int) -> Figure:
    """One panel a setting: how much more each choice loses than the optimal one, in percent."""
    from taxsolver.figures.page import new_page
    from taxsolver.figures.style import BLUE, FAINT, GREEN, ORANGE, house_style

    looks = {"predicted": (BLUE, "o"), "hoa": (GREEN, "s"), "esa": (ORANGE, "^")}
    names = {
        "predicted": f"predicted: pairs and {trained} more groups trained",
        "hoa": "higher-order approximation: pairs trained",
        "esa": "early stopping: all groups trained for a fifth",
    }
    with house_style():
        figure = new_page(
            9,
            6.2,
            "Groups that nobody has trained",
            "how much more test loss than the best of all groups, in %",
        )
        panels = figure.subplots(2, 2, sharex=True)
        for axes, (setting, found) in zip(panels.flat, lines.items(), strict=True):
            best = np.array(found["optimal"])
            for name, (colour, marker) in looks.items():
                more = 100 * (np.array(found[name]) / best - 1)
                axes.plot(BUDGETS, more, color=colour, marker=marker, ms=5, lw=1.8, label=names[name])
            axes.axhline(0, color="#555555", lw=1, ls=":")
            axes.set_title(f"setting {setting}", loc="left", fontsize=10)
            axes.grid(axis="y", color=FAINT, lw=0.8)
        for axes in panels[1]:
            axes.set_xlabel("inference budget (1 = one standard network)")
        handles, labels = panels[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower left", ncols=1, fontsize=9, borderaxespad=1)
    return figure


def main() -> None:
    """Parse, choose, print."""
    parser = ScriptParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trained", type=int, default=6, help="groups to train beyond the pairs")
    parser.add_argument("--plot", type=Path, default=None, help="picture to write")
    arguments = parser.parse_args()
    table = Table("setting", "choice", *(f"{budget:g}" for budget in BUDGETS), "error, %")
    lines: dict[int, dict[str, list[float]]] = {}
    for setting in (1, 2, 3, 4):
        published = load_setting(setting)
        found = train(published, arguments.trained)
        lines[setting] = {
            method: [group(published, method, budget).test_loss for budget in BUDGETS] for method in RIVALS
        }
        lines[setting]["predicted"] = scores(published, found)
        for name, losses in lines[setting].items():
            error = f"{100 * found.error:.1f}" if name == "predicted" else ""
            table.add_row(str(setting), name, *(f"{loss:.4f}" for loss in losses), error)
    Console(width=130).print(table)
    if arguments.plot is not None:
        from taxsolver.figures.style import save_figure

        save_figure(draw(lines, arguments.trained), arguments.plot)


if __name__ == "__main__":
    main()
