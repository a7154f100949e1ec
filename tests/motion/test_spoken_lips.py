"""Lips as a few numbers beside the speech: told by speech alone, the same for seen and for said lips."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lipwright.core.contracts import Conditions
from lipwright.core.errors import CheckpointError, ConfigError
from lipwright.motion.config import MotionConfig
from lipwright.motion.data import MotionClip, MotionData
from lipwright.motion.model import CascadeMotion
from lipwright.motion.registry import MOTION_MODELS
from lipwright.motion.retarget import retargeted
from lipwright.motion.spoken_lips import LipShape, SpokenLips
from lipwright.motion.task import MotionTask
from lipwright.motion.window import KIND, SpeechWindow

SEPARATE = MotionConfig(features=("logfbank", "phones"), separate=True, kernel_share=1.0, width=8, batch=4, lips=True)


@pytest.fixture(scope="module")
def lips(spoken: MotionClip) -> SpokenLips:
    motion = MotionTask(SEPARATE, MotionData((spoken,))).model()
    return SpokenLips.fit(motion, spoken.landmarks, spoken.conditions, 3)


def test_components_by_hand() -> None:
    """Two directions, 3 and 1 in deviation: found in that order, each of deviation 1."""
    a, b = np.zeros((29, 2)), np.zeros((29, 2))
    a[0, 0], b[5, 1] = 1, 1
    sure = np.array([1, -1, 1, -1]), np.array([1, 1, -1, -1])
    shapes = 7 + 3 * sure[0][:, None, None] * a + sure[1][:, None, None] * b
    found = LipShape.fit(shapes.astype(np.float32), 2)
    np.testing.assert_allclose(found.mean, 7)
    np.testing.assert_allclose(found(shapes.astype(np.float32)), np.stack(sure, 1), atol=1e-5)
    with pytest.raises(ConfigError, match="4 frames have no 5 components"):
        LipShape.fit(shapes.astype(np.float32), 5)


def test_lips_seen_have_deviation_1_whatever_the_head_does(lips: SpokenLips, spoken: MotionClip) -> None:
    seen = lips.seen(spoken.landmarks, spoken.conditions)
    assert seen.shape == (400, 3)
    np.testing.assert_allclose(seen.std(0), 1, atol=1e-3)
    turned = Conditions(spoken.conditions.pose_rad, spoken.conditions.cheeks + np.float32(0.1))
    head = lips.motion.statistics.separate
    assert head is not None
    moved = spoken.landmarks + (head.location(turned) - head.location(spoken.conditions)).reshape(-1, 29, 2)
    np.testing.assert_allclose(lips.seen(moved, turned), seen, atol=1e-3)


def test_lips_said_follow_the_speech_and_never_the_template(lips: SpokenLips, spoken: MotionClip) -> None:
    model = SpeechWindow("phones", expression=(0.0,), lips=lips)
    plain = SpeechWindow("phones", expression=(0.0,))
    assert model.info.features == ("phones", "logfbank", "pauses")
    assert model.info.halo == 3 + lips.motion.info.halo
    assert model.channels == plain.channels + 3
    told = model.predict(spoken.features, spoken.conditions)
    other = Conditions(spoken.conditions.pose_rad[::-1], spoken.conditions.cheeks[::-1] + 1)
    np.testing.assert_array_equal(model.predict(spoken.features, other), told)
    n = plain.channels - 1
    np.testing.assert_array_equal(told[..., :n], plain.predict(spoken.features, other)[..., :n])
    seen = lips.seen(spoken.landmarks, spoken.conditions)
    assert np.corrcoef(told[:, 3, n], seen[:, 0])[0, 1] > 0.8


def test_chunks_with_their_halo_equal_the_whole(lips: SpokenLips, spoken: MotionClip) -> None:
    model = SpeechWindow("phones", lips=lips)
    whole, halo = model.predict(spoken.features, spoken.conditions), model.info.halo
    part = spoken.part(200 - halo, 220 + halo)
    np.testing.assert_allclose(model.predict(part.features, part.conditions)[halo:-halo], whole[200:220], atol=1e-4)


def test_saved_and_loaded_it_says_the_same(lips: SpokenLips, spoken: MotionClip) -> None:
    model = SpeechWindow("phones", expression=(0.0,), lips=lips)
    tensors, description = model.state()
    again = MOTION_MODELS.get(KIND)(tensors, description, "here")
    assert again.info == model.info
    np.testing.assert_array_equal(
        again.predict(spoken.features, spoken.conditions), model.predict(spoken.features, spoken.conditions)
    )
    del tensors["basis"]
    with pytest.raises(CheckpointError, match="here lacks 'basis'"):
        SpeechWindow.from_state(tensors, description, "here")


def test_lips_can_be_told_to_open_less(lips: SpokenLips, spoken: MotionClip) -> None:
    model = SpeechWindow("phones", lips=lips)
    less = retargeted(model, amplitude=0.0)
    assert isinstance(less, SpeechWindow)
    n = SpeechWindow("phones").channels
    plain, shut = (m.predict(spoken.features, spoken.conditions)[:, 3] for m in (model, less))
    np.testing.assert_array_equal(plain[:, :n], shut[:, :n])
    assert shut[:, n:].std(0).sum() < 0.7 * plain[:, n:].std(0).sum()


def test_a_model_that_knows_no_head_is_refused(spoken: MotionClip) -> None:
    bare: CascadeMotion = MotionTask(replace(SEPARATE, separate=False), MotionData((spoken,))).model()
    with pytest.raises(ConfigError, match="tells no lips without their head"):
        SpokenLips.fit(bare, spoken.landmarks, spoken.conditions, 3)
