"""Materials by formula: in range, with the contrast asked for, calm from far away."""

from dataclasses import replace

import pytest
import torch
from training.rooms.scene import Surface
from training.rooms.surfaces.patterns import pattern

from toy_spots import spots

EVEN = (Surface.GLASS, Surface.MIRROR, Surface.GLOW, Surface.VIEW)


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
@pytest.mark.parametrize("surface", Surface)
def test_every_surface_has_albedos_in_range_and_contrast(surface: Surface, seed: int) -> None:
    """But for panes, views out of them, mirrors and lamps, which are even; relief stays within centimetres."""
    albedo, height = pattern(surface, spots(extent=0.4, seed=seed))
    assert torch.isfinite(albedo).all()
    assert (albedo >= 0).all()
    assert (albedo <= 1).all()
    assert (albedo.std(0).mean() > 0.002) == (surface not in EVEN)
    assert height.abs().max() < 0.05


@pytest.mark.parametrize("surface", [s for s in Surface if s not in (*EVEN, Surface.PICTURE, Surface.BOOK)])
def test_from_far_away_patterns_are_calm(surface: Surface) -> None:
    """Pixels of 5 m show the mean of fine patterns, not a random part of them."""
    near = pattern(surface, spots(extent=0.2))[0]
    far = pattern(surface, spots(extent=300.0, footprint=5.0))[0]
    assert far.std(0).mean() < 0.6 * near.std(0).mean() + 0.005


def test_seeds_change_pictures() -> None:
    """And nothing else does."""
    one, two, again = (pattern(Surface.PICTURE, spots(seed=seed))[0] for seed in (1, 2, 1))
    assert (one - two).abs().mean() > 0.05
    assert torch.equal(one, again)


def test_tiles_are_as_large_as_their_scale() -> None:
    """Joints lie at whole multiples of it."""
    row = spots(side=400, strength=0.0)
    albedo, height = pattern(Surface.TILES, row)
    line = height.reshape(400, 400)[130]
    joints = row.u[:400][line < -0.0005]
    assert len(joints) > 5
    assert (joints / 0.2 - (joints / 0.2).round()).abs().max() < 0.05
    assert torch.allclose(albedo.reshape(400, 400, 3)[130][line == 0], torch.tensor([0.6, 0.4, 0.3]))


def test_without_strength_wood_has_one_colour() -> None:
    """That of the material."""
    albedo, _ = pattern(Surface.WOOD, spots(strength=0.0))
    assert torch.allclose(albedo, torch.tensor([0.6, 0.4, 0.3]))


def test_the_grain_of_wood_runs_along_the_longer_side() -> None:
    """Colours change faster across it."""
    for wide, high, along in ((1.0, 0.1, 1), (0.1, 1.0, 0)):
        face = replace(spots(), wide=torch.full((9216,), wide), high=torch.full((9216,), high))
        grey = pattern(Surface.WOOD, face)[0].mean(1).reshape(96, 96)
        assert grey.diff(dim=along).abs().mean() < 0.6 * grey.diff(dim=1 - along).abs().mean()


def test_some_of_the_points_look_as_they_do_among_all() -> None:
    """Patterns look at every point by itself."""
    rows = torch.arange(0, 9216, 7)
    for surface in Surface:
        whole, part = pattern(surface, spots())[0][rows], pattern(surface, spots()[rows])[0]
        assert torch.allclose(whole, part, atol=1e-5)
