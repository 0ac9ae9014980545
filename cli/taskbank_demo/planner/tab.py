"""The Planner tab: the choice of the tasks to label; and the planner's API."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.events import api

from taskbank_demo.errors import readable
from taskbank_demo.pieces import intro
from taskbank_demo.planner.grouping import grouping_part
from taskbank_demo.planner.plan import plan_part
from taskbank_demo.planner.space import space_part
from taskbank_demo.planning.api import (
    affinities_json,
    chain_json,
    front_json,
    group_json,
    plan_json,
    stability_json,
    sweep_json,
)
from taskbank_demo.planning.tensors import TensorShelf
from taskbank_demo.services import Services


def planner_tab(services: Services) -> None:
    """Put the tab on the page."""
    shelf = TensorShelf()
    _offer_api(shelf)  # first, as gradio adds a number to names that are already in use
    gr.HTML(
        intro(
            "Planner",
            "Which tasks to label in full, and from which of them every other one is read out, so that a "
            "budget of labels does most. Every change is answered at once, and proven.",
        )
    )
    with gr.Tabs(elem_classes="tb-subtabs"):
        with gr.Tab("Plan"):
            affinity = plan_part(services, shelf)
        with gr.Tab("Task space") as space:
            space_part(shelf, affinity, space)
        with gr.Tab("Grouping") as grouping:
            grouping_part(services, grouping)


def _offer_api(shelf: TensorShelf) -> None:
    """Add `/plan`, `/sweep`, `/front`, `/chain`, `/stability`, `/group`, `/affinities`: JSON in, JSON out."""

    @readable
    def plan(question: dict[str, Any]) -> dict[str, Any]:
        """Find the best plan: parameters of taxsolver.solve, `affinity` a name, or `affinity_csv` a text."""
        return plan_json(shelf, question)

    @readable
    def sweep(question: dict[str, Any]) -> dict[str, Any]:
        """Find the best plan of every budget and order: as /plan, with lists `budgets` and `orders`."""
        return sweep_json(shelf, question)

    @readable
    def front(question: dict[str, Any]) -> dict[str, Any]:
        """Compute the Pareto front of cost and gain, and the cheapest plan with `min_gain`."""
        return front_json(shelf, question)

    @readable
    def chain(question: dict[str, Any]) -> dict[str, Any]:
        """Find the best plans for rising `budgets`, each of which keeps the labels of the one before."""
        return chain_json(shelf, question)

    @readable
    def stability(question: dict[str, Any]) -> dict[str, Any]:
        """Evaluate plans in draws of the measurements: as /plan, with `noise` and `draws`."""
        return stability_json(shelf, question)

    @readable
    def group(question: dict[str, Any]) -> dict[str, Any]:
        """Choose networks of a `setting` or `table_csv` by `method` for `budget`, or `methods`, `budgets`."""
        return group_json(question)

    @readable
    def affinities() -> dict[str, Any]:
        """List the affinity tensors and their tasks."""
        return affinities_json()

    for handler in (plan, sweep, front, chain, stability, group, affinities):
        api(handler, api_name=handler.__name__, concurrency_id="planner", concurrency_limit=4)
