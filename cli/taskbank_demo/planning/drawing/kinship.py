"""Highlighting of the related parts of a plan, by CSS classes alone, on the page and in a saved picture.

An element that can be hovered or focused has the class `n<i>` of its task. Elements that stay highlighted
then have `k<i>`, and elements that fade have `d`. The rules hold inside any element of class `pv`.
"""

from __future__ import annotations

from taxsolver.planning.taxonomy import Taxonomy
from taxsolver.tensors.affinity import Transfer


class Kinship:
    """The classes of the tasks of one plan.

    Args:
        taxonomy: the plan.
    """

    def __init__(self, taxonomy: Taxonomy) -> None:
        targets = [transfer.target for transfer in taxonomy.transfers]
        self._number = {task: at for at, task in enumerate(dict.fromkeys([*taxonomy.sources, *targets]))}
        self._kin: dict[str, set[str]] = {task: {task} for task in self._number}
        for transfer in taxonomy.transfers:
            for source in transfer.sources:
                self._kin[source].add(transfer.target)
                self._kin[transfer.target].add(source)

    def node(self, task: str) -> str:
        """Return the classes of a task, which highlights its related parts and is highlighted by them."""
        kin = sorted(self._number[one] for one in self._kin[task])
        return " ".join(["n", f"n{self._number[task]}", "d", *(f"k{number}" for number in kin)])

    def trigger(self, task: str) -> str:
        """Return the classes of an element that highlights like a task."""
        return f"n n{self._number[task]}"

    def link(self, transfer: Transfer, source: str) -> str:
        """Return the classes of the line from one source."""
        return f"d k{self._number[transfer.target]} k{self._number[source]}"

    def tip(self, task: str) -> str:
        """Return the classes of the tooltip of a task."""
        return f"tip k{self._number[task]}"

    def rules(self) -> str:
        """Return CSS: a hovered or else focused task highlights its related parts; all other parts fade."""
        rules = [".pv:has(.n:is(:hover,:focus)) .d{opacity:.14}"]
        lit = "{opacity:1;--row:var(--g-lit)}"
        for number in self._number.values():
            node, kin = f".n.n{number}", f".k{number}"
            rules.append(f".pv:has({node}:hover) {kin},.pv:not(:has(.n:hover)):has({node}:focus) {kin}{lit}")
        return "".join(rules)
