"""Export of a store of frames to the dataset's files, the inverse of `import_taskonomy`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskbank.labels.codes import DOMAINS
from taskbank.labels.files import (
    CLASSES,
    MATCHES,
    POINT_INFO,
    label_name,
    save_classes,
    save_facts,
    save_label,
)
from training.data.frames import FrameStore
from training.data.taskonomy.layout import Layout
from training.data.taskonomy.point_info import Match, camera_facts, match_facts
from training.data.taskonomy.reading import CHANNELS
from training.errors import DataError


def export_store(
    store: FrameStore,
    root: str | Path,
    *,
    layout: Layout = Layout.ORIGINAL,
    component: str = "taskonomy",
) -> list[str]:
    """Write the frames of a store in the dataset's own files and codes.

    Frames without a fixated point, such as photographs, get point numbers of their own.

    Args:
        store: frames of any origin.
        root: folder of the dataset; stores of several splits may go into one.
        layout: order of folders.
        component: name of the folder COMPONENT in the layout of omnidata.

    Returns:
        names of the buildings, for a table of splits.

    Raises:
        DataError: two frames of one building have the same point and view, or a domain is not in the dataset.
        OutputError: a file cannot be written.
    """
    place = _Place(Path(root), layout, component)
    if unknown := [domain for domain in store.domains if domain not in (*DOMAINS, *CLASSES)]:
        raise DataError(f"the dataset has no files for {', '.join(unknown)}")
    cameras = _numbered(store.cameras)
    sightings = np.sort(store.sightings, order=["room", "point", "frame"])
    names = _names(store)
    seen = _seen_points(sightings, len(store))
    for frame, camera in enumerate(cameras):
        building = names[int(camera["room"])]
        for domain in store.domains:
            _save_label(store, frame, camera, place.folder(building, domain), domain)
        facts = camera_facts(camera, store.size, seen[frame])
        name = label_name(POINT_INFO, int(camera["point"]), int(camera["view"]))
        save_facts(place.folder(building, POINT_INFO) / name, facts)
    for group in _runs(sightings, "room", "point"):
        _save_matches(place.folder(names[int(group[0]["room"])], MATCHES), cameras, group)
    return list(names.values())


class _Place:
    """Paths of folders in an exported dataset."""

    def __init__(self, root: Path, layout: Layout, component: str) -> None:
        self.root = root
        self.layout = layout
        self.component = component

    def folder(self, building: str, domain: str) -> Path:
        """The folder of one domain of one building."""
        match self.layout:
            case Layout.ORIGINAL:
                return self.root / building / domain
            case Layout.OMNIDATA:
                return self.root / domain / self.component / building
            case Layout.GROUPING:
                return self.root / domain / building


def _names(store: FrameStore) -> dict[int, str]:
    """Map the number of each room to its original name, or to a name made of the number."""
    called = store.about.get("buildings", {})
    rooms = np.unique(store.cameras["room"]).tolist()
    return {room: called.get(str(room), f"room_{room:05d}") for room in rooms}


def _numbered(cameras: NDArray[np.void]) -> NDArray[np.void]:
    """Number missing points; raise if two frames of a building have the same point and view."""
    numbered = np.array(cameras)
    alone = numbered["point"] < 0
    numbered["point"][alone] = numbered["point"].max(initial=-1) + 1 + np.arange(alone.sum())
    frames, counts = np.unique(numbered[["room", "point", "view"]], return_counts=True)
    if (counts > 1).any():
        room, point, view = frames[counts > 1][0].tolist()
        raise DataError(f"room {room} has several frames of point {point}, view {view}")
    return numbered


def _save_label(store: FrameStore, frame: int, camera: NDArray[np.void], folder: Path, domain: str) -> None:
    """Write one label of one frame; nothing if its class is unknown."""
    path = folder / label_name(domain, int(camera["point"]), int(camera["view"]))
    label = store.read(domain, [frame])[0]
    if domain in DOMAINS:
        save_label(path, domain, label)
        return
    probabilities = _probabilities(domain, label)
    if probabilities.sum() > 0:
        save_classes(path, domain, probabilities)


def _probabilities(domain: str, label: NDArray[Any]) -> NDArray[np.float32]:
    """Return the probabilities of all classes, (C,); all 0 if the class is unknown."""
    if np.ndim(label) == 1:
        return label.astype(np.float32)
    certain = np.zeros(CHANNELS[domain], dtype=np.float32)
    if label >= 0:
        certain[int(label)] = 1
    return certain


def _seen_points(sightings: NDArray[np.void], frames: int) -> list[list[int]]:
    """Points that each frame sees but does not fixate."""
    seen: list[list[int]] = [[] for _ in range(frames)]
    for frame, point in zip(sightings["frame"].tolist(), sightings["point"].tolist(), strict=True):
        seen[frame].append(point)
    return seen


def _runs(records: NDArray[np.void], *fields: str) -> list[NDArray[np.void]]:
    """Split sorted records into runs of equal fields."""
    if len(records) == 0:
        return []
    changed = np.any([np.diff(records[field]) != 0 for field in fields], axis=0)
    return np.split(records, np.flatnonzero(changed) + 1)


def _save_matches(folder: Path, cameras: NDArray[np.void], sightings: NDArray[np.void]) -> None:
    """Write the files that list the frames which see a point."""
    room, point = int(sightings[0]["room"]), int(sightings[0]["point"])
    fixating = cameras[(cameras["room"] == room) & (cameras["point"] == point)]
    location: Iterable[float] | None = fixating[0]["fixated"] if len(fixating) else None
    matches = [
        Match(
            point=int(cameras[record["frame"]]["point"]),
            view=int(cameras[record["frame"]]["view"]),
            seen=point,
            x=int(record["x"]),
            y=int(record["y"]),
        )
        for record in sightings
    ]
    save_facts(folder / label_name(MATCHES, point, "all"), match_facts(point, location, matches))
