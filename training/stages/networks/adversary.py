"""The optional conditional patch discriminator of the original task networks.

Isola et al., CVPR 2017 (arXiv:1611.07004), with the numbers of https://github.com/StanfordVL/taskonomy: five
layers, one-sided label smoothing, decaying noise on real and predicted maps, plain gradient descent. It is
used after a number of steps; from then on, each step of the network is followed by one of the discriminator.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from taskbank.constants import colour_bins
from taskbank.learning.target import Target
from taskbank.tasks.registry import DecoderForm, Loss, OutputKind, Task
from training.learning.draws import gaussian, seeds_of

_WIDTHS = (64, 128, 256)  # widths of layers, each of which divides the size by four
_DEEPEST = 512
_RATE = 1e-5
_TRUE = 0.9  # label of true maps; less than 1 for one-sided label smoothing
_NOISE = {OutputKind.DEPTH: 0.03}
_USUAL_NOISE = 0.1
_FADING = 0.2 / 1000  # decay of the noise per step
_SHARPER = 2.606  # factor of logits of colours, before they are averaged to one colour
_COLOUR_SHARE = 2.5  # colorization's share of the loss over that of other maps
_REACH = 110.0  # largest absolute value of a and b
_TRUE_SALT, _MADE_SALT = 501, 502


def is_judged(task: Task) -> bool:
    """Return True if a task has a discriminator in the original: maps of values or colours only."""
    return task.decoder is DecoderForm.COLORIZATION or (
        task.decoder is DecoderForm.PIXEL and task.loss in {Loss.L1, Loss.L2}
    )


class Discriminator(nn.Module):
    """Classify patches of a map as true or predicted, given the network's input.

    Args:
        channels: channels of the map.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3 + channels
        for place, width in enumerate(_WIDTHS):
            layers.append(nn.Conv2d(before, width, 5, stride=4, padding=2, bias=place == 0))
            layers += [nn.BatchNorm2d(width)] if place else []
            layers.append(nn.LeakyReLU(0.2))
            before = width
        # With an even kernel, the padding differs by one row between both sides to keep the size.
        layers += [nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(before, _DEEPEST, 4, bias=False)]
        layers += [nn.BatchNorm2d(_DEEPEST), nn.LeakyReLU(0.2)]
        layers += [nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(_DEEPEST, 1, 4)]
        self.layers = nn.Sequential(*layers)

    def forward(self, shown: Tensor, maps: Tensor) -> Tensor:
        """Map float (B, 3, H, W) and (B, channels, H, W) to logits (B, 1, H / 64, W / 64), rounded up."""
        logits: Tensor = self.layers(torch.cat([shown, maps], dim=1))
        return logits


class Adversary:
    """A task's discriminator and its training.

    Args:
        task: a task that has a discriminator.
        discriminator: initialised, on its device.
        decay: weight decay of the network; the discriminator's is ten times that.
        seed: seed of the noise.

    Attributes:
        factor: factor on the configured share of the loss.
    """

    def __init__(self, task: Task, discriminator: Discriminator, decay: float, seed: int) -> None:
        self.discriminator = discriminator.train()
        self.factor = _COLOUR_SHARE if task.decoder is DecoderForm.COLORIZATION else 1.0
        self._task = task
        self._seed = seed
        self._noise = _NOISE.get(task.output, _USUAL_NOISE)
        self._descent = torch.optim.SGD(discriminator.parameters(), lr=_RATE, weight_decay=10 * decay)

    def doubt(self, shown: Tensor, output: Tensor, target: Target, step: int) -> Tensor:
        """Return the network's part of the loss: the discriminator's loss on outputs taken as true maps."""
        made = self._blurred(_made_map(self._task, output, target), step, _MADE_SALT)
        logits = self.discriminator(shown, _fitted(made, shown))
        return functional.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))

    def learn(self, shown: Tensor, output: Tensor, target: Target, step: int) -> Tensor:
        """Take one step of the discriminator; return its loss before the step."""
        true = self._blurred(_true_map(self._task, target), step, _TRUE_SALT)
        made = self._blurred(_made_map(self._task, output.detach(), target), step, _MADE_SALT)
        self._descent.zero_grad()
        loss = torch.zeros((), device=shown.device)
        for maps, truth in ((true, _TRUE), (made, 0.0)):
            logits = self.discriminator(shown, _fitted(maps, shown))
            goal = torch.full_like(logits, truth)
            loss = loss + 0.5 * functional.binary_cross_entropy_with_logits(logits, goal)
        torch.autograd.backward(loss)
        self._descent.step()
        return loss.detach()

    def _blurred(self, maps: Tensor, step: int, salt: int) -> Tensor:
        """Add the noise of a step to maps."""
        seeds = seeds_of(torch.arange(len(maps), device=maps.device), self._seed, step)
        return maps + self._noise / (1 + _FADING * step) * gaussian(seeds, maps.shape[1:], salt)


def _made_map(task: Task, output: Tensor, target: Target) -> Tensor:
    """Return the predicted map, 0 where the truth is unknown."""
    given = output.float()
    if task.decoder is DecoderForm.COLORIZATION:
        bins = torch.from_numpy(colour_bins().copy()).to(given.device)
        return torch.einsum("bchw,ck->bkhw", (_SHARPER * given).softmax(1), bins) / _REACH
    return given if target.weight is None else given * target.weight


def _true_map(task: Task, target: Target) -> Tensor:
    """Return the true map in the same form."""
    if task.decoder is DecoderForm.COLORIZATION and target.shares is not None:
        bins = torch.from_numpy(colour_bins().copy()).to(target.values.device)[target.values]
        return (bins.movedim(-1, 1) * target.shares[:, None]).sum(2) / _REACH
    return target.values if target.weight is None else target.values * target.weight


def _fitted(maps: Tensor, shown: Tensor) -> Tensor:
    """Resize maps to the size of the network's input."""
    return maps if maps.shape[-2:] == shown.shape[-2:] else functional.interpolate(maps, shown.shape[-2:])
