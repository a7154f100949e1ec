"""Controls over landmarks: wider lips that still close, calmer lips that are not late."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lipwright.core.errors import ConfigError
from lipwright.motion.config import PAPER, MotionConfig
from lipwright.motion.data import MotionClip, MotionData
from lipwright.motion.geometry import rotate
from lipwright.motion.lips import gaps_of
from lipwright.motion.model import CascadeMotion
from lipwright.motion.retarget import retargeted
from lipwright.motion.task import MotionTask
from lipwright.motion.window import SpeechWindow


@pytest.fixture(scope="module")
def model(spoken: MotionClip) -> CascadeMotion:
    task = MotionTask(replace(PAPER, width=8, batch=4, lips=True), MotionData((spoken,)))
    for i in range(5):
        task.step(i)
    return task.model()


def gap(points: np.ndarray, clip: MotionClip) -> np.ndarray:
    return gaps_of(rotate(points, -clip.conditions.pose_rad[:, 2])).mean(axis=1)


def test_nothing_asked_for_is_the_model_itself(model: CascadeMotion) -> None:
    assert retargeted(model) is model


@pytest.mark.parametrize("amplitude", [0.0, 0.6, 1.5])
def test_lips_part_so_much_farther_and_close_all_the_same(
    amplitude: float, model: CascadeMotion, spoken: MotionClip
) -> None:
    assert model.opening is not None
    direction, closed = model.opening
    assert gaps_of(direction[None]).mean() == pytest.approx(1, abs=1e-3)
    plain = model.predict(spoken.features, spoken.conditions)
    grown = retargeted(model, amplitude=amplitude).predict(spoken.features, spoken.conditions)
    before, after = gap(plain, spoken), gap(grown, spoken)
    apart = before > closed
    assert apart.mean() > 0.5
    np.testing.assert_allclose(after[apart] - closed, amplitude * (before[apart] - closed), atol=1e-5)
    np.testing.assert_allclose(grown[~apart], plain[~apart], atol=1e-6)


def test_smoothing_calms_without_delay_and_in_chunks(model: CascadeMotion, spoken: MotionClip) -> None:
    calm = retargeted(model, smoothing_ms=60)
    assert calm.info.halo == model.info.halo + 4  # 2.5 deviations of 1.5 frames
    plain, smooth = (m.predict(spoken.features, spoken.conditions) for m in (model, calm))
    assert (np.diff(smooth, axis=0) ** 2).mean() < 0.5 * (np.diff(plain, axis=0) ** 2).mean()
    a, b = gap(plain, spoken)[50:-50], gap(smooth, spoken)
    lags = {k: float(np.corrcoef(a, np.roll(b, -k)[50:-50])[0, 1]) for k in range(-4, 5)}
    assert max(lags, key=lambda k: lags[k]) == 0
    part, halo = spoken.part(200 - calm.info.halo, 240 + calm.info.halo), calm.info.halo
    np.testing.assert_allclose(calm.predict(part.features, part.conditions)[halo:-halo], smooth[200:240], atol=1e-5)


def test_what_cannot_be_changed_is_said(model: CascadeMotion, spoken: MotionClip) -> None:
    with pytest.raises(ConfigError, match=r"amplitude 3 is outside \[0, 2\]"):
        retargeted(model, amplitude=3)
    with pytest.raises(ConfigError, match="smoothing -1 is outside"):
        retargeted(model, smoothing_ms=-1)
    with pytest.raises(ConfigError, match="hears the speech itself"):
        retargeted(SpeechWindow("phones"), amplitude=1.2)
    bare = MotionTask(MotionConfig(width=8), MotionData((spoken,))).model()
    with pytest.raises(ConfigError, match="does not know how its lips part"):
        retargeted(bare, amplitude=1.2)
    assert retargeted(bare, smoothing_ms=40).info.halo > bare.info.halo
