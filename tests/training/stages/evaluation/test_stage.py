from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.training.stages.evaluation.toy_evaluated import ToyRun, toy_run
from tests.training.stages.transfers.toy_run import save_network
from training.data.frames import FrameStore
from training.errors import ConfigError, DataError
from training.stages.evaluation.assemble import assemble_bank
from training.stages.evaluation.carry_over import agreement, error_of
from training.stages.evaluation.choice import those_that_fit, wanted_transfers
from training.stages.evaluation.config import EvaluateConfig
from training.stages.evaluation.report import report_text
from training.stages.evaluation.sanity import SanityRow, sanity_text, transfers_beat_average, wins
from training.stages.evaluation.stage import BANK, REPORT, SCORES, _kept, run_evaluation
from training.stages.evaluation.weights import check_measured, weights_of
from training.stages.networks.finished import load_network
from training.stages.publishing.stage import CARD, TENSOR, run_publishing
from training.stages.transfers.codes import source_encoder
from training.stages.transfers.loss_files import load_target

from taskbank.bank.bank import Bank
from taskbank.bank.health import constant_beaten
from taskbank.bank.quantise import Storage
from taskbank.nets.build import ScratchNetwork, TransferReadout
from taskbank.tasks.registry import TASKS
from taxsolver import AffinityTensor, load_affinity

