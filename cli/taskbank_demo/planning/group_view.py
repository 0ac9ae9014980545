"""HTML of a choice of networks: the networks, the loss of each task, and the losses for every budget."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from html import escape

from taskbank_demo.pieces import text
from taskbank_demo.planning.drawing.cards import label_of
from taskbank_demo.planning.drawing.chart import Chart, Line, draw_chart
from taskbank_demo.planning.grouping import METHODS, GroupAnswer
from taskbank_demo.planning.result import show_problem
from taxsolver.grouping import Grouping, Method
from taxsolver.planning.amounts import amount

# Colour and dash of each method: proposed methods are solid, baselines are dashed.
_LINES: dict[str, tuple[str, str]] = {
    Method.OPTIMAL: ("o1", ""),
    Method.HOA: ("o3", ""),
    Method.ESA: ("o2", ""),
    Method.INDEPENDENT: ("o4", "7 4"),
    Method.ALL_IN_ONE: ("o6", "7 4"),
    Method.RANDOM: ("quiet", "7 4"),
    Method.WORST: ("quiet", "2 4"),
}


def show_group(answer: GroupAnswer) -> str:
    """Show a choice of networks, or the reason why there is none."""
    found = answer.grouping
    if math.isnan(found.validation_loss):
        if found.status == "unsampled":
            return show_problem(
                "Random choices hardly ever serve every task within this budget: raise it.", "No choice"
            )
        least = "no budget suffices"
        if found.least_budget:
            least = f"the least that works is {amount(found.least_budget)}"
        why = f"{METHODS[found.method]}: nothing fits a budget of {amount(found.budget)}; {least}."
        return show_problem(why, "No choice")
    tasks, count, budget = len(found.table.tasks), len(found.chosen), amount(found.budget)
    if found.chosen:
        headline = f"{count} network{'' if count == 1 else 's'} for {tasks} tasks"
        cost = f"cost {amount(found.cost)} of a budget of {budget}"
    else:
        headline = f"Random choices for {tasks} tasks, mean of {found.draws:,} draws"
        cost = f"budget {budget}"
    saved = escape(json.dumps(answer.to_dict(), indent=2))
    networks = "".join(_network(found, place) for place in found.chosen)
    drawn = f'<ol class="pl-networks">{networks}</ol>' if networks else ""
    return (
        '<section class="pl-result" aria-label="The choice of networks">'
        f'<header class="pl-head" aria-live="polite"><h3>{text(headline)}</h3>'
        f"<p>{text(METHODS[found.method])}, {cost} (1 = one standard network)</p></header>"
        f"{_facts(answer)}{drawn}"
        '<div class="pl-away"><h4>The same in a terminal</h4><div class="tb-code pl-command">'
        f'<code>{text(answer.command)}</code><button type="button" class="pl-button" data-copy '
        'aria-label="Copy the command">Copy</button></div><p class="pl-buttons">'
        f'<button type="button" class="pl-button" data-save="grouping.json" data-text="{saved}">'
        'Download JSON</button><span class="pl-said" role="status"></span></p></div></section>'
    )


def show_curves(rows: Sequence[Grouping], here: float) -> str:
    """Show the total loss of every method over the budget.

    Args:
        rows: result of `taxsolver.grouping.budget_curves` for one table.
        here: the budget on the page.
    """
    table = rows[0].table
    split = "validation" if table.test is None else "test"
    methods = [method for method in _LINES if any(row.method == method for row in rows)]
    lines = tuple(
        Line(
            name=METHODS[method],
            points=[(row.budget, getattr(row, f"{split}_loss")) for row in rows if row.method == method],
            colour=_LINES[method][0],
            dash=_LINES[method][1],
        )
        for method in methods
    )
    chart = Chart(
        title=f"Total {split} loss",
        across="inference budget (1 = one standard network)",
        lines=lines,
        here=here,
        digits=4,
    )
    borders = {"": "", "2 4": ' style="border-top-style:dotted"', "7 4": ' style="border-top-style:dashed"'}
    legend = "".join(
        f'<li><i class="{line.colour}"{borders[line.dash]}></i>{text(line.name)}</li>' for line in lines
    )
    return (
        '<section class="pl-curves pg" aria-label="What every budget buys"><h3>What every budget buys</h3>'
        f'<div class="pl-charts pl-one"><figure><figcaption><strong>Total {split} loss</strong> of '
        f"{len(table.tasks)} tasks; lower is better</figcaption>{draw_chart(chart)}</figure></div>"
        f'<ul class="pl-legend">{legend}<li><i class="pl-here"></i>the budget above</li></ul></section>'
    )


def _network(found: Grouping, place: int) -> str:
    """Show one network: its cost, and its tasks, with the loss of those that it is chosen for."""
    table = found.table
    picked = [task for task, network in enumerate(found.assigned) if network == place]
    idle = [
        task for task, name in enumerate(table.tasks) if table.predicts[place, task] and task not in picked
    ]
    losses = table.validation if table.test is None else table.test
    tasks = "".join(
        f"<li><span>{text(label_of(table.tasks[task]))}</span><b>{losses[place, task]:.4g}</b></li>"
        for task in picked
    )
    unused = (
        f"<p>Learnt along, not used: {text(', '.join(label_of(table.tasks[task]) for task in idle))}</p>"
        if idle
        else ""
    )
    name = " + ".join(label_of(table.tasks[task]) for task in [*picked, *idle])
    cost = f"cost {amount(table.cost[place])}"
    if table.networks[place] in table.untrained:
        name, cost = f"{name}*", f"{cost}; * predicted, not trained"
    return (
        f'<li><header><h4 title="{text(table.networks[place])}">{text(name)}</h4>'
        f"<span>{cost}</span></header><ul>{tasks}</ul>{unused}</li>"
    )


def _facts(answer: GroupAnswer) -> str:
    found = answer.grouping
    test = "not measured" if math.isnan(found.test_loss) else f"{found.test_loss:.5g}"
    proof = {
        "optimal": "proven best on its losses",
        "time_limit": f"time ran out; none is better than {found.bound:.5g}",
    }.get(found.status, "a mean over random choices")
    cards = [
        ("Validation loss", f"{found.validation_loss:.5g}", "summed over the tasks; it chooses"),
        ("Test loss", test, "each task takes the network that turns out best, as the authors score"),
        ("Status", found.status, f"{proof}, {1000 * answer.seconds:.0f} ms"),
    ]
    predicted, following = answer.predicted, answer.following
    if predicted is not None:  # the error of predicted losses, and the group to train next
        error = f"{100 * predicted.error:.1f} %" if predicted.held_out else "not known"
        about = (
            f"of a task's loss alone, leaving out one of {predicted.held_out} trained groups"
            if predicted.held_out
            else "pairs cannot be left out of what they tell: train a larger group"
        )
        train, why = "nothing", "no group would change the choice if it were better by that error"
        if following is not None:
            train = " + ".join(label_of(task) for task in following.network.split("+"))
            why = f"knowing it is expected to lower the loss by {following.expected:.3g}"
        cards += [("Error of a predicted loss", error, about), ("Train next", train, why)]
    return (
        '<dl class="pl-facts">'
        + "".join(
            f"<div><dt>{text(name)}</dt><dd><strong>{text(value)}</strong><span>{text(about)}</span></dd></div>"
            for name, value, about in cards
        )
        + "</dl>"
    )
