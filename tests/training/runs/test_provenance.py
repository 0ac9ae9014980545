"""Provenance of outputs: fingerprints and code."""

from __future__ import annotations

from pathlib import Path

from training.runs.provenance import (
    code_version,
    digest_json,
    digest_listing,
    digest_outputs,
    package_versions,
)


def test_the_digest_of_settings_does_not_depend_on_their_order() -> None:
    assert digest_json({"a": 1, "b": 2}) == digest_json({"b": 2, "a": 1}) != digest_json({"a": 1, "b": 3})


def fill(folder: Path, content: bytes = b"content") -> Path:
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a.npy").write_bytes(content)
    return folder


def test_outputs_are_told_apart_by_content_and_by_name(tmp_path: Path) -> None:
    base = digest_outputs(fill(tmp_path / "a"))
    assert base == digest_outputs(fill(tmp_path / "b"))
    assert base[1] == {"sub/a.npy": 7}
    assert base[0] != digest_outputs(fill(tmp_path / "c", b"CONTENT"))[0]
    (tmp_path / "b" / "sub" / "a.npy").rename(tmp_path / "b" / "a.npy")
    assert base[0] != digest_outputs(tmp_path / "b")[0]


def test_what_differs_between_runs_that_end_alike_does_not_count(tmp_path: Path) -> None:
    base = digest_outputs(fill(tmp_path / "a"))
    for name in (".hidden", "stage.json", "stage.begun.json", "normal.metrics.csv"):
        (tmp_path / "a" / name).write_text("seconds")
    assert digest_outputs(tmp_path / "a") == base


def test_a_stage_within_the_folder_has_outputs_of_its_own(tmp_path: Path) -> None:
    base = digest_outputs(fill(tmp_path / "a"))
    inner = fill(tmp_path / "a" / "real")
    assert digest_outputs(tmp_path / "a") != base
    (inner / "stage.json").write_text("{}")
    assert digest_outputs(tmp_path / "a") == base
    assert digest_outputs(inner) == base


def test_a_listing_counts_names_and_sizes(tmp_path: Path) -> None:
    base = digest_listing(fill(tmp_path / "a"))
    assert base == digest_listing(fill(tmp_path / "b", b"CONTENT"))
    assert base != digest_listing(fill(tmp_path / "c", b"longer content"))


def test_a_checkout_knows_its_commit() -> None:
    version = code_version()
    if not (Path(__file__).parents[3] / ".git").exists():
        assert version == {"commit": None, "dirty": None}
    else:
        assert len(version["commit"]) == 40
        assert isinstance(version["dirty"], bool)


def test_packages_are_named_with_versions() -> None:
    assert package_versions()["torch"][0].isdigit()
