"""Point matching of two pictures by models that match many points."""

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
"""Of a side: points are in the middle of a picture if they are no farther from it, across and down."""
_SUREST = 1 - 1e-4


class Matching:
    """Matches between the middles of two pictures.

    A match that leads from the middle of the first picture to that of the second, with score s, is right with
    probability s; the answer is the probability that one at least is right: 1 - (1 - s1) (1 - s2) ...

    Args:
        network: of transformers.
        processor: of the same repository, for pairs.
        place: where it runs.
    """

    def __init__(self, network: Any, processor: Any, place: Place) -> None:
        self.network = place.put(network)
        self.processor = processor
        self.place = place

    def predict(self, pictures: Pictures) -> Mapping[str, list[Tensor]]:
        """Logits of `another point` and `the same point` for each pair."""
        pairs = self.processor(images=[list(pair) for pair in pictures], return_tensors="pt")["pixel_values"]
        given = self.network(pixel_values=pairs.to(self.place.device, self.place.dtype))
        keypoints, matches, scores = (
            values.float().cpu() for values in (given.keypoints, given.matches, given.matching_scores)
        )
        return {
            "point_matching": [same_point(*rows) for rows in zip(keypoints, matches, scores, strict=True)]
        }


def same_point(keypoints: Tensor, matches: Tensor, scores: Tensor) -> Tensor:
    """Logits of `another point` and `the same point`.

    Args:
        keypoints: float (2, N, 2), x and y of points of both pictures, as shares of width and height.
        matches: float (2, N), number of the partner of each point; -1 where it has none.
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
    """Open a model that matches points.

    Raises:
        InvalidInputError: no adapter for its class.
        BankFormatError: it is damaged, or another than the catalogue says.
    """
    return Matching(load_model(model, files, CLASSES), load_processor(model, files), place)
