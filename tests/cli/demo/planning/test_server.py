"""The planner on a running server: its API through gradio's client, and what the page's events answer."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from taxsolver import solve, sweep
from toys import TOY

gradio_client = pytest.importorskip("gradio_client")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of a server without a bank."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of gradio's own dependencies, while they are imported
        from taskbank_demo.launch import launch
        from taskbank_demo.settings import DemoSettings

        settings = DemoSettings(bank=str(tmp_path_factory.mktemp("no") / "bank"), port=0)
        with launch(settings) as running:
            folder = tmp_path_factory.mktemp("client")
            yield gradio_client.Client(
                running.url, verbose=False, analytics_enabled=False, download_files=str(folder)
            )


def test_the_api_of_the_planner_has_stable_names_and_needs_no_bank(client: Any) -> None:
    named = client.view_api(return_format="dict")["named_endpoints"]
    assert {"/plan", "/sweep", "/group", "/affinities"} <= set(named)


def test_a_plan_over_the_api_is_the_librarys(client: Any) -> None:
    question = {"targets": ["normals", "depth", "reshading"], "budget": 2, "label_cost": {"normal": 1.5}}
    told = client.predict(question, api_name="/plan")
    plan = solve("taskonomy-16k", "normals,depth,reshading", 2, label_cost={"normal": 1.5})
    assert told["sources"] == list(plan.sources)
    assert told["transfers"] == [transfer.to_dict() for transfer in plan.transfers]


def test_a_tensor_can_be_sent_as_text(client: Any) -> None:
    assert client.predict({"affinity_csv": TOY, "budget": 2}, api_name="/plan")["sources"] == ["a", "s"]


def test_a_sweep_over_the_api_is_the_librarys(client: Any) -> None:
    told = client.predict(
        {"targets": "normal,reshading", "budgets": [1, 2], "orders": [1]}, api_name="/sweep"
    )
    rows = sweep("taskonomy-16k", [1, 2], [1], targets="normal,reshading")
    assert told["rows"] == [row.to_dict() for row in rows]


def test_grouping_over_the_api(client: Any) -> None:
    told = client.predict({"setting": 1, "budget": 2.5}, api_name="/group")
    assert told["status"] == "optimal"
    assert len(client.predict(api_name="/affinities")["affinities"]) >= 3


@pytest.mark.parametrize(
    ("name", "question", "message"),
    [
        ("/plan", {"targets": ["normalz"]}, "did you mean normal"),
        (
            "/plan",
            {"budget": 1, "require": ["normal", "reshading"]},
            "the least that serves every target is 2",
        ),
        ("/plan", {"affinity": "../../etc/passwd"}, "unknown affinity tensor"),
        ("/sweep", {"budgets": list(range(1, 99))}, "too large: at most 64"),
        ("/group", {"setting": 9}, "expected one of 1, 2, 3 and 4"),
    ],
)
def test_errors_over_the_api_are_messages(client: Any, name: str, question: Any, message: str) -> None:
    with pytest.raises(gradio_client.exceptions.AppError, match=message):
        client.predict(question, api_name=name)


def test_many_plans_at_once_are_each_their_own(client: Any) -> None:
    def ask(budget: int) -> tuple[int, list[str]]:
        told = client.predict({"budget": budget}, api_name="/plan")
        return told["budget"], told["sources"]

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(ask, range(1, 7)))
    assert found == [(budget, list(solve("taskonomy-16k", "all", budget).sources)) for budget in range(1, 7)]


def test_the_page_of_the_planner_is_complete_before_any_request(client: Any) -> None:
    shown = [str(part["props"].get("value", "")) for part in client.config["components"]]
    assert any("tasks labelled serve all 22" in html for html in shown)
    assert any("3 networks for 5 tasks" in html for html in shown)


def test_uploaded_files_leave_nothing_behind(client: Any, tmp_path: Path) -> None:
    from taskbank_demo.planner.plan_handlers import Choosing
    from taskbank_demo.planning.tensors import TensorShelf
    from taskbank_demo.services import make_services
    from taskbank_demo.settings import DemoSettings

    services = make_services(DemoSettings(bank=str(tmp_path / "none")), tmp_path)
    choosing = Choosing(services, TensorShelf())
    for name, content, says in (("good.csv", TOY, "tb-note"), ("bad.csv", "a,b\n1,2\n", "Not taken")):
        file = tmp_path / name
        file.write_text(content)
        choices, own, emptied, said = choosing.upload(str(file), [])
        assert not file.exists()
        assert emptied is None
        assert says in said
        assert len(own) == (1 if name == "good.csv" else 0)
        assert choices is not None
