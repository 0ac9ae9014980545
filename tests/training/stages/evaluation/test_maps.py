from __future__ import annotations

import numpy as np
import pytest
from training.stages.evaluation.maps import (
    DepthMeasure,
    DifferenceMeasure,
    LabelMeasure,
    NormalMeasure,
    PictureMeasure,
    ResponseMeasure,
    angle_between,
    average_precision,
)


def _tilted(degrees: list[float]) -> np.ndarray:
    """One row of normals, turned so far from facing the camera."""
    angles = np.radians(degrees)
    return np.stack([np.sin(angles), np.zeros_like(angles), -np.cos(angles)], axis=-1)[None]


def test_normals_are_judged_by_their_angles() -> None:
    measure = NormalMeasure()
    measure.add(_tilted([0, 11, 22, 29, 60]), _tilted([0, 0, 0, 0, 0]))
    found = measure.result()
    assert found["mean"] == pytest.approx(122 / 5)
    assert found["median"] == pytest.approx(22, abs=0.05)
    assert [found[f"under_{limit}"] for limit in ("11.25", "22.5", "30")] == [0.4, 0.6, 0.8]


def test_pixels_without_a_true_normal_are_not_counted() -> None:
    truth = _tilted([0, 0])
    truth[0, 1] = np.nan
    measure = NormalMeasure()
    measure.add(_tilted([10, 90]), truth)
    assert measure.result()["mean"] == pytest.approx(10)


def test_small_and_straight_angles_are_exact() -> None:
    angles = angle_between(_tilted([1e-4, 180, 90]), _tilted([0, 0, 0]))
    assert angles[0] == pytest.approx([1e-4, 180, 90], rel=1e-6)


def test_depth_errors_of_two_pixels_by_hand() -> None:
    measure = DepthMeasure()
    measure.add(np.array([[2.0, 3.0]]), np.array([[1.0, 4.0]]))
    found = measure.result()
    assert found["abs_rel"] == pytest.approx((1 + 0.25) / 2)
    assert found["rmse"] == pytest.approx(1)
    assert found["delta"] == 0


def test_scaled_depth_errors_do_not_see_a_common_factor() -> None:
    truth = np.random.default_rng(0).uniform(1, 5, (8, 8))
    measure = DepthMeasure()
    measure.add(truth * 3, truth)
    found = measure.result()
    assert found["abs_rel"] == pytest.approx(2)
    assert found["abs_rel_scaled"] == pytest.approx(0, abs=1e-12)
    assert found["delta_scaled"] == 1


def test_depth_is_within_a_factor_of_a_quarter_more_or_less() -> None:
    measure = DepthMeasure()
    measure.add(np.array([[1.24, 1.26, 1 / 1.24, 1 / 1.26]]), np.ones((1, 4)))
    assert measure.result()["delta"] == 0.5


def test_depth_is_scaled_by_the_median_of_ratios() -> None:
    """Here 1; the ratio of medians would be 2."""
    measure = DepthMeasure()
    measure.add(np.array([[1.0, 2.0, 10.0]]), np.array([[4.0, 2.0, 10.0]]))
    assert measure.result()["abs_rel_scaled"] == pytest.approx(0.25)


def test_unknown_depth_is_not_counted() -> None:
    measure = DepthMeasure()
    measure.add(np.array([[2.0, 9.0, 1.0]]), np.array([[2.0, np.nan, 0.0]]))
    assert measure.result()["rmse"] == 0


def test_predicting_no_depth_at_all_is_wrong() -> None:
    measure = DepthMeasure()
    measure.add(np.array([[0.0, 2.0]]), np.array([[2.0, 2.0]]))
    found = measure.result()
    assert found["abs_rel"] == pytest.approx(0.5, abs=1e-3)
    assert found["delta"] == 0.5


def test_labels_are_judged_by_overlap_over_the_classes_that_occur() -> None:
    measure = LabelMeasure(4)
    measure.add(np.array([[1, 1, 2, 3]]), np.array([[1, 2, 2, 0]]))
    found = measure.result()
    assert found["miou"] == pytest.approx((1 / 2 + 1 / 2) / 2)  # class 3 was predicted where nothing is known
    assert found["accuracy"] == pytest.approx(2 / 3)


def test_pixels_that_the_network_was_not_shown_are_not_counted() -> None:
    measure = LabelMeasure(2)
    measure.add(np.array([[0, 1, 2, 0]]), np.array([[1, 1, 1, 0]]))
    assert measure.result() == {"miou": 0.5, "accuracy": 0.5}


def test_average_precision_of_a_ranking_by_hand() -> None:
    # Best first: right, wrong, right.
    assert average_precision(np.array([1, 0, 1]), np.array([0, 1, 0])) == pytest.approx((1 + 2 / 3) / 2)


def test_responses_found_in_the_right_order_have_full_precision() -> None:
    truth = np.array([[0.0, 0.1, 0.9, 1.0]])
    measure = ResponseMeasure(1.0)
    measure.add(truth * 0.5, truth)
    assert measure.result() == {"l1": pytest.approx(0.25), "ap": 1.0}


def test_true_responses_over_the_highest_are_cut() -> None:
    measure = ResponseMeasure(0.5)
    measure.add(np.array([[0.5]]), np.array([[2.0]]))
    assert measure.result()["l1"] == 0


def test_there_is_no_precision_without_strong_responses() -> None:
    measure = ResponseMeasure(1.0)
    measure.add(np.zeros((1, 2)), np.zeros((1, 2)))
    assert measure.result() == {"l1": 0}


def test_pictures_are_judged_by_error_and_noise_ratio() -> None:
    measure = PictureMeasure()
    measure.add(np.full((2, 2, 3), 0.6), np.full((2, 2, 3), 0.5))
    assert measure.result() == {"l1": pytest.approx(0.1), "psnr": pytest.approx(20)}


def test_differences_are_averaged_over_all_numbers() -> None:
    measure = DifferenceMeasure()
    measure.add(np.array([1.0, np.nan]), np.array([3.0, 0.0]))
    measure.add(np.array([1.0, 1.0]), np.array([1.0, 2.0]))
    assert measure.result() == {"l1": 1.0}


@pytest.mark.parametrize(
    "measure",
    [
        NormalMeasure(),
        DepthMeasure(),
        LabelMeasure(3),
        ResponseMeasure(1),
        PictureMeasure(),
        DifferenceMeasure(),
    ],
    ids=lambda measure: type(measure).__name__,
)
def test_nothing_measured_gives_no_numbers(measure: NormalMeasure) -> None:
    assert measure.result() == {}


def test_responses_are_strong_from_half_of_the_highest_on() -> None:
    """The weak one is predicted first: the only strong one is found second."""
    measure = ResponseMeasure(1.0)
    measure.add(np.array([[0.9, 0.1]]), np.array([[0.49, 0.5]]))
    assert measure.result()["ap"] == 0.5
