"""SyncNet's protocols around a network whose two towers are known: brightness of the face and level of the sound."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from lipwright.core import weights
from lipwright.core.contracts import FaceTrack
from lipwright.core.errors import ConfigError, FootageError
from lipwright.evaluate import syncnet as module
from lipwright.evaluate.boxes import Boxes
from lipwright.evaluate.source import Scan
from lipwright.evaluate.sync_part import ABSENT
from lipwright.evaluate.syncnet import Column, lse_part, source_frames
from lipwright.evaluate.video import evaluate
from lipwright.metrics.syncnet import SyncNet
from lipwright.speech.mfcc import int16_amplitudes, mfcc

from .drawn import MarkerTracker, Talk

SIZE = (320, 240)
WEIGHTS = Path("syncnet.safetensors")
BOX = (100.0, 60.0, 220.0, 190.0)


def tone(levels: np.ndarray) -> np.ndarray:
    """1 kHz, one amplitude (0 to 1) per 40 ms."""
    t = np.arange(len(levels) * 640) / 16_000
    return (0.5 * np.repeat(levels, 640) * np.sin(2 * np.pi * 1000 * t)).astype(np.float32)


LOUDEST = float(mfcc(int16_amplitudes(tone(np.ones(5))))[8, 0])


class Known(SyncNet):
    """Five logarithms of brightness against five of level: equal where picture and sound say the same."""

    def lips(self, faces: torch.Tensor) -> torch.Tensor:
        return self._points(torch.log(faces.mean(dim=(1, 3, 4)).clamp(min=1) / 255))

    def sound(self, cepstra: torch.Tensor) -> torch.Tensor:
        return self._points(((cepstra[:, 0, 0] - LOUDEST) / 2).reshape(-1, 5, 4)[..., 1:3].mean(-1))

    def _points(self, five: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.pad(five, (0, 1019)) * 5


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "find", lambda name: WEIGHTS if name == "syncnet" else None)
    monkeypatch.setattr(module, "load_syncnet", lambda path: Known())


def level(n: int, seed: int = 0) -> np.ndarray:
    """Steps that stay below those of a cut."""
    return np.random.default_rng(seed).uniform(0.45, 0.72, n)


def column(levels: np.ndarray, sound: np.ndarray, fps: Fraction = Fraction(25)) -> Column:
    """A grey face whose brightness is `levels`, one per 40 ms, filmed at `fps`."""
    n = int(len(levels) * fps / 25)
    dense = np.zeros((n, 478, 3), np.float32)
    dense[:, 0, :2], dense[:, 1:, :2] = BOX[:2], BOX[2:]
    track = FaceTrack(
        np.zeros((n, 68, 2), np.float32), dense, np.ones(n, np.float32), np.zeros((n, 3), np.float32), SIZE
    )
    info = SimpleNamespace(video=SimpleNamespace(width=SIZE[0]))
    clip = SimpleNamespace(name="made.mp4")
    scan = Scan(clip, info, fps, SIZE, track, 0.0, np.zeros(n - 1), sound)  # type: ignore[arg-type]

    def frames() -> Iterator[np.ndarray]:
        for t in range(n):
            yield np.full((SIZE[1], SIZE[0], 3), round(255 * levels[int(t * 25 / fps)]), np.uint8)

    return Column(scan, frames)


@pytest.mark.parametrize("kind", ["tracks", "frames"])
@pytest.mark.parametrize("late", [-6, 0, 3])
def test_planted_delays_are_found_in_frames_with_our_sign(kind: str, late: int) -> None:
    talk = level(160)
    made = column(talk[20:140], tone(talk[20 - late : 140 - late]))
    score, start_s = module._score(Known(), made, kind, None)
    assert score.late_frames == late
    assert start_s == 0
    assert score.lse_c > 1
    assert len(score.confidence) == 115


def test_another_frame_rate_is_read_at_25(known: None) -> None:
    assert source_frames(6, Fraction(50)).tolist() == [0, 2, 4]
    assert source_frames(12, Fraction(30)).tolist() == [0, 1, 2, 4, 5, 6, 7, 8, 10, 11]
    talk = level(150)
    for fps in (Fraction(50), Fraction(30)):
        made = column(talk[10:140], tone(talk[8:138]), fps)
        assert module._score(Known(), made, "tracks", None)[0].late_frames == 2


def test_a_track_that_starts_late_is_compared_with_its_own_sound() -> None:
    talk = level(170)
    boxes = np.tile(np.array(BOX), (160, 1))
    boxes[:40] = np.nan
    score, start_s = module._score(Known(), column(talk[4:164], tone(talk[:160])), "tracks", boxes)
    assert score.late_frames == 4
    assert start_s == pytest.approx(1.6)
    assert len(score.confidence) == 115


def whole_frame(scan: Scan) -> Boxes:
    return Boxes(np.tile(np.array([150, 140]), (len(scan), 1)), (40, 30))


def test_rows_say_which_tracker_and_boxes_can_be_given(
    known: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    talk = level(130)
    made = column(talk, tone(talk))
    monkeypatch.setattr(Scan, "frames", lambda self: made.frames())
    part = lse_part({"video": made.scan}, whole_frame(made.scan), WEIGHTS, ("tracks", "frames"))
    rows = {row.key: row for row in part.rows}
    assert list(rows) == [
        *("sync.lse_d", "sync.lse_c", "sync.offset"),
        *("sync.frame_lse_d", "sync.frame_lse_c", "sync.frame_offset"),
    ]
    assert rows["sync.lse_d"].label == "LSE-D (tracker: mediapipe, not S3FD)"
    assert rows["sync.frame_lse_d"].label == "LSE-D (whole frames, no tracker)"
    assert rows["sync.offset"].video == 0
    assert part.facts == {
        "syncnet_tracks": "tracker: mediapipe, not S3FD",
        "syncnet_frames": "whole frames, no tracker",
    }
    assert [c.title for c in part.curves] == ["SyncNet confidence", "SyncNet confidence, whole frames"]
    assert part.curves[0].times_s[0] == pytest.approx(0.1)  # the middle of frames 0 to 4

    np.savez(tmp_path / "boxes.npz", boxes=np.tile(np.array(BOX), (130, 1)))
    given = lse_part({"video": made.scan}, whole_frame(made.scan), WEIGHTS, face_boxes=tmp_path / "boxes.npz")
    assert given.rows[0].label == "LSE-D (face boxes: given)"
    assert given.rows[0].video == rows["sync.lse_d"].video
    np.savez(tmp_path / "few.npz", boxes=np.tile(np.array(BOX), (100, 1)))
    with pytest.raises(FootageError, match=r"has 100 boxes and made\.mp4 130 frames at 25 fps"):
        lse_part({"video": made.scan}, whole_frame(made.scan), WEIGHTS, face_boxes=tmp_path / "few.npz")


@pytest.mark.parametrize(
    ("n", "sound", "words"),
    [
        (100, True, "more than 100 frames at 25 fps"),
        (130, False, "it has no sound"),
    ],
)
def test_what_the_scripts_would_not_score_is_a_note(
    known: None, monkeypatch: pytest.MonkeyPatch, n: int, sound: bool, words: str
) -> None:
    talk = level(n)
    made = column(talk, tone(talk) if sound else np.zeros(0, np.float32))
    monkeypatch.setattr(Scan, "frames", lambda self: made.frames())
    part = lse_part({"video": made.scan}, whole_frame(made.scan), WEIGHTS)
    assert all(row.video is None for row in part.rows)
    assert len(part.notes) == 1
    assert words in part.notes[0]


def test_without_weights_nothing_is_printed_as_lse(talk: Talk) -> None:
    result = evaluate(talk.path, make_tracker=MarkerTracker)
    assert [row.key for row in result.rows if row.key.startswith("sync.")] == ["sync.absent"]
    assert result["sync.absent"].label == ABSENT
    assert result["sync.absent"].video is None
    assert "lipwright models add syncnet" in str(result)
    assert json.loads(json.dumps(result.to_json()))["metrics"]["sync.absent"]["video"] is None


def test_every_column_is_scored_where_there_is_a_reference(known: None, talk: Talk) -> None:
    result = evaluate(talk.path, talk.path, make_tracker=MarkerTracker, lse="frames")
    row = result["sync.frame_lse_d"]
    assert row.video == row.real
    for value in (row.frozen, row.mean):
        assert value is not None
        assert value != row.real
    assert all(note.startswith("LipMatch did not score") for note in result.notes)  # the talk is too short
    assert "sync.lse_d" not in result


def test_unknown_protocols_are_refused_before_any_work() -> None:
    with pytest.raises(ConfigError, match="unknown LSE protocol 'all'; choose from tracks, frames, both"):
        evaluate("absent.mp4", lse="all")
