"""Files of a comparison, for download."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from taskbank.saving.export import Form, save_image, save_prediction
from taskbank_demo.transfers.cast import TITLES
from taskbank_demo.transfers.mosaic import Mosaic
from taskbank_demo.transfers.photo import Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """Files of one comparison.

    Attributes:
        picture: of the transfer, PNG, at the photograph's size.
        array: its raw values, NPY.
        facts: units, provenance and shape, JSON.
        together: all pictures side by side, PNG.
    """

    picture: Path
    array: Path
    facts: Path
    together: Path

    @property
    def files(self) -> list[str]:
        """Paths of all files."""
        return [str(self.picture), str(self.array), str(self.facts), str(self.together)]


def save_comparison(shown: Comparison, folder: Path) -> Download:
    """Write the files of a comparison.

    Raises:
        OutputError: a file cannot be written.
    """
    forms = (Form.PNG, Form.NPY, Form.JSON)
    save_prediction(shown.prediction, shown.inputs, folder, forms)
    present = [panel for panel in shown.panels if panel.image is not None]
    mosaic = Mosaic(["Input", *(TITLES[panel.part.role] for panel in present)], [shown.choice.words])
    pictures = [shown.photograph, *(panel.image for panel in present if panel.image is not None)]
    save_image(Image.fromarray(mosaic.fill(pictures)), folder / "comparison.png")
    name = shown.choice.target
    return Download(
        picture=folder / f"{name}.png",
        array=folder / f"{name}.npy",
        facts=folder / f"{name}.json",
        together=folder / "comparison.png",
    )
