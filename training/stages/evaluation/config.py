"""Settings of stage 7."""

from __future__ import annotations

from dataclasses import dataclass

from taskbank.bank.quantise import Storage
from training.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateConfig:
    """Settings for making and measuring a bank.

    Attributes:
        name: name of the bank.
        licence: licence of its weights.
        storage: form of its weights on disk.
        max_megabytes: largest size of the folder in million bytes; transfers that do not fit are left out, by
            the priorities in `choice.py`. None for no limit.
        calibration: share of the loss's class weights to remove from semantic logits, 0 to 1: with 1, classes
            are predicted as often as they occur in training frames; with 0, rare ones too often.
        transfer_orders: orders for which each target's best transfer is included.
        shown_targets: targets that come with several transfers of order 1, `random` and `scratch`, so that
            they can be compared.
        shown_sources: number of these sources: the best, the worst and evenly spaced ones in between.
        samples: largest number of samples for the scores of a task.
        transfer_samples: largest number of samples for the scores of a transfer.
        pictured: largest number of test frames from which the best and the worst are chosen for the card.
        carried_over: largest number of real frames, evenly spread, for every transfer of order 1.
        data: description of the frames for the card.
        limits: limitations for the card, one sentence each.
        origins: origins of textures and real frames for the documents, one sentence each.
    """

    name: str = "rooms"
    licence: str = "MIT"
    storage: Storage = Storage.INT8
    max_megabytes: float | None = 60.0
    calibration: float = 1.0
    transfer_orders: tuple[int, ...] = (1, 2)
    shown_targets: tuple[str, ...] = ("normal", "depth_zbuffer")
    shown_sources: int = 4
    samples: int = 2000
    transfer_samples: int = 200
    pictured: int = 200
    carried_over: int = 100
    data: str = "rendered rooms"
    limits: tuple[str, ...] = (
        "Learned from rendered indoor rooms only: outdoor scenes, people and close-ups are strange to it.",
        "Depth has a scale that was learned from rooms of ordinary size; photographs do not tell it.",
    )
    origins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            ConfigError: a value is not allowed; the message names the field.
        """
        for name in ("samples", "transfer_samples", "shown_sources", "pictured", "carried_over"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}, it must be at least 1")
        if self.max_megabytes is not None and self.max_megabytes <= 0:
            raise ConfigError(f"max_megabytes is {self.max_megabytes}, it must be positive, or none")
        if not 0 <= self.calibration <= 1:
            raise ConfigError(f"calibration is {self.calibration}, it must be from 0 to 1")
        if any(order < 1 for order in self.transfer_orders):
            raise ConfigError(f"transfer_orders {self.transfer_orders} must be 1 or more")
