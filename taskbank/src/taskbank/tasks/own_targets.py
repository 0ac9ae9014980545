"""Users' own targets, which are not in the registry and are described in the bank.

Three kinds: a map (a number or three per pixel, in the user's own unit), classes of whole images, and
numbers of whole images. They are predicted by transfer networks only; no encoder is trained for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from taskbank.errors import InvalidInputError, UnknownTaskError
from taskbank.tasks.kinds import DecoderForm, Group, Loss, OutputKind, Task
from taskbank.tasks.registry import find_task, is_task, normalise

_FORMS: Mapping[OutputKind, tuple[DecoderForm, Loss]] = {
    OutputKind.MAP: (DecoderForm.PIXEL, Loss.L1),
    OutputKind.CLASSES: (DecoderForm.FULLY_CONNECTED, Loss.CROSS_ENTROPY),
    OutputKind.NUMBERS: (DecoderForm.FULLY_CONNECTED, Loss.L2),
}
_MAP_CHANNELS = (1, 3)  # channels of pictures
_RESERVED = frozenset({"all", "rgb", "point_info", "nonfixated_matches"})
"""Reserved names: `all` means several tasks on the command line, the others are folders of the dataset."""
_MOST = 65_536  # channels, or numbers of a hidden layer
_LONGEST = 60  # most characters of a name, which becomes part of a file name


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTarget:
    """A user's own target: its kind of output and its decoder.

    Attributes:
        output: MAP, CLASSES or NUMBERS.
        channels: 1 or 3 for maps, else the number of classes or numbers.
        unit: of decoded values; "1" if they have none.
        value_range: for maps: the values of the network's -1 and 1; predictions are clipped to it.
        whitening: for numbers: means and standard deviations, one each per number.
        hidden: widths of the hidden layers of a fully connected head, see `Task.hidden`.
    """

    output: OutputKind
    channels: int
    unit: str = "1"
    value_range: tuple[float, float] | None = None
    whitening: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    hidden: tuple[int, ...] = (256,)

    def __post_init__(self) -> None:
        """Check that outputs can be decoded.

        Raises:
            InvalidInputError: a field is not allowed; the message states its value and the allowed ones.
        """
        if self.output not in _FORMS:
            raise InvalidInputError(f"own target: output {self.output} must be {', '.join(_FORMS)}")
        if self.output is OutputKind.MAP:
            self._check_map()
        elif self.output is OutputKind.NUMBERS:
            self._check_numbers()
        elif self.channels < 2:
            raise InvalidInputError(f"own target: {self.channels} class(es), but two at least are needed")
        if self.channels > _MOST or len(self.hidden) > 2 or not all(0 < n <= _MOST for n in self.hidden):
            raise InvalidInputError(
                f"own target: {self.channels} channels and hidden layers of {self.hidden[:3]} numbers: up to "
                f"{_MOST}, and two layers, are possible"
            )

    def _check_map(self) -> None:
        low, high = self.value_range or (0.0, 0.0)
        if self.channels not in _MAP_CHANNELS or not low < high:
            raise InvalidInputError(
                f"own target: a map has 1 or 3 channels and a range that rises, not {self.channels} and "
                f"{self.value_range}"
            )

    def _check_numbers(self) -> None:
        mean, std = self.whitening or ((), ())
        if not len(mean) == len(std) == self.channels > 0 or min(std) <= 0:
            raise InvalidInputError(
                f"own target: {self.channels} number(s) need as many means and positive standard deviations, "
                f"not {self.whitening}"
            )

    def as_task(self, name: str) -> Task:
        """Return the target as a `Task`, for networks and decoding."""
        decoder, loss = _FORMS[self.output]
        return Task(
            name=name,
            label=name,
            group=Group.OWN,
            aliases=(),
            output=self.output,
            channels=self.channels,
            unit=self.unit,
            value_range=self.value_range,
            network_range=(-1.0, 1.0) if self.output is OutputKind.MAP else None,
            loss=loss,
            decoder=decoder,
            hidden=self.hidden if decoder is DecoderForm.FULLY_CONNECTED else (),
            whitening=self.whitening,
        )


def own_target_from_json(written: Mapping[str, Any]) -> OwnTarget:
    """Read the target that `dataclasses.asdict` wrote to a `bank.json`.

    Raises:
        KeyError: a field is missing.
        ValueError: a field has a value that is not allowed (`InvalidInputError`), or an unknown kind of
            output.
        TypeError: a field has another type.
    """
    limits, whitening = written["value_range"], written["whitening"]
    return OwnTarget(
        output=OutputKind(written["output"]),
        channels=int(written["channels"]),
        unit=str(written["unit"]),
        value_range=range_from_json(limits),
        whitening=None if whitening is None else (_floats(whitening[0]), _floats(whitening[1])),
        hidden=tuple(map(int, written["hidden"])),
    )


def range_from_json(written: object) -> tuple[float, float] | None:
    """Read the least and the greatest value in a list of a `bank.json`.

    Raises:
        ValueError: one of them is missing, or the second is not greater.
        TypeError: `written` is not a list of numbers.
    """
    if written is None:
        return None
    limits = _floats(written)
    if len(limits) != 2 or not limits[0] < limits[1]:
        raise ValueError(f"range {written!r} must be two numbers, the second greater")
    return limits[0], limits[1]


def own_name(name: str) -> str:
    """Convert the name of a user's own target to its form in banks: `My Task` becomes `my_task`.

    Raises:
        InvalidInputError: the result is empty, too long, reserved, or the name of one of the 26 tasks.
    """
    wanted = normalise(name)
    if not wanted or len(wanted) > _LONGEST:
        raise InvalidInputError(f"a task cannot be called {name!r}: use 1 to {_LONGEST} letters or digits")
    if wanted in _RESERVED:
        raise InvalidInputError(f"a task cannot be called {name!r}: that word means something else here")
    if is_task(wanted):
        raise InvalidInputError(
            f"the name {name!r} is taken by the task {find_task(wanted).name!r}: choose another, such as "
            f"my_{wanted}"
        )
    return wanted


def find_target(name: str, own: Mapping[str, Task]) -> Task:
    """Find a task by any of its names, or one of a bank's own targets.

    Args:
        name: in any spelling.
        own: the bank's own targets, by name.

    Raises:
        UnknownTaskError: no task or target has that name; the message lists the nearest ones.
    """
    wanted = normalise(name)
    if wanted in own:
        return own[wanted]
    try:
        return find_task(name)
    except UnknownTaskError as error:
        raise UnknownTaskError(name, [*get_close_matches(wanted, own), *error.nearest]) from None


def _floats(values: object) -> tuple[float, ...]:
    """Convert a list of numbers to a tuple of floats."""
    if not isinstance(values, list):
        raise TypeError(f"{values!r} is not a list of numbers")
    return tuple(map(float, values))
