"""Exported graphs are read back and compared with the plan."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest

from taxsolver.errors import InvalidInputError, OutputError
from taxsolver.figures.graph import (
    check_taxonomy_path,
    save_taxonomy,
    to_csv,
    to_dot,
    to_graphml,
    to_networkx,
    to_node_link,
)
from taxsolver.planning.solve import solve
from taxsolver.planning.taxonomy import Taxonomy
from taxsolver.tensors.affinity_csv import tensor_from_csv
from taxsolver.tensors.store import load_affinity
from toys import toy

ODD = ['say "hi"', "back\\slash\\", "a -> b; c", "<b>&amp;</b>", "Zeichnung été", "node", "two words"]


@pytest.fixture(scope="module")
def plan() -> Taxonomy:
    """Two of three toy targets labelled, the third read out from a target and a source of its own."""
    return solve(toy(), budget=2, images_full=120_000, images_transfer=16_000)


def odd_plan() -> Taxonomy:
    """A plan whose tasks have awkward names, the first serving all others."""
    lines = ["target,sources,affinity,full_supervision", f"{_cell(ODD[0])},self,0.9,true"]
    lines += [f"{_cell(name)},{_cell(ODD[0])},0.5,false" for name in ODD[1:]]
    return solve(tensor_from_csv("\n".join(lines), name="odd"), targets=ODD, budget=1)


def assert_same(read: nx.DiGraph, graph: nx.DiGraph) -> None:
    """Same nodes, edges and all they carry; GraphML's reader adds defaults of its own to the graph."""
    assert dict(read.nodes(data=True)) == dict(graph.nodes(data=True))
    assert {(a, b): data for a, b, data in read.edges(data=True)} == {
        (a, b): data for a, b, data in graph.edges(data=True)
    }
    assert {name: read.graph[name] for name in graph.graph} == graph.graph


def _cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def test_nodes_have_their_roles(plan: Taxonomy) -> None:
    graph = to_networkx(plan)
    roles = {task: data["role"] for task, data in graph.nodes(data=True)}
    assert roles == {"a": "source and target", "s": "source", "b": "target", "c": "target"}
    assert {task for task, data in graph.nodes(data=True) if data["supervised"]} == {"a", "s"}
    assert graph.nodes["a"]["full_supervision"] is True
    assert graph.nodes["c"]["full_supervision"] is False
    assert "order" not in graph.nodes["s"]


def test_edges_carry_their_transfer(plan: Taxonomy) -> None:
    graph = to_networkx(plan)
    assert set(graph.edges) == {("s", "b"), ("a", "c"), ("s", "c")}
    assert graph.edges["s", "c"] == {"order": 2, "affinity": 0.9, "gain": 0.6, "quality": 0.3}


def test_the_graph_carries_the_plan(plan: Taxonomy) -> None:
    wanted = plan.to_dict()
    about = to_networkx(plan).graph
    assert about == {name: wanted[name] for name in about}
    assert set(about) == {
        *("affinity", "budget", "max_order", "status", "objective", "bound", "gap", "labels", "labels_saved")
    }


@pytest.mark.parametrize("objective", ["affinity", "normalised-affinity", "gain", "quality"])
def test_shares_of_the_objective_sum_to_one(objective: str) -> None:
    plan = solve(toy(), budget=2, objective=objective, importance={"c": 3})
    shares = [data["objective_share"] for _, data in to_networkx(plan).nodes(data=True) if "order" in data]
    assert len(shares) == 3
    assert sum(shares) == pytest.approx(1)


def test_what_was_not_measured_is_left_out(plan: Taxonomy) -> None:
    blank = tuple(replace(transfer, gain=math.nan, quality=math.nan) for transfer in plan.transfers)
    graph = to_networkx(replace(plan, transfers=blank, bound=math.inf, gap=math.inf))
    assert set(graph.edges["s", "c"]) == {"order", "affinity"}
    assert "bound" not in graph.graph
    assert "gain" not in graph.nodes["c"]


def test_a_plan_without_value_has_no_shares(plan: Taxonomy) -> None:
    assert all("objective_share" not in node for node in to_node_link(replace(plan, objective=0.0))["nodes"])


def test_an_untrained_source_is_not_supervised() -> None:
    plan = solve(toy(untrained=("s",)), targets="b", budget=1, sources="s")
    assert to_networkx(plan).nodes["s"] == {"role": "source", "supervised": False}
    assert "dashed" in to_dot(plan)


def test_numpy_numbers_are_written_as_pythons(plan: Taxonomy) -> None:
    budget: Any = np.int64(2)
    tweaked = replace(plan, problem=replace(plan.problem, budget=budget))
    assert json.loads(json.dumps(to_node_link(tweaked)))["graph"]["budget"] == 2
    assert nx.parse_graphml(to_graphml(tweaked)).graph["budget"] == 2


@pytest.mark.parametrize("make", [lambda: solve(toy(), budget=2), odd_plan])
def test_node_link_reads_back_as_the_same_graph(make: Any) -> None:
    graph = to_networkx(make())
    data = json.loads(json.dumps(to_node_link(make()), allow_nan=False))
    try:
        read = nx.node_link_graph(data, edges="edges")
    except TypeError:  # before networkx 3.4
        read = nx.node_link_graph(data, link="edges")
    assert nx.utils.graphs_equal(read, graph)


