"""Inputs of networks: lightness, a hole, shuffled tiles."""

from __future__ import annotations

import numpy as np
import torch

from taskbank.constants import class_names, colour_bins, jigsaw_permutations
from taskbank.images.reading import read_photo
from taskbank.inference.preprocess import (
    InputKind,
    as_input,
    encoder_input_kind,
    hole,
    input_kind,
    preprocess,
)
from taskbank.tasks.registry import TASKS


def nine_greys(side: int = 90) -> np.ndarray:
    """A photo whose 3 x 3 cells are of the greys 0, 25, ... 200."""
    cells = np.arange(0, 225, 25, dtype=np.uint8).reshape(3, 3)
    return np.kron(cells, np.ones((side // 3, side // 3), np.uint8))


def test_tiles_lie_in_the_order_of_the_permutation() -> None:
    """Place i shows the photo's tile p[i]."""
    preprocessed = preprocess(read_photo(nine_greys()), "crop", 64, tiles=True)
    assert preprocessed.tiles is not None
    assert preprocessed.order is not None
    assert preprocessed.tiles.shape == (9, 3, 64, 64)
    shown = (preprocessed.tiles[:, 0, 32, 32] + 1) / 2 * 255 / 25
    assert shown.round().int().tolist() == jigsaw_permutations()[preprocessed.order].tolist()


def test_the_order_of_tiles_depends_on_the_photo_alone() -> None:
    """So a prediction can be repeated."""
    first, again = (preprocess(read_photo(nine_greys()), "crop", 64, tiles=True) for _ in range(2))
    assert first.order == again.order
    orders = {
        preprocess(read_photo(np.full((9, 9), v, np.uint8)), "crop", 64, tiles=True).order for v in range(9)
    }
    assert len(orders) > 5


def test_lightness_is_without_colour() -> None:
    """White is 1, black is -1, red and green differ in brightness only."""
    squares = torch.tensor([[1.0, 1, 1], [-1, -1, -1], [1, -1, -1]])[..., None, None].expand(3, 3, 16, 16)
    light = as_input(squares, InputKind.LIGHTNESS)
    assert light.shape == squares.shape
    assert torch.allclose(light[:, 0, 0, 0], torch.tensor([1, -1, 0.0648]), atol=1e-3)
    assert torch.equal(light[:, 0], light[:, 2])
    assert as_input(squares, InputKind.LIGHTNESS, channels=1).shape == (3, 1, 16, 16)


def test_the_hole_is_the_middle_half() -> None:
    """Rows and columns 64 to 191 of 256; the given squares stay whole."""
    squares = torch.ones(2, 3, 256, 256)
    left = as_input(squares, InputKind.HOLE)
    assert hole(256, 256) == (64, 64, 192, 192)
    assert hole(256, 400) == (64, 136, 192, 264)
    assert left[..., 64:192, 64:192].abs().max() == 0
    assert int((left == 0).sum()) == 2 * 3 * 128 * 128
    assert squares.min() == 1


def test_encoders_see_the_photo() -> None:
    """Holes and tiles are for predictions."""
    shown = {
        task.name: input_kind(task) for task in TASKS.values() if input_kind(task) is not InputKind.WHOLE
    }
    assert shown == {
        "colorization": InputKind.LIGHTNESS,
        "inpainting": InputKind.HOLE,
        "jigsaw": InputKind.TILES,
    }
    assert encoder_input_kind(TASKS["jigsaw"]) is encoder_input_kind(TASKS["inpainting"]) is InputKind.WHOLE
    assert encoder_input_kind(TASKS["colorization"]) is InputKind.LIGHTNESS


def test_constants_fit_the_registry() -> None:
    """As many as the networks have channels, in range and without repetition."""
    assert colour_bins().shape == (TASKS["colorization"].channels, 2)
    assert len(np.unique(colour_bins(), axis=0)) == 313
    permutations = jigsaw_permutations()
    assert permutations.shape == (TASKS["jigsaw"].channels, 9)
    assert (np.sort(permutations, axis=1) == np.arange(9)).all()
    for task in ("class_object", "class_scene", "segment_semantic"):
        names = class_names(task)
        assert names is not None
        assert len(set(names)) >= TASKS[task].channels - 2  # ImageNet has two cranes and two maillots
        assert len(names) == TASKS[task].channels
    assert class_names("class_scene")[11] == "booth (indoor)"  # type: ignore[index]
    assert class_names("normal") is None
