"""One network in training: weights, their moving average, the optimiser, and its state as tensors."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import deepcopy

import torch
from torch import Tensor, nn

from taskbank.learning.forward import channels_last, run, through
from taskbank.learning.losses import losses
from taskbank.learning.output_units import OutputUnits
from taskbank.learning.target import Target
from taskbank.nets.architecture import Backbone
from taskbank.nets.backbone import BackboneEncoder
from taskbank.nets.build import TaskNetwork, build_network
from taskbank.nets.initialise import initialise
from taskbank.tasks.registry import DecoderForm, Task
from training.data.pretrained import begin_from_pretrained
from training.runs.checkpoint import optimizer_tensors, restore_optimizer
from training.stages.networks.adversary import Adversary, Discriminator, is_judged
from training.stages.networks.config import TaskNetworksConfig
from training.stages.networks.flat import FlatNetwork

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
_COUNTER = "num_batches_tracked"
_SHARED = "encoder.shared."


class Learner:
    """A task's network in training.

    Args:
        task: any task but `random`.
        config: settings of the stage.
        device: device for training.
        weights: weights of semantic classes; None for the original's.
        units: units of the network's outputs.

    Attributes:
        network: network that the optimiser updates.
        average: its exponential moving average, which is saved.
        shared: frozen first levels of both, see `taskbank.nets.backbone`; None for other architectures. They
            are run once for all networks, so `learn` takes their features.
        units: units of the network's outputs.
    """

    def __init__(
        self,
        task: Task,
        config: TaskNetworksConfig,
        device: torch.device,
        weights: Tensor | None = None,
        units: OutputUnits | None = None,
    ) -> None:
        self.task = task
        self.weights = None if weights is None else weights.to(device)
        self.units = units or OutputUnits()
        self._config = config
        self._device = device
        whole = new_network(task, config).to(device)
        self.shared: nn.Module | None = None
        if isinstance(whole.encoder, BackboneEncoder):
            self.shared = whole.encoder.detach_shared()
        self.network = self._learned_part(whole)
        self.average = deepcopy(self.network).eval().requires_grad_(False)
        self._flat, self._flat_average = FlatNetwork(self.network), FlatNetwork(self.average)
        groups = [
            {"params": [self._flat.wide], "weight_decay": config.weight_decay},
            {"params": [self._flat.narrow], "weight_decay": 0.0},
        ]
        self._optimizer = torch.optim.AdamW(
            groups, lr=config.learning_rate, fused=device.type in {"cpu", "cuda"}
        )
        self._adversary = self._opponent()

    def _learned_part(self, whole: TaskNetwork) -> TaskNetwork:
        """Return the trained part of a network: all except the shared levels."""
        return whole

    def _opponent(self) -> Adversary | None:
        """Create the discriminator if the settings need one."""
        if self._config.adversarial == 0 or not is_judged(self.task):
            return None
        channels = 2 if self.task.decoder is DecoderForm.COLORIZATION else self.task.channels
        discriminator = Discriminator(channels)
        initialise(discriminator, key_of(self._config.seed, f"{self.task.name}/discriminator"))
        return Adversary(
            self.task, discriminator.to(self._device), self._config.weight_decay, self._config.seed
        )

    def learn(self, shown: Tensor, target: Target, step: int) -> Tensor:
        """Take one step; return the mean loss before it, on the device."""
        self.network.train()
        with self._dropout(step):
            output = self.forward(self.network, shown)
        loss = losses(self.task, output, target).mean()
        share = self._config.adversarial
        if self._adversary is None or step < self._config.adversarial_from:
            self.descend(loss, step)
            return loss.detach()
        share *= self._adversary.factor
        self.descend((1 - share) * loss + share * self._adversary.doubt(shown, output, target, step), step)
        self._adversary.learn(shown, output, target, step)
        return loss.detach()

    def descend(self, loss: Tensor, step: int) -> None:
        """Take an optimiser step on a loss, and update the average."""
        self._flat.forget_gradients()
        torch.autograd.backward(loss)
        self._flat.gather_gradients()
        nn.utils.clip_grad_norm_(self._flat.weights, self._config.clip)
        for group in self._optimizer.param_groups:
            group["lr"] = self._config.learning_rate_at(step)
        self._optimizer.step()
        stays = min(self._config.ema, (1 + step) / (10 + step))
        self._flat_average.follow(self._flat, 1 - stays)

    def forward(self, network: nn.Module, shown: Tensor) -> Tensor:
        """Compute a network's output in the configured precision, in the target's units."""
        return self.units.of_target(run(network, channels_last(shown), self._config.precision))

    @torch.no_grad()
    def compare(self, shown: Tensor, target: Target) -> Tensor:
        """Compute losses (B,) of the averaged weights."""
        return losses(self.task, self.show(shown), target)

    @torch.no_grad()
    def show(self, shown: Tensor) -> Tensor:
        """Predict with the averaged weights."""
        given = shown if self.shared is None else through(self.shared, shown)
        return self.forward(self.average, given)

    @torch.no_grad()
    def encode(self, shown: Tensor) -> Tensor:
        """Compute representations (B, [P,] 8, h, w) of images with the averaged weights."""
        given = shown if self.shared is None else through(self.shared, shown)
        return run(self.average.encode, channels_last(given), self._config.precision)

    def take_in(self, shown: Tensor) -> None:
        """Run the averaged network on images to measure its norm statistics."""
        self.show(shown)

    @contextmanager
    def recalibration(self) -> Iterator[Callable[[Tensor], None]]:
        """Measure the averaged network's norm statistics, which averages of earlier ones do not fit exactly.

        Yields:
            what takes in one batch that the network is shown; all batches count alike.
        """
        norms = [module for module in self.average.modules() if isinstance(module, _NORMS)]
        momenta = [norm.momentum for norm in norms]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None
            norm.train()

        yield self.take_in
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        self.average.eval()

    def _networks(self) -> dict[str, nn.Module]:
        """Return the networks whose state belongs to a checkpoint, by name."""
        networks: dict[str, nn.Module] = {"network": self.network, "average": self.average}
        # Frozen levels, too: those of a network that another one continues cannot be made from the seed.
        if self.shared is not None:
            networks["shared"] = self.shared
        if self._adversary is not None:
            networks["discriminator"] = self._adversary.discriminator
        return networks

    def state(self) -> dict[str, Tensor]:
        """Return the state for resuming training."""
        own = self.task.name
        state = {
            f"{own}/{name}/{key}": value
            for name, network in self._networks().items()
            for key, value in network.state_dict().items()
        }
        return {**state, **optimizer_tensors(self._optimizer, f"{own}/optimizer/")}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Resume from the value of `state`."""
        own = self.task.name
        for name, network in self._networks().items():
            prefix = f"{own}/{name}/"
            network.load_state_dict(
                {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
            )
        restore_optimizer(self._optimizer, tensors, f"{own}/optimizer/")

    def begin_from(self, weights: Mapping[str, Tensor]) -> None:
        """Initialise from weights of `weights_to_keep`, of this or another run."""
        state = dict(weights)
        self.units.unfold(state)
        self._take_shared(state)
        for network in (self.network, self.average):
            counters = {key: value for key, value in network.state_dict().items() if key.endswith(_COUNTER)}
            network.load_state_dict({**state, **counters})

    def begin_with_encoder(self, weights: Mapping[str, Tensor]) -> None:
        """Initialise the encoder from another task's weights of `weights_to_keep`."""
        state = {name: value for name, value in weights.items() if name.startswith("encoder.")}
        self._take_shared(state)
        for network in (self.network, self.average):
            network.load_state_dict({**network.state_dict(), **state})

    def _take_shared(self, state: dict[str, Tensor]) -> None:
        """Move the shared levels from a state to `shared`."""
        if self.shared is None:
            return
        taken = {name: state.pop(name) for name in list(state) if name.startswith(_SHARED)}
        given = {name.removeprefix(_SHARED): value for name, value in taken.items()}
        self.shared.load_state_dict({**self.shared.state_dict(), **given})

    def _dropout(self, step: int) -> AbstractContextManager[None]:
        """Seed dropout by the step; networks of maps have no dropout."""
        if self.task.decoder in {DecoderForm.PIXEL, DecoderForm.COLORIZATION}:
            return nullcontext()
        return _drawn_from(key_of(self._config.seed, f"{self.task.name}/{step}"), self._device)

    def weights_to_keep(self) -> dict[str, Tensor]:
        """Return the averaged weights, float32 on the CPU, without counters."""
        kept = {
            key: value.float().cpu().contiguous()
            for key, value in self.average.state_dict().items()
            if not key.endswith(_COUNTER)
        }
        self.units.fold(kept)
        if self.shared is not None:
            kept |= {
                f"{_SHARED}{key}": value.float().cpu().contiguous()
                for key, value in self.shared.state_dict().items()
                if not key.endswith(_COUNTER)
            }
        return kept


def new_network(task: Task, config: TaskNetworksConfig) -> TaskNetwork:
    """Create a network with initial weights that depend on seed and task only.

    Raises:
        DataError: the configured pretrained weights are not available.
    """
    with torch.random.fork_rng(devices=[]):  # the layers' own random initialisation is not used
        network = build_network(task, config.architecture)
    initialise(network, key_of(config.seed, task.name))
    if isinstance(network.encoder, BackboneEncoder):
        initialise(network.encoder.shared, key_of(config.seed, "shared"))  # equal for all tasks
    if config.pretrained is not None and isinstance(config.architecture, Backbone):
        begin_from_pretrained(network, config.architecture, config.pretrained)
    return network


@contextmanager
def _drawn_from(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's generators within the block, and restore them afterwards."""
    with torch.random.fork_rng([device] if device.type == "cuda" else [], device_type="cuda"):
        torch.manual_seed(seed)
        yield


def key_of(seed: int, name: str) -> int:
    """Derive a 32-bit seed from a seed and a name, as torch's CPU generator uses 32 bits only."""
    return zlib.crc32(f"{seed}/{name}".encode())
