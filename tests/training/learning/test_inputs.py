import numpy as np
import pytest
import torch
from torch import Tensor
from training.learning.draws import seeds_of
from training.learning.inputs import (
    as_unit,
    encoder_input,
    jigsaw_orders,
    network_input,
    resized,
    shuffled_tiles,
)

from taskbank.constants import jigsaw_permutations
from taskbank.images.reading import read_photo
from taskbank.inference.preprocess import as_input as as_input_in_taskbank
from taskbank.inference.preprocess import input_kind, preprocess
from taskbank.tasks.registry import TASKS, find_task

SEEDS = seeds_of(torch.arange(4), 0)


@pytest.fixture
def rgb() -> Tensor:
    smooth = torch.rand(4, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    return (resized(smooth, 48) * 255).to(torch.uint8)


def test_most_networks_are_shown_the_picture_itself(rgb: Tensor) -> None:
    shown = network_input(find_task("normal"), rgb, SEEDS)
    assert shown.dtype == torch.float32
    assert torch.allclose(shown, rgb / 127.5 - 1, atol=1e-6)


def test_bytes_and_shares_are_the_same_picture(rgb: Tensor) -> None:
    task = find_task("colorization")
    assert torch.equal(network_input(task, rgb, SEEDS), network_input(task, rgb / 255, SEEDS))


@pytest.mark.parametrize("name", ["colorization", "inpainting", "normal", "room_layout"])
def test_inputs_are_those_of_prediction(rgb: Tensor, name: str) -> None:
    task = find_task(name)
    wanted = as_input_in_taskbank(as_unit(rgb) * 2 - 1, input_kind(task))
    assert torch.equal(network_input(task, rgb, SEEDS), wanted)


def test_tuples_of_images_are_shown_one_by_one(rgb: Tensor) -> None:
    pairs = rgb.reshape(2, 2, 3, 48, 48)
    shown = network_input(find_task("fixated_pose"), pairs, SEEDS[:2])
    assert torch.equal(shown.reshape(4, 3, 48, 48), network_input(find_task("normal"), rgb, SEEDS))


def test_denoising_adds_noise_of_a_tenth_within_the_range() -> None:
    grey = torch.full((4, 3, 64, 64), 0.5)
    shown = network_input(find_task("denoising"), grey, SEEDS)
    noise = (shown + 1) / 2 - 0.5
    assert float(noise.std()) == pytest.approx(0.1, abs=0.002)
    black = network_input(find_task("denoising"), torch.zeros(1, 3, 64, 64), SEEDS[:1])
    assert black.min() == -1
    assert float((black == -1).float().mean()) == pytest.approx(0.5, abs=0.02)


def test_a_samples_noise_is_its_own(rgb: Tensor) -> None:
    task = find_task("denoising")
    assert torch.equal(network_input(task, rgb[2:], SEEDS[2:]), network_input(task, rgb, SEEDS)[2:])


def test_tiles_in_the_middle_of_their_cells_are_those_of_prediction(
    rgb: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "training.learning.inputs.uniform", lambda seeds, count, _: torch.full((len(seeds), count), 0.5)
    )
    seeds = SEEDS[:1]
    tiles = shuffled_tiles(as_unit(rgb[:1]), seeds)[0] * 2 - 1
    preprocessed = preprocess(read_photo(rgb[0].permute(1, 2, 0).numpy()), "crop", 48, tiles=True)
    assert preprocessed.tiles is not None
    assert preprocessed.order is not None
    orders = jigsaw_permutations()
    ours, theirs = (np.argsort(orders[order]) for order in (int(jigsaw_orders(seeds)[0]), preprocessed.order))
    difference = (tiles[ours] - preprocessed.tiles[theirs]).abs()
    assert difference.mean() < 0.01  # theirs are cut from cells of whole pixels


def test_tiles_lie_in_the_order_that_is_the_label() -> None:
    cells = torch.arange(9.0).reshape(3, 3) / 10
    picture = cells.repeat_interleave(16, 0).repeat_interleave(16, 1).expand(4, 3, 48, 48)
    tiles = shuffled_tiles(picture, SEEDS)
    assert tiles.shape == (4, 9, 3, 48, 48)
    found = (tiles[:, :, 0, 24, 24] * 10).round().long()
    assert np.array_equal(found.numpy(), jigsaw_permutations()[jigsaw_orders(SEEDS).numpy()])


def test_tiles_never_show_another_cell() -> None:
    cells = torch.arange(9.0).reshape(3, 3) / 10
    picture = cells.repeat_interleave(20, 0).repeat_interleave(20, 1).expand(4, 3, 60, 60)
    for seed in range(3):
        tiles = shuffled_tiles(picture, seeds_of(torch.arange(4), seed))
        inside = tiles[..., 2:-2, 2:-2]
        assert torch.allclose(inside, inside[..., :1, :1].expand_as(inside), atol=1e-6)


def test_tiles_are_cut_at_different_places(rgb: Tensor) -> None:
    same = as_unit(rgb[:1]).expand(2, -1, -1, -1)
    places = [shuffled_tiles(same, seeds_of(torch.tensor([key, key]), 0))[0] for key in (0, 1)]
    orders = [jigsaw_orders(seeds_of(torch.tensor([key]), 0))[0] for key in (0, 1)]
    sorted_tiles = [
        tiles[np.argsort(jigsaw_permutations()[order])] for tiles, order in zip(places, orders, strict=True)
    ]
    assert (sorted_tiles[0] - sorted_tiles[1]).abs().max() > 0.005


def test_all_permutations_are_asked_for() -> None:
    orders = jigsaw_orders(seeds_of(torch.arange(3000), 0))
    assert set(orders.tolist()) == set(range(100))


def test_encoders_as_sources_see_whole_pictures(rgb: Tensor) -> None:
    whole = network_input(find_task("normal"), rgb, SEEDS)
    for task in TASKS.values():
        shown = encoder_input(task, rgb)
        if task.name == "colorization":
            assert torch.equal(shown, network_input(task, rgb, SEEDS))
        else:
            assert torch.equal(shown, whole)


def test_resizing_keeps_means_and_leading_axes() -> None:
    maps = torch.rand(2, 5, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    small = resized(maps, 16)
    assert small.shape == (2, 5, 3, 16, 16)
    assert torch.allclose(small.mean((-2, -1)), maps.mean((-2, -1)), atol=0.02)
    assert resized(maps, 32) is maps
    assert resized(maps, None) is maps
