"""Representations on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.training.stages.transfers.toy_run import TINY, save_network, toy_config
from tests.training.toy_store import toy_store
from training.data.frames import FrameStore
from training.errors import DataError, DivergedError
from training.learning.inputs import NOISE, encoder_input, network_input
from training.learning.samples import Samples
from training.stages.transfers.codes import Codes, input_seeds, source_encoder, write_codes
from training.stages.transfers.reading import Reading

from taskbank.bank.quantise import Storage
from taskbank.bank.weights import weights_to_bytes
from taskbank.tasks.registry import find_task

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FrameStore:
    return toy_store(tmp_path_factory.mktemp("frames"), rooms=2)


def write(source: str, store: FrameStore, folder: Path, *, noisy: bool = False) -> Path:
    return write_codes(
        source,
        store,
        folder / "codes",
        networks=folder / "networks",
        config=toy_config(),
        noisy=noisy,
        device=CPU,
    )


@pytest.mark.parametrize("source", ["normal", "colorization", "jigsaw", "inpainting"])
def test_codes_are_what_the_encoder_gives_for_the_whole_picture(
    store: FrameStore, tmp_path: Path, source: str
) -> None:
    network = save_network(tmp_path / "networks", source, 1)
    codes = np.load(write(source, store, tmp_path))
    assert codes.dtype == np.float16
    assert codes.shape == (len(store), 8, 2, 2)
    rgb = torch.from_numpy(store.read("rgb", [3])).movedim(-1, 1)
    with torch.no_grad():
        wanted = network.encoder(encoder_input(find_task(source), rgb))
    np.testing.assert_allclose(codes[3], wanted[0].numpy(), atol=2e-3, rtol=2e-3)


def test_noisy_codes_see_the_noise_that_the_denoising_network_sees(store: FrameStore, tmp_path: Path) -> None:
    network = save_network(tmp_path / "networks", "normal", 1)
    codes = np.load(write("normal", store, tmp_path, noisy=True))
    rgb = torch.from_numpy(store.read("rgb", [3])).movedim(-1, 1)
    seeds = input_seeds(0, Samples(task="denoising", frames=np.arange(9)), np.array([3]))
    with torch.no_grad():
        wanted = network.encoder(network_input(find_task("denoising"), rgb, seeds))
    np.testing.assert_allclose(codes[3], wanted[0].numpy(), atol=2e-3, rtol=2e-3)


def test_noise_is_added_at_the_size_that_networks_see(tmp_path: Path) -> None:
    store = toy_store(tmp_path / "frames", rooms=2, size=128, gaps=False)
    task, config = find_task("denoising"), toy_config(size=32)
    reading, rows = Reading(task, store, tmp_path, config, CPU), np.arange(8)
    shown, _ = reading.picture_batch(rows)
    grain = shown - reading.target(rows).values
    assert grain.std().item() == pytest.approx(2 * NOISE, rel=0.1)  # pictures span two, and are clipped
    network = save_network(tmp_path / "networks", "normal", 1)
    path = write_codes(
        "normal", store, tmp_path / "codes", networks=tmp_path / "networks", config=config, noisy=True,
        device=CPU,
    )  # fmt: skip
    with torch.no_grad():
        wanted = network.encoder(shown)
    np.testing.assert_allclose(np.load(path)[:8], wanted.numpy(), atol=2e-3, rtol=2e-3)


def test_training_from_scratch_sees_no_other_noise_than_transfers(store: FrameStore, tmp_path: Path) -> None:
    reading = Reading(find_task("denoising"), store, tmp_path, toy_config(), CPU)
    first, later = (reading.picture_batch(np.arange(4), turn)[0] for turn in (0, 3))
    assert torch.equal(first, later)


def test_random_needs_no_network_and_comes_from_its_seed(tmp_path: Path) -> None:
    one, same, other = (source_encoder("random", tmp_path, TINY, seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(value, same[name]) for name, value in one.items())
    assert not torch.equal(one["stem.0.weight"], other["stem.0.weight"])


def test_codes_of_a_set_are_joined_in_its_order(tmp_path: Path) -> None:
    for number, source in enumerate(("normal", "jigsaw")):
        frames = np.arange(6, dtype=np.float16)[:, None, None, None] + 10 * number
        np.save(tmp_path / f"{source}.npy", np.broadcast_to(frames, (6, 8, 1, 1)))
    read = Codes(tmp_path, "fixated_pose").read(
        [("normal", "jigsaw"), ("jigsaw", "normal")], np.array([[2, 5]])
    )
    assert read.shape == (2, 1, 2, 16, 1, 1)
    assert read[0, 0, :, 0].flatten().tolist() == [2, 5]
    assert read[0, 0, :, 8].flatten().tolist() == [12, 15]
    assert read[1, 0, :, 0].flatten().tolist() == [12, 15]


def test_denoising_reads_noisy_codes(tmp_path: Path) -> None:
    assert Codes(tmp_path, "denoising").folder == tmp_path / "noisy"
    assert Codes(tmp_path, "autoencoding").folder == tmp_path


def test_missing_codes_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no representations of 'normal' in .*: write them first"):
        Codes(tmp_path, "reshading").read([("normal",)], np.array([0]))


def test_codes_beyond_sixteen_bits_are_refused(store: FrameStore, tmp_path: Path) -> None:
    network = save_network(tmp_path / "networks", "normal", 1)
    state = network.state_dict()
    state["encoder.compress.1.weight"] *= 1e6
    (tmp_path / "networks" / "normal.safetensors").write_bytes(weights_to_bytes(state, Storage.FP32))
    with pytest.raises(DivergedError, match="normal gives representations that overflow 16-bit floats"):
        write("normal", store, tmp_path)
