"""Plans with the paper's constraints in other solvers, for comparison."""

from __future__ import annotations

import highspy
import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array, csr_array

from taxsolver.programs.instance import FloatArray, Instance


def paper_rows(instance: Instance, budget: float) -> tuple[csr_array, FloatArray, FloatArray]:
    """Matrix and bounds with one row of need for each transfer, as in section 3.4 of the paper.

    Columns: y of every task, x of every transfer. Rows: budget, targets, then |sources| x <= sum of y.
    """
    transfers, tasks = instance.sources.shape
    needing, needed = np.nonzero(instance.sources)
    first = 1 + instance.num_targets
    number = np.arange(transfers)
    rows = np.concatenate([np.zeros(tasks), 1 + instance.target, first + number, first + needing])
    columns = np.concatenate([np.arange(tasks), tasks + number, tasks + number, needed])
    order = instance.sources.sum(axis=1)
    values = np.concatenate([instance.cost, np.ones(transfers), order, -np.ones(len(needing))])
    shape = (first + transfers, tasks + transfers)
    matrix = csr_array(coo_array((values, (rows.astype(int), columns)), shape=shape))
    lower = np.concatenate([[-np.inf], np.ones(instance.num_targets), np.full(transfers, -np.inf)])
    upper = np.concatenate([[budget], np.ones(instance.num_targets), np.zeros(transfers)])
    return matrix, lower, upper


def solve_scipy(instance: Instance, budget: float) -> float:
    """Objective by scipy.optimize.milp, gap 0."""
    matrix, lower, upper = paper_rows(instance, budget)
    transfers, tasks = instance.sources.shape
    answer = milp(
        np.concatenate([np.zeros(tasks), -instance.weight]),
        integrality=np.ones(tasks + transfers),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(matrix, lower, upper),
        options={"mip_rel_gap": 0.0},
    )
    if answer.fun is None:
        raise ArithmeticError(f"SciPy found no plan: {answer.message}")
    return -float(answer.fun)


def solve_highs(instance: Instance, budget: float) -> float:
    """Objective by HiGHS itself, gap 0."""
    matrix, lower, upper = paper_rows(instance, budget)
    transfers, tasks = instance.sources.shape
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = tasks + transfers, matrix.shape[0]
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_cost_ = np.concatenate([np.zeros(tasks), instance.weight])
    lp.col_lower_, lp.col_upper_ = np.zeros(tasks + transfers), np.ones(tasks + transfers)
    lp.row_lower_, lp.row_upper_ = lower, upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    lp.integrality_ = [highspy.HighsVarType.kInteger] * (tasks + transfers)
    highs = highspy.Highs()  # type: ignore[no-untyped-call] # highspy has no types
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("mip_rel_gap", 0.0)
    highs.passModel(lp)
    highs.run()
    return float(highs.getInfo().objective_function_value)
