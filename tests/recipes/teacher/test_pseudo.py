"""The stage: resumed utterance by utterance, filtered, and end to end on the presenter."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from lipwright.core.contracts import F32, U8
from lipwright.core.errors import ConfigError, DependencyError, SubjectError
from lipwright.core.progress import Silent
from lipwright.face.morphable.fit import Fit, follow, identity
from lipwright.face.morphable.person import build
from lipwright.motion.expression_pairs import PSEUDO, own_pairs
from lipwright.recipes.teacher import pseudo
from lipwright.recipes.teacher.filtering import Rule
from lipwright.recipes.teacher.portrait import Portrait, portrait
from lipwright.recipes.teacher.pseudo import pseudo_pairs
from lipwright.recipes.teacher.speech import Utterance
from lipwright.recipes.teacher.teachers import Wav2LipTeacher, make_teacher
from lipwright.render.teacher.networks import Wav2Lip
from lipwright.subject.store import Subject
from lipwright.synthesis.speaker import Persona
from lipwright.train.run import Run


@pytest.fixture(scope="module")
def fit(subject: Subject) -> Fit:
    model, geometry, texture = identity(build(subject.track), subject.track, subject.frames.frame)
    return follow(model, geometry, texture, subject.track, subject.frames.read())


@pytest.fixture(scope="module")
def small(subject: Subject, tmp_path_factory: pytest.TempPathFactory) -> Portrait:
    return portrait(subject, tmp_path_factory.mktemp("portrait"), Silent())


@dataclass
class Noise:
    """Two seconds of noise each."""

    key: str = "noise"

    def __call__(self, index: int) -> Utterance:
        samples = np.random.default_rng(index).normal(0, 0.1, 32_000).astype(np.float32)
        return Utterance(f"noise {index}", samples, 0.5 * samples)


@dataclass
class Planted:
    """Tells its own number; counts how often it is asked."""

    expressions: int
    key: str = "planted"
    asked: list[int] = field(default_factory=list)

    def expression(self, said: Utterance, index: int) -> F32:
        self.asked.append(index)
        return np.full((50, self.expressions), index, np.float32)


def run(folder: Path) -> Run:
    return Run(folder, 0, "cpu", True, Silent())


def test_what_is_done_is_not_done_again(subject: Subject, fit: Fit, small: Portrait, tmp_path: Path) -> None:
    teacher = Planted(len(fit.model.expression))
    made = pseudo_pairs(subject, fit, Noise(), teacher, run(tmp_path), 0.1, small)
    assert teacher.asked == [0, 1, 2]
    assert made.stretches() == [(0, 50), (50, 100), (100, 150)]
    told = made.expression.reshape(3, 50, -1)
    assert (told == told[:, :1]).all(), "utterances lie one after the other"
    assert len(np.unique(told[:, 0], axis=0)) == 3
    assert set(made.source) == {PSEUDO}
    next((tmp_path / "pseudo").rglob("00001.npz")).write_bytes(b"cut off")
    more = pseudo_pairs(subject, fit, Noise(), teacher, run(tmp_path), 0.13, small)
    assert teacher.asked == [0, 1, 2, 1, 3], "the damaged one and the new one"
    np.testing.assert_array_equal(more.features["logmel"][:600], made.features["logmel"])
    pseudo_pairs(subject, fit, Noise("other"), teacher, run(tmp_path), 0.03, small)
    assert teacher.asked[-1] == 0, "other speech is other work"


def test_early_lips_are_moved_back_to_their_sound() -> None:
    """Two frames early: frame t showed the sound of t + 2."""
    n = 100
    told = pseudo._Told(
        {"logmel": np.zeros((4 * n, 80), np.float32)},
        np.arange(n, dtype=np.float32)[:, None] * np.ones((1, 2), np.float32),
        np.ones(n, np.float32),
        np.zeros((0, 31), np.float32),
    )
    made = pseudo._pairs(told, Rule(-np.inf, 2.0, 0.0), np.zeros((2, 20, 3), np.float32))
    assert made is not None
    assert made.expression[2:, 0].tolist() == list(range(n - 2))


def test_own_and_pseudo_pairs_share_a_basis(subject: Subject, fit: Fit) -> None:
    own = own_pairs(subject, fit, split=None)
    assert len(own) == len(subject)
    np.testing.assert_allclose(own.expression, fit.coefficients.expression)
    assert own.lips.shape == (len(fit.model.expression), 20, 3)
    with pytest.raises(ConfigError, match="fit the whole subject"):
        own_pairs(subject, Fit(fit.model, fit.coefficients.frames(slice(0, 50)), fit.trusted[:50]))


def test_teachers_that_are_not_here_are_named(fit: Fit, small: Portrait, persona: Persona) -> None:
    motion = persona.motions["landmarks"]
    with pytest.raises(DependencyError, match="models add wav2lip"):
        make_teacher("wav2lip", small, fit, motion, Silent())
    with pytest.raises(ConfigError, match="available: memory, direct, wav2lip"):
        make_teacher("nobody", small, fit, motion, Silent())


def test_wav2lip_draws_every_frame_over_footage_that_goes_back_and_forth(small: Portrait) -> None:
    teacher = Wav2LipTeacher(small, Wav2Lip(8).eval(), "aligned")
    said = Noise()(0)
    frames = np.stack(list(teacher.frames(said, 4)))
    assert frames.shape == (50, 256, 256, 3)
    changed = (frames != np.stack([small.template.store.frame(0)] * 50)).any(-1).mean()
    assert 0 < changed < 1


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
def test_remembered_mouths_are_drawn_tracked_and_fitted(
    subject: Subject, fit: Fit, small: Portrait, persona: Persona, tmp_path: Path
) -> None:
    from lipwright.recipes.teacher.speech import VOICES, SyntheticVoices

    motion = persona.motions["landmarks"]
    source = SyntheticVoices(0, tuple(v for v in VOICES if v[0] == "espeak-ng")[:1])
    drawn = make_teacher("memory", small, fit, motion, Silent())
    made = pseudo_pairs(subject, fit, source, drawn, run(tmp_path), 0.05, small)
    report = json.loads(next((tmp_path / "pseudo").rglob("report.json")).read_text())
    assert report["utterances"] == 1
    assert report["scorer"] == "lipmatch"
    straight = make_teacher("direct", small, fit, motion, Silent())
    told = pseudo_pairs(subject, fit, source, straight, run(tmp_path), 0.05, small)
    seen = made.weight > 0
    assert seen.mean() > 0.3
    gaps = [np.einsum("te,ek->tk", p.expression[: len(made)], p.lips[:, [14, 18], 1]) for p in (made, told)]
    opened = [(g[:, 0] - g[:, 1])[seen] for g in gaps]
    assert np.corrcoef(*opened)[0, 1] > 0.5, "the video shows what was asked of it"


def test_a_video_that_fits_nothing_leaves_nothing(
    subject: Subject, fit: Fit, small: Portrait, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Deaf:
        name = "lipmatch"

        def table(self, frames: Iterator[U8], seen: object, samples: F32) -> np.ndarray:
            del frames, seen, samples
            table = np.random.default_rng(len(calls)).normal(0, 0.001, (100, 31))
            table[:, 15 if not calls else 2] += 0.5 if not calls else 0.01
            calls.append(1)
            return table

    class Frozen:
        key = "frozen"

        def frames(self, said: Utterance, index: int) -> Iterator[U8]:
            del said, index
            for _ in range(50):
                yield small.template.store.frame(0)

    calls: list[int] = []
    monkeypatch.setattr(pseudo, "scorer", Deaf)
    with pytest.raises(SubjectError, match="fits its sound"):
        pseudo_pairs(subject, fit, Noise(), Frozen(), run(tmp_path), 0.03, small)
