"""Decoding: perfect network outputs come back as the values they stand for."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from taskbank.constants import jigsaw_permutations
from taskbank.images.reading import read_photo
from taskbank.inference.decode import Reading, decode
from taskbank.inference.preprocess import Preprocessed, preprocess
from taskbank.inference.results import Decoded
from taskbank.inference.whitening import whiten
from taskbank.options import Axes, Frame
from taskbank.tasks.registry import TASKS

NETWORK = Reading(frame=Frame.NETWORK)


def preprocessed(
    width: int = 60, height: int = 40, fit: str = "crop", *, tiles: bool = False
) -> Preprocessed:
    """A noisy photo, looked at with 32 px."""
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return preprocess(read_photo(noise), fit, 32, tiles=tiles)


def decoded(task: str, raw: Tensor, reading: Reading = NETWORK, seen: Preprocessed | None = None) -> Decoded:
    """The meaning of what a network said of one image."""
    return decode(TASKS[task], raw, (seen or preprocessed(),), reading)


def flat(*channels: float) -> Tensor:
    """A map of the network's size with the same numbers everywhere."""
    return torch.tensor(channels)[:, None, None].expand(-1, 32, 32).clone()


@pytest.mark.parametrize("metres", [0.0, 0.5, 3.25, 100.0])
@pytest.mark.parametrize("task", ["depth_zbuffer", "depth_euclidean"])
def test_depth_is_in_metres(task: str, metres: float) -> None:
    """The network's number is the logarithm of the 16-bit code of 1/512 m."""
    share = math.log(1 + metres * 512) / math.log(2**16)
    given = decoded(task, flat(share))
    assert given.array.shape == (32, 32)
    assert np.allclose(given.array, metres, rtol=1e-4, atol=1e-5)


def test_depth_stays_in_its_range() -> None:
    """Also where a network overshoots."""
    assert decoded("depth_zbuffer", flat(-0.3)).array.max() == 0
    assert decoded("depth_zbuffer", flat(2.0)).array.max() == pytest.approx(65535 / 512)


def test_normals_are_unit_vectors_in_either_convention() -> None:
    """A floor seen from above: up is -y for OpenCV and +y for OpenGL."""
    floor = flat(0.0, -0.5, 0.0)
    assert np.allclose(decoded("normal", floor).array, [0, -1, 0])
    opengl = Reading(frame=Frame.NETWORK, normals=Axes.OPENGL)
    assert np.allclose(decoded("normal", floor, opengl).array, [0, 1, 0])
    wall = decoded("normal", flat(0.0, 0.0, -0.9))
    assert np.allclose(wall.array, [0, 0, -1])
    assert "faces the camera has z = -1" in wall.convention


def test_a_vector_without_direction_is_nan() -> None:
    """Rather than a made-up normal."""
    assert np.isnan(decoded("normal", flat(0.0, 0.0, 0.0)).array).all()


def test_curvature_is_per_metre() -> None:
    """Code 127 on disk is flat, 0 and 254 are a radius of 3 cm."""
    codes = np.array([127.0, 254.0])
    raw = flat(*whiten("curvature", codes).tolist())
    assert np.allclose(decoded("curvature", raw).array, [0, 1 / 0.03], atol=1e-4)
    assert np.allclose(decoded("curvature", flat(-9, -9)).array, -1 / 0.03)


@pytest.mark.parametrize(
    ("task", "highest"),
    [
        ("edge_texture", 0.08),
        ("keypoints2d", 0.005),
        ("edge_occlusion", 0.00625),
        ("keypoints3d", 1.0),
        ("reshading", 1.0),
    ],
)
def test_heat_maps_are_shares_of_the_scale_on_disk(task: str, highest: float) -> None:
    """-1 is nothing, 1 is the greatest value that was learned."""
    assert decoded(task, flat(-1)).array.max() == 0
    assert np.allclose(decoded(task, flat(1)).array, highest)
    assert np.allclose(decoded(task, flat(0)).array, highest / 2)
    assert decoded(task, flat(0)).value_range == (0, highest)


@pytest.mark.parametrize("task", ["autoencoding", "denoising", "inpainting"])
def test_images_are_srgb(task: str) -> None:
    """-1 is black, 1 is white."""
    assert np.allclose(decoded(task, flat(-1, 0, 1)).array, [0, 0.5, 1])


def test_semantic_maps_hold_labels_on_disk() -> None:
    """Channel 2 (chair) is label 3; what was not seen is 0, unknown."""
    raw = flat(*[float(channel == 2) for channel in range(17)])
    assert np.unique(decoded("segment_semantic", raw).array).tolist() == [3]
    given = decoded("segment_semantic", raw, Reading(), preprocessed(60, 40)).array
    assert given.shape == (40, 60)
    assert (np.unique(given[:, :10]).tolist(), np.unique(given[:, 10:50]).tolist()) == ([0], [3])


