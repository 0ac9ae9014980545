"""The board of tasks: one row per task, with its settings as target and source, weight and cost.

The page sends the board as rows of plain values, which are converted to a request to the planner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from taskbank_demo.pieces import text
from taskbank_demo.planning.ask import Names, PlanAsk
from taskbank_demo.planning.drawing.cards import HEADINGS, TaskCard, task_cards
from taskbank_demo.planning.money import Counting
from taxsolver.errors import InvalidInputError
from taxsolver.tensors.affinity import AffinityTensor

MAY, MUST, NEVER = "may", "must", "never"
_USES = {MAY: "may be", MUST: "must be", NEVER: "never"}
_MOST_ROWS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardRow:
    """Row of the board: the settings of one task.

    Attributes:
        task: its name.
        solve: whether it is a target.
        use: whether it `may`, `must` or `never` be labelled in full.
        importance: its weight as a target.
        cost: its label cost; in money, a factor of the price.
        owned: share of its labels that exist already, in percent.
    """

    task: str
    solve: bool
    use: str
    importance: float = 1
    cost: float = 1
    owned: float = 0


def default_rows(tensor: AffinityTensor, targets: Names | None = None) -> list[BoardRow]:
    """Return the default board of a tensor: all or the named targets; every trained task may be labelled."""
    return [
        BoardRow(
            task=card.task,
            solve=card.target and (targets is None or card.task in targets),
            use=NEVER if card.untrained else MAY,
        )
        for card in task_cards(tensor)
    ]


def read_rows(given: Any) -> list[BoardRow]:
    """Read the rows that a page sent.

    Raises:
        InvalidInputError: they are not the rows of a board.
    """
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) > _MOST_ROWS:
        raise InvalidInputError("the board of tasks was not understood: reload the page")
    rows = []
    for row in given:
        if (
            not isinstance(row, Mapping)
            or not isinstance(row.get("task"), str)
            or row.get("use") not in _USES
        ):
            raise InvalidInputError("a row of the board was not understood: reload the page")
        importance, cost = (_number(row.get(name), name, row["task"], 1) for name in ("importance", "cost"))
        owned = _number(row.get("owned"), "owned percentage", row["task"], 0)
        if not 0 <= owned <= 100:
            raise InvalidInputError(f"the owned percentage of {row['task']} is {owned:g}, expected 0 to 100")
        rows.append(
            BoardRow(
                task=row["task"],
                solve=row.get("solve") is True,
                use=row["use"],
                importance=importance,
                cost=cost,
                owned=owned,
            )
        )
    return rows


def _number(value: Any, name: str, task: str, empty: float) -> float:
    """Read a number; an empty field gives `empty`."""
    if value is None or value == "":
        return empty
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInputError(f"the {name} of {task} is {str(value)[:40]!r}, expected a number")
    return value


def ask_of_board(
    rows: Sequence[BoardRow], tensor: AffinityTensor, counting: Counting | None = None, **asked: Any
) -> PlanAsk:
    """Make the request of a board, without default values.

    Args:
        rows: of the board.
        tensor: that the board shows.
        counting: unit of the budget and costs; None for labelled tasks.
        asked: further parameters of `PlanAsk`: affinity, budget, max_order, objective.

    Raises:
        InvalidInputError: no target is ticked, or the cost of labels is unknown.
    """
    solved = tuple(row.task for row in rows if row.solve)
    if not solved:
        raise InvalidInputError("no target is ticked: tick at least one task to solve")
    use = {row.task: row.use for row in rows}
    trained = [task for task in tensor.tasks if task not in tensor.untrained]
    allowed = tuple(task for task in tensor.tasks if use.get(task, NEVER) != NEVER)
    named = any(use.get(task) == MAY for task in tensor.untrained)
    return PlanAsk(
        targets=("all",) if set(solved) == set(tensor.targets) else solved,
        sources=allowed if named else None,
        exclude=() if named else tuple(task for task in trained if use.get(task, NEVER) == NEVER),
        require=tuple(row.task for row in rows if row.use == MUST),
        importance={row.task: row.importance for row in rows if row.solve and row.importance != 1},
        **(counting or Counting()).asked(rows),
        **asked,
    )


def board_html(tensor: AffinityTensor, rows: Sequence[BoardRow]) -> str:
    """Return the board as a form, which a script of the page reads."""
    shown = {row.task: row for row in rows}
    bodies = ""
    for group, members in groupby(task_cards(tensor), key=lambda card: card.group):
        cards, heading = list(members), f"<span>{text(HEADINGS[group])}</span>"
        if any(card.target for card in cards):
            heading = (
                '<label><input type="checkbox" data-group '
                f'aria-label="Solve all of {text(HEADINGS[group])}">{heading}</label>'
            )
        rows_html = "".join(_row(card, shown[card.task]) for card in cards)
        bodies += (
            f'<tbody><tr class="pl-group"><th scope="rowgroup" colspan="5">{heading}</th></tr>'
            f"{rows_html}</tbody>"
        )
    return (
        '<div class="pl-tools" role="group" aria-label="Tick targets">'
        '<button type="button" class="pl-button" data-all="true">All</button>'
        '<button type="button" class="pl-button" data-all="false">None</button>'
        f'<span class="pl-count" role="status"></span></div>'
        '<div class="pl-rows" tabindex="0" role="region" aria-label="Tasks"><table>'
        '<thead><tr><th scope="col">Solve</th><th scope="col">Labelled in full</th>'
        '<th scope="col"><abbr title="Importance: weight of the target in the objective">Weight</abbr></th>'
        '<th scope="col"><abbr title="Label cost: what labelling it takes of the budget; in money, how many '
        'times the price its labels cost">Cost</abbr></th>'
        '<th scope="col"><abbr title="Owned: how much of its labels is there already, in %">Own %</abbr></th>'
        f"</tr></thead>{bodies}</table></div>"
    )


def _row(card: TaskCard, row: BoardRow) -> str:
    label, task = text(card.label), text(card.task)
    ticked, disabled = (" checked" if row.solve else ""), ("" if card.target else " disabled")
    hint = task if card.target else f"{task}: a source only, no transfer to it was measured"
    options = "".join(
        f'<option value="{use}"{" selected" if use == row.use else ""}>{words}</option>'
        for use, words in _USES.items()
    )
    return (
        f'<tr data-task="{task}"><th scope="row" title="{hint}"><label>'
        f'<input type="checkbox" data-solve{ticked}{disabled} aria-label="Solve {label}">'
        f"<span>{label}</span></label></th>"
        f'<td><select data-use aria-label="{label} labelled in full">{options}</select></td>'
        f"<td>{_field('importance', f'Importance of {label}', row.importance, disabled)}</td>"
        f"<td>{_field('cost', f'Label cost of {label}', row.cost, '')}</td>"
        f"<td>{_field('owned', f'Owned labels of {label}, in percent', row.owned, '', 100)}</td></tr>"
    )


def _field(name: str, spoken: str, value: float, disabled: str, most: int = 1_000_000) -> str:
    return (
        f'<input type="number" data-{name} min="0" max="{most}" step="any" inputmode="decimal" '
        f'value="{value:.15g}" aria-label="{spoken}"{disabled}>'
    )
