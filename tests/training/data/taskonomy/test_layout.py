"""Folders of the dataset, found by looking."""

from __future__ import annotations

from pathlib import Path

import pytest
from training.data.taskonomy import Layout, find_tree
from training.data.taskonomy.layout import ALL_VIEWS, canonical, list_files
from training.errors import DataError


def touch(root: Path, *names: str) -> None:
    """Empty files."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


RGB = "point_0_view_0_domain_rgb.png"


@pytest.mark.parametrize(
    ("layout", "place"),
    [
        (Layout.ORIGINAL, "hall/rgb"),
        (Layout.OMNIDATA, "rgb/taskonomy/hall"),
        (Layout.GROUPING, "rgb/hall"),
    ],
)
def test_each_layout_is_told_by_where_files_are(layout: Layout, place: str, tmp_path: Path) -> None:
    """Other folders and files beside them do not matter."""
    touch(tmp_path, f"{place}/{RGB}", "README.txt", ".cache/rgb/x.png", "splits/full.csv")
    tree = find_tree(tmp_path)
    assert tree.layout is layout
    assert tree.buildings == {"hall": {"rgb": tmp_path / place}}
    assert tree.folders("hall")["rgb"] == tmp_path / place
    with pytest.raises(DataError, match="no building 'attic' in"):
        tree.folders("attic")


def test_of_several_components_one_is_taken(tmp_path: Path) -> None:
    """Taskonomy, unless another is asked for."""
    touch(
        tmp_path,
        f"rgb/taskonomy/hall/{RGB}",
        f"rgb/replica/office/{RGB}",
        f"depth_zbuffer/replica/office/{RGB}",
    )
    assert list(find_tree(tmp_path).buildings) == ["hall"]
    replica = find_tree(tmp_path, component="replica")
    assert sorted(replica.folders("office")) == ["depth_zbuffer", "rgb"]
    with pytest.raises(DataError, match="DOMAIN/hypersim/BUILDING"):
        find_tree(tmp_path, component="hypersim")


def test_files_are_told_by_point_and_view(tmp_path: Path) -> None:
    """Those of other domains and half-written ones are passed over."""
    touch(
        tmp_path,
        "point_3_view_12_domain_fixatedpose.json",
        "point_4_view_0_domain_point_info.json",
        "point_4_view_all_domain_nonfixatedpose.json",
        ".point_5_view_0_domain_point_info.json.17.partial",
        "notes.txt",
    )
    assert {key: path.name for key, path in list_files(tmp_path, "point_info").items()} == {
        (3, 12): "point_3_view_12_domain_fixatedpose.json",
        (4, 0): "point_4_view_0_domain_point_info.json",
    }
    assert list(list_files(tmp_path, "nonfixated_matches")) == [(4, ALL_VIEWS)]


def test_domains_have_the_names_of_all_projects() -> None:
    """Older archives, the original code, and others."""
    assert canonical("segmentsemantic") == canonical("segment_semantic") == "segment_semantic"
    assert canonical("points") == canonical("fixatedpose") == canonical("point_info") == "point_info"
    assert canonical("Normal") == "normal"
    assert canonical("rgb_large") is None
