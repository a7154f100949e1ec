"""The rows of the comparison: whose system, taught by what, on how much footage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from lipwright.motion.expression_model import AUDIODVP as LINEAR
from lipwright.motion.expression_model import ExpressionConfig
from lipwright.recipes.neural_face import FacePlan, plan_of
from lipwright.recipes.row import SystemTable, file_name
from lipwright.render.neural_face.config import AUDIODVP

OURS, PAPER = "ours", "AudioDVP"
ALL = 0.0
"""Seconds of training footage: all there is."""
_WHOLE_FACE = 2.0
"""Side of AudioDVP's one square over the face's box: no high-definition crop."""
_LEAST_BATCH = 4
"""Normalisation by batch has nothing to go by below."""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    group: str
    """The table it stands in: 'systems', 'pairs', 'renderer' or 'footage'."""
    kind: str = "trained"
    """'trained', 'remembered' (drawn by the memory), 'memory' (spoken by `instant`'s motion as well), 'wav2lip' or
    'printed'."""
    system: str = OURS
    """Whose method: `OURS` or `PAPER`."""
    changes: Mapping[str, str] = field(default_factory=dict)
    """Settings of `lipwright train --set` that differ."""
    own_share: float | None = None
    """Share of own pairs in speech to expression's batches; None: the default."""
    seconds: float = ALL
    """Of footage to learn from."""

    @property
    def file(self) -> str:
        """The name as part of a path."""
        return file_name(self.name)


def _footage(seconds: float) -> tuple[Row, Row]:
    return (
        Row(f"{OURS}, {seconds:g} s", "footage", seconds=seconds),
        Row(f"{PAPER}, {seconds:g} s", "footage", system=PAPER, seconds=seconds),
    )


ROWS: tuple[Row, ...] = (
    Row(OURS, "systems"),
    Row(PAPER, "systems", system=PAPER),
    Row(f"{OURS}, remembered", "systems", "remembered"),
    Row("appearance memory", "systems", "memory"),
    Row("Wav2Lip", "systems", "wav2lip"),
    Row("ATVG", "systems", "printed"),
    Row("MakeItTalk", "systems", "printed"),
    Row("own pairs only", "pairs", changes={"teacher": "none"}),
    Row("pseudo pairs only", "pairs", own_share=0.0),
    Row("teacher without video", "pairs", changes={"teacher": "direct"}),
    Row("random start", "renderer", changes={"start": "none"}),
    Row("drawings alone", "renderer", changes={"labels": "false", "surround": "false", "start": "none"}),
    *_footage(15),
    *_footage(30),
    *_footage(60),
    *_footage(180),
    *_footage(600),
)
"""In the order in which they are run."""


@dataclass(frozen=True)
class Table(SystemTable[Row]):
    """See `SystemTable`."""

    rows: tuple[Row, ...] = ROWS

    def plan(self, row: Row) -> FacePlan:
        """All settings of a row; ConfigError for what is no setting.

        AudioDVP: own pairs, its linear network, its renderer and losses in one square of the whole face, 256 px. Widths
        and batch are those of the preset `draft`, published ones of the other presets.
        """
        plan = plan_of(self.preset, {**self.changes, **row.changes})
        if row.own_share is not None:
            plan = replace(plan, expression=replace(plan.expression, own_share=row.own_share))
        if row.system != PAPER:
            return plan
        own, paper = plan.renderer, replace(AUDIODVP, room=_WHOLE_FACE)
        if self.preset == "draft":
            paper = replace(paper, ngf=own.ngf, ndf=own.ndf, batch=max(own.batch, _LEAST_BATCH))
        if own.size < paper.size:
            paper = replace(paper, size=own.size, n_downs=own.n_downs)
        expression: ExpressionConfig = LINEAR
        return FacePlan(paper, replace(plan.pairs, teacher="none"), expression, closing=False)
