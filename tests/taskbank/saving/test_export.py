"""Predictions as files: whole or absent, with names that do not collide."""

from __future__ import annotations

import json
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open
from tests.taskbank.toy import TOY_COMPACT, toy_encoder, toy_network

from taskbank.atomic_files import write_whole
from taskbank.bank.bank import Bank
from taskbank.errors import ImageError, InvalidInputError, OutputError
from taskbank.file_features import encode_files
from taskbank.file_predictions import Saving, predict_files
from taskbank.images.files import find_images
from taskbank.inference.predictor import load
from taskbank.inference.settings import Settings
from taskbank.options import Fit
from taskbank.paths import result_names
from taskbank.saving.export import Form, check_results, file_names, parse_forms

CPU = Settings(device="cpu", batch_size=2)
CROP = Settings(device="cpu", fit=Fit.CROP)


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    """A toy bank."""
    networks = {
        task: toy_network(task) for task in ("normal", "depth_zbuffer", "class_scene", "point_matching")
    }
    folder = tmp_path_factory.mktemp("toy") / "bank"
    return Bank.save(
        folder, name="toy", architecture=TOY_COMPACT, networks={**networks, "random": toy_encoder()}
    )


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    """Three files: the middle one is damaged."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(3):
        noise = np.random.default_rng(number).integers(0, 256, (20, 30, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"{number}.png")
    (folder / "1.png").write_bytes(b"damaged")
    return sorted(folder.iterdir())


def test_every_form_is_written(bank: Bank, photos: list[Path], tmp_path: Path) -> None:
    """Pictures, arrays, facts, depth in the dataset's code, and the sheet."""
    saving = Saving(folder=tmp_path / "out", forms=(Form.PNG, Form.NPY, Form.JSON))
    reports = list(
        predict_files(bank, ["normals", "depth"], [(path,) for path in photos], saving, settings=CPU)
    )
    assert [report.error is None for report in reports] == [True, False, True]
    written = {path.name for path in (tmp_path / "out" / "0").iterdir()}
    forms = saving.forms
    expected = {*file_names("normal", forms), *file_names("depth_zbuffer", forms), "all_tasks.png"}
    assert written == expected
    assert "depth_zbuffer_16bit.png" in expected
    assert not (tmp_path / "out" / "1").exists()
    array = np.load(tmp_path / "out" / "0" / "depth_zbuffer.npy")
    given = load("depth", bank=bank, device="cpu", batch_size=2).predict(photos[0])
    assert np.allclose(array, given.array, rtol=1e-4, equal_nan=True)
    facts = json.loads((tmp_path / "out" / "0" / "depth_zbuffer.json").read_text())
    assert (facts["unit"], facts["inputs"][0]["source"]) == ("m", str(photos[0]))


def test_depth_pictures_hold_the_datasets_code(bank: Bank, photos: list[Path], tmp_path: Path) -> None:
    """1/512 m in 16 bits, 65535 where nothing is known."""
    saving = Saving(folder=tmp_path / "out", forms=(Form.PNG, Form.NPY))
    list(predict_files(bank, ["depth"], [(photos[0],)], saving, settings=CROP))
    with Image.open(tmp_path / "out" / "0" / "depth_zbuffer_16bit.png") as image:
        assert image.mode == "I;16"
        code = np.asarray(image).astype(int)
    metres = np.load(tmp_path / "out" / "0" / "depth_zbuffer.npy")
    assert (code[np.isnan(metres)] == 65535).all()
    assert np.isnan(metres).sum() == 20 * 10
    seen = ~np.isnan(metres)
    assert np.abs(code[seen] - np.minimum(metres[seen] * 512, 65534)).max() <= 0.51
    assert not (tmp_path / "out" / "0" / "all_tasks.png").exists()


