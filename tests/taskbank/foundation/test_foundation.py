"""Third-party models for our tasks: real classes of tiny configurations, loaded from folders."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from safetensors.torch import load_file, save_file
from torch import Tensor

from hub_server import HubServer, hub_server, quiet_client
from taskbank import predict
from taskbank.bank.bank import Bank
from taskbank.bank.catalogue import open_catalogue
from taskbank.bank.model_bank import open_models
from taskbank.constants import class_names, class_table
from taskbank.errors import (
    BankFormatError,
    HubNotFoundError,
    HubUnreachableError,
    InvalidInputError,
    MissingTaskError,
    TaskBankError,
)
from taskbank.file_predictions import Saving, predict_files
from taskbank.foundation.files import resolve
from taskbank.foundation.matching import same_point
from taskbank.inference.results import Prediction
from taskbank.saving.export import Form
from tiny_models import (
    library,
    save_classifier,
    save_clip,
    save_dense,
    save_depth_anything,
    save_matcher,
    save_sapiens,
    save_segformer,
    write_catalogue,
)

ADE = dict(enumerate(name for name, _ in class_table("ade20k_150")))
ROWS: dict[str, dict[str, Any]] = {
    "dense": {
        "tasks": ["normals", "depth", "semantic"], "class": "Tipsv2DptForDensePrediction", "depth": "metres",
        "axes": "right, up, backward", "classes": "ade20k_150",
    },
    "relative": {"tasks": ["depth"], "class": "DepthAnythingForDepthEstimation", "depth": "relative, inverse"},
    "metric": {"tasks": ["depth"], "class": "DepthAnythingForDepthEstimation", "depth": "metres"},
    "segformer": {"tasks": ["semantic"], "class": "SegformerForSemanticSegmentation", "classes": "ade20k_150"},
    "sapiens": {"tasks": ["normal"], "class": "Sapiens2ForNormalEstimation", "axes": "right, down, forward"},
    "clip": {"tasks": ["class_scene"], "class": "CLIPModel"},
    "siglip": {"tasks": ["class_scene"], "class": "SiglipModel"},
    "matcher": {"tasks": ["point_matching"], "class": "EfficientLoFTRForKeypointMatching"},
    "classifier": {"tasks": ["class_object"], "class": "test_resnet", "loader": "timm"},
}  # fmt: skip


def row(name: str, **changes: object) -> dict[str, Any]:
    """The catalogue's table of a model, in the folder of its name."""
    return {"name": name, "loader": "transformers", "id": name, "licence": "MIT", **ROWS[name], **changes}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder a model."""
    root = tmp_path_factory.mktemp("models")
    save_dense(root / "dense")
    save_depth_anything(root / "relative")
    save_depth_anything(root / "metric", "metric")
    save_segformer(root / "segformer", ADE)
    save_sapiens(root / "sapiens")
    save_clip(root / "clip")
    save_clip(root / "siglip", "siglip")
    save_matcher(root / "matcher")
    save_classifier(root / "classifier")
    return root


@pytest.fixture(scope="module")
def photo(folder: Path) -> Path:
    """A photograph of noise, wider than high."""
    noise = np.random.default_rng(0).integers(0, 256, (100, 140, 3), dtype=np.uint8)
    path = folder / "photo.png"
    Image.fromarray(noise).save(path)
    return path


def catalogue(folder: Path, *rows: dict[str, Any]) -> str:
    """The path of a catalogue with these models."""
    return str(write_catalogue(folder / "mine.toml", *rows))


def one(folder: Path, photo: Path, name: str, **options: Any) -> Prediction:
    """The prediction of one model for a photograph."""
    task = ROWS[name]["tasks"][0]
    images = (photo, photo) if name == "matcher" else photo
    (found,) = predict(images, task, bank=catalogue(folder, row(name)), **options).values()
    assert isinstance(found, Prediction)
    return found


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("dense", ("normals", "1", (100, 140, 3))),
        ("relative", ("relative inverse depth", "relative, inverse", (100, 140))),
        ("metric", ("depth", "m", (100, 140))),
        ("segformer", ("semantic map", "1", (100, 140))),
        ("sapiens", ("normals", "1", (100, 140, 3))),
        ("clip", ("classes", "1", (63,))),
        ("siglip", ("classes", "1", (63,))),
        ("matcher", ("match", "1", ())),
        ("classifier", ("classes", "1", (1000,))),
    ],
)
def test_every_class_of_models_serves_its_task(
    folder: Path, photo: Path, name: str, given: tuple[str, str, tuple[int, ...]]
) -> None:
    """Loaded by its own library from its own folder; results say whose they are."""
    found = one(folder, photo, name)
    assert (found.kind, found.unit, found.array.shape) == given
    assert np.isfinite(found.array).all()
    model = found.facts()["model"]
    assert model["id"] == str(folder / name)
    assert model["revision"].startswith("sha256:")
    assert (model["pinned"], model["licence"], model["class"]) == (True, "MIT", ROWS[name]["class"])
    assert found.bank == "mine"


def plane(rows: int, columns: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Depth in metres (H, W) and normal of a floor 1.5 m below a camera that looks ten degrees down; OpenCV."""
    down = math.radians(50)
    normal = np.array([0, -math.cos(down), -math.sin(down)])
    x, y = np.meshgrid((np.arange(columns) + 0.5) / columns - 0.5, (np.arange(rows) + 0.5) / rows - 0.5)
    rays = np.stack([x, y, np.ones_like(x)], -1)
    return -1.5 / (rays @ normal), normal


