"""The stage: a subject, its fit, a teacher and speech of others to pseudo pairs, one utterance after the other.

Every utterance is kept in the work folder as soon as it is done, under a key of all that it depends on, so that an
interrupted run goes on where it was.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lipwright.core.clock import FPS, SAMPLE_RATE, n_frames
from lipwright.core.config import config_key
from lipwright.core.contracts import F32
from lipwright.core.errors import SubjectError
from lipwright.core.files import atomic_file, make_folder, write_json
from lipwright.evaluate.syncnet import source_frames
from lipwright.face.morphable.fit import Fit
from lipwright.motion.expression_pairs import FEATURES, PSEUDO, ExpressionPairs, joined, lips_of, of_stretch
from lipwright.recipes.teacher.filtering import Rule, Scorer, all_scores, rule_of, score, scorer, weighed
from lipwright.recipes.teacher.portrait import Portrait
from lipwright.recipes.teacher.reconstruct import drawn, pseudo_video, reconstruct
from lipwright.recipes.teacher.speech import SpeechSource, Utterance
from lipwright.recipes.teacher.teachers import DirectTeacher, Teacher
from lipwright.recipes.teacher.widening import as_wide
from lipwright.speech.features import features_of
from lipwright.subject.store import Subject
from lipwright.train.run import Run

_SHOWN = 3
"""Pseudo videos that are kept to look at."""
_OWN_S = 60
"""Seconds of the person's own footage that the filter compares with."""
_LEAST_FRAMES = 50


@dataclass(frozen=True)
class _Told:
    """One utterance as the teacher told it, before anything is compensated or left out."""

    features: dict[str, F32]
    expression: F32
    seen: F32
    table: np.ndarray

    def save(self, path: Path) -> None:
        with atomic_file(path) as temporary, open(temporary, "wb") as stream:
            features = {f"features.{name}": rows for name, rows in self.features.items()}
            np.savez_compressed(stream, expression=self.expression, seen=self.seen, table=self.table, **features)

    @classmethod
    def load(cls, path: Path) -> _Told | None:
        """None when the file is missing or damaged: it is then made again."""
        try:
            with np.load(path, allow_pickle=False) as file:
                features = {k.removeprefix("features."): file[k] for k in file.files if k.startswith("features.")}
                return cls(features, file["expression"], file["seen"], file["table"])
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None


def pseudo_pairs(
    subject: Subject,
    fit: Fit,
    speech: SpeechSource,
    teacher: Teacher,
    run: Run,
    minutes: float,
    portrait: Portrait,
    features: Sequence[str] = FEATURES,
) -> ExpressionPairs:
    """What the person's face does when others speak, according to a teacher.

    Args:
        subject: whose face; `fit` of its footage: model, geometry and texture are used, and stay.
        speech: who speaks.
        teacher: draws video, or tells expression (`teachers.make_teacher`).
        run: work folder and progress; a `report.json` with what was kept and why lies beside the utterances.
        minutes: of speech, at least.
        portrait: of the subject, the one that the teacher draws into.
        features: speech features to compute.
    SubjectError when the filter leaves nothing.
    """
    about = {
        "subject": subject.info["source"], "fit": _digest(fit), "teacher": teacher.key, "speech": speech.key,
        "features": list(features), "portrait": [portrait.scale, *portrait.corner], "version": 1,
    }  # fmt: skip
    folder = make_folder(run.work / "pseudo" / config_key(about))
    judge = None if isinstance(teacher, DirectTeacher) else scorer()
    own = _own_table(subject, judge, folder) if judge is not None else np.zeros((0, 31))
    told, wanted = list[_Told](), minutes * 60 * float(FPS)
    run.progress.start(f"pseudo {'video' if judge is not None else 'pairs'}", wanted)
    done, index = 0, 0
    while done < wanted:
        one = _Told.load(folder / f"{index:05d}.npz")
        if one is None:
            one = _tell(speech(index), index, fit, teacher, judge, portrait, folder, features)
            one.save(folder / f"{index:05d}.npz")
        told.append(one)
        done, index = done + len(one.expression), index + 1
        run.progress.update(min(done, wanted), f"{index} utterances")
    run.progress.finish()
    rule = rule_of(own, all_scores(one.table for one in told), judge.name if judge is not None else "")
    parts = [_pairs(one, rule, lips_of(fit.model)) for one in told]
    made = joined([part for part in parts if part is not None] or _nothing(folder))
    write_json(folder / "report.json", _report(told, made, rule, own, judge, about))
    return as_wide(made, fit, subject.track.good & (fit.trusted > 0))


