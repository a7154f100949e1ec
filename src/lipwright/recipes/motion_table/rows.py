"""The rows of the table: which motion models stand in it, and what the papers print for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from lipwright.core.config import with_changes
from lipwright.core.errors import ConfigError
from lipwright.motion.config import MotionConfig
from lipwright.motion.networks import NETWORKS
from lipwright.motion.zoo import MOTIONS


@dataclass(frozen=True)
class Printed:
    """Paper B, Table 1: mean and deviation as printed; mouth and jaw in 1e-6 (SPEC 8, row 1)."""

    mouth: float
    jaw: float | None
    train_min: float
    infer_s: float


@dataclass(frozen=True)
class Row:
    """One motion model."""

    name: str
    """As the table prints it."""
    motion: str
    """Its name in `motion.zoo.MOTIONS`."""
    printed: Printed | None = None

    @property
    def file(self) -> str:
        """The name as part of a path."""
        return self.name.lower().replace(",", "").replace(" ", "-")


ROWS = (
    Row("Ours", "pose-adaptive", Printed(3.628, 2.723, 82.57, 0.043)),
    Row("G1 pose", "g1-pose", Printed(3.882, 2.778, 73.54, 0.045)),
    Row("G2 pose", "g2-pose", Printed(4.004, 2.939, 64.92, 0.044)),
    Row("No pose", "no-pose", Printed(4.095, 2.955, 58.86, 0.043)),
    Row("No cheek", "no-cheek", Printed(69.71, 116.5, 21.12, 0.043)),
    Row("LSTM", "lstm", Printed(12.94, None, 131.6, 7.043)),
    Row("BiLSTM", "bilstm", Printed(12.93, None, 169.3, 12.44)),
    Row("Basic TCN", "basic-tcn"),
    Row("News anchor", "news-anchor"),
    Row("News anchor, plain negatives", "news-anchor, plain negatives"),
)
"""Paper B's columns, then the poster's: the RNNs stand for its two, `Basic TCN` is A without its discriminator."""


@dataclass(frozen=True)
class Training:
    """How every row is trained: alike, so that times compare."""

    epochs: int = 100
    """At most."""
    patience: int = 12
    """Epochs without a better held-out mouth after which a row stops: one for all (the paper's "train time" grows with
    the inputs, which a fixed number of epochs could not show)."""
    width: float = 1.0
    """Share of the published widths; the LSTM's 25 units stay."""
    changes: Mapping[str, str] = field(default_factory=dict)
    """Fields of MotionConfig that differ in every row, as text."""
    learn_s: float | None = None
    """Seconds of training footage used; None: all."""
    device: str = "cpu"

    def config(self, row: Row) -> MotionConfig:
        """The row's configuration; ConfigError for unknown fields."""
        config = MOTIONS.get(row.motion)
        if config.network != "lstm":
            config = replace(config, width=max(2 * round(config.width * self.width / 2), 2))
        return with_changes(config, self.changes)


def chosen(names: Iterable[str]) -> tuple[Row, ...]:
    """Rows by name, in the order given; ConfigError lists what there is."""
    known = {row.name.lower(): row for row in ROWS}
    wanted = list(names)
    missing = [name for name in wanted if name.lower() not in known]
    if missing:
        raise ConfigError(f"unknown row '{missing[0]}'; available: {'; '.join(row.name for row in ROWS)}")
    return tuple(known[name.lower()] for name in wanted)


def mouth_only(row: Row) -> bool:
    """Whether a row predicts no jaw of its own."""
    return NETWORKS.get(MOTIONS.get(row.motion).network).mouth_only
