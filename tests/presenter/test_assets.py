"""The shipped clip: does its truth say what the picture shows?"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import lipwright
from lipwright.core.ibug import INNER_BOTTOM, INNER_TOP
from lipwright.media.probe import probe
from lipwright.media.video import VideoReader
from lipwright.presenter.lips import frame_times
from lipwright.presenter.scene import Truth, load_phones, load_truth
from lipwright.presenter.visemes import BILABIAL, SILENCE

ASSETS = Path(lipwright.__file__).parent / "assets"
# mediapipe's own mesh indices: inner lips above and below, eye corners, nose tip
ABOVE, BELOW = [82, 13, 312], [87, 14, 317]
MESH = [33, 133, 362, 263, 1]
IBUG = [36, 39, 42, 45, 30]


@pytest.fixture(scope="module", params=["presenter", "presenter_cross"])
def clip(request: pytest.FixtureRequest) -> tuple[Path, Truth]:
    name = request.param
    return ASSETS / f"{name}.mp4", load_truth(ASSETS / f"{name}_truth.npz")


def test_truth_covers_every_frame(clip: tuple[Path, Truth]) -> None:
    path, truth = clip
    info = probe(path)
    assert info.video is not None
    assert info.audio is not None
    assert (info.video.width, info.video.height, info.video.fps) == (truth.size, truth.size, truth.fps)
    assert info.duration_s is not None
    assert abs(info.duration_s - Fraction(len(truth.landmarks_px)) / truth.fps) < Fraction(1, 10)
    assert len(truth.pose_rad) == len(truth.gap_cm) == len(truth.landmarks_px)


def test_lips_close_in_every_bilabial_and_every_pause(clip: tuple[Path, Truth]) -> None:
    path, truth = clip
    times = frame_times(len(truth.gap_cm))
    phones = load_phones(path.with_name(path.stem + "_phones.json"))
    bilabials = [p for p in phones if p.symbol in BILABIAL and p.end_s - p.start_s >= 0.04]
    assert len(bilabials) >= 8
    for p in bilabials:
        inside = (times >= p.start_s - 0.02) & (times < p.end_s + 0.02)
        assert truth.gap_cm[inside].min() < 0.05
    for p in phones:
        inside = (times > p.start_s + 0.1) & (times < p.end_s - 0.1)
        if p.symbol in SILENCE and inside.any():
            assert truth.gap_cm[inside].max() < 0.05


def test_size_and_notices() -> None:
    sizes = {p.name: p.stat().st_size for p in ASSETS.glob("presenter*")}
    assert sizes["presenter.mp4"] < 3_000_000
    assert sizes["presenter_cross.mp4"] < 1_500_000
    assert "2020 USC Institute for Creative Technologies" in (ASSETS / "LICENSE-ICT-FaceKit.txt").read_text()
    assert "no real person" in " ".join((ASSETS / "README.md").read_text().split())


@pytest.mark.slow
def test_the_tracker_sees_what_the_truth_says(clip: tuple[Path, Truth]) -> None:
    import mediapipe as mp

    path, truth = clip
    mesh = mp.solutions.face_mesh.FaceMesh(refine_landmarks=True, max_num_faces=1)
    seen, wanted, places = [], [], []
    with VideoReader(path) as reader:
        for frame in reader:
            if frame.index % 25 > 3:  # four neighbours in every second: enough for tracking, quick
                continue
            found = mesh.process(frame.rgb8).multi_face_landmarks
            assert found, f"no face in frame {frame.index}"
            points = np.array([(p.x, p.y) for p in found[0].landmark]) * truth.size - 0.5
            true = truth.landmarks_px[frame.index]
            seen.append(np.linalg.norm(points[ABOVE] - points[BELOW], axis=1).mean())
            wanted.append(np.linalg.norm(true[INNER_TOP] - true[INNER_BOTTOM], axis=1).mean())
            places.append(points[MESH] - true[IBUG])
    mesh.close()
    assert np.corrcoef(seen, wanted)[0, 1] > 0.9
    assert np.linalg.norm(np.mean(places, axis=0), axis=1).max() < 0.03 * truth.size
    assert np.std(places, axis=0).max() < 0.015 * truth.size
