"""Task grouping: choose the networks to run so that every task is predicted within an inference budget.

After Standley et al., "Which Tasks Should Be Learned Together in Multi-task Learning?", ICML 2020
(https://arxiv.org/abs/1905.07553), whose four settings come with the package.

    >>> from taxsolver.grouping import group, load_setting
    >>> found = group(load_setting(2), "optimal", budget=2)
    >>> found.networks, round(found.test_loss, 5)
    (('normal+keypoints2d', 'segment_semantic+depth_zbuffer+normal+edge_texture'), 0.31733)
"""

from taxsolver.grouping.curves import (
    PairMatrix,
    TaskCountRow,
    budget_curves,
    pair_matrix,
    relative_change,
    task_count_rows,
)
from taxsolver.grouping.pairwise import read_pairwise
from taxsolver.grouping.result import Grouping
from taxsolver.grouping.select import Method, group
from taxsolver.grouping.table import LossTable
from taxsolver.grouping.table_csv import as_table, load_setting, load_table, table_from_csv
from taxsolver.grouping.to_train import NextGroup, next_group
from taxsolver.grouping.untrained import PredictedGroups, predict_groups

__all__ = [
    "Grouping",
    "LossTable",
    "Method",
    "NextGroup",
    "PairMatrix",
    "PredictedGroups",
    "TaskCountRow",
    "as_table",
    "budget_curves",
    "group",
    "load_setting",
    "load_table",
    "next_group",
    "pair_matrix",
    "predict_groups",
    "read_pairwise",
    "relative_change",
    "table_from_csv",
    "task_count_rows",
]
