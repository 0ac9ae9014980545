"""Third-party encoders as sources of transfers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.training.stages.transfers.toy_foreign import BLIND, OTHERS, SEEING, save_encoders
from tests.training.stages.transfers.toy_run import IGNORANT, KNOWING, TINY, toy_config, toy_places
from tests.training.stages.transfers.toy_run import write_telling_codes as write_codes_of_tasks
from tests.training.toy_store import toy_store
from training.data.frames import FrameStore
from training.errors import ConfigError
from training.learning.inputs import network_input
from training.learning.samples import Samples
from training.runs.engine import LocalEngine
from training.runs.settings import settings_of
from training.stages.transfers.codes import Codes, codes_path, input_seeds, write_codes
from training.stages.transfers.config import CodesSettings, TransfersConfig
from training.stages.transfers.foreign import describe_foreign
from training.stages.transfers.jobs import TransferJob
from training.stages.transfers.loss_files import TEST, load_losses, losses_path
from training.stages.transfers.places import Places, TargetData
from training.stages.transfers.readouts import load_readout
from training.stages.transfers.stage import load_foreign, load_ranking, train_all

from taskbank.bank.entries import ForeignEntry
from taskbank.encoders.names import open_encoder
from taskbank.encoders.square import SquareEncoder
from taskbank.tasks.registry import find_task

CPU = torch.device("cpu")
TELLING, NOISE = "hf:some/telling@1", "timm:noise@2#random"


def entry(name: str, channels: int) -> ForeignEntry:
    """An entry of an encoder that is never opened."""
    return ForeignEntry(
        name=name, opens=name, seed=0, size=32, channels=channels, parameters=1, sha256="0" * 64
    )


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Codes by hand: of 20 channels, the last 4 of one source hold the targets; the others are noise."""
    made = toy_places(tmp_path_factory.mktemp("run"))
    made = replace(made, foreign=(entry(NOISE, 20), entry(TELLING, 20)))
    write_codes_of_tasks(made)
    for split in ("val", "test"):
        knowing = codes_path(made.codes / split, KNOWING, noisy=False)
        told = np.load(knowing)
        for name in (NOISE, TELLING):
            codes = np.random.default_rng([len(told), len(name)]).normal(size=(len(told), 20, 2, 2))
            if name == TELLING:
                codes[:, -4:] = told[:, :4]
            np.save(codes_path(made.codes / split, name, noisy=False), codes.astype(np.float16))
        np.save(knowing, np.load(codes_path(made.codes / split, IGNORANT, noisy=False)))
    train_all(toy_config(targets=("reshading",)), made, "cpu", LocalEngine())
    return made


def test_a_foreign_source_that_holds_the_target_wins(places: Places) -> None:
    found = load_losses(losses_path(places.out, "reshading", "order_1"), TEST).by_name
    means = {name: float(values.mean()) for name, values in found.items()}
    assert set(means) == {*toy_config().sources, NOISE, TELLING}
    assert min(means, key=lambda name: means[name]) == TELLING
    assert means[TELLING] < 0.85 * means[NOISE]
    ranking = load_ranking(places.out)["reshading"]
    assert (ranking[0], set(ranking)) == (TELLING, {*toy_config().sources, NOISE, TELLING} - {"random"})


def test_higher_orders_join_sources_of_different_channels(places: Places) -> None:
    found = load_losses(losses_path(places.out, "reshading", "order_2"), TEST).by_name
    first, second = load_ranking(places.out)["reshading"][:2]
    assert f"{first}+{second}" in found
    assert len(found) == 10


@pytest.mark.parametrize("sources", [(TELLING,), (NOISE,), (KNOWING,), (TELLING, NOISE)])
def test_a_stored_transfer_projects_and_gives_the_losses_that_were_kept(
    places: Places, sources: tuple[str, ...]
) -> None:
    losses = load_losses(losses_path(places.out, "reshading", f"order_{len(sources)}"), TEST).by_name
    name = next(name for name in losses if set(name.split("+")) == set(sources))
    readout = load_readout(places.out, "reshading", sources, TINY)
    assert readout.sources == tuple(name.split("+"))
    assert readout.transfer.in_channels == 8 * len(sources)
    reading = TargetData("reshading", places, toy_config(), CPU).test
    codes, loss_of = reading.code_batch([readout.sources], np.arange(8))
    with torch.no_grad():
        again = loss_of(readout(codes[0]))
    np.testing.assert_allclose(again.numpy(), losses[name][:8], rtol=1e-4)


def test_read_outs_behind_projections_cost_what_others_cost(places: Places) -> None:
    own, foreign = (load_readout(places.out, "reshading", [name], TINY) for name in (KNOWING, TELLING))
    for part in ("transfer", "decoder"):
        counts = [sum(value.numel() for value in getattr(one, part).parameters()) for one in (own, foreign)]
        assert counts[0] == counts[1]


def test_the_stage_says_which_encoders_it_read(places: Places) -> None:
    assert load_foreign(places.out) == places.foreign


