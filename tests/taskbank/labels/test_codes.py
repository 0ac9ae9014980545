"""Numbers with units as the dataset's integers, and back."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from taskbank.errors import InvalidInputError
from taskbank.labels.codes import DOMAINS, Coding, decode, encode

NAN = math.nan


@pytest.mark.parametrize(
    ("domain", "values", "codes"),
    [
        ("rgb", [0, 0.5, 1], [0, 128, 255]),
        ("depth_zbuffer", [0, 1, 2.5, NAN, math.inf, 500], [0, 512, 1280, 65535, 65535, 65534]),
        ("principal_curvature", [0, 1 / 0.03, -1 / 0.03, 100, 10], [127, 254, 0, 254, 165]),
        ("reshading", [0, 0.2, 1, NAN], [0, 51, 255, 0]),
        ("edge_occlusion", [0, 0.00625, 1, 2], [0, 410, 65535, 65535]),
        ("segment_unsup2d", [0, 7, 255, 300], [0, 7, 255, 255]),
    ],
)
def test_codes_are_those_of_the_dataset(domain: str, values: list[float], codes: list[int]) -> None:
    """By hand; what has no place is cut off, what is unknown has its own code."""
    assert encode(domain, torch.tensor(values, dtype=torch.float64)).tolist() == codes


@pytest.mark.parametrize(
    ("normal", "code"),
    [
        ((0, 0, -1), (127, 127, 0)),  # a wall ahead
        ((0, -1, 0), (127, 0, 127)),  # the floor
        ((0, 1, 0), (127, 255, 127)),  # the ceiling
        ((1, 0, 0), (255, 127, 127)),  # a wall on the left
        ((NAN, NAN, NAN), (127, 127, 127)),
    ],
)
def test_normals_are_in_the_opencv_frame(normal: tuple[float, ...], code: tuple[int, ...]) -> None:
    """As measured on the dataset's records: floors about (129, 0, 120), ceilings about (126, 255, 135)."""
    assert encode("normal", torch.tensor(normal)).tolist() == list(code)
    back = decode("normal", torch.tensor(code))
    assert torch.allclose(back, torch.tensor(normal).float(), atol=0.01, equal_nan=True)


@given(st.lists(st.floats(-1, 1), min_size=3, max_size=3).filter(lambda n: math.hypot(*n) > 0.1))
def test_normals_come_back_within_a_degree(numbers: list[float]) -> None:
    """As unit vectors; codes are cut off, not rounded: sqrt(3) steps of 1 / 127.5 at most."""
    normal = torch.nn.functional.normalize(torch.tensor(numbers, dtype=torch.float64), dim=0)
    back = decode("normal", encode("normal", normal)).double()
    assert back.norm().item() == pytest.approx(1, abs=1e-6)
    assert torch.linalg.vector_norm(back - normal).item() < math.radians(1)


@pytest.mark.parametrize(
    ("domain", "values", "step"),
    [
        ("depth_euclidean", torch.linspace(0, 125.9, 999), 1 / 512),
        ("principal_curvature", torch.linspace(-33, 33, 999), 1 / (127 * 0.03)),
        ("keypoints3d", torch.linspace(0, 1, 999), 1 / 65535),
        ("reshading", torch.linspace(0, 1, 999), 1 / 255),
    ],
)
def test_measured_values_come_back_up_to_rounding(domain: str, values: Tensor, step: float) -> None:
    """Half a step at most."""
    back = decode(domain, encode(domain, values))
    assert back.dtype == torch.float32
    assert (back - values).abs().max() <= step * 0.501 + 1e-5


def test_depth_is_trusted_below_a_threshold_only() -> None:
    """64499 is 126 m, the next code is nothing."""
    metres = decode("depth_zbuffer", torch.tensor([64499, 64500, 65535]))
    assert metres[0] == pytest.approx(125.97, abs=0.01)
    assert metres.isnan().tolist() == [False, True, True]


@pytest.mark.parametrize("domain", list(DOMAINS))
def test_every_code_stands_for_what_it_is_coded_as(domain: str) -> None:
    """From codes to values and back nothing changes, but for what is not trusted and lengths of normals."""
    found = DOMAINS[domain]
    trusted = (
        64500
        if found.coding is Coding.DEPTH
        else 255
        if found.coding is Coding.CURVATURE
        else 1 << found.bits
    )
    codes = torch.arange(trusted)
    if found.coding is Coding.NORMAL:
        return
    again = encode(domain, decode(domain, codes))
    assert again.dtype == (torch.uint8 if found.bits == 8 else torch.int32)
    assert torch.equal(again.long(), codes)


def test_unknown_domains_are_named_with_those_that_there_are() -> None:
    """Both ways."""
    for code in (encode, decode):
        with pytest.raises(InvalidInputError, match="no domain 'depth': choose from rgb, depth_zbuffer"):
            code("depth", torch.zeros(1))
