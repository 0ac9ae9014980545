"""Models of transformers as sources: real classes of tiny configurations, from folders."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tests.taskbank.clips import corner_frames, write_clip
from torch import nn
from typer.testing import CliRunner

from taskbank.errors import BankFormatError, InvalidInputError
from taskbank.sources import Source, open_sources
from taskbank_cli.app import app
from tiny_models import (
    library,
    save_clip,
    save_dense,
    save_encoder,
    save_matcher,
    save_sapiens,
    write_catalogue,
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder a model."""
    root = tmp_path_factory.mktemp("encoders")
    for kind in ("dinov2_with_registers", "vit", "convnext"):
        save_encoder(root / kind, kind)
    save_clip(root / "siglip", "siglip")
    save_clip(root / "clip")
    save_dense(root / "dense")
    save_matcher(root / "matcher")
    save_sapiens(root / "sapiens")
    return root


def one(folder: Path, name: str) -> Source:
    """The only source of that name."""
    (source,) = open_sources(f"hf:{folder}/{name}")
    return source


@pytest.mark.parametrize(
    ("name", "called", "size", "shape"),
    [
        ("dinov2_with_registers", "@2", 56, (16, 4, 4)),
        ("dinov2_with_registers@0", "@0", 56, (16, 4, 4)),
        ("dinov2_with_registers?size=84", "@2#84px", 84, (16, 6, 6)),
        ("vit@-1", "@2", 56, (16, 4, 4)),
        ("convnext", "@1", 56, (16, 7, 7)),
        ("convnext@0", "@0", 56, (8, 14, 14)),
        ("siglip", "@0", 32, (16, 2, 2)),
        ("clip?size=64", "@0#64px", 64, (16, 4, 4)),
        ("dense", "@3", 56, (16, 4, 4)),
        ("sapiens", "@1", 48, (16, 3, 3)),
        ("matcher", "@1", 64, (16, 16, 16)),
        ("matcher@0", "@0", 64, (16, 32, 32)),
    ],
)
def test_encoders_of_every_kind_give_maps(
    folder: Path, name: str, called: str, size: int, shape: tuple[int, ...]
) -> None:
    """Plain ones, those behind heads, and the halves of models that see and read."""
    source = one(folder, name)
    assert source.name == f"hf:{name.split('@', maxsplit=1)[0].split('?', maxsplit=1)[0]}{called}"
    assert (source.size, source.channels, source.patch) == (size, shape[0], round(size / shape[-1]))
    assert source.encode(torch.rand(2, 3, size, size)).shape == (2, *shape)
    assert "sha256:" in source.weights