@pytest.mark.parametrize("make", [lambda: solve(toy(), budget=2), odd_plan])
def test_graphml_reads_back_as_the_same_graph(make: Any) -> None:
    graph = to_networkx(make())
    assert_same(nx.parse_graphml(to_graphml(make())), graph)


def test_the_published_tensor_reads_back() -> None:
    plan = solve(load_affinity(), budget=8)
    assert_same(nx.parse_graphml(to_graphml(plan)), to_networkx(plan))


def test_graphml_refuses_what_xml_cannot_hold(plan: Taxonomy) -> None:
    tensor = tensor_from_csv("target,sources,affinity\nbell\ufffe,s,1", name="odd")
    with pytest.raises(InvalidInputError, match=r"'bell\\ufffe' to GraphML: XML allows no such character"):
        to_graphml(solve(tensor))


def test_dot_has_a_line_for_every_node_and_edge(plan: Taxonomy) -> None:
    dot = to_dot(plan)
    graph = to_networkx(plan)
    assert dot.startswith("digraph taxonomy {\n")
    assert dot.endswith("}\n")
    edges = re.findall(r'^  "(\w+)" -> "(\w+)" \[', dot, re.MULTILINE)
    assert sorted(edges) == sorted(graph.edges)
    assert re.findall(r'^  "(\w+)" \[', dot, re.MULTILINE) == list(graph.nodes)


def test_dot_tells_kinds_and_orders_apart(plan: Taxonomy) -> None:
    lines = {line.split(" [")[0].strip(): line for line in to_dot(plan).splitlines()}
    assert "filled" in lines['"a"']
    assert "peripheries=2" in lines['"a"']
    assert "filled" in lines['"s"']
    assert "peripheries" not in lines['"s"']
    assert "filled" not in lines['"c"']
    colour = {
        edge: re.search(r'color="(#\w+)", penwidth=([\d.]+)', lines[edge]) for edge in lines if "->" in edge
    }
    assert colour['"s" -> "c"'].groups() == colour['"a" -> "c"'].groups()  # type: ignore[union-attr]
    assert colour['"s" -> "b"'].groups() != colour['"a" -> "c"'].groups()  # type: ignore[union-attr]


def test_dot_quotes_odd_names() -> None:
    dot = to_dot(odd_plan())
    assert r'"say \"hi\"" [label="say \"hi\""' in dot
    assert r'"back\\slash\\" [label="back\\slash\\"' in dot
    assert '"<b>&amp;</b>" [label="<b>&amp;amp;</b>"' in dot
    for line in dot.splitlines():
        assert len(re.findall(r'(?<!\\)(?:\\\\)*"', line)) % 2 == 0, line


def test_the_caption_names_the_orders_in_their_colours(plan: Taxonomy) -> None:
    caption = to_dot(plan).splitlines()[2]
    assert "<toy, budget 2, optimal<br/>filled: supervised" in caption
    assert re.findall(r'<font color="#\w+">order (\d)</font>', caption) == ["1", "2"]
    named = tensor_from_csv("target,sources,affinity\nt,s,1", name="R&D <1>")
    assert "<R&amp;D &lt;1&gt;, budget" in to_dot(solve(named))


def test_csv_has_a_row_for_every_transfer(plan: Taxonomy) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(plan))))
    assert [row["target"] for row in rows] == ["a", "b", "c"]
    assert rows[2] == {
        **{"target": "c", "order": "2", "sources": "a|s", "affinity": "0.9"},
        **{"gain": "0.6", "quality": "0.3", "full_supervision": "false"},
    }
    assert rows[0]["full_supervision"] == "true"


def test_the_csv_is_a_tensor_of_the_chosen_transfers(plan: Taxonomy) -> None:
    tensor = tensor_from_csv(to_csv(plan), name="chosen")
    assert solve(tensor, budget=2).objective == pytest.approx(plan.objective)


def test_csv_leaves_empty_what_was_not_measured(plan: Taxonomy) -> None:
    blank = replace(plan, transfers=(replace(plan.transfers[0], gain=math.nan),))
    assert next(csv.DictReader(io.StringIO(to_csv(blank))))["gain"] == ""


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("p.json", '{\n  "affinity"'),
        ("p.csv", "target,order,sources"),
        ("p.dot", "digraph"),
        ("p.gv", "digraph"),
        ("p.GRAPHML", "<graphml"),
    ],
)
def test_the_ending_decides_the_format(tmp_path: Path, plan: Taxonomy, name: str, start: str) -> None:
    assert save_taxonomy(plan, tmp_path / name).read_text(encoding="utf-8").startswith(start)
    first = (tmp_path / name).read_bytes()
    assert save_taxonomy(plan, tmp_path / name).read_bytes() == first


def test_another_ending_is_refused_with_those_that_work(tmp_path: Path, plan: Taxonomy) -> None:
    with pytest.raises(
        InvalidInputError, match=r"'.*p\.xml': end the file name in \.json, \.csv, \.dot, \.gv"
    ):
        save_taxonomy(plan, tmp_path / "p.xml")
    with pytest.raises(InvalidInputError, match=r"\.graphml$"):
        check_taxonomy_path("plan")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_named(tmp_path: Path, plan: Taxonomy) -> None:
    with pytest.raises(OutputError, match="does not exist"):
        save_taxonomy(plan, tmp_path / "none" / "p.json")


def test_importing_graph_loads_neither_networkx_nor_matplotlib() -> None:
    script = "import sys, taxsolver.figures.graph; print({'networkx', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
