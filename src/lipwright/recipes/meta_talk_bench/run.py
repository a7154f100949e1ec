"""Runs rows one by one: each becomes figures of both protocols, or the reason why it was not run."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from lipwright.core import weights
from lipwright.core.checkpoint import load_tensors, save_tensors
from lipwright.core.config import config_key, to_dict
from lipwright.core.contracts import LANDMARKS, MotionModel
from lipwright.core.errors import CheckpointError, DependencyError, FootageError, SpeechError, SubjectError
from lipwright.evaluate.pairing import video_of
from lipwright.evaluate.protocols import Speak, run_cross, run_self
from lipwright.evaluate.source import Clip, Scan, scan
from lipwright.evaluate.speakers import PersonaSpeaker
from lipwright.face.morphable.fit import Fit
from lipwright.motion.expression_model import ExpressionMotion
from lipwright.motion.model import CascadeMotion
from lipwright.recipes.crossmodal_bench.comparison import kept_values, persona_of
from lipwright.recipes.expression_pairs import PSEUDO_SHARE
from lipwright.recipes.kept import Part, kept, kept_motion
from lipwright.recipes.meta_talk_bench.rows import ALL, Row, Table
from lipwright.recipes.meta_talk_bench.skin import skin_of
from lipwright.recipes.neural_face import (
    EXPRESSION_SHARE,
    FacePlan,
    face_data,
    fit_renderer,
    fitted,
    told_landmarks,
    train_speech,
)
from lipwright.recipes.parts import remember
from lipwright.recipes.row import Made
from lipwright.render.neural_face.renderer import NeuralFaceRenderer
from lipwright.subject.store import Subject
from lipwright.train.loop import Budget, TrainingRecord
from lipwright.train.run import Run

SELF = {
    "lse_d": "sync.lse_d",
    "lse_c": "sync.lse_c",
    "fid": "full.fid",
    "ssim": "full.ssim_gaussian",
    "lipmatch": "lipmatch.confidence",
    "frechet_pyramid": "mouth.frechet_pyramid",
    "mouth_psnr_db": "mouth.psnr",
    "mouth_ssim": "mouth.ssim_gaussian",
    "mouth_sharpness": "mouth.sharpness_ratio",
    "mouth_jitter": "mouth.jitter_ratio",
    "seam": "face.seam",
    "lmd_centred": "landmarks.lmd_centred",
    "lip_correlation": "lips.correlation",
    "lip_amplitude": "lips.amplitude",
    "silence_ratio": "speech.silence_ratio",
    "closure_rate": "speech.closure_rate",
    "fps": "speed.fps",
}
"""What is kept of protocol `self`; the first four are the paper's cells."""
CROSS = {
    "lse_d": "sync.lse_d",
    "lse_c": "sync.lse_c",
    "lipmatch": "lipmatch.confidence",
    "shape_centred_px": "shape.centred",
    "lip_correlation": "lips.correlation",
    "lip_amplitude": "lips.amplitude",
    "template_leak": "lips.template_leak",
    "silence_ratio": "speech.silence_ratio",
}
_ABSENT = (CheckpointError, DependencyError, FootageError, SpeechError, SubjectError)
_NO_FOOTAGE = "needs footage that no training has seen: --footage, --audio and --picture"
_NO_WAV2LIP = (
    "needs Wav2Lip's weights, which nobody may redistribute; bring them with: lipwright models add wav2lip FILE"
)
_PRINTED = "no code of it here; its printed cells are in the paper's own table"
_MOUTHS = 4500


