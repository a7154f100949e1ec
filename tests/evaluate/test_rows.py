"""Intervals, time rows and floors, on the drawn face and on made-up tracks."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from lipwright.evaluate.floor import face_noise_distance, landmark_noise
from lipwright.evaluate.result import Evaluation, span
from lipwright.evaluate.source import Clip, Scan, scan
from lipwright.evaluate.timerows import cuts, longest_freeze, sound_gap, time_rows
from lipwright.evaluate.video import evaluate
from lipwright.metrics.inception import FidInception

from .drawn import FPS, N_FRAMES, SIZE, MarkerTracker, Talk, write
from .layouts import alexnet, linear
from .test_parts import face_track


@pytest.fixture(scope="module")
def softened(talk: Talk, tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    """A mouth that is soft for the second half: a quantity that varies over time."""
    soft = np.repeat([0.5, 1.5], N_FRAMES // 2)
    path = write(tmp_path_factory.mktemp("soft") / "soft.mp4", talk.heights, talk.noses, talk.sound, soft=soft)
    return evaluate(path, talk.path, make_tracker=MarkerTracker)


@pytest.fixture(scope="module")
def seen(talk: Talk) -> Scan:
    return scan(talk.clip, FPS, SIZE, MarkerTracker)


def test_every_mean_over_frames_has_an_interval_that_holds_its_value(softened: Evaluation) -> None:
    keys = {row.key for row in softened.rows if row.interval is not None}
    means = {"psnr", "ssim_gaussian", "ssim_uniform", "sharpness_ratio", "jitter_ratio", "blockiness"}
    assert {f"{area}.{m}" for area in ("mouth", "face", "full") for m in means} <= keys
    assert {row.key for row in softened.rows if row.key.startswith(("landmarks.", "lips."))} <= keys
    assert {"time.frozen", "time.no_face", "time.flicker", "time.blockiness"} <= keys
    for row in softened.rows:
        if row.interval is not None and "frechet" not in row.key:
            assert row.interval[0] - 1e-9 <= (row.video or 0) <= row.interval[1] + 1e-9
    low, high = softened["mouth.sharpness_ratio"].interval or (0, 0)
    assert high - low > 0.1


def test_intervals_and_versions_are_in_every_output(softened: Evaluation, tmp_path: Path) -> None:
    row = softened["mouth.psnr"]
    text = span(row.interval)
    assert ".." in text
    assert text in str(softened)
    softened.write_html(tmp_path / "a.html")
    assert text in (tmp_path / "a.html").read_text(encoding="utf-8")
    softened.write_json(tmp_path / "a.json")
    data = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert data["metrics"]["mouth.psnr"]["interval"] == list(row.interval or ())
    assert data["protocol"]["intervals"] == "95 %, 1000 draws of 1 s blocks, seed 0"
    assert set(data["protocol"]["versions"]) == {"numpy", "scipy", "opencv", "av"}
    assert span(None) == "-"


def test_areas_too_small_for_five_scales_have_no_ms_ssim(softened: Evaluation) -> None:
    assert "full.ms_ssim" not in softened
    assert "full.ssim_gaussian" in softened


def test_a_short_clip_has_values_but_no_intervals(talk: Talk) -> None:
    clip = Clip(talk.path, end_s=Fraction(2))
    result = evaluate(clip, clip, make_tracker=MarkerTracker)
    assert all(row.interval is None for row in result.rows)
    assert result["mouth.psnr"].video == 100


def test_fid_and_lpips_appear_only_with_their_weights(
    talk: Talk, softened: Evaluation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not any(row.key.endswith((".fid", ".lpips")) for row in softened.rows)
    monkeypatch.setenv("LIPWRIGHT_MODELS", str(tmp_path))
    torch.save(FidInception().state_dict(), tmp_path / "pt_inception-2015-12-05-6726825d.pth")
    torch.save(alexnet(), tmp_path / "alexnet-owt-7be5be79.pth")
    torch.save(linear(), tmp_path / "lpips_alex_v0.1.pth")
    clip = Clip(talk.path, end_s=Fraction(12, 25))
    result = evaluate(clip, clip, make_tracker=MarkerTracker)
    assert result["full.fid"].video == pytest.approx(0, abs=1e-6)
    assert result["full.lpips"].video == 0
    assert any("FID is from 3 frames; below 2048" in note for note in result.notes)


def test_length_of_the_sound_against_the_picture(seen: Scan) -> None:
    assert sound_gap(seen) == pytest.approx(0, abs=1)
    assert sound_gap(replace(seen, samples=seen.samples[:-3200])) == pytest.approx(-200, abs=1)
    assert np.isnan(sound_gap(replace(seen, samples=seen.samples[:0])))


def test_the_longest_standstill_in_seconds(seen: Scan) -> None:
    changes = np.full(99, 5.0)
    changes[10:13] = changes[40:50] = 0
    assert longest_freeze(replace(seen, changes=changes)) == pytest.approx(10 / 25)
    assert longest_freeze(replace(seen, changes=np.ones(99))) == 0


def test_a_cut_to_another_picture_is_counted(seen: Scan) -> None:
    assert cuts(seen) == 0
    scenes = seen.scenes.copy()
    scenes[50:] = 255 - scenes[50:]
    assert cuts(replace(seen, scenes=scenes)) == 1


def test_flicker_is_that_of_the_video_in_the_cells_where_the_real_one_rests(seen: Scan) -> None:
    light = 2 * np.random.default_rng(0).normal(size=(N_FRAMES, 1, 1))
    flickering = replace(seen, cells=(seen.cells + light).astype(np.float32))
    rows = {row.key: row for row in time_rows({"video": flickering, "real": seen})}
    row = rows["time.flicker"]
    assert (row.real or 9) < 0.1
    assert row.video == pytest.approx(2, rel=0.2)


def test_the_noise_floor_of_all_points_follows_each_groups_smoothing() -> None:
    from lipwright.core.contracts import FaceTrack
    from lipwright.face.smooth import JAW_WINDOW, LID_WINDOW, LIP_WINDOW, RIGID_WINDOW, smooth

    rng = np.random.default_rng(0)
    raw = rng.normal(0, 0.8, (600, 68, 2)).astype(np.float32)
    noise = np.zeros_like(raw)
    for points, window, order in (
        (range(48, 68), LIP_WINDOW, 2),
        (range(17), JAW_WINDOW, 2),
        (range(36, 48), LID_WINDOW, 2),
        (range(17, 36), RIGID_WINDOW, 3),
    ):
        noise[:, list(points)] = smooth(raw[:, list(points)], window, order)
    track = face_track(np.full((600, 2), 150.0))
    noisy = FaceTrack(track.landmarks_px + noise, track.dense_px, track.confidence, track.pose_rad, track.size)
    assert face_noise_distance(noisy) == pytest.approx(np.linalg.norm(noise, axis=-1).mean(), rel=0.05)
    assert face_noise_distance(noisy) < landmark_noise(noisy).sigma_px * np.sqrt(np.pi / 2)


def test_another_size_and_rate_are_brought_to_the_references_and_named(talk: Talk, tmp_path: Path) -> None:
    import cv2

    from lipwright.media.settings import EncoderSettings
    from lipwright.media.video import VideoReader
    from lipwright.media.writer import VideoWriter

    path = tmp_path / "small.mp4"
    with (
        VideoReader(talk.path, fps=Fraction(50)) as reader,
        VideoWriter(path, (96, 72), Fraction(50), EncoderSettings(crf=4), audio=talk.sound) as writer,
    ):
        for frame in reader:
            writer.write(cv2.resize(frame.rgb8, (96, 72), interpolation=cv2.INTER_AREA))
    result = evaluate(path, talk.path, make_tracker=MarkerTracker)
    assert "scaled from 96x72 to the reference's 192x144" in result.notes
    assert "read at the reference's 25 fps instead of 50" in result.notes
    assert result.protocol["frames"] == N_FRAMES
    assert (result["lips.correlation"].video or 0) > 0.97
    assert (result["mouth.sharpness_ratio"].video or 9) < 0.7
