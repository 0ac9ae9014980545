from __future__ import annotations

import numpy as np
import pytest
from training.stages.evaluation.numbers import (
    ClassMeasure,
    DirectionMeasure,
    LayoutMeasure,
    MatchMeasure,
    OrderMeasure,
    PoseMeasure,
    SegmentMeasure,
    turn_between,
)


def test_classes_are_right_first_or_among_five() -> None:
    measure = ClassMeasure()
    probabilities = np.array([0.3, 0.25, 0.2, 0.1, 0.08, 0.07])
    for truth in (0, 4, 5):
        measure.add(probabilities, np.array(truth))
    assert measure.result() == {"top1": pytest.approx(1 / 3), "top5": pytest.approx(2 / 3)}


def test_classes_that_are_all_alike_are_no_right_answer() -> None:
    measure = ClassMeasure()
    for truth in range(10):
        measure.add(np.full(10, 0.1), np.array(truth))
    assert measure.result() == {"top1": pytest.approx(0.1), "top5": pytest.approx(0.5)}


@pytest.mark.parametrize("degrees", [0.0, 1e-5, 30, 90, 180])
def test_turns_about_one_axis_have_their_angle(degrees: float) -> None:
    assert turn_between(np.zeros(3), np.array([0, 0, np.radians(degrees)])) == pytest.approx(
        degrees, abs=1e-9
    )


def test_turns_do_not_depend_on_how_angles_are_written() -> None:
    turned = np.array([0.3, 0.2, 0.1])
    same = np.array([0.3 + np.pi, np.pi - 0.2, 0.1 + np.pi])
    assert turn_between(turned, same) == pytest.approx(0, abs=1e-6)


def test_poses_are_judged_by_angle_and_way() -> None:
    measure = PoseMeasure()
    measure.add(
        np.zeros((2, 6)), np.array([[0, 0, np.radians(10), 3, 4, 0], [0, 0, np.radians(20), 0, 0, 1]])
    )
    found = measure.result()
    assert found["rotation"] == pytest.approx(15)
    assert found["translation"] == pytest.approx(3)
    assert found["translation_median"] == pytest.approx(3)


def test_a_moved_room_has_all_its_corners_moved() -> None:
    layout = np.array([0, 0, -3, 1.5, 0, -1.5, 4, 3, 2.5])
    moved = layout.copy()
    moved[:3] += [0, 0.3, 0.4]
    measure = LayoutMeasure()
    measure.add(moved, layout)
    assert measure.result() == {"corners": pytest.approx(0.5), "edges": 0}


def test_directions_are_judged_by_their_mean_angle() -> None:
    turned = np.eye(3)
    turned[0] = [0, 1, 0]
    measure = DirectionMeasure()
    measure.add(turned, np.eye(3))
    assert measure.result() == {"angle": pytest.approx(30)}


def test_matches_are_judged_at_one_half_and_by_their_ranking() -> None:
    measure = MatchMeasure()
    for probability, truth in ((0.9, 1), (0.4, 1), (0.45, 0), (0.1, 0)):
        measure.add(np.array(probability), np.array(truth))
    assert measure.result() == {"accuracy": 0.75, "ap": pytest.approx((1 + 2 / 3) / 2)}


def test_orders_are_judged_whole_and_by_tile() -> None:
    measure = OrderMeasure()
    measure.add(np.arange(9), np.arange(9))
    measure.add(np.array([1, 0, 2, 3, 4, 5, 6, 7, 8]), np.arange(9))
    assert measure.result() == {"accuracy": 0.5, "tiles": pytest.approx(16 / 18)}


def test_embeddings_that_follow_segments_have_full_precision_and_constant_ones_the_share_of_pairs() -> None:
    segments = np.repeat(np.arange(4), 16).reshape(8, 8)
    vectors = np.eye(4)[segments] * 3
    good, blind = SegmentMeasure(seed=1), SegmentMeasure(seed=1)
    good.add(vectors, segments)
    blind.add(np.zeros_like(vectors), segments)
    assert good.result() == {"ap": 1.0}
    assert blind.result()["ap"] == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize(
    "measure",
    [
        ClassMeasure(),
        PoseMeasure(),
        LayoutMeasure(),
        DirectionMeasure(),
        MatchMeasure(),
        OrderMeasure(),
        SegmentMeasure(),
    ],
    ids=lambda measure: type(measure).__name__,
)
def test_nothing_measured_gives_no_numbers(measure: ClassMeasure) -> None:
    assert measure.result() == {}


def test_pixels_of_no_known_segment_are_not_compared() -> None:
    measure = SegmentMeasure(pairs=500)
    vectors = np.zeros((4, 4, 2))
    vectors[2:] = 3
    truth = np.repeat([0, -1, 1, 1], 4).reshape(4, 4)  # the second row lies like the first, and is unknown
    measure.add(vectors, truth)
    assert measure.result() == {"ap": 1.0}