@dataclass
class Workshop:
    """What rows of one subject share."""

    subject: Subject
    table: Table
    run: Run

    def __post_init__(self) -> None:
        self._motion: CascadeMotion | None = None
        self._real: Scan | None = None
        self._fit: Fit | None = None

    @property
    def motion(self) -> CascadeMotion:
        """Speech to landmarks: tells the teacher, and the memory, what to show."""
        if self._motion is None:
            self._motion = kept_motion(self.subject, "meta-talk", self.table.budget, self.run)
        return self._motion

    @property
    def fit(self) -> Fit:
        """The face, of all the footage: rows with less of it differ in what they learn."""
        if self._fit is None:
            self._fit = fitted(self.subject, self.run)
        return self._fit

    def speech(self, subject: Subject, plan: FacePlan) -> tuple[ExpressionMotion, dict[str, Any]]:
        """Speech to expression of these settings, trained once."""
        settings = {name: part for name, part in to_dict(plan).items() if name != "renderer"}

        def fit(run: Run) -> tuple[ExpressionMotion, TrainingRecord]:
            return train_speech(subject, self.fit, plan, self.motion, self.table.budget, run)

        def load(file: Path) -> ExpressionMotion:
            return ExpressionMotion.from_state(*load_tensors(file), str(file))

        return self._kept("speech", subject, settings, fit, load, lambda part, file: save_tensors(file, *part.state()))

    def renderer(self, subject: Subject, plan: FacePlan) -> tuple[NeuralFaceRenderer, dict[str, Any]]:
        """The renderer of these settings, trained once."""
        limit = self.table.budget
        left = Budget(limit.seconds * (1 - PSEUDO_SHARE - EXPRESSION_SHARE)) if limit.seconds else limit

        def fit(run: Run) -> tuple[NeuralFaceRenderer, TrainingRecord]:
            data = face_data(subject, self.fit, plan.renderer, run.progress)
            return fit_renderer(plan.renderer, data, left, run)

        def load(file: Path) -> NeuralFaceRenderer:
            return NeuralFaceRenderer.load(file, self.run.device)

        settings = to_dict(plan.renderer)
        return self._kept("renderer", subject, settings, fit, load, lambda part, file: part.save(file))

    def _kept(
        self,
        name: str,
        subject: Subject,
        settings: dict[str, Any],
        fit: Callable[[Run], tuple[Part, TrainingRecord]],
        load: Callable[[Path], Part],
        save: Callable[[Part, Path], None],
    ) -> tuple[Part, dict[str, Any]]:
        """See `recipes.kept`; what a part left on its way goes once it is whole."""
        learnt = {"splits": subject.info["splits"], "budget": to_dict(self.table.budget), "seed": self.table.seed}
        run = replace(self.run, work=self.run.work / f"{name}-{config_key({**settings, **learnt})}")
        made = kept(run.work.with_suffix(".safetensors"), lambda: fit(run), load, save)
        shutil.rmtree(run.work, ignore_errors=True)
        return made

    def measured(self, speak: Speak, row: Row) -> dict[str, Any]:
        """Both protocols on the reported footage; the videos stay beside the table."""
        reported = self.table.reported
        assert reported is not None
        own, other = (self.run.work / f"{row.file}-{protocol}.mp4" for protocol in ("self", "cross"))
        found = {
            "self": kept_values(run_self(speak, reported.footage, *reported.audio, own), SELF),
            "cross": kept_values(run_cross(speak, reported.footage, reported.audio, reported.picture, other), CROSS),
        }
        found["self"]["skin_detail"] = round(skin_of(own, self._scanned()), 4)
        found["self"]["real"]["skin_detail"] = 1.0
        return found

    def _scanned(self) -> Scan:
        if self._real is None:
            reported = self.table.reported
            assert reported is not None
            start, end = (Fraction(t).limit_denominator(90_000) for t in reported.audio)
            clip = Clip(reported.footage, start, end)
            info = video_of(clip)
            self._real = scan(clip, info.fps, (info.width, info.height))
        return self._real


def compared(subject: Subject, table: Table, run: Run, done: Iterable[str] = ()) -> Iterator[Made]:
    """The rows of a table that are not `done` yet, one by one, in the table's order."""
    shop, finished = Workshop(subject, table, run), set(done)
    for row in table.rows:
        if row.name in finished:
            continue
        try:
            yield _made(row, shop)
        except _ABSENT as error:
            yield Made(row, {}, reason=str(error))


def _made(row: Row, shop: Workshop) -> Made:
    if row.kind == "printed":
        return Made(row, {}, reason=_PRINTED)
    if shop.table.reported is None:
        return Made(row, {}, reason=_NO_FOOTAGE)
    if row.kind == "wav2lip":
        return _wav2lip(row, shop)
    if row.kind in ("memory", "remembered"):
        motion: MotionModel = shop.motion
        if row.kind == "remembered":
            said = shop.speech(shop.subject, shop.table.plan(row))[0]
            motion = told_landmarks(shop.subject, shop.fit, shop.motion, said)
        memory = remember(shop.subject, _MOUTHS, shop.run.progress)
        persona = persona_of(shop.subject, {LANDMARKS: motion}, "memory", memory, "sewn")
        return Made(row, {"protocols": shop.measured(PersonaSpeaker(persona), row)})
    return _trained(row, shop)


def _trained(row: Row, shop: Workshop) -> Made:
    subject, plan = shortened(shop.subject, row.seconds), shop.table.plan(row)
    if row.seconds != ALL:
        plan = replace(plan, own_split="train")
    if subject is None:
        return Made(row, {}, reason=f"the footage has no {row.seconds:g} s to learn from")
    said, heard = shop.speech(subject, plan)
    renderer, drawn = shop.renderer(subject, plan)
    persona = persona_of(subject, {said.info.produces: said}, "neural-face", renderer, "sewn")
    facts: dict[str, Any] = {"settings": dict(row.changes), "system": row.system, "seconds": row.seconds}
    facts |= {"expression": heard, "renderer": drawn, "protocols": shop.measured(PersonaSpeaker(persona), row)}
    return Made(row, facts)


def _wav2lip(row: Row, shop: Workshop) -> Made:
    path = weights.find("wav2lip")
    if path is None:
        return Made(row, {}, reason=_NO_WAV2LIP)
    from lipwright.evaluate.wav2lip import Wav2LipSpeaker
    from lipwright.render.teacher.networks import load_generator

    return Made(row, {"protocols": shop.measured(Wav2LipSpeaker(load_generator(Path(path))), row)})


def shortened(subject: Subject, seconds: float) -> Subject | None:
    """The same subject with so many seconds of training footage, its last ones; None where it has not as many.

    Validation, and the fit of the face, keep all of theirs: what is measured is what renderer and speech to expression
    make of less.
    """
    if seconds == ALL:
        return subject
    split, count = subject.split("train"), round(seconds * subject.fps)
    if len(split) < count:
        return None
    splits = {**subject.info["splits"], "train": [split.stop - count, split.stop]}
    return Subject(subject.path, subject.info | {"splits": splits})