def test_maps_lie_in_the_frame_of_the_input() -> None:
    """Size of the photo, NaN beside the crop, whole with other fits."""
    for fit, missing in {"crop": 20 * 40, "pad": 0, "stretch": 0}.items():
        given = decoded("depth_zbuffer", flat(0.5), Reading(), preprocessed(60, 40, fit))
        assert given.array.shape == (40, 60)
        assert np.isnan(given.array).sum() == missing
        assert given.frame is Frame.INPUT


def test_a_map_of_another_resolution_covers_the_same_photo() -> None:
    """Left stays left, whatever the resolution."""
    raw = torch.zeros(1, 8, 8)
    raw[..., :4] = 1
    for reading in (Reading(), NETWORK):
        array = decoded("reshading", raw, reading, preprocessed(40, 40)).array
        assert array[:, : array.shape[1] // 4].min() == 1
        assert array[:, -(array.shape[1] // 4) :].max() == 0.5


def test_embeddings_keep_the_networks_frame() -> None:
    """And their values."""
    raw = torch.randn((64, 32, 32), generator=torch.Generator().manual_seed(0))
    given = decoded("segment_unsup2d", raw, Reading())
    assert given.frame is Frame.NETWORK
    assert np.array_equal(given.array, raw.permute(1, 2, 0).numpy())


def test_colours_are_joined_with_the_lightness_of_the_photo() -> None:
    """A distribution that is sure of no colour leaves grey; another paints."""
    seen = preprocessed()
    grey_bin = int(np.abs(colour_bins_as_array()).sum(1).argmin())
    grey = torch.full((313, 8, 8), -50.0)
    grey[grey_bin] = 50
    array = decoded("colorization", grey, Reading(), seen).array
    inside = array[:, 10:50]
    assert array.shape == (40, 60, 3)
    assert np.ptp(inside, axis=-1).max() < 0.01
    assert np.isnan(array[:, :10]).all()
    red_bin = int((colour_bins_as_array() @ [1, 0.5]).argmax())
    grey[red_bin] = 200
    painted = decoded("colorization", grey, NETWORK, seen).array
    assert (painted[..., 0] >= painted[..., 1]).all()


def colour_bins_as_array() -> NDArray[np.float32]:
    """a and b of the bins."""
    from taskbank.constants import colour_bins

    return colour_bins()


def test_classes_are_probabilities() -> None:
    """They sum to one."""
    given = decoded("class_scene", torch.arange(63.0)).array
    assert given.sum() == pytest.approx(1)
    assert given.argmax() == 62


def test_a_match_is_the_probability_of_the_second_logit() -> None:
    """Class 1 of the original is "the same point"."""
    given = decode(
        TASKS["point_matching"], torch.tensor([0.0, math.log(3)]), (preprocessed(), preprocessed()), NETWORK
    )
    assert given.array.shape == ()
    assert float(given.array) == pytest.approx(0.75)


def test_a_permutation_is_the_order_of_tiles() -> None:
    """The likeliest of the hundred, next to the one that was shown."""
    logits = torch.zeros(100)
    logits[7] = 9
    seen = preprocessed(tiles=True)
    given = decode(TASKS["jigsaw"], logits, (seen,), NETWORK)
    assert given.array.tolist() == jigsaw_permutations()[7].tolist()
    assert given.details["permutation"] == 7
    assert seen.order is not None
    assert given.details["shown"] == jigsaw_permutations()[seen.order].tolist()


@pytest.mark.parametrize("task", ["room_layout", "fixated_pose", "nonfixated_pose"])
def test_whitened_numbers_come_back(task: str) -> None:
    """In metres and radians."""
    values: NDArray[Any] = np.arange(1.0, TASKS[task].channels + 1)
    raw = torch.from_numpy(whiten(task, values)).float()
    given = decode(TASKS[task], raw, (preprocessed(),) * TASKS[task].num_images, NETWORK)
    assert np.allclose(given.array, values, atol=1e-4)


def test_vanishing_points_are_unit_vectors() -> None:
    """One per row."""
    given = decoded("vanishing_point", torch.tensor([2.0, 0, 0, 0, 0.5, 0, 0, 0, -3]))
    assert np.allclose(given.array, [[1, 0, 0], [0, 1, 0], [0, 0, -1]])


def test_egomotion_holds_the_composed_pose() -> None:
    """Twice the same step along z is two steps."""
    step = [0.0, 0, 0, 0, 0, -1]
    raw = torch.from_numpy(whiten("egomotion", [*step, *step])).float()
    given = decode(TASKS["egomotion"], raw, (preprocessed(),) * 3, NETWORK).array
    assert given.shape == (3, 6)
    assert np.allclose(given[2], [0, 0, 0, 0, 0, -2], atol=1e-5)