def test_transfers_of_tasks_are_to_the_bit_those_of_a_run_without_foreign_sources(
    places: Places, tmp_path: Path
) -> None:
    """Weights, batches and losses do not depend on who else is trained."""
    sets = ((KNOWING,), (IGNORANT,))
    files = []
    for foreign in ((), places.foreign):
        own = replace(places, foreign=foreign, out=tmp_path / str(len(foreign)))
        config = toy_config(steps=3)
        job = TransferJob(places=own, config=config, device="cpu", target="reshading", order=1, sets=sets)
        job.run()
        files.append([job.output.read_bytes(), *(path.read_bytes() for path in own.out.rglob("*.weights*"))])
    assert files[0] == files[1]


def test_settings_without_foreign_sources_are_written_as_before() -> None:
    """Else folders of earlier runs would be refused, and tensors have other bytes."""
    assert "foreign" not in settings_of(TransfersConfig())
    assert "foreign" not in settings_of(CodesSettings.of(TransfersConfig()))
    named = toy_config(foreign=("timm:test_vit",))
    assert settings_of(named)["foreign"] == ["timm:test_vit"]
    codes = settings_of(CodesSettings.of(named, [entry(TELLING, 20)]))
    assert codes["foreign"][TELLING]["sha256"] == "0" * 64


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FrameStore:
    return toy_store(tmp_path_factory.mktemp("frames"), rooms=2)


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("noisy", [False, True])
def test_codes_are_features_of_the_whole_picture_in_their_own_channels(
    store: FrameStore, tmp_path: Path, name: str, noisy: bool
) -> None:
    (described,) = describe_foreign([name], seed=3)
    path = write_codes(
        described, store, tmp_path / "codes", networks=tmp_path, config=toy_config(), noisy=noisy, device=CPU
    )
    codes = np.load(path)
    assert codes.dtype == np.float16
    assert codes.shape == (len(store), described.channels, 2, 2)
    rgb = torch.from_numpy(store.read("rgb", [3])).movedim(-1, 1)
    seeds = input_seeds(0, Samples(task="denoising", frames=np.arange(9)), np.array([3]))
    shown = network_input(find_task("denoising" if noisy else "autoencoding"), rgb, seeds)
    with torch.no_grad():
        wanted = SquareEncoder(open_encoder(name, seed=3))(shown)
    np.testing.assert_allclose(codes[3], wanted[0].numpy(), atol=3e-3, rtol=3e-3)
    read = Codes(tmp_path / "codes", "denoising" if noisy else "reshading").read(
        [(described.name,)], np.array([3, 4])
    )
    assert torch.equal(read[0], torch.from_numpy(codes[[3, 4]]))


def test_codes_are_written_as_numpy_writes_them(store: FrameStore, tmp_path: Path) -> None:
    (described,) = describe_foreign([OTHERS[0]], seed=0)
    path = write_codes(
        described, store, tmp_path, networks=tmp_path, config=toy_config(), noisy=False, device=CPU
    )
    np.save(tmp_path / "again.npy", np.load(path))
    assert (tmp_path / "again.npy").read_bytes() == path.read_bytes()


def test_encoders_are_described_by_their_names_and_hashes(tmp_path: Path) -> None:
    blind, seeing, *others = describe_foreign([*save_encoders(tmp_path), *OTHERS], seed=0)
    assert (blind.name, seeing.name) == (BLIND, SEEING)
    assert blind.sha256 != seeing.sha256
    assert [one.name for one in others] == [
        "timm:test_vit@1#random#32px",
        "timm:test_resnet@2#random#64px",
        "timm:vit_pwee_patch16_reg1_gap_256@3#random#48px",
    ]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["timm:test_vitt"], "foreign 'timm:test_vitt': timm has no model 'test_vitt': choose another, such"),
        (["timm:test_vit@9?weights=random"], "layer 9: choose 0 to 5, or -1 for the last"),
        (["timm:test_vit?weights=nowhere.pth"], "there are no weights at nowhere.pth: name a file, or"),
        (["hf:nobody/nothing"], "foreign 'hf:nobody/nothing': .* is not in the cache, and the Hub gives no"),
        (
            ["timm:test_vit?weights=random", "timm:test_vit@5?weights=random"],
            "are both the source 'timm:test_vit@5#random': leave out one, or rename a file of weights",
        ),
    ],
)
def test_encoders_that_cannot_be_sources_are_refused(
    monkeypatch: pytest.MonkeyPatch, names: list[str], message: str
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ConfigError, match=message.replace("?", r"\?")):
        describe_foreign(names, seed=0)


def test_a_name_that_tables_would_split_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taskbank.encoders.names.open_encoder", lambda name, seed: entry(name, 4))
    monkeypatch.setattr("taskbank.encoders.square.describe", lambda described: described)
    with pytest.raises(ConfigError, match=r"'hf:me/a__b@1' as several sources: rename its folder or file"):
        describe_foreign(["hf:me/a__b@1"], seed=0)


@pytest.mark.parametrize("name", ["normal", "rooms:normal", "hf://me/bank"])
def test_only_third_party_encoders_are_foreign(name: str) -> None:
    with pytest.raises(ConfigError, match=f"foreign '{name}' must be timm:MODEL.*; list tasks in"):
        toy_config(foreign=(name,))
