"""The page as a whole: what its events do where a request fails, and what its scripts and styles reach."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

import taskbank_demo
from taskbank_demo.launch import Running, launch
from taskbank_demo.planning.tensors import TensorShelf
from taskbank_demo.scripts import script
from taskbank_demo.services import Services
from taskbank_demo.settings import DemoSettings
from toy_transfers import toy_transfer_bank

ASSETS = Path(taskbank_demo.__file__).parent / "assets"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A demo of a bank with transfers."""
    bank = toy_transfer_bank(tmp_path_factory.mktemp("toy") / "bank")
    with launch(DemoSettings(bank=bank.where, device="cpu", port=0)) as server:
        yield server


def place(running: Running, name: str) -> int:
    """Number of the component with this id."""
    return int(next(n for n, one in running.page.blocks.items() if getattr(one, "elem_id", None) == name))


def handler(running: Running, name: str, event: str) -> Callable[..., Iterator[tuple[Any, ...]]]:
    """Return the function that answers an event of a component."""
    target = (place(running, name), event)
    [found] = [one.fn for one in running.page.fns.values() if target in one.targets and one.fn]
    answer: Callable[..., Iterator[tuple[Any, ...]]] = found
    return answer


@pytest.mark.parametrize("name", ["live-photo", "transfers-photo", "transfers-video"])
def test_a_refused_upload_goes_without_asking_the_server(running: Running, name: str) -> None:
    """The answer of the server could take away the next upload."""
    field = place(running, name)
    config = running.page.get_config_file()["dependencies"]
    freeing = [one for one in config if one["outputs"] == [field] and one["js"]]
    assert [(one["js"], one["backend_fn"]) for one in freeing] == [("() => null", False)]
    [before] = [one for one in config if one["id"] == freeing[0]["trigger_after"]]
    assert [target[0] for target in before["targets"]] == [field]
    assert freeing[0]["trigger_only_on_failure"]


@pytest.mark.parametrize(("name", "event"), [("transfers-photo", "input"), ("transfers-video", "upload")])
def test_what_was_kept_is_forgotten_before_a_refusal(running: Running, name: str, event: str) -> None:
    """A comparison would look for a file that is gone."""
    services = running.services
    kept = services.new_folder() / "photograph.png"
    kept.write_bytes(b"x")
    bad = services.folder / "upload-1" / "a.png"
    bad.parent.mkdir()
    bad.write_bytes(b"words")
    answers = handler(running, name, event)(str(bad), str(kept))
    assert "" in next(answers)
    assert not kept.exists()
    with pytest.raises(gr.Error, match=r"a\.png"):
        next(answers)
    assert not bad.exists()


def test_the_page_names_groups_of_boxes_for_screen_readers(running: Running) -> None:
    """By a script that runs wherever the page is opened."""
    scripts = [getattr(one, "js_on_load", None) for one in running.page.blocks.values()]
    assert scripts.count(script("names")) == 1


class _Broken(TensorShelf):
    """Breaks in a way that nobody foresaw."""

    def get(self, name: str) -> Any:
        raise KeyError(f"/inside/{name}")


def test_a_part_of_the_planner_that_breaks_says_so_and_logs_why(
    running: Running, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not to the visitor, who learns nothing of the inside; found as the page calls it."""
    services: Services = running.services
    monkeypatch.setattr(TensorShelf, "get", _Broken.get)
    monkeypatch.setattr("taskbank_demo.planner.plan_handlers.read_tensor", lambda _path: 1 / 0)
    monkeypatch.setattr("taskbank_demo.planner.grouping.read_table", lambda _path: 1 / 0)
    monkeypatch.setattr("taskbank_demo.planner.grouping.show_group", lambda _answer: 1 / 0)
    monkeypatch.setattr("taskbank_demo.planner.grouping.show_curves", lambda _rows, _here: 1 / 0)
    path = services.folder / "upload-2" / "own.csv"
    asked: tuple[Any, ...] = ("mine", 2.0, 4, "affinity", [])
    given: dict[str, tuple[Any, ...]] = {
        "PlanHandlers.plan": asked,
        "PlanHandlers.sweep": asked,
        "PlanHandlers.chain": (True, "2, 4", *asked),
        "PlanHandlers.stability": (True, 0.05, *asked),
        "Choosing.tensor": ("mine",),
        "Choosing.preset": ("mine", "first"),
        "Choosing.upload": (str(path), []),
        "Choosing.group": ("1", 2.5, "optimal"),
        "Choosing.curves": ("1", 2.5),
        "space_part.<locals>.on_view": ("mine", "tree"),
    }
    called = [
        (_name(one.fn), one.fn) for one in running.page.fns.values() if one.fn and _name(one.fn) in given
    ]
    assert {name for name, _ in called} == given.keys()
    for name, fn in called:
        caplog.clear()
        path.parent.mkdir(exist_ok=True)
        path.write_text("a,b\n")
        with pytest.raises(gr.Error, match="Something went wrong on the server") as caught:
            fn(*given[name])
        assert "inside" not in str(caught.value)
        [record] = caplog.records
        assert record.exc_info is not None


def _name(handler: object) -> str:
    return str(getattr(handler, "__qualname__", ""))


@pytest.mark.parametrize("style", sorted(ASSETS.glob("*.css")), ids=lambda path: path.stem)
def test_rules_of_media_queries_reach_the_page(style: Path) -> None:
    """gradio puts its container before their selectors, so those that begin with it match nothing."""
    text = re.sub(r"/\*.*?\*/", "", style.read_text(encoding="utf-8"), flags=re.DOTALL)
    queries = re.findall(r"@media[^{]*\{((?:[^{}]*\{[^{}]*\})*)\s*\}", text)
    assert len(queries) == text.count("@media")
    assert not [query for query in queries if ".gradio-container" in query]
