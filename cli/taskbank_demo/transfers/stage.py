"""Comparable pictures of several networks' predictions for one image: same size, same scale of colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from PIL import Image

from taskbank.drawing.picture_scale import CurvatureScale, DepthScale, Scale, measure
from taskbank.drawing.render import picture
from taskbank.drawing.sheet import caption
from taskbank.inference.outcome import Outcome
from taskbank.inference.preprocess import Preprocessed
from taskbank.inference.results import Prediction
from taskbank.tasks.kinds import OutputKind
from taskbank_demo.transfers.cast import Role

COMPARABLE = frozenset({OutputKind.DEPTH, OutputKind.CURVATURE})
"""Kinds with one measured scale of colours for all networks. The axes of embeddings differ between networks,
so each network has its own scale."""

_ANSWERS = frozenset({OutputKind.CLASSES, OutputKind.LAYOUT})


def stage(outcome: Outcome, preprocessed: Preprocessed, target: str) -> Prediction:
    """Decode an outcome's prediction over the square photograph of `preprocess.as_square_photo`."""
    if outcome.error is not None:
        raise outcome.error
    own = replace(outcome.inputs[0], photo=preprocessed.photo, view=preprocessed.view)
    return replace(outcome, inputs=(own,)).prediction(target)


def input_image(preprocessed: Preprocessed) -> Image.Image:
    """Return the square photograph."""
    return Image.fromarray(preprocessed.photo.as_bytes())


def common_scale(predictions: Mapping[Role, Sequence[Prediction]]) -> Scale | None:
    """Measure the scale of colours for all pictures of a comparison, on the best network in it.

    A scale measured on all networks would be stretched by a poor baseline.

    Args:
        predictions: of each network, for one or several images.

    Returns:
        the scale; None if colours are fixed, or each network has its own.
    """
    best = predictions.get(Role.FULL_SUPERVISION) or predictions[Role.TRANSFER]
    return measure(best) if best[0].kind in COMPARABLE else None


def draw(prediction: Prediction, preprocessed: Preprocessed, scale: Scale | None) -> Image.Image:
    """Draw a prediction of `stage`, RGB."""
    return picture(prediction, (preprocessed,), scale=scale)


def scale_words(scale: Scale | None, kind: OutputKind) -> str:
    """Describe the colours of all pictures in a sentence; empty if their scale is fixed."""
    match scale:
        case DepthScale(low, high):
            return f"Same colours in all pictures: {low:.2f} m is bright, {high:.2f} m is dark."
        case CurvatureScale(reach):
            return (
                f"Same colours in all pictures: mean curvature, red is {reach:.2g} 1/m and blue the opposite."
            )
    if kind is OutputKind.EMBEDDING:
        return "Every network has colours of its own here: compare outlines, not colours."
    return ""


def result_words(prediction: Prediction) -> str:
    """Write the result as a short text, for kinds that have one."""
    return caption(prediction) if prediction.kind in _ANSWERS else ""
