"""A photograph in the Transfers tab: who is compared, what their pictures show, what can be saved."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.taskbank.toy import TOY_COMPACT, toy_network, toy_readout

import taskbank
from taskbank.bank.bank import About, Bank
from taskbank.drawing.picture_scale import DepthScale
from taskbank.images.framing import fit_photo
from taskbank.images.reading import read_photo
from taskbank.inference.preprocess import as_square_photo, preprocess
from taskbank.tasks.kinds import OutputKind
from taskbank_demo.deadline import Deadline
from taskbank_demo.errors import SlowRequestError, UploadError
from taskbank_demo.services import Services, make_services
from taskbank_demo.settings import DemoSettings
from taskbank_demo.transfers.cast import Role, cast
from taskbank_demo.transfers.files import save_comparison
from taskbank_demo.transfers.menu import Choice
from taskbank_demo.transfers.mosaic import CELL, Mosaic
from taskbank_demo.transfers.photo import SIDE, Comparison, compare_photograph
from taskbank_demo.transfers.pictures import comparison
from taskbank_demo.transfers.requests import comparison_facts, on_photograph, standing_of
from taskbank_demo.transfers.stage import (
    common_scale,
    input_image,
    result_words,
    scale_words,
)
from taskbank_demo.transfers.uploads import forget, keep_photograph
from toy_transfers import said, toy_transfer_bank

BOTH = Choice(("reshading", "edge_texture"), "normal")
DEPTH = Choice(("normal",), "depth_zbuffer")
PIXELS = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of all temporary files."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def services(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Services:
    """A demo of a bank with all baselines for normals, and none for depth."""
    bank = toy_transfer_bank(tmp_path_factory.mktemp("toy") / "bank")
    return make_services(DemoSettings(bank=bank.where, device="cpu"), folder)


@pytest.fixture
def upload(folder: Path) -> Path:
    """An uploaded photograph."""
    path = folder / "photo.png"
    Image.fromarray(PIXELS).save(path)
    return path


@pytest.fixture(scope="module")
def compared(services: Services) -> Comparison:
    """Normals from two sources, on one photograph."""
    return compare_photograph(
        Image.fromarray(PIXELS), cast(services.need_networks(), BOTH), BOTH, Deadline(60)
    )


def test_everything_that_the_bank_holds_is_compared(services: Services) -> None:
    """The transfer, the target's own network, and both baselines, each its own networks."""
    parts = cast(services.need_networks(), BOTH)
    assert [part.role for part in parts] == list(Role)
    assert all(part.runs is not None and not part.missing for part in parts)
    read = [next(part.runs.run([PIXELS])).read_from for part in parts if part.runs is not None]
    assert read == [BOTH.sources, (), ("scratch",), ("random",)]


def test_what_the_bank_lacks_is_named_with_a_way_to_get_it(services: Services) -> None:
    """For depth there is neither a network of its own nor a baseline."""
    transfer, *rivals = cast(services.need_networks(), DEPTH)
    assert transfer.runs is not None
    assert all(rival.runs is None for rival in rivals)
    assert "toy holds no network for Z-Depth: open one that does" in rivals[0].missing
    assert "lists it as `scratch -> depth_zbuffer`; `python -m training run` makes" in rivals[1].missing
    assert "lists it as `random -> depth_zbuffer`" in rivals[2].missing


def test_a_damaged_baseline_takes_only_its_own_picture_away(tmp_path: Path) -> None:
    """A damaged transfer is an error."""
    bank = toy_transfer_bank(tmp_path / "bank")
    (tmp_path / "bank" / "transfers" / "scratch__normal.safetensors").write_bytes(b"damaged")
    made = make_services(DemoSettings(bank=bank.where, device="cpu"), tmp_path)
    parts = {part.role: part for part in cast(made.need_networks(), BOTH)}
    assert parts[Role.SCRATCH].runs is None
    assert "the file is damaged" in parts[Role.SCRATCH].missing
    assert parts[Role.RANDOM].runs is not None


def test_a_target_of_ones_own_has_no_network_to_compare_with(tmp_path: Path) -> None:
    """Its transfers are all there is."""
    from taskbank.nets.build import build_readout
    from taskbank.tasks.own_targets import OwnTarget

    own = OwnTarget(output=OutputKind.NUMBERS, channels=2, whitening=((0.0, 0.0), (1.0, 1.0)))
    readout = build_readout(own.as_task("lamps"), TOY_COMPACT, ("normal",))
    bank = Bank.save(
        tmp_path / "bank",
        name="own",
        architecture=TOY_COMPACT,
        networks={"normal": toy_network("normal")},
        transfers=(readout.eval(),),
        about_transfers={(("normal",), "lamps"): About(own_target=own)},
    )
    made = make_services(DemoSettings(bank=bank.where, device="cpu"), tmp_path)
    choice = Choice(("normal",), "lamps")
    shown = compare_photograph(
        Image.fromarray(PIXELS), cast(made.need_networks(), choice), choice, Deadline(60)
    )
    assert shown.panels[0].image is not None
    assert shown.panels[1].part.missing == "Only transfers are trained for a target of one's own."


