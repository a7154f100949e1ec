"""Landmark tracks without pictures: exact, repeatable, of every split, and finished where they were stopped."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from lipwright.core.errors import ConfigError, SubjectError
from lipwright.core.ibug import lip_aperture
from lipwright.face.ict import IctModel
from lipwright.presenter import tracks
from lipwright.presenter.sentences import text_of
from lipwright.presenter.tracks import TrackSet, is_tracks, main, make_tracks, read_tracks


def test_sentences_are_whole_and_never_the_same() -> None:
    said = text_of(np.random.default_rng(0), 200)
    sentences = [s for s in said.replace("?", ".").replace("!", ".").split(".") if s]
    assert len(said.split()) >= 200
    assert len(set(sentences)) == len(sentences)
    assert all(s.strip()[0].isupper() for s in sentences)
    assert said == text_of(np.random.default_rng(0), 200)


@pytest.mark.parametrize("change", [{"minutes": 0}, {"people": 0}, {"yaw_deg": 50.0}, {"pitch_deg": 21.0}])
def test_values_out_of_range_are_refused(change: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="is outside"):
        TrackSet(**change)  # type: ignore[arg-type]


def test_what_is_no_set_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not is_tracks(tmp_path)
    with pytest.raises(SubjectError, match="is no whole set of tracks"):
        next(read_tracks(tmp_path))
    assert main(["-o", str(tmp_path / "set"), "--model", str(tmp_path / "none.npz")]) == 2
    assert "the ICT-FaceKit model is not at" in capsys.readouterr().err


@pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")
def test_a_set_is_exact_and_goes_on(ict: IctModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracks, "_WORDS", 12)
    monkeypatch.setattr(tracks, "_voices", lambda: [("flite", "slt"), ("flite", "rms")])
    folder = make_tracks(ict, TrackSet(minutes=2, people=2), tmp_path / "set")
    before = [clip.landmarks_px for clip in read_tracks(folder)]
    monkeypatch.setattr(tracks, "load_ict", lambda path: ict)
    assert main(["-o", str(folder), "--minutes", "5", "--people", "2"]) == 0
    clips = list(read_tracks(folder))
    assert [c.split for c in clips] == ["train"] * 4 + ["validation"]
    assert {c.person for c in clips} == {0, 1}
    for old, clip in zip(before, clips, strict=False):
        np.testing.assert_array_equal(old, clip.landmarks_px)
    for clip in clips:
        n = len(clip.landmarks_px)
        assert abs(len(clip.samples) - 640 * n) <= 640
        assert len(clip.phones) > 20
        assert np.degrees(np.abs(clip.pose_rad)).max(axis=0) == pytest.approx([20, 35, 0], abs=15)
        assert np.degrees(np.abs(clip.pose_rad[:, 1])).max() == pytest.approx(35, abs=0.1)
        assert not np.array_equal(clip.cross_pose_rad, clip.pose_rad)
        own, crossed, shown = (
            lip_aperture(p) for p in (clip.landmarks_px, clip.cross_landmarks_px, clip.template_landmarks_px)
        )
        assert np.corrcoef(own, crossed)[0, 1] > 0.9, "the same speech over other head motion"
        assert np.corrcoef(own, shown)[0, 1] < 0.6, "the template says something else"
    again = make_tracks(ict, TrackSet(minutes=1, people=2), tmp_path / "again")
    np.testing.assert_array_equal(next(read_tracks(again)).landmarks_px, clips[0].landmarks_px)
    with pytest.raises(ConfigError, match="holds another set of tracks"):
        make_tracks(ict, TrackSet(minutes=5, people=2, seed=1), folder)
    listed = json.loads((folder / "set.json").read_text())
    assert all(row["voice"].startswith("flite") for row in listed["clips"])
