"""Training and measuring of the networks of a user's own task."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import groupby

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from taskbank.encoders.source import Source
from taskbank.learning.fit import Learner, Single
from taskbank.learning.measure import measure, transfer_name
from taskbank.learning.parts import Batch, Rows
from taskbank.learning.train import train_constant, train_readouts, train_scratch
from taskbank.own_task.encode import encode_squares
from taskbank.own_task.labels import Learnable
from taskbank.own_task.plan import LearnPlan
from taskbank.own_task.result import CONSTANT
from taskbank.own_task.samples import OwnPart, error_of
from taskbank.own_task.work import Work
from taskbank.tasks.registry import SCRATCH

Losses = dict[str, NDArray[np.float32]]

LEARNED, CHOSEN, MEASURED = "learned", "chosen", "measured"
"""Parts of the images: those that networks learn from, are chosen on, and are measured on."""


class OwnTraining:
    """Training and measuring of the networks of a user's own task; finished steps are kept in `work`.

    Args:
        plan: settings of the task and of training.
        work: intermediate results.
        device: that networks are trained on.
        labels: of all images.
        parts: str (images,), the part of each image.
        groups: int32 (images,), the group of each image.
        squares: all images, float16 (N, 3, S, S) in [-1, 1].
        say: called with a line before each long step.

    Attributes:
        task: the task that is learned.
        codes: source -> representations of all images.
        weights: network -> its trained weights.
    """

    def __init__(
        self,
        *,
        plan: LearnPlan,
        work: Work,
        device: torch.device,
        labels: Learnable,
        parts: NDArray[np.str_],
        groups: NDArray[np.int32],
        squares: NDArray[np.float16],
        say: Callable[[str], object],
    ) -> None:
        self.plan = plan
        self.work = work
        self.device = device
        self.labels = labels
        self.parts = parts
        self.groups = groups
        self.squares = squares
        self.say = say
        self.task = labels.target.as_task(plan.name)
        self.codes: dict[str, NDArray[np.float16]] = {}
        self.weights: dict[str, dict[str, Tensor]] = {}

    @property
    def size(self) -> int:
        """Side of maps in px."""
        return int(self.squares.shape[-1])

    def part(self, name: str) -> OwnPart:
        """Return the images of a part."""
        return OwnPart(
            self.task,
            self.plan,
            self.device,
            labels=self.labels,
            groups=self.groups,
            rows=np.flatnonzero(self.parts == name),
            codes=self.codes,
            squares=self.squares,
        )

    def encode(self, sources: Sequence[Source], keys: Mapping[str, str]) -> dict[str, int]:
        """Compute representations of all images by each source; return the channels of each."""
        for number, source in enumerate(sources):
            self.say(f"encoding by {source.name}")
            key = keys[source.name]
            self.codes[key] = self.work.array(
                f"codes_{number}", partial(encode_squares, source, self.squares, self.device)
            )
        return {key: values.shape[1] for key, values in self.codes.items()}

    def train(
        self, sets: Sequence[tuple[str, ...]], channels: Mapping[str, int]
    ) -> tuple[Losses, Losses, Losses]:
        """Train transfers and controls.

        Args:
            sets: sources of the transfers.
            channels: of each source.

        Returns:
            losses of transfers on the chosen images; losses and errors of all networks on the measured ones.
        """
        chosen: Losses = {}
        losses: Losses = {}
        errors: Losses = {}

        def shape(one: tuple[str, ...]) -> tuple[int, ...]:
            return tuple(channels[name] for name in one)

        # Transfers of equal shapes are trained side by side.
        ordered = sorted(sets, key=lambda one: (len(one), shape(one)))
        for number, (widths, some) in enumerate(groupby(ordered, shape)):
            alike = list(some)
            self.say(f"training {len(alike)} transfer(s) of order {len(widths)}")
            held = self.work.tensors(f"transfers_{number}", partial(self._train, alike, widths))
            for one in alike:
                name = transfer_name(one)
                chosen[name], losses[name], errors[name] = (
                    held[f"{name}/{what}"].numpy() for what in (CHOSEN, "losses", "errors")
                )
                prefix = f"{name}/weights/"
                self.weights[name] = {
                    key.removeprefix(prefix): value for key, value in held.items() if key.startswith(prefix)
                }
        for control in (CONSTANT, *((SCRATCH,) if self.plan.scratch else ())):
            if control == SCRATCH:
                self.say("training a network from scratch")
            held = self.work.tensors(control, partial(self._control, control))
            losses[control], errors[control] = held["losses"].numpy(), held["errors"].numpy()
            prefix = "weights/"
            self.weights[control] = {
                key.removeprefix(prefix): value for key, value in held.items() if key.startswith(prefix)
            }
        return chosen, losses, errors

    def _train(self, sets: Sequence[tuple[str, ...]], widths: tuple[int, ...]) -> dict[str, Tensor]:
        """Train and measure transfers of one shape."""
        learned = self.part(LEARNED)
        stack = train_readouts(
            learned, sets, self.plan, size=self.size, at_once=self.plan.at_once, channels=widths
        )
        names = [transfer_name(one) for one in sets]
        chosen, measured = self.part(CHOSEN), self.part(MEASURED)
        found = measure(stack, names, chosen, partial(chosen.code_batch, sets)).by_name
        told = {f"{name}/{CHOSEN}": torch.from_numpy(values.copy()) for name, values in found.items()}
        told |= self._measured(stack, names, measured, partial(measured.code_batch, sets))
        for member, name in enumerate(names):
            told |= {f"{name}/weights/{key}": value for key, value in stack.state(member).items()}
        return told

    def _control(self, control: str) -> dict[str, Tensor]:
        """Train and measure a control; keep the weights of a network from scratch."""
        learned, measured = self.part(LEARNED), self.part(MEASURED)
        if control == CONSTANT:
            constant = Single(train_constant(learned, self.plan, self.size), self.device)
            told = self._measured(constant, [control], measured, measured.blind_batch)
        else:
            network = train_scratch(learned, self.plan)
            told = self._measured(Single(network, self.device), [control], measured, measured.picture_batch)
            state = network.state_dict()
            told |= {f"{control}/weights/{key}": value.detach().cpu() for key, value in state.items()}
        return {key.removeprefix(f"{control}/"): value for key, value in told.items()}

    def _measured(
        self, learner: Learner, names: Sequence[str], part: OwnPart, batch: Callable[[Rows], Batch]
    ) -> dict[str, Tensor]:
        """Measure losses and errors of networks."""
        _, judge = error_of(self.labels)
        losses = measure(learner, names, part, batch).by_name
        errors = measure(learner, names, part, part.judged(batch, judge)).by_name
        told = {f"{name}/losses": torch.from_numpy(values.copy()) for name, values in losses.items()}
        return told | {f"{name}/errors": torch.from_numpy(values.copy()) for name, values in errors.items()}
