"""Every task has its network in both architectures, and architectures survive the way through JSON."""

from __future__ import annotations

import json
from typing import Literal

import pytest
import torch
from tests.taskbank.toy import TOYS, toy_network, toy_readout

from taskbank.errors import BankFormatError, InvalidInputError
from taskbank.nets.architecture import (
    ORIGINAL_UNBOUNDED,
    Architecture,
    Compact,
    ResNet50,
    architecture_from_json,
    architecture_to_json,
)
from taskbank.nets.build import build_decoder, build_encoder
from taskbank.nets.compact import CompactWidths
from taskbank.nets.initialise import initialise
from taskbank.tasks.registry import TASKS, DecoderForm

DECODED = [name for name, task in TASKS.items() if task.decoder is not DecoderForm.NONE]


def images_for(task: str, size: int = 256) -> torch.Tensor:
    """Float (1, 3, size, size), or (1, P, 3, size, size), in [-1, 1]."""
    count = TASKS[task].num_encodings
    shape = (1, 3, size, size) if count == 1 else (1, count, 3, size, size)
    return torch.rand(shape, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize("architecture", TOYS, ids=lambda made: made.name)
@pytest.mark.parametrize("task", DECODED)
def test_every_task_gives_its_output(task: str, architecture: Architecture) -> None:
    """Maps of the input's size, colour logits at a quarter, numbers for the rest."""
    network = toy_network(task, architecture)
    with torch.inference_mode():
        given = network(images_for(task))
    sides = {DecoderForm.PIXEL: (256, 256), DecoderForm.COLORIZATION: (64, 64)}
    assert given.shape == (1, TASKS[task].channels, *sides.get(TASKS[task].decoder, ()))
    assert given.isfinite().all()


@pytest.mark.parametrize("task", DECODED)
def test_compact_networks_take_any_size(task: str) -> None:
    """Heads too: they pool."""
    network = toy_network(task)
    with torch.inference_mode():
        assert network(images_for(task, 96)).shape[:2] == (1, TASKS[task].channels)


@pytest.mark.parametrize("architecture", TOYS, ids=lambda made: made.name)
@pytest.mark.parametrize("target", ["normal", "class_scene", "egomotion", "segment_unsup2d"])
def test_transfers_read_out_a_target(target: str, architecture: Architecture) -> None:
    """From the representations of two sources, for one image and for three."""
    readout = toy_readout(("normal", "reshading"), target, architecture)
    count = TASKS[target].num_encodings
    shape = (2, 16, 16, 16) if count == 1 else (2, count, 16, 16, 16)
    with torch.inference_mode():
        given = readout(torch.rand(shape, generator=torch.Generator().manual_seed(1)))
    assert given.shape[:2] == (2, TASKS[target].channels)


def test_random_projections_have_no_decoder() -> None:
    """The error says what to use."""
    with pytest.raises(InvalidInputError, match="'random' has no decoder: it gives representations only"):
        build_decoder(TASKS["random"], Compact())


def test_targets_beyond_a_tanh_have_none() -> None:
    """Logits, whitened curvature and blurred edges; the original's choice can be asked for."""
    ends = {name: last_layer(name, TOYS[0]) for name in ("normal", "curvature", "segment_semantic")}
    assert ends == {"normal": "Tanh", "curvature": "Identity", "segment_semantic": "Identity"}
    assert last_layer("curvature", ResNet50(unbounded=ORIGINAL_UNBOUNDED)) == "Tanh"


def last_layer(task: str, architecture: Architecture) -> str:
    """Class of the last layer of a pixel decoder."""
    with torch.device("meta"):
        decoder = build_decoder(TASKS[task], architecture)
    return type(decoder.get_submodule("decoder_output.1")).__name__


@pytest.mark.parametrize("architecture", [*TOYS, ResNet50(), Compact()])
def test_architectures_come_back_from_json(architecture: Architecture) -> None:
    """Through text, as in `bank.json`."""
    written = json.loads(json.dumps(architecture_to_json(architecture)))
    assert architecture_from_json(written) == architecture


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "vgg"}, "unknown architecture 'vgg': known are resnet50, compact"),
        ({"extra": 1}, "architecture compact must state"),
        ({"widths": {"stem": 4}}, "architecture compact.widths must state"),
        ({"widths": None}, "architecture compact.widths must state"),
        (
            {"widths": {**architecture_to_json(Compact())["widths"], "code_activation": "tanh"}},
            'code_activation \'tanh\' must be "none" or "relu"',
        ),
    ],
)
def test_a_wrong_architecture_is_a_format_error(change: dict[str, object], message: str) -> None:
    """With what was expected."""
    with pytest.raises(BankFormatError, match=message):
        architecture_from_json({**architecture_to_json(Compact()), **change})


def test_widths_that_do_not_fit_are_a_format_error() -> None:
    """The configuration's own message is passed on."""
    written = architecture_to_json(Compact())
    written["widths"]["stages"] = [1]
    with pytest.raises(BankFormatError, match=r"stages \(1,\) must be 3 positive numbers"):
        architecture_from_json(written)
    with pytest.raises(InvalidInputError, match="kernel 4 must be odd"):
        CompactWidths(kernel=4)


def test_compact_encoders_can_be_dense() -> None:
    """Same contract, other blocks; the choice is data and survives JSON."""
    made = Compact(widths=CompactWidths(stages=(4, 6, 8), blocks=(1, 1, 2), dense=True))
    encoder = build_encoder(architecture_from_json(architecture_to_json(made)))
    assert encoder(images_for("normal")).shape == (1, 8, 16, 16)
    assert not any("spatial" in name for name in encoder.state_dict())


def test_a_bank_from_before_code_activation_has_the_relu_it_was_trained_with() -> None:
    """Their representations are never negative."""
    written = architecture_to_json(Compact())
    del written["widths"]["code_activation"]
    assert architecture_from_json(written) == Compact(widths=CompactWidths(code_activation="relu"))


@pytest.mark.parametrize("activation", ["relu", "none"])
def test_a_code_that_drifts_below_zero_lives_on_without_a_relu(activation: Literal["none", "relu"]) -> None:
    """With the last norm's bias at -8 a ReLU is zero for all images, and no gradient reaches the encoder."""
    widths = CompactWidths(stages=(4, 6, 8), blocks=(1, 1, 2), code_activation=activation)
    encoder = build_encoder(Compact(widths=widths))
    initialise(encoder, 0)
    torch.nn.init.constant_(encoder.get_parameter("compress.1.bias"), -8.0)
    images = torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    codes = encoder(images)
    codes.square().mean().backward()
    stem = encoder.get_parameter("stem.0.weight").grad
    assert stem is not None
    assert bool(stem.abs().max() > 0) == (activation == "none")
    assert bool(codes.std(0).min() > 0.01) == (activation == "none")


def test_a_compact_bank_fits_its_size() -> None:
    """All 25 networks at one byte a weight stay under 28 million, which leaves 14 MB for transfers."""
    total = 0
    with torch.device("meta"):
        for name in DECODED:
            for network in (build_encoder(Compact()), build_decoder(TASKS[name], Compact())):
                total += sum(values.numel() for values in network.parameters())
    assert total < 28e6
