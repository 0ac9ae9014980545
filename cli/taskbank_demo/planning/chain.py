"""Plans over years: computing plans for rising budgets, and their view on the page."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

from taskbank_demo.pieces import text
from taskbank_demo.planning.answer import Answer
from taskbank_demo.planning.ask import PlanAsk
from taskbank_demo.planning.command import chain_command
from taskbank_demo.planning.drawing.cards import label_of
from taskbank_demo.planning.drawing.chart import Chart, Line, draw_chart
from taskbank_demo.planning.drawing.plan_words import measure
from taskbank_demo.planning.pieces import facts, legend, take_away
from taxsolver import Chain, chain
from taxsolver.errors import InvalidInputError
from taxsolver.planning.amounts import amount
from taxsolver.planning.taxonomy import Taxonomy
from taxsolver.tensors.affinity import AffinityTensor

MOST_YEARS = 8
SECONDS = 8.0
_WAYS = (("best chain", "best", "o1", ""), ("year by year", "greedy", "o2", "7 4"))
_FREE = ("each budget by itself", "free", "quiet", "2 4")


def read_budgets(given: str) -> list[float]:
    """Parse numbers that are separated by commas, semicolons or blanks.

    Raises:
        InvalidInputError: a part is not a number.
    """
    parts = [part for part in re.split(r"[,;\s]+", given.strip()) if part]
    budgets: list[float] = []
    for part in parts:
        try:
            budgets.append(float(part))
        except ValueError:
            raise InvalidInputError(
                f"the budgets hold {part[:40]!r}, expected numbers as in 2, 4, 8, without marks of thousands"
            ) from None
    return [int(budget) if budget.is_integer() else budget for budget in budgets]


def answer_chain(
    ask: PlanAsk,
    tensor: AffinityTensor,
    called: str,
    budgets: Sequence[float],
    *,
    time_limit: float = SECONDS,
) -> Answer[Chain]:
    """Find the best plans for rising budgets, each of which keeps the labels of the one before.

    Args:
        ask: the request.
        tensor: the tensor that the request names.
        called: the tensor's name or file in a command.
        budgets: cumulative budgets at the end of each year, at most 8.
        time_limit: seconds in total.

    Raises:
        TaxSolverError: there is no plan; the message states the reason and what to change.
    """
    if len(budgets) > MOST_YEARS:
        raise InvalidInputError(
            f"{len(budgets)} budgets are too many: at most {MOST_YEARS} are taken here; the command "
            "taxsolver chain has no such limit"
        )
    start = time.perf_counter()
    found = chain(
        tensor, budgets, targets=ask.solved, max_order=ask.max_order, time_limit=time_limit, **ask.options()
    )
    try:
        command = chain_command(ask, called, budgets)
    except InvalidInputError:
        command = ""
    return Answer(ask=ask, found=found, command=command, seconds=time.perf_counter() - start)


def show_chain(answer: Answer[Chain]) -> str:
    """Show the plans of all years: purchases, objectives, and the loss by keeping all labels."""
    found = answer.found
    problem = found.best[0].problem
    last = found.best[-1]
    proven = found.status == "optimal"
    proof = "proven the best chain" if proven else f"not proven: at most {found.bound:.6g}"
    share = found.nesting_costs / found.free_objective if found.free_objective else 0.0
    cards = [
        ("In the last year", f"{len(last.sources)} labelled", f"cost {problem.written(last.cost)}"),
        (
            f"{str(problem.objective).capitalize()}, all years",
            f"{found.objective:.5g}",
            f"{proof}, {1000 * answer.seconds:.0f} ms",
        ),
        (
            "Year by year",
            f"{found.greedy_objective:.5g}",
            f"the best plan of each year in turn{_unproven(found.greedy)}",
        ),
        (
            "Keeping everything costs",
            f"{share:.1%}",
            f"each budget by itself would reach {found.free_objective:.5g}{_unproven(found.free)}",
        ),
    ]
    unit = problem.unit or "label costs"
    span = f"{len(found.best[0].sources)} to {len(last.sources)} tasks labelled in full"
    return (
        '<section class="pl-result" aria-label="Plans over the years"><header class="pl-head" '
        f'aria-live="polite"><h3>{len(found.best)} years, {span}</h3>'
        f"<p>Budgets in {text(unit)} are totals of everything labelled until then.</p></header>"
        f"{facts(cards)}{_table(found)}"
        f'<div class="pl-charts">{_charts(found, unit)}</div>'
        f"{legend([(colour, dash, name) for name, _, colour, dash in (*_WAYS, _FREE)])}"
        f"{take_away(answer.command, answer.to_dict(), 'years.json')}</section>"
    )


def _unproven(plans: Sequence[Taxonomy]) -> str:
    return "" if all(plan.status == "optimal" for plan in plans) else ", not proven"


def _table(found: Chain) -> str:
    rows: list[str] = []
    earlier = frozenset[str]()
    for plan in found.best:
        new = [label_of(task) for task in plan.sources if task not in earlier]
        kept = len(plan.sources) - len(new)
        words = (f"{kept} kept, " if kept else "") + (", ".join(new) if new else "nothing new")
        rows.append(
            f'<tr><th scope="row" class="tb-number">{amount(plan.problem.budget or 0.0)}</th>'
            f'<td class="tb-number">{amount(plan.cost)}</td><td>{text(words)}</td>'
            f'<td class="tb-number">{measure(plan.gain)}</td>'
            f'<td class="tb-number">{measure(plan.quality)}</td></tr>'
        )
        earlier = frozenset(plan.sources)
    return (
        '<div class="tb-scroll pl-table" tabindex="0" role="region" aria-label="Table of the years">'
        '<table class="tb-table"><caption>The best chain: what is labelled in full, and when</caption><thead>'
        '<tr><th scope="col" class="tb-number">Budget</th><th scope="col" class="tb-number">Cost</th>'
        '<th scope="col">Label in full</th><th scope="col" class="tb-number">Gain</th>'
        '<th scope="col" class="tb-number">Quality</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _charts(found: Chain, unit: str) -> str:
    measures = (
        (str(found.best[0].problem.objective), "summed over the targets: this is maximised", "objective"),
        ("Gain", "mean over the targets", "gain"),
    )
    figures = ""
    for name, about, field in measures:
        lines = tuple(
            Line(
                name=words,
                points=[
                    (plan.problem.budget or 0.0, float(getattr(plan, field))) for plan in getattr(found, way)
                ],
                colour=colour,
                dash=dash,
            )
            for words, way, colour, dash in (*_WAYS, _FREE)
        )
        chart = Chart(title=name, across=f"budget ({unit})", lines=lines, digits=4)
        title = text(name[:1].upper() + name[1:])
        figures += (
            f"<figure><figcaption><strong>{title}</strong> {about}</figcaption>{draw_chart(chart)}</figure>"
        )
    return figures
