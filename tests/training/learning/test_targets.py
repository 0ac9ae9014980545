import math
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter
from skimage.color import rgb2lab
from tests.training.toy_store import toy_store
from torch import Tensor
from training.data.frames import FrameStore
from training.data.poses import relative_poses, room_layouts
from training.errors import DataError
from training.learning.batches import BatchReader, load_batch
from training.learning.colour_targets import soft_bins
from training.learning.draws import seeds_of
from training.learning.inputs import jigsaw_orders
from training.learning.samples import samples_of
from training.learning.targets import POINTS, make_target

from taskbank.constants import colour_bins, loss_weights
from taskbank.inference.whitening import whiten
from taskbank.labels.codes import encode
from taskbank.learning.target import Target
from taskbank.tasks.registry import TASKS, find_task

SEEDS = seeds_of(torch.arange(2), 0)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FrameStore:
    return toy_store(tmp_path_factory.mktemp("store"))


def made(name: str, size: int | None = None, **raw: Tensor) -> Target:
    return make_target(find_task(name), raw, SEEDS[: len(next(iter(raw.values())))], size=size)


def full(value: float, *shape: int, dtype: torch.dtype = torch.int32) -> Tensor:
    return torch.full(shape, value, dtype=dtype)


def test_depth_is_the_logarithm_of_its_code_as_a_share() -> None:
    codes = torch.tensor([[[0, 255], [64499, 64500]]], dtype=torch.int32)
    target = made("depth_zbuffer", depth_zbuffer=codes)
    assert target.values[0, 0, 0].tolist() == pytest.approx([0, 0.5])
    assert target.weight is not None
    assert target.weight[0, 0].tolist() == [[1, 1], [1, 0]]


def test_distance_counts_only_where_both_depths_are_known() -> None:
    euclid = torch.tensor([[[100, 65535], [100, 100]]], dtype=torch.int32)
    depth = torch.tensor([[[100, 100], [65535, 100]]], dtype=torch.int32)
    target = made("depth_euclidean", depth_euclidean=euclid, depth_zbuffer=depth)
    assert target.weight is not None
    assert target.weight[0, 0].tolist() == [[1, 0], [0, 1]]


def test_normals_come_back_from_their_codes_and_grey_is_unknown() -> None:
    vectors = torch.nn.functional.normalize(
        torch.randn(1, 8, 8, 3, generator=torch.Generator().manual_seed(0)), dim=-1
    )
    codes = encode("normal", vectors).movedim(-1, 1)
    codes[0, :, 0, 0] = 127
    target = made("normal", normal=codes, depth_zbuffer=full(500, 1, 8, 8))
    assert target.weight is not None
    assert target.weight[0, 0, 0, :2].tolist() == [0, 1]
    assert torch.allclose(target.values[0, :, 1:], vectors[0].movedim(-1, 0)[:, 1:], atol=0.009)


def test_curvature_is_whitened_with_the_originals_constants() -> None:
    codes = torch.tensor([[[[127, 0]], [[120, 0]]]], dtype=torch.uint8)
    target = made("curvature", principal_curvature=codes)
    assert target.values[0, :, 0, 0].tolist() == pytest.approx(
        whiten("curvature", [127, 120]).tolist(), abs=1e-5
    )
    assert target.weight is not None
    assert target.weight[0, 0].tolist() == [[1, 0]]


@pytest.mark.parametrize(
    ("name", "code", "value"),
    [
        ("edge_texture", 0.04 * 65535, 0),
        ("edge_texture", 65535, 1),
        ("keypoints2d", 0.0025 * 65535, 0),
        ("keypoints2d", 0, -1),
        ("keypoints3d", 65535, 1),
        ("reshading", 255, 1),
    ],
)
def test_responses_fill_the_networks_range(name: str, code: float, value: float) -> None:
    dtype = torch.uint8 if name == "reshading" else torch.int32
    codes = full(round(code), 1, 4, 4, dtype=dtype)
    target = make_target(find_task(name), {name: codes}, SEEDS[:1])
    assert (target.values - value).abs().max() < 0.005


def test_occlusion_edges_are_blurred_by_four_px_of_256_and_not_clipped() -> None:
    codes = torch.randint(
        0, 3000, (1, 128, 128), generator=torch.Generator().manual_seed(0), dtype=torch.int32
    )
    wanted = gaussian_filter(codes[0].numpy() / 65535 / 0.00625 * 2 - 1, 2, mode="mirror", truncate=4)
    found = made("edge_occlusion", edge_occlusion=codes).values[0, 0].numpy()
    assert np.allclose(found, wanted, atol=1e-4)
    assert found.max() > 1


