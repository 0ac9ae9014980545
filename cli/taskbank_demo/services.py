"""State that all users of a demo share: the settings, the bank, its networks, the temporary folder."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from taskbank.bank.bank import Bank
from taskbank.errors import TaskBankError
from taskbank.inference.device import choose_device
from taskbank.inference.engine import Engine
from taskbank.inference.settings import Settings
from taskbank.inference.transfer_engine import TransferEngine
from taskbank.tasks.registry import find_task
from taskbank_demo.deadline import Deadline
from taskbank_demo.errors import MissingError
from taskbank_demo.settings import DemoSettings
from taskbank_demo.shelf import Shelf

_log = logging.getLogger(__name__)

_KEPT_TASKS = 26  # all tasks
_KEPT_TRANSFERS = 64  # each includes its sources' encoders


class Networks:
    """Engines of a bank, each loaded on first use, and shared by all users.

    Args:
        bank: source of the networks.
        settings: how the networks are run.

    Raises:
        InvalidInputError: there is no such device.
    """

    def __init__(self, bank: Bank, settings: Settings) -> None:
        self.bank = bank
        self.settings = settings
        self.device = choose_device(settings.device)
        self._tasks: Shelf[Engine] = Shelf(_KEPT_TASKS)
        self._transfers: Shelf[TransferEngine] = Shelf(_KEPT_TRANSFERS)

    def task(self, name: str) -> Engine:
        """Return the engine of one task, by any of its names.

        Raises:
            TaskBankError: as `taskbank.inference.engine.Engine`.
        """
        task = self.bank.entry(name).task
        return self._tasks.get(task, lambda: Engine(self.bank, [task], self.settings))

    def transfer(self, sources: tuple[str, ...], target: str) -> TransferEngine:
        """Return the engine of one transfer.

        Raises:
            TaskBankError: as `taskbank.inference.transfer_engine.TransferEngine`.
        """
        entry = self.bank.transfer_entry(sources, target)
        return self._transfers.get(
            (entry.sources, entry.target),
            lambda: TransferEngine(self.bank, entry.sources, [entry.target], self.settings),
        )

    def predictable(self, num_images: int) -> tuple[str, ...]:
        """Return canonical names of the bank's tasks that take `num_images`, in the registry's order."""
        held = self.bank.index.tasks.items()
        return tuple(
            name for name, entry in held if entry.predicts and find_task(name).num_images == num_images
        )

    def warm_up(self, stop: Event) -> None:
        """Load the network of every task, so that the first user does not wait for it.

        Args:
            stop: ends the loading early.
        """
        for name in (task for count in (1, 2, 3) for task in self.predictable(count)):
            if stop.is_set():
                return
            try:
                self.task(name)
            except TaskBankError as error:
                # Requests for this task will report the error; other tasks work.
                _log.warning("the network of %s was not loaded: %s", name, error)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Services:
    """State that all users of a demo share.

    Attributes:
        settings: limits.
        folder: of all temporary files; nothing outside it is served.
        bank: None if it cannot be opened.
        networks: of the bank; None without one.
        no_bank: reason why there is no bank, and advice; empty if there is one.
    """

    settings: DemoSettings
    folder: Path
    bank: Bank | None
    networks: Networks | None
    no_bank: str = ""

    def deadline(self) -> Deadline:
        """Start the time limit of a request."""
        return Deadline(self.settings.request_seconds)

    def new_folder(self) -> Path:
        """Create an empty folder for the files of one result; it is deleted when it is old."""
        folder = self.folder / f"result-{secrets.token_hex(16)}"
        folder.mkdir(mode=0o700)
        return folder

    def need_networks(self) -> Networks:
        """Return the networks.

        Raises:
            MissingError: there is no bank.
        """
        if self.networks is None:
            raise MissingError(self.no_bank)
        return self.networks


def make_services(settings: DemoSettings, folder: Path) -> Services:
    """Open the bank, and make the shared state; without a bank, the demo still has its planner.

    Raises:
        InvalidInputError: there is no such device.
    """
    choose_device(settings.device)
    try:
        bank = Bank.open(settings.bank)
    except TaskBankError as error:
        return Services(settings=settings, folder=folder, bank=None, networks=None, no_bank=str(error))
    networks = Networks(bank, Settings(device=settings.device, accept_licence=settings.accept_licence))
    return Services(settings=settings, folder=folder, bank=bank, networks=networks)
