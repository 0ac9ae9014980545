"""Results of a probe: scores of sources for targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskbank.probing.plan import Plan

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Scores of one source for one target, on held-out images.

    Attributes:
        source: its name.
        ridge: share of the target's variance that ridge regression explains; for classes, its accuracy.
        ridge_interval: least and greatest over bootstrap draws of groups.
        rank: by `ridge`, 1 is best, including controls.
        rank_interval: least and greatest rank over the same draws.
        knn: the same measure for nearest neighbours.
        logme: LogME of the training images.
        beats_pixels: share of held-out images with a smaller ridge error than from raw pixels; ties count
            half.
        parameters: number of weights of the source.
        control: whether the source is a control.
    """

    source: str
    ridge: float
    ridge_interval: tuple[float, float]
    rank: int
    rank_interval: tuple[int, int]
    knn: float
    logme: float
    beats_pixels: float
    parameters: int
    control: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TargetScores:
    """Scores of all sources for one target.

    Attributes:
        target: its name.
        measure: `variance explained` or `accuracy`.
        learned: number of training images.
        held_out: number of held-out images.
        groups: number of groups among the held-out images.
        scores: best first.
        by_parameters: Spearman's correlation of ridge scores with numbers of parameters, without controls.
        losses: name of a source -> float64 (held_out,), squared error of ridge per image, in units of the
            target's variance.
    """

    target: str
    measure: str
    learned: int
    held_out: int
    groups: int
    scores: tuple[Score, ...]
    by_parameters: float
    losses: Mapping[str, FloatArray] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Probe:
    """Result of a comparison of sources.

    Attributes:
        targets: one entry per target.
        sources: facts of all sources, controls last.
        images: images that could be read.
        failed: reasons why the others could not be read.
        plan: settings of the comparison.
    """

    targets: tuple[TargetScores, ...]
    sources: tuple[Mapping[str, Any], ...]
    images: int
    failed: tuple[str, ...]
    plan: Plan

    def to_dict(self) -> dict[str, Any]:
        """Return all results except the losses per image, JSON-ready, with None in place of NaN."""
        targets = []
        for one in self.targets:
            told = {
                name: getattr(one, name) for name in ("target", "measure", "learned", "held_out", "groups")
            }
            rho = one.by_parameters
            told["order_by_parameters"] = None if np.isnan(rho) else rho
            targets.append(told | {"scores": [asdict(score) for score in one.scores]})
        return {
            "estimated": True,
            "targets": targets,
            "sources": [dict(source) for source in self.sources],
            "images": self.images,
            "failed": list(self.failed),
            "plan": asdict(self.plan),
        }
