import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from skimage import data as photographs
from tests.training.toy_store import toy_store
from torch import Tensor
from training.data.frames import CAMERA
from training.data.poses import relative_poses, room_layouts, vanishing_points
from training.learning.augmentation import (
    SHIFTED,
    UNTOUCHED,
    UNZOOMED,
    Crop,
    crop_of,
    drawn_mirror,
    drawn_shift,
    drawn_zoom,
    mirrored,
    zoomed,
)
from training.learning.batches import load_batch
from training.learning.draws import seeds_of
from training.learning.photometry import photometric
from training.learning.samples import samples_of

from taskbank.geometry import euler_angles, rotation
from taskbank.labels.codes import decode
from taskbank.tasks.registry import TASKS, find_task

SEEDS = seeds_of(torch.arange(2), 0)
YES = torch.tensor([True])


def cameras(count: int) -> NDArray[np.void]:
    """Cameras in boxes, looking anywhere but straight up."""
    draw = np.random.default_rng(0)
    made = np.zeros(count, CAMERA)
    made["location"] = draw.normal(0, 2, (count, 3))
    made["angles"] = np.stack(
        [draw.uniform(0.8, 2.2, count), draw.normal(0, 0.05, count), draw.uniform(-3, 3, count)], 1
    )
    made["box"][:, 0] = made["location"] - draw.uniform(1, 3, (count, 3))
    made["box"][:, 1] = made["location"] + draw.uniform(1, 3, (count, 3))
    return made


def in_a_mirror(made: NDArray[np.void]) -> NDArray[np.void]:
    """The cameras of a world with y turned round, whose pictures are exchanged left and right."""
    other = made.copy()
    world, left_right = np.diag([1.0, -1, 1]), np.diag([-1.0, 1, 1])
    other["location"] = made["location"] @ world
    other["angles"] = euler_angles(world @ rotation(made["angles"]) @ left_right)
    other["box"] = np.sort(made["box"] @ world, axis=1)
    return other


