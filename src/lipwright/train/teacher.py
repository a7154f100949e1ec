"""A teacher of Wav2Lip's kind from talking faces: expert, then generator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from lipwright.core.checkpoint import load_tensors, save_tensors
from lipwright.core.config import to_dict
from lipwright.core.errors import CheckpointError
from lipwright.core.files import write_json
from lipwright.render.teacher.data import TalkingFace
from lipwright.render.teacher.networks import SyncExpert, Wav2Lip
from lipwright.render.teacher.task import MODE, ExpertTask, GeneratorTask, TeacherConfig
from lipwright.train.loop import Budget, TrainingRecord
from lipwright.train.run import Run


@dataclass(frozen=True)
class FittedTeacher:
    """Both networks with their records."""

    generator: Wav2Lip
    expert: SyncExpert
    config: TeacherConfig
    records: dict[str, TrainingRecord]

    def save(self, path: Path, trained_on: str) -> None:
        """The generator as safetensors, `.expert.safetensors` and `.json` (what was measured held out) beside it."""
        about = {"divide": self.config.divide, "mode": MODE, "trained_on": trained_on}
        save_tensors(path, self.generator.state_dict(), {"model": "wav2lip", **about})
        beside = path.with_suffix(".expert.safetensors")
        save_tensors(beside, self.expert.state_dict(), {"model": "wav2lip-expert", **about})
        records = {name: asdict(record) for name, record in self.records.items()}
        write_json(path.with_suffix(".json"), {"config": to_dict(self.config), **about, "training": records})


def fit_teacher(
    clips: Sequence[TalkingFace], held_out: Sequence[TalkingFace], config: TeacherConfig, budget: Budget, run: Run
) -> FittedTeacher:
    """Train within a budget: of time for both together, or of steps for each.

    Args:
        clips: to learn from.
        held_out: other people with other voices, by whom the best weights are chosen and scored.
    """
    seconds = None if budget.seconds is None else budget.seconds * config.expert_share
    task = ExpertTask(clips, held_out, config, run.seed, run.device)
    done, records = run.work / "expert.safetensors", {}
    if run.resume and done.is_file():  # an interrupted generator does not train its expert again
        tensors, about = load_tensors(done)
        if about.get("config") != to_dict(config):
            raise CheckpointError(f"{done} was trained with other settings; leave --resume out")
        task.network.load_state_dict(tensors)
        records["expert"] = TrainingRecord(**about["record"])
    else:
        records["expert"] = run.loop(task, Budget(seconds, budget.steps), "expert")
        save_tensors(done, task.network.state_dict(), {"config": to_dict(config), "record": asdict(records["expert"])})
    expert = task.expert()
    drawing = GeneratorTask(clips, held_out, expert, config, run.seed, run.device)
    left = None if budget.seconds is None else max(budget.seconds - records["expert"].seconds, 1.0)
    records["generator"] = run.loop(drawing, Budget(left, budget.steps), "generator")
    return FittedTeacher(drawing.generator(), expert, config, records)