@pytest.mark.parametrize(
    ("axes", "signs"), [("right, up, backward", (1, -1, -1)), ("left, down, backward", (-1, 1, -1))]
)
def test_a_plane_comes_out_in_metres_and_in_our_axes(
    folder: Path, photo: Path, axes: str, signs: tuple[int, int, int], *, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real class says what a rendered plane looks like, in its own axes."""
    transformers = library()

    depth, normal = plane(56, 56)
    theirs = torch.tensor(normal * signs, dtype=torch.float32) * 3  # of any length

    def forward(_self: object, pixel_values: Tensor, **_options: object) -> SimpleNamespace:
        assert pixel_values.shape == (1, 3, 56, 56)
        return SimpleNamespace(
            predicted_depth=torch.tensor(depth, dtype=torch.float32)[None],
            normals=theirs[None, :, None, None].expand(1, 3, 56, 56),
            segmentation_logits=torch.nn.functional.one_hot(torch.full((1, 56, 56), 7), 150).permute(
                0, 3, 1, 2
            )
            * 9.0,
        )

    monkeypatch.setattr(transformers.Tipsv2DptForDensePrediction, "forward", forward)
    found = predict(photo, ["normals", "depth", "semantic"], bank=catalogue(folder, row("dense", axes=axes)))
    np.testing.assert_allclose(found["normal"].array, np.broadcast_to(normal, (100, 140, 3)), atol=1e-5)
    expected, _ = plane(100, 140)
    inside = (slice(2, -2), slice(2, -2))
    np.testing.assert_allclose(found["depth_zbuffer"].array[inside], expected[inside], rtol=0.01)
    beds = (class_names("segment_semantic") or ()).index("bed") + 1
    assert (found["segment_semantic"].array == beds).all()


def test_one_model_runs_once_for_all_of_its_tasks(
    folder: Path, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three tasks, one call."""
    transformers = library()

    calls: list[int] = []
    real = transformers.Tipsv2DptForDensePrediction.forward

    def counted(self: object, **options: Any) -> Any:
        calls.append(1)
        return real(self, **options)

    monkeypatch.setattr(transformers.Tipsv2DptForDensePrediction, "forward", counted)
    found = predict(photo, ["normals", "depth", "semantic"], bank=catalogue(folder, row("dense")))
    assert (len(found), len(calls)) == (3, 1)


@pytest.mark.parametrize("name", ["sapiens", "dense", "classifier"])
def test_the_mirrored_photograph_is_averaged(folder: Path, photo: Path, name: str) -> None:
    """Normals of a mirrored photograph are mirrored, and classes the same, whatever the weights are."""
    plain, both = one(folder, photo, name), one(folder, photo, name, mirrored=True)
    assert ("mirrored" in plain.facts(), both.facts()["mirrored"]) == (False, True)
    assert np.abs(plain.array - both.array).max() > 1e-6
    flipped = folder / "flipped.png"
    with Image.open(photo) as image:
        ImageOps.mirror(image).save(flipped)
    other = one(folder, flipped, name, mirrored=True).array
    if name != "classifier":
        other = other[:, ::-1] * np.array([-1, 1, 1])
    np.testing.assert_allclose(other, both.array, rtol=1e-3, atol=1e-4)


def test_relative_depth_is_as_the_model_gives_it(folder: Path, photo: Path) -> None:
    """Apart from the size of the map."""
    t = library()
    network = t.DepthAnythingForDepthEstimation.from_pretrained(folder / "relative").eval()
    processor = t.AutoImageProcessor.from_pretrained(folder / "relative")
    with torch.inference_mode():
        given = network(**processor(images=Image.open(photo), return_tensors="pt")).predicted_depth
    grown = torch.nn.functional.interpolate(given[None], (100, 140), mode="bilinear")[0, 0]
    np.testing.assert_allclose(one(folder, photo, "relative").array, grown.numpy(), atol=2e-3)


def test_scores_of_scenes_are_those_of_the_whole_model(folder: Path, photo: Path) -> None:
    """Sentences that were encoded once give the same as pictures and words together."""
    t = library()
    network = t.SiglipModel.from_pretrained(folder / "siglip").eval()
    processor = t.AutoProcessor.from_pretrained(folder / "siglip")
    words = [
        f"a photo of a {name.replace(' (', ', ').rstrip(')')}." for name in class_names("class_scene") or ()
    ]
    square = Image.open(photo).crop((20, 0, 120, 100))
    inputs = processor(images=square, text=words, padding="max_length", truncation=True, return_tensors="pt")
    inputs.pop("token_type_ids", None)
    inputs.pop("attention_mask", None)  # SigLIP attends to the padding
    with torch.inference_mode():
        expected = network(**inputs).logits_per_image.softmax(-1)[0]
    np.testing.assert_allclose(one(folder, photo, "siglip").array, expected.numpy(), atol=1e-6)


def test_sentences_have_the_length_that_the_network_reads(folder: Path, photo: Path, tmp_path: Path) -> None:
    """Also if the tokenizer states none, as that of SigLIP 2."""
    for kind in ("siglip", "clip"):
        shutil.copytree(folder / kind, tmp_path / kind)
        stated = tmp_path / kind / "tokenizer_config.json"
        facts = json.loads(stated.read_text())
        del facts["model_max_length"]
        stated.write_text(json.dumps(facts))
        found = predict(photo, "scene", bank=catalogue(folder, row(kind, id=str(tmp_path / kind))))
        np.testing.assert_array_equal(found["class_scene"].array, one(folder, photo, kind).array)
    (tmp_path / "clip" / "tokenizer.json").write_text(
        (folder / "clip" / "tokenizer.json").read_text().replace('"a": 2', '"a": 2000')
    )
    with pytest.raises(BankFormatError, match="cannot read the names of scenes"):
        predict(photo, "scene", bank=catalogue(folder, row("clip", id=str(tmp_path / "clip"))))


def test_a_missing_folder_is_not_looked_for_on_the_hub(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside a catalogue in the working folder, `./models/depth` has the form of a repository."""
    monkeypatch.chdir(tmp_path)
    write_catalogue(Path("mine.toml"), row("relative", id="./models/depth"))
    with pytest.raises(BankFormatError, match="there is no folder models/depth"):
        predict(photo, "depth", bank="mine.toml")


def test_matches_between_the_middles_speak_for_one_point() -> None:
    """One match of 0.8 from middle to middle; one that leaves the middle does not count."""
    keypoints = torch.tensor([[[0.5, 0.5], [0.52, 0.5], [0.1, 0.1]], [[0.5, 0.45], [0.9, 0.5], [0.1, 0.1]]])
    matches = torch.tensor([[0, 1, 2], [0, 1, 2]])
    logits = same_point(keypoints, matches, torch.tensor([[0.8, 0.9, 0.9], [0.8, 0.9, 0.9]]))
    assert logits.softmax(0)[1].item() == pytest.approx(0.8, abs=1e-4)
    nothing = same_point(keypoints, torch.full((2, 3), -1), torch.zeros(2, 3))
    assert nothing.softmax(0)[1].item() < 0.001


def test_other_tasks_come_from_the_bundled_bank(folder: Path, photo: Path) -> None:
    """In the order in which banks are named; each result names its own."""
    mine = catalogue(folder, row("relative"))
    found = predict(photo, ["depth", "normals"], bank=f"{mine},rooms")
    assert [(one.bank, one.unit) for one in found.values()] == [("mine", "relative, inverse"), ("rooms", "1")]
    assert predict(photo, "depth", bank=f"rooms,{mine}")["depth_zbuffer"].unit == "m"
    alone = predict(photo, "normals", bank="rooms")["normal"].array
    np.testing.assert_array_equal(found["normal"].array, alone)


def test_files_are_those_of_any_bank(folder: Path, photo: Path, tmp_path: Path) -> None:
    """Pictures, arrays, facts, labels in the dataset's form; relative depth has no code in metres."""
    bank = Bank.open(catalogue(folder, row("dense")))
    saving = Saving(folder=tmp_path / "out", forms=tuple(Form))
    (done,) = predict_files(bank, bank.tasks, [(photo,)], saving)
    assert done.error is None
    names = {path.name for path in done.folder.iterdir()}
    assert {"normal.png", "depth_zbuffer_16bit.png", "depth_zbuffer.ply", "segment_semantic.json"} <= names
    assert len(list((tmp_path / "out").rglob("*_domain_*"))) == 5
    bank = Bank.open(catalogue(folder, row("relative")))
    (done,) = predict_files(bank, ["depth"], [(photo,)], Saving(folder=tmp_path / "relative"))
    assert {path.name for path in done.folder.iterdir()} == {"depth_zbuffer.png", "depth_zbuffer.json"}
    with pytest.raises(InvalidInputError, match="in metres"):
        list(predict_files(bank, ["depth"], [(photo,)], Saving(folder=tmp_path, forms=(Form.DATASET,))))
    with pytest.raises(InvalidInputError, match="ply"):
        list(predict_files(bank, ["depth"], [(photo,)], Saving(folder=tmp_path, forms=(Form.PLY,))))


@pytest.mark.parametrize("fit", ["whole", "crop", "pad", "stretch"])
def test_every_fit_gives_maps_over_the_photograph(folder: Path, photo: Path, fit: str) -> None:
    """Outside of what was shown there is nothing."""
    found = one(folder, photo, "metric", fit=fit)
    assert found.array.shape == (100, 140)
    assert np.isnan(found.array).any() == (fit == "crop")


@pytest.mark.parametrize("licence", ["", "cc-by-nc-4.0", "other"])
def test_other_licences_are_accepted_first(folder: Path, photo: Path, licence: str) -> None:
    """By id or by name; what names no model of the bank is refused."""
    bank = catalogue(folder, row("metric", licence=licence))
    with pytest.raises(InvalidInputError, match="--accept-licence"):
        predict(photo, "depth", bank=bank)
    found = predict(photo, "depth", bank=bank, accept_licence="metric")["depth_zbuffer"]
    assert found.facts()["model"]["licence"] == (licence or "not stated")
    with pytest.raises(InvalidInputError, match="runs no such model"):
        predict(photo, "depth", bank=bank, accept_licence=["metric", "somebody/else"])
    with pytest.raises(InvalidInputError, match="its own networks only"):
        predict(photo, "depth", bank="rooms", accept_licence="metric")


def broken(folder: Path, tmp_path: Path, what: str) -> dict[str, Any]:
    """The table of a model with a fault."""
    path = save_depth_anything(tmp_path / what)
    weights = path / "model.safetensors"
    if what == "pickled":
        torch.save(load_file(weights), path / "pytorch_model.bin")
        weights.unlink()
    elif what == "empty":
        weights.unlink()
    elif what == "cut off":
        weights.write_bytes(weights.read_bytes()[:1000])
    elif what == "lacking":
        held = load_file(weights)
        held.pop(next(name for name in held if name.startswith("head")))
        save_file(held, weights, {"format": "pt"})
    elif what == "no configuration":
        (path / "config.json").unlink()
    elif what == "deep configuration":
        (path / "config.json").write_text("[" * 100_000)
    elif what == "a pipe":
        (path / "config.json").unlink()
        os.mkfifo(path / "config.json")
    elif what == "no preprocessor":
        (path / "preprocessor_config.json").unlink()
    changes = {
        "another type": {"class": "DPTForDepthEstimation"},
        "another class": {"class": "GPT2Model"},
        "another unit": {"depth": "metres"},
        "nowhere": {"id": "nowhere/at all"},
    }
    return row("relative", **{"id": str(path), **changes.get(what, {})})


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("pickled", "pickled weights are not read"),
        ("empty", "it has no weights"),
        ("cut off", "cannot be loaded as DepthAnything"),
        ("lacking", "lacks 1 weight"),
        ("no configuration", "config.json cannot be read"),
        ("deep configuration", "config.json cannot be read"),
        ("a pipe", "config.json cannot be read"),
        ("no preprocessor", "preprocessor cannot be loaded"),
        ("another type", "is a model of type 'depth_anything'"),
        ("another class", "no adapter for the class 'GPT2Model'"),
        ("another unit", "gives depth as 'relative, inverse'"),
        ("nowhere", "there is no folder"),
    ],
)
def test_wrong_files_are_one_clear_message(
    folder: Path, photo: Path, tmp_path: Path, what: str, message: str
) -> None:
    """Whatever the library says of them."""
    with pytest.raises(TaskBankError, match=message) as raised:
        predict(photo, "depth", bank=catalogue(folder, broken(folder, tmp_path, what)))
    assert "\n" not in str(raised.value)


