"""Exact planner: which vision tasks to label, and which network predicts every other task.

>>> import taxsolver
>>> plan = taxsolver.solve("taskonomy-16k", targets="normals,depth,reshading", budget=2)
>>> plan.status, plan.sources
('optimal', ('depth_zbuffer', 'normal'))
"""

from taxsolver.analysis.compare import Agreement, compare
from taxsolver.analysis.rank import RankRow, rank
from taxsolver.analysis.significance import SignificanceRow, significance
from taxsolver.analysis.similarity import TaskTree, similarity
from taxsolver.analysis.stability import Stability, StablePlan, stability
from taxsolver.errors import (
    FileFormatError,
    InfeasibleBudgetError,
    InvalidInputError,
    MissingExtraError,
    OutputError,
    SolverError,
    TaxSolverError,
    TimeLimitError,
    UnknownTaskError,
)
from taxsolver.figures.graph import save_taxonomy, to_dot, to_graphml, to_networkx, to_node_link
from taxsolver.planning.chain import Chain, chain
from taxsolver.planning.front import front
from taxsolver.planning.objective import Objective
from taxsolver.planning.problem import Problem
from taxsolver.planning.problem_file import load_problem
from taxsolver.planning.solve import OneMore, one_more_unit, solve, solve_problem
from taxsolver.planning.sweep import SweepRow, sweep
from taxsolver.planning.task_costs import TaskCost
from taxsolver.planning.taxonomy import Purchase, Taxonomy
from taxsolver.tensors.affinity import AffinityTensor, Transfer
from taxsolver.tensors.ahp import ahp, win_rates
from taxsolver.tensors.store import available_affinities, join_affinities, load_affinity, save_affinity

__version__ = "0.2.0"

__all__ = [
    "AffinityTensor",
    "Agreement",
    "Chain",
    "FileFormatError",
    "InfeasibleBudgetError",
    "InvalidInputError",
    "MissingExtraError",
    "Objective",
    "OneMore",
    "OutputError",
    "Problem",
    "Purchase",
    "RankRow",
    "SignificanceRow",
    "SolverError",
    "Stability",
    "StablePlan",
    "SweepRow",
    "TaskCost",
    "TaskTree",
    "TaxSolverError",
    "Taxonomy",
    "TimeLimitError",
    "Transfer",
    "UnknownTaskError",
    "ahp",
    "available_affinities",
    "chain",
    "compare",
    "front",
    "join_affinities",
    "load_affinity",
    "load_problem",
    "one_more_unit",
    "rank",
    "save_affinity",
    "save_taxonomy",
    "significance",
    "similarity",
    "solve",
    "solve_problem",
    "stability",
    "sweep",
    "to_dot",
    "to_graphml",
    "to_networkx",
    "to_node_link",
    "win_rates",
]
