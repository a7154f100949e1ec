"""What is computed stretch by stretch equals what the whole gives; nothing large is read at once."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from lipwright.core.contracts import F32
from lipwright.core.errors import ShapeError
from lipwright.core.ibug import MOUTH
from lipwright.face.landmarks68 import to_68
from lipwright.face.noise import NoiseMeter, noise_px
from lipwright.face.pose import PoseFinder, head_pose
from lipwright.face.smooth import fill_gaps, runs
from lipwright.face.track import TrackBuilder, smoothed
from lipwright.subject import pieces as pieces_module
from lipwright.subject.arrays import array_file, mapped
from lipwright.subject.pieces import Pieces, chunks
from lipwright.subject.store import Subject
from lipwright.subject.trace import Chosen, halo, write_track

SIZE = (512, 512)


def shaky(subject: Subject, n: int = 250, seed: int = 0) -> F32:
    """(n, 478, 3) px: the presenter's own mesh with noise, so that smoothing has something to do."""
    noise = np.random.default_rng(seed).normal(0, 0.7, (n, 478, 3)).astype(np.float32)
    return np.array(subject.track.dense_px)[:n] + noise


def saved(folder: Path, dense: F32, present: np.ndarray, cuts: list[int]) -> Pieces:
    """A track with gaps as pieces of uneven length, its face in the second of two places."""
    paths = []
    for number, (a, b) in enumerate(pairwise(cuts)):
        two = np.zeros((b - a, 2, 478, 3), np.float32)
        two[:, 1] = np.where(present[a:b, None, None], dense[a:b], 0)
        confidence = np.stack([np.zeros(b - a), present[a:b]], 1).astype(np.float32)
        with array_file(folder / f"{number:04d}.npz") as file:
            file.write("dense", two)
            file.write("confidence", confidence)
        paths.append(folder / f"{number:04d}.npz")
    return Pieces(paths)


def gaps(n: int) -> np.ndarray:
    """Seen frames with gaps at both ends, a long one, single frames and runs shorter than any window."""
    present = np.ones(n, bool)
    for start, stop in ((0, 3), (40, 41), (43, 44), (60, 130), (131, 133), (200, 203), (n - 5, n)):
        present[start:stop] = False
    return present


@pytest.mark.parametrize("fps", [Fraction(24), Fraction(25), Fraction(60_000, 1001)])
def test_the_streamed_track_equals_the_whole_one_bit_for_bit(
    subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fps: Fraction
) -> None:
    monkeypatch.setattr(pieces_module, "CHUNK", 17)
    dense, present = shaky(subject), gaps(250)
    dense[150:] += 180  # a cut that the face shows, and one that only the picture shows
    builder = TrackBuilder(SIZE, fps=float(fps))
    for mesh, seen in zip(dense, present, strict=True):
        builder.add([(mesh, 0.9)] if seen else [])
    whole, noise = builder.finish([180])
    pieces = saved(tmp_path, dense, present, [0, 50, 51, 120, 250])
    which = np.where(present, 1, -1).astype(np.int64)
    chosen = Chosen(which, (0.9 * present).astype(np.float32), (180,))
    asked: list[F32] = []

    def judge(pose: F32, points: object) -> np.ndarray:
        asked.append(points(100, 140))  # type: ignore[operator]
        return present & (np.arange(250) != 77)

    curves = write_track(tmp_path, tmp_path, pieces, chosen, SIZE, fps, judge)
    with np.load(tmp_path / "landmarks.npz") as file:
        np.testing.assert_array_equal(file["dense_px"], whole.dense_px)
        np.testing.assert_array_equal(file["landmarks_px"], whole.landmarks_px)
        np.testing.assert_array_equal(file["confidence"], whole.confidence)
        assert not file["usable"][77]
        assert np.abs(file["landmarks_normalised"][:, 27:36].mean(1)).max() < 1e-6
        np.testing.assert_allclose(np.linalg.norm(file["landmarks_normalised"], axis=(1, 2)), 1, rtol=1e-5)
    with np.load(tmp_path / "pose.npz") as file:
        np.testing.assert_array_equal(file["pose_rad"], whole.pose_rad)
    np.testing.assert_array_equal(asked[0], whole.landmarks_px[100:140])
    assert curves.noise_px == pytest.approx(noise, rel=1e-6)
    assert not (tmp_path / "points.raw").exists()


def test_a_window_of_the_longest_kind_is_what_a_stretch_needs(subject: Subject) -> None:
    """One frame less than the halo would not do: the test above can fail."""
    fps, dense, present = Fraction(25), shaky(subject, 100), np.ones(100, bool)
    whole = smoothed(dense, present, float(fps))
    reach = halo(fps)
    part = smoothed(dense[30 - reach : 70 + reach], present[30 - reach : 70 + reach], float(fps))[reach:-reach]
    np.testing.assert_array_equal(part, whole[30:70])
    bare = smoothed(dense[30:70], present[30:70], float(fps))
    assert not np.array_equal(bare, whole[30:70])


