"""Export of a taxonomy as a graph: networkx, Graphviz, GraphML, node-link JSON, and files of these formats.

Nodes are tasks. An edge leads from a source to every target that is read out from it, alone or together with
others. A fully supervised target is served by its own network: it has no edge, and its node is marked.
Attributes that were not measured (NaN) are left out.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from taxsolver.arguments import check_type
from taxsolver.errors import InvalidInputError
from taxsolver.figures.headline import budget_words
from taxsolver.figures.orders import order_colour
from taxsolver.figures.style import INK, MUTED, PAPER
from taxsolver.files.output import check_path, write_file
from taxsolver.plain_text import to_cell
from taxsolver.planning.objective import Objective, normalised_affinity
from taxsolver.planning.taxonomy import Taxonomy
from taxsolver.tensors.affinity import Transfer
from taxsolver.tensors.affinity_csv import COLUMNS

if TYPE_CHECKING:
    import networkx as nx

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_networkx(taxonomy: Taxonomy) -> nx.DiGraph:
    """Convert a taxonomy to a directed graph.

    Nodes carry `role` ("source", "target" or "source and target") and `supervised` (true if labelled in full;
    false for an untrained source); targets carry also `order`, `affinity`, `gain`, `quality`,
    `full_supervision` and `objective_share` (their part of the objective, in [0, 1]). Edges carry `order`,
    `affinity`, `gain` and `quality` of the transfer they belong to. The graph carries `affinity` (name of the
    tensor), `budget`, `max_order`, `status`, `objective`, `bound`, `gap`, `labels` and `labels_saved`.

    Examples:
        >>> import taxsolver
        >>> plan = taxsolver.solve("taskonomy-16k", targets="normals,depth", budget=1)
        >>> list(taxsolver.to_networkx(plan).edges)
        [('normal', 'depth_zbuffer')]
    """
    check_type(taxonomy, Taxonomy, "taxonomy", "solve returns one")
    import networkx as nx

    graph = nx.DiGraph(**_graph_attributes(taxonomy))
    for task, attributes in _nodes(taxonomy).items():
        graph.add_node(task, **attributes)
    for source, transfer in _edges(taxonomy):
        graph.add_edge(source, transfer.target, **_measures(transfer))
    return graph


def to_node_link(taxonomy: Taxonomy) -> dict[str, Any]:
    """Convert to plain values for JSON, which `networkx.node_link_graph(..., edges="edges")` reads.

    This does not use networkx, because its releases name the list of edges differently.

    Examples:
        >>> import taxsolver
        >>> plan = taxsolver.solve("taskonomy-16k", targets="normals,depth", budget=1)
        >>> len(taxsolver.to_node_link(plan)["nodes"])
        2
    """
    check_type(taxonomy, Taxonomy, "taxonomy", "solve returns one")
    return {
        "directed": True,
        "multigraph": False,
        "graph": _graph_attributes(taxonomy),
        "nodes": [{"id": task, **attributes} for task, attributes in _nodes(taxonomy).items()],
        "edges": [
            {"source": source, "target": transfer.target, **_measures(transfer)}
            for source, transfer in _edges(taxonomy)
        ],
    }


def to_graphml(taxonomy: Taxonomy) -> str:
    """Convert to GraphML, the XML that yEd, Gephi and `networkx.parse_graphml` read.

    Raises:
        InvalidInputError: a task name holds a character that XML does not allow.

    Examples:
        >>> import taxsolver
        >>> plan = taxsolver.solve("taskonomy-16k", targets="normals,depth", budget=1)
        >>> "<graphml" in taxsolver.to_graphml(plan)
        True
    """
    check_type(taxonomy, Taxonomy, "taxonomy", "solve returns one")
    import networkx as nx

    for task in _nodes(taxonomy):
        if _NOT_IN_XML.search(task):
            raise InvalidInputError(
                f"cannot write the task {task!r} to GraphML: XML allows no such character"
            )
    return "\n".join(nx.generate_graphml(to_networkx(taxonomy))) + "\n"


def to_dot(taxonomy: Taxonomy) -> str:
    """Convert to DOT, the language of Graphviz.

    Supervised tasks are filled boxes (with a double frame if the task is a target served by its own network),
    other targets are hollow boxes, and untrained sources are dashed. Edges are coloured by order and are
    wider for higher orders.

    Examples:
        >>> import taxsolver
        >>> plan = taxsolver.solve("taskonomy-16k", targets="normals,depth", budget=1)
        >>> print(taxsolver.to_dot(plan).splitlines()[0])
        digraph taxonomy {
    """
    check_type(taxonomy, Taxonomy, "taxonomy", "solve returns one")
    problem = taxonomy.problem
    caption = [
        escape(f"{problem.affinity.name}, {budget_words(problem)}, {taxonomy.status}"),
        "filled: supervised; double frame: target served by its own network",
    ]
    orders = sorted({transfer.order for _, transfer in _edges(taxonomy)})
    if orders:
        words = [f'<font color="{order_colour(order)}">order {order}</font>' for order in orders]
        caption.append("arrows: " + ", ".join(words))
    lines = [
        "digraph taxonomy {",
        '  graph [rankdir=LR, ranksep=1.5, nodesep=0.12, labelloc=t, fontname="Helvetica", fontsize=11,',
        f"         label=<{'<br/>'.join(caption)}>];",
        f'  node [shape=box, style=rounded, color="{INK}", fontname="Helvetica", fontsize=11, height=0.3];',
        "  edge [arrowsize=0.6];",
    ]
    for task, attributes in _nodes(taxonomy).items():
        style = [f"label={_label(task)}"]
        if attributes["supervised"]:
            fill = INK if "target" in attributes["role"] else MUTED
            style += ['style="rounded,filled"', f'fillcolor="{fill}"', f'fontcolor="{PAPER}"']
        elif "source" in attributes["role"]:
            style.append('style="rounded,dashed"')
        if attributes.get("full_supervision"):
            style.append("peripheries=2")
        lines.append(f"  {_quote(task)} [{', '.join(style)}];")
    for source, transfer in _edges(taxonomy):
        measured = ", ".join(
            f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"
            for name, value in _measures(transfer).items()
        )
        width = 0.9 + 0.3 * min(transfer.order, 6)
        look = f'color="{order_colour(transfer.order)}", penwidth={width:.1f}, tooltip={_label(measured)}'
        lines.append(f"  {_quote(source)} -> {_quote(transfer.target)} [{look}];")
    return "\n".join([*lines, "}"]) + "\n"


def to_csv(taxonomy: Taxonomy) -> str:
    """Write one row per transfer, with the columns of an affinity tensor's CSV; NaN becomes an empty cell."""
    check_type(taxonomy, Taxonomy, "taxonomy", "solve returns one")
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for transfer in taxonomy.transfers:
        cells = {**transfer.to_dict(), "sources": to_cell("|".join(transfer.sources))}
        cells["target"] = to_cell(transfer.target)
        cells["full_supervision"] = "true" if transfer.full_supervision else "false"
        writer.writerow(["" if cells[column] is None else cells[column] for column in COLUMNS])
    return stream.getvalue()


_WRITERS: Mapping[str, Callable[[Taxonomy], str]] = {
    ".json": Taxonomy.to_json,
    ".csv": to_csv,
    ".dot": to_dot,
    ".gv": to_dot,
    ".graphml": to_graphml,
}


def check_taxonomy_path(path: str | Path) -> None:
    """Raise if a taxonomy cannot be saved under the ending of `path`.

    Raises:
        InvalidInputError: the message names the endings that work.
    """
    if check_path(path).suffix.casefold() not in _WRITERS:
        raise InvalidInputError(
            f"cannot tell the format of {str(path)!r}: end the file name in {', '.join(_WRITERS)}"
        )


def save_taxonomy(taxonomy: Taxonomy, path: str | Path) -> Path:
    """Write a taxonomy as JSON, CSV (one row per transfer), DOT or GraphML, by the ending of `path`.

    Raises:
        InvalidInputError: another ending, or a task name that the format cannot hold.
        OutputError: the file cannot be written.

    Examples:
        >>> import taxsolver
        >>> plan = taxsolver.solve("taskonomy-16k", targets="normals,depth", budget=1)
        >>> taxsolver.save_taxonomy(plan, "plan.graphml")
        PosixPath('plan.graphml')
    """
    check_type(taxonomy, Taxonomy, "taxonomy", "solve returns one")
    check_taxonomy_path(path)
    return write_file(path, _WRITERS[Path(path).suffix.casefold()](taxonomy))


def _graph_attributes(taxonomy: Taxonomy) -> dict[str, Any]:
    problem = taxonomy.problem
    return _known(
        {
            "affinity": problem.affinity.name,
            "budget": problem.budget,
            "unit": problem.unit,
            "cost": None if problem.unit is None else taxonomy.cost,
            "max_order": problem.max_order,
            "status": taxonomy.status,
            "objective": taxonomy.objective,
            "bound": taxonomy.bound,
            "gap": taxonomy.gap,
            "labels": taxonomy.labels,
            "labels_saved": taxonomy.labels_saved,
        }
    )


def _nodes(taxonomy: Taxonomy) -> dict[str, dict[str, Any]]:
    """Attributes by task, sources first."""
    transfers = {transfer.target: transfer for transfer in taxonomy.transfers}
    nodes: dict[str, dict[str, Any]] = {}
    for task in dict.fromkeys([*taxonomy.sources, *transfers]):
        roles = [role for role, of in (("source", taxonomy.sources), ("target", transfers)) if task in of]
        supervised = task in taxonomy.sources and task not in taxonomy.problem.affinity.untrained
        nodes[task] = {"role": " and ".join(roles), "supervised": supervised}
        if task in transfers:
            nodes[task] |= _measures(transfers[task])
            nodes[task]["full_supervision"] = transfers[task].full_supervision
            nodes[task] |= _known({"objective_share": _objective_share(taxonomy, transfers[task])})
    return nodes


def _edges(taxonomy: Taxonomy) -> Iterator[tuple[str, Transfer]]:
    for transfer in taxonomy.transfers:
        if not transfer.full_supervision:
            for source in transfer.sources:
                yield source, transfer


def _measures(transfer: Transfer) -> dict[str, Any]:
    return _known({name: getattr(transfer, name) for name in ("order", "affinity", "gain", "quality")})


def _objective_share(taxonomy: Taxonomy, transfer: Transfer) -> float:
    """Importance times measure, divided by the objective; NaN where that is 0."""
    problem = taxonomy.problem
    if problem.objective is Objective.NORMALISED_AFFINITY:
        tensor = problem.affinity
        rows = tensor.target == tensor.tasks.index(transfer.target)
        rows &= tensor.full_supervision == transfer.full_supervision
        rows &= (tensor.sources == np.isin(tensor.tasks, transfer.sources)).all(axis=1)
        measure = float(normalised_affinity(tensor)[rows][0])
    else:
        measure = float(getattr(transfer, problem.objective.value))
    share = problem.importance.get(transfer.target, 1.0) * measure
    return share / taxonomy.objective if taxonomy.objective else math.nan


def _known(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Drop values that are None or not finite, and convert NumPy scalars to Python's for all formats."""
    plain = {
        name: value.item() if isinstance(value, np.generic) else value for name, value in attributes.items()
    }
    return {
        name: value
        for name, value in plain.items()
        if value is not None and not (isinstance(value, float) and not math.isfinite(value))
    }


def _quote(text: str) -> str:
    """A quoted identifier; backslashes are doubled, as one at the end would escape the quotation mark."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _label(text: str) -> str:
    r"""A quoted text of a label, so written that entities (`&lt;`) and escapes (`\n`) are shown as text."""
    return _quote(text.replace("&", "&amp;")).replace("\n", "\\n").replace("\r", "")
