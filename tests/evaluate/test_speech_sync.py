"""Drift and visemes as rows, on a mouth and a sound that are made to drift or to say something."""

from __future__ import annotations

import json
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from lipwright.core.contracts import FaceTrack
from lipwright.core.errors import SpeechError
from lipwright.evaluate.source import Scan
from lipwright.evaluate.speech_sync import drift_part, phones_of, viseme_part
from lipwright.metrics.lips import Phone

from .drawn import openings, voice

FPS = Fraction(25)
ASSETS = Path(str(files("lipwright") / "assets"))


def scan_of(landmarks: np.ndarray, samples: np.ndarray, first: int = 0) -> Scan:
    n = len(landmarks)
    dense, pose = np.zeros((n, 478, 3), np.float32), np.zeros((n, 3), np.float32)
    track = FaceTrack(landmarks.astype(np.float32), dense, np.ones(n, np.float32), pose, (512, 512))
    clip, info = SimpleNamespace(name="made.mp4"), SimpleNamespace(video=None)
    return Scan(clip, info, FPS, (512, 512), track, 0.0, np.zeros(n - 1), samples, first)  # type: ignore[arg-type]


def mouth(heights: np.ndarray) -> np.ndarray:
    points = np.zeros((len(heights), 68, 2))
    points[:, [67, 66, 65, 58, 57, 56, 8], 1] = heights[:, None]
    points[:, 45, 0] = 60
    return points


def drifting(ms_per_min: float, seconds: int = 60) -> Scan:
    heights = openings(seconds * 25 + 50)
    sound = voice(heights)
    now = np.arange(seconds * 16_000)
    late = np.clip(now - now * ms_per_min / 60_000, 0, len(sound) - 1)
    return scan_of(mouth(heights[: seconds * 25]), np.interp(late, np.arange(len(sound)), sound).astype(np.float32))


def test_drift_is_found_with_its_sign_and_steady_sound_is_not_called_drifting() -> None:
    slopes = {}
    for planted in (-80.0, 0.0, 80.0, 160.0):
        part = drift_part({"video": drifting(planted)})
        row = {r.key: r for r in part.rows}["speech.drift"]
        slopes[planted] = row.video or 0.0
        assert row.video == pytest.approx(planted, abs=25)
        assert 0 < (row.floor or 0) < 20
        assert bool(part.notes) == (planted != 0)
        assert part.notes == [] or "drifts by" in part.notes[0]
        assert {c.title for c in part.curves} == {"audio-video offset, confidence"}
        assert all(0 <= v <= 1 for v in part.curves[0].values)
    assert slopes[-80.0] < slopes[0.0] < slopes[80.0] < slopes[160.0]


def test_a_jump_is_a_jump_and_no_drift() -> None:
    heights = openings(1600)
    sound = voice(heights)
    cut = 30 * 16_000
    jumped = np.concatenate([sound[:cut], np.zeros(3200, np.float32), sound[cut:]])
    part = drift_part({"video": scan_of(mouth(heights[:1500]), jumped[: 60 * 16_000])})
    rows = {r.key: r for r in part.rows}
    assert rows["speech.jump"].video == pytest.approx(200, abs=20)
    assert np.isnan(rows["speech.drift"].video)
    assert "jumps by" in part.notes[0]


def test_short_clips_and_silent_ones_have_no_drift_row() -> None:
    assert drift_part({"video": drifting(0.0, 10)}).rows == []
    silent = drift_part({"video": scan_of(mouth(openings(300)), np.zeros(0, np.float32))})
    assert (silent.rows, silent.curves) == ([], [])


@pytest.fixture(scope="module")
def presenter() -> tuple[np.ndarray, tuple[Phone, ...]]:
    with np.load(ASSETS / "presenter_truth.npz") as truth:
        landmarks = truth["landmarks"] * float(truth["landmark_unit_px"])
    held = json.loads((ASSETS / "presenter_phones.json").read_text(encoding="utf-8"))
    return landmarks, tuple(Phone(*p) for p in held["phones"])


def test_viseme_row_counts_and_picture(presenter: tuple[np.ndarray, tuple[Phone, ...]]) -> None:
    real, phones = presenter
    late, frozen = np.roll(real, 3, axis=0), np.repeat(real[:1], len(real), axis=0)
    scans = {"video": scan_of(late, np.zeros(0, np.float32))}
    part = viseme_part({"video": late, "real": real, "frozen": frozen}, scans, phones)
    (row,) = part.rows
    assert row.key == "speech.viseme_accuracy"
    assert "5 classes (chance 0.20; shapes learnt on the real video)" in row.label
    assert row.frozen == pytest.approx(0.2, abs=0.03)
    assert (row.real or 0) > 0.65 > 0.45 > (row.video or 1)
    same = viseme_part({"video": real, "real": real}, scans, phones).rows[0]
    assert same.video == same.real == row.real
    held = json.loads(json.dumps(part.details))["visemes"]
    assert np.array(held["said_by_seen"]["video"]).shape == (5, 5)
    assert np.array(held["said_by_seen"]["real"]).sum() == 317
    (picture,) = part.pictures.values()
    assert picture.dtype == np.uint8
    assert picture.ndim == 3
    assert picture.std() > 10


def test_without_a_reference_shapes_come_from_the_textbook(presenter: tuple[np.ndarray, tuple[Phone, ...]]) -> None:
    real, phones = presenter
    scans = {"video": scan_of(real, np.zeros(0, np.float32))}
    part = viseme_part({"video": real}, scans, phones)
    assert "4 classes (chance 0.25; textbook shapes)" in part.rows[0].label
    assert (part.rows[0].video or 0) > 0.7
    assert viseme_part({"video": real}, scans, None).rows == []
    few = viseme_part({"video": real}, scans, phones[:6])
    assert few.rows == []
    assert "fewer than two classes" in few.notes[0]


def test_phones_are_moved_to_the_clock_of_a_scan_that_begins_later() -> None:
    scan = scan_of(mouth(openings(100)), np.zeros(0, np.float32), first=10)
    assert phones_of([Phone("P", 1.0, 1.5)], scan) == (Phone("P", 0.6, 1.1),)
    assert phones_of(None, scan) is None
    with pytest.raises(SpeechError, match=r"made\.mp4 has no sound, so a text has no times"):
        phones_of("hello there", scan)