def test_point_clouds_are_of_depth_and_have_the_normals_of_the_same_call(
    bank: Bank, photos: list[Path], tmp_path: Path
) -> None:
    """Of 20 x 30 px the middle 20 x 20 are seen; without depth there is nothing to write."""
    saving = Saving(folder=tmp_path / "out", forms=(Form.PLY,), fov=60)
    list(predict_files(bank, ["depth", "normals"], [(photos[0],)], saving, settings=CROP))
    assert [path.name for path in (tmp_path / "out" / "0").iterdir()] == ["depth_zbuffer.ply"]
    header = (tmp_path / "out" / "0" / "depth_zbuffer.ply").read_bytes().split(b"end_header")[0].decode()
    assert "element vertex 400" in header
    assert "property float nx" in header
    assert "focal length 25.9808 px" in header
    with pytest.raises(
        InvalidInputError, match="point cloud .ply. is made of depth, not of normal: add depth_z"
    ):
        list(predict_files(bank, ["normals"], [(photos[0],)], saving, settings=CPU))


def test_existing_results_stop_everything_unless_allowed(
    bank: Bank, photos: list[Path], tmp_path: Path
) -> None:
    """Before anything is computed; what is there stays."""
    out = tmp_path / "out" / "2"
    out.mkdir(parents=True)
    (out / "class_scene.json").write_text("mine")
    inputs = [(photos[0],), (photos[2],)]
    with pytest.raises(
        OutputError, match=r"1 result\(s\) exist already \(.*class_scene.json\): .* --overwrite"
    ):
        list(
            predict_files(
                bank, ["scene"], inputs, Saving(folder=tmp_path / "out", forms=(Form.JSON,)), settings=CPU
            )
        )
    assert not (tmp_path / "out" / "0").exists()
    assert (out / "class_scene.json").read_text() == "mine"
    allowed = Saving(folder=tmp_path / "out", forms=(Form.JSON,), overwrite=True)
    list(predict_files(bank, ["scene"], inputs, allowed, settings=CPU))
    assert json.loads((out / "class_scene.json").read_text())["top5"]


def test_several_images_together_have_one_folder(bank: Bank, photos: list[Path], tmp_path: Path) -> None:
    """Named by both."""
    saving = Saving(folder=tmp_path / "out")
    (report,) = predict_files(bank, ["match"], [(photos[0], photos[2])], saving, settings=CPU)
    assert report.folder == tmp_path / "out" / "0+2"
    assert json.loads((report.folder / "point_matching.json").read_text())["values"] > 0


def test_wrong_words_are_refused() -> None:
    """Forms and fields of view."""
    assert parse_forms(["npy", "png", "npy"]) == (Form.NPY, Form.PNG)
    with pytest.raises(
        InvalidInputError, match="cannot save as 'gif': choose from png, npy, json, ply, dataset"
    ):
        parse_forms(["png", "gif"])
    with pytest.raises(InvalidInputError, match="nothing would be saved"):
        parse_forms(None)
    with pytest.raises(InvalidInputError, match="fov 180 must lie between 0 and 180"):
        Saving(folder=Path(), fov=180)


class Interrupted(BaseException):
    """An exception like that of Ctrl-C, which does not stop the tests."""


def test_an_interrupted_file_is_absent_or_as_it_was(tmp_path: Path) -> None:
    """And nothing lies beside it."""

    def write(file: BinaryIO) -> None:
        file.write(b"half")
        raise Interrupted

    path = tmp_path / "new" / "file"
    with pytest.raises(Interrupted):
        write_whole(path, write)
    assert list(path.parent.iterdir()) == []
    write_whole(path, lambda file: file.write(b"old"))
    with pytest.raises(Interrupted):
        write_whole(path, write)
    assert [(one.name, one.read_bytes()) for one in path.parent.iterdir()] == [("file", b"old")]


def test_a_place_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    """A file is in the way of the folder."""
    (tmp_path / "way").touch()
    with pytest.raises(OutputError, match="cannot write .*way"):
        write_whole(tmp_path / "way" / "file", lambda file: file.write(b""))


