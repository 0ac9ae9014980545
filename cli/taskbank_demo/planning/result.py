"""HTML of a plan: its summary, picture, table and downloads."""

from __future__ import annotations

import math
from html import escape

from taskbank_demo.pieces import text
from taskbank_demo.planning.answer import PlanAnswer
from taskbank_demo.planning.drawing.cards import label_of
from taskbank_demo.planning.drawing.kinship import Kinship
from taskbank_demo.planning.drawing.plan_graph import NARROW, WIDE, draw_plan
from taskbank_demo.planning.drawing.plan_words import measure, one_more_words, proof, served_from
from taskbank_demo.planning.pieces import take_away
from taxsolver.analysis.significance import Band
from taxsolver.figures.headline import headline
from taxsolver.planning.amounts import amount

_MEANING = {
    "gain": "share of test images on which the plan beats training from scratch, mean over the targets",
    "quality": "share of test images on which the plan beats full supervision, mean over the targets",
}


def show_plan(answer: PlanAnswer) -> str:
    """Return the HTML of one plan: headline, facts, picture, table and downloads."""
    taxonomy = answer.taxonomy
    first, second = (line.replace(r"\$", "$") for line in headline(taxonomy))
    return (
        '<section class="pl-result pv" aria-label="The plan">'
        f'<header class="pl-head" aria-live="polite"><h3>{text(first[:1].upper() + first[1:])}</h3>'
        f"<p>{text(second)}</p></header>"
        f"{_facts(answer)}"
        '<div class="pl-both">'
        f'<figure class="pl-graph"><div class="pl-wide">{draw_plan(taxonomy, WIDE)}</div>'
        f'<div class="pl-narrow">{draw_plan(taxonomy, NARROW)}</div></figure>'
        f"{plan_table(answer)}{_purchases(answer)}</div>"
        f"{take_away(answer.command, answer.to_dict(), 'plan.json', 'plan.svg')}</section>"
    )


def show_problem(message: str, heading: str = "No plan") -> str:
    """Return a panel with the reason why there is no plan, or, with another heading, no other result."""
    return (
        f'<section class="pl-result"><div class="pl-problem" role="alert"><h3>{text(heading)}</h3>'
        f"<p>{text(message)}</p></div></section>"
    )


def plan_table(answer: PlanAnswer) -> str:
    """Return a table of targets with sources and measures; hovering a row highlights it in the picture."""
    taxonomy = answer.taxonomy
    kin = Kinship(taxonomy)
    rows = ""
    for transfer in taxonomy.transfers:
        own, order = " pl-own", ""
        if not transfer.full_supervision:
            own, order = "", f'<b class="pl-order o{min(transfer.order, 6)}">{transfer.order}</b>'
        rows += (
            f'<tr class="{kin.node(transfer.target).replace(" d ", " ")}{own}">'
            f'<th scope="row" title="{text(transfer.target)}">{text(label_of(transfer.target))}</th>'
            f'<td>{text(served_from(transfer))}</td><td class="tb-number pg">{order}</td>'
            f"{_cell(transfer.gain)}{_cell(transfer.quality)}</tr>"
        )
    count = len(taxonomy.transfers)
    caption = f"{count} target{'' if count == 1 else 's'} and how each is served"
    return (
        '<div class="tb-scroll pl-table" tabindex="0" role="region" aria-label="Table of the plan">'
        f'<table class="tb-table"><caption>{caption}</caption>'
        '<thead><tr><th scope="col">Target</th><th scope="col">Read out from</th>'
        '<th scope="col" class="tb-number">Order</th><th scope="col" class="tb-number">Gain</th>'
        f'<th scope="col" class="tb-number">Quality</th></tr></thead><tbody>{rows}</tbody>'
        '<tfoot><tr><th scope="row" colspan="3">Mean</th>'
        f"{_cell(taxonomy.gain)}{_cell(taxonomy.quality)}</tr></tfoot>"
        "</table></div>"
    )


def _cell(value: float) -> str:
    """Return a cell with a measure and a bar from 0 to 1 under it."""
    share = 0.0 if math.isnan(value) else value
    return f'<td class="tb-number pl-measure" style="--share:{share:.3f}">{measure(value)}</td>'


