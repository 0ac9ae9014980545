"""Banks that may be shipped, and all the ways in which one may not."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from tests.training.stages.evaluation.toy_fit import save_fit_bank, write_card
from training.__main__ import app
from training.stages.publishing.check import EXAMPLES, UnfitBankError, check_bank
from typer.testing import CliRunner

from taskbank.bank import source as bank_source
from taskbank.bank.bank import Bank
from taskbank.bank.index import INDEX_NAME
from taskbank.errors import MissingBankError


@pytest.fixture(scope="module")
def fit_bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bank that may be shipped."""
    return save_fit_bank(tmp_path_factory.mktemp("toy") / "bank")


@pytest.fixture
def broken(fit_bank: Path, tmp_path: Path) -> Path:
    """A copy to break."""
    return Path(shutil.copytree(fit_bank, tmp_path / "bank"))


def reasons(folder: Path, **options: Any) -> str:
    with pytest.raises(UnfitBankError) as caught:
        check_bank(folder, **options)
    return str(caught.value)


def change(path: Path, how: Callable[[dict[str, Any]], object]) -> None:
    written = json.loads(path.read_text())
    how(written)
    path.write_text(json.dumps(written))


def test_a_bank_that_is_whole_and_measured_is_fit(fit_bank: Path) -> None:
    checked = check_bank(fit_bank)
    assert checked.size == sum(path.stat().st_size for path in fit_bank.rglob("*") if path.is_file())
    assert (len(checked.bank.tasks), len(checked.bank.transfers)) == (26, 2)
    done = CliRunner().invoke(app, ["check", str(fit_bank)])
    assert (done.exit_code, "toy is fit to be shipped: 26 tasks, 2 transfers" in done.output) == (0, True)


def test_the_command_ends_with_1_and_the_reason(broken: Path) -> None:
    (broken / "encoders" / "normal.safetensors").unlink()
    done = CliRunner().invoke(app, ["check", str(broken)])
    assert done.exit_code == 1
    assert "error: " in done.stderr
    assert "is not fit to be shipped:\n- cannot read" in done.stderr


def test_a_damaged_file_is_told_once(broken: Path) -> None:
    path = broken / "encoders" / "normal.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert reasons(broken).count("normal.safetensors has sha256") == 1


def test_a_bank_over_the_limit_is_not_fit(broken: Path) -> None:
    assert "MB are allowed" in reasons(broken, max_megabytes=0.1)
    (broken / "pictures" / "normal.jpg").write_bytes(bytes(300_001))
    assert "pictures/normal.jpg has 300,001 bytes: at most 300,000 are allowed" in reasons(broken)


def test_files_that_nothing_names_are_told(broken: Path) -> None:
    (broken / "transfers" / "old.safetensors").write_bytes(b"")
    assert "neither bank.json nor README.md names transfers/old.safetensors: delete it" in reasons(broken)


def test_a_missing_task_is_told(broken: Path) -> None:
    change(broken / INDEX_NAME, lambda index: index["tasks"].pop("jigsaw"))
    assert "no task 'jigsaw'" in reasons(broken)


def test_numbers_that_are_none_are_told(broken: Path) -> None:
    path = broken / "decoders" / "normal.safetensors"
    weights = load_file(path)
    name = next(name for name, values in weights.items() if values.is_floating_point())
    weights[name] = torch.full_like(weights[name], np.nan)
    save_file(weights, path)
    digest = sha256(path.read_bytes()).hexdigest()
    change(broken / INDEX_NAME, lambda index: index["tasks"]["normal"]["decoder"].update(sha256=digest))
    told = reasons(broken)
    assert f"decoders/normal.safetensors: {name!r} holds values that are not finite" in told
    assert "decoders/normal.safetensors is not what was measured" in told


def test_another_seed_is_another_network(broken: Path) -> None:
    change(broken / INDEX_NAME, lambda index: index["tasks"]["random"]["encoder"].update(seed=8))
    told = reasons(broken)
    assert "seed 8 gives weights with the sum" in told
    assert "random is not what was measured" in told


def test_metrics_of_other_weights_are_told(broken: Path) -> None:
    change(broken / "scores.json", lambda scores: scores["weights"].update({"random": "seed 3"}))
    assert "cannot tell which weights were measured: random is not what was measured" in reasons(broken)
    (broken / "scores.json").unlink()
    assert "cannot tell which weights were measured: " in reasons(broken)


def test_metrics_that_nobody_measured_are_told(broken: Path) -> None:
    change(broken / "scores.json", lambda scores: scores["test"]["normal"].update(l1=0.4))
    change(broken / "scores.json", lambda scores: scores["transfers"].clear())
    told = reasons(broken)
    assert "normal: bank.json states other metrics than scores.json" in told
    assert "normal+random -> reshading was not measured" in told
    assert "README.md states other numbers than scores.json" in told


def test_a_card_of_another_bank_is_told(broken: Path) -> None:
    change(broken / INDEX_NAME, lambda index: index.update(licence="other"))
    (broken / "pictures" / "normal.jpg").unlink()
    told = reasons(broken)
    assert "README.md was not written from this bank.json" in told
    assert "pictures/normal.jpg is missing, or README.md does not show it" in told


