"""Stability of a plan: plans for draws of the measurements, and their view on the page."""

from __future__ import annotations

import math
import time

from taskbank_demo.pieces import text
from taskbank_demo.planning.answer import Answer
from taskbank_demo.planning.ask import PlanAsk
from taskbank_demo.planning.command import stability_command
from taskbank_demo.planning.drawing.bars import Bar, draw_bars
from taskbank_demo.planning.drawing.cards import label_of
from taskbank_demo.planning.drawing.chart import Chart, Line, draw_chart
from taskbank_demo.planning.pieces import facts, legend, take_away
from taxsolver import Stability, stability
from taxsolver.errors import InvalidInputError
from taxsolver.planning.amounts import amount
from taxsolver.tensors.affinity import AffinityTensor

DRAWS, MOST_DRAWS = 40, 200
SECONDS = 15.0
_NAMES = {
    "estimate": ("of the estimate", "the plan of the measurements as they are"),
    "mean": ("best in the mean", "best on average over all draws"),
    "worst": ("best in the worst", "best on average over the worst draws"),
}
_LOOKS = {"estimate": ("o1", ""), "mean": ("o2", "7 4"), "worst": ("o3", "2 4")}  # colour and dashes
_MOST_BARS = 16  # as high as the chart beside them


def answer_stability(
    ask: PlanAsk,
    tensor: AffinityTensor,
    called: str,
    noise: float | None,
    *,
    draws: int = DRAWS,
    time_limit: float = SECONDS,
) -> Answer[Stability]:
    """Find plans for draws of the measurements.

    Args:
        ask: the request.
        tensor: the tensor that the request names.
        called: the tensor's name or file in a command.
        noise: standard deviation of noise on the measurements; None for the tensor's own draws.
        draws: at most 200.
        time_limit: seconds in total.

    Raises:
        TaxSolverError: there is no plan; the message states the reason and what to change.
    """
    if isinstance(draws, int) and draws > MOST_DRAWS:
        raise InvalidInputError(
            f"{draws} draws are too many: at most {MOST_DRAWS} are taken here; the command taxsolver "
            "stability has no such limit"
        )
    start = time.perf_counter()
    found = stability(
        tensor,
        ask.solved,
        ask.budget,
        max_order=ask.max_order,
        draws=draws,
        noise=noise,
        time_limit=time_limit,
        **ask.options(),
    )
    try:
        command = stability_command(ask, called, draws, noise)
    except InvalidInputError:
        command = ""
    return Answer(ask=ask, found=found, command=command, seconds=time.perf_counter() - start)


def show_stability(answer: Answer[Stability]) -> str:
    """Show how often each task is labelled, and values and regrets of three plans in the draws."""
    found = answer.found
    estimate = found.plans[0]
    certain = [task for task in estimate.taxonomy.sources if found.frequency.get(task, 0.0) >= 0.95]
    labelled = len(estimate.taxonomy.sources)
    origin = f"noise of {amount(found.noise)}" if found.noise is not None else f"{found.origin} of the tensor"
    share = float(estimate.regret.mean()) / estimate.mean if estimate.mean else 0.0
    cards = [
        ("Labelled in nearly every draw", f"{len(certain)} of {labelled}", "tasks in 95 % of the best plans"),
        (
            "The plan loses",
            f"{share:.1%}",
            "mean over the draws, against the best plan of each; at most "
            f"{float(estimate.regret.max()) / estimate.mean if estimate.mean else 0.0:.1%}",
        ),
        ("Draws", str(found.draws), f"{origin}; {found.proven} planned to the proven optimum"),
        (
            "Best in the worst",
            f"{found.plans[2].worst:.4g}",
            f"mean of the worst {found.worst_share:.0%} of the draws; the plan of the estimate has "
            f"{estimate.worst:.4g}",
        ),
    ]
    return (
        '<section class="pl-result" aria-label="How sure the plan is"><header class="pl-head" '
        f'aria-live="polite"><h3>{len(certain)} of {labelled} labelled tasks stay in nearly every draw</h3>'
        f"<p>{found.draws} draws, {text(origin)}, each planned anew, {1000 * answer.seconds:.0f} ms</p>"
        "</header>"
        f'{facts(cards)}<div class="pl-charts">{_charts(found)}</div>'
        f"{legend([(*_LOOKS[name], words) for name, (words, _) in _NAMES.items()])}"
        f"{_plans(found)}{_tasks(found)}"
        f"{take_away(answer.command, answer.to_dict(), 'stability.json')}</section>"
    )


