"""A run whose sources are encoders of timm too, from representations to the published bank."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from tests.training.stages.evaluation.toy_evaluated import real_folder
from tests.training.stages.transfers.toy_foreign import BLIND, SEEING, save_encoders
from tests.training.stages.transfers.toy_run import toy_config, toy_places
from training.errors import ConfigError, DataError
from training.stages.affinity.stage import AffinityConfig, run_affinity
from training.stages.evaluation.config import EvaluateConfig
from training.stages.evaluation.stage import BANK, SCORES, run_evaluation
from training.stages.evaluation.trained import Trained
from training.stages.publishing.bundle import bundle
from training.stages.publishing.check import NOTICE, _networks
from training.stages.publishing.stage import CARD, run_publishing
from training.stages.taxonomy.card import plan_text
from training.stages.taxonomy.stage import TaxonomyConfig, run_taxonomy, without_labels
from training.stages.transfers.config import TransfersConfig
from training.stages.transfers.stage import load_ranking, run_transfers

from taskbank.bank.bank import Bank
from taskbank.sources.timing import Cost, write_costs
from taxsolver import InvalidInputError, load_affinity, solve

TARGET = "depth_zbuffer"


@dataclass(frozen=True)
class ForeignRun:
    """Folders and settings of the run."""

    root: Path
    config: TransfersConfig
    stores: dict[str, Path]
    transfers: Path
    tensor: Path

    def start(self, config: TransfersConfig) -> Path:
        """Run stage 2, again or anew."""
        return run_transfers(config, self.root / "networks", self.stores, self.root)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ForeignRun:
    root = tmp_path_factory.mktemp("run")
    places = toy_places(root)
    for weights in places.networks.glob("*.safetensors"):
        weights.with_suffix(".json").write_text('{"steps": 3, "image_size": 32}')
    config = toy_config(
        sources=("random",),
        foreign=save_encoders(root / "timm"),
        targets=(TARGET,),
        steps=40,
        ridge_samples=16,
        average_samples=8,
    )
    stores = {split: root / "frames" / split for split in ("train", "val", "test")}
    transfers = run_transfers(config, places.networks, stores, root)
    tensor = run_affinity(AffinityConfig(resamples=3), transfers, stores, root)
    return ForeignRun(root, config, stores, transfers, tensor)


def test_the_encoder_that_sees_wins_over_the_blind_one(run: ForeignRun) -> None:
    tensor = load_affinity(run.tensor)
    assert tensor.tasks == tuple(sorted((TARGET, "random", BLIND, SEEING)))
    assert tensor.targets == (TARGET,)
    alone = {
        tensor.source_names(row)[0]: float(tensor.affinity[row])
        for row in np.flatnonzero((tensor.order == 1) & ~tensor.full_supervision).tolist()
    }
    assert alone[SEEING] > 2 * alone[BLIND]
    assert load_ranking(run.transfers)[TARGET] == (SEEING, BLIND)
    pairs = [tensor.source_names(row) for row in np.flatnonzero(tensor.order == 2).tolist()]
    assert pairs == [tuple(sorted((SEEING, BLIND)))]


def test_the_planner_takes_the_table_and_serves_the_target_from_that_encoder(run: ForeignRun) -> None:
    tensor = load_affinity(run.tensor.with_suffix(".csv"))
    plan = solve(tensor, TARGET, 1, max_order=1, supervise_targets=False)
    assert plan.sources == (SEEING,)
    with pytest.raises(InvalidInputError, match=f"'{SEEING}' is a source only"):
        solve(tensor, SEEING, 1)


def test_sources_may_cost_what_they_cost_to_run(run: ForeignRun, tmp_path: Path) -> None:
    """A budget of milliseconds that the best encoder exceeds buys the best of the others."""
    tensor = load_affinity(run.tensor.with_suffix(".csv"))
    costs = [Cost(source=name, parameters=1, milliseconds=5.0) for name in (BLIND, "random")]
    write_costs([*costs, Cost(source=SEEING, parameters=1, milliseconds=20.0)], tmp_path / "costs.csv")
    plans = [
        solve(
            tensor,
            TARGET,
            budget,
            max_order=1,
            supervise_targets=False,
            costs=tmp_path / "costs.csv",
            unit="ms",
        )
        for budget in (20, 10)
    ]
    assert plans[0].sources == (SEEING,)
    assert plans[1].sources == (BLIND,)
    assert [plan.cost for plan in plans] == [20, 5]


def test_the_tensor_says_whose_weights_were_read(run: ForeignRun) -> None:
    told = json.loads(load_affinity(run.tensor).about["foreign"])
    assert [one["name"] for one in told] == [BLIND, SEEING]
    assert all(len(one["sha256"]) == 64 for one in told)


def test_what_is_done_is_not_done_again_and_other_weights_are_refused(run: ForeignRun) -> None:
    path = run.transfers / TARGET / "order_1.losses.safetensors"
    before = path.stat().st_mtime_ns
    run.start(run.config)
    assert path.stat().st_mtime_ns == before
    weights = run.root / "timm" / "blind.safetensors"
    kept = weights.read_bytes()
    weights.write_bytes((run.root / "timm" / "seeing.safetensors").read_bytes())
    try:
        with pytest.raises(ConfigError, match=f"was made with foreign.{BLIND}.sha256 = .*: choose another"):
            run.start(run.config)
    finally:
        weights.write_bytes(kept)
    with pytest.raises(ConfigError, match="codes was made with foreign"):
        run.start(replace(run.config, foreign=()))


def test_encoders_of_others_need_no_labels_in_a_taxonomy(run: ForeignRun) -> None:
    tensor = load_affinity(run.tensor)
    free = without_labels(tensor)
    assert free == {BLIND: 1, SEEING: 1}
    plan = solve(tensor, TARGET, 1, max_order=1, supervise_targets=False, owned=free)
    assert (plan.sources, plan.cost, plan.labels) == ((SEEING,), 0, tensor.images_transfer)
    config = TaxonomyConfig(budgets=(1, 2), orders=(1, 2), budget=1, max_order=2, samples=10)
    folder = run_taxonomy(config, run.tensor, run.transfers, run.root)
    assert SEEING in json.loads((folder / "novel.json").read_text())[TARGET]["sources"]
    assert f"| `{TARGET}` | " in (folder / "card.md").read_text()


def test_a_card_tells_encoders_of_others_from_labelled_tasks(run: ForeignRun) -> None:
    tensor = load_affinity(run.tensor)
    plan = solve(tensor, TARGET, 1, max_order=1, supervise_targets=False, owned=without_labels(tensor))
    text = plan_text(plan)
    assert (
        f"With no task labelled in full, the third-party encoders `{SEEING}`, and transfers of order 1"
        in text
    )


@pytest.fixture(scope="module")
def published(run: ForeignRun) -> Path:
    config = EvaluateConfig(
        samples=4, transfer_samples=2, pictured=3, shown_sources=3, carried_over=2, shown_targets=(TARGET,)
    )
    trained = Trained(
        config=config,
        transfers_config=run.config,
        networks=run.root / "networks",
        transfers=run.transfers,
        affinity=run.tensor,
    )
    evaluation = run_evaluation(
        trained,
        test=run.stores["test"],
        out=run.root / "evaluation",
        real=real_folder(run.root / "real"),
        device="cpu",
    )
    return run_publishing(
        trained, frames=run.stores, evaluation=evaluation, out=run.root / "published", card="## Taxonomy\n"
    )


def test_the_bank_names_the_encoders_that_its_transfers_read(run: ForeignRun, published: Path) -> None:
    bank = Bank.open(published / BANK)
    read = {source for sources, _ in bank.transfers for source in sources}
    assert SEEING in read
    assert set(bank.index.foreign) == {source for source in read if source.startswith("timm:")}
    assert not [sentence for sentence in _networks(bank) if "timm" in sentence]
    assert "Third-party encoders, not in this bank" in (published / CARD).read_text()
    assert f"Transfers read `{SEEING}` (seeing.safetensors " in (published / BANK / NOTICE).read_text()


def test_a_bank_that_reads_encoders_of_others_is_not_bundled(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = SimpleNamespace(bank=Bank.open(published / BANK))
    monkeypatch.setattr("training.stages.publishing.bundle.checked_bank", lambda *_: checked)
    with pytest.raises(DataError, match=f"reads .*{SEEING}.*, which the packages do not hold"):
        bundle(published)


def test_encoders_of_others_are_measured_on_real_frames_too(run: ForeignRun, published: Path) -> None:
    scores = json.loads((published / BANK / SCORES).read_text())
    (row,) = scores["carry_over"]
    assert set(row["errors"]) == {"random", SEEING, BLIND}
