"""Predictions for videos: the same as for the frames as images, in whole files, in bounded memory."""

from __future__ import annotations

import json
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.taskbank.clips import corner_frames, read_clip, write_clip
from tests.taskbank.toy import TOY_COMPACT, toy_network, toy_readout

import taskbank
from taskbank.bank.bank import Bank
from taskbank.drawing.picture_scale import measure
from taskbank.drawing.render import picture
from taskbank.errors import InvalidInputError, OutputError, VideoError
from taskbank.file_predictions import Saving, predict_files
from taskbank.inference.engine import Engine
from taskbank.inference.settings import Settings
from taskbank.saving.export import Form
from taskbank.tasks.registry import find_task
from taskbank.video import predictions as video_files
from taskbank.video.files import open_clip, read_frames
from taskbank.video.predictions import VideoSaving, save_video, video_file_names
from taskbank.video.predictor import predict_video

CPU = Settings(device="cpu", batch_size=3)
TASKS = ("normal", "depth_zbuffer", "class_scene", "vanishing_point", "jigsaw", "point_matching")


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    """A toy bank."""
    return Bank.save(
        tmp_path_factory.mktemp("toy") / "bank",
        name="toy",
        architecture=TOY_COMPACT,
        networks={task: toy_network(task, seed=seed) for seed, task in enumerate(TASKS)},
        transfers=(toy_readout(("normal",), "reshading"),),
    )


@pytest.fixture(scope="module")
def clip_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven frames at times that vary."""
    folder = tmp_path_factory.mktemp("clips")
    return write_clip(folder / "clip.mp4", corner_frames(7), [0, 40, 80, 200, 240, 280, 900])


def run(bank: Bank, clip_file: Path, tasks: str, out: Path, **options: Any) -> Any:
    """`predict_video` on the CPU."""
    return predict_video(clip_file, tasks.split(","), bank=bank, out=out, device="cpu", **options)


def blocks(pixels: np.ndarray) -> np.ndarray:
    """Means over 8 x 8 px."""
    rows, columns = pixels.shape[0] // 8, pixels.shape[1] // 8
    means: np.ndarray = pixels.astype(float).reshape(rows, 8, columns, 8, 3).mean(axis=(1, 3))
    return means


def test_arrays_are_those_of_the_frames_as_images(bank: Bank, clip_file: Path, tmp_path: Path) -> None:
    """In one file, frames first, whatever the batch."""
    saved = run(bank, clip_file, "depth,scene", tmp_path, save=["npy"], batch_size=3)
    assert saved.frames == 7
    assert saved.files["depth_zbuffer"] == (tmp_path / "depth_zbuffer.npy",)
    depths, classes = np.load(tmp_path / "depth_zbuffer.npy"), np.load(tmp_path / "class_scene.npy")
    assert (depths.shape, classes.shape, depths.dtype) == ((7, 48, 64), (7, 63), np.float32)
    frames = [frame.pixels for frame in read_frames(saved.clip)]
    for number in (0, 6):
        one = taskbank.predict(frames[number], ["depth", "scene"], bank=bank, device="cpu")
        assert np.allclose(depths[number], one["depth_zbuffer"].array, rtol=1e-3, equal_nan=True)
        assert np.allclose(classes[number], one["class_scene"].array, atol=1e-4)


def test_pictures_are_those_of_the_frames_as_images(bank: Bank, clip_file: Path, tmp_path: Path) -> None:
    """In the input's size, at the input's times."""
    saved = run(bank, clip_file, "normals", tmp_path, save=["png"])
    frames, times = read_clip(tmp_path / "normal.mp4")
    assert times == pytest.approx([0, 0.04, 0.08, 0.2, 0.24, 0.28, 0.9])
    inputs = [frame.pixels for frame in read_frames(saved.clip)]
    outcomes = list(Engine(bank, ["normal"], CPU).run(inputs))
    for given, outcome in zip(frames, outcomes, strict=True):
        expected = np.asarray(picture(outcome.prediction("normal"), outcome.inputs))
        assert given.shape == expected.shape
        # Over 8 x 8 px, as H.264 halves the resolution of colours, and these networks give noise.
        assert np.abs(blocks(given) - blocks(expected)).max() < 10


def test_a_video_is_never_replaced_by_its_own_result(bank: Bank, clip_file: Path, tmp_path: Path) -> None:
    """Not even with leave to overwrite."""
    own = tmp_path / "normal.mp4"
    own.write_bytes(clip_file.read_bytes())
    with pytest.raises(OutputError, match="written over the input .*normal.mp4"):
        run(bank, own, "normals", tmp_path, overwrite=True)
    assert own.read_bytes() == clip_file.read_bytes()


def test_depth_has_one_range_of_colours(bank: Bank, clip_file: Path, tmp_path: Path) -> None:
    """That of all frames, which the facts name; a frame of its own range would have others."""
    saved = run(bank, clip_file, "depth", tmp_path, save=["png", "json"])
    facts = json.loads((tmp_path / "depth_zbuffer.json").read_text())
    inputs = [frame.pixels for frame in read_frames(saved.clip)]
    predictions = [one.prediction("depth_zbuffer") for one in Engine(bank, ["depth"], CPU).run(inputs)]
    lows = [measure([prediction]).low for prediction in predictions]  # type: ignore[union-attr]
    assert min(lows) - 1e-3 <= facts["video"]["colours"]["low"] <= max(lows) + 1e-3
    assert facts["video"]["colours"]["high"] > facts["video"]["colours"]["low"]


def test_the_scale_is_measured_over_the_whole_clip(
    bank: Bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On frames from its beginning to its end, not more than a few."""
    clip = open_clip(write_clip(tmp_path / "clip.mp4", corner_frames(60)))
    looked: list[set[int]] = []

    def spy(clip: Any, wanted: Any = None) -> Any:
        looked.append(wanted)
        return read_frames(clip, wanted)

    monkeypatch.setattr(video_files, "read_frames", spy)
    saving = VideoSaving(folder=tmp_path / "out", forms=(Form.PNG,))
    assert save_video(Engine(bank, ["depth"], CPU), clip, saving) == 60
    first, second = looked
    assert second is None
    assert {0, 59} <= first
    assert 20 <= len(first) <= 24
    assert max(np.diff(sorted(first))) <= 3


