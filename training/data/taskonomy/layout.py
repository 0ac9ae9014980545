"""Layouts of the dataset on disk, recognised by their folders.

| layout | folders | made by |
|---|---|---|
| original | ROOT/BUILDING/DOMAIN/ | the dataset's own archives |
| omnidata | ROOT/DOMAIN/COMPONENT/BUILDING/ | omnidata's downloader |
| grouping | ROOT/DOMAIN/BUILDING/ | the loader of the task-grouping paper |

File names begin with `point_P_view_V_domain_` everywhere; folders and the rest of a name have aliases.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path
from types import MappingProxyType

from taskbank.labels.codes import DOMAINS
from taskbank.labels.files import CLASSES, MATCHES, POINT_INFO
from training.errors import DataError

ALL_VIEWS = -1
"""View number of a file that covers all views of its point."""

_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        **{name: name for name in (*DOMAINS, *CLASSES, POINT_INFO, MATCHES)},
        "normals": "normal",
        "curvature": "principal_curvature",
        "reshade": "reshading",
        "edge3d": "edge_occlusion",
        "edge2d": "edge_texture",
        "keypoint2d": "keypoints2d",
        "keypoint3d": "keypoints3d",
        "segment2d": "segment_unsup2d",
        "segment25d": "segment_unsup25d",
        "segmentsemantic": "segment_semantic",
        "class_1000": "class_object",
        "class_places": "class_scene",
        "points": POINT_INFO,
        "fixatedpose": POINT_INFO,
        "nonfixated": MATCHES,
        "nonfixatedpose": MATCHES,
    }
)
_NAME = re.compile(r"point_(\d+)_view_(\d+|all)_domain_(\w+)\.(?:png|npy|json)")


class Layout(StrEnum):
    """Order of folders."""

    ORIGINAL = "original"
    OMNIDATA = "omnidata"
    GROUPING = "grouping"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """Folders of the dataset.

    Attributes:
        root: top folder.
        layout: order of the folders.
        buildings: building -> canonical domain -> folder; sorted.
    """

    root: Path
    layout: Layout
    buildings: Mapping[str, Mapping[str, Path]]

    def folders(self, building: str) -> Mapping[str, Path]:
        """Map canonical domains to folders of one building.

        Raises:
            DataError: there is no such building.
        """
        found = self.buildings.get(building)
        if found is None:
            raise DataError(f"no building {building!r} in {self.root}")
        return found


def canonical(name: str) -> str | None:
    """Return the domain of a folder's name, or of the end of a file name; None if it is not a domain."""
    return _ALIASES.get(name.casefold())


def find_tree(root: str | Path, *, component: str = "taskonomy") -> Tree:
    """Find the folders of a dataset.

    Args:
        root: folder of the dataset.
        component: name of the folder COMPONENT in the layout of omnidata.

    Raises:
        DataError: the folder does not exist, or has none of the three layouts.
    """
    top = Path(root)
    if not top.is_dir():
        raise DataError(f"no dataset at {top}: it is not a folder")
    domains = [(name, folder) for folder in _subfolders(top) if (name := canonical(folder.name))]
    layout = Layout.ORIGINAL
    if domains:
        # Subfolders of a domain that hold files are buildings.
        grouping = any(_is_named(inner) for _, folder in domains for inner in _subfolders(folder))
        layout = Layout.GROUPING if grouping else Layout.OMNIDATA
    found: list[tuple[str, str, Path]] = []
    if layout is Layout.ORIGINAL:  # folders of buildings come first
        for building in _subfolders(top):
            found += [
                (building.name, domain, folder)
                for folder in _subfolders(building)
                if (domain := canonical(folder.name))
            ]
    for domain, folder in domains:  # folders of domains come first
        above = folder / component if layout is Layout.OMNIDATA else folder
        found += [(building.name, domain, building) for building in _subfolders(above)]
    if not found:
        raise DataError(
            f"no dataset at {top}: expected are folders BUILDING/DOMAIN, DOMAIN/{component}/BUILDING or "
            "DOMAIN/BUILDING, with domains such as rgb and point_info"
        )
    buildings: dict[str, dict[str, Path]] = {}
    for name, domain, folder in sorted(found):
        buildings.setdefault(name, {})[domain] = folder
    return Tree(root=top, layout=layout, buildings=buildings)


def list_files(folder: Path, domain: str) -> dict[tuple[int, int], Path]:
    """List the files of one domain in a folder.

    Args:
        folder: folder of one building and domain.
        domain: canonical name; files whose name has another domain are ignored.

    Returns:
        (point, view) -> path; the view is `ALL_VIEWS` if a file covers all views.
    """
    files = {}
    for name in os.listdir(folder):  # noqa: PTH208
        parts = _NAME.fullmatch(name)
        if parts is not None and (canonical(parts[3]) or domain) == domain:
            view = ALL_VIEWS if parts[2] == "all" else int(parts[2])
            files[int(parts[1]), view] = folder / name
    return files


def _is_named(folder: Path) -> bool:
    """Return True if the first names in a folder, which may hold thousands, are names of frames."""
    with os.scandir(folder) as entries:
        return any(_NAME.fullmatch(entry.name) for entry in islice(entries, 16))


def _subfolders(folder: Path) -> list[Path]:
    """List visible subfolders, sorted by name; empty if the folder does not exist."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
