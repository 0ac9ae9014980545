"""Requests of the Transfers tab, for the page and the API."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from taskbank.errors import VideoError
from taskbank.video.files import Clip, load_av
from taskbank_demo.errors import MissingError, UploadError
from taskbank_demo.services import Services
from taskbank_demo.transfers.cast import ComparedNetwork, cast
from taskbank_demo.transfers.measured import (
    Standing,
    affinity_words,
    by_affinity,
    fitting_tensor,
    share_words,
    shipped_tensor,
    standing,
)
from taskbank_demo.transfers.menu import Choice, TransferMenu, label_of, transfer_menu
from taskbank_demo.transfers.photo import Comparison, compare_photograph
from taskbank_demo.transfers.video import VideoProgress, compare_video
from taskbank_demo.uploads import open_video, read_image
from taxsolver import available_affinities

WAYS = (
    "taskbank demo --bank hf://OWNER/NAME",
    "python -m training run --preset rooms --out out/rooms",
    "taskbank demo --bank out/rooms/published/bank",
)
"""Commands that open a bank with transfers, or make one."""

_EASY = ("normal", "reshading", "depth_euclidean", "depth_zbuffer")


def menu_of(services: Services) -> TransferMenu:
    """Return the available transfers.

    Raises:
        MissingError: there is no bank, or none of its transfers reads a single image.
    """
    menu = transfer_menu(services.need_networks().bank)
    if not menu.choices:
        raise MissingError(why_no_transfers(menu))
    return menu


def why_no_transfers(menu: TransferMenu) -> str:
    """Describe the reason why the bank has no such transfers."""
    if menu.several_images:
        return (
            f"The bank {menu.bank} holds transfers to {', '.join(menu.several_images)} only, which look at "
            "several photographs: taskbank transfer --together runs them."
        )
    return (
        f"The bank {menu.bank} holds task networks, and no transfer networks: open one that holds both, or "
        "make one of your own."
    )


def first_choice(menu: TransferMenu, tensor: str) -> Choice:
    """Return the initial transfer of the page: the best of the lowest order, for a well-known target."""
    target = next((name for name in _EASY if name in menu.targets), menu.targets[0])
    lowest = menu.of_order(target, menu.orders(target)[0])
    return by_affinity(shipped_tensor(tensor), lowest)[0][0]


def standing_of(services: Services, choice: Choice, tensor: str) -> Standing:
    """Look up a transfer of the open bank in one of taxsolver's tensors.

    Raises:
        MissingError: no tensor of that name comes with taxsolver.
    """
    if tensor not in available_affinities():
        raise MissingError(
            f"no affinity tensor {tensor!r} comes with taxsolver: choose {', '.join(available_affinities())}"
        )
    return standing(shipped_tensor(tensor), services.need_networks().bank.name, choice)


def tensor_of(services: Services) -> str:
    """Return the name of the tensor for the open bank."""
    return fitting_tensor(services.need_networks().bank.name, available_affinities())


def record_of(services: Services, choice: Choice) -> Mapping[str, float]:
    """Return the metrics of a transfer in the bank's index."""
    return services.need_networks().bank.transfer_entry(choice.sources, choice.target).metrics


def on_photograph(services: Services, choice: Choice, path: str | Path | None) -> Comparison:
    """Run all networks on an uploaded photograph.

    Raises:
        UploadError: the file is not an image, or too large.
        SlowRequestError: the request took too long.
        TaskBankError: the transfer cannot be loaded.
    """
    deadline = services.deadline()
    photograph = read_image(path, services.settings, services.folder)
    return compare_photograph(photograph, cast(services.need_networks(), choice), choice, deadline)


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoRequest:
    """A video comparison in progress.

    Attributes:
        clip: the input.
        parts: the compared networks.
        path: of the MP4 file, which exists after the last step.
        steps: iterator that does the work, step by step.
    """

    clip: Clip
    parts: tuple[ComparedNetwork, ...]
    path: Path
    steps: Iterator[VideoProgress]

    @property
    def seconds(self) -> float:
        """Length of the input."""
        return float(self.clip.frames / self.clip.rate)


def on_video(services: Services, choice: Choice, path: str | Path | None, tensor: str) -> VideoRequest:
    """Prepare all networks for an uploaded video, without running them.

    Raises:
        UploadError: the file is not a video, or too long or too large.
        MissingPackageError: PyAV is not installed.
        TaskBankError: the transfer cannot be loaded.
    """
    load_av()
    deadline = services.deadline()
    clip = open_video(path, services.settings, services.folder)
    parts = cast(services.need_networks(), choice)
    lines = caption_lines(choice, standing_of(services, choice, tensor))
    out = services.new_folder() / f"{choice.target}.mp4"
    steps = _of_the_upload(compare_video(clip, parts, choice.target, out, lines, deadline), clip.path.name)
    return VideoRequest(clip=clip, parts=parts, path=out, steps=steps)


def _of_the_upload(steps: Iterator[VideoProgress], name: str) -> Iterator[VideoProgress]:
    """Yield the steps; errors of the file do not reveal its path on the server."""
    try:
        yield from steps
    except VideoError as error:
        raise UploadError(f"{name} is damaged: it cannot be read to its end.") from error


def caption_lines(choice: Choice, found: Standing) -> list[str]:
    """Return text lines with the transfer and its measures, for a saved picture."""
    lines = [f"{label_of(choice.target)} read from", choice.source_words]
    if found.transfer is None:
        return [*lines, f"not measured in {found.tensor}"]
    return [
        *lines,
        f"affinity {affinity_words(found.transfer.affinity)}",
        f"gain {share_words(found.transfer.gain)}, quality {share_words(found.transfer.quality)}",
        f"in the tensor {found.tensor}",
    ]


def comparison_facts(shown: Comparison, found: Standing, record: Mapping[str, float]) -> dict[str, Any]:
    """Return the facts about a comparison for the API, JSON-ready."""
    return {
        "transfer": shown.choice.name,
        "prediction": shown.prediction.facts(),
        "measured": found.facts(),
        "bank_record": dict(record),
        "difference_from_full_supervision": {
            panel.part.role.value: panel.difference for panel in shown.panels if panel.difference is not None
        },
        "missing": missing_facts(panel.part for panel in shown.panels),
    }


def missing_facts(parts: Iterable[ComparedNetwork]) -> dict[str, str]:
    """Return the networks that the bank lacks, and how to get them."""
    return {part.role.value: part.missing for part in parts if part.runs is None}
