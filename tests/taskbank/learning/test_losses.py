import math

import numpy as np
import pytest
import torch
from tests.training.toy_store import toy_store
from torch import Tensor
from torch.nn import functional
from training.learning.batches import load_batch
from training.learning.draws import seeds_of
from training.learning.samples import samples_of
from training.learning.targets import make_target

from taskbank.geometry import compose
from taskbank.inference.whitening import WHITENING, unwhiten, whiten
from taskbank.learning.losses import ERROR_SCALE, losses, metric_losses, number_errors
from taskbank.learning.rotations import compose_poses, euler_angles, rotation_matrices
from taskbank.learning.target import Target
from taskbank.tasks.registry import TASKS, find_task

GENERATOR = torch.Generator().manual_seed(0)


def loss(name: str, output: Tensor, values: Tensor, **further: Tensor) -> list[float]:
    found: list[float] = losses(find_task(name), output, Target(values=values, **further)).tolist()
    return found


def test_l1_is_the_mean_over_pixels_that_count() -> None:
    output = torch.tensor([[[[1.0, 2.0], [3.0, 9.0]]]])
    weight = torch.tensor([[[[1.0, 1.0], [1.0, 0.0]]]])
    assert loss("depth_zbuffer", output, torch.zeros(1, 1, 2, 2), weight=weight) == [2]
    assert loss("keypoints2d", output, torch.zeros(1, 1, 2, 2)) == [3.75]


def test_l1_of_three_channels_is_the_mean_over_them() -> None:
    output = torch.tensor([1.0, 2.0, 6.0]).reshape(1, 3, 1, 1).expand(1, 3, 2, 2)
    weight = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]])
    assert loss("normal", output, torch.zeros(1, 3, 2, 2), weight=weight) == [3]


def test_a_picture_without_any_known_pixel_has_no_loss() -> None:
    assert loss(
        "normal", torch.ones(1, 3, 2, 2), torch.zeros(1, 3, 2, 2), weight=torch.zeros(1, 1, 2, 2)
    ) == [0]


def test_curvature_is_compared_by_squares() -> None:
    assert loss("curvature", torch.full((1, 2, 2, 2), 3.0), torch.zeros(1, 2, 2, 2)) == [9]


def test_layouts_and_directions_are_compared_by_mean_squares() -> None:
    output = torch.zeros(1, 9)
    output[0, 0] = 3
    assert loss("vanishing_point", output, torch.zeros(1, 9)) == [1]
    assert loss("room_layout", output, torch.zeros(1, 9)) == [1]
    assert loss("room_layout", output, torch.zeros(1, 9), weight=torch.zeros(1)) == [0]


def test_a_roll_of_three_degrees_counts_as_one_deviation() -> None:
    output = torch.zeros(1, 9)
    output[0, 4] = math.radians(3) / WHITENING["room_layout"][1][4]
    assert loss("room_layout", output, torch.zeros(1, 9)) == pytest.approx([1 / 9])


def test_classes_have_the_logarithm_of_their_probability() -> None:
    logits = torch.tensor([[0.0, math.log(3)]])
    assert loss("point_matching", logits, torch.tensor([1])) == pytest.approx([math.log(4 / 3)])
    scenes = torch.zeros(2, 63)
    assert loss(
        "class_scene", scenes, torch.tensor([5, 0]), weight=torch.tensor([1.0, 0.0])
    ) == pytest.approx([math.log(63), 0])


def test_soft_classes_have_the_cross_entropy_of_two_distributions() -> None:
    shares = torch.zeros(1, 63)
    shares[0, :2] = torch.tensor([0.25, 0.75])
    logits = torch.full((1, 63), -1e9)
    logits[0, :2] = 0.0
    assert loss("class_scene", logits, shares, weight=torch.ones(1)) == pytest.approx([math.log(2)])


def test_semantic_pixels_are_weighted_and_counted_where_known() -> None:
    logits = torch.zeros(1, 17, 1, 3)
    values = torch.tensor([[[0, 4, 0]]])
    weight = torch.tensor([[[2.0, 4.0, 0.0]]])
    assert loss("segment_semantic", logits, values, weight=weight) == pytest.approx([3 * math.log(17)])


def test_colours_have_the_weighted_cross_entropy_of_their_shares() -> None:
    logits = torch.randn(1, 313, 2, 2, generator=GENERATOR)
    bins = torch.stack([torch.randperm(313, generator=GENERATOR)[:10] for _ in range(4)], 1).reshape(
        1, 10, 2, 2
    )
    shares = torch.rand(1, 10, 2, 2, generator=GENERATOR).softmax(1)
    weight = torch.tensor([[[1.0, 2.0], [0.0, 3.0]]])
    dense = torch.zeros(1, 313, 2, 2).scatter_(1, bins, shares)
    each = functional.cross_entropy(logits, dense, reduction="none")
    wanted = (each * weight).sum() / 3
    assert loss("colorization", logits, bins, shares=shares, weight=weight) == pytest.approx(
        [float(wanted)], rel=1e-5
    )


