"""Labels of a task of your own in the form for training, against numbers computed by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from taskbank.errors import InvalidInputError
from taskbank.images.framing import Box, View
from taskbank.options import Fit, Kind
from taskbank.own_task.labels import fit_map, learnable, one_task
from taskbank.probing.labels import Labels, groups_of, read_labels
from taskbank.tasks.kinds import OutputKind

VIEW = View(width=6, height=4, box=Box(1, 0, 5, 4), size=(2, 2), fit=Fit.CROP)
LEARNED = np.array([True, True, False])
NAMES = ("a.png", "b.png", "c.png")


def table(path: Path, text: str) -> list[Labels]:
    """Labels of the three images."""
    path.write_text(text)
    return read_labels(path, list(NAMES), folder=path.parent / "images")


def test_columns_of_numbers_are_one_task_and_are_whitened_by_what_is_learned_from(tmp_path: Path) -> None:
    labels = table(tmp_path / "t.csv", "file,depth,y\na.png,1,10\nb.png,3,30\nc.png,5,50\n")
    task, columns = one_task(labels, "mine")
    assert (task.target, columns) == ("mine", ("depth", "y"))
    given = learnable(task, NAMES, columns, LEARNED, unit="cm", views={})
    assert given.target.whitening == ((2, 20), (1, 10))
    assert given.values.tolist() == [[-1, -1], [1, 1], [3, 3]]


def test_classes_are_numbered_by_name_and_must_all_be_learned(tmp_path: Path) -> None:
    labels = table(tmp_path / "t.csv", "file,kind\na.png,dog\nb.png,cat\nc.png,dog\n")
    task, columns = one_task(labels, "mine")
    given = learnable(task, NAMES, columns, LEARNED, unit="1", views={})
    assert (given.names, given.values.tolist()) == (("cat", "dog"), [1, 0, 1])
    with pytest.raises(InvalidInputError, match="no image of the class 'cat' is among the 1 that are"):
        learnable(task, NAMES, columns, np.array([True, False, False]), unit="1", views={})
    with pytest.raises(InvalidInputError, match="unit 'm': classes have none"):
        learnable(task, NAMES, columns, LEARNED, unit="m", views={})


def test_columns_of_classes_beside_others_are_refused(tmp_path: Path) -> None:
    labels = table(tmp_path / "t.csv", "file,x,kind\na.png,1,dog\nb.png,2,cat\nc.png,3,dog\n")
    with pytest.raises(InvalidInputError, match="2 columns of labels, and 'kind' holds classes"):
        one_task(labels, "mine")


def test_numbers_that_do_not_vary_are_refused(tmp_path: Path) -> None:
    labels = table(tmp_path / "t.csv", "file,lux\na.png,2.5\nb.png,2.5\nc.png,3\n")
    task, columns = one_task(labels, "mine")
    with pytest.raises(InvalidInputError, match=r"lux is 2\.5 for all images that are learned from"):
        learnable(task, NAMES, columns, LEARNED, unit="1", views={})


@pytest.mark.parametrize(
    "text",
    [
        ",file,lux\n3,a.png,1.5\n7,b.png,2\n",
        "Unnamed: 0,file,lux\n0,a.png,1.5\n1,b.png,2\n",
        "index,file,lux\n1,a.png,1.5\n2,b.png,2\n",
        "level_0,file,lux\n4,a.png,1.5\n6,b.png,2\n",
        "file,lux,Unnamed: 2\na.png,1.5,\nb.png,2,\n",
        "file\tlux\na.png\t1,5\nb.png\t2,0\n",
        "sep=;\nFile;lux;\na.png;1,5;\nb.png;2,0;\n",
    ],
)
def test_columns_that_number_the_lines_are_no_labels(tmp_path: Path, text: str) -> None:
    (labels,) = table(tmp_path / "t.csv", text)
    assert (labels.target, labels.values) == ("lux", {"a.png": (1.5,), "b.png": (2,)})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "Unnamed: 0,file,lux\n7,a.png,1.5\n3,b.png,2\n",
            "is called 'Unnamed: 0' and may only number the lines",
        ),
        (
            "index,file,lux\n7,a.png,1.5\n3,b.png,2\n",
            "is called 'index' and may only number the lines: name it",
        ),
        (
            ",file,lux\nx,a.png,1.5\ny,b.png,2\n",
            "a column of .* has no name: name it for what it holds, or delete",
        ),
        (
            'file,lux\na.png,"1,5"\nb.png,"2,5"\n',
            "lux of a.png in .* is '1,5': write a decimal point, or separate",
        ),
    ],
)
def test_a_column_that_may_be_labels_or_not_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        table(tmp_path / "t.csv", text)


def test_a_column_called_index_with_values_is_labels(tmp_path: Path) -> None:
    (labels,) = table(tmp_path / "t.csv", "file,index\na.png,1.33\nb.png,1.52\n")
    assert (labels.target, labels.values) == ("index", {"a.png": (1.33,), "b.png": (1.52,)})


def maps(folder: Path, *arrays: np.ndarray) -> Labels:
    """Labels that are maps."""
    for name, array in zip(NAMES, arrays, strict=False):
        np.save(folder / f"{Path(name).stem}.npy", array)
    (labels,) = read_labels(folder, list(NAMES), folder=folder / "images", name="mine")
    return labels


def test_a_map_is_cut_and_scaled_as_its_image_and_unknown_pixels_do_not_count(tmp_path: Path) -> None:
    array = np.arange(24, dtype=np.float32).reshape(4, 6)
    labels = maps(tmp_path, array)
    known = fit_map(labels, "a.png", VIEW)
    assert known.shape == (1, 2, 2)
    assert float(known.mean()) == pytest.approx(array[:, 1:5].mean())
    array[:, :3] = np.nan
    labels = maps(tmp_path, array)
    assert fit_map(labels, "a.png", VIEW)[0, :, 0].isnan().all()
    labels = maps(tmp_path, np.full((4, 6), np.nan))
    with pytest.raises(InvalidInputError, match="has no known pixel where networks look"):
        fit_map(labels, "a.png", VIEW)
    labels = maps(tmp_path, np.zeros((3, 6)))
    with pytest.raises(InvalidInputError, match="is 6 x 3 px, its image 6 x 4: they must be of one size"):
        fit_map(labels, "a.png", VIEW)


def test_maps_are_scaled_to_the_range_of_what_is_learned_from(tmp_path: Path) -> None:
    labels = maps(tmp_path, np.full((4, 6), 2.0), np.full((4, 6), 6.0), np.full((4, 6), 8.0))
    task, columns = one_task([labels], "mine")
    given = learnable(task, NAMES, columns, LEARNED, unit="m", views=dict.fromkeys(NAMES, VIEW))
    assert (given.target.output, given.target.value_range) == (OutputKind.MAP, (2, 6))
    np.testing.assert_allclose(given.values[:, 0, 0, 0], [-1, 1, 2])
    labels = maps(tmp_path, np.zeros((4, 6)), np.zeros((4, 6, 3)), np.zeros((4, 6)))
    with pytest.raises(
        InvalidInputError, match="maps differ in their channels: .*a.npy has 1, .*b.npy has 3"
    ):
        learnable(labels, NAMES, (), LEARNED, unit="m", views=dict.fromkeys(NAMES, VIEW))


def test_images_in_the_folder_of_their_class_are_groups_alone() -> None:
    names = ["left/1.png", "left/hall/2.png", "right/hall/3.png"]
    labels = Labels(target="x", kind=Kind.CLASSES, by_folder=True)
    assert groups_of(labels, names) == ["/left/1.png", "left/hall", "right/hall"]
    assert groups_of(labels, names, {"left/1.png": "g"})[0] == "g"


def test_colours_of_16_bits_are_refused_for_readers_drop_half_of_them(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((4, 6, 3), np.uint8)).save(tmp_path / "a.png")
    content = bytearray((tmp_path / "a.png").read_bytes())
    content[24] = 16  # the bits of a channel, in the header
    (tmp_path / "a.png").write_bytes(bytes(content))
    labels = Labels(target="mine", kind=Kind.NUMBERS, maps={"a.png": tmp_path / "a.png"})
    with pytest.raises(InvalidInputError, match="16 bits in colour|cannot be read"):
        fit_map(labels, "a.png", VIEW)