def _facts(answer: PlanAnswer) -> str:
    taxonomy = answer.taxonomy
    band = answer.band
    problem = taxonomy.problem
    cost = "" if taxonomy.cost == len(taxonomy.sources) else f", {amount(taxonomy.cost)} in label costs"
    if problem.unit is not None:
        cost = f", {problem.written(taxonomy.cost)}"
    more = answer.more
    next_unit = (
        "One more unit"
        if problem.unit is None or more is None or problem.budget is None
        else f"{problem.written(round(more.budget - problem.budget, 6))} more"
    )
    bought = "nothing"
    if more is not None and more.increase > 0 and more.added:
        bought = f"+{more.increase:.3g}"
    sources = ", ".join(label_of(task) for task in taxonomy.sources) or "nothing"
    cards = [
        _card("Label in full", f"{len(taxonomy.sources)}{cost}", sources),
        _measure_card("Gain", taxonomy.gain, None if band is None else band.random_gain, answer.no_band),
        _measure_card(
            "Quality", taxonomy.quality, None if band is None else band.random_quality, answer.no_band
        ),
        _card(
            str(problem.objective).replace("-", " ").capitalize() + ", summed",
            f"{taxonomy.objective:.4g}",
            f"{proof(taxonomy)}, {1000 * taxonomy.seconds:.0f} ms",
        ),
        _card(f"{next_unit} buys", bought, one_more_words(more)),
    ]
    return f'<dl class="pl-facts">{"".join(cards)}</dl>'


def _card(name: str, value: str, about: str) -> str:
    return (
        f'<div title="{text(about)}"><dt>{text(name)}</dt><dd><strong>{text(value)}</strong>'
        f'<span class="pl-about">{text(about)}</span></dd></div>'
    )


def _measure_card(name: str, value: float, band: Band | None, no_band: str) -> str:
    """Return a card with a measure, compared with random plans of the same budget."""
    if band is None or math.isnan(band[0]) or math.isnan(value):
        about = f"<span>{text(no_band or 'random plans were not compared')}</span>"
    else:
        low, middle, high = band
        words = f"random plans {low:.2f} to {high:.2f}, median {middle:.2f}"
        about = (
            f'<span class="pl-band" role="img" aria-label="{text(words)}" '
            f'style="--low:{low:.3f};--high:{high:.3f};--middle:{middle:.3f};--plan:{value:.3f}"><i></i><b></b><u></u></span><span>{text(words)}</span>'
        )
    title = escape(_MEANING[name.lower()])
    shown = f"<strong>{measure(value, 3)}</strong>{about}"
    return f'<div title="{title}"><dt>{text(name)}</dt><dd>{shown}</dd></div>'


def _purchases(answer: PlanAnswer) -> str:
    """Return a table of the labels to buy, if the budget counts images or money; else nothing."""
    taxonomy = answer.taxonomy
    unit = taxonomy.problem.unit
    if unit is None:
        return ""
    rows = "".join(
        f'<tr><th scope="row" title="{text(bought.task)}">{text(label_of(bought.task))}</th>'
        f"<td>{'all uses' if bought.full else 'a transfer'}</td>"
        f'<td class="tb-number">{"" if bought.images is None else f"{bought.images:,.10g}"}</td>'
        f'<td class="tb-number">{amount(bought.cost)}</td></tr>'
        for bought in taxonomy.purchases
    )
    return (
        '<div class="tb-scroll pl-table" tabindex="0" role="region" aria-label="Labels to buy">'
        '<table class="tb-table"><caption>What to label: in full, or enough for a transfer</caption>'
        '<thead><tr><th scope="col">Label</th><th scope="col">For</th>'
        '<th scope="col" class="tb-number">Images</th>'
        f'<th scope="col" class="tb-number">{text(unit or "Cost")}</th></tr></thead><tbody>{rows}</tbody>'
        f'<tfoot><tr><th scope="row" colspan="3">Cost</th>'
        f'<td class="tb-number">{amount(taxonomy.cost)}</td></tr></tfoot></table></div>'
    )
