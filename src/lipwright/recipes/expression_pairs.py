"""What speech-to-expression of one persona learns from: own speech, and a teacher's pseudo pairs of other voices."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lipwright.core import weights
from lipwright.core.clock import FPS
from lipwright.core.config import with_changes
from lipwright.core.contracts import MotionModel
from lipwright.core.errors import ConfigError, SubjectError
from lipwright.face.morphable.fit import Fit
from lipwright.motion.expression_pairs import PSEUDO, ExpressionPairs, joined, own_pairs
from lipwright.recipes.teacher.portrait import portrait
from lipwright.recipes.teacher.pseudo import pseudo_pairs
from lipwright.recipes.teacher.speech import SpeechFolder, SpeechSource, default_speech
from lipwright.recipes.teacher.teachers import NAMES, make_teacher
from lipwright.subject.store import Subject
from lipwright.train.loop import Budget
from lipwright.train.run import Run

AUTO, NONE = "auto", "none"
PSEUDO_SHARE = 0.2
"""Of a time budget, for pseudo pairs."""
_FRAMES_PER_S = 12.0
"""Pseudo frames that one core draws, tracks and fits in a second."""
_MOST_MINUTES = 60.0


@dataclass(frozen=True)
class PairsConfig:
    """Which pairs."""

    teacher: str = AUTO
    """Who shows the person saying what others say: 'memory', 'direct', 'wav2lip', a file of train-teacher, 'none' (own
    pairs alone) or 'auto' (Wav2Lip where its weights were brought, else the memory)."""
    pseudo_minutes: float = 0.0
    """Minutes of others' speech; 0: what a fifth of a time budget makes, and none where the budget is in steps."""
    speech: str = ""
    """Folder of speech for the teacher; empty: synthetic voices."""

    def __post_init__(self) -> None:
        known = (AUTO, NONE, *NAMES)
        if self.teacher not in known and not Path(self.teacher).is_file():
            raise ConfigError(f"unknown teacher '{self.teacher}'; available: {', '.join(known)}, or a file")
        if self.pseudo_minutes < 0:
            raise ConfigError(f"pseudo_minutes {self.pseudo_minutes:g} is negative; use 0 or more")

    def minutes(self, limit: Budget) -> float:
        """Of speech that a teacher is given within `limit`."""
        if self.teacher == NONE:
            return 0.0
        if self.pseudo_minutes or limit.seconds is None:
            return self.pseudo_minutes
        return min(PSEUDO_SHARE * limit.seconds * _FRAMES_PER_S / (60 * float(FPS)), _MOST_MINUTES)

    @property
    def named(self) -> str:
        """The teacher, chosen."""
        if self.teacher != AUTO:
            return self.teacher
        return "wav2lip" if weights.find("wav2lip") is not None else "memory"


def divided_settings(settings: Mapping[str, str]) -> tuple[PairsConfig, dict[str, str]]:
    """Settings of the pairs, and the others, which are the renderer's."""
    names = {f.name for f in dataclasses.fields(PairsConfig)}
    own = {name: text for name, text in settings.items() if name in names}
    return with_changes(PairsConfig(), own), {name: text for name, text in settings.items() if name not in names}


def gathered(
    subject: Subject,
    fit: Fit,
    motion: MotionModel,
    config: PairsConfig,
    feature: str,
    limit: Budget,
    run: Run,
    split: str | None = None,
) -> tuple[ExpressionPairs, dict[str, Any]]:
    """All pairs, and how many they are of which kind; `without` says why a teacher nobody named left none.

    Args:
        motion: speech to landmarks of the same person, which tells the memory what to show.
        feature: speech feature to compute.
        split: of own footage; None: all of it.
    """
    run.progress.start("speech features", None)
    pairs = own_pairs(subject, fit, (feature,), split=split)
    run.progress.finish()
    minutes = config.minutes(limit)
    facts: dict[str, Any] = {"own": len(pairs), "pseudo": 0, "teacher": NONE}
    if minutes > 0:
        folder = SpeechFolder(Path(config.speech)) if config.speech else None
        speech: SpeechSource = folder or default_speech(subject.samples, run.seed)
        try:
            shown = portrait(subject, run.work / "portrait", run.progress)
            teacher = make_teacher(config.named, shown, fit, motion, run.progress)
            made = pseudo_pairs(subject, fit, speech, teacher, run, minutes, shown, (feature,))
        except SubjectError as error:
            if config.teacher != AUTO:
                raise
            return pairs, facts | {"without": str(error)}  # nobody asked for it by name: own pairs serve as well
        facts |= {"pseudo": int((made.weight[made.source == PSEUDO] > 0).sum()), "teacher": config.named}
        pairs = joined([pairs, made])
    return pairs, facts
