"""Engines that run a stage's jobs in this process, in several, or on a Ray cluster, with equal results."""

from __future__ import annotations

from training.runs.engine.jobs import Engine, Job, LocalEngine

__all__ = ["Engine", "Job", "LocalEngine"]
