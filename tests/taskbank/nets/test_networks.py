"""Shapes, ranges and errors of the `resnet50` form's networks."""

from __future__ import annotations

import pytest
import torch

from taskbank.errors import InvalidInputError
from taskbank.nets.decoders import ColorizationDecoder, DecoderWidths, Deconvolution, PixelDecoder
from taskbank.nets.encoder import ResNetEncoder, ResNetWidths, normalise_representation
from taskbank.nets.heads import FullyConnectedHead, ThreeImageHead, flatten_codes
from taskbank.nets.initialise import initialise
from taskbank.nets.transfer import TransferNetwork, clip_outliers

TOY = ResNetWidths(stem=4, planes=(2, 2, 4, 4), blocks=(2, 2, 2, 2))
TOY_DECODER = DecoderWidths(pixel=(8,) * 13, colour=(8,) * 12)


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    """Standard normal numbers."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("size", "code"),
    [((256, 256), (16, 16)), ((64, 128), (4, 8)), ((512, 256), (32, 16)), ((96, 31), (6, 2))],
)
def test_the_encoder_takes_any_size(size: tuple[int, int], code: tuple[int, int]) -> None:
    """A sixteenth of the input's size."""
    codes = ResNetEncoder(TOY).eval()(random(2, 3, *size))
    assert codes.shape == (2, 8, *code)
    assert codes.min() >= 0


def test_the_stride_of_a_stage_is_in_its_last_block() -> None:
    """Slim's convention, which the original weights need."""
    encoder = ResNetEncoder()
    convolutions = [encoder.get_submodule(f"layer1.{block}.conv2") for block in range(3)]
    assert [conv.stride for conv in convolutions] == [(1, 1), (1, 1), (2, 2)]
    assert not list(encoder.get_submodule("layer1.2.downsample").parameters())


def test_lightness_alone_can_be_the_input() -> None:
    """The original colorization network has one input channel."""
    assert ResNetEncoder(TOY, in_channels=1).eval()(random(1, 1, 64, 64)).shape == (1, 8, 4, 4)


def test_normalised_representations_have_mean_0_and_variance_1() -> None:
    """Per image and channel."""
    code = normalise_representation(random(3, 8, 16, 16) * 7 + 3)
    assert code.mean((2, 3)).abs().max() < 1e-5
    assert (code.var((2, 3), correction=0) - 1).abs().max() < 1e-4


@pytest.mark.parametrize("size", [(16, 16), (3, 5)])
def test_the_pixel_decoder_gives_sixteen_times_the_size(size: tuple[int, int]) -> None:
    """Any size; within tanh's range."""
    decoded = PixelDecoder(2, widths=TOY_DECODER).eval()(random(2, 8, *size))
    assert decoded.shape == (2, 2, 16 * size[0], 16 * size[1])
    assert decoded.abs().max() <= 1


def test_without_the_tanh_only_the_last_step_differs() -> None:
    """Same weights, unbounded output."""
    bounded = PixelDecoder(17, widths=TOY_DECODER).eval()
    unbounded = PixelDecoder(17, bounded=False, widths=TOY_DECODER).eval()
    unbounded.load_state_dict(bounded.state_dict(), strict=True)
    codes = random(1, 8, 4, 4)
    assert torch.equal(bounded(codes), torch.tanh(unbounded(codes)))


def test_deconvolution_doubles_sizes_and_starts_at_the_first_pixel() -> None:
    """One pixel in, kernel's first four numbers out: the last row and column are cut."""
    layer = Deconvolution(1, 1)
    kernel = torch.arange(9.0).reshape(1, 1, 3, 3)
    layer.load_state_dict({"weight": kernel})
    assert layer(torch.ones(1, 1, 1, 1)).tolist() == [[[[0.0, 1.0], [3.0, 4.0]]]]


def test_colorization_gives_logits_at_four_times_the_size() -> None:
    """64 x 64 for a 256 px image."""
    decoded = ColorizationDecoder(313, widths=TOY_DECODER).eval()(random(1, 8, 16, 16))
    assert decoded.shape == (1, 313, 64, 64)


def test_codes_are_flattened_by_row_column_channel_and_image() -> None:
    """The order that weights trained in TensorFlow need."""
    codes = torch.arange(2 * 2 * 2 * 2.0).reshape(1, 2, 2, 2, 2)
    assert flatten_codes(codes)[0, :8].tolist() == [0, 4, 1, 5, 2, 6, 3, 7]
    assert flatten_codes(codes)[0, 8:].tolist() == [8, 12, 9, 13, 10, 14, 11, 15]
    assert torch.equal(flatten_codes(codes[:, 0]), flatten_codes(codes)[:, :8])


