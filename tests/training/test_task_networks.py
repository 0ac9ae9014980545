import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from tests.training.toy_store import toy_store
from torch import Tensor, nn
from training.augment import UNTOUCHED
from training.batches import BatchReader
from training.data.frames import FrameStore
from training.draws import seeds_of
from training.errors import ConfigError, DataError, DivergedError
from training.losses import losses
from training.metrics import read_metrics
from training.samples import samples_of
from training.task_networks.adversary import Adversary, Discriminator, is_judged
from training.task_networks.config import Schedule, TaskNetworksConfig
from training.task_networks.feed import Batch, Feed, read_ahead, samples_a_step, stream_of
from training.task_networks.flat import FlatNetwork
from training.task_networks.held_out import HeldOut, learned_from
from training.task_networks.learner import Learner, new_network
from training.task_networks.train import train_task_networks

from taskbank.device import Precision
from taskbank.nets.architecture import Compact
from taskbank.nets.build import TaskNetwork
from taskbank.nets.compact import CompactWidths
from taskbank.nets.initialise import initialise
from taskbank.tasks import TASKS, Task, find_task

WIDTHS = CompactWidths(
    stem=4, stages=(4, 8, 8), blocks=(1, 1, 1), decoder=(8, 4, 4, 4), decoder_blocks=(1, 1, 1), head=(8, 8, 8)
)
CONFIG = TaskNetworksConfig(
    architecture=Compact(widths=WIDTHS),
    steps=6,
    batch=8,
    warm_up=1,
    ema=0.8,
    zoom=0.7,
    recalibration=2,
    held_out=0.2,
    held_out_samples=4,
    log_every=2,
    check_every=4,
)
LEARNED = [task for task in TASKS.values() if task.name != "random"]
THREE = ("normal", "egomotion", "class_object")  # a map, a head with dropout on tuples, labels with gaps
CPU = torch.device("cpu")


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Networks as small as these are slower on two."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FrameStore:
    return toy_store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def whole(store: FrameStore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three networks, trained without a stop."""
    out = tmp_path_factory.mktemp("whole")
    done = train_task_networks(CONFIG, {"train": store}, out, tasks=THREE)
    assert done.finished
    assert done.steps == 6
    return out


def same_weights(first: Path, second: Path, tasks: tuple[str, ...] = THREE) -> bool:
    names = [f"{task}.safetensors" for task in tasks]
    return all((first / name).read_bytes() == (second / name).read_bytes() for name in names)


def batch_of(task: Task, store: FrameStore, config: TaskNetworksConfig = CONFIG) -> Batch:
    samples = samples_of(task, store, 0)
    rows = np.arange(samples_a_step(task, config.batch))
    return Batch(
        BatchReader(store).load([task], samples, rows),
        seeds_of(torch.from_numpy(rows), 0),
        config,
        varied=False,
    )


@pytest.mark.parametrize("task", LEARNED, ids=lambda task: task.name)
def test_every_tasks_loss_falls_on_a_batch_that_is_learned_by_heart(store: FrameStore, task: Task) -> None:
    config = replace(CONFIG, steps=20, learning_rate=0.01)
    learner = Learner(task, config, CPU)
    shown, target = batch_of(task, store, config).pair(task)
    course = [float(learner.learn(shown, target, step)) for step in range(20)]
    assert np.mean(course[-5:]) < np.mean(course[:5])


def test_a_run_in_pieces_ends_with_the_same_weights(store: FrameStore, whole: Path, tmp_path: Path) -> None:
    pieces = 0
    while not train_task_networks(CONFIG, {"train": store}, tmp_path, tasks=THREE, max_seconds=0).finished:
        pieces += 1
    assert pieces == 5
    assert same_weights(whole, tmp_path)
    assert [path.name for path in tmp_path.glob("*.checkpoint*")] == []


@pytest.mark.parametrize("dies_at", [(3, "egomotion"), (6, "normal")])
def test_a_run_that_dies_ends_with_the_same_weights(
    store: FrameStore, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies_at: tuple[int, str]
) -> None:
    config = replace(CONFIG, checkpoint_seconds=0)
    step_to_die, task_to_die = dies_at
    learn, keep = Learner.learn, Learner.weights_to_keep

    def dying(self: Learner, shown: Tensor, target: Any, step: int) -> Tensor:
        if (step, self.task.name) == dies_at:
            raise KeyboardInterrupt
        return learn(self, shown, target, step)

    def dying_in_the_end(self: Learner) -> dict[str, Tensor]:
        if step_to_die == config.steps and self.task.name == task_to_die:
            raise KeyboardInterrupt
        return keep(self)

    with monkeypatch.context() as patch:
        patch.setattr(Learner, "learn", dying)
        patch.setattr(Learner, "weights_to_keep", dying_in_the_end)
        with pytest.raises(KeyboardInterrupt):
            train_task_networks(config, {"train": store}, tmp_path, tasks=THREE)
    assert train_task_networks(config, {"train": store}, tmp_path, tasks=THREE).finished
    assert same_weights(whole, tmp_path)
    rows = [read_metrics(path / "normal.metrics.csv")["loss"] for path in (whole, tmp_path)]
    assert rows[0][-1] == pytest.approx(np.mean(rows[1][-2:]))


def test_networks_do_not_depend_on_which_are_trained_beside_them(
    store: FrameStore, whole: Path, tmp_path: Path
) -> None:
    for task in THREE:
        train_task_networks(CONFIG, {"train": store}, tmp_path, tasks=[task])
    assert same_weights(whole, tmp_path)


def test_finished_networks_are_not_trained_again(
    store: FrameStore, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(Learner, "learn")
    done = train_task_networks(CONFIG, {"train": store}, whole, tasks=("normals", *THREE))
    assert done.finished


def test_what_is_kept_fits_the_task_network_and_says_how_it_was_made(store: FrameStore, whole: Path) -> None:
    task = find_task("normal")
    network = new_network(task, CONFIG)
    weights = load_file(whole / "normal.safetensors")
    assert all(value.dtype == torch.float32 for value in weights.values())
    assert {key.split(".")[0] for key in weights} == {"encoder", "decoder"}
    missing = network.load_state_dict(weights, strict=False)
    assert missing.unexpected_keys == []
    assert all(key.endswith("num_batches_tracked") for key in missing.missing_keys)
    about = json.loads((whole / "normal.json").read_text())
    held_out = HeldOut.of(task, store, ~learned_from(store, CONFIG), CONFIG)
    assert held_out is not None
    shown, target = held_out.batch(BatchReader(store), held_out.index, CONFIG).pair(task)
    with torch.no_grad():
        wanted = losses(task, network.eval()(shown), target).mean()
    assert about["metrics"]["held_out_loss"] == pytest.approx(wanted.item(), rel=1e-4)
    assert (about["steps"], about["device"], about["trained_beside"]) == (6, "cpu", 2)
    assert about["parameters"] == sum(parameter.numel() for parameter in network.parameters())


def test_metrics_and_pictures_are_written_as_it_goes(whole: Path) -> None:
    found = read_metrics(whole / "normal.metrics.csv")
    assert found["step"] == [2, 4, 6]
    assert np.isnan(found["held_out_loss"]).tolist() == [True, False, False]
    assert min(found["images_per_second"]) > 0
    assert found["learning_rate"] == [CONFIG.learning_rate_at(step) for step in (1, 3, 5)]
    pictures = sorted((whole / "pictures").rglob("*.png"))
    assert [path.relative_to(whole / "pictures").as_posix() for path in pictures] == [
        "normal/0000004.png",
        "normal/0000006.png",
    ]
    with Image.open(pictures[0]) as picture:
        assert picture.size == (3 * 36, 4 * 36)


@pytest.mark.parametrize("name", [task.name for task in LEARNED if task.num_images == 1])
def test_every_map_has_a_sample_picture(store: FrameStore, tmp_path: Path, name: str) -> None:
    from training.task_networks.pictures import is_painted, write_strip

    task = find_task(name)
    if not is_painted(task):
        assert task.decoder.name not in {"PIXEL", "COLORIZATION"}
        return
    shown, target = batch_of(task, store).pair(task)
    network = new_network(task, CONFIG).eval()
    with torch.no_grad():
        write_strip(tmp_path / "strip.png", task, shown[:2], target, network(shown[:2]))
    with Image.open(tmp_path / "strip.png") as picture:
        colours = np.asarray(picture)
    assert colours.shape == (2 * 36, 3 * 36, 3)
    assert colours[:32, 36:68].std() > 0 or name == "curvature"


def test_a_loss_that_is_no_number_stops_with_task_and_step(store: FrameStore, tmp_path: Path) -> None:
    config = replace(CONFIG, learning_rate=1e30, warm_up=0)
    with pytest.raises(DivergedError, match=r"reshading: the loss of step 1 is (nan|inf): begin again"):
        train_task_networks(config, {"train": store}, tmp_path, tasks=["reshading"])
    assert list(tmp_path.glob("*.safetensors")) == []


def test_another_configuration_is_not_mixed_in(store: FrameStore, whole: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is of another configuration or of other frames"):
        train_task_networks(replace(CONFIG, seed=1), {"train": store}, whole, tasks=THREE)
    train_task_networks(CONFIG, {"train": store}, tmp_path, tasks=["normal"], max_seconds=0)
    with pytest.raises(ConfigError, match=r"checkpoint is of another configuration"):
        train_task_networks(replace(CONFIG, seed=1), {"train": store}, tmp_path, tasks=["normal"])
    renewed = train_task_networks(
        replace(CONFIG, seed=1), {"train": store}, tmp_path, tasks=["normal"], resume=False
    )
    assert renewed.finished


def test_how_often_it_writes_may_change_on_the_way(store: FrameStore, tmp_path: Path) -> None:
    train_task_networks(CONFIG, {"train": store}, tmp_path, tasks=["normal"], max_seconds=0)
    often = replace(CONFIG, log_every=1, checkpoint_seconds=0, resident=True, readers=2)
    assert train_task_networks(often, {"train": store}, tmp_path, tasks=["normal"]).finished


def test_a_missing_split_and_missing_labels_are_named(store: FrameStore, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="learn from 'train', but there is only val"):
        train_task_networks(CONFIG, {"val": store}, tmp_path)
    lacking = replace(store, domains=("rgb",))
    with pytest.raises(DataError, match="normal needs labels of 'normal'"):
        train_task_networks(CONFIG, {"train": lacking}, tmp_path, tasks=["normal"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, "steps is 0, it must be positive"),
        ({"zoom": 1.5}, "zoom is 1.5, it must be from 0.25 to 1"),
        ({"held_out": 0.9}, "held_out is 0.9, it must be from 0 to 0.5"),
        ({"size": 100}, "size is 100, it must be a positive multiple of 16"),
        ({"precision": Precision.FP16}, "precision fp16 needs scaled losses"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TaskNetworksConfig(**settings)


def test_the_learning_rate_rises_and_falls() -> None:
    cosine = TaskNetworksConfig(steps=1000, warm_up=99, learning_rate=1)
    rates = [cosine.learning_rate_at(step) for step in range(1000)]
    assert rates[0] == pytest.approx(0.01)
    assert np.argmax(rates) == pytest.approx(99, abs=1)
    assert rates[-1] == pytest.approx(0.01, rel=0.01)
    steps = replace(cosine, schedule=Schedule.PIECEWISE)
    assert [steps.learning_rate_at(step) for step in (200, 666, 667, 999)] == pytest.approx([1, 1, 0.1, 0.1])


def test_a_stream_shows_every_sample_once_an_epoch(store: FrameStore) -> None:
    task = find_task("normal")
    samples = samples_of(task, store, 0)
    feed = Feed(BatchReader(store), [task], samples, CONFIG)
    rows = np.concatenate([feed._index(step) for step in range(9)])  # 72 of 36
    for epoch in range(2):
        assert sorted(rows[36 * epoch : 36 * epoch + 36]) == list(range(36))
    assert not np.array_equal(rows[:36], rows[36:])
    assert np.array_equal(feed._index(3), Feed(BatchReader(store), [task], samples, CONFIG)._index(3))


def test_reading_ahead_changes_nothing(store: FrameStore) -> None:
    tasks = [find_task(name) for name in ("normal", "fixated_pose")]
    feeds = [Feed(BatchReader(store), [task], samples_of(task, store, 0), CONFIG) for task in tasks]
    with read_ahead(feeds, 2, 2) as batches:
        ahead = [next(batches) for _ in range(3)]
    for place, found in enumerate(ahead):
        for feed, task in zip(feeds, tasks, strict=True):
            mine, theirs = found[stream_of(task)].pair(task), feed.batch(2 + place).pair(task)
            assert torch.equal(mine[0], theirs[0])
            assert torch.equal(mine[1].values, theirs[1].values)


def test_only_inputs_are_varied_in_colour_and_those_of_pictures_are_not(store: FrameStore) -> None:
    config = replace(CONFIG, mirror=False, zoom=1.0)
    for name in ("normal", "edge_texture"):
        task = find_task(name)
        plain = batch_of(task, store, config).pair(task)
        samples, rows = samples_of(task, store, 0), np.arange(8)
        raw = BatchReader(store).load([task], samples, rows)
        varied = Batch(raw, seeds_of(torch.from_numpy(rows), 0), config, varied=True).pair(task)
        assert torch.equal(plain[0], varied[0]) == (name in UNTOUCHED)
        assert torch.equal(plain[1].values, varied[1].values)


def test_tasks_of_many_images_get_fewer_samples() -> None:
    counts = {
        name: samples_a_step(find_task(name), 32)
        for name in ("normal", "fixated_pose", "egomotion", "jigsaw")
    }
    assert counts == {"normal": 32, "fixated_pose": 16, "egomotion": 10, "jigsaw": 3}
    assert samples_a_step(find_task("jigsaw"), 4) == 2


def test_held_out_rooms_are_not_learned_from(store: FrameStore) -> None:
    among = learned_from(store, CONFIG)
    rooms = store.cameras["room"]
    assert set(rooms[among]).isdisjoint(rooms[~among])
    assert len(set(rooms[~among])) == 1
    assert learned_from(store, replace(CONFIG, held_out=0)).all()
    held_out = HeldOut.of(find_task("fixated_pose"), store, ~among, CONFIG)
    assert held_out is not None
    assert not among[held_out.samples.frames].any()


def test_a_network_starts_from_its_seed_and_task() -> None:
    normal, depth = find_task("normal"), find_task("reshading")
    first, again = (next(new_network(normal, CONFIG).parameters()) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, next(new_network(depth, CONFIG).parameters()))
    assert not torch.equal(first, next(new_network(normal, replace(CONFIG, seed=1)).parameters()))


def small_network() -> nn.Module:
    torch_state = torch.random.get_rng_state()
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4 * 36, 2))
    torch.random.set_rng_state(torch_state)
    return network


def stepped(network: nn.Module, shown: Tensor, step: Callable[[], None]) -> Tensor:
    for _ in range(3):
        torch.autograd.backward(network(shown).square().mean())
        step()
    given: Tensor = network(shown)
    return given


def test_a_flat_network_learns_as_one_of_many_tensors() -> None:
    shown = torch.rand(5, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    usual, flat = small_network(), FlatNetwork(small_network())
    usual_steps = torch.optim.AdamW(usual.parameters(), lr=0.01, weight_decay=0)
    flat_steps = torch.optim.AdamW(flat.weights, lr=0.01, weight_decay=0)

    def step_usual() -> None:
        nn.utils.clip_grad_norm_(usual.parameters(), 0.5)
        usual_steps.step()
        usual_steps.zero_grad()

    def step_flat() -> None:
        flat.gather_gradients()
        nn.utils.clip_grad_norm_(flat.weights, 0.5)
        flat_steps.step()
        flat.forget_gradients()

    wanted, found = stepped(usual, shown, step_usual), stepped(flat.network, shown, step_flat)
    assert torch.allclose(wanted, found, atol=1e-5)
    assert flat.wide.numel() + flat.narrow.numel() == sum(one.numel() for one in usual.parameters())


def test_an_average_follows_weights_and_norms() -> None:
    goal, own = small_network(), small_network()
    for parameter in own.parameters():
        nn.init.zeros_(parameter)
    goal(torch.rand(4, 3, 8, 8))
    before = {key: value.clone() for key, value in own.state_dict().items()}
    FlatNetwork(own).follow(FlatNetwork(goal), 0.25)
    for key, value in own.state_dict().items():
        if value.is_floating_point():
            assert torch.allclose(value, 0.75 * before[key] + 0.25 * goal.state_dict()[key])


def test_a_loaded_state_reaches_a_flat_network() -> None:
    flat = FlatNetwork(small_network())
    state = {key: value + 1 for key, value in flat.network.state_dict().items()}
    flat.network.load_state_dict(state)
    assert torch.equal(flat.wide[: 4 * 3 * 9].detach().reshape(4, 3, 3, 3), state["0.weight"])


def test_recalibrated_norms_are_those_of_what_is_shown(store: FrameStore) -> None:
    task = find_task("normal")
    learner = Learner(task, CONFIG, CPU)
    shown = [batch_of(task, store).pair(task)[0] for _ in range(2)]
    shown[1] = shown[1] * 0.5
    network: TaskNetwork = deepcopy(learner.average)
    with learner.recalibration() as take_in:
        for pictures in shown:
            take_in(pictures)
    assert not any(module.training for module in learner.average.modules())
    stem: Any = network.encoder.stem
    first = [stem[0](pictures) for pictures in shown]
    norm: Any = learner.average.encoder.stem
    wanted = torch.stack([maps.mean((0, 2, 3)) for maps in first]).mean(0)
    assert torch.allclose(norm[1].running_mean, wanted, atol=1e-5)
    assert norm[1].momentum == stem[1].momentum


def test_half_precision_trains_with_full_precision_weights(store: FrameStore) -> None:
    config = replace(CONFIG, precision=Precision.BF16, steps=20, learning_rate=0.01)
    task = find_task("normal")
    learner = Learner(task, config, CPU)
    shown, target = batch_of(task, store, config).pair(task)
    course = [float(learner.learn(shown, target, step)) for step in range(20)]
    assert course[-1] < course[0]
    assert all(parameter.dtype == torch.float32 for parameter in learner.network.parameters())


def test_dropout_leaves_the_process_generator_as_it_was(store: FrameStore) -> None:
    task = find_task("fixated_pose")
    learner = Learner(task, CONFIG, CPU)
    shown, target = batch_of(task, store).pair(task)
    before = torch.random.get_rng_state()
    learner.learn(shown, target, 0)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("name", ["normal", "colorization"])
def test_a_discriminator_learns_to_tell_outputs_from_truths(store: FrameStore, name: str) -> None:
    task = find_task(name)
    config = replace(CONFIG, batch=4)
    discriminator = Discriminator(2 if name == "colorization" else 3)
    initialise(discriminator, 0)
    adversary = Adversary(task, discriminator, 0, 0)
    shown, target = batch_of(task, store, config).pair(task)
    output = new_network(task, config)(shown).detach()
    adversary._descent.param_groups[0]["lr"] = 0.01  # a hundred thousandth takes days
    course = [float(adversary.learn(shown, output, target, step)) for step in range(15)]
    assert np.mean(course[-3:]) < np.mean(course[:3])
    assert adversary.doubt(shown, output, target, 15) > 0.7  # it is sure that outputs are not true


def test_maps_of_values_and_colours_are_judged_and_no_others() -> None:
    judged = {task.name for task in LEARNED if is_judged(task)}
    assert judged == {
        "autoencoding", "colorization", "curvature", "denoising", "depth_euclidean", "depth_zbuffer",
        "edge_occlusion", "edge_texture", "inpainting", "keypoints2d", "keypoints3d", "normal", "reshading",
    }  # fmt: skip


def test_a_discriminators_state_survives_a_stop(store: FrameStore, tmp_path: Path) -> None:
    config = replace(CONFIG, adversarial=0.3, adversarial_from=1, steps=3, batch=4)
    whole, pieces, without = (tmp_path / name for name in ("whole", "pieces", "without"))
    train_task_networks(config, {"train": store}, whole, tasks=["normal"])
    while not train_task_networks(config, {"train": store}, pieces, tasks=["normal"], max_seconds=0).finished:
        assert len(list(pieces.glob("*.checkpoint"))) == 1
    train_task_networks(replace(config, adversarial=0), {"train": store}, without, tasks=["normal"])
    assert same_weights(whole, pieces, ("normal",))
    assert not same_weights(whole, without, ("normal",))


@pytest.mark.gpu
def test_networks_learn_on_a_gpu_and_go_on_there(store: FrameStore, tmp_path: Path) -> None:
    config = replace(CONFIG, precision=Precision.BF16, resident=True)
    done = train_task_networks(config, {"train": store}, tmp_path, "cuda", tasks=THREE, max_seconds=0)
    assert not done.finished
    assert train_task_networks(config, {"train": store}, tmp_path, "cuda", tasks=THREE).finished
    for task in THREE:
        weights = load_file(tmp_path / f"{task}.safetensors")
        assert all(value.isfinite().all() for value in weights.values())