def pairs_by_hand(vectors: Tensor, segments: list[int]) -> float:
    """The metric loss of a few points, pair by pair."""
    total = 0.0
    for i, first in enumerate(vectors.tolist()):
        for j, second in enumerate(vectors.tolist()):
            distance = min(80.0, sum((a - b) ** 2 for a, b in zip(first, second, strict=True)))
            same = 2 / (1 + math.exp(distance))
            total -= math.log(same if segments[i] == segments[j] else 1 - same)
    return total / len(segments) ** 2


def test_the_metric_loss_is_what_pairs_give_by_hand() -> None:
    vectors = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
    embedding = vectors.T.reshape(1, 2, 1, 3)
    points = torch.tensor([[[0, 0, 7], [0, 1, 7], [0, 2, 3]]])
    found = metric_losses(embedding, Target(values=points))
    assert float(found) == pytest.approx(pairs_by_hand(vectors, [7, 7, 3]), rel=1e-5)
    weight = torch.tensor([[1.0, 1.0, 0.0]])
    without = metric_losses(embedding, Target(values=points, weight=weight))
    assert float(without) == pytest.approx(pairs_by_hand(vectors[:2], [7, 7]), rel=1e-5)


def test_points_of_different_segments_that_coincide_have_a_finite_loss() -> None:
    embedding = torch.zeros(1, 64, 4, 4, requires_grad=True)
    points = torch.tensor([[[0, 0, 1], [3, 3, 2]]])
    found = metric_losses(embedding, Target(values=points))
    assert found.item() == pytest.approx(-math.log(1e-7) / 2)
    torch.autograd.backward(found.sum())
    assert embedding.grad is not None
    assert embedding.grad.isfinite().all()


def test_errors_of_fixated_poses_are_in_their_true_deviations() -> None:
    # Undoing the double whitening: 0.852, 0.667 and 0.923 rad, 4.83, 1.09 and 5.56 m (facts of the original).
    true = [0.8522, 0.6668, 0.9229, 4.8308, 1.0899, 5.5631]
    zero = whiten("fixated_pose", np.zeros(6))
    for number, deviation in enumerate(true):
        moved = np.zeros(6)
        moved[number] = deviation
        output = torch.tensor(whiten("fixated_pose", moved) - zero, dtype=torch.float32)[None]
        error = number_errors("fixated_pose", output, torch.zeros(1, 6))
        assert float(error[0, number]) == pytest.approx(1, rel=1e-3)
        assert loss("fixated_pose", output, torch.zeros(1, 6)) == pytest.approx([1], rel=1e-3)


def test_angles_are_compared_modulo_a_full_turn() -> None:
    for name, degrees in (("nonfixated_pose", (179, -179)), ("fixated_pose", (170, -170))):
        poses = [
            torch.tensor(whiten(name, [0, 0, math.radians(angle), 0, 0, 0]))[None].float()
            for angle in degrees
        ]
        error = number_errors(name, *poses)
        scale = ERROR_SCALE.get(name, (1,) * 6)[2]
        wanted = -math.radians(360 - degrees[0] + degrees[1]) / WHITENING[name][1][2] * scale
        assert float(error[0, 2]) == pytest.approx(wanted, rel=1e-3)


def test_pose_norms_are_euclidean_and_flat_at_nothing() -> None:
    output = torch.zeros(1, 6, requires_grad=True)
    truth = torch.zeros(1, 6)
    truth[0, 3], truth[0, 5] = 3, 4
    assert loss("nonfixated_pose", output, truth) == [5]
    torch.autograd.backward(
        losses(find_task("nonfixated_pose"), output, Target(values=torch.zeros(1, 6))).sum()
    )
    assert output.grad is not None
    assert output.grad.abs().max() == 0


def random_poses(count: int) -> Tensor:
    angles = (torch.rand(count, 3, generator=GENERATOR, dtype=torch.float64) - 0.5) * torch.tensor(
        [6.0, 3.0, 6.0]
    )
    return torch.cat([angles, torch.randn(count, 3, generator=GENERATOR, dtype=torch.float64)], dim=1)


