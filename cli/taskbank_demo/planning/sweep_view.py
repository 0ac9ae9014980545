"""Charts over the budget: gain and quality of the best plans, compared with random plans."""

from __future__ import annotations

import math

from taskbank_demo.pieces import text
from taskbank_demo.planning.answer import SweepAnswer
from taskbank_demo.planning.drawing.chart import Chart, Line, draw_chart

_NOT_PROVEN = '<p class="tb-note">Some of these plans are good, but not proven: {}.</p>'
_WHY = {"time_limit": "time ran out", "unproven": "the solver ended without a proof"}
_MEASURES = {"gain": "Gain", "quality": "Quality"}
_MEANING = {
    "gain": "share of test images on which the plan beats training from scratch",
    "quality": "share of test images on which the plan beats full supervision",
}


def show_sweep(answer: SweepAnswer, here: float) -> str:
    """Return a chart for each measure of the tensor, a legend, and the command.

    Args:
        answer: the plans.
        here: the budget on the page.
    """
    rows = answer.rows
    if all(row.taxonomy is None for row in rows):
        return '<p class="tb-note">No budget in the range holds a plan.</p>'
    measured = [name for name in _MEASURES if any(not math.isnan(getattr(row, name)) for row in rows)]
    if not measured:
        return '<p class="tb-note">This tensor has neither gain nor quality: no curves can be drawn.</p>'
    orders = sorted({row.max_order for row in rows})
    unit = next(row.taxonomy.problem.unit for row in rows if row.taxonomy)
    across = "supervision budget" if unit is None else f"budget ({unit})" if unit else "budget"
    figures = ""
    for measure in measured:
        lines = tuple(
            Line(
                name=_order_words(order),
                points=[(row.budget, getattr(row, measure)) for row in rows if row.max_order == order],
                colour=f"o{min(order, 6)}",
            )
            for order in orders
        )
        chart = Chart(title=_MEASURES[measure], across=across, lines=lines, here=here, level=0.5, digits=3)
        figures += (
            f"<figure><figcaption><strong>{_MEASURES[measure]}</strong> {_MEANING[measure]}</figcaption>"
            f"{draw_chart(chart)}</figure>"
        )
    statuses = {row.taxonomy.status for row in rows if row.taxonomy}
    reasons = " or ".join(why for status, why in _WHY.items() if status in statuses)
    legend = "".join(
        f'<li><i class="o{min(order, 6)}"></i>{text(_order_words(order))}</li>' for order in orders
    )
    return (
        '<section class="pl-curves pg" aria-label="What every budget buys"><h3>What every budget buys</h3>'
        f'<div class="pl-charts">{figures}</div><ul class="pl-legend">{legend}'
        '<li><i class="pl-here"></i>the budget above</li>'
        '<li><i class="pl-level"></i>as often better as worse</li></ul>'
        f"{_NOT_PROVEN.format(reasons) if reasons else ''}</section>"
    )


def _order_words(order: int) -> str:
    return "order 1" if order == 1 else f"orders up to {order}"
