"""Make the tensors that come with taxsolver from the results published with the paper.

Run from a checkout: `python -m training.published_affinities`. Equal tables give equal bytes.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from taskbank.tasks.registry import ALIASES
from taxsolver.tensors.affinity import AffinityTensor
from taxsolver.tensors.affinity_csv import tensor_from_csv
from taxsolver.tensors.store import save_affinity
from training.arguments import ScriptParser

log = logging.getLogger(__name__)

TABLES = Path(__file__).parent / "published"
SHIPPED = Path(__file__).parents[1] / "taxsolver" / "src" / "taxsolver" / "data"
IMAGES_FULL = 120_000  # section 4 of the paper: images that a task network is trained on
SOURCE_ONLY_VARIANT = {"class_selected": "class_object_100", "object_class_100": "class_object_100"}
PAPER = {
    "dataset": "Taskonomy",
    "made_by": "training/published_affinities.py, from the results published with the paper",
    "licence": "MIT (https://github.com/StanfordVL/taskonomy)",
    "citation": (
        "Amir R. Zamir, Alexander Sax, William B. Shen, Leonidas J. Guibas, Jitendra Malik, Silvio Savarese. "
        "Taskonomy: Disentangling Task Transfer Learning. CVPR 2018. https://arxiv.org/abs/1804.08328"
    ),
}


@dataclass(frozen=True)
class Published:
    """One published table: its name, the number of images per transfer, and remarks."""

    name: str
    table: str
    images_transfer: int | None
    note: str


PUBLISHED = (
    Published(
        "taskonomy-16k",
        "transfers_16k.csv",
        16_000,
        "Orders 1-4 of 22 targets, and one transfer each of orders 5-24 for 18 of them. Four transfers of "
        "order 2 to nonfixated_pose have a gain only.",
    ),
    Published("taskonomy-1k", "transfers_1k.csv", 1_000, "Orders 1-4 of 22 targets."),
    Published(
        "taskonomy-main",
        "transfers_main.csv",
        None,
        "An older run, orders 1-2, with object classification over 100 classes in place of scene "
        "classification; images per transfer were not stated. The affinity of full supervision is close to 0 "
        "for class_object_100, egomotion and nonfixated_pose, as published.",
    ),
)


def read_published(entry: Published) -> AffinityTensor:
    """Read the tensor of one published table, with its origin in the header."""
    return tensor_from_csv(
        (TABLES / entry.table).read_bytes(),
        name=entry.name,
        where=entry.table,
        aliases={**ALIASES, **SOURCE_ONLY_VARIANT},
        untrained=("random",),
        images_full=IMAGES_FULL,
        images_transfer=entry.images_transfer,
        about={**PAPER, "note": entry.note},
    )


def main() -> None:
    """Write every shipped tensor into a folder, by default into the package."""
    parser = ScriptParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=SHIPPED, help="folder for the tensors")
    folder = parser.parse_args().out
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    for entry in PUBLISHED:
        path = save_affinity(read_published(entry), folder / f"{entry.name}.safetensors")
        log.info("%s: %d bytes", path, path.stat().st_size)


if __name__ == "__main__":
    main()
