"""Labels computed from each pixel's surface point: both depths, normals, reshading.

Camera frames are those of `taskbank.geometry`: +x right, +y up, looking along -z.
"""

from __future__ import annotations

import torch
from torch import Tensor

_ENERGY = 2.5
_HALF_DISTANCE = 8.0  # metres squared, see `reshading`
_ALBEDO = 0.8 * 0.8  # colour and intensity


def to_camera(points: Tensor, location: Tensor, rotation: Tensor) -> Tensor:
    """Transform world points to camera frames.

    Args:
        points: float (F, ..., 3), metres.
        location: float (F, 3), metres.
        rotation: float (F, 3, 3), camera to world.

    Returns:
        float (F, ..., 3), metres.
    """
    lead = (len(points),) + (1,) * (points.dim() - 2)
    return turned_to_camera(points - location.reshape(*lead, 3), rotation)


def turned_to_camera(vectors: Tensor, rotation: Tensor) -> Tensor:
    """Rotate world directions (F, ..., 3) to camera frames; rotations (F, 3, 3) are camera to world."""
    return torch.einsum("f...i,fij->f...j", vectors, rotation)


def depth_zbuffer(in_camera: Tensor) -> Tensor:
    """Compute the distance along the optical axis.

    Args:
        in_camera: float (F, H, W, 3), surface points in the camera frame, metres.

    Returns:
        float (F, H, W), metres.
    """
    return -in_camera[..., 2]


def depth_euclidean(in_camera: Tensor) -> Tensor:
    """Compute the distance along the ray in metres; shapes as for `depth_zbuffer`."""
    distance: Tensor = torch.linalg.vector_norm(in_camera, dim=-1)
    return distance


def normal(normals: Tensor, rotation: Tensor) -> Tensor:
    """Rotate normals to the frame of the dataset's files: x right, y down, z into the scene.

    Args:
        normals: float (F, H, W, 3), unit vectors in the world that face the viewer.
        rotation: float (F, 3, 3), camera to world.

    Returns:
        float (F, H, W, 3); a wall straight ahead has (0, 0, -1).
    """
    return turned_to_camera(normals, rotation) * normals.new_tensor([1.0, -1.0, -1.0])


def reshading(in_camera: Tensor, normals: Tensor) -> Tensor:
    """Compute the brightness of the untextured scene with a lamp at the camera.

    Lambert's law with albedo 0.64 (Blender's default material, 0.8 of colour 0.8), no tone curve, and the
    fall-off that Blender's renderer of that time called inverse square: energy D / (D + d^2) at d metres,
    with energy 2.5 and D = 8. A wall straight ahead is white up to 2.2 m.

    Args:
        in_camera: float (F, H, W, 3), surface points in the camera frame, metres.
        normals: float (F, H, W, 3), unit vectors as `normal` gives them.

    Returns:
        float (F, H, W) in [0, 1].
    """
    square = in_camera.square().sum(-1)
    to_lamp = -in_camera / square.clamp(min=1e-12).sqrt()[..., None]
    upright = normals * normals.new_tensor([1.0, -1.0, -1.0])
    facing = (upright * to_lamp).sum(-1).clamp(min=0)
    return (_ALBEDO * _ENERGY * _HALF_DISTANCE / (_HALF_DISTANCE + square) * facing).clamp(max=1)
