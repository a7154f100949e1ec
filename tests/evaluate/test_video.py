"""The whole evaluation on drawn videos with planted faults: each is caught by its own metric."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from lipwright.core.errors import ConfigError, FootageError, SpeechError
from lipwright.evaluate.result import Evaluation
from lipwright.evaluate.source import Clip
from lipwright.evaluate.video import evaluate
from lipwright.metrics.lips import Phone

from .drawn import FPS, N_FRAMES, PAUSE, MarkerTracker, Talk, draw, openings, voice, write


def judge(video: Path | Clip, reference: Path | Clip | None = None, **options: object) -> Evaluation:
    return evaluate(video, reference, make_tracker=MarkerTracker, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def identity(talk: Talk) -> Evaluation:
    return judge(talk.path, talk.path)


def test_a_video_against_itself(identity: Evaluation) -> None:
    for row in identity.rows:
        if row.key.endswith("psnr"):
            assert row.video == 100
        elif row.key.endswith("frechet_pyramid"):
            assert row.video == pytest.approx(0, abs=1e-9)
        elif row.key.startswith("landmarks."):
            assert row.video == 0
        elif row.key.startswith(("mouth.", "face.", "full.", "lips.")) and not row.key.endswith("blockiness"):
            assert row.video == pytest.approx(1, abs=1e-9)
        if row.real is not None and not math.isnan(row.real):
            assert row.video == row.real
    assert identity.notes == ("LipMatch did not score real.mp4: 4.4 s with sound are needed",)
    assert abs(identity["speech.offset"].video or 99) < 30


def test_controls_are_worse_than_the_real_video(identity: Evaluation) -> None:
    for name in ("frozen", "mean"):
        assert getattr(identity["mouth.psnr"], name) < 25
        assert getattr(identity["landmarks.lmd_centred"], name) > 10 * (identity["landmarks.lmd"].floor or 9)
        assert abs(getattr(identity["lips.correlation"], name)) < 0.2
        assert getattr(identity["lips.amplitude"], name) < 0.05
        assert getattr(identity["mouth.jitter_ratio"], name) < 0.3


def test_late_sound_moves_the_offset_and_nothing_else(talk: Talk, identity: Evaluation, tmp_path: Path) -> None:
    late = np.pad(talk.sound, (3 * 640, 0))[: len(talk.sound)]
    result = judge(write(tmp_path / "late.mp4", talk.heights, talk.noses, late), talk.path)
    moved = (result["speech.offset"].video or 0) - (identity["speech.offset"].video or 0)
    assert moved == pytest.approx(120, abs=15)
    assert result["speech.offset"].real == identity["speech.offset"].video
    assert result["mouth.psnr"].video == 100
    assert result["landmarks.lmd"].video == 0


def test_a_blurred_mouth_is_soft_in_proportion_but_in_its_place(talk: Talk, tmp_path: Path) -> None:
    ratios = []
    for soft in (0.5, 1.0, 2.0):
        path = write(tmp_path / f"{soft}.mp4", talk.heights[:60], talk.noses[:60], None, soft=soft)
        result = judge(path, Clip(talk.path, end_s=Fraction(60) / FPS))
        ratios.append(result["mouth.sharpness_ratio"].video or 9)
        assert (result["lips.correlation"].video or 0) > 0.98
    assert 0.97 > ratios[0] > ratios[1] > ratios[2]
    assert ratios[2] < 0.4


def test_a_frozen_mouth_does_not_follow(talk: Talk, tmp_path: Path) -> None:
    path = write(tmp_path / "frozen.mp4", np.full(N_FRAMES, 5.0), talk.noses, talk.sound)
    result = judge(path, talk.path)
    assert abs(result["lips.correlation"].video or 9) < 0.3
    assert (result["lips.amplitude"].video or 9) < 0.1
    assert (result["mouth.jitter_ratio"].video or 9) < 0.5
    assert result["speech.offset"].video is None or math.isnan(result["speech.offset"].video)
    assert any("not sure" in note for note in result.notes)


def test_a_jittered_mouth_shakes_more_than_real(talk: Talk, tmp_path: Path) -> None:
    ratios = []
    for size in (0.0, 1.0, 2.0):
        shake = size * (-1.0) ** np.arange(60)
        path = write(tmp_path / f"{size}.mp4", talk.heights[:60], talk.noses[:60], None, shift_lips=shake)
        ratios.append(judge(path, Clip(talk.path, end_s=Fraction(60) / FPS))["mouth.jitter_ratio"].video)
    assert ratios[0] == pytest.approx(1, abs=0.02)
    assert ratios[2] > ratios[1] > 1.1


def test_speech_over_silence_is_chatter(talk: Talk, identity: Evaluation, tmp_path: Path) -> None:
    heights = talk.heights.copy()
    heights[PAUSE] = openings(20, 9)
    result = judge(write(tmp_path / "chatter.mp4", heights, talk.noses, talk.sound), talk.path)
    assert (identity["speech.silence_ratio"].video or 9) < 0.1
    assert (result["speech.silence_ratio"].video or 0) > 0.4
    assert result["speech.silence_ratio"].real == identity["speech.silence_ratio"].real


def test_a_video_that_runs_late_is_compared_in_step(talk: Talk, tmp_path: Path) -> None:
    order = np.maximum(np.arange(N_FRAMES) - 3, 0)
    path = write(tmp_path / "late.mp4", talk.heights[order], talk.noses[order], None)
    result = judge(path, talk.path)
    assert any("3 frames late" in note for note in result.notes)
    assert result.protocol["frames"] == N_FRAMES - 3
    assert (result["lips.correlation"].video or 0) > 0.99
    assert (result["mouth.psnr"].video or 0) > 35


def test_repeated_frames_are_counted(talk: Talk, tmp_path: Path) -> None:
    order = np.arange(60) // 2 * 2
    result = judge(write(tmp_path / "doubled.mp4", talk.heights[order], talk.noses[order], None))
    assert result["time.frozen"].video == pytest.approx(30 / 59, abs=0.03)


def test_frames_without_a_face_are_left_out_and_named(talk: Talk, tmp_path: Path) -> None:
    noses = talk.noses[:60].copy()
    noses[20:25] = 900  # outside the picture
    path = write(tmp_path / "gap.mp4", talk.heights[:60], noses, None)
    result = judge(path, Clip(talk.path, end_s=Fraction(60) / FPS))
    assert any("no face in 5 of 60 frames" in note for note in result.notes)
    assert result["time.no_face"].video == pytest.approx(5 / 60)
    assert (result["landmarks.lmd"].video or 9) < 0.3


def test_nobody_at_all_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "empty.mp4", np.zeros(10), np.full((10, 2), 900.0), None)
    with pytest.raises(FootageError, match=r"no face in any of the 10 frames of empty\.mp4"):
        judge(path)


def test_lengths_too_different_are_refused_with_the_numbers(talk: Talk) -> None:
    with pytest.raises(FootageError, match=r"50 frames .* 100 .* trim"):
        judge(Clip(talk.path, end_s=Fraction(2)), talk.path)


def test_three_frames_are_too_few(talk: Talk) -> None:
    clip = Clip(talk.path, end_s=Fraction(3, 25))
    with pytest.raises(FootageError, match="share 3 frames; 4 are needed"):
        judge(clip, clip)


def test_silent_sound_is_no_offset(talk: Talk, tmp_path: Path) -> None:
    silent = np.zeros(50 * 640, np.float32)
    result = judge(write(tmp_path / "silent.mp4", talk.heights[:50], talk.noses[:50], silent))
    assert math.isnan(result["speech.offset"].video or 0)
    assert result["speech.offset_confidence"].video == 0
    assert any("silent" in note for note in result.notes)
    assert result.to_json()["metrics"]["speech.offset"]["video"] is None


def test_a_few_frames_more_are_left_out(talk: Talk) -> None:
    result = judge(Clip(talk.path, end_s=Fraction(96, 25)), talk.path)
    assert any("last 4 frames of the reference" in note for note in result.notes)
    assert result["mouth.psnr"].video == 100


def test_another_shape_is_refused(talk: Talk, tmp_path: Path) -> None:
    from lipwright.media.writer import VideoWriter

    path = tmp_path / "wide.mp4"
    with VideoWriter(path, (192, 96), FPS) as writer:
        for nose, height in zip(talk.noses[:10], talk.heights[:10], strict=True):
            writer.write(np.ascontiguousarray(draw(nose, height)[:96]))
    with pytest.raises(FootageError, match=r"192x96 .* 192x144.*another shape"):
        judge(path, talk.path)


def test_without_a_reference(talk: Talk) -> None:
    result = judge(talk.path)
    assert result.reference is None
    assert "speech.offset" in result
    assert "time.frozen" in result
    assert not any(row.key.startswith(("mouth.", "landmarks.")) for row in result.rows)
    assert all(row.real is None and row.frozen is None for row in result.rows)


def test_without_sound(talk: Talk, tmp_path: Path) -> None:
    path = write(tmp_path / "mute.mp4", talk.heights[:60], talk.noses[:60], None)
    result = judge(path)
    assert "speech.offset" not in result
    assert any("no sound" in note for note in result.notes)


def test_closure_of_bilabials_with_a_transcript(talk: Talk) -> None:
    closed = [Phone("P", 50 / 25, 54 / 25), Phone("M", 58 / 25, 62 / 25)]
    opened = [
        Phone("B", (t - 0.5) / 25, (t + 0.5) / 25)
        for t in np.flatnonzero((talk.heights > 11) & (np.roll(talk.heights, 2) > 9) & (np.roll(talk.heights, -2) > 9))
    ]
    assert opened
    result = judge(talk.path, talk.path, transcript=closed + opened)
    row = result["speech.closure_rate"]
    assert row.video == row.real == pytest.approx(2 / (2 + len(opened)))
    assert row.frozen in (0.0, 1.0)
    with pytest.raises(SpeechError, match="cannot be laid over the speech"):
        judge(talk.path, transcript="hello")
    with pytest.raises(ConfigError, match="got bytes"):
        judge(talk.path, transcript=b"hello")


def test_another_persons_audio_is_not_called_in_sync(talk: Talk, tmp_path: Path) -> None:
    foreign = voice(openings(N_FRAMES, 77))
    result = judge(write(tmp_path / "foreign.mp4", talk.heights, talk.noses, foreign), talk.path)
    assert (result["speech.correlation"].video or 0) < 0.5 * (result["speech.correlation"].real or 0)


def test_json_has_no_nan_and_no_machine(identity: Evaluation, tmp_path: Path) -> None:
    identity.write_json(tmp_path / "report.json")
    text = (tmp_path / "report.json").read_text(encoding="utf-8")
    data = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
    assert data["metrics"]["mouth.psnr"]["video"] == 100
    assert data["protocol"]["name"] == "video"
    assert data["protocol"]["frames"] == N_FRAMES
    assert str(tmp_path) not in text
    assert data["reference"] == "real.mp4"


def test_the_page_is_self_contained(identity: Evaluation, tmp_path: Path) -> None:
    identity.write_html(tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert text.count("<img") == 3
    assert text.count("src='data:image/png;base64,") == 3
    assert "http" not in text
    assert "<script" not in text
    assert "mouth PSNR" in text


def test_it_prints_as_a_table(identity: Evaluation) -> None:
    text = str(identity)
    assert text.startswith("real.mp4 against real.mp4 (protocol video)")
    line = next(line for line in text.splitlines() if line.startswith("mouth PSNR"))
    assert line.split()[2:5] == ["100.0", "100.0..100.0", "100.0"]
    with pytest.raises(KeyError):
        identity["nothing"]
