"""The task point_matching by models that match keypoints of two pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from taskbank.bank.catalogue import Model
from taskbank.foundation.estimator import Pictures, Place
from taskbank.foundation.files import Files
from taskbank.foundation.library import load_model, load_processor

CLASSES = frozenset({"EfficientLoFTRForKeypointMatching"})
"""Classes of transformers that serve `point_matching`."""

MIDDLE = 0.1
"""Half the side of the central square of a picture, as a share of width and of height."""
_SUREST = 1 - 1e-4


class Matching:
    """A keypoint matcher that decides whether the centres of two pictures show the same point.

    A match between the central squares of both pictures, with score s, is taken to be right with probability
    s; the output is the probability that at least one is right: 1 - (1 - s1) (1 - s2) ...

    Args:
        network: the model of transformers.
        processor: of the same repository, for pairs.
        place: device and precision.
    """

    def __init__(self, network: Any, processor: Any, place: Place) -> None:
        self.network = place.put(network)
        self.processor = processor
        self.place = place

    def predict(self, pictures: Pictures) -> Mapping[str, list[Tensor]]:
        """Predict logits of `another point` and `the same point` for each pair."""
        pairs = self.processor(images=[list(pair) for pair in pictures], return_tensors="pt")["pixel_values"]
        given = self.network(pixel_values=pairs.to(self.place.device, self.place.dtype))
        keypoints, matches, scores = (
            values.float().cpu() for values in (given.keypoints, given.matches, given.matching_scores)
        )
        return {
            "point_matching": [same_point(*rows) for rows in zip(keypoints, matches, scores, strict=True)]
        }


def same_point(keypoints: Tensor, matches: Tensor, scores: Tensor) -> Tensor:
    """Compute logits of `another point` and `the same point` from matches.

    Args:
        keypoints: float (2, N, 2), x and y of points of both pictures, as shares of width and height.
        matches: float (2, N), index of the matching point in the other picture; -1 for none.
        scores: float (2, N), of the matches, 0 to 1.
    """
    first = torch.nonzero(matches[0] > -1).flatten()
    partners = matches[0, first].long()
    inside = (keypoints[0, first] - 0.5).abs().amax(-1) <= MIDDLE
    inside &= (keypoints[1, partners] - 0.5).abs().amax(-1) <= MIDDLE
    wrong = torch.prod(1 - scores[0, first[inside]].clamp(0, _SUREST))
    share = (1 - wrong).clamp(1 - _SUREST, _SUREST)
    return torch.stack([(1 - share).log(), share.log()])


def open_matching(model: Model, files: Files, place: Place) -> Matching:
    """Open a model that matches keypoints.

    Raises:
        InvalidInputError: there is no adapter for the model's class.
        BankFormatError: the model is damaged, or not the one that the catalogue describes.
    """
    return Matching(load_model(model, files, CLASSES), load_processor(model, files), place)
