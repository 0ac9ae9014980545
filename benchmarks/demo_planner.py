"""Benchmark the planner of the web demo: seconds to answer, draw and send random questions.

python -m benchmarks.demo_planner [--questions 200] [--users 8]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from training.arguments import ScriptParser

from taskbank_demo.planning.answer import answer_plan, answer_sweep
from taskbank_demo.planning.ask import PlanAsk
from taskbank_demo.planning.result import show_plan
from taskbank_demo.planning.sweep_view import show_sweep
from taskbank_demo.planning.tensors import TensorShelf
from taxsolver import Objective, available_affinities
from taxsolver.errors import InfeasibleBudgetError

SHELF = TensorShelf()


def questions(count: int, seed: int = 0) -> list[PlanAsk]:
    """Questions that a visitor may ask: any targets, budgets, orders, objectives and label costs."""
    rng = np.random.default_rng(seed)
    return [_question(rng) for _ in range(count)]


def _question(rng: np.random.Generator) -> PlanAsk:
    name = str(rng.choice(available_affinities()))
    tensor = SHELF.get(name)
    targets = rng.choice(tensor.targets, size=rng.integers(1, len(tensor.targets) + 1), replace=False)
    dear = rng.choice(tensor.tasks, size=rng.integers(0, 4), replace=False)
    return PlanAsk(
        affinity=name,
        targets=tuple(targets.tolist()),
        budget=int(rng.integers(1, 13)),
        max_order=int(rng.integers(1, 5)),
        objective=str(rng.choice([str(objective) for objective in Objective])),
        label_cost={str(task): float(rng.choice([0.5, 2, 4])) for task in dear},
    )


def plan(ask: PlanAsk) -> None:
    """Make what the page shows at once: the plan, one more unit, the random band, picture and table."""
    show_plan(answer_plan(ask, SHELF.get(ask.affinity), ask.affinity))


def curves(ask: PlanAsk) -> None:
    """Make the charts that follow: the plans of all budgets."""
    show_sweep(
        answer_sweep(
            ask, SHELF.get(ask.affinity), ask.affinity, range(1, 27), [1, ask.max_order or 4], seconds=6
        ),
        ask.budget or 0.0,
    )


def timed(answer: Callable[[PlanAsk], None], asked: list[PlanAsk], users: int = 1) -> list[float]:
    """Milliseconds of each answer; questions that no plan fits are left out."""

    def one(ask: PlanAsk) -> float | None:
        start = time.perf_counter()
        try:
            answer(ask)
        except InfeasibleBudgetError:
            return None
        return 1000 * (time.perf_counter() - start)

    with ThreadPoolExecutor(users) as pool:
        return [spent for spent in pool.map(one, asked) if spent is not None]


def over_http(url: str) -> Callable[[PlanAsk], None]:
    """Send a question to `/plan` of a running demo, through gradio's queue and client."""
    from gradio_client import Client

    client = Client(url, verbose=False, analytics_enabled=False)

    def ask_server(ask: PlanAsk) -> None:
        question: dict[str, Any] = {name: getattr(ask, name) for name in PlanAsk.__dataclass_fields__}
        del question["supervise_targets"], question["sources"]
        client.predict({**question, "targets": list(ask.targets)}, api_name="/plan")

    return ask_server


def main() -> None:
    """Print the table."""
    parser = ScriptParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--users", type=int, default=8, help="who ask at once, in the last row")
    given = parser.parse_args()
    asked = questions(given.questions)
    for ask in asked[:3]:
        plan(ask)
        curves(ask)
    table = Table(title=f"the demo's planner, {given.questions} questions, milliseconds")
    for column in ("", "median", "p95", "worst"):
        table.add_column(column, justify="right" if column else "left")
    rows = {
        "plan, one more, band; picture and table": timed(plan, asked),
        "curves of all budgets, drawn": timed(curves, asked),
        f"the same plans, {given.users} at once": timed(plan, asked, given.users),
        **_served(asked[: max(1, given.questions // 4)], given.users),
    }
    for name, spent in rows.items():
        middle, late = np.percentile(spent, [50, 95])
        table.add_row(name, f"{middle:.1f}", f"{late:.1f}", f"{max(spent):.1f}")
    Console().print(table)


def _served(asked: list[PlanAsk], users: int) -> dict[str, list[float]]:
    from taskbank_demo.launch import launch
    from taskbank_demo.settings import DemoSettings

    with launch(DemoSettings(port=0)) as running:
        ask_server = over_http(running.url)
        ask_server(PlanAsk())
        return {
            "/plan over HTTP": timed(ask_server, asked),
            f"/plan over HTTP, {users} at once": timed(ask_server, asked, users),
        }


if __name__ == "__main__":
    main()