def test_the_transfers_values_are_those_of_the_library(compared: Comparison, services: Services) -> None:
    """In the frame of the whole photograph."""
    bank = services.need_networks().bank
    expected = taskbank.load_transfer(BOTH.sources, "normal", bank=bank, device="cpu").predict(PIXELS)
    np.testing.assert_array_equal(compared.prediction.array, expected.array)
    assert compared.prediction.read_from == BOTH.sources
    assert compared.prediction.sources == ("photograph",)


def test_pictures_are_squares_of_one_size(compared: Comparison) -> None:
    """The input's too: it shows what the networks saw."""
    images = [panel.image for panel in compared.panels]
    assert [image.size for image in images if image is not None] == [(SIDE, SIDE)] * 4
    middle = Image.fromarray(PIXELS[:, 15:105]).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    away = np.abs(np.asarray(compared.photograph, float) - np.asarray(middle, float)).mean()
    assert away < 4


def test_a_staged_sight_is_the_square_that_was_seen() -> None:
    """Of a photograph that is that square already, every pixel."""
    square = PIXELS[:, :90]
    preprocessed = as_square_photo(preprocess(read_photo(square), "crop", 64), 90)
    np.testing.assert_array_equal(np.asarray(input_image(preprocessed)), square)
    assert (preprocessed.view.width, preprocessed.view.height, preprocessed.view.size) == (90, 90, (64, 64))
    seen, _ = fit_photo(read_photo(square), "crop", 64)
    assert torch.equal(preprocessed.square, seen)


def test_differences_are_from_full_supervision(compared: Comparison) -> None:
    """Of every other network; that of the network itself would be none."""
    amounts = {panel.part.role: panel.difference for panel in compared.panels}
    assert amounts[Role.FULL_SUPERVISION] is None
    others = [amounts[role] for role in (Role.TRANSFER, Role.SCRATCH, Role.RANDOM)]
    assert all(amount is not None and 0 < amount < 180 for amount in others)
    assert len(set(others)) == 3


def pixels_of(path: Path) -> np.ndarray:
    """Return the pixels of a picture file."""
    with Image.open(path) as image:
        return np.asarray(image)


def size_of(path: Path) -> tuple[int, int]:
    """Columns and rows of a picture file."""
    rows, columns = pixels_of(path).shape[:2]
    return columns, rows


def test_colours_mean_the_same_in_all_pictures() -> None:
    """They are measured on the best network there is, however far off the others are."""
    near = said(OutputKind.DEPTH, np.linspace(1, 3, 10_000).reshape(100, 100))
    far = said(OutputKind.DEPTH, np.full((100, 100), 90.0))
    scale = common_scale({Role.TRANSFER: [far], Role.FULL_SUPERVISION: [near], Role.RANDOM: [far]})
    assert isinstance(scale, DepthScale)
    assert [scale.low, scale.high] == pytest.approx([1.04, 2.96])
    assert (
        scale_words(scale, OutputKind.DEPTH)
        == "Same colours in all pictures: 1.04 m is bright, 2.96 m is dark."
    )
    alone = common_scale({Role.TRANSFER: [far]})
    assert isinstance(alone, DepthScale)
    assert alone.low == 90
    assert common_scale({Role.TRANSFER: [said(OutputKind.EMBEDDING, np.zeros((2, 2, 64)))]}) is None
    assert "colours of its own" in scale_words(None, OutputKind.EMBEDDING)
    assert scale_words(None, OutputKind.NORMALS) == ""
    assert result_words(near) == ""


def test_a_request_that_takes_too_long_is_stopped(services: Services) -> None:
    """Before its next network."""
    with pytest.raises(SlowRequestError):
        compare_photograph(Image.fromarray(PIXELS), cast(services.need_networks(), BOTH), BOTH, Deadline(0))


def test_the_page_shows_every_network_or_says_why_not(
    compared: Comparison, services: Services, upload: Path
) -> None:
    """Pictures have words for those who do not see them; what is missing has commands."""
    files = save_comparison(compared, services.new_folder())
    html = comparison(compared, files)
    assert html.count("<figure") == 5
    assert html.count('alt="') == 5
    assert "mean angle per pixel" in html
    for title in ("Input", "Transfer", "Full supervision", "From scratch", "Random features"):
        assert f"<h4>{title}</h4>" in html
    lacking = on_photograph(services, DEPTH, upload)
    html = comparison(lacking, save_comparison(lacking, services.new_folder()))
    assert html.count("<figure") == 2
    assert html.count("tr-absent") == 3
    assert "<code>scratch -&gt; depth_zbuffer</code>" in html
    assert "Distance from" not in html
    assert "Same colours in all pictures" in html