_CONFIG = EvaluateConfig(samples=4, transfer_samples=2, pictured=3, shown_sources=2, carried_over=2)
_NETWORKS = {"normal", "depth_zbuffer", "reshading", "edge_texture", "curvature"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ToyRun:
    return toy_run(tmp_path_factory.mktemp("run"))


def _evaluate(run: ToyRun, config: EvaluateConfig = _CONFIG, *, overwrite: bool = False) -> Path:
    return run_evaluation(
        run.trained(config),
        test=run.test,
        out=run.root / "evaluation",
        real=run.real,
        device="cpu",
        overwrite=overwrite,
    )


@pytest.fixture(scope="module")
def evaluation(run: ToyRun) -> Path:
    return _evaluate(run)


@pytest.fixture(scope="module")
def published(run: ToyRun, evaluation: Path) -> Path:
    return run_publishing(
        run.trained(_CONFIG),
        frames=run.frames,
        evaluation=evaluation,
        out=run.root / "published",
        card="## Taxonomy\n\nSaid by an earlier stage.\n",
    )


def test_the_bank_holds_every_network_random_and_the_chosen_transfers(run: ToyRun, evaluation: Path) -> None:
    bank = Bank.open(evaluation / BANK)
    assert set(bank.tasks) == {*_NETWORKS, "random"}
    assert bank.index.image_size == 32
    wanted = wanted_transfers(load_affinity(run.affinity), _CONFIG)
    assert {(frozenset(sources), target) for sources, target in bank.transfers} == {
        (frozenset(sources), target) for sources, target in wanted
    }
    sources, target = bank.transfers[0]
    assert isinstance(bank.load_transfer(sources, target), TransferReadout)
    for shown in ("normal", "depth_zbuffer"):
        assert isinstance(bank.load_transfer(["scratch"], shown), ScratchNetwork)
        assert (("random",), shown) in bank.transfers


def test_random_is_to_the_bit_what_transfers_have_read(run: ToyRun, evaluation: Path) -> None:
    image = torch.rand((1, 3, 32, 32), generator=torch.Generator().manual_seed(0)) * 2 - 1
    read = source_encoder("random", run.networks, run.config.architecture, run.config.seed)
    with torch.inference_mode():
        assert torch.equal(Bank.open(evaluation / BANK).load_encoder("random")(image), read(image))


def test_a_bank_whose_random_is_not_what_transfers_have_read_is_refused(
    run: ToyRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taskbank.bank.seeded.UNTRAINED_GAIN", 1.5)
    with pytest.raises(DataError, match="has read another 'random' than seed 0 gives now: run stage 2 again"):
        assemble_bank(tmp_path / "bank", run.trained(_CONFIG))


def test_a_bank_gets_semantic_logits_without_the_class_weights_of_the_loss(
    run: ToyRun, tmp_path: Path
) -> None:
    networks = tmp_path / "networks"
    shutil.copytree(run.networks, networks)
    save_network(networks, "segment_semantic", 7)
    about = json.loads((networks / "normal.json").read_text())
    weights = [0.5, *[2.0] * 16]
    (networks / "segment_semantic.json").write_text(json.dumps({**about, "class_weights": weights}))
    trained = replace(run.trained(replace(_CONFIG, storage=Storage.FP32)), networks=networks)
    task, image = TASKS["segment_semantic"], torch.zeros(1, 3, 32, 32)
    with torch.inference_mode():
        learned = load_network(networks, task, run.config.architecture)(image)
        shipped = assemble_bank(tmp_path / "bank", trained).load("segment_semantic")(image)
    expected = torch.tensor(weights).log()[:, None, None].expand(17, 32, 32)
    torch.testing.assert_close((learned - shipped)[0], expected, atol=1e-4, rtol=0)


def test_a_bank_that_its_task_networks_fill_is_refused(run: ToyRun, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"5 task networks take .* max_megabytes 1.5 is too little"):
        assemble_bank(tmp_path / "bank", run.trained(replace(_CONFIG, max_megabytes=1.5)))


def test_transfers_that_do_not_fit_stay_out(run: ToyRun, tmp_path: Path) -> None:
    whole = assemble_bank(tmp_path / "whole", run.trained(replace(_CONFIG, max_megabytes=None)))
    tasks = sum(file.size for entry in whole.index.tasks.values() for file in entry.files)
    first = whole.index.transfers[0].file.size
    limit = (1_500_000 + tasks + first) / 1e6
    small = assemble_bank(tmp_path / "small", run.trained(replace(_CONFIG, max_megabytes=limit)))
    assert small.transfers == whole.transfers[:1]


def test_everything_is_measured_on_rendered_and_real_frames(run: ToyRun, evaluation: Path) -> None:
    scores = json.loads((evaluation / SCORES).read_text())
    assert set(scores["test"]) == _NETWORKS
    assert scores["real_frames"] == 3
    assert set(scores["real"]) == set(scores["real_constant"]) == {"normal", "depth_zbuffer", "reshading"}
    assert [one["target"] for one in scores["carry_over"]] == ["normal", "depth_zbuffer"]
    assert all({"spearman", "spearman_alive"} <= set(one) for one in scores["carry_over"])
    assert scores["frames"] == len(FrameStore.open(run.test))
    assert all(math.isfinite(error) for one in scores["carry_over"] for error in one["errors"].values())
    assert {row["task"] for row in scores["sanity"]} == {"normal", "depth_zbuffer"}


def test_the_report_fits_a_page_and_names_every_table(evaluation: Path) -> None:
    text = (evaluation / REPORT).read_text()
    assert max(map(len, text.splitlines())) <= 110
    for words in ("Test frames", "average estimator", "3 real frames", "best constant", "Spearman"):
        assert words in text


def test_the_published_bank_has_its_metrics_and_the_weights_that_were_measured(
    evaluation: Path, published: Path
) -> None:
    bank, measured = Bank.open(published / BANK), Bank.open(evaluation / BANK)
    scores = json.loads((evaluation / SCORES).read_text())
    assert [file.sha256 for file in bank.index.files] == [file.sha256 for file in measured.index.files]
    metrics = bank.entry("normal").metrics
    assert metrics["mean"] == scores["test"]["normal"]["mean"]
    assert metrics["real_mean"] == scores["real"]["normal"]["mean"]
    assert 0 <= bank.entry("normal").training["win_rates"]["beats_average"] <= 1
    transfer = bank.index.transfers[0]
    health = scores["health"]
    assert set(health) == {*_NETWORKS, *(entry.name for entry in bank.index.transfers)}
    assert transfer.metrics.items() <= (scores["transfers"][transfer.name] | health[transfer.name]).items()
    assert set(health["normal"]) == {"dead_channels", "output_variation"} <= set(metrics)
    assert transfer.training["win_rates"]["affinity"] > 0
    assert bank.entry("normal").training["steps"] == 3


def test_every_network_is_compared_with_the_best_constant(run: ToyRun, published: Path) -> None:
    bank = Bank.open(published / BANK)
    source = bank.entry("reshading").training  # no target of stage 2, as jigsaw and inpainting are not
    assert source["held_out"] == {"held_out_loss": 0.4, "constant_loss": 0.5, "beats_average": 0.75}
    assert (source["win_rates"], constant_beaten(source)) == ({}, 0.75)
    target = bank.entry("normal").training
    assert constant_beaten(target) == target["win_rates"]["beats_average"] != 0.75
    for entry in bank.index.transfers:
        losses = load_target(run.transfers, entry.target).by_name
        (own,) = [values for name, values in losses.items() if set(name.split("+")) == set(entry.sources)]
        assert constant_beaten(entry.training) == wins(own, losses["average"])


def test_transfers_without_losses_are_told(run: ToyRun, evaluation: Path) -> None:
    entry = Bank.open(evaluation / BANK).index.transfers[0]
    stranger = replace(entry, sources=("jigsaw",))
    with pytest.raises(DataError, match=r"no losses of 'jigsaw -> \w+' in .*: run stage 2 again"):
        transfers_beat_average(run.transfers, [stranger])


def test_the_card_says_what_stages_said_and_lies_in_the_bank_too(run: ToyRun, published: Path) -> None:
    card = (published / CARD).read_text()
    assert "Said by an earlier stage." in card
    assert "## Limits" in card
    assert "Learned from rendered indoor rooms only" in card
    assert card == (published / BANK / "README.md").read_text()
    assert (published / TENSOR).read_bytes() == run.affinity.read_bytes()


def test_an_evaluation_that_is_done_is_not_done_again_and_other_settings_are_refused(
    run: ToyRun, evaluation: Path
) -> None:
    before = (evaluation / SCORES).stat().st_mtime_ns
    _evaluate(run)
    assert (evaluation / SCORES).stat().st_mtime_ns == before
    with pytest.raises(ConfigError, match="samples"):
        _evaluate(run, replace(_CONFIG, samples=3))


def test_a_part_that_was_measured_before_a_stop_is_not_measured_again(tmp_path: Path) -> None:
    path, calls = tmp_path / "parts" / "test.json", []

    def measured() -> dict[str, float]:
        calls.append(1)
        return {"mean": 0.1}

    assert _kept(path, measured) == _kept(path, measured) == {"mean": 0.1}
    assert len(calls) == 1


def test_numbers_of_other_weights_are_not_published(tmp_path: Path, evaluation: Path) -> None:
    from tests.taskbank.toy import TOY_COMPACT, toy_network

    other = Bank.save(
        tmp_path / "b", name="b", architecture=TOY_COMPACT, networks={"normal": toy_network("normal")}
    )
    with pytest.raises(
        Exception, match=r"encoders/normal.safetensors is not what was measured: .* run it again"
    ):
        check_measured(other.index, weights_of(Bank.open(evaluation / BANK).index))


def _tensor() -> AffinityTensor:
    """Order-1 and order-2 transfers to `normal` with affinities by hand."""
    tasks = ("curvature", "edge_texture", "jigsaw", "normal", "random")
    rows = [("curvature",), ("edge_texture",), ("jigsaw",), ("normal",), ("random",), ("curvature", "jigsaw")]
    values = np.array([0.3, 0.1, 0.15, 0.2, 0.05, 0.2])
    return AffinityTensor(
        name="hand",
        tasks=tasks,
        targets=("normal",),
        sources=np.array([[task in sources for task in tasks] for sources in rows]),
        target=np.full(6, 3, dtype=np.int32),
        affinity=values,
        gain=values,
        quality=values,
        full_supervision=np.zeros(6, dtype=bool),
        untrained=("random",),
    )


def test_the_best_of_each_order_is_chosen_then_those_to_be_compared() -> None:
    config = EvaluateConfig(shown_targets=("normal",), shown_sources=2)
    assert wanted_transfers(_tensor(), config) == [
        (("curvature",), "normal"),
        (("curvature", "jigsaw"), "normal"),
        (("edge_texture",), "normal"),
        (("random",), "normal"),
        (("scratch",), "normal"),
    ]
    assert wanted_transfers(_tensor(), EvaluateConfig(shown_targets=())) == [
        (("curvature",), "normal"),
        (("curvature", "jigsaw"), "normal"),
    ]


def test_what_is_asked_for_most_goes_first_and_what_does_not_fit_is_left_out() -> None:
    wanted = [(("curvature",), "normal"), (("scratch",), "normal"), (("jigsaw",), "normal")]
    sizes = {"curvature": 3, "scratch": 8, "jigsaw": 2}
    for room, kept in ((13, 3), (11, 2), (8, 2), (4, 1), (2, 1), (1, 0)):
        chosen = those_that_fit(wanted, lambda key: sizes[key[0][0]], room)
        assert len(chosen) == kept
        assert sum(sizes[key[0][0]] for key in chosen) <= room
    assert those_that_fit(wanted, lambda key: sizes[key[0][0]], 5) == [wanted[0], wanted[2]]


def test_sources_that_rank_alike_agree_fully_and_the_other_way_round_not_at_all() -> None:
    errors = {"curvature": 10.0, "edge_texture": 40.0, "jigsaw": 30.0, "normal": 20.0, "random": 50.0}
    assert agreement(errors, _tensor(), "normal") == pytest.approx(1)
    turned = {source: -error for source, error in errors.items()}
    assert agreement(turned, _tensor(), "normal") == pytest.approx(-1)
    assert agreement({"curvature": 1.0}, _tensor(), "normal") is None
    assert agreement(errors, _tensor(), "reshading") is None


def test_each_target_has_one_error_that_ranks_sources() -> None:
    assert error_of("normal", {"mean": 30.0}) == 30
    assert error_of("depth_zbuffer", {"abs_rel_scaled": 0.2}) == 0.2
    assert error_of("segment_semantic", {"miou": 0.3}) == pytest.approx(0.7)
    assert error_of("normal", {}) == math.inf


def test_wins_are_shares_of_samples_and_ties_count_half() -> None:
    assert wins(np.array([1.0, 2.0, 3.0, 0.0]), np.array([2.0, 2.0, 1.0, 1.0])) == 0.625


def test_the_sanity_table_ends_with_means() -> None:
    rows = [
        SanityRow(task="normal", beats_average=1.0, beats_random=0.5, samples=1000),
        SanityRow(task="jigsaw", beats_average=0.5, beats_random=None, samples=10),
    ]
    lines = sanity_text(rows).splitlines()
    assert lines[1].split() == ["normal", "100.0", "50.0", "1,000"]
    assert lines[2].split() == ["jigsaw", "50.0", "-", "10"]
    assert lines[3].split() == ["mean", "75.0", "50.0"]


def test_a_report_without_real_frames_has_no_empty_tables() -> None:
    text = report_text({"test": {"normal": {"mean": 30.0}}, "sanity": []})
    assert "real" not in text
    assert "normal             mean 30 deg" in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"samples": 0}, "samples is 0, it must be at least 1"),
        ({"carried_over": 0}, "carried_over is 0, it must be at least 1"),
        ({"calibration": 1.5}, "calibration is 1.5, it must be from 0 to 1"),
        ({"transfer_orders": (0,)}, r"transfer_orders \(0,\) must be 1 or more"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        EvaluateConfig(**change)  # type: ignore[arg-type]
