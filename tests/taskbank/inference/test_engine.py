"""Running networks: order, batches, errors on the way, and memory."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.taskbank.toy import TOY_COMPACT, TOYS, toy_encoder, toy_network

from taskbank.bank.bank import Bank
from taskbank.errors import ImageError, InvalidInputError, MissingTaskError, UnknownTaskError
from taskbank.images.framing import fit_photo
from taskbank.images.read_ahead import in_batches, read_ahead
from taskbank.images.reading import read_photo
from taskbank.inference.device import choose_device, prepare
from taskbank.inference.engine import Engine
from taskbank.inference.preprocess import InputKind, as_input, preprocess
from taskbank.inference.settings import Settings
from taskbank.nets.architecture import Architecture
from taskbank.nets.encoder import normalise_representation
from taskbank.nets.pack import PackedConvolution
from taskbank.options import Fit, Precision

TASKS_OF_ONE = (
    "normal",
    "depth_zbuffer",
    "class_scene",
    "colorization",
    "inpainting",
    "jigsaw",
    "segment_semantic",
)
RNG = np.random.default_rng(0)
PHOTOS = [RNG.integers(0, 256, (40 + 7 * n, 60, 3), dtype=np.uint8) for n in range(5)]
CPU = Settings(device="cpu", batch_size=2, fit=Fit.CROP)


@pytest.fixture(scope="module", params=TOYS, ids=lambda made: made.name)
def bank(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bank:
    """A bank of tasks for one, two and three images, and an encoder alone, in either architecture."""
    made: Architecture = request.param
    tasks = (*TASKS_OF_ONE, "point_matching", "nonfixated_pose", "egomotion")
    networks: dict[str, Any] = {task: toy_network(task, made, seed) for seed, task in enumerate(tasks)}
    networks["random"] = toy_encoder(made, 99)
    return Bank.save(
        tmp_path_factory.mktemp("toy") / made.name, name="toy", architecture=made, networks=networks
    )


@pytest.fixture(scope="module")
def compact(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    """A small bank of the small architecture."""
    networks = {task: toy_network(task) for task in ("normal", "class_scene", "point_matching")}
    folder = tmp_path_factory.mktemp("toy") / "compact"
    return Bank.save(folder, name="toy", architecture=TOY_COMPACT, networks=networks)


def reference(bank: Bank, task: str, photo: np.ndarray) -> torch.Tensor:
    """Run the network as loaded on one photo alone, cropped."""
    preprocessed = preprocess(read_photo(photo), "crop", 256, tiles=task == "jigsaw")
    given = preprocessed.square[None]
    if task == "jigsaw":
        assert preprocessed.tiles is not None
        given = preprocessed.tiles[None]
    elif task in {"colorization", "inpainting"}:
        given = as_input(given, InputKind.LIGHTNESS if task == "colorization" else InputKind.HOLE)
    with torch.inference_mode():
        raw: torch.Tensor = bank.load(task)(given)[0]
    return raw


def test_every_network_gives_what_it_gives_alone(bank: Bank) -> None:
    """Folded, channels last, in batches, with other tasks beside it."""
    outcomes = list(Engine(bank, TASKS_OF_ONE, CPU).run(PHOTOS[:3]))
    for photo, outcome in zip(PHOTOS[1:3], outcomes[1:], strict=True):
        for task in TASKS_OF_ONE:
            expected = reference(bank, task, photo)
            scale = max(1.0, float(expected.abs().max()))
            assert outcome.raw[task].shape == expected.shape
            assert (outcome.raw[task] - expected).abs().max() < 1e-4 * scale


def test_results_come_in_order_whatever_the_batch(compact: Bank) -> None:
    """The last batch is shorter."""
    for size in (1, 3, 8):
        settings = Settings(device="cpu", batch_size=size, workers=3)
        views = [
            outcome.inputs[0].view for outcome in Engine(compact, ["normal"], settings).run(iter(PHOTOS))
        ]
        assert [view.height for view in views] == [40, 47, 54, 61, 68]


def test_a_bad_image_does_not_stop_the_others(compact: Bank, tmp_path: Path) -> None:
    """It has an outcome with its error, in its place; even when it is alone in its batch."""
    (tmp_path / "bad.png").write_bytes(b"no image")
    bad = str(tmp_path / "bad.png")
    items: list[Any] = [PHOTOS[0], bad, bad, bad, PHOTOS[1]]
    outcomes = list(Engine(compact, ["normal"], CPU).run(items))
    assert [outcome.error is None for outcome in outcomes] == [True, False, False, False, True]
    assert outcomes[1].sources == (bad,)
    with pytest.raises(ImageError, match="not an image of a known format"):
        outcomes[1].prediction("normal")
    assert not torch.equal(outcomes[0].raw["normal"], outcomes[4].raw["normal"])


@pytest.mark.parametrize(("task", "number"), [("point_matching", 2), ("egomotion", 3)])
def test_tasks_of_several_images_take_tuples(bank: Bank, task: str, number: int) -> None:
    """In the order given."""
    items = [tuple(PHOTOS[:number]), tuple(PHOTOS[-number:])]
    outcomes = list(Engine(bank, [task], CPU).run(items))
    squares = torch.stack([fit_photo(read_photo(photo))[0] for photo in PHOTOS[:number]])
    with torch.inference_mode():
        expected = bank.load(task)(squares[None])[0]
    assert torch.allclose(outcomes[0].raw[task], expected, atol=1e-4)
    assert len(outcomes[1].prediction(task).views) == number


def test_tuples_of_another_length_are_errors_of_the_item(compact: Bank) -> None:
    """With what to give instead."""
    one = Engine(compact, ["normal"], CPU).run([(PHOTOS[0], PHOTOS[1])])
    assert "one image at a time, not a tuple of 2" in str(next(one).error)
    two = Engine(compact, ["point_matching"], CPU).run([PHOTOS[0]])
    assert "point_matching: a tuple of 2 images, not 1" in str(next(two).error)


def test_engines_that_cannot_be_are_refused(bank: Bank) -> None:
    """Before any image is read."""
    with pytest.raises(InvalidInputError, match="normal takes 1, egomotion takes 3. Ask for them separately"):
        Engine(bank, ["normal", "egomotion"], CPU)
    with pytest.raises(UnknownTaskError, match="did you mean normal"):
        Engine(bank, ["nromal"], CPU)
    with pytest.raises(MissingTaskError, match="no task 'curvature'"):
        Engine(bank, ["curvature"], CPU)
    with pytest.raises(MissingTaskError, match="no decoder for 'random'"):
        Engine(bank, ["random"], CPU)
    with pytest.raises(InvalidInputError, match="no task was named"):
        Engine(bank, [], CPU)


@pytest.mark.parametrize("normalise", [True, False])
def test_representations_are_those_of_the_encoder(bank: Bank, normalise: bool) -> None:
    """Also of tasks that take several images or tiles, and without decoders."""
    tasks = ["random", "jigsaw", "egomotion"]
    engine = Engine(bank, tasks, CPU, encoders_only=True)
    outcomes = list(engine.encode(PHOTOS[:3], normalize=normalise))
    square = fit_photo(read_photo(PHOTOS[2]))[0][None]
    for task in tasks:
        with torch.inference_mode():
            code = bank.load_encoder(task)(square)
            expected = normalise_representation(code) if normalise else code
        assert torch.allclose(outcomes[2].raw[task], expected[0], atol=1e-3)
    with pytest.raises(MissingTaskError, match="no decoder for 'random' in this engine of encoders"):
        next(engine.run(PHOTOS))


def test_no_more_is_held_than_is_in_work(compact: Bank) -> None:
    """Photos of a long stream are forgotten, however long it is."""
    alive: weakref.WeakSet[torch.Tensor] = weakref.WeakSet()
    most = 0

    def stream() -> Iterator[torch.Tensor]:
        for number in range(20):
            photo = torch.full((3, 16, 16), number, dtype=torch.uint8)
            alive.add(photo)
            yield photo

    settings = Settings(device="cpu", batch_size=2, workers=2)
    for _ in Engine(compact, ["class_scene"], settings).run(stream()):
        most = max(most, len(alive))
    assert most <= 2 * 2 + 2


def test_raw_outputs_do_not_keep_their_batch(compact: Bank) -> None:
    """A row is a copy; otherwise one result that is kept would keep the others."""
    outcome = next(Engine(compact, ["normal"], CPU).run(PHOTOS))
    assert outcome.raw["normal"].untyped_storage().nbytes() == 3 * 256 * 256 * 4


def test_reading_ahead_keeps_order_and_bounds() -> None:
    """Never more than asked for, and no further than needed."""
    taken: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(20):
            taken.append(number)
            yield number

    ahead = read_ahead(numbers(), lambda number: number * number, workers=3, ahead=4)
    assert next(ahead) == 0
    assert len(taken) <= 5
    assert list(ahead) == [number * number for number in range(1, 20)]


def test_reading_ahead_raises_in_turn_and_stops() -> None:
    """Items before the fault are given."""
    ahead = read_ahead([1, 2, 0, 3], lambda number: 6 // number, workers=2, ahead=3)
    assert [next(ahead), next(ahead)] == [6, 3]
    with pytest.raises(ZeroDivisionError):
        next(ahead)


def test_batches_hold_every_item_once() -> None:
    """The last is shorter."""
    assert list(in_batches(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(in_batches([], 2)) == []


def test_devices_are_checked() -> None:
    """By what there is here."""
    assert choose_device("cpu").type == "cpu"
    assert choose_device().type in {"cpu", "cuda", "mps"}
    with pytest.raises(InvalidInputError, match="unknown device 'gpu': choose auto"):
        choose_device("gpu")
    if not torch.cuda.is_available():
        with pytest.raises(InvalidInputError, match="no device 'cuda:1' here: choose auto, cpu"):
            choose_device("cuda:1")
    with pytest.raises(InvalidInputError, match="precision fp16 needs a GPU: choose fp32 or bf16 on cpu"):
        prepare(toy_encoder(), torch.device("cpu"), Precision.FP16)


def test_preparing_folds_the_network_itself() -> None:
    """A copy would take longer than all the rest."""
    network = toy_network("normal")
    prepared = prepare(network, torch.device("cpu"), Precision.FP32)
    assert prepared is network
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in prepared.modules())


def test_preparing_for_a_cpu_lays_out_large_convolutions_as_its_library_wants_them() -> None:
    """They give the same numbers; in bf16 they stay, as not every CPU has the operators for it."""
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        pytest.skip("this build of torch has no oneDNN")
    wide = torch.nn.Sequential(torch.nn.Conv2d(128, 128, 3), torch.nn.BatchNorm2d(128)).eval()
    x = torch.rand((1, 128, 8, 8), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = wide(x)
        prepared = prepare(deepcopy(wide), torch.device("cpu"), Precision.FP32)
        assert torch.allclose(prepared(x), expected, atol=1e-5)
    assert isinstance(prepared.get_submodule("0"), PackedConvolution)
    half = prepare(wide, torch.device("cpu"), Precision.BF16)
    assert isinstance(half.get_submodule("0"), torch.nn.Conv2d)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"batch_size": 0}, "batch_size 0 and workers 2 must lie between 1 and 65536"),
        ({"batch_size": 10**20}, "batch_size 1000.* must lie between 1 and 65536"),
        ({"size": 100}, "not a positive multiple of 16"),
        ({"size": 10**9}, "size 1000000000 is too large: 4096 at most"),
        ({"fit": "squash"}, "unknown fit 'squash': choose whole, crop, pad, stretch"),
        ({"precision": "fp8"}, "unknown precision 'fp8': choose fp32, fp16, bf16"),
    ],
)
def test_settings_are_checked(given: dict[str, Any], message: str) -> None:
    """They are checked when they are made."""
    with pytest.raises(InvalidInputError, match=message):
        Settings(**given)


def test_fully_convolutional_networks_take_other_sizes() -> None:
    """The map has the size of the square."""
    network = prepare(toy_network("normal", TOY_COMPACT), torch.device("cpu"), Precision.FP32)
    with torch.inference_mode():
        assert network(torch.zeros(1, 3, 320, 320)).shape == (1, 3, 320, 320)


def test_bf16_gives_nearly_the_same_on_any_device(compact: Bank) -> None:
    """Eight significant bits; what comes out is float32."""
    settings = Settings(device="cpu", precision=Precision.BF16, fit=Fit.CROP)
    (half,) = Engine(compact, ["normal"], settings).run(PHOTOS[:1])
    (full,) = Engine(compact, ["normal"], CPU).run(PHOTOS[:1])
    error = (half.raw["normal"] - full.raw["normal"]).abs()
    assert half.raw["normal"].dtype == torch.float32
    assert 0 < error.mean() < 0.05 * full.raw["normal"].std()


@pytest.mark.gpu
@pytest.mark.parametrize("precision", list(Precision))
def test_a_gpu_gives_nearly_the_same(compact: Bank, precision: Precision) -> None:
    """In every precision."""
    settings = Settings(device="cuda", precision=precision, fit=Fit.CROP)
    (there,) = Engine(compact, ["normal"], settings).run(PHOTOS[:1])
    (here,) = Engine(compact, ["normal"], CPU).run(PHOTOS[:1])
    error = (there.raw["normal"] - here.raw["normal"]).abs()
    assert error.mean() < 0.05 * here.raw["normal"].std()
