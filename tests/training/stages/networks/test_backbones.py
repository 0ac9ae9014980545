"""Networks that begin with a timm model: what is frozen, what is shared, what they begin from."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tests.training.stages.networks.toy_networks import CONFIG, CPU, batch_of
from training.data.frames import FrameStore
from training.data.pretrained import PACKAGE, begin_from_pretrained
from training.errors import ConfigError, DataError
from training.learning.batches import BatchReader
from training.learning.samples import samples_of
from training.rooms.frames.config import RoomsConfig
from training.rooms.frames.dataset import write_rooms
from training.stages.networks.config import OwnSettings
from training.stages.networks.feed import Feed, MixedBatch
from training.stages.networks.finished import load_network
from training.stages.networks.learner import Learner, new_network
from training.stages.networks.stage import run_networks
from training.stages.networks.train import _feeds, train_task_networks

from taskbank.nets.architecture import Backbone
from taskbank.nets.backbone import create_trunk
from taskbank.nets.compact import ReadoutWidths
from taskbank.tasks.registry import find_task

LITE = Backbone(
    model="test_efficientnet",
    level=3,
    shared=2,
    widths=ReadoutWidths(decoder=(8, 4, 4, 4), decoder_blocks=(1, 1, 1), head=(8, 8, 8), full_size=2),
)
BACKBONES = replace(CONFIG, architecture=LITE, steps=3, check_every=2)
TASKS = ("normal", "denoising", "egomotion")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of the model under names of their own, as a package has them."""
    torch.manual_seed(5)
    trunk = create_trunk("test_efficientnet", {})
    state = {f"other_{number}": value for number, value in enumerate(trunk.state_dict().values())}
    path = tmp_path_factory.mktemp("weights") / "model.pth"
    torch.save({name: value for name, value in state.items() if value.is_floating_point()}, path)
    return path


def shared_of(path: Path) -> dict[str, torch.Tensor]:
    return {key: value for key, value in load_file(path).items() if key.startswith("encoder.shared.")}


def test_shared_levels_stay_as_they_are_given_and_others_learn(
    store: FrameStore, weights: Path, tmp_path: Path
) -> None:
    config = replace(BACKBONES, pretrained=str(weights))
    train_task_networks(config, {"train": store}, tmp_path, tasks=TASKS)
    began = new_network(find_task("normal"), config).state_dict()
    for task in TASKS:
        shared = shared_of(tmp_path / f"{task}.safetensors")
        assert shared
        for name, value in shared.items():
            assert torch.equal(value, began[name]), name  # running statistics too, recalibration included
    learned = load_file(tmp_path / "normal.safetensors")
    own = [name for name in began if name.startswith("encoder.own.") and name.endswith("weight")]
    assert all(not torch.equal(learned[name], began[name]) for name in own)
    about = json.loads((tmp_path / "normal.json").read_text())
    assert about["pretrained"]["source"] == str(weights)
    assert len(about["pretrained"]["sha256"]) == 64


def test_weights_follow_from_the_seed_where_none_are_given(store: FrameStore, tmp_path: Path) -> None:
    for folder in ("first", "second"):
        train_task_networks(BACKBONES, {"train": store}, tmp_path / folder, tasks=TASKS)
    for task in TASKS:
        one, other = (tmp_path / folder / f"{task}.safetensors" for folder in ("first", "second"))
        assert one.read_bytes() == other.read_bytes()
        for name, value in shared_of(one).items():  # the same for all tasks, as a bank stores them once
            assert torch.equal(value, shared_of(tmp_path / "first/normal.safetensors")[name])


