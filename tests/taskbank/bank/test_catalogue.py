"""Catalogues of third-party models: the form of the file, and what is wrong in it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from taskbank.bank.catalogue import (
    FREE_LICENCES,
    axis_signs,
    catalogue_to_toml,
    names_catalogue,
    names_models,
    open_catalogue,
)
from taskbank.bank.source import open_listing
from taskbank.constants import class_names, class_table
from taskbank.errors import BankFormatError, InvalidInputError
from tiny_models import write_catalogue

ROW: dict[str, Any] = {
    "name": "mine", "tasks": ["depth"], "loader": "transformers", "class": "DPTForDepthEstimation",
    "id": "somebody/depth", "licence": "MIT", "depth": "relative, inverse",
}  # fmt: skip


def test_the_catalogue_of_the_package_serves_six_tasks() -> None:
    """Every model with its source; one in four is pinned or free without being so by accident."""
    found = open_catalogue()
    assert set(found.by_task) == {
        "class_object", "class_scene", "depth_zbuffer", "normal", "point_matching", "segment_semantic",
    }  # fmt: skip
    assert all(model.source and model.megabytes for model in found.models)
    assert {model.name for model in found.models if not model.free} == {
        "depth-anything-v2-metric-indoor-small", "sapiens2-normal-0.4b", "segformer-b0-ade", "clip",
    }  # fmt: skip
    assert not any("nc" in licence for licence in FREE_LICENCES)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    """With all fields, in the same order."""
    found = open_catalogue().chosen(["clip", "tipsv2"])
    (tmp_path / "again.toml").write_text(catalogue_to_toml(found))
    assert open_catalogue(tmp_path / "again.toml").models == found.models


def test_the_first_model_of_a_task_is_taken(tmp_path: Path) -> None:
    """And a folder is looked for beside the file."""
    other = {**ROW, "name": "other", "id": "./models/depth"}
    found = open_catalogue(write_catalogue(tmp_path / "two.toml", other, ROW))
    assert found.by_task["depth_zbuffer"].name == "other"
    assert found.models[0].folder == tmp_path / "models" / "depth"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loader": "pickle"}, "unknown loader 'pickle'"),
        ({"tasks": ["walls"]}, "unknown task 'walls'"),
        ({"tasks": []}, "must be a list of names"),
        ({"tasks": ["reshading"]}, "models of transformers serve .* not reshading"),
        ({"depth": "feet"}, "depth 'feet' must be"),
        ({"depth": None}, "depth_zbuffer needs the key 'depth'"),
        ({"tasks": ["normal"], "axes": "right, left, up"}, "three directions"),
        ({"tasks": ["semantic"], "classes": "pascal"}, "classes 'pascal' must be"),
        ({"tasks": ["scene"], "prompt": "a photo"}, "must hold {} once"),
        ({"tasks": ["scene"], "prompt": "a {} {photo}"}, "must hold {} once"),
        ({"megabytes": "many"}, "megabytes 'many' must be a number"),
        ({"licence": None}, "lacks the key 'licence'"),
        ({"licence": 3}, "licence 3 must be text"),
        ({"licens": "MIT"}, "unknown key licens"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    """With the file, the number of the model, and what is allowed."""
    row = {key: value for key, value in {**ROW, **change}.items() if value is not None}
    with pytest.raises(BankFormatError, match=f"mine.toml: model 1.*{message}"):
        open_catalogue(write_catalogue(tmp_path / "mine.toml", row))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "cannot read the catalogue"),
        ("name = 'x'", "is not a catalogue of models"),
        ("format = 'taskbank models 1'\nname = 'x'", "names no model"),
        ("format = 'taskbank models 1'\nname = 'x'\nmodels = [3]", "model 1 is not a table"),
    ],
)
def test_other_files_are_no_catalogues(tmp_path: Path, text: str, message: str) -> None:
    """Nor are those that are not there."""
    (tmp_path / "x.toml").write_text(text)
    with pytest.raises(BankFormatError, match=message):
        open_catalogue(tmp_path / "x.toml")
    with pytest.raises(BankFormatError, match="cannot read"):
        open_catalogue(tmp_path / "nowhere.toml")
    with pytest.raises(BankFormatError, match="cannot read"):
        open_catalogue("a\0b.toml")
    os.mkfifo(tmp_path / "pipe.toml")
    for special in (str(tmp_path / "pipe.toml"), "/dev/null"):
        (tmp_path / "link.toml").unlink(missing_ok=True)
        (tmp_path / "link.toml").symlink_to(special)
        with pytest.raises(BankFormatError, match="is a pipe or a device: save it as a file"):
            open_catalogue(tmp_path / "link.toml")


def test_homes_of_unknown_users_are_no_folders(tmp_path: Path) -> None:
    """Neither of banks, catalogues, nor models."""
    for name in ("~nobody-here/bank", "a\0b"):
        with pytest.raises(BankFormatError, match="no bank at "):
            open_listing(name)
    with pytest.raises(BankFormatError, match="cannot read the catalogue ~nobody-here/x.toml"):
        open_catalogue("~nobody-here/x.toml")
    write_catalogue(tmp_path / "x.toml", {**ROW, "id": "~nobody-here/model"})
    (model,) = open_catalogue(tmp_path / "x.toml").models
    assert model.id == str(tmp_path / "~nobody-here/model")


def test_two_models_have_two_names(tmp_path: Path) -> None:
    """As they are chosen by them."""
    with pytest.raises(BankFormatError, match="two models are called mine"):
        open_catalogue(write_catalogue(tmp_path / "mine.toml", ROW, ROW))
    with pytest.raises(InvalidInputError, match="has no model 'nobody'"):
        open_catalogue().chosen(["nobody"])


def test_axes_are_read_as_directions() -> None:
    """OpenGL's y and z are turned."""
    assert axis_signs("right, down, forward") == ((0, 1), (1, 1), (2, 1))
    assert axis_signs("right, up, backward") == ((0, 1), (1, -1), (2, -1))
    assert axis_signs("forward, left, up") == ((2, 1), (0, -1), (1, -1))


def test_classes_of_other_data_sets_are_ours(tmp_path: Path) -> None:
    """Every class of the tables is one of the 17; all but the toaster are somewhere in ADE20K."""
    ours = set(class_names("segment_semantic") or ())
    assert {mapped for _, mapped in class_table("coco_80")} == ours
    assert {mapped for _, mapped in class_table("ade20k_150")} == ours - {"toaster"}
    assert (len(class_table("coco_80")), len(class_table("ade20k_150"))) == (80, 150)
    assert all(name == mapped for name, mapped in class_table("coco_80") if mapped != "background")


def test_names_of_catalogues_are_told_from_banks() -> None:
    """By the word, or by the end of the file's name."""
    assert names_catalogue("foundation")
    assert names_catalogue("a/b.toml")
    assert not names_catalogue("rooms")
    assert names_models("rooms,foundation")
    assert not names_models(None)
