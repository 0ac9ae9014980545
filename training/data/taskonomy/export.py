"""Export of a store of frames to the dataset's files, the inverse of `import_taskonomy`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

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
    cameras = np.array(store.cameras)
    alone = cameras["point"] < 0  # frames without a fixated point
    cameras["point"][alone] = cameras["point"].max(initial=-1) + 1 + np.arange(alone.sum())
    frames, counts = np.unique(cameras[["room", "point", "view"]], return_counts=True)
    if (counts > 1).any():
        room, point, view = frames[counts > 1][0].tolist()
        raise DataError(f"room {room} has several frames of point {point}, view {view}")
    called = store.about.get("buildings", {})  # number of a room, as text -> its original name
    names = {room: called.get(str(room), f"room_{room:05d}") for room in np.unique(cameras["room"]).tolist()}

    sightings = np.sort(store.sightings, order=["room", "point", "frame"])
    seen: list[list[int]] = [
        [] for _ in range(len(store))
    ]  # points that each frame sees, but does not fixate
    for number, point in zip(sightings["frame"].tolist(), sightings["point"].tolist(), strict=True):
        seen[number].append(point)
    for frame, camera in enumerate(cameras):
        building = names[int(camera["room"])]
        for domain in store.domains:
            _save_label(store, frame, camera, place.folder(building, domain), domain)
        facts = camera_facts(camera, store.size, seen[frame])
        name = label_name(POINT_INFO, int(camera["point"]), int(camera["view"]))
        save_facts(place.folder(building, POINT_INFO) / name, facts)
    if len(sightings):
        changed = (np.diff(sightings["room"]) != 0) | (np.diff(sightings["point"]) != 0)
        for group in np.split(sightings, np.flatnonzero(changed) + 1):  # the sightings of one point
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


def _save_label(store: FrameStore, frame: int, camera: NDArray[np.void], folder: Path, domain: str) -> None:
    """Write one label of one frame; nothing if its class is unknown, when all probabilities are 0."""
    path = folder / label_name(domain, int(camera["point"]), int(camera["view"]))
    label = store.read(domain, [frame])[0]
    if domain in DOMAINS:
        save_label(path, domain, label)
        return
    if np.ndim(label) == 1:
        probabilities = label.astype(np.float32)
    else:  # the number of a class
        probabilities = np.zeros(CHANNELS[domain], dtype=np.float32)
        if label >= 0:
            probabilities[int(label)] = 1
    if probabilities.sum() > 0:
        save_classes(path, domain, probabilities)


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
