"""Plans in money and images, with owned labels, groups and goals, against every set of sources in fractions.

The oracle works out costs from their definition: labels in full of every chosen task, the labels of a transfer
of every other target, owned ones taken off. It uses nothing of what the planner computes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from oracle import random_tensor
from taxsolver import (
    FileFormatError,
    InfeasibleBudgetError,
    InvalidInputError,
    Problem,
    TaskCost,
    Taxonomy,
    front,
    load_problem,
    one_more_unit,
    save_taxonomy,
    significance,
    solve,
    solve_problem,
    sweep,
)
from taxsolver.tensors.affinity import AffinityTensor
from taxsolver.tensors.affinity_csv import tensor_from_csv
from toys import toy

SEEDS = range(10)


def exact(value: float) -> Fraction:
    return Fraction(repr(float(value)))


@dataclass(frozen=True)
class Plan:
    """One set of sources: what it costs and what each target is worth with it."""

    sources: frozenset[str]
    cost: Fraction
    values: tuple[Fraction, ...]

    @property
    def value(self) -> Fraction:
        """The sum over the targets."""
        return sum(self.values, Fraction())


@dataclass(frozen=True)
class Case:
    """A random tensor, the parameters of `solve`, and the same in the words of the oracle."""

    tensor: AffinityTensor
    options: dict[str, Any]
    costs: Mapping[str, Mapping[str, Any]]
    measure: str = "gain"
    importance: Mapping[str, float] = field(default_factory=dict)
    together: tuple[tuple[str, ...], ...] = ()
    at_most: tuple[tuple[int, tuple[str, ...]], ...] = ()
    min_quality: float = -1.0

    def cost(self, sources: frozenset[str]) -> Fraction:
        """Return the cost of a set of sources, with the labels of transfers to all other targets."""
        total = Fraction()
        for task in self.tensor.tasks:
            known = self.costs[task]
            owned = exact(known["owned"]) * known["images_full"]
            if task in sources and task not in self.tensor.untrained:
                total += exact(known["price"]) * (known["images_full"] - owned)
            elif task in self.tensor.targets:
                total += exact(known["price"]) * max(Fraction(), known["images_transfer"] - owned)
        return total

    @cached_property
    def every_plan(self) -> list[Plan]:
        """The best plan of every set of sources that is allowed, whatever it costs."""
        return list(self._plans())

    def _plans(self) -> Iterator[Plan]:
        tensor = self.tensor
        read = [set(tensor.source_names(row)) for row in range(len(tensor))]
        usable = [
            row
            for row in range(len(tensor))
            if not tensor.reads_itself[row] and tensor.quality[row] >= self.min_quality
        ]
        of = {
            target: [row for row in usable if tensor.tasks[tensor.target[row]] == target]
            for target in tensor.targets
        }
        worth: list[Fraction] = [exact(value) for value in getattr(tensor, self.measure)]
        for size in range(len(tensor.tasks) + 1):
            for names in combinations(tensor.tasks, size):
                chosen = frozenset(names)
                if any(0 < len(chosen & set(group)) < len(group) for group in self.together):
                    continue
                if any(len(chosen & set(group)) > most for most, group in self.at_most):
                    continue
                values: list[Fraction | None] = []
                for target in tensor.targets:
                    able = [worth[row] for row in of[target] if read[row] <= chosen]
                    importance: Fraction = exact(self.importance.get(target, 1.0))
                    values.append(importance * max(able) if able else None)
                if None not in values:
                    yield Plan(chosen, self.cost(chosen), tuple(v for v in values if v is not None))


def money(seed: int, *, groups: bool = False, levels: int | None = None) -> Case:
    """Prices in tenths of cents, every kind of share owned, and where asked for groups of tasks."""
    rng = np.random.default_rng([seed, 19])
    tensor = random_tensor(seed, 6, int(rng.integers(2, 6)), int(rng.integers(1, 4)), levels=levels)
    costs: dict[str, dict[str, Any]] = {}
    for task in tensor.tasks:
        full = int(rng.integers(1, 2000))
        costs[task] = {
            "price": int(rng.integers(0, 400)) / 1000,
            "images_full": full,
            "images_transfer": int(rng.integers(1, full + 1)),
            "owned": float(rng.choice([0, 0, 0.4, 0.35, 1])),
        }
    options: dict[str, Any] = {"costs": costs, "objective": "gain"}
    case = Case(tensor, options, costs)
    if groups:
        tasks = [str(task) for task in rng.permutation(tensor.tasks)]
        together = (tuple(tasks[:2]),) if seed % 3 else (tuple(tasks[:2]), tuple(tasks[1:3]))
        at_most = ((1, tuple(tasks[3:5])), (2, tuple(tasks[2:6])))
        joined = together if seed % 3 else (tuple(tasks[:3]),)
        options |= {"together": together, "apart": [at_most[0][1]], "at_most": [at_most[1]]}
        importance = {task: float(rng.choice([0, 0.7, 3])) for task in tensor.targets}
        options["importance"] = importance
        case = replace(case, together=joined, at_most=at_most, importance=importance)
    return case


def check_budget(case: Case, budget: float) -> Taxonomy | None:
    """The plan of a budget is one of the best, and the cheapest of these."""
    fits = [plan for plan in case.every_plan if plan.cost <= exact(budget)]
    if not fits:
        with pytest.raises(InfeasibleBudgetError) as caught:
            solve(case.tensor, "all", budget, **case.options)
        least = min((plan.cost for plan in case.every_plan), default=None)
        assert (caught.value.least is None) == (least is None)
        assert least is None or caught.value.least == pytest.approx(float(least), rel=1e-15)
        return None
    plan = solve(case.tensor, "all", budget, **case.options)
    best = max(one.value for one in fits)
    assert plan.status == "optimal"
    assert best - exact(plan.objective) <= exact(4e-9) * max(Fraction(1), best)
    assert case.cost(frozenset(plan.sources)) == Fraction(plan.exact_cost) <= exact(budget)
    assert Fraction(plan.exact_cost) <= min(one.cost for one in fits if one.value == best)
    chosen = frozenset(plan.sources)
    assert all(len(chosen & set(group)) in {0, len(group)} for group in case.together)
    assert all(len(chosen & set(group)) <= most for most, group in case.at_most)
    assert sum(bought.cost for bought in plan.purchases) == pytest.approx(plan.cost)
    return plan


def budgets_of(case: Case, seed: int) -> list[float]:
    """Exact costs of some plans, and a little less."""
    costs = sorted({plan.cost for plan in case.every_plan if plan.cost})
    some = [float(costs[place]) for place in range(seed % 3, len(costs), max(1, len(costs) // 4))]
    return [budget for cost in some for budget in (cost, float(np.nextafter(cost, 0)))] or [1.0]


@pytest.mark.parametrize("seed", SEEDS)
def test_plans_in_money_are_those_of_the_definition(seed: int) -> None:
    case = money(seed, levels=[None, 4][seed % 2])
    for budget in budgets_of(case, seed):
        check_budget(case, budget)


@pytest.mark.parametrize("seed", SEEDS)
def test_plans_with_groups_and_importance_0_are_those_of_the_definition(seed: int) -> None:
    case = money(seed, groups=True)
    for budget in budgets_of(case, seed):
        check_budget(case, budget)


@pytest.mark.parametrize("seed", range(8))
def test_plans_in_images_and_with_a_least_quality_are_those_of_the_definition(seed: int) -> None:
    case = money(seed)
    costs = {task: {**known, "price": 1} for task, known in case.costs.items()}
    least = float(np.quantile(case.tensor.quality, 0.3))
    options = case.options | {"unit": "images", "min_quality": least}
    case = replace(case, options=options, costs=costs, min_quality=least)
    for budget in budgets_of(case, seed):
        plan = check_budget(case, budget)
        assert plan is None or all(transfer.quality >= least for transfer in plan.transfers)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_cheapest_plan_of_a_mean_gain_is_that_of_the_definition(seed: int) -> None:
    case = money(seed, levels=[None, 4, 10][seed % 3])
    every = list(case.every_plan)
    number = len(case.tensor.targets)
    for share in (0.3, 0.8, 1):
        goal = float(max(plan.value for plan in every) / number) * share
        reach = [plan for plan in every if plan.value >= exact(goal) * number]
        if not reach:
            with pytest.raises(
                InfeasibleBudgetError, match="no plan has a mean gain of .*: the largest from"
            ):
                solve(case.tensor, min_gain=goal, **case.options)
            continue
        plan = solve(case.tensor, min_gain=goal, **case.options)
        least = min(one.cost for one in reach)
        assert (plan.status, Fraction(plan.exact_cost)) == ("optimal", least)
        gained = sum((exact(transfer.gain) for transfer in plan.transfers), Fraction())
        assert gained >= exact(goal) * number
        assert gained >= max(one.value for one in reach if one.cost == least) - exact(1e-8)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_cheapest_plan_of_a_least_quality_is_that_of_the_definition(seed: int) -> None:
    case = money(seed, groups=seed % 2 == 0)
    for share in (0.0, 0.3, 0.6):
        least = float(np.quantile(case.tensor.quality, share))
        reach = list(replace(case, min_quality=least).every_plan)
        if not reach:
            with pytest.raises((InfeasibleBudgetError, InvalidInputError)):
                solve(case.tensor, min_quality=least, **case.options)
            continue
        plan = solve(case.tensor, min_quality=least, **case.options)
        assert (plan.status, plan.problem.budget) == ("optimal", None)
        assert Fraction(plan.exact_cost) == min(one.cost for one in reach)
        assert all(transfer.quality >= least for transfer in plan.transfers)


@pytest.mark.parametrize("goal", ["min_gain", "min_quality"])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_next_cheapest_plans_are_those_of_the_definition(seed: int, goal: str) -> None:
    """Each is the best of the cheapest that reach the goal and do not only add labels to one before."""
    case = money(seed, levels=[None, 4][seed % 2], groups=goal == "min_quality" and seed % 3 == 0)
    if goal == "min_gain":
        number = len(case.tensor.targets)
        least = 0.7 * float(max(plan.value for plan in case.every_plan) / number)
        left = [plan for plan in case.every_plan if plan.value >= exact(least) * number]
    else:
        least = float(np.quantile(case.tensor.quality, 0.3))
        left = list(replace(case, min_quality=least).every_plan)
    if not left:
        return
    wish: dict[str, Any] = {goal: least}
    plan = solve(case.tensor, k_best=4, **wish, **case.options)
    found = [plan, *plan.alternatives]
    for one in found:
        cost = min(other.cost for other in left)
        assert (one.status, Fraction(one.exact_cost)) == ("optimal", cost)
        best = max(other.value for other in left if other.cost == cost)
        assert best - exact(one.objective) <= exact(4e-9) * max(Fraction(1), best)
        left = [other for other in left if not other.sources >= set(one.sources)]
    assert len(found) == 4 or not left


@pytest.mark.parametrize("seed", SEEDS)
def test_the_front_holds_every_plan_that_none_beats_and_no_other(seed: int) -> None:
    case = money(seed, groups=seed % 2 == 0, levels=[None, 4, 2][seed % 3])
    best: list[tuple[Fraction, Fraction]] = []
    for cost, value in sorted((plan.cost, -plan.value) for plan in case.every_plan):
        if not best or -value > best[-1][1]:
            best.append((cost, -value))
    if not best:
        with pytest.raises(InfeasibleBudgetError, match="whatever the budget"):
            front(case.tensor, **case.options)
        return
    plans = front(case.tensor, **case.options)
    assert [Fraction(plan.exact_cost) for plan in plans] == [cost for cost, _ in best]
    assert [plan.objective for plan in plans] == pytest.approx([float(value) for _, value in best], abs=1e-8)
    assert {plan.status for plan in plans} == {"optimal"}
    assert all((plan.problem.budget or 0) >= plan.cost for plan in plans)


def test_a_front_counts_tasks_where_nothing_else_is_said_and_says_where_time_ran_out() -> None:
    plans = front(toy(), objective="affinity")
    assert [(plan.cost, round(plan.objective, 9)) for plan in plans] == [(1, 0.9), (2, 1.7), (3, 2.0)]
    with pytest.raises(InvalidInputError, match="time_limit is 0, expected"):
        front(toy(), time_limit=0)
    (only,) = front("taskonomy-16k", time_limit=1e-9)
    assert (only.status, only.bound >= only.objective) == ("time_limit", True)


def test_every_row_of_a_sweep_in_money_is_the_plan_of_its_budget() -> None:
    for seed in range(6):
        case = money(seed, groups=seed % 2 == 0)
        budgets = budgets_of(case, seed)
        for row in sweep(case.tensor, budgets, [3, 2], **case.options):
            if row.max_order == 3:
                fits = [plan for plan in case.every_plan if plan.cost <= exact(row.budget)]
                assert (row.taxonomy is None) == (not fits)
                assert not fits or row.objective == pytest.approx(
                    float(max(one.value for one in fits)), abs=1e-8
                )
                assert row.to_dict()["cost"] == (row.taxonomy.cost if row.taxonomy else None)


# Full labels 100 images, a transfer 10. s costs 1 an image, a 2, b 3, c 4: labelling s takes 100 and the
# transfers to a, b, c 20 + 30 + 40.
COSTS = "task,price,images_full,images_transfer,owned\ns,1,100,10,\na,2,100,10,\nb,3,100,10,\nc,4,100,10,\n"


def costs_file(folder: Path, text: str = COSTS) -> Path:
    path = folder / "costs.csv"
    path.write_text(text)
    return path


def test_labels_of_transfers_cost_too_and_a_target_labelled_in_full_needs_no_more(tmp_path: Path) -> None:
    path = costs_file(tmp_path)
    plan = solve(toy(), budget=190, costs=path, unit="EUR")
    assert (plan.sources, plan.cost, plan.labels) == (("s",), 190, 130)
    assert [(one.task, one.full, one.images, one.cost) for one in plan.purchases] == [
        ("s", True, 100, 100),
        ("a", False, 10, 20),
        ("b", False, 10, 30),
        ("c", False, 10, 40),
    ]
    with pytest.raises(
        InfeasibleBudgetError, match=r"a budget of 189\.99 EUR: the least that .* is 190 EUR;"
    ):
        solve(toy(), budget=189.99, costs=path, unit="EUR")
    both = solve(toy(), budget=370, costs=path)
    assert (both.sources, both.cost) == (("a", "s"), 370)


def test_what_is_owned_costs_nothing_and_a_part_of_it_its_share(tmp_path: Path) -> None:
    path = costs_file(
        tmp_path, COSTS.replace("s,1,100,10,", "s,1,100,10,0.4").replace("c,4,100,10,", "c,4,100,10,yes")
    )
    plan = solve(toy(), budget=110, costs=path)
    assert (plan.sources, plan.cost, plan.labels) == (("s",), 60 + 20 + 30, 60 + 10 + 10)
    assert solve(toy(), budget=170, costs=path, owned={"s": 0, "c": 0.05}, objective="gain").cost <= 170
    assert solve(toy(), budget=0.5, owned={"s": 1}).sources == ("s",)
    assert solve(toy(), budget=0.6, owned={"s": 0.4}).cost == 0.6
    with pytest.raises(InfeasibleBudgetError):
        solve(toy(), budget=0.59, owned={"s": 0.4}, sources="s")


def test_a_budget_in_images_needs_no_prices() -> None:
    plan = solve("taskonomy-16k", "all", 872_000, unit="images")
    assert (plan.cost, plan.labels) == (872_000, 872_000)
    assert plan.sources == solve("taskonomy-16k", "all", 5).sources
    more = one_more_unit(plan)
    assert (more.budget, more.increase, more.added) == (959_200, 0, ())


def test_untrained_sources_take_no_images() -> None:
    tensor = replace(toy(), untrained=("s",), images_full=100, images_transfer=10)
    plan = solve(tensor, budget=30, unit="images", require="s")
    assert (plan.sources, plan.cost) == (("s",), 30)


def test_a_target_without_importance_still_takes_its_best_transfer() -> None:
    plan = solve(toy(), budget=2, importance={"a": 0, "c": 5}, exclude="b")
    assert {one.target: one.sources for one in plan.transfers}["a"] == ("a",)
    assert plan.objective == pytest.approx(0.3 + 5 * 0.9)
    nothing = solve(toy(), budget=2, importance={"a": 0, "b": 0, "c": 0})
    assert (nothing.objective, nothing.status, len(nothing.sources)) == (0, "optimal", 1)


def test_tasks_come_together_or_apart_as_they_are_told() -> None:
    assert solve(toy(), budget=2).sources == ("a", "s")
    assert solve(toy(), budget=2, apart=["a,s"]).sources == ("b", "s")
    assert solve(toy(), budget=2, together=["b,s"]).sources == ("b", "s")
    assert solve(toy(), budget=3, together=["b,s", "s,a"]).sources == ("a", "b", "s")
    assert solve(toy(), budget=3, at_most=[(1, "a,b,s")]).sources == ("s",)
    assert solve(toy(), budget=3, require="a", together=[("a", "b")]).problem.require == ("a", "b")
    with pytest.raises(
        InfeasibleBudgetError, match="whatever the budget: allow more of the tasks that together"
    ):
        solve(toy(), "a,b", budget=3, together=["a,b,s"], apart=["a,s"])


def test_random_plans_keep_to_the_groups() -> None:
    for row in significance(toy(), [2], [2], apart=["a,s"], samples=50, targets="a,b"):
        assert row.random_gain[2] <= row.gain + 1e-9
    together = significance(toy(), [2], [2], together=["b,s"], samples=20, exclude="a")
    assert together[0].random_gain[0] > 0


def test_a_saved_plan_is_solved_again_with_its_costs_groups_and_goals(tmp_path: Path) -> None:
    table = tmp_path / "toy.csv"
    from toys import TOY

    table.write_text(TOY)
    ways: list[dict[str, Any]] = [
        {"budget": 400, "costs": costs_file(tmp_path), "unit": "EUR", "apart": ["a,b"], "min_quality": 0.05},
        {"costs": costs_file(tmp_path), "min_gain": 0.5, "together": ["a,s"]},
    ]
    for options in ways:
        plan = solve(str(table), **options)
        again = solve_problem(load_problem(save_taxonomy(plan, tmp_path / "plan.json")))
        assert again.to_dict() | {"seconds": 0} == plan.to_dict() | {"seconds": 0}
        assert again.problem.costs == plan.problem.costs


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"budget": 1, "unit": "EUR"}, "price of 'a' is not known: add it to costs, where a row"),
        ({"budget": 1, "unit": "images"}, "images_full of 'a' is not known: .*, or give images_full"),
        ({"budget": 1, "unit": "images", "images_full": 5}, "images_transfer of 'a' is not known"),
        (
            {"budget": 1, "unit": "images", "images_full": 5, "images_transfer": 6},
            "is more than its images_full",
        ),
        (
            {"budget": 1, "costs": {"*": {"price": 1}}, "label_cost": {"a": 2}},
            "leave out label_cost, or costs",
        ),
        ({"budget": 1, "costs": {"*": {"price": -1}}}, r"costs of \*: price is -1, expected a number in \[0"),
        ({"budget": 1, "costs": {"a": {"owned": 1.5}}}, r"owned is 1\.5, expected a number in \[0, 1\]"),
        ({"budget": 1, "costs": {"a": {"cost": 1}}}, "hold 'cost': known are price, images_full"),
        ({"budget": 1, "costs": {"zzz": {"price": 1}}}, "unknown task 'zzz'"),
        ({"budget": 1, "costs": 5}, "costs is 5, expected the path of a CSV with the columns task, price"),
        ({"budget": 1, "owned": {"a": 2}}, r"owned of a is 2, expected a number in \[0, 1\]"),
        ({"budget": 1, "unit": 5}, "unit is 5, expected images, or the name of a currency"),
        ({"budget": 1, "together": ["a"]}, "is a: name at least two tasks"),
        ({"budget": 1, "together": 5}, r"together is 5, expected a list of groups, as in \['a,b'\]"),
        ({"budget": 1, "at_most": ["a,b"]}, "at_most holds 'a,b', expected pairs"),
        ({"budget": 1, "at_most": [(0, "a,b")]}, "the number of at_most is 0, expected a whole number"),
        (
            {"budget": 1, "apart": ["a,b"], "require": "a,b"},
            "a, b are required, and at most 1 of a, b is allowed",
        ),
        ({"budget": 1, "min_gain": 0.5}, "leave out the budget or min_gain"),
        ({"min_gain": 0.5, "objective": "quality"}, "asks for a gain, and the objective is quality"),
        ({"min_gain": 0.5, "importance": {"a": 2}}, "leave out importance"),
        ({"min_gain": 1.5}, r"min_gain is 1\.5, expected a number in \[0, 1\]"),
        ({"min_quality": 0.95}, "and a quality of at least 0.95; allow more sources"),
    ],
)
def test_what_is_not_allowed_is_refused_in_words(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        solve(toy(), **options)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,price\na,1\n", "line 1: unknown column 'name': columns are task, price"),
        ("price\n1\n", "line 1: expected one column of each name"),
        ("task,price\n", "has no line below its header"),
        ("task,price\na,x\n", "line 2: price is 'x', expected a number"),
        ("task,price\n,1\n", "line 2: the task has no name"),
        ("task,images_full\na,1.5\n", "line 2: images_full is 1.5, expected a whole number"),
        ("task,owned\na,40%\n", "line 2: owned is '40%', expected a number: leave out the sign %"),
    ],
)
def test_a_wrong_line_of_a_costs_file_is_named(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=message):
        solve(toy(), budget=1, costs=costs_file(tmp_path, text))


def test_costs_are_read_with_a_row_for_every_other_task_and_from_tables(tmp_path: Path) -> None:
    path = costs_file(tmp_path, "task;price;images_full;images_transfer\ns;1,5;100;10\n*;2;50;5\n")
    problem = Problem.of(toy(), budget=100, costs=path)
    assert problem.costs["s"] == TaskCost(price=1.5, images_full=100, images_transfer=10)
    assert problem.costs["a"] == problem.costs["c"] == TaskCost(price=2, images_full=50, images_transfer=5)
    assert (
        problem.unit,
        Problem.of(toy(), budget=9, costs={"*": {"images_full": 5, "images_transfer": 1}}).unit,
    ) == (
        "",
        "images",
    )
    pandas = pytest.importorskip("pandas", reason="pandas comes with gradio, in the extra [dev]")
    table = pandas.DataFrame({"task": ["*"], "price": [2], "images_full": [50], "images_transfer": [5]})
    assert Problem.of(toy(), budget=100, costs=table).costs["a"] == problem.costs["a"]


def test_sums_of_prices_are_decimals() -> None:
    tensor = tensor_from_csv("target,sources,affinity\na,self,.9\na,b,.1\nb,self,.9\nb,a,.1\n", name="two")
    costs = {"*": {"price": 0.1, "images_full": 3, "images_transfer": 1}}
    assert len(solve(tensor, budget=0.6, costs=costs).sources) == 2
    assert len(solve(tensor, budget=0.59, costs=costs).sources) == 1
    assert solve(tensor, budget=0.6, costs=costs).cost == 0.6