@pytest.mark.parametrize(
    ("inputs", "names"),
    [
        (["a/x.jpg"], ["x"]),
        (["a/x.jpg", "a/y.png"], ["x", "y"]),
        (["a/x.jpg", "a/x.png", "a/y.png"], ["x.jpg", "x.png", "y"]),
        (["a/x.jpg", "b/x.jpg"], ["a/x", "b/x"]),
        (["a/x.jpg", "a/b/x.jpg"], ["x", "b/x"]),
        (["a/v1.2.jpg"], ["v1.2"]),
        (["x.jpg", "x.jpg"], ["x", "x"]),
        (["../a/x.jpg", "y.jpg"], ["a/x", f"{Path.cwd().name}/y"]),
        (["a/../x.jpg", "x.png"], ["x.jpg", "x.png"]),
    ],
)
def test_results_have_names_of_their_own(inputs: list[str], names: list[str]) -> None:
    """Short, and different for different files."""
    assert result_names([Path(name) for name in inputs]) == names


def test_images_are_found_by_file_folder_pattern_and_list(tmp_path: Path) -> None:
    """Each once, in order; hidden files and other files of a folder are left out."""
    for name in ("b.png", "a.JPG", "sub/c.webp", "notes.md", ".hidden.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "list.txt").write_text("# mine\n\nb.png\nsub\n")

    def found(*named: str) -> list[str]:
        return [
            path.relative_to(tmp_path).as_posix() for path in find_images(tmp_path / name for name in named)
        ]

    assert found("") == ["a.JPG", "b.png", "sub/c.webp"]
    assert found("*.png") == ["b.png"]
    assert found("**/*.webp") == ["sub/c.webp"]
    assert found("list.txt", "b.png") == ["b.png", "sub/c.webp"]
    assert found("notes.md", "missing.png") == ["notes.md", "missing.png"]
    (tmp_path / "[odd].png").touch()
    assert found("[odd].png") == ["[odd].png"]


def test_results_of_an_earlier_call_are_no_images_of_a_folder(tmp_path: Path) -> None:
    """But a folder of results that is named itself, or that holds the folder named, is none."""
    photo, made = tmp_path / "photos" / "a.png", tmp_path / "photos" / "out" / "a" / "normal.png"
    for path in (photo, made):
        path.parent.mkdir(parents=True)
        path.touch()
    assert find_images([photo.parent], without=tmp_path / "photos" / "out") == [photo]
    assert find_images([made], without=tmp_path / "photos" / "out") == [made]
    assert find_images([made.parent.parent], without=tmp_path / "photos" / "out") == [made]
    assert find_images([photo.parent], without=tmp_path) == [photo, made]


def test_an_image_may_be_named_twice_where_images_are_taken_together(tmp_path: Path) -> None:
    """Does it match itself?"""
    (tmp_path / "a.png").touch()
    assert find_images([tmp_path / "a.png"] * 2) == [tmp_path / "a.png"]
    assert find_images([tmp_path / "a.png"] * 2, once=False) == [tmp_path / "a.png"] * 2


def test_a_result_never_replaces_an_input(tmp_path: Path) -> None:
    """It does not with and without `overwrite`, and however the paths are written."""
    read = tmp_path / "out" / "normal.png"
    read.parent.mkdir()
    read.touch()
    other = tmp_path / "elsewhere"
    names = ["depth.png", "normal.png"]
    check_results([(other, names)], [read], overwrite=True)
    check_results([(other, names)], [read], overwrite=False)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "out")
    for folder in (tmp_path / "x" / ".." / "out", link):
        with pytest.raises(OutputError, match="written over the input .*normal.png: choose another --out"):
            check_results([(other, names), (folder, names)], [read], overwrite=True)
    photo = tmp_path / "photo.png"
    photo.symlink_to(read)
    with pytest.raises(OutputError, match="written over the input"):
        check_results([(tmp_path / "out", names)], [photo], overwrite=True)
    with pytest.raises(OutputError, match="exist already"):
        check_results([(tmp_path / "out", names)], [read], overwrite=False)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("# nothing\n", "names no image"),
        ("other.txt\n", "names another list, other.txt"),
        (None, "cannot read the list"),
    ],
)
def test_bad_lists_are_refused(tmp_path: Path, content: str | None, message: str) -> None:
    """With what is wrong."""
    if content is not None:
        (tmp_path / "list.txt").write_text(content)
    with pytest.raises(ImageError, match=message):
        find_images([tmp_path / "list.txt"])