def as_tensor(numbers: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(numbers)


def same_angles(first: Tensor, second: Tensor) -> bool:
    return bool(torch.cos(first - second).min() > 1 - 1e-9)


def test_mirrored_layouts_are_those_of_a_mirrored_world() -> None:
    made = cameras(50)
    found = mirrored({"room_layout": as_tensor(room_layouts(made))}, torch.ones(50, dtype=torch.bool))[
        "room_layout"
    ]
    wanted = as_tensor(room_layouts(in_a_mirror(made)))
    assert torch.allclose(found[:, :3], wanted[:, :3])
    assert torch.allclose(found[:, 6:], wanted[:, 6:])
    assert same_angles(found[:, 3:6], wanted[:, 3:6])
    assert found[:, 5].abs().max() <= math.pi


def test_mirrored_vanishing_points_are_those_of_a_mirrored_world() -> None:
    made = cameras(50)
    raw = {"vanishing_point": as_tensor(vanishing_points(made))}
    found = mirrored(raw, torch.ones(50, dtype=torch.bool))["vanishing_point"]
    assert torch.allclose(found, as_tensor(vanishing_points(in_a_mirror(made))))
    assert torch.allclose(torch.linalg.det(found.reshape(-1, 3, 3)), torch.ones(50, dtype=torch.float64))


@pytest.mark.parametrize("name", ["fixated_pose", "nonfixated_pose", "egomotion"])
def test_mirrored_poses_are_those_of_a_mirrored_world(name: str) -> None:
    made = cameras(60).reshape(20, 3)
    pairs = ((0, 1), (0, 2), (1, 2))[: 3 if name == "egomotion" else 1]

    def poses(given: NDArray[np.void]) -> Tensor:
        return as_tensor(np.concatenate([relative_poses(given[:, i], given[:, j]) for i, j in pairs], axis=1))

    found = mirrored({name: poses(made)}, torch.ones(20, dtype=torch.bool))[name]
    wanted = poses(in_a_mirror(made.reshape(-1)).reshape(20, 3))
    assert torch.allclose(found, wanted)


def test_mirrored_normals_point_the_other_way_across() -> None:
    codes = torch.randint(0, 256, (1, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    codes[0, :, 0, 0] = 127
    found = decode("normal", mirrored({"normal": codes}, YES)["normal"].movedim(1, -1))
    wanted = decode("normal", codes.movedim(1, -1)).flip(2) * torch.tensor([-1, 1, 1])
    assert torch.equal(found.isnan(), wanted.isnan())
    assert (found - wanted).abs().nan_to_num(0).max() < 0.05


def test_mirroring_maps_exchanges_columns_and_twice_is_nothing() -> None:
    raw = {
        "rgb": torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8),
        "depth_zbuffer": torch.randint(0, 65536, (2, 8, 8), dtype=torch.int32),
        "class_scene": torch.tensor([3, 4]),
        "point_matching": torch.tensor([0, 1]),
    }
    once = mirrored(raw, torch.tensor([True, False]))
    for name in ("rgb", "depth_zbuffer"):
        assert torch.equal(once[name][0], raw[name][0].flip(-1))
        assert torch.equal(once[name][1], raw[name][1])
    assert torch.equal(once["class_scene"], raw["class_scene"])
    twice = mirrored(once, torch.tensor([True, False]))
    assert all(torch.equal(twice[name], raw[name]) for name in raw)


def test_probabilities_of_classes_are_not_mirrored() -> None:
    raw = {"class_scene": torch.rand(1, 63)}
    assert torch.equal(mirrored(raw, YES)["class_scene"], raw["class_scene"])


def test_tuples_are_mirrored_together() -> None:
    rgb = torch.randint(0, 256, (2, 3, 3, 8, 8), dtype=torch.uint8)
    found = mirrored({"rgb": rgb}, torch.tensor([False, True]))["rgb"]
    assert torch.equal(found[0], rgb[0])
    assert torch.equal(found[1], rgb[1].flip(-1))


def test_about_half_of_the_samples_are_mirrored() -> None:
    assert float(drawn_mirror(seeds_of(torch.arange(4000), 0)).float().mean()) == pytest.approx(0.5, abs=0.03)


def test_zooming_by_half_shows_the_middle_twice_as_large() -> None:
    codes = torch.arange(64, dtype=torch.int32).reshape(1, 8, 8)
    found = zoomed({"reshading": codes}, torch.tensor([0.5]))["reshading"]
    wanted = codes[:, 2:6, 2:6].repeat_interleave(2, 1).repeat_interleave(2, 2)
    assert torch.equal(found, wanted)
    normals = codes.to(torch.uint8)[:, None].expand(1, 3, 8, 8)
    assert torch.equal(
        zoomed({"normal": normals}, torch.tensor([0.5]))["normal"][:, 1], wanted.to(torch.uint8)
    )


@pytest.mark.parametrize("domain", ["depth_zbuffer", "depth_euclidean"])
def test_a_zoomed_plane_is_as_near_as_it_looks(domain: str) -> None:
    """A wall 4 m away, of which six tenths are shown enlarged, looks like one that is 2.4 m away."""
    wall = torch.full((1, 64, 64), 4 * 512, dtype=torch.int32)
    found = zoomed({domain: wall}, torch.tensor([0.6]))[domain]
    assert (found / 512 - 2.4).abs().max() < 0.002


def test_zooming_does_not_bend_a_plane() -> None:
    """A slanted plane z = 2 + 0.5 x, seen through pinholes of two focal lengths, computed for each."""

    def depth(tangent: float) -> Tensor:
        across = (torch.arange(64) + 0.5) / 32 - 1
        return (2 / (1 - 0.5 * tangent * across)).expand(1, 64, 64)

    found = zoomed({"depth_zbuffer": (depth(0.8) * 512).to(torch.int32)}, torch.tensor([0.6]))[
        "depth_zbuffer"
    ]
    assert (found / 512 - 0.6 * depth(0.48)).abs().max() < 0.02


def test_unknown_depths_stay_unknown_in_zoomed_frames() -> None:
    codes = torch.full((2, 8, 8), 2**16 - 1, dtype=torch.int32)
    assert torch.equal(zoomed({"depth_zbuffer": codes}, torch.tensor([0.5, 0.9]))["depth_zbuffer"], codes)


def test_zoomed_pictures_and_labels_stay_on_each_other() -> None:
    ramp = torch.linspace(0, 250, 64).round()
    rgb = ramp.expand(1, 3, 64, 64).to(torch.uint8)
    found = zoomed(
        {"rgb": rgb, "reshading": rgb[:, 0], "class_scene": torch.tensor([1])}, torch.tensor([0.7])
    )
    assert (found["rgb"][:, 0].int() - found["reshading"].int()).abs().max() <= 3
    assert found["rgb"].dtype == torch.uint8
    assert found["class_scene"].tolist() == [1]


def test_a_whole_frame_is_not_changed_by_zooming() -> None:
    raw = {"rgb": torch.randint(0, 256, (1, 2, 3, 8, 8), dtype=torch.uint8), "normal": torch.rand(1, 3, 8, 8)}
    found = zoomed(raw, torch.ones(1))
    assert all(torch.equal(found[name], raw[name]) for name in raw)


def test_shifted_parts_lie_within_the_frame() -> None:
    seeds = seeds_of(torch.arange(1000), 0)
    shares = drawn_zoom(seeds, 0.6)
    shifts = drawn_shift(seeds, shares)
    assert shifts.shape == (1000, 2)
    assert (shifts.abs() + shares[:, None] <= 1 + 1e-6).all()
    assert shifts.mean(0).abs().max() < 0.02
    assert shifts.std(0).min() > 0.1


def test_a_shifted_part_is_the_corner_it_was_shifted_to() -> None:
    raw = {"rgb": torch.arange(64, dtype=torch.uint8).reshape(1, 1, 8, 8).expand(1, 3, 8, 8)}
    raw["segment_semantic"] = raw["rgb"][:, 0]
    found = zoomed(raw, torch.tensor([0.5]), torch.tensor([[0.5, -0.5]]))  # to the right, up
    wanted = raw["segment_semantic"][:, :4, 4:].repeat_interleave(2, 1).repeat_interleave(2, 2)
    assert torch.equal(found["segment_semantic"], wanted)
    assert (found["rgb"][:, 0].int() - wanted.int()).abs().max() <= 4


def test_whole_frames_middles_and_parts_are_shown_to_the_tasks_they_are_right_for() -> None:
    assert crop_of("keypoints3d") is Crop.WHOLE
    assert crop_of("normal") is Crop.MIDDLE
    assert crop_of("depth_zbuffer") is Crop.PART


def test_zooms_are_between_the_least_and_all() -> None:
    shares = drawn_zoom(seeds_of(torch.arange(1000), 0), 0.6)
    assert 0.6 <= shares.min() < 0.62
    assert 0.98 < shares.max() <= 1


def test_tasks_that_are_left_out_are_tasks() -> None:
    assert set(TASKS) >= UNZOOMED > UNTOUCHED
    assert set(TASKS) >= SHIFTED
    assert not SHIFTED & UNZOOMED


def photos() -> Tensor:
    astronaut: NDArray[np.uint8] = photographs.astronaut()  # type: ignore[no-untyped-call]
    picture = torch.from_numpy(astronaut[::8, ::8].copy()).permute(2, 0, 1) / 255
    return picture.expand(64, -1, -1, -1)


def test_pictures_are_varied_strongly_and_stay_pictures() -> None:
    varied = photometric(photos(), seeds_of(torch.arange(64), 0))
    assert varied.min() >= 0
    assert varied.max() <= 1
    brightness = varied.mean((1, 2, 3))
    assert brightness.max() - brightness.min() > 0.3
    grey = (varied.amax(1) - varied.amin(1)).amax((1, 2)) < 0.3
    assert 0 < grey.sum() < 40


def test_variations_follow_from_the_samples_seed_alone() -> None:
    seeds = seeds_of(torch.arange(64), 0)
    varied = photometric(photos(), seeds)
    assert torch.allclose(photometric(photos()[:2], seeds[10:12]), varied[10:12], atol=1e-6)
    assert (varied[0] - varied[1]).abs().max() > 0.05


def test_edges_of_varied_pictures_stay_where_they_are() -> None:
    step = torch.zeros(32, 3, 32, 32)
    step[..., 16:] = 0.8
    varied = photometric(step, seeds_of(torch.arange(32), 0)).mean(1)
    assert (varied[..., 20:].mean((1, 2)) > varied[..., :12].mean((1, 2))).all()
    assert (varied.mean(1).diff(dim=1)[:, 2:-2].argmax(1) - 13).abs().max() <= 2


def test_images_of_a_tuple_vary_independently() -> None:
    varied = photometric(photos()[:6].reshape(2, 3, 3, 64, 64), SEEDS)
    assert varied.shape == (2, 3, 3, 64, 64)
    assert (varied[0, 0] - varied[0, 1]).abs().max() > 0.05


def test_mirrored_frames_of_a_store_keep_all_their_labels(tmp_path_factory: pytest.TempPathFactory) -> None:
    store = toy_store(tmp_path_factory.mktemp("store"), rooms=2)
    for name in ("normal", "curvature", "room_layout", "egomotion", "point_matching"):
        task = find_task(name)
        raw = load_batch(store, task, samples_of(task, store, 0), [0, 1])
        found = mirrored(raw, torch.ones(2, dtype=torch.bool))
        assert {key: value.shape for key, value in found.items()} == {
            key: value.shape for key, value in raw.items()
        }
        assert {key: value.dtype for key, value in found.items()} == {
            key: value.dtype for key, value in raw.items()
        }
