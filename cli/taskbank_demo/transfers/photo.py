"""Comparison of all networks on one photograph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PIL import Image

from taskbank.inference.outcome import Outcome
from taskbank.inference.preprocess import Preprocessed, as_square_photo
from taskbank.inference.results import Prediction
from taskbank_demo.deadline import Deadline
from taskbank_demo.transfers.cast import ComparedNetwork, Role
from taskbank_demo.transfers.differ import difference
from taskbank_demo.transfers.menu import Choice
from taskbank_demo.transfers.stage import (
    common_scale,
    draw,
    input_image,
    result_words,
    scale_words,
    stage,
)

SIDE = 512
"""Side of pictures in px: twice the network's own, so that lines and text are sharp."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One network's picture, or the reason why there is none.

    Attributes:
        part: the network.
        image: RGB; None if the network is missing.
        words: short text of the result; may be empty.
        difference: from the fully trained network, see `transfers.differ`; None without a measure.
    """

    part: ComparedNetwork
    image: Image.Image | None
    words: str = ""
    difference: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Predictions of all networks for one photograph.

    Attributes:
        choice: the transfer.
        photograph: middle square of the photograph.
        panels: in the order of the cast.
        colours: meaning of the colours of all pictures; may be empty.
        prediction: of the transfer, in the frame of the whole photograph, as saved by `taskbank transfer`.
        inputs: preprocessed photographs of that prediction.
    """

    choice: Choice
    photograph: Image.Image
    panels: tuple[Panel, ...]
    colours: str
    prediction: Prediction
    inputs: tuple[Preprocessed, ...]


def compare_photograph(
    photograph: Image.Image, parts: Sequence[ComparedNetwork], choice: Choice, deadline: Deadline
) -> Comparison:
    """Run every network of a cast on one photograph.

    Args:
        photograph: RGB, upright.
        parts: of `cast`, the transfer first.
        choice: the transfer.
        deadline: checked between networks.

    Raises:
        SlowRequestError: the request took too long.
        TaskBankError: the photograph cannot be used.
    """
    outcomes: dict[Role, Outcome] = {}
    for part in parts:
        if part.runs is not None:
            deadline.check()
            (outcomes[part.role],) = part.runs.run([photograph])
    first = outcomes[Role.TRANSFER]
    prediction = replace(first.prediction(choice.target), sources=("photograph",))
    preprocessed = as_square_photo(first.inputs[0], SIDE)
    staged = {role: stage(outcome, preprocessed, choice.target) for role, outcome in outcomes.items()}
    scale = common_scale({role: [each] for role, each in staged.items()})
    full = staged.get(Role.FULL_SUPERVISION)
    panels = []
    for part in parts:
        shown = staged.get(part.role)
        if shown is None:
            panels.append(Panel(part=part, image=None))
            continue
        rival = None if part.role is Role.FULL_SUPERVISION else full
        panels.append(
            Panel(
                part=part,
                image=draw(shown, preprocessed, scale),
                words=result_words(shown),
                difference=None if rival is None else difference(shown, rival),
            )
        )
    return Comparison(
        choice=choice,
        photograph=input_image(preprocessed),
        panels=tuple(panels),
        colours=scale_words(scale, prediction.kind),
        prediction=prediction,
        inputs=first.inputs,
    )
