"""Pictures of labels look as predictions do."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from training.data.label_pictures import class_words, label_pictures, marked_picture, pair_picture
from training.rooms.frames.gallery import frame_cells, page
from training.rooms.frames.render import Frames, ViewedRoom, render_frames
from training.rooms.scene import Shape

from taskbank.tasks.registry import TASKS
from toy_rooms import Builder, looking_at


@pytest.fixture(scope="module")
def frames() -> Frames:
    room = Builder().add(Shape.BOX, (2, 4, 0.5), (0.4, 0.4, 0.5), category=423)
    cameras = looking_at((2, 3.6, 0.6), (1, 1, 1.6), (3.2, 1, 1.2))
    return render_frames([ViewedRoom(number=0, scene=room.scene(), cameras=cameras)], 64)


def _labels(frames: Frames) -> dict[str, np.ndarray]:
    return {name: codes[0] for name, codes in frames.labels.items()}


def test_every_task_with_labels_of_its_own_has_a_picture(frames: Frames) -> None:
    drawn = label_pictures(_labels(frames), frames.cameras[0])

    assert set(drawn) <= set(TASKS)
    assert len(drawn) == 14
    assert all(picture.size == (64, 64) and picture.mode == "RGB" for picture in drawn.values())


def test_normals_are_drawn_as_they_are_stored(frames: Frames) -> None:
    drawn = np.asarray(label_pictures(_labels(frames), frames.cameras[0])["normal"]).astype(int)

    assert np.abs(drawn - frames.labels["normal"][0]).max() <= 2


def test_a_room_of_unknown_size_has_no_layout(frames: Frames) -> None:
    camera = frames.cameras[0].copy()
    camera["box"] = np.nan

    assert "room_layout" not in label_pictures(_labels(frames), camera)


def test_classes_are_named(frames: Frames) -> None:
    scene, thing = class_words(_labels(frames))

    assert scene
    assert thing
    assert class_words(_labels(frames) | {"class_object": np.array(-1)})[1] == ""


def test_pairs_and_marks_are_drawn(frames: Frames) -> None:
    one, two = frames.cameras
    rgb = frames.labels["rgb"]

    assert pair_picture(one, two, (rgb[0], rgb[1])).mode == "RGB"
    marked = np.asarray(marked_picture(rgb[0], 10, 20))
    assert (marked[20, 10] == (255, 214, 0)).all()
    np.testing.assert_array_equal(marked[40:], rgb[0][40:])


def test_the_page_of_a_frame_names_and_shows_everything(frames: Frames) -> None:
    cells = frame_cells(frames)

    assert len(cells) == 16
    assert {"Normals", "Layout", "2.5D Segm.", "Cam. Pose (fix)"} <= {name for name, _ in cells}
    sheet = page([cells, cells[:3]], columns=8)
    assert isinstance(sheet, Image.Image)
    assert sheet.width == 8 * 182 + 6
    assert sheet.height > 3 * 200