def spoil(bank: Path, path: str, names: Sequence[str]) -> None:
    """Set weights of a file to zero, and let the index, the scores and the card say that this was measured."""
    weights = load_file(bank / path)
    save_file({name: 0 * value if name in names else value for name, value in weights.items()}, bank / path)
    content = (bank / path).read_bytes()
    kind, task = Path(path).parts[0][:-1], Path(path).stem
    facts = {"sha256": sha256(content).hexdigest(), "size": len(content)}
    change(bank / INDEX_NAME, lambda index: index["tasks"][task][kind].update(facts))
    change(bank / "scores.json", lambda scores: scores["weights"].update({path: facts["sha256"]}))
    write_card(Bank.open(bank), json.loads((bank / "scores.json").read_text()))


def test_a_dead_network_and_one_that_gives_a_constant_are_not_fit(broken: Path) -> None:
    spoil(broken, "encoders/normal.safetensors", ["compress.1.weight", "compress.1.bias"])
    spoil(broken, "decoders/fixated_pose.safetensors", ["output.weight", "direct.weight"])
    told = reasons(broken)
    assert "- normal is dead: 100% of its channels" in told
    assert "- fixated_pose is constant: its outputs vary by 0.0e+00" in told
    assert "fixated_pose is dead" not in told
    assert "depth_zbuffer is" not in told
    assert len(check_bank(broken, faulty=["all"]).warnings) == told.count("\n- ")


def state_wins(bank: Path, task: str, share: float) -> None:
    """Let the index say on how many samples a task beats the best constant."""
    change(
        bank / INDEX_NAME,
        lambda index: index["tasks"][task]["training"].update(win_rates={"beats_average": share}),
    )
    write_card(Bank.open(bank), json.loads((bank / "scores.json").read_text()))


def test_a_network_no_better_than_a_constant_is_fit_only_where_that_is_said(broken: Path) -> None:
    state_wins(broken, "class_scene", 0.414)
    assert "- class_scene is weak: it beats the best constant on 41.4% of held-out samples" in reasons(broken)
    done = CliRunner().invoke(app, ["check", str(broken), "--faulty", "scene"])
    assert done.exit_code == 0
    assert done.stderr.startswith("warning: class_scene is weak")
    told = reasons(broken, faulty=["class_scene", "normal"])
    assert told.endswith("\n- normal was allowed to be faulty, and is not: leave it out of --faulty")


def test_a_source_no_better_than_a_constant_is_not_fit_and_such_a_transfer_is_a_warning(broken: Path) -> None:
    def state(index: dict[str, Any]) -> None:
        index["tasks"]["jigsaw"]["training"].update(held_out={"beats_average": 0.5}, win_rates={})
        index["transfers"][0]["training"].update(win_rates={"beats_average": 0.5})

    change(broken / INDEX_NAME, state)
    write_card(Bank.open(broken), json.loads((broken / "scores.json").read_text()))
    told = reasons(broken)
    assert "- jigsaw is weak: it beats the best constant on 50.0% of held-out samples" in told
    assert "->" not in told
    jigsaw, transfer = check_bank(broken, faulty=["jigsaw"]).warnings
    assert (jigsaw[:14], "-> reshading is weak: it beats" in transfer) == ("jigsaw is weak", True)


def test_networks_that_were_never_compared_with_a_constant_are_told(broken: Path) -> None:
    def forget(index: dict[str, Any]) -> None:
        for entry in (index["tasks"]["jigsaw"], index["tasks"]["inpainting"], index["transfers"][0]):
            del entry["training"]["win_rates"]

    change(broken / INDEX_NAME, forget)
    write_card(Bank.open(broken), json.loads((broken / "scores.json").read_text()))
    said = check_bank(broken).warnings
    assert said == ("not compared with the best constant: inpainting, jigsaw, normal+random -> reshading",)


def test_photographs_of_ones_own_can_be_taken(fit_bank: Path, tmp_path: Path) -> None:
    for seed in range(2):
        Image.effect_noise((40, 40), 60 + seed).convert("RGB").save(tmp_path / f"{seed}.png")
    assert check_bank(fit_bank, pictures=tmp_path).warnings == ()
    (tmp_path / "1.png").unlink()
    done = CliRunner().invoke(app, ["check", str(fit_bank), "--pictures", str(tmp_path)])
    assert (done.exit_code, "1 image(s) do not tell" in done.stderr) == (1, True)


def test_the_bundled_bank_is_whole_and_none_of_its_networks_is_dead_or_constant(tmp_path: Path) -> None:
    """On three photographs; networks in the list are no better than the best constant."""
    try:
        bank = Bank.open(bank_source.DEFAULT_BANK)
    except MissingBankError:
        pytest.skip("no bank is bundled with this version")
    weak = ("class_scene", "nonfixated_pose")
    for name in ("bedroom.jpg", "office.jpg", "sitting_room.jpg"):
        shutil.copy(EXAMPLES / name, tmp_path)
    checked = check_bank(Path(bank.where), faulty=weak, pictures=tmp_path)
    found = [re.match(r"(.+) is (dead|constant):", line) for line in checked.warnings]
    assert [one[0] for one in found if one] == []


def test_a_bank_that_learned_from_what_others_made_needs_a_notice(broken: Path) -> None:
    def owe(index: dict[str, Any]) -> None:
        index["tasks"]["normal"]["training"]["pretrained"] = {"model": "resnet18", "source": "hub"}

    change(broken / INDEX_NAME, owe)
    assert "NOTICE is missing, but normal used third-party weights or frames" in reasons(broken)
    (broken / "NOTICE").write_text("resnet18")
    assert "NOTICE" not in reasons(broken)  # the hash of the index is another one now
