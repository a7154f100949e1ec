"""The matte of the person: the presenter is inside, the studio is not, and edges stand still."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from importlib.resources import files
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from lipwright.face.matte import MatteFinder, Steadier, guided_coefficients
from lipwright.media.writer import EncoderSettings, VideoWriter

N = 24


@pytest.fixture(scope="module")
def presenter() -> list[np.ndarray]:
    """(512, 512, 3) frames of the bundled presenter."""
    frames = []
    with av.open(str(files("lipwright") / "assets" / "presenter.mp4")) as container:
        for frame in container.decode(video=0):
            frames.append(frame.to_ndarray(format="rgb24"))
            if len(frames) == N:
                break
    return frames


@pytest.fixture(scope="module")
def finder() -> Iterator[MatteFinder]:
    found = MatteFinder()
    yield found
    found.close()


@pytest.fixture(scope="module")
def mattes(presenter: list[np.ndarray], finder: MatteFinder) -> list[np.ndarray]:
    finder.reset()
    return [finder(frame) for frame in presenter]


def test_face_and_shoulders_are_inside_and_the_studio_is_not(mattes: list[np.ndarray]) -> None:
    for matte in mattes:
        assert matte.shape == (512, 512)
        assert matte.dtype == np.float32
        assert matte.min() >= 0
        assert matte.max() <= 1
        assert matte[110:300, 200:310].min() > 0.97  # the face
        assert matte[440:, 100:410].min() > 0.97  # the shoulders
        assert matte[:340, :90].max() < 0.03
        assert matte[:340, 420:].max() < 0.03
        assert ((matte > 0.05) & (matte < 0.95)).mean() < 0.06  # an edge, not a haze


def test_edges_do_not_flicker(presenter: list[np.ndarray], mattes: list[np.ndarray]) -> None:
    for i in range(1, N):
        still = np.abs(presenter[i].astype(int) - presenter[i - 1]).max(-1) < 3
        assert np.abs(mattes[i] - mattes[i - 1])[still].mean() < 0.001


def test_a_trembling_matte_of_a_still_picture_is_steadied() -> None:
    """First-order smoothing that keeps k = 0.8 leaves (1 - k) / (1 + k) of the variance: a third in amplitude."""
    rng = np.random.default_rng(0)
    guide = rng.random((60, 80)).astype(np.float32)
    steady, made = Steadier(), []
    given = [np.clip(0.5 + 0.1 * rng.standard_normal((60, 80)), 0, 1).astype(np.float32) for _ in range(60)]
    for matte in given:
        made.append(steady(guide + rng.normal(0, 0.004, guide.shape).astype(np.float32), matte))
    ratio = np.std(made[20:], axis=0).mean() / np.std(given[20:], axis=0).mean()
    assert ratio == pytest.approx(1 / 3, abs=0.05)


def test_a_moving_person_is_not_left_behind(presenter: list[np.ndarray], finder: MatteFinder) -> None:
    """After a jump of 20 pixels the matte is nearly the one that a new finder makes, and not the old one."""
    moved = np.roll(presenter[0], 20, axis=1)
    moved[:, :20] = presenter[0][:, :1]
    finder.reset()
    before = finder(presenter[0])
    after = finder(moved)
    finder.reset()
    alone = finder(moved)
    assert np.abs(after - alone)[:, 20:].mean() < 0.1 * np.abs(before - alone)[:, 20:].mean()


def test_any_size_has_the_matte_of_its_own_pixels(presenter: list[np.ndarray], finder: MatteFinder) -> None:
    finder.reset()
    whole = finder(presenter[0])
    large = finder(cv2.resize(presenter[0], (1023, 1023), interpolation=cv2.INTER_CUBIC))
    assert large.shape == (1023, 1023)
    assert np.abs(cv2.resize(large, (512, 512), interpolation=cv2.INTER_AREA) - whole).mean() < 0.01


def test_the_guided_filter_moves_an_edge_to_the_guides() -> None:
    """A step in the guide at 32, in the target at 29: the filtered target steps where the guide does."""
    guide = np.zeros((64, 64), np.float32)
    guide[:, 32:] = 0.8
    target = np.zeros((64, 64), np.float32)
    target[:, 29:] = 1
    slope, offset = guided_coefficients(guide, target, 6, 1e-4)
    made = slope * guide + offset
    rise = np.diff(made[32])
    assert int(np.argmax(rise)) == 31
    assert rise[31] > 0.4


def test_where_the_guide_is_its_own_target_nothing_changes() -> None:
    guide = np.random.default_rng(0).random((40, 50)).astype(np.float32)
    slope, offset = guided_coefficients(guide, guide, 3, 1e-8)
    np.testing.assert_allclose(slope * guide + offset, guide, atol=1e-3)


def test_the_presenters_alpha_survives_the_file(
    tmp_path: Path, presenter: list[np.ndarray], mattes: list[np.ndarray]
) -> None:
    path = tmp_path / "p.webm"
    with VideoWriter(path, (512, 512), Fraction(25), EncoderSettings(alpha=True, threads=1)) as writer:
        for frame, matte in zip(presenter[:4], mattes[:4], strict=True):
            writer.write(frame, np.rint(matte * 255).astype(np.uint8))
    context = av.CodecContext.create("libvpx-vp9", "r")
    with av.open(str(path)) as container:
        packets = [p for p in container.demux(video=0) if p.size]
    back = [frame for packet in packets for frame in context.decode(packet)]
    assert len(back) == 4
    for frame, matte in zip(back, mattes[:4], strict=True):
        plane = frame.planes[3]
        alpha = np.frombuffer(plane, np.uint8).reshape(plane.height, -1)[:, : plane.width]
        assert np.abs(alpha / 255 - matte).mean() < 0.005
