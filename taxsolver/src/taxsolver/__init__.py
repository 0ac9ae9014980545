"""Exact planner: which vision tasks to label, and which network to read every other task out from."""

__version__ = "0.1.0"
