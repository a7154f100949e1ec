from __future__ import annotations

import numpy as np
import pytest

from lipwright.core.contracts import Conditions
from lipwright.motion.config import PAPER, MotionConfig
from lipwright.motion.data import MotionClip, MotionData
from lipwright.motion.geometry import rotate
from lipwright.motion.lips import Lips, fit_lips, gaps_of, lips_arrays, lips_from, ramp
from lipwright.motion.separate import enlarge
from lipwright.motion.task import MotionTask
from lipwright.speech.phones import phone_rows

from .conftest import face_at_rest, make_clip

INNER, OUTER_BOTTOM, CHIN = [17, 18, 19], 9, 24


def talking(frames: int = 400, closes: bool = True, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(T, 29, 2) an opening mouth that shuts for 3 frames every 20, and phones that say 'M' there."""
    rng = np.random.default_rng(seed)
    gap = 0.02 + 0.01 * np.convolve(rng.normal(0, 1, frames), np.hanning(7) / 2, "same")[:frames]
    gap = np.clip(gap, 0.008, None)
    labels = ["AH"] * frames
    for start in range(10, frames - 5, 20):
        labels[start : start + 3] = ["M"] * 3
        if closes:
            gap[start : start + 3] = 0.001
    points = np.tile(face_at_rest(), (frames, 1, 1))
    points[:, [13, 14, 15], 1] = 0.15
    points[:, INNER, 1] = 0.15 + gap[:, None]
    points[:, 7:10, 1] += 0.8 * gap[:, None]
    points[:, 20:, 1] += 0.5 * gap[:, None]
    return points.astype(np.float32), phone_rows(labels)


def fitted(closes: bool = True) -> Lips:
    points, rows = talking(closes=closes)
    return fit_lips([points], [np.zeros(400, np.float32)], [np.ones(400, np.float32)], [rows])


def test_measures_the_closed_gap_the_opening_and_trust() -> None:
    lips = fitted()
    np.testing.assert_allclose(lips.closed, 0.001, atol=1e-5)
    np.testing.assert_allclose(lips.opening[CHIN], [0, 0.5], atol=1e-5)
    np.testing.assert_allclose(lips.opening[OUTER_BOTTOM], [0, 0.8], atol=1e-5)
    assert lips.trust == 1
    assert fitted(closes=False).trust == 0


@pytest.mark.parametrize("exact", [0.0, 1.0])
def test_bilabials_close_and_take_outer_lip_and_chin_along(exact: float) -> None:
    lips, open_mouth = fitted(), talking(20, closes=False)[0]
    rows = phone_rows(["AH"] * 8 + ["P"] * 3 + ["AH"] * 9)
    moved = lips(open_mouth, np.zeros(20, np.float32), rows, np.full(20, exact, np.float32))
    np.testing.assert_allclose(gaps_of(moved)[8:11], np.tile(lips.closed, (3, 1)), atol=1e-6)
    np.testing.assert_allclose(moved[:8], open_mouth[:8], atol=1e-6)
    shrunk = gaps_of(open_mouth)[9, 0] - lips.closed[0]
    assert open_mouth[9, CHIN, 1] - moved[9, CHIN, 1] == pytest.approx(0.5 * shrunk, abs=1e-5)
    assert open_mouth[9, OUTER_BOTTOM, 1] - moved[9, OUTER_BOTTOM, 1] == pytest.approx(0.8 * shrunk, abs=1e-5)


def test_doubted_recognition_closes_nothing_but_exact_phones_do() -> None:
    lips, mouth = fitted(closes=False), talking(20, closes=False)[0]
    still = np.zeros(20, np.float32)
    rows = phone_rows(["B"] * 20)
    np.testing.assert_allclose(lips(mouth, still, rows, still), mouth, atol=1e-6)
    shut = gaps_of(lips(mouth, still, rows, still + 1))
    np.testing.assert_allclose(shut, np.minimum(gaps_of(mouth), lips.closed), atol=1e-6)


def test_labiodentals_come_near_and_crossed_lips_touch() -> None:
    lips, mouth = fitted(), talking(6, closes=False)[0]
    still = np.zeros(6, np.float32)
    near = gaps_of(lips(mouth, still, phone_rows(["F"] * 6), still + 1))
    np.testing.assert_allclose(near, np.minimum(gaps_of(mouth), lips.near), atol=1e-6)
    mouth[:, INNER, 1] = 0.14
    np.testing.assert_allclose(gaps_of(lips(mouth, still, phone_rows(["AH"] * 6), still)), 0, atol=1e-6)


def test_a_rolled_head_closes_along_its_own_axis() -> None:
    lips, mouth = fitted(), talking(6, closes=False)[0]
    roll, rows = np.full(6, 0.3, np.float32), phone_rows(["M"] * 6)
    exact = np.ones(6, np.float32)
    upright = lips(mouth, 0 * roll, rows, exact)
    np.testing.assert_allclose(lips(rotate(mouth, roll), roll, rows, exact), rotate(upright, roll), atol=1e-6)


def test_ramp_is_smooth_and_reaches_both_ends() -> None:
    share = np.array([0, 0.05, 0.3, 0.55, 1], np.float32)
    np.testing.assert_allclose(ramp(share), [0, 0, 0.5, 1, 1], atol=1e-6)


def test_a_checkpoint_keeps_the_lips() -> None:
    lips = fitted()
    arrays = lips_arrays(lips)
    again = lips_from(arrays.__getitem__)
    mouth, rows = talking(60, closes=False)
    still = np.zeros(60, np.float32)
    np.testing.assert_array_equal(again(mouth, still, rows, still), lips(mouth, still, rows, still))


@pytest.mark.parametrize("separate", [True, False])
def test_models_close_the_lips_whole_and_in_chunks(separate: bool) -> None:
    clip = make_clip(400)
    points, rows = talking()
    rows = np.where(np.arange(400)[:, None] // 40 % 5 == 4, phone_rows(["SIL"]), rows)
    heard = {
        "cepstra": clip.features["logfbank"][::4, :8], "logfbank": clip.features["logfbank"],
        "phones": rows, "pauses": np.zeros((400, 2), np.float32),
    }  # fmt: skip
    features = ("cepstra", "phones") if separate else PAPER.features
    config = MotionConfig(
        features=features, separate=separate, kernel_share=0.7 * separate, width=8, lips=True, dropout=0.0
    )
    spoken = MotionClip(heard, points, Conditions(clip.conditions.pose_rad * 0, clip.conditions.cheeks), clip.weight)
    model = MotionTask(config, MotionData((spoken,))).model()
    assert set(model.info.features) == set(config.features) | {"phones", "pauses"}
    whole = model.predict(spoken.features, spoken.conditions)
    np.testing.assert_allclose(gaps_of(whole)[11:120:20], 0.001, atol=2e-4)
    halo = model.info.halo
    for start, stop in [(0, 60), (150, 230), (300, 400)]:
        low, high = max(start - halo, 0), min(stop + halo, 400)
        part = spoken.part(low, high)
        out = model.predict(part.features, part.conditions)[start - low : stop - low]
        np.testing.assert_allclose(out, whole[start:stop], atol=1e-5)


def test_gain_enlarges_the_opening_around_its_mean_and_nothing_else() -> None:
    mouth = talking(200, closes=False)[0].copy()
    mouth[:, 0, 0] += np.linspace(-0.01, 0.01, 200)
    middle, opening = mouth.mean(axis=0).reshape(-1), fitted().opening
    grown = enlarge(mouth, 1.5, middle, opening.reshape(-1))
    before, after = gaps_of(mouth).mean(axis=1), gaps_of(grown).mean(axis=1)
    np.testing.assert_allclose(after - after.mean(), 1.5 * (before - before.mean()), atol=1e-6)
    assert after.mean() == pytest.approx(before.mean(), abs=1e-6)
    np.testing.assert_allclose(grown[:, 0], mouth[:, 0], atol=1e-6)


def test_gain_is_what_held_out_frames_lack() -> None:
    clip = make_clip(400)
    noisy = {"logfbank": clip.features["logfbank"] + np.random.default_rng(1).normal(0, 0.7, (1600, 26))}
    data = MotionData((MotionClip(noisy, clip.landmarks, clip.conditions, clip.weight),))
    config = MotionConfig(separate=True, kernel_share=1.0, width=8, amplitude=1.0)
    separate = MotionTask(config, data).statistics.separate
    assert separate is not None
    assert 1 < separate.gain < 2
    test = make_clip(400, seed=5)
    noise = np.random.default_rng(2).normal(0, 0.7, (1600, 26))
    model = MotionTask(config, data).model()
    said = gaps_of(model.predict({"logfbank": (test.features["logfbank"] + noise).astype(np.float32)}, test.conditions))
    assert said.mean(axis=1).std() / gaps_of(test.landmarks).mean(axis=1).std() == pytest.approx(1, abs=0.15)