def test_pictures_are_their_own_target() -> None:
    rgb = torch.randint(0, 256, (1, 3, 8, 8), dtype=torch.uint8)
    for name in ("autoencoding", "denoising", "inpainting"):
        assert torch.allclose(made(name, rgb=rgb).values, rgb / 127.5 - 1, atol=1e-6)


def test_a_smaller_target_counts_only_what_is_known_throughout() -> None:
    codes = full(255, 1, 8, 8)
    codes[0, 0, 0] = 65535
    target = made("depth_zbuffer", 4, depth_zbuffer=codes)
    assert target.values.shape == (1, 1, 4, 4)
    assert target.weight is not None
    assert target.weight[0, 0, 0, 0] == 0
    known = target.weight[0, 0].bool()
    assert target.values[0, 0][known].tolist() == pytest.approx([0.5] * int(known.sum()))


def test_points_carry_the_segment_at_their_place() -> None:
    labels = torch.arange(64 * 64, dtype=torch.int32).reshape(1, 64, 64)
    rows, columns, segments = made("segment_unsup2d", segment_unsup2d=labels).values[0].unbind(-1)
    assert len(rows) == POINTS
    assert torch.equal(segments, rows * 64 + columns)
    assert len(set(segments.tolist())) > 250
    rows, columns, segments = made("segment_unsup2d", 32, segment_unsup2d=labels).values[0].unbind(-1)
    assert rows.max() < 32
    assert torch.equal(segments, (2 * rows + 1) * 64 + 2 * columns + 1)


def test_points_without_depth_do_not_count_in_25d_segments() -> None:
    depth = full(500, 1, 64, 64)
    depth[:, :32] = 65535
    labels = full(1, 1, 64, 64, dtype=torch.uint8)
    target = made("segment_unsup25d", segment_unsup25d=labels, depth_zbuffer=depth)
    assert target.weight is not None
    assert torch.equal(target.weight[0], (target.values[0, :, 0] >= 32).float())
    assert made("segment_unsup2d", segment_unsup2d=labels, depth_zbuffer=depth).weight is None


def test_semantic_labels_are_one_more_than_classes_and_zero_is_unknown() -> None:
    codes = torch.tensor([[[0, 1], [17, 40]]], dtype=torch.uint8)
    target = made("segment_semantic", segment_semantic=codes)
    weights = loss_weights("segment_semantic")
    assert target.values[0].tolist() == [[0, 0], [16, 0]]
    assert target.weight is not None
    assert target.weight[0].flatten().tolist() == pytest.approx([0, weights[0], weights[16], 0])


