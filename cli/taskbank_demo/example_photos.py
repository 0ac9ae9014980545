"""Example photographs that come with the demo: frames of rooms that the project renders itself."""

from __future__ import annotations

import base64
import io
import shutil
from pathlib import Path

from PIL import Image

from taskbank_demo.errors import MissingError
from taskbank_demo.own_uploads import new_upload_folder
from taskbank_demo.pieces import text
from taskbank_demo.services import Services

_FOLDER = Path(__file__).parent / "examples"
_THUMB = 144  # px

SINGLE = {
    "bedroom": _FOLDER / "bedroom.jpg",
    "meeting room": _FOLDER / "meeting_room.jpg",
    "office": _FOLDER / "office.jpg",
    "sitting room": _FOLDER / "sitting_room.jpg",
}
"""Title of a single example -> file."""

TOGETHER = tuple(_FOLDER / f"lounge_{number}.jpg" for number in (1, 2, 3))
"""Three photographs of one place from different cameras."""


def copy_example(services: Services, name: object) -> str:
    """Copy an example for one user, like an upload.

    Raises:
        MissingError: there is no such example.
    """
    if name not in SINGLE:
        raise MissingError(f"There is no example {name!r}: choose {', '.join(SINGLE)}.")
    return _copy(services, SINGLE[str(name)])


def copy_together(services: Services) -> list[str]:
    """Copy the three photographs of one place for one user."""
    return [_copy(services, path) for path in TOGETHER]


def _copy(services: Services, path: Path) -> str:
    return str(shutil.copy(path, new_upload_folder(services.folder) / path.name))


def example_buttons() -> str:
    """Return the examples as buttons."""
    cells = []
    for name, path in SINGLE.items():
        with Image.open(path) as image:
            small = image.convert("RGB")
        small.thumbnail((_THUMB, _THUMB), Image.Resampling.LANCZOS)
        held = io.BytesIO()
        small.save(held, format="JPEG", quality=82)
        url = f"data:image/jpeg;base64,{base64.b64encode(held.getvalue()).decode()}"
        cells.append(
            f'<button type="button" data-example="{text(name)}" title="Try the {text(name)}">'
            f'<img src="{url}" alt="Example: {text(name)}"></button>'
        )
    return f'<div class="tb-examples" role="group" aria-label="Examples">{"".join(cells)}</div>'
