"""Averages over neighbours on the same surface."""

import torch
from training.rooms.smooth import WIDER, shifted, smooth_on_surfaces
from training.rooms.tracing.tiles import blocks_of_tiles, by_turn, from_turns, side_of_tiles, tiled, untiled


def plane(size: int = 16) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A floor seen from 2 m above, pixels 1 cm wide."""
    steps = torch.arange(size) / 100
    position = torch.stack([*torch.meshgrid(steps, steps, indexing="xy"), torch.zeros(size, size)], -1)[None]
    normal = torch.tensor([0.0, 0, 1]).expand(1, size, size, 3)
    return position, normal, torch.full((1, size, size), 2.0)


def test_a_pattern_of_four_disappears() -> None:
    """But at the borders, where neighbours are missing."""
    row = torch.tensor([0.0, 1, 2, 5]).repeat(4)
    values = (row[None, :] * row[:, None])[None, ..., None]
    calm = smooth_on_surfaces(values, *plane())
    assert torch.allclose(calm[0, 2:-2, 2:-2], torch.tensor(4.0))


def test_other_surfaces_stay_out() -> None:
    """A step of 10 cm, and a wall."""
    values = (torch.arange(16) < 8).float().expand(1, 16, 16)[..., None]
    position, normal, distance = plane()
    assert not torch.equal(smooth_on_surfaces(values, position, normal, distance), values)
    right = torch.arange(16) >= 8
    step, wall = position.clone(), normal.clone()
    step[..., 2] += 0.1 * right
    wall[:, :, right] = torch.tensor([1.0, 0, 0])
    for taps in (((-2, 0.25), (0, 0.5), (2, 0.25)), WIDER):
        assert torch.equal(smooth_on_surfaces(values, step, normal, distance, taps=taps), values)
        assert torch.equal(smooth_on_surfaces(values, position, wall, distance, taps=taps), values)


def test_beyond_the_border_lies_the_border() -> None:
    """Both ways, along both axes."""
    values = torch.arange(6).reshape(1, 2, 3)
    assert shifted(values, 1, 2).tolist() == [[[1, 2, 2], [4, 5, 5]]]
    assert shifted(values, -2, 2).tolist() == [[[0, 0, 0], [3, 3, 3]]]
    assert shifted(values, -1, 1).tolist() == [[[0, 1, 2], [0, 1, 2]]]


def test_tiles_hold_neighbours_and_go_back_to_pictures() -> None:
    """For sizes that 8 divides and those that it does not."""
    for size, side in ((16, 8), (20, 4), (6, 2), (7, 1)):
        maps = torch.arange(2 * size * size * 3).reshape(2, size, size, 3)
        assert side_of_tiles(size) == side
        tiles = tiled(maps)
        assert torch.equal(tiles[0].reshape(side, side, 3), maps[0, :side, :side])
        assert torch.equal(untiled(tiles, size), maps)


def test_groups_of_a_turn_hold_one_place_of_the_pattern_in_a_block() -> None:
    size = 64
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    assert blocks_of_tiles(size)
    groups = by_turn(tiled((y * size + x)[None]))
    assert len({tuple(group.sort().values.tolist()) for group in groups}) == len(groups) == 64
    for group in groups:
        rows, columns = group // size, group % size
        assert len(set((rows % 4).tolist())) == len(set((columns % 4).tolist())) == 1
        assert len(set((rows // 32).tolist())) == len(set((columns // 32).tolist())) == 1


def test_groups_of_turns_go_back_to_tiles() -> None:
    tiles = torch.arange(32 * 64).reshape(32, 64)
    assert torch.equal(from_turns(by_turn(tiles)), tiles)