def test_labels_of_another_table_are_refused(folder: Path, photo: Path, tmp_path: Path) -> None:
    """As many and as named."""
    save_segformer(tmp_path / "few", {0: "wall", 1: "bed"})
    with pytest.raises(BankFormatError, match="has 2 classes, but ade20k_150 has 150"):
        predict(photo, "semantic", bank=catalogue(folder, row("segformer", id=str(tmp_path / "few"))))
    turned = {number: ADE[149 - number] for number in ADE}
    save_segformer(tmp_path / "turned", turned)
    with pytest.raises(BankFormatError, match="but 'bed' in ade20k_150"):
        predict(photo, "semantic", bank=catalogue(folder, row("segformer", id=str(tmp_path / "turned"))))


def test_classifiers_have_a_thousand_classes(folder: Path, photo: Path, tmp_path: Path) -> None:
    """And are of the architecture that is named."""
    save_classifier(tmp_path / "ten", 10)
    with pytest.raises(BankFormatError, match="has 10 classes"):
        predict(photo, "class_object", bank=catalogue(folder, row("classifier", id=str(tmp_path / "ten"))))
    wrong = row("classifier", **{"class": "test_convnext"})
    with pytest.raises(BankFormatError, match="is of the architecture 'test_resnet'"):
        predict(photo, "class_object", bank=catalogue(folder, wrong))


