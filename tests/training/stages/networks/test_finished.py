"""Finished networks of stage 1: the size that they were trained at."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from training.errors import DataError
from training.stages.networks.finished import trained_size


def write(folder: Path, **sizes: int) -> None:
    for task, size in sizes.items():
        (folder / f"{task}.json").write_text(json.dumps({"steps": 3, "image_size": size}))


def test_the_size_is_what_all_networks_say(tmp_path: Path) -> None:
    write(tmp_path, normal=128, reshading=128, jigsaw=64)
    assert trained_size(tmp_path, ["normal", "reshading"]) == 128
    assert trained_size(tmp_path, ["jigsaw"]) == 64


def test_networks_of_different_sizes_are_named(tmp_path: Path) -> None:
    write(tmp_path, normal=128, jigsaw=64)
    with pytest.raises(DataError, match="of one size: normal at 128 px, jigsaw at 64 px"):
        trained_size(tmp_path, ["normal", "jigsaw"])


@pytest.mark.parametrize("content", [None, "{}", "damaged"])
def test_a_network_that_does_not_say_its_size_is_named(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "normal.json").write_text(content)
    with pytest.raises(DataError, match=r"normal.json does not say at which size 'normal' was trained"):
        trained_size(tmp_path, ["normal"])
