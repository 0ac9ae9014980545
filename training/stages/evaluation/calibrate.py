"""Removal of the loss's class weights from the logits of finished networks.

Semantic labels are learned with higher weights for rare classes, so the logits of a network overrate rare
classes by the logarithms of these weights. Without them, predicted classes are as frequent as in the training
frames (Menon et al., "Long-tail learning via logit adjustment", ICLR 2021, arXiv:2007.07314, section 3).
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from taskbank.tasks.registry import Task


def network_class_weights(networks: Path, task: Task) -> list[float] | None:
    """Read the class weights with which a network of stage 1 was trained; None for tasks without weights.

    Args:
        networks: folder of stage 1.
        task: task of the network.
    """
    about = json.loads((networks / f"{task.name}.json").read_text(encoding="utf-8"))
    weights: list[float] | None = about.get("class_weights")
    return weights


def take_out_class_weights(network: nn.Module, weights: Sequence[float] | None, share: float) -> None:
    """Subtract the logarithms of class weights from a network's logits, in place.

    Args:
        network: network that ends with a convolution for its logits, which are then only resized.
        weights: one weight per class; None leaves the network unchanged.
        share: share of the logarithms to subtract, 0 to 1.
    """
    if weights is None:
        return
    output = [module for module in network.modules() if isinstance(module, nn.Conv2d)][-1]
    if output.bias is None or len(output.bias) != len(weights):
        raise ValueError(f"the last layer has no bias for each of {len(weights)} classes")
    with torch.no_grad():
        output.bias -= share * output.bias.new_tensor([math.log(weight) for weight in weights])
