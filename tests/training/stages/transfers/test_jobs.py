"""A whole small run whose answer is known: the source that holds the target must win."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.training.stages.transfers.toy_run import (
    IGNORANT,
    KNOWING,
    SIZE,
    SOURCES,
    TARGETS,
    TINY,
    save_network,
    toy_config,
    toy_places,
    write_telling_codes,
)
from torch.nn import functional
from training.data.frames import FrameStore
from training.errors import DataError
from training.runs.engine import LocalEngine
from training.stages.transfers.divide import divide
from training.stages.transfers.jobs import ControlJob, TransferJob
from training.stages.transfers.loss_files import HELD_OUT, TEST, load_losses, load_target, losses_path
from training.stages.transfers.places import Places, TargetData
from training.stages.transfers.readouts import load_readout, load_scratch
from training.stages.transfers.ridge import load_ridge
from training.stages.transfers.stage import load_counts, load_ranking, train_all

from taskbank.learning.losses import losses

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    made = toy_places(tmp_path_factory.mktemp("run"))
    write_telling_codes(made)
    train_all(toy_config(), made, "cpu", LocalEngine())
    return made


def test_the_source_that_holds_the_target_wins(places: Places) -> None:
    found = load_losses(losses_path(places.out, "reshading", "order_1"), TEST).by_name
    means = {name: values.mean() for name, values in found.items()}
    assert min(means, key=lambda name: means[name]) == KNOWING
    assert means[KNOWING] < 0.85 * means[IGNORANT]
    assert load_ranking(places.out)["reshading"][0] == KNOWING


@pytest.mark.parametrize("target", TARGETS)
def test_ridge_read_outs_find_that_source_too(places: Places, target: str) -> None:
    errors = load_ridge(places.out, target)
    assert min(errors, key=lambda name: errors[name]) == KNOWING
    assert errors[KNOWING] < 0.5
    assert errors[IGNORANT] > 0.8


def test_neither_random_nor_the_target_itself_is_ranked(places: Places) -> None:
    ranking = load_ranking(places.out)["depth_zbuffer"]
    assert set(ranking) == set(SOURCES) - {"random"}


def test_every_transfer_and_control_keeps_its_losses(places: Places) -> None:
    found = load_target(places.out, "depth_zbuffer")
    pairs = {name for name in found.by_name if "+" in name}
    assert set(found.by_name) - pairs == {*SOURCES, "scratch", "average", "full_supervision"}
    assert len(pairs) == 3
    assert all(len(values) == len(found.rooms) for values in found.by_name.values())
    assert set(found.rooms) == {100, 101, 102, 103}


def test_a_stored_transfer_gives_the_losses_that_were_kept(places: Places) -> None:
    target = "depth_zbuffer"
    reading = TargetData(target, places, toy_config(), CPU).test
    rows = np.arange(8)
    codes, loss_of = reading.code_batch([(KNOWING,)], rows)
    readout = load_readout(places.out, target, [KNOWING], TINY)
    with torch.no_grad():
        again = loss_of(readout(codes[0]))
    kept = load_losses(losses_path(places.out, target, "order_1"), TEST).by_name[KNOWING][:8]
    np.testing.assert_allclose(again.numpy(), kept, rtol=1e-4)


def test_a_stored_network_from_scratch_gives_the_losses_that_were_kept(places: Places) -> None:
    target = "depth_zbuffer"
    shown, loss_of = TargetData(target, places, toy_config(), CPU).test.picture_batch(np.arange(8))
    network = load_scratch(places.out, target, TINY)
    with torch.no_grad():
        again = loss_of(network(shown))
    kept = load_losses(losses_path(places.out, target, "scratch"), TEST).by_name["scratch"][:8]
    np.testing.assert_allclose(again.numpy(), kept, rtol=1e-4)


def test_a_network_from_scratch_that_was_not_kept_is_named(places: Places) -> None:
    with pytest.raises(DataError, match=r"no network from scratch at .*: delete scratch.losses.safetensors"):
        load_scratch(places.out, "normal", TINY)


def test_full_supervision_is_the_network_of_stage_1(places: Places) -> None:
    from training.stages.networks.finished import load_network

    data = TargetData("reshading", places, toy_config(), CPU)
    shown, _ = data.test.picture_batch(np.arange(4))
    network = load_network(places.networks, data.task, TINY)
    with torch.no_grad():
        wanted = losses(data.task, network(shown), data.test.target(np.arange(4)))
    kept = load_losses(losses_path(places.out, "reshading", "full_supervision"), TEST).by_name[
        "full_supervision"
    ]
    np.testing.assert_allclose(kept[:4], wanted.numpy(), rtol=1e-4)


@pytest.mark.parametrize("target", ["reshading", "colorization", "class_scene"])
def test_full_supervision_is_shown_pictures_of_its_own_size(
    places: Places, target: str, tmp_path: Path
) -> None:
    own = save_network(tmp_path, target, 3)
    places = replace(places, networks=tmp_path)
    data = TargetData(target, places, toy_config(size=SIZE // 2), CPU)
    network, size = data.full_supervision()
    rows = np.arange(4)
    shown, loss_of = data.test.picture_batch(rows, size=size)
    whole, _ = TargetData(target, places, toy_config(), CPU).test.picture_batch(rows)
    assert size == SIZE
    assert torch.equal(shown, whole)
    with torch.no_grad():
        output = own(shown)
        reduced = output
        if output.dim() == 4:  # a map, compared with the target of the transfers' size
            reduced = functional.interpolate(output, scale_factor=0.5, mode="bilinear", antialias=True)
        torch.testing.assert_close(
            loss_of(network(shown)), losses(data.task, reduced, data.test.target(rows))
        )


def test_nothing_is_learned_from_held_out_rooms(places: Places) -> None:
    store = FrameStore.open(places.val)
    division = divide(store, toy_config())
    rooms = store.cameras["room"]
    assert not set(rooms[division.learned]) & set(rooms[division.held_out])
    held_out = load_losses(losses_path(places.out, "reshading", "order_1"), HELD_OUT)
    assert set(held_out.rooms) == set(rooms[division.held_out])
    assert load_counts(places.out)["images_transfer"] == division.learned.sum()


def test_a_job_that_is_run_again_gives_the_same_bytes(places: Places) -> None:
    job = ControlJob(places=places, config=toy_config(), device="cpu", target="reshading", control="scratch")
    before = job.output.read_bytes()
    job.output.unlink()
    job.run()
    assert job.output.read_bytes() == before


def test_passes_of_fewer_members_change_nothing(places: Places, tmp_path: Path) -> None:
    brief = toy_config(steps=3)
    tables = []
    for at_once in (1, 3):
        own = replace(places, out=tmp_path / str(at_once))
        config = toy_config(steps=3, at_once=at_once)
        assert config == brief
        sets = ((KNOWING,), (IGNORANT,), ("random",))
        job = TransferJob(places=own, config=config, device="cpu", target="reshading", order=1, sets=sets)
        job.run()
        tables.append(np.stack(list(load_losses(job.output, TEST).by_name.values())))
    np.testing.assert_allclose(tables[0], tables[1], rtol=2e-2)


def test_a_missing_network_is_named(places: Places, tmp_path: Path) -> None:
    lacking = replace(places, networks=tmp_path, out=tmp_path / "out")
    job = ControlJob(
        places=lacking, config=toy_config(), device="cpu", target="reshading", control="full_supervision"
    )
    with pytest.raises(
        DataError, match="no network of 'reshading' in .*: run stage 1, or leave the task out"
    ):
        job.run()


def test_a_transfer_that_was_not_trained_is_named(places: Places) -> None:
    with pytest.raises(
        DataError, match="has no transfer from keypoints2d; it has curvature, edge_texture, normal, random"
    ):
        load_readout(places.out, "reshading", ["keypoints2d"], TINY)
    with pytest.raises(DataError, match="no transfers at .*order_3.*: run stage 2 first"):
        load_readout(places.out, "reshading", ["a", "b", "c"], TINY)