def test_files_are_those_of_the_command(compared: Comparison, services: Services, tmp_path: Path) -> None:
    """Picture, values, facts, and all pictures together; links lead to them."""
    files = save_comparison(compared, services.new_folder())
    np.testing.assert_array_equal(np.load(files.array), compared.prediction.array)
    assert size_of(files.picture) == (120, 90)
    assert json.loads(files.facts.read_text())["read_from"] == list(BOTH.sources)
    assert size_of(files.together) == (3 * (CELL + 12) + 12, 2 * (CELL + 48))
    links = re.findall(r'href="gradio_api/file=([^"]+)" download="([^"]+)"', comparison(compared, files))
    assert links == [(path, Path(path).name) for path in files.files]


def test_facts_for_programs_name_everything(compared: Comparison, services: Services) -> None:
    """JSON-ready."""
    facts = comparison_facts(compared, standing_of(services, BOTH, "taskonomy-16k"), {"gain": 0.5})
    again = json.loads(json.dumps(facts, allow_nan=False))
    assert again["transfer"] == BOTH.name
    assert again["prediction"]["read_from"] == list(BOTH.sources)
    assert again["measured"]["tensor"] == "taskonomy-16k"
    assert again["bank_record"] == {"gain": 0.5}
    assert set(again["difference_from_full_supervision"]) == {"transfer", "scratch", "random"}
    assert again["missing"] == {}


def test_pictures_of_classes_hold_their_answer(tmp_path: Path) -> None:
    """In the figure's words too."""
    bank = Bank.save(
        tmp_path / "bank",
        name="toy",
        architecture=TOY_COMPACT,
        networks={"normal": toy_network("normal")},
        transfers=(toy_readout(("normal",), "class_scene"),),
    )
    made = make_services(DemoSettings(bank=bank.where, device="cpu"), tmp_path)
    choice = Choice(("normal",), "class_scene")
    shown = compare_photograph(
        Image.fromarray(PIXELS), cast(made.need_networks(), choice), choice, Deadline(60)
    )
    best = shown.prediction.top(1)[0][0]
    assert shown.panels[0].words.startswith(best.split(",")[0][:24])


def test_a_mosaic_holds_every_picture_in_its_cell() -> None:
    """Wide and high pictures too; words stand in free cells, or underneath."""
    colours = ["red", "lime", "blue", "yellow", "white"]
    pictures = [Image.new("RGB", (300, 300), colour) for colour in colours]
    filled = Mosaic(["name"] * 5, ["words"]).fill(pictures)
    assert filled.shape == (2 * (CELL + 48), 3 * (CELL + 12) + 12, 3)
    middles = [filled[36 + CELL // 2 + row * (CELL + 48), 12 + CELL // 2 + column * (CELL + 12)]
               for row, column in ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1))]  # fmt: skip
    assert [tuple(map(int, middle)) for middle in middles] == [
        Image.new("RGB", (1, 1), colour).getpixel((0, 0)) for colour in colours
    ]
    assert filled[340:, 560:].max() > 100
    below = Mosaic(["name"] * 3, ["one", "two"]).fill(pictures[:3])
    assert below.shape[0] == CELL + 48 + 2 * 26 + 12
    wide = Mosaic(["name"], []).fill([Image.new("RGB", (200, 100), "white")])
    assert wide[36 + 10, 100].max() < 60
    assert wide[36 + CELL // 2, 100].min() == 255


def test_an_uploaded_photograph_is_deleted_and_a_copy_is_kept(services: Services, upload: Path) -> None:
    """Under a name of its own, until it is forgotten."""
    kept = keep_photograph(services, upload)
    assert not upload.exists()
    np.testing.assert_array_equal(pixels_of(Path(kept)), PIXELS)
    forget(services, kept)
    assert not Path(kept).parent.exists()
    forget(services, kept)
    forget(services, None)


def test_nothing_outside_the_temporary_folder_is_forgotten(services: Services, tmp_path: Path) -> None:
    """Whatever a client sends."""
    other = tmp_path / "folder" / "photo.png"
    other.parent.mkdir()
    other.write_bytes(b"mine")
    forget(services, str(other))
    assert other.exists()


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89PNG\r\n\x1a\nrest"])
def test_what_is_no_photograph_is_refused_and_deleted(
    services: Services, folder: Path, content: bytes
) -> None:
    """Nothing is kept of it."""
    path = folder / "photo.jpg"
    path.write_bytes(content)
    with pytest.raises(UploadError, match="photo.jpg"):
        keep_photograph(services, path)
    assert not path.exists()
