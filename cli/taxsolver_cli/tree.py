"""`taxsolver tree`: the tree of tasks that transfer alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taxsolver_cli import options as opt
from taxsolver_cli import parse, show
from taxsolver_cli.outputs import check_picture, write_picture

if TYPE_CHECKING:
    from rich.tree import Tree

    from taxsolver.analysis.similarity import TaskTree

SHORT = "Tree of tasks that transfer to the same targets."
HELP = """
Cluster tasks whose representations transfer to the same targets, by average linkage.

It needs the extra \\[plot].

\b
  taxsolver tree
  taxsolver tree --affinity taskonomy-1k --plot tree.svg
"""


def tree_command(
    affinity: opt.Affinity = None,
    json: opt.Json = False,
    plot: opt.Plot = None,
) -> None:
    """Cluster the tasks, and print the tree."""
    from taxsolver.analysis.similarity import similarity

    check_picture(plot)
    tree = similarity(parse.tensor(affinity))
    if json:
        show.print_json(tree.to_dict())
    else:
        distance = f"{tree.metric} distance of log affinities, {tree.method} linkage"
        show.print_rich(
            _branch(tree, len(tree.leaves) + len(tree.merges) - 1),
            "",
            f"[dim]numbers: where branches join ({distance})[/]",
        )
    if plot is not None:
        from taxsolver.figures.tree import draw_tree

        write_picture(draw_tree(tree), plot)


def _branch(tree: TaskTree, cluster: int, parent: Tree | None = None) -> Tree:
    """Add the tree below one cluster to its parent."""
    from rich.tree import Tree

    if cluster < len(tree.leaves):
        label = f"[bold]{show.escape(tree.leaves[cluster])}[/]"
    else:
        label = f"[dim]{tree.merges[cluster - len(tree.leaves)][2]:.2f}[/]"
    node = Tree(label) if parent is None else parent.add(label)
    if cluster >= len(tree.leaves):
        left, right, _, _ = tree.merges[cluster - len(tree.leaves)]
        _branch(tree, left, node)
        _branch(tree, right, node)
    return node