def _charts(found: Stability) -> str:
    """Return bars of how often each task is labelled, and curves of the regret of three plans."""
    shares = _shares(found)
    own = found.plans[0].taxonomy.sources
    bars = [
        Bar(name=label_of(task), share=share, faint=task not in own) for task, share in shares[:_MOST_BARS]
    ]
    left_out = len(shares) - len(bars)
    most = f"; {left_out} rarer ones in the table" if left_out else ""
    largest = max(float(plan.regret.max()) for plan in found.plans)
    lines = tuple(
        Line(
            name=_NAMES[plan.name][0],
            points=[(at, float(one)) for at, one in enumerate(sorted(plan.regret), start=1)],
            colour=_LOOKS[plan.name][0],
            dash=_LOOKS[plan.name][1],
        )
        for plan in found.plans
    )
    regret = Chart(
        title="Regret",
        across="draws, from the smallest regret to the largest",
        lines=lines,
        digits=min(12, max(2, 2 - math.floor(math.log10(largest)))) if largest else 2,
        each="draw",
    )
    objective = text(str(found.plans[0].taxonomy.problem.objective))
    return (
        "<figure><figcaption><strong>Labelled in full</strong> in how many draws; faint: not in the plan of "
        f"the estimate{most}</figcaption>{draw_bars('How often each task is labelled', bars)}</figure>"
        f"<figure><figcaption><strong>Regret</strong> how much more {objective} the best plan of each draw "
        f"has</figcaption>{draw_chart(regret)}</figure>"
    )


def _shares(found: Stability) -> list[tuple[str, float]]:
    """Return the tasks that any plan labels, with their share of the draws, the most frequent first."""
    named = {task: 0.0 for plan in found.plans for task in plan.taxonomy.sources} | found.frequency
    return sorted(named.items(), key=lambda one: -one[1])


def _tasks(found: Stability) -> str:
    """Return a table of how often each task is labelled, and in which of the three plans."""
    rows = "".join(
        f'<tr><th scope="row" title="{text(task)}">{text(label_of(task))}</th>'
        f'<td class="tb-number pl-measure" style="--share:{share:.3f}">{share:.0%}</td>'
        + "".join(
            f'<td class="tb-number">{"yes" if task in plan.taxonomy.sources else ""}</td>'
            for plan in found.plans
        )
        + "</tr>"
        for task, share in _shares(found)
    )
    heads = "".join(
        f'<th scope="col" class="tb-number" title="{text(about)}">{text(name)}</th>'
        for name, (_, about) in _NAMES.items()
    )
    return (
        '<div class="tb-scroll pl-table" tabindex="0" role="region" aria-label="Table of the tasks">'
        '<table class="tb-table"><caption>Labelled in full, in how many draws and in which plan</caption>'
        '<thead><tr><th scope="col">Task</th><th scope="col" class="tb-number">Of draws</th>'
        f"{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _plans(found: Stability) -> str:
    """Return a table of values and regrets of three plans."""
    rows = "".join(
        f'<tr><th scope="row" title="{text(_NAMES[plan.name][1])}">{text(_NAMES[plan.name][0])}'
        f"{'' if plan.taxonomy.status == 'optimal' else ' (not proven)'}</th>"
        + "".join(
            f'<td class="tb-number">{value:.4g}</td>'
            for value in (plan.mean, plan.worst, float(plan.regret.mean()), float(plan.regret.max()))
        )
        + "</tr>"
        for plan in found.plans
    )
    return (
        '<div class="tb-scroll pl-table" tabindex="0" role="region" aria-label="Table of three plans">'
        '<table class="tb-table"><caption>Three plans in all draws; regret: the best plan of a draw, less '
        'this one</caption><thead><tr><th scope="col">Plan</th><th scope="col" class="tb-number">Mean</th>'
        '<th scope="col" class="tb-number">Worst</th><th scope="col" class="tb-number">Mean regret</th>'
        f'<th scope="col" class="tb-number">Largest</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )
