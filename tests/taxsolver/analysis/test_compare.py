"""Agreement of two tensors."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from oracle import random_tensor
from taxsolver import InvalidInputError, MissingExtraError, compare, load_affinity
from taxsolver.planning.objective import normalised_affinity
from taxsolver.tensors.affinity_csv import tensor_from_csv
from toys import toy


def test_identical_tensors_agree_wholly() -> None:
    tensor = load_affinity()
    agreement = compare(tensor, "taskonomy-16k")
    assert agreement.overall == pytest.approx(1)
    assert agreement.mean == pytest.approx(1)
    assert agreement.transfers == 1762 - 22 - 4
    assert {round(rho, 12) for rho, _ in agreement.targets.values()} == {1.0}
    assert sum(shared for _, shared in agreement.targets.values()) == agreement.transfers


def test_rho_is_scipys() -> None:
    one, other = random_tensor(1), random_tensor(1)
    rng = np.random.default_rng(9)
    other = replace(other, name="other", affinity=np.round(rng.random(len(other)) * 5) / 5)
    agreement = compare(one, other)
    kept = ~one.full_supervision
    for target, (rho, shared) in agreement.targets.items():
        rows = kept & (one.target == one.tasks.index(target))
        assert shared == rows.sum()
        assert rho == pytest.approx(spearmanr(one.affinity[rows], other.affinity[rows]).statistic, abs=1e-12)
    assert agreement.mean == pytest.approx(np.mean([rho for rho, _ in agreement.targets.values()]))
    overall = spearmanr(normalised_affinity(one)[kept], normalised_affinity(other)[kept]).statistic
    assert agreement.overall == pytest.approx(overall, abs=1e-12)


def test_swapping_the_two_changes_only_their_names() -> None:
    there, back = compare("taskonomy-16k", "taskonomy-1k"), compare("taskonomy-1k", "taskonomy-16k")
    assert (there.first, there.second) == (back.second, back.first)
    assert there.overall == pytest.approx(back.overall)
    assert {target: round(rho, 9) for target, (rho, _) in there.targets.items()} == {
        target: round(rho, 9) for target, (rho, _) in back.targets.items()
    }


def test_aliases_of_both_tensors_count_whichever_comes_first() -> None:
    tensor = load_affinity("taskonomy-1k")
    other = {task: f"net_{number}" for number, task in enumerate(tensor.tasks)}
    renamed = replace(
        tensor,
        name="renamed",
        tasks=tuple(other.values()),
        targets=tuple(other[task] for task in tensor.targets),
        untrained=(),
        aliases={task.upper(): name for task, name in other.items()},
    )
    there, back = compare(tensor, renamed), compare(renamed, tensor)
    assert there.transfers == back.transfers == compare(tensor, tensor).transfers
    assert (there.mean, there.overall) == pytest.approx((1, 1))
    assert (back.mean, back.overall) == pytest.approx((1, 1))
    bare = replace(renamed, aliases={})
    with pytest.raises(InvalidInputError, match="share no transfer"):
        compare(bare, tensor)


@pytest.mark.parametrize("swapped", [False, True])
def test_a_task_that_may_be_two_of_the_other_tensor_is_refused(swapped: bool) -> None:
    one = tensor_from_csv("target,sources,affinity\na,b,.1\nb,a,.2\n", name="one", aliases={"x": "a"})
    two = tensor_from_csv("target,sources,affinity\nx,y,.1\n", name="two", aliases={"b": "x"})
    with pytest.raises(InvalidInputError, match="may be .* drop aliases that fit several tasks"):
        compare(*((two, one) if swapped else (one, two)))


def test_the_two_published_runs_agree_for_all_targets_but_one() -> None:
    agreement = compare("taskonomy-16k", "taskonomy-1k")
    assert agreement.mean == pytest.approx(0.8051117933978957)
    assert agreement.overall == pytest.approx(0.8707053244285321)
    assert [target for target, (rho, _) in agreement.targets.items() if rho < 0.5] == ["egomotion"]


def test_orders_beyond_the_cap_do_not_count() -> None:
    capped = compare(toy(), toy(), max_order=1)
    assert capped.transfers == 8
    assert compare(toy(), toy()).transfers == 10
    rho, shared = capped.targets["c"]
    assert (rho, shared) == pytest.approx((1, 3))


def test_tasks_are_matched_by_alias_and_sources_in_any_order() -> None:
    ours = tensor_from_csv(
        "target,sources,affinity\nnormal,edge|kp,.1\nnormal,edge,.2\nnormal,kp,.3\n",
        name="ours",
        aliases={"surface_normals": "normal", "keypoints": "kp"},
    )
    theirs = tensor_from_csv(
        "target,sources,affinity\nSurface Normals,keypoints|edge,.1\nSurface Normals,edge,.2\n"
        "Surface Normals,keypoints,.3\nSurface Normals,other,.9\n",
        name="theirs",
    )
    agreement = compare(ours, theirs)
    assert (agreement.first, agreement.second, agreement.transfers) == ("ours", "theirs", 3)
    assert list(agreement.targets) == ["normal"]
    assert (agreement.overall, *agreement.targets["normal"]) == pytest.approx((1, 1, 3))


def test_too_few_or_equal_values_have_no_rho() -> None:
    text = "target,sources,affinity\na,p,.1\na,q,.2\nb,p,.5\nb,q,.5\nb,r,.5\n"
    tensor = tensor_from_csv(text, name="few")
    agreement = compare(tensor, tensor)
    assert math.isnan(agreement.targets["a"][0])
    assert math.isnan(agreement.targets["b"][0])
    assert math.isnan(agreement.mean)
    written = agreement.to_dict()
    assert written["mean"] is None
    assert written["targets"][0] == {"target": "a", "spearman": None, "transfers": 2}
    assert json.dumps(written, allow_nan=False)


def test_json_has_exactly_these_keys() -> None:
    written = compare(toy(), toy()).to_dict()
    assert list(written) == ["first", "second", "mean", "overall", "transfers", "targets"]


def test_affinities_of_nothing_but_zero_have_no_rho() -> None:
    zeros = tensor_from_csv("target,sources,affinity\n" + "".join(f"a,{s},0\n" for s in "bcde"), name="zeros")
    assert math.isnan(compare(zeros, zeros).overall)


def test_tensors_that_share_nothing_are_refused() -> None:
    other = tensor_from_csv("target,sources,affinity\nx,y,.5\n", name="other")
    with pytest.raises(InvalidInputError, match="'toy' and 'other' share no transfer with an affinity"):
        compare(toy(), other)


def test_without_scipy_the_error_names_the_pip_command(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.split(".")[0] == "scipy"] + ["scipy"]:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        MissingExtraError, match=r"comparing tensors needs scipy, .*: run  pip install '\./taxsolver\[plot\]'"
    ):
        compare(toy(), toy())