def test_a_run_of_backbones_in_pieces_ends_with_the_same_weights(store: FrameStore, tmp_path: Path) -> None:
    train_task_networks(BACKBONES, {"train": store}, tmp_path / "whole", tasks=["normal"])
    pieces = 0
    while not train_task_networks(
        BACKBONES, {"train": store}, tmp_path / "cut", tasks=["normal"], max_seconds=0
    ).finished:
        pieces += 1
    assert pieces == 2
    one, other = (tmp_path / folder / "normal.safetensors" for folder in ("whole", "cut"))
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize(
    ("task", "donor"), [("normal", None), ("normal", "egomotion"), ("class_object", None)]
)
def test_a_network_that_continues_another_may_be_stopped(
    store: FrameStore, weights: Path, tmp_path: Path, task: str, donor: str | None
) -> None:
    """Its frozen levels come from the other network, also after a stop, and not from the seed."""
    given, start, tasks = {"train": store}, tmp_path / "start", [task, *([donor] if donor else [])]
    architecture = replace(LITE, classifier=task == "class_object")
    before = replace(BACKBONES, architecture=architecture, pretrained=str(weights), steps=1)
    train_task_networks(before, given, start, tasks=tasks)
    begun = [OwnSettings(tasks=(donor or task,), start=start)]
    if donor is not None:
        begun.append(OwnSettings(tasks=(task,), encoder_of=donor))
    config = replace(before, pretrained=None, steps=3, own=tuple(begun))
    train_task_networks(config, given, tmp_path / "whole", tasks=tasks)
    while not train_task_networks(config, given, tmp_path / "cut", tasks=tasks, max_seconds=0).finished:
        pass
    one, other = (tmp_path / folder / f"{task}.safetensors" for folder in ("whole", "cut"))
    assert one.read_bytes() == other.read_bytes()
    for name, value in shared_of(one).items():
        assert torch.equal(value, shared_of(start / f"{task}.safetensors")[name])


@pytest.mark.parametrize("name", ["normal", "denoising", "inpainting", "colorization", "jigsaw", "egomotion"])
def test_features_are_those_of_what_a_network_is_shown(store: FrameStore, name: str) -> None:
    task = find_task(name)
    learner = Learner(task, BACKBONES, CPU)
    batch = batch_of(task, store, BACKBONES)
    shown, _ = batch.pair(task)
    assert learner.shared is not None
    given = batch.features(task, shown, learner.shared)
    torch.testing.assert_close(learner.forward(learner.average, given), learner.show(shown))


def test_tasks_that_are_shown_the_same_share_features(store: FrameStore) -> None:
    calls = []
    learner = Learner(find_task("normal"), BACKBONES, CPU)
    assert learner.shared is not None
    learner.shared.register_forward_hook(lambda *_: calls.append(1))
    batch = batch_of(find_task("normal"), store, BACKBONES)
    for _ in range(2):
        batch.features(find_task("normal"), batch.pair(find_task("normal"))[0], learner.shared)
    assert len(calls) == 1


def mixed(store: FrameStore, share: float, *names: str) -> Any:
    tasks = [find_task(name) for name in names]
    reader = BatchReader(store)
    count = round(share * CONFIG.batch)
    samples = samples_of(tasks[0], store, 0)
    real = Feed(reader, tasks[:1], samples, replace(CONFIG, batch=count))
    return Feed(reader, tasks, samples, replace(CONFIG, batch=CONFIG.batch - count), [real]).batch(0)


def test_a_mixed_batch_has_real_frames_last_and_only_for_tasks_with_labels(store: FrameStore) -> None:
    batch = mixed(store, 0.25, "normal", "curvature")
    assert isinstance(batch, MixedBatch)
    shown, target = batch.pair(find_task("normal"))
    assert len(shown) == len(target.values) == 8
    assert len(batch.pair(find_task("curvature"))[0]) == 6
    learner = Learner(find_task("normal"), BACKBONES, CPU)
    assert learner.shared is not None
    features = batch.features(find_task("normal"), shown, learner.shared)
    torch.testing.assert_close(learner.forward(learner.average, features), learner.show(shown))


def test_real_frames_change_what_is_learned_and_are_named(store: FrameStore, tmp_path: Path) -> None:
    alone, beside = tmp_path / "alone", tmp_path / "beside"
    stores = {"train": store, "real": store}
    train_task_networks(BACKBONES, stores, alone, tasks=["normal"])
    train_task_networks(replace(BACKBONES, real=0.25), stores, beside, tasks=["normal"])
    assert (alone / "normal.safetensors").read_bytes() != (beside / "normal.safetensors").read_bytes()
    assert json.loads((beside / "normal.json").read_text())["real"]["share"] == 0.25
    assert "real" not in json.loads((alone / "normal.json").read_text())


