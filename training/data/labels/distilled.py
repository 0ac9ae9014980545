"""Labels of `class_object` predicted by a trained classifier, without annotation.

The original distilled its labels from a ResNet-152 of ImageNet in the same way (Zamir et al., CVPR 2018).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from taskbank.nets.architecture import Backbone
from taskbank.nets.build import TaskNetwork, build_network
from taskbank.tasks.registry import TASKS
from training.data.pretrained import PACKAGE, begin_from_pretrained, describe_pretrained

_AT_ONCE = 16  # pictures per batch


def class_probabilities(
    pictures: NDArray[np.uint8], model: str, source: str = PACKAGE
) -> NDArray[np.float16]:
    """Classify pictures.

    Args:
        pictures: uint8 (N, H, W, 3).
        model: name in timm of a classifier of ImageNet-1k.
        source: source of its weights, as in `training.data.pretrained.begin_from_pretrained`.

    Returns:
        float16 (N, 1000), probabilities of ImageNet's classes.

    Raises:
        DataError: the weights were not found.
        InvalidInputError: timm has no such model, or it cannot be split into levels.
    """
    network = _classifier(model, source)
    found = []
    with torch.inference_mode():
        for start in range(0, len(pictures), _AT_ONCE):
            shown = torch.from_numpy(pictures[start : start + _AT_ONCE].copy()).permute(0, 3, 1, 2)
            logits = network((shown / 127.5 - 1).contiguous(memory_format=torch.channels_last))
            found.append(logits.softmax(1).half().numpy())
    return np.concatenate(found)


def describe_classifier(model: str, source: str = PACKAGE) -> dict[str, Any]:
    """Describe the classifier of the labels for the index of a store, JSON-ready.

    Raises:
        DataError: as `class_probabilities`.
    """
    return describe_pretrained(Backbone(model=model), source)


@lru_cache(maxsize=1)
def _classifier(model: str, source: str) -> TaskNetwork:
    """Load a trained classifier; the last one is cached."""
    architecture = Backbone(model=model, shared=0, classifier=True)
    with torch.random.fork_rng(devices=[]):
        network = build_network(TASKS["class_object"], architecture)
    begin_from_pretrained(network, architecture, source)
    return network.eval()
