"""A synthetic voice whose vowels open a synthetic mouth, moved against each other by known amounts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

import lipwright
from lipwright.core.errors import ShapeError
from lipwright.media.audio import read_audio
from lipwright.subject.sync import (
    LARGEST_S,
    LEAD_S,
    UNKNOWN,
    LevelMeter,
    estimate_from_levels,
    estimate_offset,
    offset_over_time,
)

RATE = 16_000
ASSETS = Path(lipwright.__file__).parent / "assets"


def openings(seconds: float, seed: int = 0) -> np.ndarray:
    """Lip opening in [0, 1] at 1 kHz: phones of 60 to 250 ms, each with an opening of its own."""
    rng = np.random.default_rng(seed)
    n = int(seconds * 17)
    steps = np.repeat(rng.uniform(0, 1, n), rng.integers(60, 250, n))[: int(seconds * 1000)]
    return gaussian_filter1d(steps, 30)


def voice(opening: np.ndarray, noise: float = 0.003) -> np.ndarray:
    """A 120 Hz buzz through a formant at 900 Hz whose gain follows the opening, over steady noise."""
    rng = np.random.default_rng(1)
    n = len(opening) * RATE // 1000
    t = np.arange(n) / RATE
    buzz = sum(np.sin(2 * np.pi * f * t) for f in (720, 840, 960, 1080)) / 4
    gain = np.interp(t, (np.arange(len(opening)) + 0.5) / 1000, np.exp(3 * (opening - 1)))
    return (0.3 * gain * buzz + noise * rng.normal(size=n)).astype(np.float32)


def mouth(opening: np.ndarray, fps: float, noise: float = 0.3) -> np.ndarray:
    """(T, 68, 2) a face whose lips open up to 12 px, with tracker noise."""
    centres = (np.arange(int(len(opening) / 1000 * fps)) + 0.5) / fps
    height = 12 * np.interp(centres, (np.arange(len(opening)) + 0.5) / 1000, opening)
    rng = np.random.default_rng(2)
    face = np.tile(rng.normal(200, 40, (68, 2)), (len(height), 1, 1))
    for top, bottom in [((61, 62, 63), (67, 66, 65)), ((50, 51, 52), (58, 57, 56))]:
        for a, b in zip(top, bottom, strict=True):
            face[:, b] = face[:, a] + np.stack([0 * height, 2 + height], -1)
    return face + rng.normal(0, noise, face.shape)


def late(samples: np.ndarray, by_s: float) -> np.ndarray:
    k = round(by_s * RATE)
    return np.pad(samples, (k, 0))[: len(samples)] if k >= 0 else np.pad(samples[-k:], (0, -k))


OPENING = openings(8)
SOUND = voice(OPENING)


@pytest.mark.parametrize("by_s", [-0.56, -0.32, -0.12, -0.04, 0.0, 0.055, 0.2, 0.32, 0.56])
def test_known_shifts_are_found_with_their_sign(by_s: float) -> None:
    estimate = estimate_offset(mouth(OPENING, 25), late(SOUND, by_s), 25)
    # Synthetic lips do not lead the sound, so the calibration for real lips shows as an offset.
    assert estimate.offset_s == pytest.approx(by_s - LEAD_S, abs=0.012)
    assert estimate.sure
    assert 0.97 <= estimate.confidence <= 1


@pytest.fixture(scope="module")
def presenter() -> tuple[np.ndarray, np.ndarray, float]:
    """True landmarks, sound and rate of the bundled presenter, who is in sync."""
    with np.load(ASSETS / "presenter_truth.npz") as truth:
        landmarks = truth["landmarks"] * float(truth["landmark_unit_px"])
        fps = truth["fps"][0] / truth["fps"][1]
    return landmarks, read_audio(ASSETS / "presenter.mp4"), fps


def test_the_presenter_is_in_sync_and_every_shift_is_found(presenter: tuple[np.ndarray, np.ndarray, float]) -> None:
    landmarks, samples, fps = presenter
    for by_ms in range(-320, 321, 40):
        estimate = estimate_offset(landmarks, late(samples, by_ms / 1000), fps)
        assert estimate.sure
        assert 1000 * estimate.offset_s == pytest.approx(by_ms, abs=20)


def test_the_presenters_voice_backwards_is_not_sure(presenter: tuple[np.ndarray, np.ndarray, float]) -> None:
    landmarks, samples, fps = presenter
    windows = offset_over_time(landmarks, samples[::-1], fps, window_s=6, step_s=2)
    assert len(windows) == 20
    assert sum(e.sure for _, e in windows) <= 1


@pytest.mark.parametrize("fps", [24000 / 1001, 30, 50, 60000 / 1001])
def test_any_frame_rate(fps: float) -> None:
    estimate = estimate_offset(mouth(OPENING, fps), late(SOUND, 0.1), fps)
    assert estimate.offset_s == pytest.approx(0.1 - LEAD_S, abs=0.012)
    assert estimate.sure


def test_an_aperture_curve_will_do() -> None:
    centres = (np.arange(200) + 0.5) / 25
    aperture = np.interp(centres, np.arange(len(OPENING)) / 1000, OPENING)
    assert estimate_offset(aperture, late(SOUND, -0.08), 25).offset_s == pytest.approx(-0.09, abs=0.012)


def test_the_size_of_the_face_and_the_level_of_the_sound_do_not_matter() -> None:
    face = mouth(OPENING, 25)
    a, b = estimate_offset(face, SOUND, 25), estimate_offset(3 * face, 0.05 * SOUND, 25)
    assert b.offset_s == pytest.approx(a.offset_s, abs=1e-3)


def test_other_peoples_speech_is_not_sure() -> None:
    face = mouth(OPENING, 25)
    strangers = [estimate_offset(face, voice(openings(8, seed)), 25) for seed in range(10, 30)]
    assert sum(e.sure for e in strangers) <= 2
    assert np.median([e.confidence for e in strangers]) < 0.9


def test_nothing_to_measure() -> None:
    face = mouth(OPENING, 25)
    assert estimate_offset(face, np.zeros(8 * RATE, np.float32), 25) == UNKNOWN
    assert estimate_offset(np.repeat(face[:1], 200, 0), SOUND, 25) == UNKNOWN
    assert estimate_offset(face[:20], SOUND, 25) == UNKNOWN
    assert estimate_offset(face, SOUND[:100], 25) == UNKNOWN
    assert estimate_offset(face, SOUND[:0], 25) == UNKNOWN
    assert "not sure" in str(UNKNOWN)


def test_drift_shows_over_time() -> None:
    opening = openings(24)
    sound = voice(opening)
    stretched = np.interp(np.arange(len(sound)) / 1.01, np.arange(len(sound)), sound).astype(np.float32)
    curve = offset_over_time(mouth(opening, 25), stretched, 25, window_s=6, step_s=6)
    centres = np.array([c for c, _ in curve])
    offsets = np.array([e.offset_s for _, e in curve])
    np.testing.assert_allclose(centres, [3, 9, 15, 21])
    np.testing.assert_allclose(offsets, 0.01 * centres - LEAD_S, atol=0.02)


def test_streamed_levels_give_the_same_estimate() -> None:
    meter = LevelMeter()
    for block in np.array_split(SOUND, 13):
        meter.add(block)
    face = mouth(OPENING, 25)
    assert estimate_from_levels(face, meter.levels(), 25) == estimate_offset(face, SOUND, 25)


def test_frames_that_are_not_good_do_not_count() -> None:
    face = mouth(OPENING, 25)
    truth = estimate_offset(face, SOUND, 25)
    good = np.ones(200, bool)
    good[60:110] = False
    face[60:110] = mouth(openings(2, seed=9), 25) * 1.5
    spoilt, masked = estimate_offset(face, SOUND, 25), estimate_offset(face, SOUND, 25, good=good)
    assert masked.sure
    assert masked.offset_s == pytest.approx(truth.offset_s, abs=0.01)
    assert masked.score > spoilt.score + 0.1
    assert estimate_offset(face, SOUND, 25, good=np.arange(200) < 30) == UNKNOWN


def test_what_hides_behind_bad_frames_has_no_influence() -> None:
    good = np.ones(200, bool)
    good[60:110] = False
    one, other = mouth(OPENING, 25), mouth(OPENING, 25)
    other[62:108] = 7.0  # linear interpolation reaches one frame into the gap
    one_found, other_found = (estimate_offset(m, SOUND, 25, good=good).offset_s for m in (one, other))
    assert one_found == pytest.approx(other_found, abs=0.005)


def test_shots_of_another_size_count_alike() -> None:
    opening = openings(16, seed=3)
    sound = voice(opening)
    face = mouth(opening, 25)
    far = 0.25 * face[200:] + 50
    strangers = mouth(openings(8, seed=4), 25)
    # The near shot is somebody else; at four times the size it must not outvote the far shot that fits.
    alike = estimate_offset(np.concatenate([strangers, far]), sound, 25)
    same = estimate_offset(np.concatenate([strangers, face[200:]]), sound, 25)
    assert alike.offset_s == pytest.approx(same.offset_s, abs=0.01)
    assert alike.score == pytest.approx(same.score, abs=0.05)


def test_a_clip_that_disagrees_with_itself_is_not_sure() -> None:
    opening = openings(48, seed=5)
    sound = voice(opening)
    half = len(sound) // 2
    steady = estimate_offset(mouth(opening, 25), late(sound, 0.2), 25)
    assert steady.sure
    assert steady.agreement == 1
    changing = np.concatenate([late(sound, 0.2)[:half], late(sound, -0.1)[half:]])
    estimate = estimate_offset(mouth(opening, 25), changing, 25)
    assert estimate.confidence > 0.97
    assert not estimate.sure
    assert estimate.agreement == pytest.approx(0.5, abs=0.01)
    assert "the offset changes" in str(estimate)


def test_nothing_is_claimed_beyond_the_range() -> None:
    for by_s in (-LARGEST_S - 0.25, -LARGEST_S - 0.05, LARGEST_S + 0.05, LARGEST_S + 0.25):
        estimate = estimate_offset(mouth(OPENING, 25), late(SOUND, by_s), 25)
        assert abs(estimate.offset_s) <= LARGEST_S + 0.01
        assert not estimate.sure


def test_shapes() -> None:
    with pytest.raises(ShapeError):
        estimate_offset(mouth(OPENING, 25), SOUND, 25, good=np.ones(199, bool))
    with pytest.raises(ShapeError):
        estimate_offset(np.zeros((10, 29, 2)), SOUND, 25)
    with pytest.raises(ShapeError):
        estimate_offset(np.zeros(100), SOUND[:, None], 25)


def test_the_estimate_reads_in_words() -> None:
    assert "late" in str(estimate_offset(mouth(OPENING, 25), late(SOUND, 0.12), 25))
    assert "early" in str(estimate_offset(mouth(OPENING, 25), late(SOUND, -0.12), 25))
