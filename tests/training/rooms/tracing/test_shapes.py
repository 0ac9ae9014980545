"""Intersections, normals and curvatures of shapes, against sampling and numeric derivatives in float64."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from training.rooms.scene import Shape
from training.rooms.tracing import curvature, shapes

Inside = Callable[[np.ndarray], np.ndarray]
"""Points (..., 3) to a function that is negative inside, 0 on the surface and smooth near it."""

HALF = np.array([0.5, 0.4, 0.3])
RADIUS = 0.12


def _sharp_box(p: np.ndarray) -> np.ndarray:
    return np.asarray((np.abs(p) - HALF).max(-1))


def _round_box(p: np.ndarray) -> np.ndarray:
    q = np.abs(p) - (HALF - RADIUS)
    outside = np.linalg.norm(np.maximum(q, 0), axis=-1)
    return np.asarray(outside + np.minimum(q.max(-1), 0) - RADIUS)


def _ellipsoid(p: np.ndarray) -> np.ndarray:
    return np.asarray(((p / HALF) ** 2).sum(-1) - 1)


def _cylinder(p: np.ndarray) -> np.ndarray:
    q = p / HALF
    return np.asarray(np.maximum((q[..., :2] ** 2).sum(-1) - 1, np.abs(q[..., 2]) - 1))


def _cone(p: np.ndarray) -> np.ndarray:
    q = p / HALF
    width = 0.5 * (1 + 0.3) - 0.5 * (1 - 0.3) * q[..., 2]
    return np.asarray(np.maximum((q[..., :2] ** 2).sum(-1) - width**2, np.abs(q[..., 2]) - 1))


def _pointed(p: np.ndarray) -> np.ndarray:
    q = p / HALF
    return np.asarray(
        np.maximum((q[..., :2] ** 2).sum(-1) - (0.5 - 0.5 * q[..., 2]) ** 2, np.abs(q[..., 2]) - 1)
    )


def _torus(p: np.ndarray) -> np.ndarray:
    out = np.hypot(p[..., 0], p[..., 1]) - (0.5 - 0.15)
    return np.asarray(np.hypot(out, p[..., 2]) - 0.15)


def _cushion(p: np.ndarray) -> np.ndarray:
    return np.asarray((np.abs(p / HALF) ** 4).sum(-1) - 1)


CASES: dict[str, tuple[int, float, np.ndarray, Inside]] = {
    "box": (Shape.BOX, 0.0, HALF, _sharp_box),
    "round box": (shapes.ROUND_BOX, RADIUS, HALF, _round_box),
    "ellipsoid": (Shape.ELLIPSOID, 0.0, HALF, _ellipsoid),
    "cylinder": (Shape.CYLINDER, 0.0, HALF, _cylinder),
    "cone": (Shape.CONE, 0.3, HALF, _cone),
    "pointed cone": (Shape.CONE, 0.0, HALF, _pointed),
    "torus": (Shape.TORUS, 0.0, np.array([0.5, 0.5, 0.15]), _torus),
    "cushion": (Shape.CUSHION, 4.0, HALF, _cushion),
}


def _entries(case: str, origins: np.ndarray, directions: np.ndarray) -> np.ndarray:
    kind, detail, half, _ = CASES[case]

    def vector(rows: np.ndarray) -> shapes.Vector:
        x, y, z = torch.tensor(rows.T[:, None, :], dtype=torch.float32)
        return x, y, z

    size = torch.tensor(half, dtype=torch.float32).reshape(3, 1, 1)
    t = shapes.entry(
        kind, vector(origins), vector(directions), (size[0], size[1], size[2]), torch.full((1, 1), detail)
    )
    return t[0].double().numpy()


def _rays(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """From a ball of radius 2 around the shape to points near the shape."""
    rng = np.random.default_rng(seed)
    origins = rng.normal(size=(count, 3))
    origins *= 2 / np.linalg.norm(origins, axis=1, keepdims=True)
    directions = rng.uniform(-0.6, 0.6, (count, 3)) - origins
    return origins, directions / np.linalg.norm(directions, axis=1, keepdims=True)


def _first_inside(inside: Inside, origins: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Sampling at 2 mm, then halving: infinity where no sample is inside."""
    steps = np.arange(0.0, 4.0, 0.002)
    found = np.full(len(origins), np.inf)
    for number, (o, d) in enumerate(zip(origins, directions, strict=True)):
        samples = inside(o + steps[:, None] * d) < 0
        if not samples.any():
            continue
        high = steps[samples.argmax()]
        low = high - 0.002
        for _ in range(30):
            middle = (low + high) / 2
            low, high = (low, middle) if inside(o + middle * d) < 0 else (middle, high)
        found[number] = high
    return found


