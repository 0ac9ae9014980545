"""Scoring: comparison of predictions of banks with a user's labels."""

from taskbank.scoring.run import Comparison, TargetScores, run_score

__all__ = ["Comparison", "TargetScores", "run_score"]