def _nothing(folder: Path) -> list[ExpressionPairs]:
    raise SubjectError(
        f"nothing of the pseudo video in {folder} fits its sound, so there is nothing to learn from; look at it, and "
        "train on own pairs alone or with another teacher"
    )


def _digest(fit: Fit) -> str:
    parts = (fit.model.expression, fit.coefficients.geometry, fit.coefficients.texture, fit.model.mean_texture)
    return hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()[:16]


def _tell(
    said: Utterance,
    index: int,
    fit: Fit,
    teacher: Teacher,
    judge: Scorer | None,
    portrait: Portrait,
    folder: Path,
    features: Sequence[str],
) -> _Told:
    n = n_frames(len(said.samples))
    heard = features_of(said.heard, features, n)
    if isinstance(teacher, DirectTeacher):
        return _Told(heard, teacher.expression(said, index), np.ones(n, np.float32), np.zeros((0, 31), np.float32))
    assert judge is not None
    path = folder / f"{index:05d}.mp4"
    seen = pseudo_video(teacher, said, index, path)
    expression, sure = reconstruct(portrait, fit, seen, drawn(path).read())
    table = judge.table(drawn(path).read(), seen, said.samples).astype(np.float32)
    if index >= _SHOWN:
        path.unlink()
    return _Told(heard, expression, sure, table)


def _pairs(one: _Told, rule: Rule, lips: F32) -> ExpressionPairs | None:
    """None where nothing of an utterance stays."""
    weight = one.seen if not len(one.table) and rule.least == -np.inf else one.seen * _kept(one, rule)
    # Lips that are early by b frames show at t what sounds at t + b.
    by = np.clip(np.arange(len(weight)) - round(rule.bias), 0, len(weight) - 1)
    weight = weight[by]
    if (weight > 0).sum() < _LEAST_FRAMES:
        return None
    return of_stretch(one.features, one.expression[by], weight, PSEUDO, lips)


def _kept(one: _Told, rule: Rule) -> F32:
    return weighed(one.table, len(one.expression), rule)


def _own_table(subject: Subject, judge: Scorer, folder: Path) -> np.ndarray:
    """What the scorer says of the person's real footage; worked out once."""
    path = folder.parent / f"own-{judge.name}.npz"
    if path.is_file():
        with np.load(path, allow_pickle=False) as file:
            return np.asarray(file["table"])
    n = min(len(subject), round(_OWN_S * subject.fps))
    index = source_frames(n, subject.fps)
    keep = iter(index.tolist())
    seen = replace(subject.track[index], contour_px=None)

    def frames() -> Any:
        wanted = next(keep, None)
        for t, frame in enumerate(subject.frames.read(0, n)):
            while wanted == t:
                yield frame
                wanted = next(keep, None)

    table = judge.table(frames(), seen, subject.samples[: round(n / float(subject.fps) * SAMPLE_RATE)])
    with atomic_file(path) as temporary, open(temporary, "wb") as stream:
        np.savez_compressed(stream, table=table.astype(np.float32))
    return table


def _report(
    told: Sequence[_Told],
    made: ExpressionPairs,
    rule: Rule,
    own: np.ndarray,
    judge: Scorer | None,
    about: dict[str, Any],
) -> dict[str, Any]:
    """What was made and what was kept of it."""
    total = sum(len(one.expression) for one in told)
    found: dict[str, Any] = {
        "made_of": about, "utterances": len(told), "minutes": total / float(FPS) / 60,
        "kept": float((made.weight > 0).sum()) / max(total, 1), "scorer": judge.name if judge is not None else None,
    }  # fmt: skip
    scores = all_scores(one.table for one in told)
    if scores and len(own):
        confidence, late = score(own)
        found |= {
            "confidence": {"own": confidence, "pseudo": float(np.median([c for c, _ in scores])), "least": rule.least},
            "sound_late_frames": {
                "own": late, "pseudo": float(np.median([o for _, o in scores])), "compensated": round(rule.bias),
            },
        }  # fmt: skip
    return found