@pytest.mark.parametrize("case", CASES)
def test_rays_enter_where_samples_along_them_are_first_inside(case: str) -> None:
    """Rays that only graze the shape may be missed by samples, never the other way round."""
    origins, directions = _rays(1500)
    expected = _first_inside(CASES[case][3], origins, directions)
    found = _entries(case, origins, directions)
    hit = np.isfinite(expected)
    assert 200 < hit.sum() < 1400
    assert np.abs(found[hit] - expected[hit]).max() < 2e-3
    assert np.median(np.abs(found[hit] - expected[hit])) < 1e-6
    grazing = np.isfinite(found) & ~hit
    points = origins[grazing] + found[grazing, None] * directions[grazing]
    assert np.abs(CASES[case][3](points)).max(initial=0) < 5e-3


@pytest.mark.parametrize("case", CASES)
def test_a_ray_that_begins_inside_does_not_see_the_shape(case: str) -> None:
    """It leaves without a hit, but for a torus, of which it may meet the other side."""
    inside = np.array([[0.3, 0.0, -0.1]])
    assert CASES[case][3](inside)[0] < 0
    assert np.isinf(_entries(case, inside, np.array([[0.6, 0.0, 0.8]]))).all()


@pytest.mark.parametrize("case", CASES)
def test_a_shape_behind_is_not_hit(case: str) -> None:
    """Rays turned round."""
    origins, directions = _rays(300, seed=1)
    assert np.isinf(_entries(case, origins, -directions)).all()


@pytest.mark.parametrize("case", CASES)
def test_the_length_of_directions_only_scales_the_parameter(case: str) -> None:
    """Shadow rays are as long as the way to the light."""
    origins, directions = _rays(300, seed=2)
    once, thrice = _entries(case, origins, directions), _entries(case, origins, 3 * directions)
    hit = np.isfinite(once) & np.isfinite(thrice)
    assert np.mean(np.isfinite(once) != np.isfinite(thrice)) < 0.01
    assert np.allclose(once[hit], 3 * thrice[hit], atol=1e-3)


def test_rays_along_an_axis_hit_flat_ends() -> None:
    """The quadratic of the sides has no roots for such rays."""
    down = np.array([[0.0, 0.0, -1.0]])
    for case in ("cylinder", "cone", "box", "round box", "ellipsoid", "cushion"):
        assert _entries(case, np.array([[0.0, 0.0, 2.0]]), down) == pytest.approx(1.7, abs=1e-5)
    assert np.isinf(_entries("cylinder", np.array([[0.6, 0.0, 2.0]]), down)).all()


