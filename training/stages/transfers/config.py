"""Settings of stage 2."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from taskbank.bank.entries import ForeignEntry
from taskbank.bank.hub import HUB_PREFIX
from taskbank.bank.index import FOREIGN, SeededEncoder
from taskbank.bank.seeded import describe_untrained
from taskbank.nets.architecture import Architecture, Compact
from taskbank.options import Precision
from taskbank.tasks.table import ALL_TASKS
from training.errors import ConfigError
from training.runs.settings import IF_SET

UNTRAINED = "random"
"""Name of the source whose encoder is untrained."""

SOURCES = tuple(task.name for task in ALL_TASKS)
_POSITIVE = (
    "steps", "batch", "learning_rate", "size", "images", "at_once", "ridge_samples", "average_samples",
)  # fmt: skip
TARGETS = tuple(task.name for task in ALL_TASKS if not task.source_only)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransfersConfig:
    """Settings for choosing and training transfers.

    Training follows the original (https://github.com/StanfordVL/taskonomy): Adam, a learning rate that drops
    to a tenth, weight decay on weights only, and less of it for more sources. Learning rate and drop differ:
    in a small experiment (reshading from a representation that holds it coarsely, compact decoder, 300 steps
    of 16) the original's 1e-4 gave a held-out loss of 0.41 with the drop after a third of the steps and 0.36
    after two thirds; 1e-3 gave 0.28 and 0.25.

    Attributes:
        sources: source tasks.
        foreign: third-party encoders that are further sources, by the names of `taskbank encode`
            (`timm:MODEL@LAYER`, `hf:OWNER/NAME`).
        targets: target tasks.
        orders: numbers of sources, always including 1, which ranks the sources.
        top: for orders 2, 3 and 4: number of best sources over which all sets are trained.
        random_pairs: number of additional random sets of order 2, each of one of the best sources and another
            source.
        longest: largest order. Each order from 5 to it has one transfer, from the best sources; 4 for none.
        architecture: architecture of the encoders and decoders.
        size: side in px of pictures and maps; None for that of the store.
        images: largest number of training frames, in whole fixated points; None for all of the store.
        held_out: share of the rooms that is held out for ranking sources.
        steps: number of steps of every transfer, and of training from scratch.
        batch: samples per step.
        learning_rate: initial learning rate of Adam. The original's 1e-4 is for decoders with a hundred times
            the weights, and 15,000 steps of 32.
        drop_at: share of the steps after which the learning rate is a tenth.
        weight_decay: weight decay of order 1 and of training from scratch.
        weight_decay_higher: weight decay of higher orders.
        ridge_samples: number of samples to fit a ridge read-out; it is tested on half as many.
        average_samples: number of samples for computing the best constant (the average estimator).
        precision: precision of activations for training networks from scratch, and transfers that are trained
            one by one, as maps are on a CPU: FP32 or BF16. Weights and losses are kept in FP32.
        at_once: number of transfers in one pass; None for a default of the device.
        seed: seed of weights, batches, held-out rooms and random pairs.
    """

    sources: tuple[str, ...] = SOURCES
    foreign: tuple[str, ...] = field(default=(), metadata=IF_SET)
    targets: tuple[str, ...] = TARGETS
    orders: tuple[int, ...] = (1, 2, 3, 4)
    top: tuple[int, int, int] = (5, 5, 6)
    random_pairs: int = 0
    longest: int = 4
    architecture: Architecture = field(default_factory=Compact)
    size: int | None = None
    images: int | None = None
    held_out: float = 0.15
    steps: int = 6000
    batch: int = 32
    learning_rate: float = 1e-3
    drop_at: float = 2 / 3
    weight_decay: float = 1e-5
    weight_decay_higher: float = 1e-6
    ridge_samples: int = 1024
    average_samples: int = 1024
    precision: Precision = Precision.FP32
    at_once: int | None = field(default=None, compare=False)
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            ConfigError: a value is not allowed; the message names the field, its value and the allowed range.
        """
        self._check_tasks()
        if 1 not in self.orders or not set(self.orders) <= {1, 2, 3, 4}:
            raise ConfigError(
                f"orders {self.orders} must be 1 and any of 2, 3 and 4; `longest` sets larger orders"
            )
        if self.size is not None and self.size % 16:
            raise ConfigError(f"size {self.size} must be a multiple of 16")
        if not 4 <= self.longest < len(SOURCES):
            raise ConfigError(f"longest {self.longest} must be 4 (none) to {len(SOURCES) - 1}")
        if not (0 < self.held_out < 1 and 0 <= self.drop_at <= 1):
            raise ConfigError(
                f"held_out {self.held_out} must lie between 0 and 1, drop_at {self.drop_at} from 0 to 1"
            )
        if self.precision is Precision.FP16:
            raise ConfigError("precision fp16 needs loss scaling, which training lacks: choose bf16 or fp32")
        for name in _POSITIVE:
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ConfigError(f"{name} {value} must be positive")
        for name in ("weight_decay", "weight_decay_higher", "random_pairs", "seed"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} {getattr(self, name)} must not be negative")

    def _check_tasks(self) -> None:
        """Raise for unknown names, repeated names, and targets that have no transfers."""
        for name, given, allowed in (("sources", self.sources, SOURCES), ("targets", self.targets, TARGETS)):
            strange = [task for task in given if task not in allowed]
            if strange or not given or len(set(given)) != len(given):
                raise ConfigError(
                    f"{name} {', '.join(given) or '(none)'} must be different names out of "
                    f"{', '.join(allowed)}"
                )
        for name in self.foreign:
            if not name.startswith(FOREIGN) or name.startswith(HUB_PREFIX):
                raise ConfigError(
                    f"foreign {name!r} must be timm:MODEL[@LAYER][?weights=FILE|random&size=PX] or "
                    "hf:OWNER/NAME[@LAYER][?revision=..&size=PX]; list tasks in `sources`"
                )

    @property
    def set_orders(self) -> tuple[int, ...]:
        """Orders above 1, rising."""
        return (*sorted(set(self.orders) - {1}), *range(5, self.longest + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class CodesSettings:
    """Settings on which representations depend; other settings do not require computing them again.

    Attributes:
        sources: source tasks.
        foreign: third-party encoders by the names of their sources, with the hashes of their weights.
        noisy: True if there are representations of noisy pictures, too.
        architecture: architecture of the encoders.
        size: side in px of the pictures; None for that of the store.
        seed: seed of the noise, and of the untrained encoder.
        untrained: sums of the untrained encoder's weights, which detect another initialisation from the same
            seed.
    """

    sources: tuple[str, ...]
    foreign: Mapping[str, ForeignEntry] | None = field(default=None, metadata=IF_SET)
    noisy: bool
    architecture: Architecture
    size: int | None
    seed: int
    untrained: SeededEncoder

    @classmethod
    def of(cls, config: TransfersConfig, foreign: Iterable[ForeignEntry] = ()) -> CodesSettings:
        """Return the settings of a stage's representations."""
        return cls(
            sources=config.sources,
            foreign={one.name: one for one in foreign} or None,
            noisy="denoising" in config.targets,
            architecture=config.architecture,
            size=config.size,
            seed=config.seed,
            untrained=describe_untrained(config.architecture, config.seed),
        )