@pytest.mark.parametrize(("hidden", "batch_norm"), [((8,), True), ((8, 6), True), ((8, 6), False)])
def test_heads_join_the_encodings_of_a_prediction(hidden: tuple[int, ...], batch_norm: bool) -> None:
    """Two images, hidden layers with and without batch norm."""
    head = FullyConnectedHead(2 * 8 * 4 * 4, hidden, 6, batch_norm=batch_norm).eval()
    assert head(random(3, 2, 8, 4, 4)).shape == (3, 6)


def test_a_head_refuses_another_image_size() -> None:
    """With the shape, the expected number and the reason."""
    head = FullyConnectedHead(2048, (8,), 6)
    with pytest.raises(InvalidInputError, match=r"\(1, 8, 32, 32\) hold 8192 numbers.*reads 2048.*256 px"):
        head(random(1, 8, 32, 32))


def test_a_head_of_three_hidden_layers_is_refused() -> None:
    """No original network has one."""
    with pytest.raises(InvalidInputError, match="more than 2 layers"):
        FullyConnectedHead(2048, (8, 8, 8), 6)


def test_three_images_give_two_poses() -> None:
    """Poses 1-2 and 2-3 from separate heads without batch norm."""
    head = ThreeImageHead(3 * 128, (8, 8), 12).eval()
    assert head(random(2, 3, 8, 4, 4)).shape == (2, 12)
    assert not any("bn" in name for name in head.state_dict())


@pytest.mark.parametrize("num_sources", [1, 2, 4])
def test_a_transfer_gives_sixteen_channels_of_the_same_size(num_sources: int) -> None:
    """For one image and for several."""
    transfer = TransferNetwork(num_sources).eval()
    codes = random(2, 3, 8 * num_sources, 5, 6)
    together = transfer(codes)
    assert together.shape == (2, 3, 16, 5, 6)
    assert torch.allclose(together[:, 1], transfer(codes[:, 1]), atol=1e-6)


def test_a_transfer_refuses_another_number_of_sources() -> None:
    """Channels that do not fit, and no source at all."""
    with pytest.raises(InvalidInputError, match="have 8 channels, but this transfer network joins 16"):
        TransferNetwork(2)(random(1, 8, 4, 4))
    with pytest.raises(InvalidInputError, match="num_sources is 0"):
        TransferNetwork(0)


def test_outliers_are_clipped_to_five_standard_deviations_in_training_only() -> None:
    """Per channel over the batch."""
    codes = torch.zeros(1, 8, 10, 10)
    codes[0, 0, 0, 0] = 100.0
    clipped = clip_outliers(codes)
    std = float(codes[:, 0].std(correction=0))
    assert clipped[0, 0, 0, 0] == pytest.approx(1.0 + 5 * std, rel=1e-5)
    assert torch.equal(clipped[:, 1:], codes[:, 1:])


def test_a_transfer_clips_outliers_while_it_learns_and_not_when_it_predicts() -> None:
    """The first norm's running mean and its output show it."""
    codes = random(4, 8, 10, 10)
    codes[0, 0, 0, 0] = 1000.0
    transfer = TransferNetwork(1)
    seen: list[torch.Tensor] = []
    transfer.bn_in.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    transfer.train()(codes)
    moved = transfer.bn_in.get_buffer("running_mean").clone()
    transfer.eval()(codes)
    learned, predicted = seen
    assert torch.allclose(moved, 0.2 * learned.mean((0, 2, 3)), atol=1e-6)  # TensorFlow's decay of 0.8
    assert learned.max() < 300
    assert torch.equal(learned, clip_outliers(codes))
    assert torch.equal(predicted, codes)


def test_the_same_seed_gives_the_same_weights_and_leaves_the_global_generator_alone() -> None:
    """Two networks, one seed; another seed differs."""
    networks = [ResNetEncoder(TOY) for _ in range(3)]
    before = torch.get_rng_state()
    for network, seed in zip(networks, (5, 5, 6), strict=True):
        initialise(network, seed)
    assert torch.equal(torch.get_rng_state(), before)
    first, second, other = (network.compress1.weight for network in networks)
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_widths_that_do_not_fit_are_refused() -> None:
    """Configurations are checked when they are made."""
    with pytest.raises(InvalidInputError, match="must be four positive numbers"):
        ResNetWidths(planes=(64, 128))
    with pytest.raises(InvalidInputError, match=r"pixel .* must be 13 positive numbers"):
        DecoderWidths(pixel=(8,))


@pytest.mark.parametrize("decoder", [PixelDecoder, ColorizationDecoder])
def test_gradients_reach_every_parameter(decoder: type[PixelDecoder] | type[ColorizationDecoder]) -> None:
    """In-place activations do not break training."""
    networks = (ResNetEncoder(TOY), TransferNetwork(1), decoder(2, in_channels=16, widths=TOY_DECODER))
    torch.nn.Sequential(*networks)(random(2, 3, 64, 64)).square().mean().backward()
    for network in networks:
        assert all(values.grad is not None for values in network.parameters())