def test_places_without_images_are_refused(tmp_path: Path) -> None:
    """A folder, a pattern, nothing at all."""
    with pytest.raises(ImageError, match=r"holds no images \(files with .bmp"):
        find_images([tmp_path])
    with pytest.raises(ImageError, match="no file matches"):
        find_images([tmp_path / "*.png"])
    with pytest.raises(ImageError, match="no image was named"):
        find_images([])


def test_representations_are_one_file_for_all_images(bank: Bank, photos: list[Path], tmp_path: Path) -> None:
    """A tensor per task; the header names the images, without the damaged one."""
    out = tmp_path / "codes.safetensors"
    done = encode_files(bank, ["normals", "random"], photos, out, settings=CPU)
    assert done.images == (str(photos[0]), str(photos[2]))
    assert [outcome.sources for outcome in done.failed] == [(str(photos[1]),)]
    with safe_open(out, "np") as file:
        assert sorted(file.keys()) == ["normal", "random"]
        header = file.metadata()
        given = file.get_tensor("random")
    assert json.loads(header["images"]) == list(done.images)
    assert (header["normalised"], header["bank_sha256"]) == ("true", bank.digest)
    expected = load("random", bank=bank, device="cpu").encode([photos[0], photos[2]])
    assert np.allclose(given, expected, atol=1e-4)


def test_representations_can_be_halved_and_raw(bank: Bank, photos: list[Path], tmp_path: Path) -> None:
    """16 bits, as decoders read them."""
    out = tmp_path / "codes.safetensors"
    encode_files(bank, ["normal"], photos[:1], out, settings=CPU, normalize=False, half=True)
    with safe_open(out, "np") as file:
        given = file.get_tensor("normal")
    expected = load("normal", bank=bank, device="cpu").encode([photos[0]], normalize=False)
    assert given.dtype == np.float16
    assert np.allclose(given, expected, atol=2e-3)
    assert not np.allclose(given.mean(axis=(2, 3)), 0, atol=0.01)  # normalised ones have mean 0


def test_representations_that_cannot_be_written_are_refused(
    bank: Bank, photos: list[Path], tmp_path: Path
) -> None:
    """A wrong suffix, a file that is there, no image that can be read."""
    with pytest.raises(InvalidInputError, match=r"codes.npz must end in .safetensors"):
        encode_files(bank, ["normal"], photos, tmp_path / "codes.npz")
    out = tmp_path / "codes.safetensors"
    with pytest.raises(InvalidInputError, match=r"none of 1 image\(s\) could be read: .*1.png"):
        encode_files(bank, ["normal"], [photos[1]], out, settings=CPU)
    out.write_bytes(b"mine")
    with pytest.raises(OutputError, match="exist already"):
        encode_files(bank, ["normal"], photos, out, settings=CPU)
    assert out.read_bytes() == b"mine"


def test_facts_of_depth_tell_the_code_of_its_16_bit_picture(
    bank: Bank, photos: list[Path], tmp_path: Path
) -> None:
    """Metres a step, and what means unknown: enough to read the picture back."""
    saving = Saving(folder=tmp_path / "out", forms=(Form.PNG, Form.NPY, Form.JSON))
    depth = next(task for task in bank.tasks if task.startswith("depth"))
    list(predict_files(bank, [depth], [(photos[0],)], saving, settings=Settings(device="cpu", fit=Fit.PAD)))
    folder = next((tmp_path / "out").iterdir())
    code = json.loads((folder / f"{depth}.json").read_text())["code_16bit"]
    stored = np.asarray(Image.open(folder / f"{depth}_16bit.png")).astype(np.int64)
    metres = np.where(stored == code["unknown"], np.nan, stored * code["metres"])
    assert stored.max() <= max(code["largest"], code["unknown"])
    assert np.allclose(metres, np.load(folder / f"{depth}.npy"), atol=code["metres"], equal_nan=True)