def test_facts_of_the_clip_and_lines_of_its_frames(bank: Bank, clip_file: Path, tmp_path: Path) -> None:
    """Maps have facts alone; numbers have a line per frame."""
    run(bank, clip_file, "normals,scene,vanishing_points,jigsaw", tmp_path, save=["json"])
    assert {path.name for path in tmp_path.iterdir()} == {
        "normal.json",
        *(
            f"{task}.{end}"
            for task in ("class_scene", "vanishing_point", "jigsaw")
            for end in ("json", "jsonl")
        ),
    }
    facts = json.loads((tmp_path / "class_scene.json").read_text())
    assert "top5" not in facts
    assert facts["inputs"][0]["source"] == str(clip_file)
    assert facts["bank"]["sha256"] == bank.digest
    video = facts["video"]
    assert (video["frames"], video["width"], video["height"], video["sound"]) == (7, 64, 48, "none")
    lines = [json.loads(line) for line in (tmp_path / "class_scene.jsonl").read_text().splitlines()]
    assert [line["frame"] for line in lines] == list(range(7))
    assert [line["seconds"] for line in lines] == pytest.approx([0, 0.04, 0.08, 0.2, 0.24, 0.28, 0.9])
    assert len(lines[3]["top5"]) == 5
    orders = [json.loads(line) for line in (tmp_path / "jigsaw.jsonl").read_text().splitlines()]
    assert set(orders[0]) == {"frame", "seconds", "values", "probability", "permutation", "shown"}


def test_names_are_known_before() -> None:
    """Of all forms."""
    assert video_file_names(find_task("normal"), [Form.PNG, Form.JSON]) == ["normal.mp4", "normal.json"]
    assert video_file_names(find_task("class_scene"), Form) == [
        "class_scene.mp4", "class_scene.npy", "class_scene.json", "class_scene.jsonl",
    ]  # fmt: skip


def test_smoothing_is_a_running_mean_in_time(bank: Bank, clip_file: Path, tmp_path: Path) -> None:
    """By hand: every frame's share is 1 - exp(-step / seconds)."""
    run(bank, clip_file, "scene", tmp_path, save=["npy", "json"], smooth=0.1)
    given = np.load(tmp_path / "class_scene.npy")
    clip = open_clip(clip_file)
    raw = [
        one.raw["class_scene"].numpy().astype(float)
        for one in Engine(bank, ["scene"], CPU).run(frame.pixels for frame in read_frames(clip))
    ]
    mean, expected = raw[0], [raw[0]]
    for step, values in zip(np.diff([0, 0.04, 0.08, 0.2, 0.24, 0.28, 0.9]), raw[1:], strict=True):
        mean = mean + (1 - np.exp(-step / 0.1)) * (values - mean)
        expected.append(mean)
    for number, logits in enumerate(expected):
        shares = np.exp(logits - logits.max())
        assert np.allclose(given[number], shares / shares.sum(), atol=1e-4)
    assert json.loads((tmp_path / "class_scene.json").read_text())["video"]["smoothed_seconds"] == 0.1