def test_gaps_are_filled_the_same_from_any_stretch(subject: Subject, tmp_path: Path) -> None:
    dense, present = shaky(subject), gaps(250)
    whole = fill_gaps(np.where(present[:, None, None], dense, 0).astype(np.float32), present)
    mesh = pieces_module.FilledMesh(
        saved(tmp_path, dense, present, [0, 90, 250]), np.where(present, 1, -1).astype(np.int64)
    )
    for start, stop in ((0, 250), (0, 2), (70, 80), (80, 140), (246, 250), (41, 42)):
        np.testing.assert_array_equal(mesh.read(start, stop), whole[start:stop])


def test_a_track_without_any_face_is_zeros(tmp_path: Path) -> None:
    pieces = saved(tmp_path, np.zeros((6, 478, 3), np.float32), np.zeros(6, bool), [0, 4, 6])
    mesh = pieces_module.FilledMesh(pieces, np.full(6, -1))
    assert mesh.read(1, 5).shape == (4, 478, 3)
    assert not mesh.read(0, 6).any()


def test_rows_of_any_frames_and_faces(subject: Subject, tmp_path: Path) -> None:
    dense, present = shaky(subject, 30), np.ones(30, bool)
    pieces = saved(tmp_path, dense, present, [0, 7, 20, 30])
    frames = np.array([2, 6, 7, 19, 29])
    np.testing.assert_array_equal(pieces.rows("dense", frames, np.ones(5, int)), dense[frames])
    picked = pieces.rows("dense", frames, np.array([1, -1, 0, 1, 1]))
    assert not picked[1:3].any()
    np.testing.assert_array_equal(picked[3], dense[19])
    np.testing.assert_array_equal(pieces.rows("confidence", frames)[:, 1], np.ones(5))
    assert len(pieces) == 30
    assert pieces.rows("dense", np.arange(0), np.arange(0)).shape == (0, 478, 3)


def test_poses_and_noise_of_stretches_are_those_of_the_whole(subject: Subject) -> None:
    points = to_68(shaky(subject, 90))
    finder = PoseFinder(SIZE)
    parts = [finder(points[a:b]) for a, b in chunks(90, 13)]
    np.testing.assert_array_equal(np.concatenate(parts), head_pose(points, SIZE))
    present = gaps(90)
    mouth = points[:, MOUTH]
    meter = NoiseMeter()
    for a, b in chunks(90, 13):
        meter.add(mouth[a:b], present[a:b])
    spans = [(b - a, noise_px(mouth[a:b])) for a, b in runs(present)]
    expected = np.sqrt(sum(n * v * v for n, v in spans) / sum(n for n, _ in spans))
    assert meter.result() == pytest.approx(float(expected), rel=1e-9)
    assert NoiseMeter().result() == 0


def test_arrays_are_numpys_own_and_stay_on_disk(tmp_path: Path) -> None:
    values = np.arange(24, dtype=np.float32).reshape(6, 4)
    with array_file(tmp_path / "a.npz") as file:
        file.stream("values", (6, 4), np.float32, (values[a:b] for a, b in chunks(6, 4)))
        file.write("flags", np.array([True, False]))
        file.write("empty", np.zeros((0, 3), np.uint8))
    with np.load(tmp_path / "a.npz") as loaded:
        np.testing.assert_array_equal(loaded["values"], values)
        assert loaded["flags"].tolist() == [True, False]
        assert loaded["empty"].shape == (0, 3)
    there = mapped(tmp_path / "a.npz", "values")
    assert isinstance(there, np.memmap)
    np.testing.assert_array_equal(there, values)
    assert mapped(tmp_path / "a.npz", "empty").shape == (0, 3)
    np.savez_compressed(tmp_path / "b.npz", values=values)
    np.testing.assert_array_equal(mapped(tmp_path / "b.npz", "values"), values)
    np.savez(tmp_path / "c.npz", values=values)
    np.testing.assert_array_equal(mapped(tmp_path / "c.npz", "values"), values)
    with pytest.raises(KeyError):
        mapped(tmp_path / "a.npz", "gone")


def test_arrays_of_a_wrong_length_leave_nothing(tmp_path: Path) -> None:
    for rows in (np.zeros((2, 3)), np.zeros((5, 3)), np.zeros((4, 2))):
        with pytest.raises(ShapeError, match="values"), array_file(tmp_path / "a.npz") as file:
            file.stream("values", (4, 3), np.float32, (rows,))
    assert not list(tmp_path.iterdir())