def test_what_models_of_others_cannot_do_is_said(folder: Path, photo: Path) -> None:
    """Sizes, representations, networks, publishing, a second bank of files."""
    bank = catalogue(folder, row("metric"))
    with pytest.raises(InvalidInputError, match="leave the size out"):
        predict(photo, "depth", bank=bank, size=128)
    opened = Bank.open(bank)
    with pytest.raises(InvalidInputError, match="not a network of this package"):
        opened.load("depth")
    with pytest.raises(MissingTaskError, match="no task 'normal'"):
        predict(photo, "normals", bank=bank)
    with pytest.raises(InvalidInputError, match="two banks of files"):
        open_models(f"{bank},rooms,rooms")


COMMIT = "a" * 40


@pytest.fixture
def server(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A Hub with one model."""
    with quiet_client(monkeypatch, tmp_path), hub_server() as running:
        running.state.add(
            "somebody/depth", {path.name: path.read_bytes() for path in (folder / "metric").iterdir()}
        )
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", running.client(tmp_path).endpoint)
        template = f"{running.client(tmp_path).endpoint}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
        yield running


def test_a_revision_that_is_gone_is_named(server: HubServer, folder: Path, photo: Path) -> None:
    """And a repository that is not there."""
    gone = row("metric", id="somebody/depth", revision=COMMIT)
    with pytest.raises(HubNotFoundError, match=f"somebody/depth@{COMMIT}.*no such revision"):
        predict(photo, "depth", bank=catalogue(folder, gone))
    with pytest.raises(HubNotFoundError, match="no such repository"):
        predict(photo, "depth", bank=catalogue(folder, row("metric", id="somebody/else")))


def test_without_network_and_cache_there_is_one_message(
    folder: Path, photo: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Naming the model and the ways out."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(HubUnreachableError, match=r"somebody/depth@main is not in the cache") as raised:
        predict(photo, "depth", bank=catalogue(folder, row("metric", id="somebody/depth")))
    assert "\n" not in str(raised.value)


def test_a_pinned_revision_is_written_into_results(server: HubServer, folder: Path, photo: Path) -> None:
    """Of a branch the commit that it meant, and that it was not pinned."""
    commit = server.state.repos["somebody/depth"].branches["main"]
    loose = row("metric", id="somebody/depth")
    found = predict(photo, "depth", bank=catalogue(folder, loose))["depth_zbuffer"].facts()["model"]
    assert (found["revision"], found["pinned"]) == (commit, False)
    path = write_catalogue(folder / "loose.toml", loose)
    assert resolve(open_catalogue(path).models[0]) == commit
    pinned = row("metric", id="somebody/depth", revision=commit)
    found = predict(photo, "depth", bank=catalogue(folder, pinned))["depth_zbuffer"].facts()["model"]
    assert (found["revision"], found["pinned"]) == (commit, True)
