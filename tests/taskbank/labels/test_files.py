"""The dataset's files: pictures of codes, classes, and what is wrong with them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from taskbank.constants import scene_positions
from taskbank.errors import ImageError
from taskbank.labels.codes import DOMAINS
from taskbank.labels.files import label_name, read_classes, read_label, save_classes, save_label


@pytest.mark.parametrize("domain", list(DOMAINS))
def test_codes_come_back_from_a_picture(domain: str, tmp_path: Path) -> None:
    """All of them, in the channels that the dataset has on disk."""
    found = DOMAINS[domain]
    shape = (16, 16) if found.channels == 1 else (16, 16, found.channels)
    kind = np.uint16 if found.bits == 16 else np.uint8
    codes = np.random.default_rng(0).integers(0, found.highest + 1, shape).astype(kind)
    codes.flat[:4] = [0, 1, found.highest // 2 + 1, found.highest]
    save_label(tmp_path / "label.png", domain, codes)
    with Image.open(tmp_path / "label.png") as image:
        assert image.mode == ("I;16" if found.bits == 16 else {1: "L", 3: "RGB"}[found.file_channels])
        stored = np.asarray(image)
    back = read_label(tmp_path / "label.png", domain)
    assert back.dtype == kind
    assert np.array_equal(back, codes)
    if domain == "principal_curvature":
        assert (stored[..., 2] == 0).all()
    if domain == "reshading":
        assert (stored[..., 0] == stored[..., 2]).all()


@pytest.mark.parametrize(("mode", "kind"), [("I", "<i4"), ("I;16", "<u2"), ("I;16B", ">u2")])
def test_sixteen_bits_are_unsigned_whatever_mode_pillow_gives_them(
    mode: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """64 m and more have the highest bit set; Pillow before 11 opens such pictures as 32-bit integers."""
    codes = np.array([[0, 32767], [32768, 65535]], dtype=np.uint16)
    opened = Image.fromarray(codes.astype(np.dtype(kind)))
    assert opened.mode == mode
    monkeypatch.setattr(Image, "open", lambda _path: opened)
    given = read_label(tmp_path / "label.png", "depth_zbuffer")
    assert given.dtype == np.uint16
    assert given.tolist() == codes.tolist()


def test_files_are_named_by_point_view_and_domain() -> None:
    """Pictures, classes and facts."""
    assert label_name("normal", 3, 1) == "point_3_view_1_domain_normal.png"
    assert label_name("class_scene", 3, 1) == "point_3_view_1_domain_class_scene.npy"
    assert label_name("nonfixated_matches", 3, "all") == "point_3_view_all_domain_nonfixated_matches.json"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "label.png does not exist"),
        (b"", r"label.png is empty \(0 bytes\)"),
        (b"no picture", "label.png is not an image"),
        ("L", "label.png has 8 bits, depth_zbuffer has 16"),
        ("cut", "label.png is damaged: "),
    ],
)
def test_bad_pictures_are_refused(tmp_path: Path, content: str | bytes | None, message: str) -> None:
    """With the file and what is wrong."""
    path = tmp_path / "label.png"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "L":
        Image.new("L", (4, 4)).save(path)
    elif content == "cut":
        save_label(path, "depth_zbuffer", np.random.default_rng(0).integers(0, 65536, (64, 64)))
        path.write_bytes(path.read_bytes()[:4000])
    with pytest.raises(ImageError, match=message):
        read_label(path, "depth_zbuffer")


def test_pipes_in_place_of_labels_are_refused(tmp_path: Path) -> None:
    """Opening one would wait for ever."""
    os.mkfifo(tmp_path / "label.png")
    with pytest.raises(ImageError, match="label.png is damaged: it is a folder, pipe or device"):
        read_label(tmp_path / "label.png", "depth_zbuffer")
    os.mkfifo(tmp_path / "label.npy")
    with pytest.raises(ImageError, match="label.npy is damaged: it is a folder, pipe or device"):
        read_classes(tmp_path / "label.npy", "class_object")


def test_a_picture_of_too_few_channels_is_refused(tmp_path: Path) -> None:
    """Grey is no normal; colours are a fine label map, whose channels are alike."""
    Image.new("L", (4, 4), 9).save(tmp_path / "grey.png")
    Image.new("RGB", (4, 4), (9, 9, 9)).save(tmp_path / "colour.png")
    with pytest.raises(ImageError, match=r"has 1 channel\(s\), normal has 3"):
        read_label(tmp_path / "grey.png", "normal")
    assert read_label(tmp_path / "colour.png", "segment_semantic").tolist() == [[9] * 4] * 4


@pytest.mark.parametrize("domain", ["class_object", "class_scene"])
def test_probabilities_come_back(domain: str, tmp_path: Path) -> None:
    """Objects through logits, scenes at their places among 365."""
    count, length = (1000, 1000) if domain == "class_object" else (63, 365)
    shares = np.random.default_rng(0).dirichlet(np.full(count, 0.1))
    save_classes(tmp_path / "classes.npy", domain, shares)
    stored = np.load(tmp_path / "classes.npy")
    assert stored.shape == (length,)
    back = read_classes(tmp_path / "classes.npy", domain)
    assert back.dtype == np.float32
    assert np.allclose(back, shares, atol=1e-6)
    if domain == "class_scene":
        assert stored[scene_positions()[5]] == pytest.approx(shares[5], rel=1e-5)
        assert (np.delete(stored, scene_positions()) == 0).all()


def test_objects_are_logits_up_to_a_constant(tmp_path: Path) -> None:
    """As a network gives them."""
    np.save(tmp_path / "classes.npy", np.log(np.arange(1.0, 1001)) + 7)
    back = read_classes(tmp_path / "classes.npy", "class_object")
    assert back[999] / back[0] == pytest.approx(1000, rel=1e-4)
    assert back.sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        (None, "does not exist"),
        (b"", "has 0 bytes: it holds no classes"),
        (b"x" * 300, "is damaged: "),
        (b"PK\x03\x04" + b"x" * 300, "is damaged: "),
        (b"\x93NUMPY\x01\x00", "is damaged: "),
        (np.zeros(1000), r"has 1000 number\(s\), expected are 365 finite ones"),
        (np.full(365, np.inf), r"has 365 number\(s\), expected are 365 finite ones"),
        (np.zeros(365), "holds no probabilities of indoor scenes"),
        (np.full(365, -1.0), "holds no probabilities of indoor scenes"),
    ],
)
def test_bad_classes_are_refused(tmp_path: Path, stored: np.ndarray | bytes | None, message: str) -> None:
    """With the file and what is wrong."""
    path = tmp_path / "classes.npy"
    if isinstance(stored, bytes):
        path.write_bytes(stored)
    elif stored is not None:
        np.save(path, stored)
    with pytest.raises(ImageError, match=f"classes.npy {message}"):
        read_classes(path, "class_scene")
