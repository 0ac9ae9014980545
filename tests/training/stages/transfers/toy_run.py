"""Runs whose answer is known: one source's representation holds the target, others are noise."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from tests.training.toy_store import toy_store
from training.data.frames import FrameStore
from training.stages.transfers.config import TransfersConfig
from training.stages.transfers.places import Places

from taskbank.bank.quantise import Storage
from taskbank.bank.weights import weights_to_bytes
from taskbank.nets.architecture import Compact
from taskbank.nets.build import TaskNetwork, build_decoder, build_encoder
from taskbank.nets.compact import CompactWidths
from taskbank.nets.initialise import UNTRAINED_GAIN, initialise
from taskbank.tasks.registry import find_task

TINY = Compact(
    widths=CompactWidths(
        stem=4,
        stages=(4, 8, 8),
        blocks=(1, 1, 1),
        decoder=(16, 8, 8, 8),
        decoder_blocks=(1, 1, 1),
        head=(8, 8, 8),
    )
)
KNOWING, IGNORANT = "normal", "edge_texture"
SIZE = 32
SOURCES = (KNOWING, IGNORANT, "curvature", "random")
TARGETS = ("depth_zbuffer", "reshading")


def toy_config(**changes: object) -> TransfersConfig:
    """Two targets, four sources, pictures of 32 px."""
    settings: dict[str, object] = {
        "sources": SOURCES,
        "targets": TARGETS,
        "orders": (1, 2),
        "architecture": TINY,
        "steps": 150,
        "batch": 16,
        "learning_rate": 0.01,
        "drop_at": 0.7,
        "held_out": 0.34,
        **changes,
    }
    return TransfersConfig(**settings)  # type: ignore[arg-type] # whatever the test says


def toy_places(root: Path) -> Places:
    """Stores and untrained networks; no representations yet."""
    for split, rooms, first in (("train", 2, 0), ("val", 6, 50), ("test", 4, 100)):
        toy_store(root / "frames" / split, rooms=rooms, first_room=first, gaps=False)
    for number, name in enumerate({*SOURCES, *TARGETS} - {"random"}):
        save_network(root / "networks", name, number)
    return Places(
        val=root / "frames" / "val",
        test=root / "frames" / "test",
        networks=root / "networks",
        codes=root / "codes",
        out=root / "transfers",
    )


def save_network(folder: Path, name: str, seed: int) -> TaskNetwork:
    """An untrained network where stage 1 would leave it."""
    network = TaskNetwork(build_encoder(TINY), build_decoder(find_task(name), TINY))
    initialise(network, seed, gain=UNTRAINED_GAIN)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.safetensors").write_bytes(weights_to_bytes(network.state_dict(), Storage.FP32))
    (folder / f"{name}.json").write_text(json.dumps({"image_size": SIZE}), encoding="utf-8")
    return network.eval()


def write_telling_codes(places: Places) -> None:
    """Representations by hand: `normal` holds coarse depth and reshading, the others are noise."""
    for split, path in (("val", places.val), ("test", places.test)):
        store = FrameStore.open(path)
        every = np.arange(len(store))
        depth = store.read("depth_zbuffer", every).astype(np.float32) / 2000
        shade = store.read("reshading", every).astype(np.float32) / 128
        maps = torch.from_numpy(np.stack([depth, shade], 1))
        coarse = torch.nn.functional.adaptive_avg_pool2d(maps, (2 * 2, 2))  # two rows of each place
        telling = coarse.reshape(len(store), 2, 2, 2, 2).movedim(3, 2).flatten(1, 2)
        for number, source in enumerate(SOURCES):
            noise = np.random.default_rng([number, len(store)]).normal(size=(len(store), 8, 2, 2)).clip(0)
            if source == KNOWING:
                noise[:, :4] = telling.numpy()
            folder = places.codes / split
            folder.mkdir(parents=True, exist_ok=True)
            np.save(folder / f"{source}.npy", noise.astype(np.float16))
