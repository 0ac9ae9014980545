"""Several rooms as one set of tensors, so that their rays are cast together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.rooms.scene import Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneBatch:
    """S rooms, padded to the largest numbers of primitives (N), materials (M) and lights (L); metres, world.

    Rows are those of `Primitives`, `Materials` and `Lights` with an additional first dimension; float32 and
    int64.

    Attributes:
        valid: bool (S, N), False in padding.
        shape: int64 (S, N).
        centre: (S, N, 3).
        axes: (S, N, 3, 3), own axes as columns.
        half: (S, N, 3).
        extent: (S, N, 3), half sizes of the primitive's bounding box along the world's axes.
        detail: (S, N).
        material: int64 (S, N).
        label: int64 (S, N).
        thing: int64 (S, N).
        category: int64 (S, N).
        surface: int64 (S, M).
        colours: (S, M, 3, 3).
        scale: (S, M).
        strength: (S, M).
        roughness: (S, M).
        mirror: (S, M).
        glow: (S, M).
        pattern_seed: int64 (S, M).
        light_valid: bool (S, L).
        light_kind: int64 (S, L).
        light_centre: (S, L, 3).
        light_axes: (S, L, 3, 3).
        light_half: (S, L, 2).
        light_power: (S, L, 3).
        ambient: (S, 3).
        box: (S, 2, 3).
        radius: (S,), upper limit of the distance of primitives from the world's origin.
        scene_class: int64 (S,).
    """

    valid: Tensor
    shape: Tensor
    centre: Tensor
    axes: Tensor
    half: Tensor
    extent: Tensor
    detail: Tensor
    material: Tensor
    label: Tensor
    thing: Tensor
    category: Tensor
    surface: Tensor
    colours: Tensor
    scale: Tensor
    strength: Tensor
    roughness: Tensor
    mirror: Tensor
    glow: Tensor
    pattern_seed: Tensor
    light_valid: Tensor
    light_kind: Tensor
    light_centre: Tensor
    light_axes: Tensor
    light_half: Tensor
    light_power: Tensor
    ambient: Tensor
    box: Tensor
    radius: Tensor
    scene_class: Tensor

    @classmethod
    def of(cls, scenes: Sequence[Scene], device: torch.device | str = "cpu") -> SceneBatch:
        """Convert rooms to tensors on a device.

        Raises:
            ValueError: there are no rooms.
        """
        if not scenes:
            raise ValueError("a batch needs one scene at least, got none")

        def rows(read: Callable[[Scene], NDArray[Any]]) -> Tensor:
            """Stack the rows of several rooms, padded with zeros (False)."""
            arrays = [read(scene) for scene in scenes]
            kind = torch.bool if arrays[0].dtype == np.bool_ else torch.int64
            if np.issubdtype(arrays[0].dtype, np.floating):
                kind = torch.float32
            tensors = [torch.as_tensor(np.asarray(array)).to(kind) for array in arrays]
            if tensors[0].ndim == 0:
                return torch.stack(tensors).to(device)
            return torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True).to(device)

        axes, half = rows(lambda s: s.primitives.axes), rows(lambda s: s.primitives.half)
        centre = rows(lambda s: s.primitives.centre)
        extent = (axes.abs() * half[:, :, None, :]).sum(-1)
        valid = rows(lambda s: np.ones(len(s.primitives.shape), dtype=np.bool_))
        # Upper limits of the distances of primitives from the world's origin: float32 (S,).
        radius = torch.where(valid[..., None], centre.abs() + extent, 0.0).amax(1).square().sum(-1).sqrt()
        return cls(
            valid=valid,
            shape=rows(lambda s: s.primitives.shape),
            centre=centre,
            axes=axes,
            half=half,
            extent=extent,
            detail=rows(lambda s: s.primitives.detail),
            material=rows(lambda s: s.primitives.material),
            label=rows(lambda s: s.primitives.label),
            thing=rows(lambda s: s.primitives.thing),
            category=rows(lambda s: s.primitives.category),
            surface=rows(lambda s: s.materials.surface),
            colours=rows(lambda s: s.materials.colours),
            scale=rows(lambda s: s.materials.scale),
            strength=rows(lambda s: s.materials.strength),
            roughness=rows(lambda s: s.materials.roughness),
            mirror=rows(lambda s: s.materials.mirror),
            glow=rows(lambda s: s.materials.glow),
            pattern_seed=rows(lambda s: s.materials.seed),
            light_valid=rows(lambda s: np.ones(len(s.lights.kind), dtype=np.bool_)),
            light_kind=rows(lambda s: s.lights.kind),
            light_centre=rows(lambda s: s.lights.centre),
            light_axes=rows(lambda s: s.lights.axes),
            light_half=rows(lambda s: s.lights.half),
            light_power=rows(lambda s: s.lights.power),
            ambient=rows(lambda s: s.ambient),
            box=rows(lambda s: s.box),
            radius=radius,
            scene_class=rows(lambda s: np.asarray(s.scene_class)),
        )

    @property
    def device(self) -> torch.device:
        """Device of the tensors."""
        return self.centre.device

    def __len__(self) -> int:
        """Number of rooms."""
        return len(self.centre)
