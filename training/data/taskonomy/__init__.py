"""The Taskonomy dataset on disk: import of folders, files and tables into stores of frames, and export."""

from __future__ import annotations

from training.data.taskonomy.export import export_store
from training.data.taskonomy.importing import import_taskonomy
from training.data.taskonomy.layout import Layout, Tree, find_tree
from training.data.taskonomy.plan import TaskonomyConfig
from training.data.taskonomy.splits import read_exclusions, read_splits, write_splits

__all__ = [
    "Layout",
    "TaskonomyConfig",
    "Tree",
    "export_store",
    "find_tree",
    "import_taskonomy",
    "read_exclusions",
    "read_splits",
    "write_splits",
]