def test_classes_in_two_forms_are_told_of_before_any_job_begins(store: FrameStore, tmp_path: Path) -> None:
    real = tmp_path / "real"
    shutil.copytree(store.root, real)
    for path in real.glob("shard_*/class_object.npy"):
        np.save(path, np.full((len(np.load(path)), 1000), 1e-3, dtype=np.float16))
    with pytest.raises(
        DataError, match=r"class_object are numbers in .*, but probabilities in .*real: set the"
    ):
        run_networks(
            replace(BACKBONES, real=0.25), store.root, tmp_path / "out", tasks=("class_object",), real=real
        )


def test_a_share_of_real_frames_needs_some(store: FrameStore, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"real is 0\.5 for normal, but there is no store of real frames"):
        train_task_networks(replace(BACKBONES, real=0.5), {"train": store}, tmp_path, tasks=["normal"])


def test_additional_rooms_are_learned_from_by_tasks_that_have_labels_on_them(
    store: FrameStore, tmp_path: Path
) -> None:
    """Shown at the size of the other frames."""
    alone, beside, config = tmp_path / "alone", tmp_path / "beside", replace(BACKBONES, additional=0.75)
    rooms = RoomsConfig(additional=2, additional_size=32, points=2, views=3, rooms_per_shard=2)
    additional = write_rooms(tmp_path / "additional", rooms, "additional")
    tasks = ("normal", "egomotion", "class_scene", "room_layout")
    run_networks(BACKBONES, store.root, alone, tasks=tasks)
    run_networks(config, store.root, beside, tasks=tasks, additional=additional.root)
    weights = [
        {task: (folder / f"{task}.safetensors").read_bytes() for task in tasks} for folder in (alone, beside)
    ]
    assert all(weights[0][task] != weights[1][task] for task in tasks)
    run_networks(config, store.root, tmp_path / "single", tasks=("normal",), additional=additional.root)
    assert (tmp_path / "single" / "normal.safetensors").read_bytes() == weights[1]["normal"]

    def batch(task: str, **shares: float) -> tuple[int, ...]:
        readers = {BatchReader(additional): shares["additional"]}
        if "real" in shares:  # these have all labels, as rooms do
            readers[BatchReader(store)] = shares["real"]
        among = np.ones(len(store), bool)
        feed = next(iter(_feeds(BatchReader(store), readers, [find_task(task)], among, config)))
        return tuple(feed.batch(0).pair(find_task(task))[0].shape)

    side = store.size
    assert batch("egomotion", additional=0.75) == (2 + 2, 3, 3, side, side)  # 2 of 8 // 3 each
    assert batch("class_scene", additional=0.75) == (2 + 6, 3, side, side)
    assert batch("class_scene", additional=0.5, real=0.25) == (2 + 4 + 2, 3, side, side)
    assert batch("normal", additional=0.75) == (2, 3, side, side)


def test_a_share_of_additional_rooms_needs_some(store: FrameStore, tmp_path: Path) -> None:
    own = (OwnSettings(tasks=("egomotion",), additional=0.5),)
    message = r"additional is 0\.5 for egomotion, but there is no store of additional rooms"
    with pytest.raises(DataError, match=message):
        train_task_networks(replace(BACKBONES, own=own), {"train": store}, tmp_path, tasks=["egomotion"])


def test_a_task_may_begin_with_the_finished_encoder_of_another(store: FrameStore, tmp_path: Path) -> None:
    own = (OwnSettings(tasks=("fixated_pose",), encoder_of="normal", steps=1, learning_rate=1e-9),)
    config = replace(BACKBONES, own=own, real=0.25)
    run_networks(config, store.root, tmp_path, tasks=("fixated_pose", "normal"))  # without real frames: none
    donor, begun = (load_file(tmp_path / f"{task}.safetensors") for task in ("normal", "fixated_pose"))
    for name, value in donor.items():
        if name.startswith("encoder.") and "running" not in name:
            torch.testing.assert_close(begun[name], value, rtol=1e-3, atol=1e-5)


