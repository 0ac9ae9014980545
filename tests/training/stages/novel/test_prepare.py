"""Photographs and labels, read once: what networks see, what they learn, and clear errors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.taskbank.toy import TOY_RESNET
from tests.training.stages.novel.toy_task import (
    COUNT,
    SIDE,
    brightness,
    file_name,
    pixels,
    side,
    toy_bank,
    toy_config,
    write_csv,
    write_labels,
    write_photographs,
)
from training.errors import ConfigError, DataError
from training.stages.novel.config import NovelConfig
from training.stages.novel.division import Part
from training.stages.novel.kinds import LabelKind
from training.stages.novel.prepare import LABELS, SQUARES, load_prepared, prepare
from training.stages.novel.stage import run_novel

from taskbank.errors import InvalidInputError, MissingTaskError
from taskbank.images.reading import read_photo
from taskbank.inference.preprocess import preprocess
from taskbank.tasks.kinds import OutputKind
from taskbank.tasks.own_targets import OwnTarget


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """A folder of them."""
    return write_photographs(tmp_path / "photographs")


def rows(label: Callable[[int], object], count: int = COUNT) -> list[tuple[str, object]]:
    """A label for each photograph."""
    return [(file_name(number), label(number)) for number in range(count)]


def test_squares_are_what_taskbank_shows_networks(photographs: Path, tmp_path: Path) -> None:
    """Turned upright, cut to the middle, scaled."""
    turned = Image.fromarray(pixels(0)).rotate(90, expand=True)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter to the right
    turned.save(photographs / file_name(0), exif=exif)
    Image.fromarray(pixels(1)).resize((200, 161)).save(photographs / file_name(1))
    out = tmp_path / "prepared"
    prepare(toy_config(LabelKind.CLASSES), photographs, write_labels(tmp_path, LabelKind.CLASSES), out)
    squares = np.load(out / SQUARES)
    assert squares.shape == (COUNT, 3, SIDE, SIDE)
    for number in (0, 1, 2):
        square = preprocess(read_photo(photographs / file_name(number)), "crop", SIDE).square
        np.testing.assert_allclose(squares[number], square, atol=1e-3)
    upright = pixels(0).transpose(2, 0, 1)[:, :, 4:-4] / 127.5 - 1
    np.testing.assert_allclose(squares[0], upright, atol=1e-3)


def test_numbers_are_whitened_by_what_is_learned_from(photographs: Path, tmp_path: Path) -> None:
    labels = write_labels(tmp_path, LabelKind.NUMBERS)
    prepared = prepare(toy_config(LabelKind.NUMBERS), photographs, labels, tmp_path / "out")
    values = np.load(tmp_path / "out" / LABELS)
    learned = prepared.of(Part.LEARNED)
    assert values[learned].mean() == pytest.approx(0, abs=1e-6)
    assert values[learned].std() == pytest.approx(1)
    (mean,), (std,) = prepared.target.whitening or ((), ())
    np.testing.assert_allclose(
        values[:, 0] * std + mean, [brightness(one) for one in range(COUNT)], rtol=1e-5
    )
    assert (prepared.names, prepared.target.unit) == (("brightness",), "%")
    assert load_prepared(tmp_path / "out") == prepared


def test_maps_reach_from_minus_one_to_one_over_what_is_learned_from(
    photographs: Path, tmp_path: Path
) -> None:
    labels = write_labels(tmp_path, LabelKind.IMAGE)
    hidden = np.array(pixels(5)[..., 0] * 100.0)
    hidden[:10] = np.nan
    (labels / file_name(5)).unlink()
    np.save(labels / "p05.npy", hidden)
    prepared = prepare(toy_config(LabelKind.IMAGE), photographs, labels, tmp_path / "out")
    values = np.load(tmp_path / "out" / LABELS)
    learned = values[prepared.of(Part.LEARNED)]
    assert (np.nanmin(learned), np.nanmax(learned)) == (pytest.approx(-1), pytest.approx(1))
    low, high = prepared.target.value_range or (0, 0)
    truth = pixels(4)[:, 4:-4, 0].astype(float) * 100
    np.testing.assert_allclose((values[4, 0] + 1) / 2 * (high - low) + low, truth, rtol=1e-4)
    assert np.isnan(values[5, 0, :10]).all()
    assert not np.isnan(values[5, 0, 11:]).any()


def test_photographs_of_one_place_stay_together(photographs: Path, tmp_path: Path) -> None:
    table = [(file_name(number), side(number), f"room {number // 4}") for number in range(COUNT)]
    labels = write_csv(tmp_path / "t.csv", ("file", "side", "group"), table)
    prepared = prepare(toy_config(LabelKind.CLASSES), photographs, labels, tmp_path / "out")
    assert len(set(prepared.groups)) == COUNT // 4
    for start in range(0, COUNT, 4):
        assert len(set(prepared.parts[start : start + 4])) == 1
        assert len(set(prepared.groups[start : start + 4])) == 1


def test_unreadable_photographs_are_left_out_and_named(photographs: Path, tmp_path: Path) -> None:
    for number in (3, 7):
        (photographs / file_name(number)).write_bytes(b"")
    labels = write_labels(tmp_path, LabelKind.CLASSES)
    prepared = prepare(toy_config(LabelKind.CLASSES), photographs, labels, tmp_path / "out")
    assert set(prepared.unreadable) == {"p03.png", "p07.png"}
    assert "empty (0 bytes)" in prepared.unreadable["p03.png"]
    assert len(np.load(tmp_path / "out" / LABELS)) == len(prepared.photographs) == COUNT - 2


def refused(kind: LabelKind, photographs: Path, labels: Path, message: str, **more: object) -> None:
    """Nothing is prepared, and the error says why."""
    out = photographs.parent / "out"
    with pytest.raises(DataError, match=message):
        prepare(toy_config(kind, **more), photographs, labels, out)
    assert not (out / SQUARES).exists()


def test_too_few_photographs_are_refused(tmp_path: Path) -> None:
    folder = write_photographs(tmp_path / "photographs", 19)
    labels = write_labels(tmp_path, LabelKind.CLASSES, 19)
    refused(LabelKind.CLASSES, folder, labels, "there are 19 photographs: 20 at least")
    refused(LabelKind.CLASSES, labels, labels, "is no folder")
    (tmp_path / "empty").mkdir()
    refused(LabelKind.CLASSES, tmp_path / "empty", labels, "holds no images")


def test_too_few_that_can_be_read_are_refused(photographs: Path, tmp_path: Path) -> None:
    for number in range(5):
        (photographs / file_name(number)).write_bytes(b"?")
    message = r"19 photographs can be read, 20 at least are needed; unreadable are p00\.png, p01\.png"
    refused(LabelKind.NUMBERS, photographs, write_labels(tmp_path, LabelKind.NUMBERS), message)


@pytest.mark.parametrize(
    ("kind", "label", "message"),
    [
        (LabelKind.CLASSES, lambda number: "cat", "all photographs are of the class 'cat'"),
        (
            LabelKind.CLASSES,
            lambda number: "cat" if number else "dog",
            r"single photograph: dog \(p00\.png\)",
        ),
        (LabelKind.CLASSES, lambda number: "" if number == 3 else "dog", r"no class for p03\.png"),
        (LabelKind.NUMBERS, lambda number: 2.5, "label is 2.5 for all photographs that are learned from"),
        (LabelKind.NUMBERS, lambda number: "nan", r"label of p00\.png is 'nan', no finite number"),
    ],
)
def test_labels_with_nothing_to_learn_are_refused(
    photographs: Path, tmp_path: Path, kind: LabelKind, label: Callable[[int], object], message: str
) -> None:
    refused(kind, photographs, write_csv(tmp_path / "t.csv", ("file", "label"), rows(label)), message)


def test_labels_and_photographs_must_be_of_the_same_names(photographs: Path, tmp_path: Path) -> None:
    short = write_csv(tmp_path / "t.csv", ("file", "label"), rows(side, COUNT - 1))
    refused(LabelKind.CLASSES, photographs, short, r"1 photograph\(s\) without a label \(p23\.png\)")
    long = write_csv(tmp_path / "u.csv", ("file", "label"), rows(side, COUNT + 1))
    refused(LabelKind.CLASSES, photographs, long, r"1 label\(s\) without a photograph \(p24\.png\)")
    maps = write_labels(tmp_path, LabelKind.IMAGE, COUNT - 1)
    refused(LabelKind.IMAGE, photographs, maps, r"1 photograph\(s\) without a label \(p23\)")
    refused(LabelKind.NUMBERS, photographs, maps, "is a folder: numbers are read from a CSV file")


def test_maps_that_differ_are_refused(photographs: Path, tmp_path: Path) -> None:
    maps = write_labels(tmp_path, LabelKind.IMAGE)
    Image.fromarray(pixels(2)).save(maps / file_name(2))
    refused(LabelKind.IMAGE, photographs, maps, r"p23\.png has 1, .*p02\.png has 3; all must have as many")
    Image.fromarray(pixels(2)[:-1, :, 0]).save(maps / file_name(2))
    refused(LabelKind.IMAGE, photographs, maps, r"p02\.png is 40 x 31 px, its photograph 40 x 32")


def test_constant_maps_are_refused(photographs: Path, tmp_path: Path) -> None:
    maps = tmp_path / "maps"
    maps.mkdir()
    for number in range(COUNT):
        np.save(maps / f"p{number:02}.npy", np.full((SIDE, SIDE + 8), 4.0))
    refused(LabelKind.IMAGE, photographs, maps, "hold 4 and nothing else")


def test_folders_of_classes_are_labels(tmp_path: Path) -> None:
    for number in range(COUNT):
        folder = tmp_path / "photographs" / side(number)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels(number)).save(folder / file_name(number))
    folder = tmp_path / "photographs"
    prepared = prepare(toy_config(LabelKind.CLASSES), folder, folder, tmp_path / "out")
    assert prepared.target == OwnTarget(output=OutputKind.CLASSES, channels=2)
    said = [(prepared.names or ())[number] for number in np.load(tmp_path / "out" / LABELS)]
    assert said == [name.split("/")[0] for name in prepared.photographs]


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"name": "normals"}, InvalidInputError, "'normals' is taken by the task 'normal'"),
        (
            {"learned": 0.9, "held_out": 0.1},
            ConfigError,
            "must be positive shares that leave some photographs",
        ),
        ({"resamples": 0}, ConfigError, "resamples 0 must be at least 1"),
        ({"unit": "m"}, ConfigError, "unit 'm': classes have none"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    settings: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        NovelConfig(kind=LabelKind.CLASSES, **settings)  # type: ignore[arg-type] # that is what is tested


@pytest.mark.parametrize("sources", [(), ("normal",)])
def test_banks_with_nothing_to_rank_are_refused(
    photographs: Path, tmp_path: Path, sources: tuple[str, ...]
) -> None:
    with pytest.raises(
        DataError, match=rf"{len(sources)} encoder\(s\) of the bank .* can be ranked from two on"
    ):
        run_novel(
            toy_config(LabelKind.CLASSES),
            images=photographs,
            labels=write_labels(tmp_path, LabelKind.CLASSES),
            bank=toy_bank(tmp_path / "bank", sources).where,
            out=tmp_path / "out",
        )
    assert not (tmp_path / "out").exists()


def test_labels_that_were_refused_may_be_mended(photographs: Path, tmp_path: Path) -> None:
    bank, labels, out = toy_bank(tmp_path / "bank").where, tmp_path / "t.csv", tmp_path / "out"

    def run() -> None:
        config = toy_config(LabelKind.CLASSES, steps=1, orders=(1,))
        run_novel(config, images=photographs, labels=labels, bank=bank, out=out)

    write_csv(labels, ("file", "label"), rows(lambda number: "cat"))
    with pytest.raises(DataError, match="all photographs are of the class 'cat'"):
        run()
    write_csv(labels, ("file", "label"), rows(side))
    run()
    assert (out / "affinity.safetensors").exists()
    write_csv(labels, ("file", "label"), rows(lambda number: side(number + 1)))
    with pytest.raises(ConfigError, match=r"other content of .*t\.csv"):
        run()


def test_sources_are_named_by_any_name_and_must_be_in_the_bank(photographs: Path, tmp_path: Path) -> None:
    def run(sources: list[str], **more: object) -> None:
        run_novel(
            toy_config(LabelKind.CLASSES, **more),
            images=photographs,
            labels=write_labels(tmp_path, LabelKind.CLASSES),
            bank=toy_bank(tmp_path / f"bank_{len(list(tmp_path.iterdir()))}").where,
            out=tmp_path / "out",
            sources=sources,
        )

    with pytest.raises(MissingTaskError, match="jigsaw"):
        run(["normals", "jigsaw"])
    with pytest.raises(DataError, match=r"1 encoder\(s\)"):
        run(["normals", "Normal"])
    with pytest.raises(ConfigError, match="size 40 must be a multiple of 16"):
        run(["normals", "reshade"], size=40)
    with pytest.raises(ConfigError, match=r"orders \(2,\) must be 1 and any"):
        run(["normals", "reshade"], orders=(2,))
    assert not (tmp_path / "out").exists()


def test_heads_of_the_original_architecture_take_one_size() -> None:
    with pytest.raises(ConfigError, match="size 32: heads of a resnet50 bank take 256 px only"):
        toy_config(LabelKind.CLASSES).transfers(("normal", "reshading"), TOY_RESNET)
