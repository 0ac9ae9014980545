"""The object of a picture is the one nearest to its middle."""

from __future__ import annotations

import torch
from training.data.labels.classes import class_object


def _picture(**places: int) -> torch.Tensor:
    """7 x 7 px without objects but at places, `r2c3=5`: class 5 in row 2 and column 3."""
    picture = torch.full((7, 7), -1)
    for place, category in places.items():
        picture[int(place[1]), int(place[3])] = category
    return picture


def test_the_nearest_object_to_the_middle_names_the_picture() -> None:
    pictures = torch.stack([_picture(r0c0=1, r2c3=5, r6c3=7), _picture(r3c3=0, r3c4=2)])

    assert class_object(pictures).tolist() == [5, 0]


def test_a_picture_without_objects_has_no_class() -> None:
    assert class_object(_picture()[None]).tolist() == [-1]


def test_of_equally_near_objects_the_first_by_rows_counts() -> None:
    assert class_object(_picture(r3c2=4, r2c3=9, r4c3=8)[None]).tolist() == [9]
