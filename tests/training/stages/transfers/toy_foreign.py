"""Encoders of timm whose answer is known: one sees the picture, the other is blind."""

from __future__ import annotations

from pathlib import Path

import timm
import torch
from safetensors.torch import save_file

SEEING, BLIND = "timm:test_convnext@0#seeing#32px", "timm:test_convnext@0#blind#32px"
"""Names of the two as sources; their features have 24 channels."""

OTHERS = (
    "timm:test_vit@1?weights=random&size=32",
    "timm:test_resnet@2?weights=random&size=64",
    "timm:vit_pwee_patch16_reg1_gap_256@3?weights=random&size=48",  # with a register token
)
"""Further encoders with random weights, of other sizes, channels and grids."""


def save_encoders(folder: Path) -> tuple[str, ...]:
    """Write the weights of both; return the names that open them."""
    folder.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        state = timm.create_model("test_convnext", num_classes=0).state_dict()
    save_file(state, folder / "seeing.safetensors")
    save_file(
        {**state, "stem.0.weight": torch.zeros_like(state["stem.0.weight"])}, folder / "blind.safetensors"
    )
    return tuple(
        f"timm:test_convnext@0?weights={folder / f'{name}.safetensors'}&size=32"
        for name in ("blind", "seeing")
    )
