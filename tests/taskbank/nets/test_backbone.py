"""Encoders that begin with the first levels of a timm model: cut where timm says, frozen, shared in a bank."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from torch import nn

from taskbank.bank.bank import Bank, Untrained
from taskbank.bank.download import download_bank
from taskbank.bank.index import SHARED_PATH
from taskbank.bank.quantise import Storage
from taskbank.errors import BankFormatError, InvalidInputError
from taskbank.inference.engine import Engine
from taskbank.nets.architecture import Backbone, architecture_from_json, architecture_to_json
from taskbank.nets.backbone import BackboneEncoder, Classifier, create_trunk
from taskbank.nets.build import TaskNetwork, build_encoder, build_network, build_readout, build_scratch
from taskbank.nets.compact import ReadoutWidths
from taskbank.nets.fold import fold_batch_norms
from taskbank.nets.initialise import initialise
from taskbank.tasks.registry import find_task

TINY = ReadoutWidths(decoder=(8, 8, 4, 4), decoder_blocks=(1, 1, 1), head=(4, 4, 4), full_size=2)
LITE = Backbone(model="test_efficientnet", level=3, shared=2, widths=TINY)

MODELS = {
    "efficientnet": LITE,
    "resnet": Backbone(model="test_resnet", level=3, shared=2, widths=TINY),
    "convnext": Backbone(model="test_convnext", level=2, shared=1, widths=TINY),
    "vit": Backbone(model="test_vit", level=1, shared=0, widths=TINY),
    "dinov2": Backbone(
        model="vit_small_patch14_dinov2",
        options={"depth": 2, "embed_dim": 24, "num_heads": 2},
        level=1,
        shared=2,
        widths=TINY,
    ),
}


@pytest.fixture(params=MODELS)
def architecture(request: pytest.FixtureRequest) -> Backbone:
    return MODELS[request.param]


def images(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0)) * 2 - 1


def network(architecture: Backbone, task: str = "normal", seed: int = 0) -> TaskNetwork:
    """A network whose shared levels are those of seed 0, whatever its own."""
    made = build_network(find_task(task), architecture)
    initialise(made, seed)
    assert isinstance(made.encoder, BackboneEncoder)
    first = build_encoder(architecture)
    initialise(first, 0)
    made.encoder.shared.load_state_dict(first.get_submodule("shared").state_dict())
    return made.eval()


def test_a_cut_model_gives_what_timm_gives_for_that_level(architecture: Backbone) -> None:
    trunk: Any = create_trunk(architecture.model, architecture.options).eval()
    shown = images(1, 3, 112, 112)  # seven patches of 16 px, eight of 14
    expected = trunk.forward_intermediates(
        shown, indices=[architecture.level], norm=True, intermediates_only=True
    )[-1]
    encoder = BackboneEncoder(trunk, architecture.level, architecture.shared).eval()
    levels = nn.Sequential(*list(encoder.shared.children())[1:], encoder.own)  # but for the preprocessing
    torch.testing.assert_close(levels(shown), expected)


def test_a_representation_has_a_place_for_16_px(architecture: Backbone) -> None:
    codes = network(architecture).encode(images(1, 3, 64, 80))
    assert codes.shape == (1, 8, 4, 5)
    assert network(architecture)(images(1, 3, 64, 80)).shape == (1, 3, 64, 80)


def test_inputs_are_normalised_as_the_model_was_trained() -> None:
    encoder = BackboneEncoder(create_trunk("test_convnext", {}), 2, 0)
    config: Any = timm.create_model("resnet18").pretrained_cfg
    resnet = BackboneEncoder(create_trunk("resnet18", {}), 3, 0)
    grey = torch.zeros(1, 3, 32, 32)  # 0.5 of [0, 1]
    expected = (0.5 - torch.tensor(config["mean"])) / torch.tensor(config["std"])
    torch.testing.assert_close(resnet.shared(grey)[0, :, 0, 0], expected)
    assert encoder.shared(grey).abs().max() == 0  # mean and std 0.5


def test_shared_levels_have_no_gradient_and_their_norms_never_change() -> None:
    made = network(LITE).train()
    assert isinstance(made.encoder, BackboneEncoder)
    before = {name: value.clone() for name, value in made.encoder.shared.state_dict().items()}
    made(images(2, 3, 32, 32)).sum().backward()
    assert all(parameter.grad is None for parameter in made.encoder.shared.parameters())
    assert any(
        bool(parameter.grad.any())
        for parameter in made.encoder.own.parameters()
        if parameter.grad is not None
    )
    for name, value in made.encoder.shared.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_folding_norms_changes_no_number(architecture: Backbone) -> None:
    made = network(architecture)
    for module in made.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            nn.init.normal_(module.running_mean, std=0.2)
            nn.init.uniform_(module.running_var, 0.5, 2)
    shown = images(1, 3, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(fold_batch_norms(made)(shown), made(shown), rtol=1e-3, atol=1e-5)


def test_the_own_classifier_of_a_model_goes_on_from_its_features() -> None:
    architecture = replace(LITE, classifier=True)
    made = build_network(find_task("class_object"), architecture).eval()
    trunk = create_trunk(architecture.model, architecture.options).eval()
    made.encoder.load_state_dict({**made.encoder.state_dict(), **BackboneEncoder(trunk, 3, 2).state_dict()})
    made.decoder.load_state_dict(Classifier(trunk, 3).state_dict())
    shown = images(1, 3, 64, 64)
    normalised = made.encoder.get_submodule("shared.0")(shown)
    torch.testing.assert_close(made(shown), trunk(normalised))
    assert made.encode(shown).shape == (1, 8, 4, 4)
    readout = build_readout(find_task("class_object"), architecture, ("normal",))
    assert not isinstance(readout.decoder, Classifier)


def test_a_network_from_scratch_learns_all_levels() -> None:
    scratch = build_scratch(find_task("normal"), LITE)
    assert all(parameter.requires_grad for parameter in scratch.parameters())


def test_the_architecture_is_read_as_it_was_written(architecture: Backbone) -> None:
    assert architecture_from_json(architecture_to_json(architecture)) == architecture


@pytest.mark.parametrize("storage", [Storage.FP16, Storage.INT8])
def test_a_bank_stores_shared_levels_once(tmp_path: Path, architecture: Backbone, storage: Storage) -> None:
    networks = {name: network(architecture, name, seed) for seed, name in enumerate(("normal", "reshading"))}
    bank = Bank.save(
        tmp_path / "bank",
        name="toy",
        architecture=architecture,
        networks={**networks, "random": Untrained(3)},
        storage=storage,
        image_size=32,
    )
    held = any(
        parameter.numel() for parameter in networks["normal"].encoder.get_submodule("shared").parameters()
    )
    assert (bank.index.shared is not None) == held == (tmp_path / "bank" / SHARED_PATH).is_file()
    names = {path.name for path in (tmp_path / "bank" / "encoders").iterdir()}
    assert names == {"normal.safetensors", "reshading.safetensors"} | (
        {"shared.safetensors"} if held else set()
    )
    shown = images(1, 3, 32, 32)
    for name, made in networks.items():
        torch.testing.assert_close(bank.load(name)(shown), made(shown), rtol=0.1, atol=0.05)
    assert bank.load_encoder("random")(shown).shape == (1, 8, 2, 2)


def test_an_engine_runs_shared_levels_once_for_an_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks = {
        name: network(LITE, name, seed) for seed, name in enumerate(("normal", "reshading", "curvature"))
    }
    bank = Bank.save(tmp_path / "bank", name="toy", architecture=LITE, networks=networks, image_size=32)
    alone = {
        name: next(iter(Engine(bank, [name]).run([np.full((32, 32, 3), 90, np.uint8)]))).raw[name]
        for name in networks
    }
    calls = []
    engine = Engine(bank, networks)
    shared = engine._pipeline.shared
    assert shared is not None
    shared.register_forward_hook(lambda *_: calls.append(1))
    together = next(iter(engine.run([np.full((32, 32, 3), 90, np.uint8)]))).raw
    assert len(calls) == 1
    for name, raw in alone.items():
        torch.testing.assert_close(together[name], raw)


def test_a_download_of_one_task_has_the_shared_levels(tmp_path: Path) -> None:
    networks = {name: network(LITE, name) for name in ("normal", "reshading")}
    Bank.save(tmp_path / "bank", name="toy", architecture=LITE, networks=networks, image_size=32)
    files = [file.path for file in download_bank(tmp_path / "bank", ["normal"]).files]
    assert files == [SHARED_PATH, "encoders/normal.safetensors", "decoders/normal.safetensors"]


def test_networks_that_share_different_levels_are_refused(tmp_path: Path) -> None:
    other = network(LITE, "reshading")
    with torch.no_grad():
        next(other.encoder.get_submodule("shared").parameters()).add_(1)
    with pytest.raises(InvalidInputError, match="the shared levels of 'reshading' are not those of 'normal'"):
        Bank.save(
            tmp_path / "bank",
            name="toy",
            architecture=LITE,
            networks={"normal": network(LITE), "reshading": other},
            image_size=32,
        )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "tf_efficientnet_light0"}, "no model 'tf_efficientnet_light0': choose another, such as"),
        ({"model": "hf-hub:someone/something"}, "timm has no model 'hf-hub:someone/something': "),
        ({"level": 9}, "level 9: choose 0 to 4"),
        ({"shared": 5}, "shared 5: choose 0 to 4"),
        ({"options": {"no_such_option": 1}}, "timm cannot make 'test_efficientnet'"),
        ({"model": "test_vit", "options": {}, "level": 1, "shared": 1}, "cannot be cut between its levels"),
    ],
)
def test_an_encoder_that_cannot_be_made_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        build_encoder(replace(LITE, **changes))


@pytest.mark.parametrize(
    "options",
    [
        {"checkpoint_path": "weights.pth"},
        {"pretrained": True},
        {"pretrained_cfg": {"file": "x"}},
        {"embed_dim": 10**9},
        {"embed_dim": float("inf")},
        {"depths": [3, 10**6]},
        {"block_fn": None},
    ],
)
def test_options_that_read_files_or_make_bombs_are_refused(options: dict[str, object]) -> None:
    written = {**architecture_to_json(LITE), "options": options}
    with pytest.raises(BankFormatError, match=next(iter(options))):
        architecture_from_json(written)
