"""The web demo as its visitors meet it: first result, planner, and fifty at once. Loopback only.

python -m benchmarks.demo [--bank FOLDER] [--users 50] [--questions 100]

Without a bank the networks are `compact` ones of full size with seeded weights. Requests go through HTTP and
gradio's queue to a server in this process, so the times hold what clients cost too. What the planner takes
without HTTP: `python -m benchmarks.demo_planner`.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import numpy as np
from rich.console import Console
from rich.table import Table
from training.arguments import ScriptParser

import taskbank_demo
from benchmarks.demo_planner import questions
from benchmarks.taskbank_photo import seeded_bank
from taskbank_demo.launch import launch
from taskbank_demo.planning.ask import PlanAsk
from taskbank_demo.settings import DemoSettings

PHOTO = Path(taskbank_demo.__file__).parent / "examples" / "office.jpg"
PATIENCE = 900.0  # seconds, of a client
MOST_USERS = 50

Act: TypeAlias = Callable[[], None]
Answer: TypeAlias = tuple[float, str]
"""Seconds that an act took, and what went wrong."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A program that asks the server over HTTP, as browsers do: upload, join the queue, read the answer.

    Attributes:
        url: of the demo.
        client: its connections.
    """

    url: str
    client: httpx.Client

    def upload(self) -> dict[str, Any]:
        """A photograph, as events take it."""
        files = {"files": (PHOTO.name, PHOTO.read_bytes())}
        sent = self.client.post(f"{self.url}gradio_api/upload", files=files).raise_for_status()
        return {"path": sent.json()[0], "meta": {"_type": "gradio.FileData"}}

    def ask(self, name: str, *data: Any) -> list[Any]:
        """The answer of an endpoint.

        Raises:
            RuntimeError: there is none; the message is the server's.
        """
        call = f"{self.url}gradio_api/call/{name}"
        joined = self.client.post(call, json={"data": data}).raise_for_status()
        told = self.client.get(f"{call}/{joined.json()['event_id']}").text
        event, words = told.strip().rsplit("\n\n", 1)[-1].split("\n", 1)
        if event != "event: complete":
            raise RuntimeError(words)
        found: list[Any] = json.loads(words.removeprefix("data: "))
        return found

    def predict(self, tasks: list[str]) -> None:
        """Upload a photograph and predict."""
        self.ask("predict", self.upload(), tasks)

    def plan(self, asked: PlanAsk) -> None:
        """Ask for a plan."""
        question = {name: getattr(asked, name) for name in PlanAsk.__dataclass_fields__}
        del question["supervise_targets"], question["sources"]
        self.ask("plan", {**question, "targets": list(asked.targets)})


def timed(act: Act) -> Answer:
    """Seconds, and what went wrong."""
    start = time.perf_counter()
    try:
        act()
    except (RuntimeError, httpx.HTTPError) as error:
        return time.perf_counter() - start, str(error)
    return time.perf_counter() - start, ""


def at_once(acts: Sequence[Act]) -> list[Answer]:
    """Run all requests in parallel."""
    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(timed, acts))


def crowd(name: str, acts: Sequence[Act]) -> dict[str, list[Answer]]:
    """A row that also says how long it takes until everybody is answered."""
    start = time.perf_counter()
    answers = at_once(acts)
    return {f"{name}, all answered in {time.perf_counter() - start:.1f} s": answers}


def measure(visitor: Visitor, tasks: list[str], users: int, count: int) -> dict[str, list[Answer]]:
    """Measure all rows of the table."""
    plans = [partial(_planned, visitor, asked) for asked in questions(count)]
    first, everything = partial(visitor.predict, tasks[:1]), partial(visitor.predict, tasks)
    rows = {"first result after upload, 1st visitor": [timed(first)]}
    rows["first result after upload, others"] = [timed(first) for _ in range(10)]
    rows[f"all {len(tasks)} tasks"] = [timed(everything) for _ in range(3)]
    timed(plans[0])
    rows[f"plan, {count} questions"] = [timed(plan) for plan in plans]
    rows["plan, 8 at once"] = [one for at in range(0, count, 8) for one in at_once(plans[at : at + 8])]
    mixed = [first if at % 2 else plans[at % count] for at in range(users)]
    return {
        **rows,
        **crowd(f"{users} photographs at once", [first] * users),
        **crowd(f"{users} at once, half of them plans", mixed),
    }


def _planned(visitor: Visitor, asked: PlanAsk) -> None:
    """A plan; that no plan fits a budget is an answer too."""
    try:
        visitor.plan(asked)
    except RuntimeError as error:
        if "budget" not in str(error):
            raise


def main() -> None:
    """Print one table."""
    parser = ScriptParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bank", help="as `taskbank demo` takes it")
    parser.add_argument("--users", type=int, choices=range(1, MOST_USERS + 1), default=50, metavar="1..50")
    parser.add_argument("--questions", type=int, default=100, help="to the planner")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bank = given.bank or str(seeded_bank(folder / "bank"))
        start = time.perf_counter()
        running = stack.enter_context(launch(DemoSettings(bank=bank, port=0)))
        started = time.perf_counter() - start
        client = stack.enter_context(
            httpx.Client(timeout=PATIENCE, limits=httpx.Limits(max_connections=None))
        )
        networks = running.services.need_networks()
        tasks = list(networks.predictable(1))
        rows = measure(Visitor(running.url, client), tasks, given.users, given.questions)
    title = (
        f"{networks.bank.index.name} on {networks.device}, {os.cpu_count()} CPU cores; start {started:.1f} s"
    )
    Console().print(_table(title, rows))


def _table(title: str, rows: dict[str, list[Answer]]) -> Table:
    table = Table(title=title)
    for column in ("", "median s", "p95 s", "worst s", "errors"):
        table.add_column(column, justify="right" if column else "left")
    for name, answers in rows.items():
        spent = [seconds for seconds, _ in answers]
        middle, late = np.percentile(spent, [50, 95])
        wrong = {error for _, error in answers if error}
        said = f"{sum(bool(error) for _, error in answers)}" + (f": {min(wrong)[:60]}" if wrong else "")
        table.add_row(name, f"{middle:.3f}", f"{late:.3f}", f"{max(spent):.3f}", said)
    return table


if __name__ == "__main__":
    main()
