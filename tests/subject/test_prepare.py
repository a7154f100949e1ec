"""Preparing the presenter, and footage that cannot or can hardly be used."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lipwright.core.contracts import F32, U8
from lipwright.core.errors import FootageError, OutputError, SubjectError
from lipwright.face.tracker import TRACKERS, MediaPipeTracker
from lipwright.media.audio import read_audio, write_wav
from lipwright.media.join import join_frames
from lipwright.subject import segments
from lipwright.subject.finish import Job
from lipwright.subject.prepare import prepare
from lipwright.subject.store import Subject, time_splits

Talk = tuple[list[U8], F32]


class Counting(MediaPipeTracker):
    """Counts frames of all trackers of one test, and dies at a given one."""

    seen = 0
    die_at: int | None = None

    def __init__(self, max_faces: int = 1, static: bool = False) -> None:
        super().__init__(max_faces, static)
        self._counts = not static

    def detect(self, rgb8: U8) -> list[tuple[F32, float]]:
        if self._counts:
            if Counting.seen == Counting.die_at:
                raise KeyboardInterrupt
            Counting.seen += 1
        return super().detect(rgb8)


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> type[Counting]:
    monkeypatch.setitem(TRACKERS._items, "mediapipe", Counting)
    Counting.seen, Counting.die_at = 0, None
    return Counting


def test_the_report_of_the_presenter(subject: Subject) -> None:
    report = subject.report
    assert report["length_s"] == 10
    assert report["fps"] == "25"
    assert report["size"] == [512, 512]
    assert 150 < report["face_width_px"] < 260
    assert report["no_face_share"] == 0
    assert report["faces"] == 1
    assert 0.2 < report["brightness"] < 0.6
    assert report["clipped_share"] < 0.01
    assert -20 < report["yaw_deg"][0] < report["yaw_deg"][1] < 20
    assert 0.02 < report["silence_share"] < 0.4
    assert abs(report["audio_offset"]["offset_s"]) < 0.04
    assert report["audio_offset"]["sure"]
    assert not report["audio_offset"]["corrected"]
    assert 0.1 < report["tracker_noise_px"] < 1.5
    assert subject.advice[0].startswith("10 s is short")
    assert json.loads((subject.path / "report.json").read_text()) == report


def test_what_lies_in_the_folder(subject: Subject) -> None:
    assert len(subject) == len(subject.frames) == len(subject.track) == len(subject.contour_px) == 250
    assert len(subject.samples) == 160_000
    assert subject.fps == Fraction(25)
    assert subject.size == (512, 512)
    assert not (subject.path / ".work").exists()
    assert np.isfinite(subject.contour_px).all()
    assert (subject.contour_px > 0).all()
    assert list(subject.usable("train")) == list(subject.split("train"))


def test_frames_are_the_footages(subject: Subject, presenter: Path) -> None:
    from lipwright.media.video import VideoReader

    with VideoReader(presenter, end_s=Fraction(1)) as reader:
        real = [f.rgb8 for f in reader]
    error = [np.abs(a.astype(int) - b).mean() for a, b in zip(real, subject.frames.read(0, 25), strict=True)]
    assert max(error) < 1.5
    heard = read_audio(presenter, 16_000, Fraction(0), Fraction(10))
    assert np.abs(subject.samples[:159_000] - heard[:159_000]).max() < 1e-3


@pytest.mark.parametrize("n", [50, 64, 120, 1000, 1500, 90_000])
def test_splits_never_overlap(n: int) -> None:
    splits = time_splits(n, Fraction(25))
    (a, b), (c, d) = splits["train"], splits["validation"]
    assert a == 0
    assert d == n
    assert 0 < b < c < d
    assert c - b >= min(75, (d - c) // 2)
    assert (b - a) / n > 0.8


def test_killed_and_resumed_equals_undisturbed(
    talk: Talk, film: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counting: type[Counting]
) -> None:
    monkeypatch.setattr(segments, "SEGMENT_S", 1)
    clip = film(*talk)
    whole = prepare(clip, tmp_path / "whole")
    assert counting.seen == 75
    counting.seen, counting.die_at = 0, 60
    with pytest.raises(KeyboardInterrupt):
        prepare(clip, tmp_path / "parts")
    with pytest.raises(SubjectError, match="not a prepared subject"):
        Subject.open(tmp_path / "parts")
    counting.seen, counting.die_at = 0, None
    resumed = prepare(clip, tmp_path / "parts")
    assert counting.seen == 25, "the two finished segments were not tracked again"
    # A tracker begins afresh at the resumed segment, where its first frames settle: a pixel at most.
    np.testing.assert_array_equal(resumed.track.landmarks_px[:45], whole.track.landmarks_px[:45])
    assert np.abs(resumed.track.landmarks_px - whole.track.landmarks_px).max() < 1.0
    for a, b in zip(whole.frames.read(), resumed.frames.read(), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(whole.samples, resumed.samples)


def test_prepared_once(
    talk: Talk, film: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counting: type[Counting]
) -> None:
    clip = film(*talk)
    first = prepare(clip, tmp_path / "s")
    assert counting.seen == 75
    assert prepare(clip, tmp_path / "s").info == first.info
    assert counting.seen == 75, "found again"
    with monkeypatch.context() as patch:
        patch.setattr(segments, "SEGMENT_S", 2)
        shorter = prepare(clip, tmp_path / "s", trim=(0, 2.5))
    assert (len(shorter), counting.seen) == (63, 138)
    assert shorter.info["key"] != first.info["key"]


@pytest.mark.parametrize("damage", ["subject.json", "landmarks.npz", "a segment"])
def test_damaged_subjects_are_prepared_again(
    talk: Talk, film: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    clip = film(*talk)
    folder = tmp_path / "s"
    if damage == "a segment":
        monkeypatch.setattr(Job, "finish", lambda *a: None)
        prepare(clip, folder)
        monkeypatch.undo()
        next((folder / ".work").rglob("*.npz")).write_bytes(b"")
    else:
        prepare(clip, folder)
        if damage == "subject.json":
            (folder / damage).write_text("{")
        else:
            (folder / damage).unlink()
        with pytest.raises(SubjectError, match="prepare the footage again"):
            Subject.open(folder)
    assert len(prepare(clip, folder).track) == 75


def test_damaged_tracks_say_so(subject: Subject, tmp_path: Path) -> None:
    folder = shutil.copytree(subject.path, tmp_path / "copy")
    data = (folder / "landmarks.npz").read_bytes()
    (folder / "landmarks.npz").write_bytes(data[: len(data) // 2])
    with pytest.raises(SubjectError, match=r"landmarks\.npz is damaged"):
        Subject.open(folder).track  # noqa: B018


def test_a_newer_subject_is_left_alone(subject: Subject, presenter: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(subject.path, tmp_path / "copy")
    info = json.loads((folder / "subject.json").read_text())
    (folder / "subject.json").write_text(json.dumps(info | {"schema": 99}))
    for attempt in (lambda: Subject.open(folder), lambda: prepare(presenter, folder, trim=(0, 3))):
        with pytest.raises(SubjectError, match=r"schema 99.*update lipwright"):
            attempt()
    assert json.loads((folder / "subject.json").read_text())["schema"] == 99


def refused(clip: Path, tmp_path: Path, words: str, kind: type[Exception] = FootageError, **options: Any) -> None:
    with pytest.raises(kind, match=words) as caught:
        prepare(clip, tmp_path / "refused", **options)
    assert "\n" not in str(caught.value)
    assert clip.name in str(caught.value)
    assert not (tmp_path / "refused").exists(), "a refusal leaves nothing behind"


def test_no_face(talk: Talk, film: Callable[..., Path], tmp_path: Path) -> None:
    grey = np.full((240, 320, 3), 90, np.uint8)
    refused(film([grey] * 75, talk[1]), tmp_path, "no face was found")


def test_no_sound_track(talk: Talk, film: Callable[..., Path], tmp_path: Path) -> None:
    clip = film(talk[0], None)
    refused(clip, tmp_path, "has no audio track")
    assert not prepare(clip, tmp_path / "picture", need_sound=False).samples.any()


def test_silent_sound_is_refused_before_minutes_of_tracking(
    talk: Talk, film: Callable[..., Path], tmp_path: Path, counting: type[Counting]
) -> None:
    refused(film(talk[0], np.zeros_like(talk[1])), tmp_path, "is silent")
    assert counting.seen == 0


def test_files_that_are_no_footage(talk: Talk, film: Callable[..., Path], tmp_path: Path) -> None:
    import cv2

    clip = film(*talk)
    data = clip.read_bytes()
    (tmp_path / "half.mp4").write_bytes(data[: len(data) // 3])
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "notes.mp4").write_text("not a video\n" * 50)
    cv2.imwrite(str(tmp_path / "photo.png"), talk[0][0])
    write_wav(tmp_path / "voice.wav", talk[1], 16_000)
    cases = {
        "half.mp4": "ends after .* it is probably cut off",
        "empty.mp4": "0 bytes",
        "notes.mp4": "notes",
        "photo.png": "is an image",
        "voice.wav": "no picture",
        "gone.mp4": "does not exist",
    }
    for name, words in cases.items():
        refused(tmp_path / name, tmp_path, words)


def test_a_file_that_breaks_off_is_used_as_far_as_it_goes(presenter: Path, tmp_path: Path) -> None:
    """The index of a web-ready mp4 comes first, so a broken copy opens as if it were whole."""
    data = presenter.read_bytes()
    (tmp_path / "half.mp4").write_bytes(data[: len(data) // 6])
    subject = prepare(tmp_path / "half.mp4", tmp_path / "s")
    assert 2 < len(subject) / 25 < 15
    assert subject.report["missing_s"] > 30
    assert "cut off" in subject.advice[0]
    assert len(subject.samples) == len(subject) * 640


def test_stretches_that_do_not_exist(talk: Talk, film: Callable[..., Path], tmp_path: Path) -> None:
    clip = film(*talk)
    refused(clip, tmp_path, "which is 3.00 s long", trim=(5, 9))
    refused(clip, tmp_path, "at least 2 s are needed", trim=(1, 2))
    refused(film(talk[0][:20], talk[1][:12_800], "short.mp4"), tmp_path, "at least 2 s are needed")


def test_a_face_in_some_frames(talk: Talk, film: Callable[..., Path], tmp_path: Path) -> None:
    frames = [np.full_like(f, 70) if 30 <= t < 45 else f for t, f in enumerate(talk[0])]
    subject = prepare(film(frames, talk[1]), tmp_path / "s")
    present = subject.track.present
    assert not present[31:45].any()
    assert present[:29].all()
    assert present[47:].all()
    assert subject.report["no_face_share"] == pytest.approx(0.2, abs=0.03)
    (gap,) = subject.report["no_face_frames"]
    assert gap == pytest.approx([30, 45], abs=2)
    assert "show no face; they are left out of training" in " ".join(subject.advice)
    assert np.isfinite(subject.track.landmarks_px).all()
    ends = subject.track.landmarks_px[[28, 47]].min(0) - 3, subject.track.landmarks_px[[28, 47]].max(0) + 3
    assert ((subject.track.landmarks_px[35] >= ends[0]) & (subject.track.landmarks_px[35] <= ends[1])).all()
    assert not set(subject.usable("train")) & set(range(31, 45))


def test_a_face_in_hardly_any_frame(talk: Talk, film: Callable[..., Path], tmp_path: Path) -> None:
    # A face in the fifth of eight probed frames and little around it.
    frames = [f if 40 <= t < 45 else np.full_like(f, 70) for t, f in enumerate(talk[0])]
    clip = film(frames, talk[1])
    refused(clip, tmp_path, r"no face was found|shows the face for 0.2 s only")
    earlier = prepare(film(*talk, "good.mp4"), tmp_path / "kept")
    with pytest.raises(FootageError):
        prepare(clip, tmp_path / "kept")
    assert Subject.open(tmp_path / "kept").info == earlier.info, "a refusal keeps what was there"
    assert len(earlier.frames) == 75


def test_two_faces(talk: Talk, film: Callable[..., Path], tmp_path: Path) -> None:
    """The larger one is followed; the other one on request; a third is not made up."""
    import cv2

    small = [cv2.resize(f, (200, 200)) for f in talk[0]]
    frames = [np.hstack([np.vstack([s, np.full((56, 200, 3), 70, np.uint8)]), f])
              for s, f in zip(small, talk[0][::-1], strict=True)]  # fmt: skip
    clip = film(frames, talk[1])
    centre = {}
    for face in (None, 1):
        subject = prepare(clip, tmp_path / f"face{face}", face=face)
        assert subject.report["faces"] == 2
        assert subject.report["no_face_share"] < 0.1
        centre[face] = subject.track.landmarks_px[:, 30, 0]
        assert np.ptp(centre[face]) < 40, "it stays with one person"
    assert (centre[None] > 220).all()
    assert (centre[1] < 190).all()
    assert "--face N for another" in " ".join(prepare(clip, tmp_path / "faceNone").advice)
    with pytest.raises(FootageError, match="--face 2: 2 persons are seen"):
        prepare(clip, tmp_path / "face2", face=2)


def test_odd_dimensions(talk: Talk, film: Callable[..., Path], tmp_path: Path) -> None:
    frames = [f[:-1, 2:-1] for f in talk[0]]
    subject = prepare(film(frames, talk[1]), tmp_path / "s")
    width, height = subject.size
    assert abs(width - 253) <= 1
    assert abs(height - 255) <= 1
    assert subject.track.present.all()
    assert next(subject.frames.read()).shape == (height, width, 3)


def test_a_late_sound_track_is_reported_and_corrected(
    presenter: Path, tmp_path: Path, film: Callable[..., Path]
) -> None:
    from lipwright.media.video import VideoReader

    with VideoReader(presenter, end_s=Fraction(8), size=(256, 256)) as reader:
        frames = [f.rgb8 for f in reader]
    sound = read_audio(presenter, 16_000, Fraction(0), Fraction(8))
    late = np.concatenate([np.zeros(3200, np.float32), sound])[: len(sound)]
    clip = film(frames, late)
    subject = prepare(clip, tmp_path / "s")
    offset = subject.report["audio_offset"]
    assert offset["sure"]
    assert offset["corrected"]
    assert offset["offset_s"] == pytest.approx(0.2, abs=0.04)
    assert "200 ms late" in " ".join(subject.advice) or "ms late; this was corrected" in " ".join(subject.advice)
    heard = read_audio(clip, 16_000)
    lags = range(2400, 4000)
    error = [np.abs(subject.samples[:100_000] - heard[lag : lag + 100_000]).mean() for lag in lags]
    assert lags[int(np.argmin(error))] == pytest.approx(offset["offset_s"] * 16_000, abs=1)
    assert min(error) < 1e-3
    assert len(subject.samples) == len(heard)
    kept = prepare(clip, tmp_path / "s", correct_offset=False)
    assert not kept.report["audio_offset"]["corrected"]
    np.testing.assert_allclose(kept.samples[:100_000], heard[:100_000], atol=1e-3)
    assert "this was not corrected" in " ".join(kept.advice)


def test_a_place_that_cannot_be_written(talk: Talk, film: Callable[..., Path], tmp_path: Path) -> None:
    clip = film(*talk)
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OutputError, match="cannot write"):
            prepare(clip, place)


def test_joining_keeps_the_number_of_frames(subject: Subject, tmp_path: Path) -> None:
    assert join_frames([subject.path / "frames.mp4"] * 2, tmp_path / "two.mp4") == 500