def test_what_a_video_cannot_have_is_refused(bank: Bank, clip_file: Path, tmp_path: Path) -> None:
    """Before any frame is read."""
    with pytest.raises(InvalidInputError, match="a video cannot be saved as ply: choose from png, npy, json"):
        run(bank, clip_file, "depth", tmp_path, save=["ply"])
    with pytest.raises(InvalidInputError, match="smooth -1 must be seconds"):
        VideoSaving(folder=tmp_path, smooth=-1)
    with pytest.raises(InvalidInputError, match="point_matching takes 2 images, not a video's frames"):
        run(bank, clip_file, "match", tmp_path)
    assert not list(tmp_path.iterdir())


def test_existing_files_are_kept_unless_allowed(bank: Bank, clip_file: Path, tmp_path: Path) -> None:
    """As for images."""
    (tmp_path / "normal.json").write_text("mine")
    with pytest.raises(OutputError, match="1 result"):
        run(bank, clip_file, "normals", tmp_path, save=["json"])
    assert (tmp_path / "normal.json").read_text() == "mine"
    run(bank, clip_file, "normals", tmp_path, save=["json"], overwrite=True)
    assert json.loads((tmp_path / "normal.json").read_text())["task"] == "normal"


def test_an_interrupt_leaves_nothing_half_done(bank: Bank, clip_file: Path, tmp_path: Path) -> None:
    """In the middle of a clip."""

    def stop(number: int) -> None:
        if number == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(bank, clip_file, "normals,scene", tmp_path, save=["png", "npy", "json"], each=stop)
    assert not list(tmp_path.iterdir())


def test_no_more_frames_are_held_than_are_in_work(
    bank: Bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the clip is."""
    held: list[weakref.ref[Any]] = []
    most = 0

    def counted(clip: Any, wanted: Any = None) -> Iterator[Any]:
        for frame in read_frames(clip, wanted):
            held.append(weakref.ref(frame.pixels))
            yield frame

    def count(_number: int) -> None:
        nonlocal most
        most = max(most, sum(pixels() is not None for pixels in held))

    monkeypatch.setattr(video_files, "read_frames", counted)
    clip = open_clip(write_clip(tmp_path / "clip.mp4", corner_frames(40)))
    saving = VideoSaving(folder=tmp_path / "out", forms=(Form.NPY,))
    settings = Settings(device="cpu", batch_size=2, workers=2)
    save_video(Engine(bank, ["scene"], settings), clip, saving, each=count)
    assert 0 < most <= 2 * 2 + 4


def test_images_and_videos_may_be_mixed(bank: Bank, clip_file: Path, tmp_path: Path) -> None:
    """Reports come in order; a bad video does not stop the others; transfers take videos too."""
    from PIL import Image

    photo, bad = tmp_path / "photo.png", tmp_path / "bad.mp4"
    Image.fromarray(corner_frames(1)[0]).save(photo)
    bad.write_bytes(b"no video")
    saving = Saving(folder=tmp_path / "out", forms=(Form.PNG,))
    inputs = [(photo,), (bad,), (clip_file,), (photo,)]
    frames: list[tuple[Path, int, int]] = []
    reports = list(
        predict_files(
            bank,
            ["reshading"],
            inputs,
            saving,
            sources=["normals"],
            settings=CPU,
            each_frame=lambda *one: frames.append(one),
        )
    )
    assert [report.sources for report in reports] == [(str(path),) for (path,) in inputs]
    assert [type(report.error) for report in reports] == [type(None), VideoError, type(None), type(None)]
    assert frames == [(clip_file, number, 7) for number in range(7)]
    made = {str(path.name) for path in (tmp_path / "out").rglob("*.*")}
    assert made == {"reshading.png", "reshading.mp4"}


def test_videos_are_never_taken_together(bank: Bank, clip_file: Path, tmp_path: Path) -> None:
    """Two videos are no pair of images."""
    saving = Saving(folder=tmp_path / "out")
    with pytest.raises(InvalidInputError, match=r"clip.mp4 is a video: only images can be taken together"):
        list(predict_files(bank, ["match"], [(clip_file, clip_file)], saving, settings=CPU))
    dataset = Saving(folder=tmp_path / "out", forms=(Form.DATASET,))
    stretch = Settings(device="cpu", fit="crop")  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="a video cannot be saved as dataset"):
        list(predict_files(bank, ["normals"], [(clip_file,)], dataset, settings=stretch))


def test_raw_numbers_of_smoothed_tiles_are_left_alone() -> None:
    """Their order changes from frame to frame, so a mean of them means nothing."""
    average = video_files._Average(1.0, 0.5)
    first = average.of({"jigsaw": torch.zeros(3), "class_scene": torch.zeros(3)}, 0)
    second = average.of({"jigsaw": torch.ones(3), "class_scene": torch.ones(3)}, 2)
    assert first["class_scene"].sum() == 0
    assert second["jigsaw"].tolist() == [1, 1, 1]
    assert second["class_scene"].tolist() == pytest.approx([1 - np.exp(-1)] * 3)
