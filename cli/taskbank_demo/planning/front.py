"""The Pareto front of cost and gain, the cheapest plan with a requested gain, and their view on the page."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

from taskbank_demo.pieces import text
from taskbank_demo.planning.answer import Answer
from taskbank_demo.planning.ask import PlanAsk
from taskbank_demo.planning.command import front_command
from taskbank_demo.planning.drawing.cards import label_of
from taskbank_demo.planning.drawing.chart import Chart, Line, draw_chart
from taskbank_demo.planning.drawing.plan_words import measure
from taskbank_demo.planning.pieces import facts, take_away
from taxsolver import front
from taxsolver.errors import InfeasibleBudgetError, InvalidInputError
from taxsolver.planning.amounts import amount
from taxsolver.planning.front import front_to_dict
from taxsolver.planning.objective import Objective
from taxsolver.planning.solve import solve_problem
from taxsolver.planning.taxonomy import Taxonomy
from taxsolver.tensors.affinity import AffinityTensor

SECONDS = 8.0
_MOST_ROWS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """The Pareto front of cost and gain, and the cheapest plan with a requested gain.

    Attributes:
        plans: plans that no other plan beats in both cost and gain, the cheapest first.
        min_gain: the requested mean gain; None if none was requested.
        cheapest: the cheapest plan with that gain; None if none was requested, or no plan reaches it.
    """

    plans: tuple[Taxonomy, ...]
    min_gain: float | None
    cheapest: Taxonomy | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON: the keys of the command's `--json`, and the cheapest plan."""
        cheapest = None if self.cheapest is None else self.cheapest.to_dict()
        return {**front_to_dict(self.plans), "min_gain": self.min_gain, "cheapest": cheapest}


def answer_front(
    ask: PlanAsk, tensor: AffinityTensor, called: str, *, time_limit: float = SECONDS
) -> Answer[Front]:
    """Compute the Pareto front of cost and gain, or of cost and quality if that is the objective.

    Args:
        ask: the request; its budget is ignored, and `min_gain` requests the cheapest plan as well.
        tensor: the tensor that the request names.
        called: the tensor's name or file in a command.
        time_limit: seconds for the front, and as many for the cheapest plan.

    Raises:
        TaxSolverError: there is no plan; the message states the reason and what to change.
    """
    start = time.perf_counter()
    objective = Objective.QUALITY if ask.objective == Objective.QUALITY else Objective.GAIN
    asked = replace(ask, objective=objective.value, min_gain=None)
    plans = front(tensor, ask.solved, max_order=ask.max_order, time_limit=time_limit, **asked.options())
    cheapest = None
    if ask.min_gain is not None:
        goal = replace(asked, budget=None, min_gain=ask.min_gain).problem(tensor)
        try:
            cheapest = solve_problem(goal, time_limit=time_limit)
        except InfeasibleBudgetError:
            cheapest = None  # the page says what the dearest plan of the front reaches
    try:
        command = front_command(asked, called)
    except InvalidInputError:
        command = ""
    found = Front(plans=tuple(plans), min_gain=ask.min_gain, cheapest=cheapest)
    return Answer(ask=asked, found=found, command=command, seconds=time.perf_counter() - start)


def show_front(answer: Answer[Front]) -> str:
    """Show the front as a chart and a table, and the cheapest plan with the requested gain."""
    found = answer.found
    first, last = found.plans[0], found.plans[-1]
    problem = last.problem
    proven = sum(plan.status == "optimal" for plan in found.plans)
    name = str(problem.objective)
    cards = [
        ("Plans", str(len(found.plans)), f"{proven} proven: none costs less and has more {name}"),
        ("The cheapest", problem.written(first.cost), f"{_labels(first)}, gain {measure(first.gain)}"),
        ("The dearest", problem.written(last.cost), f"{_labels(last)}, gain {measure(last.gain)}"),
    ]
    if found.min_gain is not None:
        wanted = f"Mean gain {found.min_gain:.4g} from"
        plan = found.cheapest
        cards.append(
            (wanted, "no plan", f"the dearest plan of the front reaches {measure(last.gain, 4)}")
            if plan is None
            else (wanted, problem.written(plan.cost), f"{_labels(plan)}, {plan.status}: {_listed(plan)}")
        )
    across = f"cost ({problem.unit})" if problem.unit else "label cost"
    charts = ""
    for title, field, about in (
        ("Gain", "gain", "share of test images on which the plan beats training from scratch"),
        ("Quality", "quality", "share of test images on which the plan beats full supervision"),
    ):
        points = [(plan.cost, float(getattr(plan, field))) for plan in found.plans]
        line = Line(name=title.lower(), points=points, colour="o2")
        goal = found.min_gain if field == "gain" else None
        chart = Chart(title=title, across=across, lines=(line,), level=goal, digits=4)
        charts += (
            f"<figure><figcaption><strong>{title}</strong> {about}</figcaption>{draw_chart(chart)}</figure>"
        )
    return (
        '<section class="pl-result" aria-label="Pareto front"><header class="pl-head" aria-live="polite">'
        f"<h3>{len(found.plans)} plans between {text(problem.written(first.cost))} and "
        f"{text(problem.written(last.cost))}</h3><p>Each is the cheapest way to its {text(name)}, "
        f"{1000 * answer.seconds:.0f} ms.</p></header>"
        f'{facts(cards)}<div class="pl-charts">{charts}</div>{_table(found)}'
        f"{take_away(answer.command, answer.to_dict(), 'front.json')}</section>"
    )


def _table(found: Front) -> str:
    """Table of the plans; of a long front, those at even distances."""
    plans = found.plans
    if len(plans) > _MOST_ROWS:
        steps = {round(at * (len(plans) - 1) / (_MOST_ROWS - 1)) for at in range(_MOST_ROWS)}
        plans = tuple(plans[at] for at in sorted(steps))
    rows = "".join(
        f'<tr><th scope="row" class="tb-number">{amount(plan.cost)}'
        f"{'' if plan.status == 'optimal' else ' (not proven)'}</th>"
        f'<td class="tb-number">{measure(plan.gain, 4)}</td><td class="tb-number">{measure(plan.quality, 4)}'
        f'</td><td class="tb-number">{len(plan.sources)}</td><td>{text(_listed(plan))}</td></tr>'
        for plan in plans
    )
    shown = "" if len(plans) == len(found.plans) else f": {len(plans)} of {len(found.plans)}"
    return (
        '<div class="tb-scroll pl-table" tabindex="0" role="region" aria-label="Table of the front">'
        f'<table class="tb-table"><caption>No other plan has more for as much{shown}</caption><thead><tr>'
        '<th scope="col" class="tb-number">Cost</th><th scope="col" class="tb-number">Gain</th>'
        '<th scope="col" class="tb-number">Quality</th><th scope="col" class="tb-number">Labelled</th>'
        f'<th scope="col">Label in full</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _labels(plan: Taxonomy) -> str:
    return f"{len(plan.sources)} labelled in full"


def _listed(plan: Taxonomy) -> str:
    return ", ".join(label_of(task) for task in plan.sources) or "nothing"