def test_rotations_and_compositions_are_those_of_taskbank() -> None:
    first, second = random_poses(20), random_poses(20)
    wanted = np.stack([compose(one, two) for one, two in zip(first.numpy(), second.numpy(), strict=True)])
    assert np.allclose(compose_poses(first, second).numpy(), wanted, atol=1e-9)
    assert torch.allclose(
        rotation_matrices(euler_angles(rotation_matrices(first[:, :3]))), rotation_matrices(first[:, :3])
    )


def test_angles_straight_up_have_finite_gradients() -> None:
    up = torch.tensor([[0.3, math.pi / 2, 0.0]], dtype=torch.float64, requires_grad=True)
    angles = euler_angles(rotation_matrices(up))
    torch.autograd.backward(angles.sum())
    assert up.grad is not None
    assert up.grad.isfinite().all()
    assert angles[0, 1].item() == pytest.approx(math.pi / 2, abs=1e-5)


def test_the_cycle_loss_of_the_truth_is_nothing() -> None:
    first, second = random_poses(8), random_poses(8)
    third = compose_poses(first, second)
    poses = [torch.tensor(whiten("fixated_pose", pose.numpy())) for pose in (first, third, second)]
    output = torch.cat([poses[0], poses[2]], dim=1).float()
    found = losses(find_task("egomotion"), output, Target(values=torch.cat(poses, dim=1).float()))
    assert found.max() < 1e-3


def test_the_cycle_loss_adds_two_norms_and_half_of_the_composed() -> None:
    task = find_task("egomotion")
    output, truth = (
        torch.randn(3, 12, generator=GENERATOR) * 0.1,
        torch.randn(3, 18, generator=GENERATOR) * 0.1,
    )
    composed = np.stack([compose(*unwhiten("egomotion", row).reshape(2, 6)) for row in output.numpy()])
    poses = [output[:, :6], torch.tensor(whiten("fixated_pose", composed)).float(), output[:, 6:]]
    norms = [
        number_errors("egomotion", pose, truth[:, 6 * place : 6 * place + 6]).norm(dim=1)
        for place, pose in enumerate(poses)
    ]
    wanted = norms[0] + 0.5 * norms[1] + norms[2]
    assert torch.allclose(losses(task, output, Target(values=truth)), wanted, rtol=1e-3)


def test_every_loss_is_a_number_a_sample_with_finite_gradients(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    store = toy_store(tmp_path_factory.mktemp("store"))
    seeds = seeds_of(torch.arange(3), 0)
    for task in TASKS.values():
        if task.name == "random":
            continue
        target = make_target(task, load_batch(store, task, samples_of(task, store, 0), [0, 1, 2]), seeds)
        channels = 12 if task.name == "egomotion" else task.channels
        sides: tuple[int, ...] = target.values.shape[2:] if target.values.ndim == 4 else ()
        sides = (32, 32) if task.loss.name == "METRIC" or task.name == "segment_semantic" else sides
        for dtype in (torch.float32, torch.bfloat16):
            output = torch.randn(3, channels, *sides, generator=GENERATOR).to(dtype).requires_grad_()
            found = losses(task, output, target)
            assert found.shape == (3,)
            assert found.dtype == torch.float32
            torch.autograd.backward(found.mean())
            assert output.grad is not None
            assert output.grad.isfinite().all()
            assert output.grad.abs().max() > 0


def test_a_samples_loss_does_not_depend_on_its_batch(tmp_path_factory: pytest.TempPathFactory) -> None:
    store = toy_store(tmp_path_factory.mktemp("store"), rooms=2)
    task = find_task("normal")
    target = make_target(
        task, load_batch(store, task, samples_of(task, store, 0), [0, 5]), seeds_of(torch.arange(2))
    )
    output = torch.randn(2, 3, 32, 32, generator=GENERATOR)
    assert target.weight is not None
    alone = losses(task, output[1:], Target(values=target.values[1:], weight=target.weight[1:]))
    assert losses(task, output, target)[1] == alone[0]


@pytest.mark.parametrize(("apart", "counted"), [(50.0, 50.0), (100.0, 80.0)])
def test_squared_distances_of_embeddings_count_up_to_eighty(apart: float, counted: float) -> None:
    """Two points of one segment, and two of two: the mean over both of each, with themselves."""
    embedding = torch.zeros(1, 1, 1, 2)
    embedding[..., 1] = math.sqrt(apart)
    for second, pair in ((0, math.log1p(math.exp(-counted)) + counted - math.log(2)), (1, 0.0)):
        points = torch.tensor([[[0, 0, 0], [0, 1, second]]])
        found = metric_losses(embedding, Target(values=points))
        assert found.tolist() == pytest.approx([pair / 2], abs=1e-4)