def test_registers_and_the_class_token_are_left_out(folder: Path) -> None:
    """Only the patches are left, in their order, behind the model's own norm."""
    source = one(folder, "dinov2_with_registers")
    assert (source.mean, source.std) == ((0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
    network = library().AutoModel.from_pretrained(folder / "dinov2_with_registers").eval()
    pictures = torch.rand(1, 3, 56, 56)
    with torch.inference_mode():
        given = network(pixel_values=source.normalised(pictures), output_hidden_states=True)
    features = source.encode(pictures)
    torch.testing.assert_close(features.flatten(2), given.last_hidden_state[:, 5:].transpose(1, 2))
    second = one(folder, "dinov2_with_registers@1").encode(pictures)
    torch.testing.assert_close(second.flatten(2), given.hidden_states[2][:, 5:].transpose(1, 2))


def test_models_that_normalise_nothing_get_pictures_as_they_are(folder: Path) -> None:
    """TIPSv2 takes colours in [0, 1]."""
    source = one(folder, "dense")
    assert (source.mean, source.std) == ((0.0,) * 3, (1.0,) * 3)


def test_encoders_of_matchers_read_grey_pictures(folder: Path) -> None:
    """As the whole model shows them to its encoder."""
    source = one(folder, "matcher")
    pictures = torch.rand(2, 3, 64, 64)
    network = library().EfficientLoFTRModel.from_pretrained(folder / "matcher").eval()
    pairs = library().AutoImageProcessor.from_pretrained(folder / "matcher")(
        images=[list(pictures)], do_rescale=False, return_tensors="pt"
    )["pixel_values"]
    with torch.inference_mode():
        expected = network.backbone(pairs[0, :, :1])[-1]
    torch.testing.assert_close(source.encode(pictures), expected, atol=1e-5, rtol=1e-3)


def test_the_encoder_behind_a_head_for_normals_is_the_saved_one(folder: Path) -> None:
    """Sapiens2 names its weights otherwise than the model without a head."""
    source = one(folder, "sapiens")
    network = library().Sapiens2ForNormalEstimation.from_pretrained(folder / "sapiens").eval()
    pictures = torch.rand(1, 3, 48, 48)
    with torch.inference_mode():
        tokens = network.model(pixel_values=source.normalised(pictures)).last_hidden_state
    torch.testing.assert_close(source.encode(pictures).flatten(2), tokens[:, -9:].transpose(1, 2))


def test_what_is_wrong_is_said(folder: Path, tmp_path: Path) -> None:
    """A level that is not there, missing weights, pickles."""
    with pytest.raises(InvalidInputError, match="layer 3: choose 0 to 2"):
        one(folder, "vit@3")
    with pytest.raises(InvalidInputError, match="choose 16 to 4096"):
        one(folder, "vit?size=8")
    broken = save_encoder(tmp_path / "broken", "vit")
    held = load_file(broken / "model.safetensors")
    held.pop(next(name for name in held if "layer.0" in name or "layers.0" in name))
    save_file(held, broken / "model.safetensors", {"format": "pt"})
    with pytest.raises(BankFormatError, match="lacks 1 weight"):
        one(tmp_path, "broken")
    (broken / "model.safetensors").unlink()
    torch.save(held, broken / "pytorch_model.bin")
    with pytest.raises(BankFormatError, match="pickled weights are not read"):
        one(tmp_path, "broken")


def test_the_licence_is_that_of_the_card(tmp_path: Path) -> None:
    """As far as it states one."""
    save_encoder(tmp_path / "vit", "vit")
    assert one(tmp_path, "vit").licence == ""
    (tmp_path / "vit" / "README.md").write_text("---\nlicense: apache-2.0\n---\n# A model\n")
    assert one(tmp_path, "vit").licence == "apache-2.0"
    assert isinstance(one(tmp_path, "vit").network, nn.Module)


def test_encode_takes_videos_and_banks_of_models(folder: Path, tmp_path: Path) -> None:
    """Each frame is a row; a task of a catalogue is its model, once."""
    write_clip(tmp_path / "clip.mp4", corner_frames(3))
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    out = tmp_path / "features.safetensors"
    words = ["encode", str(tmp_path / "a.png"), str(tmp_path / "clip.mp4"), "-o", str(out)]
    done = CliRunner().invoke(app, [*words, "--sources", f"hf:{folder}/vit", "--time"])
    assert done.exit_code == 0, done.stderr
    with safe_open(out, framework="np") as file:
        assert file.get_tensor("hf:vit@2").shape == (4, 16, 4, 4)
        names = json.loads(file.metadata()["images"])
    assert names == [str(tmp_path / "a.png"), *(f"{tmp_path / 'clip.mp4'}#{number}" for number in range(3))]
    row = {
        "name": "dense", "tasks": ["normals", "depth"], "loader": "transformers",
        "class": "Tipsv2DptForDensePrediction", "id": str(folder / "dense"), "licence": "", "depth": "metres",
        "axes": "right, down, forward",
    }  # fmt: skip
    bank = str(write_catalogue(tmp_path / "mine.toml", row))
    again = [*words, "--bank", bank, "--overwrite"]
    assert "--accept-licence" in CliRunner().invoke(app, again).stderr
    done = CliRunner().invoke(app, [*again, "--accept-licence", "dense"])
    assert done.exit_code == 0, done.stderr
    with safe_open(out, framework="np") as file:
        assert list(file.keys()) == ["hf:dense@3"]
    assert "leave it out" in CliRunner().invoke(app, [*again, "--raw", "--accept-licence", "dense"]).stderr
    assert "leave it out" in CliRunner().invoke(app, [*words, "--overwrite", "--accept-licence", "x"]).stderr
