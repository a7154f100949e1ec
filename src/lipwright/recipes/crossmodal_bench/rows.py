"""The rows: what each changes, in which table of the paper it stands, and how all are trained alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lipwright.recipes.crossmodal import plan_of
from lipwright.recipes.row import SystemTable, file_name
from lipwright.train.crossmodal import Plan

OURS = "ours"
"""The row that is the preset itself: rows of several tables share what it trained."""


@dataclass(frozen=True)
class Row:
    """One line of a table."""

    name: str
    group: str
    """The table it stands in."""
    changes: Mapping[str, str] = field(default_factory=dict)
    """Fields of CrossModalConfig that differ from the preset, as text."""
    kind: str = "renderer"
    """Key of `ablate.BUILDERS`."""

    @property
    def file(self) -> str:
        """The name as part of a path."""
        return file_name(self.name)


RANDOM = "speech wav2vec2, random weights"
"""A control: what an untrained network of that size gives. Never evidence for or against wav2vec 2.0."""

ROWS: tuple[Row, ...] = (
    Row(OURS, "ours"),
    Row("augmentation none", "augmentation", {"augmentation": "none"}),
    Row("augmentation classical", "augmentation", {"augmentation": "classical"}),
    Row("oracle chain", "oracle", {"oracle": "chain"}, kind="oracle"),
    Row("oracle single", "oracle", {"oracle": "single"}, kind="oracle"),
    Row("artefacts by pose distance", "artefacts", kind="artefacts"),
    Row("without prototypes", "start", {"prototypes": "0"}),
    Row("without heard bases", "start", {"heard_bases": "0"}),
    Row("without any base", "start", {"mean_base": "false"}),
    Row("one decoder", "decoders", {"decoders": "1"}),
    Row("limits", "limits", kind="limits"),
    Row("we strip", "strip", kind="strip"),
    Row("speech visemes, no lips", "speech", {"lips": "0"}),
    Row("speech logfbank", "speech", {"speech": "logfbank", "lips": "0"}),
    Row("speech articulation", "speech", {"speech": "articulation", "lips": "0"}),
    Row("synthetic 0", "synthetic share", {"synthetic": "0"}),
    Row("synthetic 0.5", "synthetic share", {"synthetic": "0.5"}),
    Row("synthetic 0.95", "synthetic share", {"synthetic": "0.95"}),
    Row("window 2", "window", {"window": "2"}),
    Row("window 12", "window", {"window": "12"}),
    Row("backbone mobilenetv2", "backbone", {"backbone": "mobilenetv2"}),
    Row("backbone hard-swish", "backbone", {"backbone": "hard-swish"}),
    Row("backbone depthwise", "backbone", {"backbone": "depthwise"}),
    Row("comparison ours, sewn", "comparison", kind="compare"),
    Row("comparison ours, full-face", "comparison", kind="compare full-face"),
    Row("comparison landmarks and Pix2Pix", "comparison", kind="compare landmarks"),
    Row("comparison Wav2Lip", "comparison", kind="compare wav2lip"),
    Row("renderer of the chain as oracle", "taught by", {"oracle": "chain"}),
    Row("renderer of a single oracle", "taught by", {"oracle": "single"}),
    Row("renderer of the memory as oracle", "taught by", {"oracle": "memory"}),
    Row("speech wav2vec2", "speech", {"speech": "wav2vec2", "lips": "0"}),
    Row(RANDOM, "speech", {"speech": "wav2vec2", "lips": "0"}, kind="random wav2vec2"),
)
"""In the order in which they are run: what decides something first."""


@dataclass(frozen=True)
class Table(SystemTable[Row]):
    """See `SystemTable`."""

    rows: tuple[Row, ...] = ROWS

    def plan(self, row: Row) -> Plan:
        """The preset with the table's changes and then the row's.

        ConfigError for what is no setting, CheckpointError where a speech feature lacks its weights.
        """
        return plan_of(self.preset, "sewn", dict(self.changes) | dict(row.changes))