def _numeric(inside: Inside, point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Outward normal and principal curvatures (first >= second, negative: bulging) by differences."""
    step = 1e-4

    def normal(p: np.ndarray) -> np.ndarray:
        slope = np.array([(inside(p + e) - inside(p - e)) for e in step * np.eye(3)])
        return np.asarray(slope / np.linalg.norm(slope))

    n = normal(point)
    tangents = np.linalg.svd(n[None])[2][1:]
    turn = np.array([(normal(point + step * t) - normal(point - step * t)) / (2 * step) for t in tangents])
    operator = turn @ tangents.T
    return n, np.sort(-np.linalg.eigvalsh((operator + operator.T) / 2))[::-1]


@pytest.mark.parametrize("case", CASES)
def test_normals_and_curvatures_are_those_of_numeric_derivatives(case: str) -> None:
    """Away from creases, where there is none."""
    kind, detail, half, inside = CASES[case]
    shape = Shape.BOX if kind == shapes.ROUND_BOX else Shape(kind)
    origins, directions = _rays(250, seed=3)
    found = _entries(case, origins, directions)
    hit = np.isfinite(found)
    points = origins[hit] + found[hit, None] * directions[hit]
    x, y, z = torch.tensor(points.T, dtype=torch.float32)
    a, b, c = torch.tensor(half, dtype=torch.float32)[:, None].expand(3, len(points))
    made = curvature.form(shape, (x, y, z), (a, b, c), torch.full((len(points),), detail))
    normals = torch.stack(made.normal, 1).double().numpy()
    bends = torch.stack([made.first, made.second], 1).double().numpy()
    checked = 0
    for point, normal, bend in zip(points, normals, bends, strict=True):
        expected, slope = _numeric(inside, point)
        if np.abs(slope).max() > 40 or np.linalg.norm(expected - _numeric(inside, point * 0.998)[0]) > 0.03:
            continue
        checked += 1
        assert normal == pytest.approx(expected, abs=4e-3)
        assert bend == pytest.approx(slope, rel=0.03, abs=0.05)
    assert checked > 60


def _form_at(
    shape: Shape, point: tuple[float, ...], half: tuple[float, ...], detail: float
) -> tuple[float, float]:
    x, y, z = (torch.tensor([value]) for value in point)
    a, b, c = (torch.tensor([value]) for value in half)
    made = curvature.form(shape, (x, y, z), (a, b, c), torch.tensor([detail]))
    return float(made.first), float(made.second)


def test_curvatures_by_hand() -> None:
    """Balls bulge both ways, cylinders one way, the inside of a ring is hollow, planes are flat."""
    r = 0.25
    assert _form_at(Shape.ELLIPSOID, (0, 0, r), (r, r, r), 0) == pytest.approx((-4, -4), rel=1e-5)
    assert _form_at(Shape.CYLINDER, (r, 0, 0.1), (r, r, 1), 0) == pytest.approx((0, -4), rel=1e-5)
    assert _form_at(Shape.CYLINDER, (0.1, 0, 1), (r, r, 1), 0) == (0, 0)
    assert _form_at(Shape.TORUS, (0.3, 0, 0), (0.5, 0.5, 0.1), 0) == pytest.approx((1 / 0.3, -10), rel=1e-4)
    assert _form_at(Shape.TORUS, (0.5, 0, 0), (0.5, 0.5, 0.1), 0) == pytest.approx((-2, -10), rel=1e-4)
    assert _form_at(Shape.BOX, (0.1, 0.5, 0.2), (0.5, 0.5, 0.5), 0.1) == (0, 0)
    edge = 0.4 + 0.1 / 2**0.5
    assert _form_at(Shape.BOX, (edge, edge, 0.2), (0.5, 0.5, 0.5), 0.1) == pytest.approx((0, -10))
    corner = 0.4 + 0.1 / 3**0.5
    assert _form_at(Shape.BOX, (corner,) * 3, (0.5, 0.5, 0.5), 0.1) == pytest.approx((-10, -10))


def test_tangents_and_normal_are_a_right_handed_frame() -> None:
    """Also where the normal points straight down."""
    rows = np.random.default_rng(0).normal(size=(50, 3))
    rows = np.concatenate([rows / np.linalg.norm(rows, axis=1, keepdims=True), [[0, 0, -1]], [[0, 0, 1]]])
    x, y, z = torch.tensor(rows.T, dtype=torch.float32)
    one, two = (torch.stack(vector, 1).numpy() for vector in curvature.tangents((x, y, z)))
    assert np.allclose(np.cross(one, two), rows, atol=1e-5)
    assert np.allclose((one * two).sum(1), 0, atol=1e-5)
