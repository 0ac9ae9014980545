"""Exported graphs: every kind of output in both formats beside this package, metadata, what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.taskbank.toy import TOY_COMPACT, TOY_RESNET, toy_network
from timm.layers.conv2d_same import Conv2dSame
from torch import nn
from torch.nn import functional

from taskbank.bank.bank import Bank
from taskbank.errors import (
    ExportError,
    InvalidInputError,
    MissingPackageError,
    MissingTaskError,
    OutputError,
)
from taskbank.exporting.files import check_installed, jit, read_facts
from taskbank.exporting.graph import ExportedTask
from taskbank.exporting.run import export_task
from taskbank.exporting.verify import runner
from taskbank.inference.preprocess import InputKind, as_input
from taskbank.nets.architecture import Backbone
from taskbank.nets.build import build_network
from taskbank.nets.compact import ReadoutWidths
from taskbank.nets.initialise import initialise
from taskbank.nets.pooling import average_places
from taskbank.options import Format
from taskbank.tasks.registry import TASKS

KINDS = (
    "normal", "depth_euclidean", "curvature", "reshading", "edge_texture", "segment_semantic", "segment_unsup2d",
    "class_scene", "room_layout", "vanishing_point", "fixated_pose", "egomotion", "point_matching", "jigsaw",
    "colorization", "inpainting", "autoencoding",
)  # fmt: skip
"""A task of every kind of output, and of every form of input."""


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    """A toy bank of those tasks."""
    networks = {task: toy_network(task, seed=number) for number, task in enumerate(KINDS)}
    folder = tmp_path_factory.mktemp("toy") / "bank"
    return Bank.save(
        folder, name="toy", architecture=TOY_COMPACT, networks=networks, image_size=64, licence="MIT"
    )


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Four pictures that are no squares."""
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(4):
        coarse = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((120, 90)).save(folder / f"{number}.png")
    return sorted(folder.iterdir())


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    """One thread: graphs are small."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("task", KINDS)
def test_torchscript_gives_what_this_package_gives(
    bank: Bank, pictures: list[Path], tmp_path: Path, task: str
) -> None:
    """In batches of 1 and 8, at two sizes."""
    done = export_task(bank, task, tmp_path / "task.pt", Format.TORCHSCRIPT, pictures=pictures)
    assert [(one.batch, one.size) for one in done.differences] == [(1, 64), (8, 64), (1, 96), (8, 96)]
    # depths of untrained networks are up to 128 m, and rounding is a share of them
    assert max(one.largest for one in done.differences) < (1e-2 if "depth" in task else 1e-3)


@pytest.mark.parametrize("task", ["normal", "egomotion", "inpainting"])
def test_onnx_gives_what_this_package_gives(
    bank: Bank, pictures: list[Path], tmp_path: Path, task: str
) -> None:
    """Run by onnxruntime; every task of the bundled bank is in the slow tests."""
    done = export_task(bank, task, tmp_path / "task.onnx", dynamic=True, pictures=pictures)
    assert [(one.batch, one.size) for one in done.differences] == [(1, 64), (8, 64), (1, 96), (8, 96)]
    assert max(one.largest for one in done.differences) < 1e-3


@pytest.mark.parametrize(("task", "larger"), [("normal", 96), ("class_object", 128)])
def test_encoders_that_pad_as_tensorflow_does_are_exported_for_all_sizes(
    pictures: list[Path], tmp_path: Path, task: str, larger: int
) -> None:
    """Their padding is of one width, as sides are multiples of 16; of 32 where a whole model ends in classes."""
    padded = Backbone(
        model="test_efficientnet",
        options={"pad_type": "same"},
        level=3,
        shared=2,
        classifier=True,
        widths=ReadoutWidths(decoder=(8, 8, 4, 4), decoder_blocks=(1, 1, 1), head=(4, 4, 4), full_size=2),
    )
    networks = {task: build_network(TASKS[task], padded)}
    initialise(networks[task], 0)
    for layer in networks[task].modules():  # norms of some pictures, so that outputs depend on pictures
        if isinstance(layer, nn.BatchNorm2d):
            layer.train()
            layer.momentum = 1.0
    networks[task](torch.rand((4, 3, 64, 64), generator=torch.Generator().manual_seed(0)) * 2 - 1)
    networks[task].eval()
    assert any(isinstance(layer, Conv2dSame) for layer in networks[task].modules())
    folder = tmp_path / "bank"
    bank = Bank.save(folder, name="toy", architecture=padded, networks=networks, image_size=64, licence="MIT")
    done = export_task(bank, task, tmp_path / "task.onnx", dynamic=True, pictures=pictures)
    assert [(one.batch, one.size) for one in done.differences] == [(1, 64), (8, 64), (1, larger), (8, larger)]
    assert max(one.largest for one in done.differences) < 1e-3
    assert done.facts["input"].endswith(f"sRGB in [0, 1], sides multiples of {(larger - 64) // 2}")


@pytest.mark.slow
@pytest.mark.parametrize("form", Format)
@pytest.mark.parametrize("task", [name for name in TASKS if name != "random"])
def test_every_task_of_the_bundled_bank_can_be_exported(
    pictures: list[Path], tmp_path: Path, task: str, form: Format
) -> None:
    """With differences that rounding explains."""
    out = tmp_path / ("task.onnx" if form is Format.ONNX else "task.pt")
    done = export_task(Bank.open("rooms"), task, out, form, dynamic=True, pictures=pictures)
    assert len(done.differences) == 4


def test_a_fixed_graph_takes_one_item_of_one_size(bank: Bank, pictures: list[Path], tmp_path: Path) -> None:
    """And says so."""
    done = export_task(bank, "normals", tmp_path / "n.onnx", pictures=pictures)
    assert [(one.batch, one.size) for one in done.differences] == [(1, 64)]
    assert done.facts["input"] == "images: float32 (1, 3, 64, 64), sRGB in [0, 1]"
    run = runner(done.path, Format.ONNX)
    with pytest.raises(Exception, match="invalid dimensions"):
        run(np.zeros((2, 3, 64, 64), np.float32))


def test_fully_connected_heads_keep_their_size(tmp_path: Path) -> None:
    """The batch alone is free."""
    networks = {"class_scene": toy_network("class_scene", TOY_RESNET)}
    bank = Bank.save(tmp_path / "bank", name="toy", architecture=TOY_RESNET, networks=networks)
    picture = tmp_path / "a.png"
    Image.new("RGB", (64, 64), "teal").save(picture)
    done = export_task(bank, "class_scene", tmp_path / "c.pt", Format.TORCHSCRIPT, pictures=[picture])
    assert [(one.batch, one.size) for one in done.differences] == [(1, 256), (8, 256)]
    assert done.facts["input"] == "images: float32 (batch, 3, 256, 256), sRGB in [0, 1]"


@pytest.mark.parametrize("form", Format)
def test_files_say_what_they_give_and_whose_they_are(bank: Bank, tmp_path: Path, form: Format) -> None:
    """Unit, axes, licence, classes and hashes."""
    out = tmp_path / ("s.onnx" if form is Format.ONNX else "s.pt")
    export_task(bank, "segment_semantic", out, form, dynamic=True)
    facts = read_facts(out, form)
    assert facts["task"] == "segment_semantic"
    assert facts["licence"] == "MIT"
    assert facts["bank_sha256"] == bank.digest
    entry = bank.entry("segment_semantic")
    assert entry.decoder is not None
    assert entry.decoder.sha256 in json.loads(facts["weights_sha256"])
    assert len(json.loads(facts["classes"])) == 17
    assert "sides multiples of 16" in facts["input"]
    out = out.with_stem("n")
    export_task(bank, "normals", out, form)
    assert "OpenCV camera: +x right, +y down" in read_facts(out, form)["convention"]


def test_what_is_hidden_from_a_network_is_hidden_in_the_graph(bank: Bank) -> None:
    """The hole of inpainting, at any size; the colours of colorization."""
    inpainting = ExportedTask(bank, TASKS["inpainting"])
    for rows, columns in ((64, 64), (96, 64), (64, 112)):
        images = torch.rand(1, 3, rows, columns)
        hidden = as_input(images * 2 - 1, InputKind.HOLE)
        torch.testing.assert_close(inpainting(images), ((inpainting.network(hidden) + 1) / 2).clamp(0, 1))
    colorization = ExportedTask(bank, TASKS["colorization"])
    images = torch.rand(1, 3, 64, 64)
    other = images.clone()
    other[..., 32:, :] = images[..., 32:, :].flip(1)
    assert not torch.allclose(colorization(images), colorization(other))


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:FutureWarning")
@pytest.mark.parametrize("size", [(2, 2), (4, 7), (5, 16), (9, 3)])
def test_places_are_averaged_alike_in_exported_graphs(size: tuple[int, int]) -> None:
    """As products of matrices, also where there are fewer cells than places."""
    x = torch.rand(2, 3, *size)
    traced = jit.trace(lambda given: average_places(given, 4), torch.rand(2, 3, 8, 8), check_trace=False)
    torch.testing.assert_close(traced(x), functional.adaptive_avg_pool2d(x, 4))
    torch.testing.assert_close(average_places(x, 4), functional.adaptive_avg_pool2d(x, 4))


def test_a_file_that_gives_other_values_is_refused(
    bank: Bank, pictures: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And none is left behind."""
    whole = ExportedTask.forward
    monkeypatch.setattr(ExportedTask, "forward", lambda self, images: whole(self, images) * 1.1)
    with pytest.raises(ExportError, match="normal as torchscript differs by up to 0.09"):
        export_task(bank, "normals", tmp_path / "n.pt", Format.TORCHSCRIPT, pictures=pictures)
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_exported_is_refused(
    bank: Bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is written."""
    with pytest.raises(InvalidInputError, match=r"must end in \.onnx"):
        export_task(bank, "normals", tmp_path / "n.pt")
    with pytest.raises(MissingTaskError, match="keypoints2d"):
        export_task(bank, "keypoints2d", tmp_path / "n.onnx")
    (tmp_path / "n.onnx").write_text("mine")
    with pytest.raises(OutputError, match="exist already"):
        export_task(bank, "normals", tmp_path / "n.onnx")
    with pytest.raises(InvalidInputError, match="no picture to verify with"):
        export_task(bank, "normals", tmp_path / "n.pt", Format.TORCHSCRIPT, pictures=[])
    monkeypatch.setattr(ExportedTask, "forward", lambda *_: None)
    with pytest.raises(ExportError, match="normal cannot be exported as torchscript"):
        export_task(bank, "normals", tmp_path / "n.pt", Format.TORCHSCRIPT)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["n.onnx"]
    monkeypatch.setattr("taskbank.exporting.files.find_spec", lambda name: None if "onnx" in name else name)
    with pytest.raises(MissingPackageError, match=r"needs onnx and onnxruntime and onnxscript: run"):
        export_task(bank, "normals", tmp_path / "m.onnx")
    check_installed(Format.TORCHSCRIPT)