def test_soft_bins_are_those_of_brute_force() -> None:
    rgb = torch.rand(2, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    bins, shares = soft_bins(rgb)
    assert torch.allclose(shares.sum(1), torch.ones(2, 12, 12))
    ab = rgb2lab(rgb.movedim(1, -1).double().numpy())[..., 1:]
    distance = ((ab[..., None, :] - colour_bins()) ** 2).sum(-1)
    ten = np.sort(distance, axis=-1)[..., 9:10]
    wanted = np.where(distance <= ten, np.exp(-distance / 50), 0)
    wanted /= wanted.sum(-1, keepdims=True)
    found = torch.zeros(2, 313, 12, 12).scatter_add_(1, bins, shares).movedim(1, -1).numpy()
    assert np.abs(found - wanted).max() < 0.012


def test_colours_are_a_quarter_of_the_size_and_weighted_by_their_prior() -> None:
    rgb = torch.randint(0, 256, (1, 3, 16, 16), dtype=torch.uint8)
    target = made("colorization", rgb=rgb)
    assert target.values.shape == (1, 10, 4, 4)
    assert target.weight is not None
    assert torch.equal(
        target.weight, torch.from_numpy(loss_weights("colorization").copy())[target.values[:, 0]]
    )


def test_classes_are_numbers_or_shares_that_add_up() -> None:
    numbers = made("class_scene", class_scene=torch.tensor([5, -1]))
    assert numbers.values.tolist() == [5, 0]
    assert numbers.weight is not None
    assert numbers.weight.tolist() == [1, 0]
    shares = torch.zeros(2, 63)
    shares[0, :2] = torch.tensor([0.2, 0.6])
    soft = made("class_scene", class_scene=shares)
    assert soft.values[0, :2].tolist() == pytest.approx([0.25, 0.75])
    assert soft.weight is not None
    assert soft.weight.tolist() == [1, 0]


def test_poses_are_whitened_and_read_off_cameras(store: FrameStore) -> None:
    for name in ("fixated_pose", "nonfixated_pose"):
        task = find_task(name)
        samples = samples_of(task, store, 0)
        target = make_target(task, load_batch(store, task, samples, [3, 1]), SEEDS)
        cameras = store.cameras[samples.frames[[3, 1]]]
        wanted = whiten(name, relative_poses(cameras[:, 0], cameras[:, 1]))
        assert np.allclose(target.values.numpy(), wanted, atol=1e-4)


def test_egomotion_has_three_poses_of_one_whitening(store: FrameStore) -> None:
    task = find_task("egomotion")
    samples = samples_of(task, store, 0)
    values = make_target(task, load_batch(store, task, samples, [2]), SEEDS[:1]).values
    cameras = store.cameras[samples.frames[2]]
    for place, (first, second) in enumerate(((0, 1), (0, 2), (1, 2))):
        wanted = whiten("fixated_pose", relative_poses(cameras[first], cameras[second]))
        assert np.allclose(values[0, 6 * place : 6 * place + 6].numpy(), wanted, atol=1e-4)


def test_rooms_without_a_box_do_not_count(store: FrameStore) -> None:
    task = find_task("room_layout")
    everything = samples_of(find_task("normal"), store, 0)
    target = make_target(task, load_batch(store, task, everything, [0, 35]), SEEDS)
    assert target.weight is not None
    assert target.weight.tolist() == [1, 0]
    wanted = whiten("room_layout", room_layouts(store.cameras[[0]]))
    assert np.allclose(target.values[:1].numpy(), wanted, atol=1e-4)
    assert target.values[1].isfinite().all()


def test_labels_of_matches_and_puzzles_are_their_numbers(store: FrameStore) -> None:
    task = find_task("point_matching")
    samples = samples_of(task, store, 0)
    assert samples.label is not None
    target = make_target(task, load_batch(store, task, samples, np.arange(6)), seeds_of(torch.arange(6), 0))
    assert target.values.tolist() == samples.label[:6].tolist()
    assert torch.equal(made("jigsaw", rgb=torch.zeros(2, 3, 8, 8)).values, jigsaw_orders(SEEDS))


def test_a_batch_without_the_label_is_refused() -> None:
    with pytest.raises(DataError, match="normal needs 'normal', but the batch holds rgb"):
        made("normal", rgb=torch.zeros(1, 3, 8, 8))


def test_sixteen_bit_codes_above_half_the_range_are_read_as_they_are(tmp_path: Path) -> None:
    store = toy_store(tmp_path, rooms=1)
    task = find_task("depth_zbuffer")
    codes = load_batch(store, task, samples_of(task, store, 0), [0])["depth_zbuffer"]
    assert codes.max() == 65535
    assert codes.min() > 0


@pytest.mark.parametrize("resident", [False, True])
def test_tasks_that_share_a_read_get_what_each_would_read(store: FrameStore, resident: bool) -> None:
    single = [task for task in TASKS.values() if task.num_images == 1 and task.name != "random"]
    frames = samples_of(find_task("normal"), store, 0)
    shared = BatchReader(store, resident=resident).load(single, frames, [7, 3])
    for task in single:
        alone = load_batch(store, task, frames, [7, 3])
        for name, value in alone.items():
            assert torch.equal(shared[name], value) or name == "room_layout"


def test_every_target_is_finite_and_shaped_like_its_output(store: FrameStore) -> None:
    for task in TASKS.values():
        if task.name == "random":
            continue
        raw = load_batch(store, task, samples_of(task, store, 0), [0, 1])
        target = make_target(task, raw, SEEDS, size=16)
        assert target.values.isfinite().all()
        assert len(target.values) == 2
        if target.weight is not None:
            assert target.weight.isfinite().all()
            assert target.weight.max() > 0


def test_depth_in_metres_survives_the_way_through_code_and_target() -> None:
    metres = torch.tensor([[[0.5, 2.0], [7.25, 60.0]]])
    target = made("depth_zbuffer", depth_zbuffer=encode("depth_zbuffer", metres))
    back = (torch.exp2(16 * target.values[:, 0]) - 1) / 512
    assert torch.allclose(back, metres, atol=1 / 512)
    assert math.isclose(float(target.values.max()), math.log(60 * 512 + 1) / math.log(65536), rel_tol=1e-5)


def test_a_resident_domain_is_read_once_however_many_threads_ask(
    store: FrameStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    read = FrameStore.read

    def slow(self: FrameStore, domain: str, frames: ArrayLike) -> NDArray[Any]:
        asked.append(domain)
        time.sleep(0.05)
        return read(self, domain, frames)

    reader = BatchReader(store, resident=True)
    task = TASKS["autoencoding"]
    frames = samples_of(task, store, 0)
    monkeypatch.setattr(FrameStore, "read", slow)
    with ThreadPoolExecutor(3) as threads:
        found = list(threads.map(lambda row: reader.load([task], frames, [row])["rgb"], range(3)))

    assert asked == ["rgb"]
    np.testing.assert_array_equal(torch.cat(found).movedim(1, -1), read(store, "rgb", frames.frames[:3]))