def test_a_second_course_may_begin_a_task_with_the_encoder_of_another(
    store: FrameStore, weights: Path, tmp_path: Path
) -> None:
    """The encoder is the donor's after the first course, whether the donor itself goes on or not."""
    tasks = ("normal", "egomotion")
    own = (OwnSettings(tasks=("egomotion",), encoder_of="normal", steps=1, learning_rate=1e-9),)
    first = replace(BACKBONES, pretrained=str(weights), seed=3)
    second = replace(BACKBONES, own=own, before=first)
    run_networks(second, store.root, tmp_path / "networks", tasks=tasks)
    donor = load_file(tmp_path / "networks_before" / "normal.safetensors")
    begun = load_file(tmp_path / "networks" / "egomotion.safetensors")
    fresh = new_network(find_task("egomotion"), second).state_dict()
    for name, value in begun.items():
        if name.startswith("encoder.") and "running" not in name:
            torch.testing.assert_close(value, donor[name], rtol=1e-3, atol=1e-5)
    name = "decoder.narrow.weight"
    torch.testing.assert_close(begun[name], fresh[name], rtol=1e-3, atol=1e-5)
    about = json.loads((tmp_path / "networks" / "egomotion.json").read_text())
    assert about["before"]["steps"] == first.steps
    assert about["pretrained"]["source"] == str(weights)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"architecture": CONFIG.architecture, "pretrained": "package"}, "not compact: leave it out"),
        ({"adversarial": 0.004}, "set adversarial to 0"),
        ({"real": 0.95}, "real is 0.95, it must be from 0 to 0.9"),
        ({"before": BACKBONES, "pretrained": "package"}, "to the first course only"),
    ],
)
def test_settings_of_backbones_that_make_no_sense_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        replace(BACKBONES, **settings)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nowhere.pth", r"no weights at nowhere\.pth: name a file"),
        (PACKAGE, "no package with weights of 'test_efficientnet' is known"),
        ("hub", "the Hub gives no weights of 'test_efficientnet'"),
    ],
)
def test_weights_that_cannot_be_had_are_an_error(
    source: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(DataError, match=message):
        begin_from_pretrained(new_network(find_task("normal"), BACKBONES), LITE, source)


def test_weights_of_another_model_are_an_error(weights: Path) -> None:
    other = replace(LITE, model="test_resnet")
    with pytest.raises(DataError, match="does not hold the"):
        begin_from_pretrained(
            new_network(find_task("normal"), replace(BACKBONES, architecture=other)), other, str(weights)
        )


def test_a_classifier_stays_as_it_is_and_its_representation_learns(
    store: FrameStore, weights: Path, tmp_path: Path
) -> None:
    config = replace(
        BACKBONES, architecture=replace(LITE, classifier=True), pretrained=str(weights), learning_rate=0.01
    )
    train_task_networks(config, {"train": store}, tmp_path, tasks=["class_object"])
    kept = load_network(tmp_path, find_task("class_object"), config.architecture)
    trunk = create_trunk("test_efficientnet", {}).eval()
    state = torch.load(weights, weights_only=True)
    names = [name for name in trunk.state_dict() if not name.endswith("num_batches_tracked")]
    trunk.load_state_dict(dict(zip(names, state.values(), strict=True)), strict=False)
    shown = torch.rand(2, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        torch.testing.assert_close(kept(shown), trunk(kept.encoder.get_submodule("shared.0")(shown)))
    began = new_network(find_task("class_object"), config).state_dict()
    learned = kept.state_dict()
    assert not torch.equal(learned["encoder.compress.0.weight"], began["encoder.compress.0.weight"])
    assert not torch.equal(
        learned["encoder.compress.1.running_mean"], began["encoder.compress.1.running_mean"]
    )
    assert kept.encode(shown).std() > 0.1


def test_a_frozen_classifier_is_continued_whole(store: FrameStore, weights: Path, tmp_path: Path) -> None:
    """Its frozen parts are of the network it continues, not random ones, as nothing else is given."""
    first = replace(BACKBONES, architecture=replace(LITE, classifier=True), pretrained=str(weights))
    train_task_networks(first, {"train": store}, tmp_path / "first", tasks=["class_object"])
    second = replace(first, pretrained=None, start=tmp_path / "first", steps=0)
    train_task_networks(second, {"train": store}, tmp_path / "second", tasks=["class_object"])
    before, after = (load_file(tmp_path / name / "class_object.safetensors") for name in ("first", "second"))
    assert set(before) == set(after)
    assert all(torch.equal(before[name], after[name]) for name in before if "compress" not in name)
