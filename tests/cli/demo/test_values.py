"""Values of results in words: at a place, and all where they are few."""

from __future__ import annotations

import numpy as np
import pytest

from taskbank.images.framing import Box, View
from taskbank.inference.results import Prediction
from taskbank.options import Fit, Frame
from taskbank.tasks.kinds import MAPS, OutputKind
from taskbank.tasks.registry import TASKS
from taskbank_demo.live.values import few_values, place_of, statistics, value_text

VIEW = View(40, 30, Box(5, 0, 35, 30), (256, 256), Fit.CROP)


def test_places_of_a_picture_are_rows_and_columns() -> None:
    """In the input's frame by the picture, in the network's by what it saw."""
    assert place_of((30, 40), Frame.INPUT, VIEW, 0.0, 0.0) == (0, 0)
    assert place_of((30, 40), Frame.INPUT, VIEW, 0.999, 0.999) == (29, 39)
    assert place_of((256, 256), Frame.NETWORK, VIEW, 5 / 40, 0.0) == (0, 0)
    assert place_of((256, 256), Frame.NETWORK, VIEW, 34.99 / 40, 0.999) == (255, 255)
    assert place_of((256, 256), Frame.NETWORK, VIEW, 0.05, 0.5) is None
    assert place_of((256, 256), Frame.NETWORK, VIEW, 0.95, 0.5) is None


@pytest.mark.parametrize(
    ("kind", "value", "unit", "words"),
    [
        (OutputKind.DEPTH, np.float32(2.34567), "m", "2.346 m"),
        (OutputKind.DEPTH, np.float32("nan"), "m", "not seen by the network"),
        (OutputKind.HEAT_MAP, np.float32(0.25), "1", "0.25"),
        (OutputKind.NORMALS, np.array([0, 0.6, -0.8], np.float32), "1", "(+0.000, +0.600, -0.800)"),
        (OutputKind.CURVATURE, np.array([1.5, -2], np.float32), "1/m", "(+1.500, -2.000) 1/m"),
        (OutputKind.SEMANTIC_MAP, np.uint8(2), "1", "chair (label 2)"),
        (OutputKind.SEMANTIC_MAP, np.uint8(0), "1", "not seen by the network"),
        (OutputKind.SEMANTIC_MAP, np.uint8(9), "1", "class (label 9)"),
    ],
)
def test_values_are_said_with_their_units(
    kind: OutputKind, value: np.ndarray[tuple[int, ...], np.dtype[np.float32]], unit: str, words: str
) -> None:
    """Hand-written."""
    assert value_text(kind, np.asarray(value), unit, ("background", "chair")) == words


def made(task: str, array: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> Prediction:
    """A prediction with that array."""
    found = TASKS[task]
    return Prediction(
        task=task,
        kind=found.output,
        array=np.asarray(array, np.float32),
        unit=found.unit,
        value_range=None,
        convention="as it is",
        frame=Frame.NETWORK,
        views=(VIEW,),
        sources=("a",),
        bank="toy",
        bank_digest="0" * 64,
    )


def test_few_numbers_are_all_said() -> None:
    """Angles of poses in degrees, as people think in them."""
    pose = dict(few_values(made("fixated_pose", np.array([np.pi / 2, 0, 0, 1, 2, 3], np.float32))))
    assert pose == {
        "turn, 1 to 2": "(+90.000, +0.000, +0.000) deg",
        "way, 1 to 2": "(+1.000, +2.000, +3.000) m",
    }
    layout = dict(few_values(made("room_layout", np.arange(9, dtype=np.float32))))
    assert layout["edges"] == "(+6.000, +7.000, +8.000) m"
    assert few_values(made("point_matching", np.array(0.25, np.float32))) == [("same point", "25.0%")]
    assert few_values(made("normal", np.zeros((2, 2, 3), np.float32))) == []


def test_maps_of_single_numbers_have_statistics_of_what_was_seen() -> None:
    """NaN is left out; other results have none."""
    depth = np.array([[1, 2], [3, np.nan]], np.float32)
    assert statistics(made("depth_zbuffer", depth)) == {"least": "1 m", "median": "2 m", "greatest": "3 m"}
    assert statistics(made("depth_zbuffer", np.full((2, 2), np.nan, np.float32))) == {}
    assert statistics(made("normal", np.zeros((2, 2, 3), np.float32))) == {}
    assert OutputKind.CLASSES not in MAPS
