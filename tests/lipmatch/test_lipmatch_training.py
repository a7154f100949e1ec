from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lipwright.core.clock import SAMPLE_RATE
from lipwright.face.ict import find_ict, load_ict
from lipwright.lipmatch.card import late, measure
from lipwright.lipmatch.clips import KEPT, TalkingMouth, rendered
from lipwright.lipmatch.dataset import Wanted
from lipwright.lipmatch.training import Fold, MatchTask, TrainingConfig, augmented, central
from lipwright.lipmatch.voices import HELD_OUT, TRAINING
from lipwright.metrics.lipmatch import SIDE, LipMatch
from lipwright.speech.rooms import Rooms, longer_tract
from lipwright.speech.tts import Phone, Speech
from lipwright.train.loop import Budget, Loop

CONFIG = TrainingConfig(pieces=2, windows=8, rooms=1, learning_rate=3e-3)


def talking(seed: int, frames: int = 125) -> TalkingMouth:
    """A dark bar that opens with the loudness of noise."""
    rng = np.random.default_rng(seed)
    opening = np.clip(np.convolve(rng.normal(size=frames), np.ones(3), "same") + 1, 0, 3)
    mouths = np.full((frames, KEPT, KEPT), 160, np.uint8)
    for t, height in enumerate((opening * 5).astype(int)):
        mouths[t, 26 : 27 + height, 15:45] = 30
    loudness = np.repeat(opening, SAMPLE_RATE // 25)
    return TalkingMouth(mouths, (0.02 + loudness * 0.1 * rng.normal(size=len(loudness))).astype(np.float32))


def test_a_piece_holds_the_sound_of_its_own_frames() -> None:
    clip = talking(0)
    counted = replace(clip, mouths=np.arange(125, dtype=np.uint8)[:, None, None] + 0 * clip.mouths)
    fold = Fold.of([counted], 0, 0)
    mouths, sound = fold.draw(replace(CONFIG, pieces=1), np.random.default_rng(3))
    assert mouths.shape == (1, 12, KEPT, KEPT)
    assert sound.shape == (1, 8, 1, 13, 20)
    first = int(mouths[0, 0, 0, 0])
    for window in (0, 7):
        rows = fold.cepstra[0][0][:, 4 * (first + window) : 4 * (first + window) + 20]
        torch.testing.assert_close(sound[0, window, 0], rows)


@pytest.mark.slow
def test_training_learns_which_moment_fits_which_sound() -> None:
    folds = Fold.of([talking(1), talking(2)], 0, 0), Fold.of([talking(3)], 0, 0)
    task = MatchTask(*folds, CONFIG)
    before = task.validate()["score"]
    for step in range(16):
        task.budget_fraction(step / 16)
        losses = task.step(step)
    assert np.isfinite(losses["loss"])
    assert task.validate()["score"] < before - 0.05


def test_a_batch_depends_on_seed_and_step_alone() -> None:
    fold = Fold.of([talking(1), talking(2)], 1, 0)
    a, b = (MatchTask(fold, fold, CONFIG) for _ in range(2))
    assert a.step(5) == b.step(5)


def test_a_stopped_training_goes_on(tmp_path: Path) -> None:
    fold = Fold.of([talking(1, 40), talking(2, 40)], 0, 0)
    Loop(MatchTask(fold, fold, CONFIG), tmp_path, Budget(steps=1), "lipmatch").run()
    record = Loop(MatchTask(fold, fold, CONFIG), tmp_path, Budget(steps=2), "lipmatch").run(resume=True)
    assert record.steps == 2


def test_augmentation_keeps_the_mouth_in_view_and_moves_it() -> None:
    mouths = torch.from_numpy(np.stack([talking(1).mouths[:12]] * 2))
    made = augmented(mouths, np.random.default_rng(0))
    assert made.shape == (2, 12, SIDE, SIDE)
    assert torch.isfinite(made).all()
    assert not torch.equal(made[0], made[1])
    torch.testing.assert_close(made, augmented(mouths, np.random.default_rng(0)))
    assert central(mouths).shape == made.shape


def test_the_card_counts_planted_shifts() -> None:
    found = measure(LipMatch(), [talking(4, 150), talking(5, 150)])
    assert found["clips"] == 2
    assert all(0 <= share <= 1 for row in found["two_way"].values() for share in row.values())
    assert set(found["offset_error_frames"]) == {"median", "within_1", "within_2", "mean_signed"}


def test_late_sound_is_late() -> None:
    samples = np.arange(1, 3201, dtype=np.float32)
    assert late(samples, 2)[1280] == 1
    assert late(samples, -2)[0] == 1281
    assert len(late(samples, 2)) == len(late(samples, -2)) == 3200


def test_rooms_keep_length_and_stay_inside() -> None:
    rng = np.random.default_rng(0)
    voice = (0.3 * rng.normal(size=16_000)).astype(np.float32)
    heard = Rooms().of(voice, np.tile(voice, 4), rng)
    assert heard.shape == voice.shape
    assert np.abs(heard).max() <= 0.9
    quiet = Rooms(noise_db=(60.0, 60.0), reverb_s=0.06, colour_db=0.0).of(voice, voice, np.random.default_rng(1))
    assert np.corrcoef(quiet, voice)[0, 1] > 0.9


def test_a_longer_tract_moves_pitch_and_phones_together() -> None:
    t = np.arange(16_000) / SAMPLE_RATE
    speech = Speech(np.sin(2 * np.pi * 400 * t).astype(np.float32), SAMPLE_RATE, (Phone("aa", 0.2, 0.4),))
    higher = longer_tract(speech, 1.25)
    assert len(higher.samples) == 12_800
    spectrum = np.abs(np.fft.rfft(higher.samples))
    assert np.argmax(spectrum) * SAMPLE_RATE / len(higher.samples) == pytest.approx(500, abs=3)
    assert higher.phones == (Phone("aa", 0.16, 0.32),)


def test_nobody_is_heard_or_seen_twice() -> None:
    assert not {*TRAINING} & {*HELD_OUT}
    clips = Wanted(identities=30, held_out=6).clips()
    seeds = {seed for name, seed, _ in clips if name.startswith("test")}
    assert not seeds & {seed for name, seed, _ in clips if name.startswith("train")}
    assert {voice for name, _, voice in clips if name.startswith("test")} == {*HELD_OUT}


def test_a_clip_is_read_as_written(tmp_path: Path) -> None:
    clip = talking(1, 30)
    clip.save(tmp_path / "clip.npz")
    again = TalkingMouth.load(tmp_path / "clip.npz")
    np.testing.assert_array_equal(again.mouths, clip.mouths)
    np.testing.assert_allclose(again.samples, clip.samples, atol=1e-3)


@pytest.mark.slow
def test_a_rendered_mouth_speaks_and_stays_in_place() -> None:
    if find_ict() is None:
        pytest.skip("the ICT-FaceKit model is not here (it is not part of the repository); set LIPWRIGHT_ICT_MODEL")
    clip = rendered(load_ict(), 3, ("flite", "rms", "en"), 1.2)
    assert clip.mouths.shape == (30, KEPT, KEPT)
    middle = clip.mouths[:, 15:45, 15:45].astype(float)
    assert middle.std() > 5
    assert np.abs(np.diff(middle, axis=0)).mean() > 0.3
