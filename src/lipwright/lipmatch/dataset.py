"""The rendered clips of a training run, made once and kept in a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lipwright.core.progress import Progress, Silent, track
from lipwright.face.ict import IctModel
from lipwright.lipmatch.clips import TalkingMouth, rendered
from lipwright.lipmatch.voices import HELD_OUT, TRAINING, Voice

_FIRST_IDENTITY, _FIRST_HELD_OUT = 1000, 9000


@dataclass(frozen=True)
class Wanted:
    """What to render."""

    identities: int = 40
    """For training."""
    held_out: int = 9
    """Other identities with other voices, for the card."""
    seconds: float = 8.0
    """Of each."""

    def clips(self) -> list[tuple[str, int, Voice]]:
        """(file name, identity seed, voice) of every clip, held-out ones first."""
        tests = [(f"test-{i:03d}", _FIRST_HELD_OUT + i, HELD_OUT[i % len(HELD_OUT)]) for i in range(self.held_out)]
        rest = [(f"train-{i:03d}", _FIRST_IDENTITY + i, TRAINING[i % len(TRAINING)]) for i in range(self.identities)]
        return tests + rest


def render_all(model: IctModel, folder: Path, wanted: Wanted, progress: Progress | None = None) -> None:
    """Render what the folder lacks."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [clip for clip in wanted.clips() if not (folder / f"{clip[0]}.npz").is_file()]
    for name, seed, voice in track(missing, progress or Silent(), "rendering mouths", len(missing)):
        rendered(model, seed, voice, wanted.seconds).save(folder / f"{name}.npz")


def load_all(folder: Path, wanted: Wanted) -> tuple[list[TalkingMouth], list[TalkingMouth]]:
    """(training, held-out) clips."""
    found: dict[str, list[TalkingMouth]] = {"train": [], "test": []}
    for name, _, _ in wanted.clips():
        found[name.partition("-")[0]].append(TalkingMouth.load(folder / f"{name}.npz"))
    return found["train"], found["test"]
