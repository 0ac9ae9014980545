"""Training of a representation on top of a frozen pretrained classifier.

`class_object` of the architecture `backbone` may be the model's own classifier on ImageNet. Then its levels
and its classifier are unchanged, so that it classifies photographs as the model does, and only the projection
to the representation is trained. It is trained with a small temporary head, on the classifier's probabilities
if the store holds these (Hinton et al., 2015, arXiv:1503.02531).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from taskbank.learning.forward import channels_last, run, through
from taskbank.nets.architecture import Backbone
from taskbank.nets.backbone import BackboneEncoder, Classifier
from taskbank.nets.build import TaskNetwork
from taskbank.nets.compact_head import CompactHead
from taskbank.nets.initialise import initialise
from taskbank.tasks.registry import Task
from training.stages.networks.config import TaskNetworksConfig
from training.stages.networks.learner import Learner, key_of

_PROJECTION = "encoder.compress."


def is_distilled(task: Task, config: TaskNetworksConfig) -> bool:
    """Return True if a task's network is a frozen pretrained classifier."""
    architecture = config.architecture
    return isinstance(architecture, Backbone) and architecture.classifier and task.name == "class_object"


class DistilledLearner(Learner):
    """Frozen classifier whose representation is trained, see `Learner`.

    Attributes:
        network: the projection and a small head.
        own: the encoder's own levels, frozen.
        classifier: the classifier on these levels, frozen.
    """

    own: nn.Module
    classifier: nn.Module

    def _learned_part(self, whole: TaskNetwork) -> TaskNetwork:
        """Return the projection with a small head."""
        encoder, architecture = whole.encoder, self._config.architecture
        if not isinstance(encoder, BackboneEncoder) or not isinstance(whole.decoder, Classifier):
            raise TypeError(f"{self.task.name} has no classifier of its own")
        if not isinstance(architecture, Backbone):
            raise TypeError(f"the architecture {architecture.name} has no classifier")
        self.own = encoder.own.eval().requires_grad_(False)
        self.classifier = whole.decoder.eval().requires_grad_(False)
        head = CompactHead(self.task.channels, widths=architecture.widths).to(self._device)
        initialise(head, key_of(self._config.seed, f"{self.task.name}/head"))
        return TaskNetwork(encoder.compress, head)

    def forward(self, network: nn.Module, shown: Tensor) -> Tensor:
        """Return the head's logits for features of the shared levels."""
        with torch.no_grad():
            features = run(self.own, channels_last(shown), self._config.precision)
        return run(network, features, self._config.precision).float()

    @torch.no_grad()
    def show(self, shown: Tensor) -> Tensor:
        """Return the classifier's logits for images."""
        features = self._features(shown)
        return run(self.classifier, features, self._config.precision).float()

    @torch.no_grad()
    def encode(self, shown: Tensor) -> Tensor:
        """Return representations (B, 8, h, w) of images by the averaged projection."""
        return run(self.average.encode, self._features(shown), self._config.precision)

    def take_in(self, shown: Tensor) -> None:
        """Run the averaged projection on images to measure its norm statistics."""
        self.encode(shown)

    def _features(self, shown: Tensor) -> Tensor:
        """Compute the features that the projection reads."""
        given = shown if self.shared is None else through(self.shared, shown)
        return run(self.own, channels_last(given), self._config.precision)

    def _networks(self) -> dict[str, nn.Module]:
        """Return the networks whose state belongs to a checkpoint, by name."""
        return {**super()._networks(), "own": self.own, "classifier": self.classifier}

    def begin_from(self, weights: Any) -> None:
        """Initialise all but the head, which is not kept, from weights of `weights_to_keep`."""
        state = dict(weights)
        self._take_shared(state)
        for prefix, part in (("encoder.own.", self.own), ("decoder.", self.classifier)):
            own = {
                name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)
            }
            part.load_state_dict({**part.state_dict(), **own})
        projection = {
            f"encoder.{name.removeprefix(_PROJECTION)}": value
            for name, value in state.items()
            if name.startswith(_PROJECTION)
        }
        for network in (self.network, self.average):
            network.load_state_dict({**network.state_dict(), **projection})

    def weights_to_keep(self) -> dict[str, Tensor]:
        """Return the whole network with the averaged projection, float32 on the CPU, without counters."""
        projection = self.average.encoder
        parts = {"encoder.own.": self.own, "decoder.": self.classifier, _PROJECTION: projection}
        if self.shared is not None:
            parts["encoder.shared."] = self.shared
        return {
            f"{prefix}{name}": value.float().cpu().contiguous()
            for prefix, part in parts.items()
            for name, value in part.state_dict().items()
            if not name.endswith("num_batches_tracked")
        }
