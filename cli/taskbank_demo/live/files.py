"""Writing of results for download: pictures, arrays, 16-bit depth, the dataset's own files."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

from taskbank.inference.outcome import Outcome
from taskbank.saving.dataset import check_exportable, export_outcome, save_manifest, without_folder
from taskbank.saving.export import Form, file_names, save_prediction
from taskbank_demo.live.store import Shot, load_outcome
from taskbank_demo.services import Services

_BUILDING = "photographs"
_FORMS = (Form.PNG, Form.NPY, Form.JSON)

TITLES = {
    ".png": "Picture (PNG)",
    "_16bit.png": "Depth, 16 bits (PNG)",
    ".npy": "Values (NPY)",
    ".json": "Facts (JSON)",
}
"""Label of a file on the page, by the ending of its name."""


def save_task(shot: Shot, outcome: Outcome, task: str) -> dict[str, Path]:
    """Write the files of one task into the folder of its request.

    Returns:
        title (see `TITLES`) -> file.
    """
    save_prediction(outcome.prediction(task), outcome.inputs, shot.folder, _FORMS)
    kind = outcome.bank.find_target(task).output
    files = [shot.folder / name for name in file_names(task, _FORMS, kind)]
    return {TITLES[path.name.removeprefix(task)]: path for path in files}


def save_dataset(services: Services, shot: Shot, tasks: Sequence[str]) -> Path:
    """Write the labels of a photograph as Taskonomy's own files, in one zip.

    Args:
        services: state that users share.
        shot: a request of one photograph.
        tasks: canonical names; those without files in the dataset are left out.

    Returns:
        The zip.

    Raises:
        InvalidInputError: the dataset has files for none of the tasks.
    """
    outcome = load_outcome(services, shot, tasks)
    check_exportable(tasks, services.need_networks().settings.fit)
    folder = shot.folder / "dataset" / _BUILDING
    wanted = [task for task in tasks if task not in without_folder(tasks)]
    export_outcome(outcome, wanted, folder, point=0)
    save_manifest(folder, [Path(outcome.sources[0])])
    packed = shot.folder / "dataset.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(folder.parent.rglob("*")):
            archive.write(path, path.relative_to(folder.parent))
    return packed
