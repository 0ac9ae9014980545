"""Samples that task networks are trained on, their order, and the settings of training."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from tests.training.stages.networks.toy_networks import CONFIG, batch_of
from training.data.frames import FrameStore
from training.errors import ConfigError
from training.learning.augmentation import UNTOUCHED, in_drawn_order
from training.learning.batches import BatchReader
from training.learning.draws import seeds_of
from training.learning.samples import samples_of
from training.stages.networks.config import Schedule, TaskNetworksConfig
from training.stages.networks.feed import Batch, Feed, read_ahead, samples_a_step, stream_of
from training.stages.networks.held_out import HeldOut, learned_from

from taskbank.options import Precision
from taskbank.tasks.registry import find_task


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, "steps is 0, it must be positive"),
        ({"jobs": 0}, "jobs is 0, it must be positive"),
        ({"half_size": 2}, "half_size is 2, it must be from 0 to 1"),
        ({"zoom": 1.5}, "zoom is 1.5, it must be from 0.25 to 1"),
        ({"held_out": 0.9}, "held_out is 0.9, it must be from 0 to 0.5"),
        ({"size": 100}, "size is 100, it must be a positive multiple of 16"),
        ({"precision": Precision.FP16}, "precision fp16 needs loss scaling"),
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


def test_the_first_steps_may_show_pictures_at_half_the_size(store: FrameStore) -> None:
    config = replace(CONFIG, steps=10, half_size=0.5)
    tasks = [
        find_task("normal"),
        find_task("colorization"),
        find_task("segment_unsup2d"),
        find_task("jigsaw"),
    ]
    for task in tasks:
        feed = Feed(BatchReader(store), [task], samples_of(task, store, 0), config)
        sizes = {}
        for step in (4, 5):
            shown, target = feed.batch(step).pair(task)
            sizes[step] = (shown.shape[-1], target.values.shape)
        assert (sizes[4][0], sizes[5][0]) == (store.size // 2, store.size)
        if task.name == "normal":
            assert sizes[4][1][-1] == store.size // 2


def test_half_of_an_odd_size_is_refused() -> None:
    config = TaskNetworksConfig(half_size=0.5, size=48)
    assert config.size_at(config.steps - 1, 256) == 48
    with pytest.raises(
        ConfigError, match="half_size is 0.5, but half of 48 px is not a multiple of 16: choose half_size=0"
    ):
        config.size_at(0, 256)


def test_a_stream_shows_every_sample_once_an_epoch(store: FrameStore) -> None:
    task = find_task("normal")
    samples = samples_of(task, store, 0)
    feed = Feed(BatchReader(store), [task], samples, CONFIG)
    rows = np.concatenate([feed._index(step) for step in range(9)])  # 72 of 36
    for epoch in range(2):
        assert sorted(rows[36 * epoch : 36 * epoch + 36]) == list(range(36))
    assert not np.array_equal(rows[:36], rows[36:])
    assert np.array_equal(feed._index(3), Feed(BatchReader(store), [task], samples, CONFIG)._index(3))


@pytest.mark.parametrize("name", ["fixated_pose", "egomotion", "point_matching"])
def test_frames_of_a_sample_are_shown_in_any_order_with_their_labels(store: FrameStore, name: str) -> None:
    task = find_task(name)
    samples = samples_of(task, store, 0)
    rows = np.repeat(np.arange(2), 100)
    seeds = seeds_of(torch.arange(len(rows)), 0)
    drawn = in_drawn_order(samples, rows, seeds)
    assert np.array_equal(np.sort(drawn.frames, axis=1), np.sort(samples.frames[rows], axis=1))
    orders, counts = np.unique(drawn.frames[rows == 0], axis=0, return_counts=True)
    assert len(orders) == math.factorial(task.num_images)
    assert counts.min() > 8
    if samples.label is not None:
        assert drawn.label is not None
        assert np.array_equal(drawn.label, samples.label[rows])
    # A pose's numbers follow from the cameras in the drawn order.
    feed = Feed(BatchReader(store), [task], samples, replace(CONFIG, mirror=False, zoom=1, photometric=False))
    loaded = feed.batch(0).pair(task)
    index = feed._index(0)
    wanted = in_drawn_order(samples, index, seeds_of(torch.from_numpy(index), CONFIG.seed, 0))
    raw = BatchReader(store).load([task], wanted, np.arange(len(index)))
    plain = Batch(raw, torch.from_numpy(index), CONFIG, varied=False).pair(task)
    assert torch.equal(loaded[0], plain[0])
    assert torch.equal(loaded[1].values, plain[1].values)


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
