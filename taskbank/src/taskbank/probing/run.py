"""Comparison of sources: encode images once, and estimate the readout of every target from each source."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.nn import functional

from taskbank.encoders.source import Source
from taskbank.errors import InvalidInputError
from taskbank.images.framing import View
from taskbank.inference.settings import Settings
from taskbank.options import Kind
from taskbank.probing.division import draws, held_out
from taskbank.probing.labels import Labels, check_classes, groups_of, place_values
from taskbank.probing.plan import Plan
from taskbank.probing.readouts import (
    PENALTIES,
    log_evidence,
    nearest_neighbours,
    rank_correlation,
    ridge,
    standardised,
)
from taskbank.probing.result import FloatArray, Probe, Score, TargetScores
from taskbank.sources.encoding import Features, encode_images

FEWEST = 12
"""Least number of images with labels for a target."""

_KNOWN = 0.5  # least share of known pixels in a cell of the grid
_POOLED = 2  # rows and columns of pooled features for labels of whole images
_MOST_ROWS = 4096  # most training rows of k-NN and LogME


def run_probe(
    images: Mapping[str, Path],
    labels: Sequence[Labels],
    sources: Sequence[Source],
    *,
    controls: Sequence[Source],
    groups: Mapping[str, str] | None = None,
    plan: Plan | None = None,
    settings: Settings | None = None,
    each: Callable[[], object] = lambda: None,
) -> Probe:
    """Estimate the quality of readouts of every target from each source.

    Args:
        images: files by their paths in the folder.
        labels: of each target.
        sources: made by `open_sources`.
        controls: made by `taskbank.probing.controls`; the first is raw pixels.
        groups: image -> its group, as for `groups_of`.
        plan: grid, division, draws and seed.
        settings: how the sources are run.
        each: called after each image, for progress.

    Raises:
        InvalidInputError: too few images, groups or sources; labels that cannot be read or are all equal.
        TaskBankError: as raised by the sources.

    Examples:
        >>> from pathlib import Path
        >>> import numpy as np, taskbank
        >>> from PIL import Image
        >>> from taskbank.probing.controls import with_controls
        >>> from taskbank.probing.labels import read_labels
        >>> files = {f"{number}.png": Path(f"{number}.png") for number in range(12)}
        >>> for number, path in enumerate(files.values()):
        ...     Image.fromarray(np.full((64, 64, 3), 20 * number, np.uint8)).save(path)
        >>> rows = ["file,light", *[f"{name},{20 * number}" for number, name in enumerate(files)]]
        >>> _ = Path("light.csv").write_text(chr(10).join(rows))
        >>> sources, controls = with_controls(taskbank.open_sources("normal,reshading"), seed=0)
        >>> labels = read_labels(Path("light.csv"), list(files), folder=Path())
        >>> probe = taskbank.run_probe(files, labels, sources, controls=controls)
        >>> [scores.target for scores in probe.targets]
        ['light']
    """
    chosen = plan or Plan()
    everyone = [*sources, *controls]
    _check_names(labels, sources)
    for one in labels:
        check_classes(one)
    names = [name for name in images if any(name in one.images for one in labels)]
    maps = any(one.maps for one in labels)
    whole = any(one.values for one in labels)
    failed: list[str] = []
    views: dict[str, View] = {}
    coarse: dict[str, list[FloatArray]] = {source.name: [] for source in everyone}
    placed: dict[str, list[FloatArray]] = {source.name: [] for source in everyone}
    found = encode_images(everyone, [images[name] for name in names], settings)
    for name, features in zip(names, found, strict=True):
        each()
        if features.error is not None or features.view is None:
            failed.append(str(features.error))
            continue
        views[name] = features.view
        for source in everyone:
            if whole:
                coarse[source.name].append(_pooled(features, source.name, _POOLED).reshape(1, -1))
            if maps:
                grid = _pooled(features, source.name, chosen.places)
                placed[source.name].append(grid.reshape(chosen.places**2, -1))
    facts = tuple(source.facts() | {"control": source in controls} for source in everyone)
    kept = list(views)
    targets = []
    for one in labels:
        rows = [row for row, name in enumerate(kept) if name in one.images]
        if len(rows) < FEWEST:
            raise InvalidInputError(
                f"{one.target}: {len(rows)} image(s) with labels can be read, {FEWEST} at least are needed"
            )
        own = [kept[row] for row in rows]
        group = groups_of(one, own, groups)
        held = placed if one.maps else coarse
        told = _targets_of(one, own, views, chosen)
        features_of = {name: [values[row] for row in rows] for name, values in held.items()}
        targets.append(_compare(one, features_of, told, group, facts=facts, plan=chosen))
    return Probe(targets=tuple(targets), sources=facts, images=len(kept), failed=tuple(failed), plan=chosen)


def _check_names(labels: Sequence[Labels], sources: Sequence[Source]) -> None:
    """Reject targets with equal names, and fewer than two sources."""
    if len(sources) < 2:
        raise InvalidInputError(f"{len(sources)} source cannot be compared: name two at least")
    named = [one.target for one in labels]
    if len(set(named)) < len(named):
        twice = next(name for name in named if named.count(name) > 1)
        raise InvalidInputError(
            f"two targets are called {twice!r}: name them apart, as in --labels NAME=PATH"
        )


def _pooled(features: Features, source: str, places: int) -> FloatArray:
    """Return features (places, places, channels): means of a finer map, interpolation of a coarser one."""
    values = features.maps[source][None]
    if min(values.shape[-2:]) >= places:
        pooled = functional.adaptive_avg_pool2d(values, places)
    else:
        pooled = functional.interpolate(values, places, mode="bilinear", align_corners=False)
    array: FloatArray = pooled[0].permute(1, 2, 0).double().numpy()
    return array


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    """Targets of all images: values (images, places, k) and weights (images, places)."""

    values: FloatArray
    weights: FloatArray


def _targets_of(labels: Labels, names: Sequence[str], views: Mapping[str, View], plan: Plan) -> _Told:
    """Read labels as values and weights; columns of values that are constant are left out."""
    if labels.maps:
        pairs = [place_values(labels, name, views[name], plan.places) for name in names]
        depths = {values.shape[-1]: name for (values, _), name in zip(pairs, names, strict=True)}
        if len(depths) > 1:
            (first, one), (second, other), *_ = sorted(depths.items())
            raise InvalidInputError(
                f"maps of {labels.target} differ in their channels: {one} has {first}, {other} has {second}"
            )
        values = np.stack([pair[0] for pair in pairs]).reshape(len(names), plan.places**2, -1)
        share = np.stack([pair[1] for pair in pairs]).reshape(len(names), plan.places**2)
        weights = np.where(share >= _KNOWN, share, 0)
    else:
        values = np.array([labels.values[name] for name in names])[:, None]
        weights = np.ones(values.shape[:2])
    if labels.kind is Kind.CLASSES and not labels.maps:
        values = np.eye(len(labels.classes))[values[..., 0].astype(np.int64)]
    flat = values[weights > 0]
    # Relative to their size, as numbers may be of a small unit.
    varies = flat.std(0) > 1e-9 * np.abs(flat).max(0) if len(flat) else np.zeros(1, dtype=bool)
    if not varies.any():
        raise InvalidInputError(
            f"labels of {labels.target} are the same everywhere: there is nothing to estimate"
        )
    return _Told(values[..., varies], weights)


def _compare(
    labels: Labels,
    features: Mapping[str, Sequence[FloatArray]],
    told: _Told,
    groups: Sequence[str],
    *,
    facts: Sequence[Mapping[str, Any]],
    plan: Plan,
) -> TargetScores:
    """Fit readouts on the training groups, and compare sources on the held-out ones."""
    # Divide images by groups, and scale the labels to a total variance of one.
    out = held_out(groups, plan.share, plan.seed)
    inner = [group for group, apart in zip(groups, out, strict=True) if not apart]
    places = told.values.shape[1]
    known = told.weights > 0
    spread = np.sqrt((told.values[~out][known[~out]].std(0) ** 2).sum())
    if not spread > 0:
        raise InvalidInputError(f"labels of {labels.target} are the same in all images that are learned from")
    values = told.values / spread
    tuned = _inner_division(inner, plan)
    # One row per known cell: training rows, held-out rows, and the image of each.
    image = np.repeat(np.arange(len(out)), places).reshape(known.shape)
    rows_in, rows_out = known & ~out[:, None], known & out[:, None]
    truth_in, truth_out = values[rows_in], values[rows_out]
    weight = told.weights[rows_out]
    own, owner = np.unique(image[rows_out], return_inverse=True)
    per_image = np.bincount(owner, weight)
    # Training rows of the images that choose the penalty.
    judged = tuned[np.cumsum(~out)[image[rows_in]] - 1]
    few = np.linspace(0, len(truth_in) - 1, min(_MOST_ROWS, len(truth_in))).astype(np.int64)

    def losses(predicted: FloatArray) -> FloatArray:
        squares = ((predicted - truth_out) ** 2).sum(1) * weight
        lost: FloatArray = np.bincount(owner, squares) / per_image
        return lost

    classes = labels.kind is Kind.CLASSES

    def hits(predicted: FloatArray) -> FloatArray:
        right = (predicted.argmax(1) == truth_out.argmax(1)) * weight
        share: FloatArray = np.bincount(owner, right) / per_image
        return share

    constant = losses(np.broadcast_to(truth_in.mean(0), truth_out.shape))
    weights = np.concatenate(
        [np.ones((1, len(own))), draws([groups[row] for row in own], plan.resamples, plan.seed)]
    )

    def measured(predicted: FloatArray) -> FloatArray:
        """Return the measure over all images, then over each draw."""
        if classes:
            found: FloatArray = weights @ hits(predicted) / weights.sum(1)
            return found
        explained: FloatArray = 1 - weights @ losses(predicted) / np.maximum(weights @ constant, 1e-12)
        return explained

    by_ridge: dict[str, FloatArray] = {}
    by_neighbours: dict[str, float] = {}
    evidence: dict[str, float] = {}
    lost: dict[str, FloatArray] = {}
    for fact in facts:
        name = fact["name"]
        stacked = np.stack(features[name])
        learned, others = standardised(stacked[rows_in], stacked[rows_out])
        trials = ridge(learned[~judged], truth_in[~judged], learned[judged])
        errors = [((trial - truth_in[judged]) ** 2).sum() for trial in trials]
        best = PENALTIES[int(np.argmin(errors))]
        (predicted,) = ridge(learned, truth_in, others, (best,))
        by_ridge[name], lost[name] = measured(predicted), losses(predicted)
        by_neighbours[name] = float(measured(nearest_neighbours(learned[few], truth_in[few], others))[0])
        evidence[name] = log_evidence(learned[few], truth_in[few])
    scores = _scores(by_ridge, by_neighbours, evidence, lost, facts=facts, plan=plan)
    real = [score for score in scores if not score.control]
    rho = rank_correlation(
        np.array([score.ridge for score in real]), np.array([float(score.parameters) for score in real])
    )
    return TargetScores(
        target=labels.target,
        measure="accuracy" if classes else "variance explained",
        learned=int((~out & known.any(1)).sum()),
        held_out=len(own),
        groups=len({groups[row] for row in own}),
        scores=tuple(scores),
        by_parameters=rho,
        losses=lost,
    )


def _scores(
    by_ridge: Mapping[str, FloatArray],
    by_neighbours: Mapping[str, float],
    evidence: Mapping[str, float],
    lost: Mapping[str, FloatArray],
    *,
    facts: Sequence[Mapping[str, Any]],
    plan: Plan,
) -> tuple[Score, ...]:
    """Rank sources, with intervals over draws.

    Args:
        by_ridge: name -> float64 (1 + draws,): the measure over all held-out images, then over each draw.
        by_neighbours: name -> the measure.
        evidence: name -> LogME.
        lost: name -> float64 (images,), ridge losses of the held-out images.
        facts: of all sources; the first control is raw pixels.
        plan: level of the intervals.
    """
    order = sorted(by_ridge, key=lambda name: -by_ridge[name][0])
    table = np.stack([by_ridge[name] for name in order])
    ranks = 1 + (table[None] > table[:, None]).sum(1)
    ends = ((1 - plan.level) / 2, (1 + plan.level) / 2)
    about = {fact["name"]: fact for fact in facts}
    pixels = lost[next(fact["name"] for fact in facts if fact["control"])]
    scores = []
    for place, name in enumerate(order):
        low, high = np.quantile(table[place, 1:], ends).tolist()
        first, last = np.quantile(ranks[place, 1:], ends, method="nearest").tolist()
        wins = (lost[name] < pixels) + 0.5 * (lost[name] == pixels)
        scores.append(
            Score(
                source=name,
                ridge=float(table[place, 0]),
                ridge_interval=(low, high),
                rank=int(ranks[place, 0]),
                rank_interval=(int(first), int(last)),
                knn=by_neighbours[name],
                logme=evidence[name],
                beats_pixels=float(wins.mean()),
                parameters=about[name]["parameters"],
                control=about[name]["control"],
            )
        )
    return tuple(scores)


def _inner_division(groups: Sequence[str], plan: Plan) -> NDArray[np.bool_]:
    """Choose the images on which the penalty is chosen: by group, or by image if there are few groups."""
    distinct = len(set(groups))
    names = groups if distinct >= 4 else [str(number) for number in range(len(groups))]
    return held_out(names, 0.25, plan.seed + 1)
