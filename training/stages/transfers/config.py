"""Settings of stage 2."""

from __future__ import annotations

from dataclasses import dataclass, field

from taskbank.bank.index import SeededEncoder
from taskbank.bank.seeded import describe_untrained
from taskbank.nets.architecture import Architecture, Compact
from taskbank.options import Precision
from taskbank.tasks.table import ALL_TASKS
from training.errors import ConfigError

UNTRAINED = "random"
"""The source whose encoder is never trained."""

SOURCES = tuple(task.name for task in ALL_TASKS)
_POSITIVE = (
    "steps", "batch", "learning_rate", "size", "images", "at_once", "ridge_samples", "average_samples",
)  # fmt: skip
TARGETS = tuple(task.name for task in ALL_TASKS if not task.source_only)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransfersConfig:
    """Settings of the choice and the training of transfers.

    The recipe is that of the original (https://github.com/StanfordVL/taskonomy): Adam, the rate divided by
    ten on the way, weight decay on weights only, less of it where there are more sources. Rate and drop are
    others: on a toy (reshading out of a representation that holds it coarsely, compact decoder, 300 steps of
    16) the original's 1e-4, dropped after a third, left a held-out loss of 0.41, dropped after two thirds
    0.36; 1e-3 left 0.28 and 0.25.

    Attributes:
        sources: tasks whose representations are read.
        targets: tasks that are read out.
        orders: numbers of sources; 1 is always among them, for it ranks the sources.
        top: of orders 2, 3 and 4: all sets of that order over so many of the best sources.
        random_pairs: pairs of one of the best sources and one of the others that order 2 has besides.
        longest: orders 5 to this one have one transfer each, of the best sources; 4 for none.
        architecture: of the encoders and decoders.
        size: side in px that pictures and maps are brought to; None for that of the store.
        images: frames that transfers may learn from, in whole fixated points; None for all of the store.
        held_out: share of the rooms that no transfer learns from: sources are ranked there.
        steps: of every transfer, and of training from scratch.
        batch: samples a step.
        learning_rate: of Adam at the start. The original's 1e-4 is for decoders with a hundred times the
            weights, and 15,000 steps of 32.
        drop_at: share of the steps after which the rate is a tenth.
        weight_decay: of order 1 and of training from scratch.
        weight_decay_higher: of higher orders.
        ridge_samples: that a ridge read-out learns from, and half as many that it is compared on.
        average_samples: that the average estimator is taken over.
        precision: of activations while networks from scratch learn, and transfers that are trained one by
            one, as maps are on a CPU: FP32 or BF16. Weights and losses are kept in FP32.
        at_once: transfers in one pass; None for what the device likes.
        seed: of weights, batches, held-out rooms and random pairs.
    """

    sources: tuple[str, ...] = SOURCES
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
            ConfigError: naming the field, what it is and what it may be.
        """
        self._check_tasks()
        if 1 not in self.orders or not set(self.orders) <= {1, 2, 3, 4}:
            raise ConfigError(
                f"orders {self.orders} must be 1 and any of 2, 3 and 4; longer transfers are asked for with "
                "`longest`"
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
            raise ConfigError("precision fp16 needs scaled losses to be trained in: choose bf16 or fp32")
        for name in _POSITIVE:
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ConfigError(f"{name} {value} must be positive")
        for name in ("weight_decay", "weight_decay_higher", "random_pairs", "seed"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} {getattr(self, name)} must not be negative")

    def _check_tasks(self) -> None:
        """Refuse unknown names, names twice, and targets that have no transfers."""
        for name, given, allowed in (("sources", self.sources, SOURCES), ("targets", self.targets, TARGETS)):
            strange = [task for task in given if task not in allowed]
            if strange or not given or len(set(given)) != len(given):
                raise ConfigError(
                    f"{name} {', '.join(given) or '(none)'} must be different names out of "
                    f"{', '.join(allowed)}"
                )

    @property
    def set_orders(self) -> tuple[int, ...]:
        """Orders above 1, rising."""
        return (*sorted(set(self.orders) - {1}), *range(5, self.longest + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class CodesSettings:
    """Settings that representations depend on; others may change without computing representations again.

    Attributes:
        sources: whose they are.
        noisy: whether there are those of noisy pictures too.
        architecture: of the encoders.
        size: side in px of the pictures; None for that of the store.
        seed: of the noise, and of the encoder that is never trained.
        untrained: that encoder's sums: another way to begin makes another one out of the same seed.
    """

    sources: tuple[str, ...]
    noisy: bool
    architecture: Architecture
    size: int | None
    seed: int
    untrained: SeededEncoder

    @classmethod
    def of(cls, config: TransfersConfig) -> CodesSettings:
        """The settings of a stage's representations."""
        return cls(
            sources=config.sources,
            noisy="denoising" in config.targets,
            architecture=config.architecture,
            size=config.size,
            seed=config.seed,
            untrained=describe_untrained(config.architecture, config.seed),
        )
