"""Predictions of banks compared with labels of one's own."""

from taskbank.scoring.run import Comparison, TargetScores, run_score

__all__ = ["Comparison", "TargetScores", "run_score"]
