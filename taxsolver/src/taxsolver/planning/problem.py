"""The planning problem: an immutable instance, validated on construction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, partial
from typing import Any

import numpy as np

from taxsolver.arguments import LARGEST, check_number, check_type, name_tuple, shown
from taxsolver.errors import InvalidInputError
from taxsolver.planning.amounts import amount
from taxsolver.planning.objective import Objective, normalised_affinity, normalised_by_target
from taxsolver.planning.options import (
    BY_THE_GOAL,
    AtMost,
    Groups,
    Weights,
    allowed_sources,
    costs_by_task,
    group_list,
    novel_targets,
    numbered_groups,
    plain,
    values_by_task,
    weight_pairs,
)
from taxsolver.planning.problem_checks import (
    check_amounts,
    check_costs,
    check_goals,
    check_groups,
    check_larger,
    check_sources,
)
from taxsolver.planning.task_costs import IMAGES, LARGEST_AMOUNT, CostsInput, TaskCost
from taxsolver.programs.costs import decimal, exact_products
from taxsolver.programs.instance import Instance, IntArray
from taxsolver.tensors.affinity import AffinityTensor, BoolArray, FloatArray, Names, Transfer
from taxsolver.tensors.store import AffinityInput, load_affinity


@dataclass(frozen=True, eq=False, kw_only=True)
class Problem:
    """Targets to solve, sources that may be labelled, and a budget.

    A budget counts in one of two ways. Without a `unit` it counts labelled tasks, each with its label cost,
    and transfers are free. With a `unit` it counts labelled images times their price: a task labelled in full
    needs its `images_full`, a target that is served by a transfer and not labelled in full needs its
    `images_transfer`, and untrained sources need none. Labels that are owned cost nothing in either way.

    Attributes:
        affinity: the measured transfers.
        targets: canonical names of the tasks to solve.
        budget: largest total cost, in (0, 1e6], with a `unit` in (0, 1e12]; None for the cheapest plan with
            `min_gain` or `min_quality`.
        max_order: largest number of sources of one transfer, at least 1; None for no limit.
        sources: tasks that may be supervised, without those excluded.
        require: tasks that are supervised in every plan.
        importance: weight of each target in the objective, in [0, 1e6]; 1 by default.
        label_cost: cost of supervising each task, 0 or in [1e-100, 1e6]; 1 by default.
        objective: measure that is summed over the targets.
        images_full: labelled images of a supervised task; None if unknown.
        images_transfer: labelled images of a target that is served by a transfer; None if unknown.
        larger: the same transfers trained on more images, which may be bought instead for each target
            independently; None for one size. Its fully supervised networks are ignored.
        costs: price, images and owned share of tasks; these override `images_full` and `images_transfer`.
        unit: what the budget counts: "images", or the name of a currency, which may be empty; None for
            labelled tasks.
        together: groups of tasks of which all or none are supervised.
        at_most: pairs of a number and tasks; at most that many of these tasks are supervised.
        min_gain: least mean gain over the targets of the cheapest plan, in [0, 1]; None for no such goal.
        min_quality: least quality of every transfer, in [0, 1]; None for no such goal.
        exclude: tasks that were ruled out; only a record, as `sources` does not contain them.
        supervised_targets: targets that were allowed to be supervised; None for all; only a record likewise.

    Use `Problem.of` to construct one from task names and aliases.

    Examples:
        >>> from taxsolver import Problem, solve_problem
        >>> problem = Problem.of("taskonomy-16k", "normals,depth,reshading", 1, exclude="reshading")
        >>> solve_problem(problem).sources
        ('normal',)
    """

    affinity: AffinityTensor
    targets: tuple[str, ...]
    budget: float | None
    max_order: int | None
    sources: tuple[str, ...]
    require: tuple[str, ...] = ()
    importance: Mapping[str, float] = field(default_factory=dict)
    label_cost: Mapping[str, float] = field(default_factory=dict)
    objective: Objective = Objective.AFFINITY
    images_full: int | None = None
    images_transfer: int | None = None
    larger: AffinityTensor | None = None
    costs: Mapping[str, TaskCost] = field(default_factory=dict)
    unit: str | None = None
    together: tuple[tuple[str, ...], ...] = ()
    at_most: tuple[tuple[int, tuple[str, ...]], ...] = ()
    min_gain: float | None = None
    min_quality: float | None = None
    exclude: tuple[str, ...] = ()
    supervised_targets: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        check_type(self.affinity, AffinityTensor, "affinity", "Problem.of takes names and paths")
        own = partial(object.__setattr__, self)
        for what in ("targets", "sources", "require", "exclude"):
            own(what, self._tasks(getattr(self, what), what))
        if self.supervised_targets is not None:
            own("supervised_targets", self._tasks(self.supervised_targets, "supervised_targets"))
        for what in ("importance", "label_cost"):
            own(what, dict(weight_pairs(getattr(self, what), what)))
        own("objective", Objective.named(self.objective))
        check_amounts(self)
        if not isinstance(self.costs, Mapping):
            raise InvalidInputError(
                f"costs is {shown(self.costs)}, expected a dictionary from tasks to TaskCost"
            )
        own("costs", dict(self.costs))
        self._tasks(list(self.costs), "costs")
        check_costs(self)
        check_larger(self)
        together = group_list(self.together, "together", "a,b")
        own("together", tuple(self._tasks(group, "together") for group in together))
        at_most = numbered_groups(self.at_most)
        own("at_most", tuple((most, self._tasks(group, "at_most")) for most, group in at_most))
        check_groups(self)
        # Required tasks also require the tasks that are supervised together with them.
        brought = [task for task in self.joined(self.require) if task not in self.require]
        own("require", (*self.require, *brought))
        check_goals(self)
        check_sources(self)

    @classmethod
    def of(
        cls,
        affinity: AffinityInput,
        targets: Names = "all",
        budget: float | None = None,
        *,
        max_order: int | None = 4,
        sources: Names | None = None,
        exclude: Names = (),
        require: Names = (),
        importance: Weights | None = None,
        label_cost: Weights | None = None,
        objective: str = BY_THE_GOAL,
        supervise_targets: bool | Names = True,
        images_full: int | None = None,
        images_transfer: int | None = None,
        larger: AffinityInput | None = None,
        costs: CostsInput | None = None,
        owned: Weights | None = None,
        unit: str | None = None,
        together: Groups = (),
        apart: Groups = (),
        at_most: AtMost = (),
        min_gain: float | None = None,
        min_quality: float | None = None,
    ) -> Problem:
        """Construct a problem from task names, aliases and paths.

        Args:
            affinity: a tensor, or what `load_affinity` takes.
            targets: tasks to solve, as a list or with commas between; `all` for every target of the tensor.
            budget: largest total label cost of the supervised tasks, in (0, 1e6]; with the default costs the
                largest number of tasks that are labelled in full. With a `unit` the largest total cost, in
                (0, 1e12]. None for 1, or with `min_gain` or `min_quality` for the cheapest plan.
            max_order: largest number of sources of one transfer; None for no limit.
            sources: tasks that may be supervised; None for all but untrained ones (`random`), which are used
                only if named here or in `require`.
            exclude: tasks that may not be supervised.
            require: tasks that are always supervised.
            importance: weight of targets in the objective, in [0, 1e6]; 1 by default. A dictionary, a Series
                of pandas, or pairs; `label_cost` and `owned` likewise.
            label_cost: cost of supervising a task, in [0, 1e6]; 1 by default.
            objective: `affinity` (the paper's), `normalised-affinity` (each target's best counts 1), `gain`
                or `quality`; `default` for `affinity`, or with `min_gain` for `gain`.
            supervise_targets: targets that may be supervised: True or `all`, False or `none`, or names. The
                others are novel tasks: they have labels for a transfer only, so they are not sources either.
            images_full: labelled images of a supervised task; None for the number that the tensor states, if
                any.
            images_transfer: labelled images of a transfer; None for the number that the tensor states, if
                any.
            larger: a tensor of the same tasks whose transfers were trained on more images, as `taskonomy-16k`
                is to `taskonomy-1k`: each target may be read out from few labels, or from more at their cost.
                The budget must count images or money, the objective be gain or quality.
            costs: price per image, images and owned share of each task: what `task_costs.read_costs` takes.
            owned: share of a task's labels in full that is already owned, in [0, 1]; overrides `costs`.
            unit: what the budget counts: `images` for labelled images, regardless of price, or the name of a
                currency, as in `EUR`. None for money without a name if `costs` has prices, else images if it
                has images, else labelled tasks.
            together: groups of tasks, each as a list or with commas between; all or none are supervised.
            apart: groups of tasks of which at most one is supervised.
            at_most: pairs of a number and tasks; at most that many of these tasks are supervised.
            min_gain: least mean gain over the targets, in [0, 1]; the plan is then the cheapest that reaches
                it.
            min_quality: least quality of every target, in [0, 1]; without a budget the plan is the cheapest.

        Raises:
            UnknownTaskError: a name is not known.
            InvalidInputError: a value is not allowed, two of them contradict each other, or a target cannot
                be served with any budget.
            FileFormatError: a file cannot be read.
        """
        affinity = load_affinity(affinity)
        names = affinity.names
        chosen_targets = affinity.find_targets(targets)
        required, excluded = names.find_all(require, "require"), names.find_all(exclude, "exclude")
        both = [task for task in required if task in excluded]
        if both:
            raise InvalidInputError(f"{both[0]!r} is both required and excluded: drop it from one of them")
        novel = novel_targets(affinity, chosen_targets, supervise_targets)
        allowed = allowed_sources(affinity, sources, required)
        task_costs = costs_by_task(affinity, costs, owned)
        if unit is None and any(cost.price is not None for cost in task_costs.values()):
            unit = ""
        elif unit is None and any(cost.images_full or cost.images_transfer for cost in task_costs.values()):
            unit = IMAGES
        cheapest = min_gain is not None or min_quality is not None
        if isinstance(objective, str) and objective == BY_THE_GOAL:
            objective = Objective.AFFINITY if min_gain is None else Objective.GAIN
        return cls(
            affinity=affinity,
            targets=chosen_targets,
            budget=plain(budget) if budget is not None or cheapest else 1.0,
            max_order=plain(max_order),
            sources=tuple(task for task in allowed if task not in excluded and task not in novel),
            require=required,
            importance=values_by_task(affinity, importance, "importance", chosen_targets),
            label_cost=values_by_task(affinity, label_cost, "label_cost", affinity.tasks),
            objective=Objective.named(objective),
            images_full=plain(affinity.images_full if images_full is None else images_full),
            images_transfer=plain(affinity.images_transfer if images_transfer is None else images_transfer),
            larger=None if larger is None else load_affinity(larger),
            costs=task_costs,
            unit=unit,
            together=tuple(
                names.find_all(group, "together") for group in group_list(together, "together", "a,b")
            ),
            at_most=(
                *((1, names.find_all(group, "apart")) for group in group_list(apart, "apart", "a,b")),
                *((most, names.find_all(group, "at_most")) for most, group in numbered_groups(at_most)),
            ),
            min_gain=plain(min_gain),
            min_quality=plain(min_quality),
            exclude=excluded,
            supervised_targets=tuple(task for task in chosen_targets if task not in novel) if novel else None,
        )

    def with_budget(self, budget: float, *, largest: float | None = None) -> Problem:
        """Return this problem with another budget; everything computed so far is kept.

        Args:
            budget: the new budget.
            largest: largest budget that is allowed; None for that of the unit.

        Raises:
            InvalidInputError: the budget is not in (0, largest], or the problem asks for a mean gain.
        """
        check_number(budget, "budget", zero=False, largest=largest or self.largest_budget)
        if self.min_gain is not None:
            raise InvalidInputError("min_gain asks for the cheapest plan: leave out the budget or min_gain")
        other = copy(self)  # all checks except that of the budget have passed
        object.__setattr__(other, "budget", plain(budget))
        return other

    @property
    def largest_budget(self) -> float:
        """The largest budget that is allowed."""
        return LARGEST if self.unit is None else LARGEST_AMOUNT

    def written(self, value: float) -> str:
        """Write a budget or cost in full, followed by the unit if it has a name: 9,812.5 EUR."""
        return f"{amount(value)} {self.unit}" if self.unit else amount(value)

    def cost_of(self, task: str) -> TaskCost:
        """Return the costs of a task; unknown ones are None."""
        return self.costs.get(task, TaskCost())

    @cached_property
    def transfers(self) -> IntArray:
        """int (n,): rows of the tensor, followed by rows of `larger`, that may be part of a plan.

        A row of `larger` appears twice: for a target that buys its labels, and for one labelled in full.
        """
        feasible = np.flatnonzero(self._feasible())
        return np.concatenate([feasible, feasible[self._able_to_be_large(feasible)]])

    def _able_to_be_large(self, rows: IntArray) -> BoolArray:
        """Mark the rows that are transfers of `larger` to a target that may be labelled in full."""
        large: BoolArray = (rows >= len(self.affinity)) & self._able_to_be_full[self.column("target")[rows]]
        return large

    @property
    def _able_to_be_full(self) -> BoolArray:
        """bool (tasks,): tasks with trained networks that may be labelled in full."""
        able: BoolArray = self.affinity.mask(self.trained(self.sources)) & ~self._outside
        return able

    def transfer(self, row: int) -> Transfer:
        """Return a row of the tensor, or of `larger` appended to it, as a record."""
        if row < len(self.affinity) or self.larger is None:
            return self.affinity.transfer(row)
        return self.larger.transfer(row - len(self.affinity))

    def column(self, name: str) -> Any:
        """Return an array of the tensor, followed by that of `larger`."""
        own: Any = getattr(self.affinity, name)
        return own if self.larger is None else np.concatenate([own, getattr(self.larger, name)])

    @cached_property
    def _outside(self) -> BoolArray:
        """bool (tasks,): tasks that may not be supervised, or are grouped with one that may not."""
        outside = ~self.affinity.mask(self.sources)
        return np.asarray(np.isin(self.representative, self.representative[outside]))

    @cached_property
    def representative(self) -> IntArray:
        """int (tasks,): the first task of each task's group in `together`; other tasks are their own."""
        first = np.arange(len(self.affinity.tasks))
        for group in self.together:
            columns = self.affinity.columns(group)
            first[np.isin(first, first[columns])] = first[columns].min()
        return first

    def joined(self, tasks: Iterable[str]) -> list[str]:
        """Return these tasks and those grouped with them by `together`, in the order of the tensor."""
        first = self.representative
        wanted = np.isin(first, first[self.affinity.mask(tasks)])
        return [task for task, want in zip(self.affinity.tasks, wanted, strict=True) if want]

    @cached_property
    def instance(self) -> Instance:
        """The problem as numbers; its transfers are `transfers`, its targets have the order of `targets`."""
        rows, tasks = self.transfers, self.affinity.tasks
        position = np.full(len(tasks), -1)
        position[self.affinity.columns(self.targets)] = np.arange(len(self.targets))
        target = position[self.column("target")[rows]]
        importance = np.array([self.importance.get(task, 1.0) for task in self.targets], dtype=float)
        cost: Any = np.array([self.label_cost.get(task, 1.0) for task in tasks], dtype=float)
        if self.unit is not None or self.costs or self.together:
            # The labels of a transfer are part of the target's labels in full.
            saved = dict.fromkeys(self.trained(self.targets), True)
            cost = np.array(
                [self.full_cost(task) - (self.transfer_cost(task) if task in saved else 0) for task in tasks],
                dtype=object,
            )
        sources, first = self.column("sources"), self.representative
        if not np.array_equal(rows, np.arange(len(sources))):  # a copy may take a gigabyte
            sources = sources[rows]
        if self.larger is not None:
            own_labels = len(np.flatnonzero(self._feasible()))  # from here on: large ones of targets in full
            sources[np.arange(own_labels, len(rows)), self.column("target")[rows[own_labels:]]] = True
        counted = [(most, self.affinity.mask(group).astype(np.intp)) for most, group in self.at_most]
        required = self.affinity.mask(self.require)
        if self.together:
            joined = np.zeros((len(tasks), len(tasks)), dtype=np.intp)  # task -> its representative
            joined[np.arange(len(tasks)), first] = 1
            sources, required = sources.astype(np.intp) @ joined > 0, required @ joined > 0
            cost = np.array(
                [cost[first == column].sum() or Fraction(0) for column in range(len(tasks))], dtype=object
            )
            counted = [(most, of @ joined) for most, of in counted]
        if self.larger is not None:
            # One more column for each target: the labels of its large transfer beyond the small one's.
            bought = np.zeros((len(rows), len(self.targets)), dtype=bool)
            large = np.flatnonzero(rows[:own_labels] >= len(self.affinity))
            bought[large, target[large]] = True
            sources = np.hstack([sources, bought])
            none = np.zeros(len(self.targets), dtype=np.intp)
            required = np.concatenate([required, none > 0])
            counted = [(most, np.concatenate([of, none])) for most, of in counted]
            cost = np.concatenate([cost, [self.extra_cost(task) for task in self.targets]])
        parts = []
        if self.larger is not None:
            able = self._able_to_be_full
            parts = [
                (len(tasks) + place, int(first[column]))
                for place, column in enumerate(self.affinity.columns(self.targets).tolist())
                if able[column]
            ]
        return Instance(
            sources=sources,
            target=target,
            weight=_weighted(self._measure()[rows], importance[target]),
            cost=cost,
            required=required,
            num_targets=len(self.targets),
            fixed=sum((self.transfer_cost(task) for task in self.targets), Fraction(0)),
            at_most=tuple(counted),
            part_of=tuple(parts),
        )

    def supervised(self, chosen: BoolArray) -> BoolArray:
        """Drop the labels of large transfers from sources of the instance: the same shape."""
        return np.asarray(chosen & (np.arange(len(chosen)) < len(self.affinity.tasks)))

    def expanded(self, chosen: BoolArray) -> BoolArray:
        """Expand sources of the instance by the tasks grouped with them: bool (tasks,)."""
        together: BoolArray = chosen[self.representative]  # columns beyond the tasks are not sources
        return together

    def rows_of(self, transfers: IntArray, chosen: BoolArray) -> IntArray:
        """Find the rows of the tensor for transfers of the instance: int (targets,).

        The solver serves targets of importance 0 arbitrarily; here they get their best transfer.

        Args:
            transfers: int (targets,); rows of `transfers`, in the order of the targets.
            chosen: bool (tasks,); sources of the instance.
        """
        rows = self.transfers[transfers]
        for place, task in enumerate(self.targets):
            if self.importance.get(task, 1.0) == 0:
                instance = self.instance
                able = np.flatnonzero(instance.served_by(chosen) & (instance.target == place))
                worth = self._measure()[self.transfers[able]]
                rows[place] = self.transfers[
                    able[np.lexsort((instance.sources[able].sum(axis=1), -worth))[0]]
                ]
        return rows

    def full_cost(self, task: str) -> Fraction:
        """Return the cost of the labels that supervise a task, without those already owned."""
        left = 1 - _exact(self.cost_of(task).owned)
        if self.unit is None:
            return _exact(self.label_cost.get(task, 1.0)) * left
        images = self.images_to_label(task, full=True)
        return Fraction(0) if task in self.affinity.untrained else (images or 0) * self._price(task)

    def transfer_cost(self, task: str) -> Fraction:
        """Return the cost of the labels that a transfer to a target needs, without those already owned."""
        if self.unit is None:
            return Fraction(0)
        return (self.images_to_label(task, full=False) or Fraction(0)) * self._price(task)

    def extra_cost(self, task: str) -> Fraction:
        """Return the cost of the labels of a large transfer to a target beyond those of a small one."""
        large = self.images_to_label(task, full=False, large=True) or Fraction(0)
        return large * self._price(task) - self.transfer_cost(task)

    def images_to_label(self, task: str, *, full: bool, large: bool = False) -> Fraction | None:
        """Count the images of a task to label, in full or for a transfer; None if unknown."""
        cost = self.cost_of(task)
        in_full = self.images_full if cost.images_full is None else cost.images_full
        for_transfer = self.images_transfer if cost.images_transfer is None else cost.images_transfer
        if large and self.larger is not None:
            for_transfer = self.larger.images_transfer
        needed, owned = in_full if full else for_transfer, _exact(cost.owned)
        if needed is None or (owned and in_full is None):
            return None
        return max(Fraction(0), needed - owned * (in_full or 0))

    def _price(self, task: str) -> Fraction:
        price = self.cost_of(task).price
        return Fraction(1) if self.unit == IMAGES or price is None else _exact(price)

    def trained(self, tasks: Iterable[str]) -> list[str]:
        """Return those of the tasks whose networks are trained on labels."""
        return [task for task in tasks if task not in self.affinity.untrained]

    def _tasks(self, value: object, what: str) -> tuple[str, ...]:
        """Canonical names of a list."""
        names = name_tuple(value, what)
        unknown = [name for name in names if name not in self.affinity.tasks]
        if unknown:
            raise InvalidInputError(
                f"{what} holds {unknown[0]!r}, which is not a task: Problem.of takes other spellings"
            )
        return names

    def _feasible(self) -> BoolArray:
        """Mark transfers that are measured and allowed by order, sources, quality and target."""
        sources, target = self.column("sources"), self.column("target")
        feasible: BoolArray = self.affinity.mask(self.targets)[target] & ~np.isnan(self._measure())
        feasible &= ~self.column("reads_itself") & ~sources[:, self._outside].any(axis=1)
        if self.larger is not None:
            feasible[len(self.affinity) :] &= ~self.larger.full_supervision
        if self.min_quality is not None:
            feasible &= self.column("quality") >= self.min_quality  # false for NaN
        return feasible if self.max_order is None else feasible & (self.column("order") <= self.max_order)

    @property
    def measure(self) -> str:
        """The measure of the tensor that the objective uses."""
        return "affinity" if self.objective is Objective.NORMALISED_AFFINITY else self.objective.value

    def weights(self, values: FloatArray) -> FloatArray:
        """Compute the weights of `transfers` for other values of `measure`: float64 (n,).

        Args:
            values: float64 (transfers of the tensor,).
        """
        position = {self.affinity.tasks.index(task): place for place, task in enumerate(self.targets)}
        importance = np.array([self.importance.get(task, 1.0) for task in self.targets], dtype=float)
        places = np.array([position[column] for column in self.affinity.target[self.transfers].tolist()])
        if self.objective is Objective.NORMALISED_AFFINITY:
            values = normalised_by_target(self.affinity, values)
        return _weighted(values[self.transfers], importance[places])

    def _measure(self) -> FloatArray:
        """float64 (transfers of the tensor,): the objective of each; NaN where not measured."""
        if self.objective is Objective.NORMALISED_AFFINITY:
            return normalised_affinity(self.affinity)
        return np.asarray(self.column(self.objective.value), dtype=np.float64)


def _weighted(values: FloatArray, importance: FloatArray) -> FloatArray:
    """Multiply values and importance as decimals, so that equal sums compare equal: float64."""
    weights = values.copy()
    for factor in set(importance.tolist()) - {1.0}:
        of_it = importance == factor
        weights[of_it] = exact_products(values[of_it], factor)
    return weights


def _exact(value: float) -> Fraction:
    return Fraction(decimal(value))
