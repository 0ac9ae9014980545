"""Occlusion edges lie at jumps of depth alone; texture edges are smoothed Sobel magnitudes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from skimage import color, filters
from training.data.labels.edges import edge_occlusion, edge_texture
from training.rooms.scene import Shape

from toy_rooms import Builder, looking_at
from toy_views import look

FILTERS: Any = filters


def test_a_jump_of_depth_has_the_strength_of_the_original_labels() -> None:
    depth = torch.full((1, 512, 512), 2.0)
    depth[..., 256:] = 5.0

    strength = edge_occlusion(depth)

    # 16-bit labels of the dataset go up to a few thousands.
    assert strength.max().item() * 65535 == pytest.approx(3366, abs=5)
    assert strength[0, 0, 254:258].gt(0).tolist() == [False, True, True, False]


def test_depth_beyond_the_scale_of_16_bits_counts_as_its_end() -> None:
    far = torch.tensor([[100.0, 200, 400]]).expand(1, 3, 3)
    cut = torch.tensor([[100.0, 128, 128]]).expand(1, 3, 3)

    torch.testing.assert_close(edge_occlusion(far), edge_occlusion(cut))


def test_occlusion_edges_lie_only_where_depth_jumps() -> None:
    room = Builder((6, 6, 3)).add(Shape.BOX, (3, 3, 1.3), (0.4, 0.4, 0.3))
    seen = look(room.scene(), looking_at((3, 3, 1.3), (3, 0.3, 1.6)), 128)
    depth = seen.depth[0].numpy()

    edges = edge_occlusion(seen.depth)[0].numpy()

    # A jump leaves the tangent plane of both its sides; a fold and a slope do not.
    jumps = np.zeros_like(depth, dtype=bool)
    for axis in (0, 1):
        leap = np.abs(np.diff(depth, axis=axis)) > 0.3
        pad = [(0, 0), (0, 0)]
        for side in ((1, 0), (0, 1)):
            pad[axis] = side
            jumps |= np.pad(leap, pad)
    near = np.stack(
        [np.roll(jumps, move, (0, 1)) for move in [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)]]
    ).any(0)
    strong = edges > 0.005
    assert jumps.sum() > 50
    assert not (strong & ~near).any()
    assert strong[jumps].mean() > 0.99


@pytest.mark.parametrize("size", [64, 256])
def test_texture_edges_are_smoothed_sobel_magnitudes(size: int) -> None:
    rgb = torch.rand(1, size, size, 3, generator=torch.Generator().manual_seed(size))
    grey = color.rgb2gray(rgb[0].numpy())
    expected = FILTERS.sobel(FILTERS.gaussian(grey, 3 * size / 512, truncate=4.0)) * size / 512

    np.testing.assert_allclose(edge_texture(rgb)[0].numpy(), expected, atol=2e-6)


def test_a_plain_picture_has_no_texture_edges() -> None:
    assert edge_texture(torch.full((1, 32, 32, 3), 0.4)).max() < 1e-6
