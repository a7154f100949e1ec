from __future__ import annotations

import numpy as np
import pytest

from lipwright.core.contracts import Conditions
from lipwright.motion.config import MotionConfig
from lipwright.motion.data import MotionClip, MotionData
from lipwright.motion.geometry import rotate
from lipwright.motion.lips import gaps_of
from lipwright.motion.model import CascadeMotion
from lipwright.motion.scores import aperture
from lipwright.motion.silence import rest_shape, silence_of
from lipwright.motion.task import MotionTask
from lipwright.speech.phones import phone_rows

from .conftest import make_clip


def phones(frames: int, silent: slice) -> np.ndarray:
    rows = np.repeat(phone_rows(["AH"]), frames, 0)
    rows[silent] = phone_rows(["SIL"])
    return rows


def test_pauses_are_rest_and_gaps_are_speech() -> None:
    weight = silence_of(phones(60, slice(20, 40)))
    assert weight[:17].max() == 0
    assert weight[25:35].min() == 1
    assert np.abs(np.diff(weight)).max() < 0.6
    assert silence_of(phones(60, slice(30, 32))).max() == 0


def test_energy_silences_what_the_recogniser_takes_for_speech() -> None:
    pauses = np.zeros((60, 2), np.float32)
    pauses[30:40, 0] = 1
    weight = silence_of(phones(60, slice(0, 0)), pauses)
    np.testing.assert_allclose(weight[29:34], [0, 7 / 27, 20 / 27, 1, 1], atol=1e-6)
    np.testing.assert_allclose(weight[34:41], [1, 1, 1, 1, 20 / 27, 7 / 27, 0], atol=1e-6)


def test_rest_weight_does_not_depend_on_chunks() -> None:
    rng = np.random.default_rng(0)
    rows = phone_rows([("AH", "SIL")[k] for k in np.repeat(rng.integers(0, 2, 60), 4)])
    pauses = np.zeros((240, 2), np.float32)
    whole = silence_of(rows, pauses)
    for start, stop in [(0, 80), (80, 160), (101, 203)]:
        low, high = max(start - 12, 0), min(stop + 12, 240)
        part = silence_of(rows[low:high], pauses[low:high])[start - low : stop - low]
        np.testing.assert_array_equal(part, whole[start:stop])


def test_rest_is_the_closed_half_of_silence() -> None:
    shapes = np.zeros((100, 58), np.float32)
    shapes[:, 2 * 19 + 1] = shapes[:, 2 * 18 + 1] = shapes[:, 2 * 17 + 1] = np.linspace(0, 1, 100)
    silence = np.zeros(100, np.float32)
    silence[60:100] = 1
    rested = rest_shape(shapes, np.zeros(58, np.float32), silence)
    np.testing.assert_allclose(rested[39], np.linspace(0, 1, 100)[60:80].mean(), atol=1e-6)
    few = rest_shape(shapes, np.zeros(58, np.float32), np.zeros(100, np.float32))
    np.testing.assert_allclose(few[39], np.linspace(0, 1, 100)[:8].mean(), atol=1e-6)


def test_the_mouth_rests_in_silence_whatever_the_template_does() -> None:
    clip = make_clip(480)
    rows = phones(480, slice(200, 260))
    features = {"cepstra": clip.features["logfbank"][::4, :8], "phones": rows, "pauses": np.zeros((480, 2), np.float32)}
    spoken = MotionClip(features, clip.landmarks, clip.conditions, clip.weight)
    config = MotionConfig(
        features=("cepstra", "phones"), separate=True, kernel_share=1.0, width=8, condition_smoothing_s=0.3,
        leak_penalty=1.0,
    )  # fmt: skip
    model = MotionTask(config, MotionData((spoken,))).model()
    said = aperture(model.predict(spoken.features, spoken.conditions))
    mute = {"cepstra": np.full((480, 8), -3.0, np.float32), "phones": phones(480, slice(0, 480)),
            "pauses": np.zeros((480, 2), np.float32)}  # fmt: skip
    still = aperture(model.predict(mute, spoken.conditions))
    assert still.std() < 0.1 * said.std()
    assert still.mean() < said.mean()
    held = Conditions(clip.conditions.pose_rad[:0], clip.conditions.cheeks[:0])
    assert model.predict({k: v[:0] for k, v in mute.items()}, held).shape == (0, 29, 2)


@pytest.mark.parametrize("network", ["cascade", "bilstm"])
def test_models_that_see_everything_at_once_rest_too(network: str) -> None:
    clip = make_clip(480)
    heard = {"logfbank": clip.features["logfbank"], "phones": phones(480, slice(200, 260)),
             "pauses": np.zeros((480, 2), np.float32)}  # fmt: skip
    spoken = MotionClip(heard, clip.landmarks, clip.conditions, clip.weight)
    config = MotionConfig(network=network, width=8, lips=True, dropout=0.0, batch=8)
    task = MotionTask(config, MotionData((spoken,)))
    for i in range(20):
        task.step(i)
    model = task.model()
    quiet = heard | {"phones": phones(480, slice(0, 480))}
    still = model.predict(quiet, clip.conditions)
    # Where this person rests, the made-up mouth is nearly shut; the head carries it along and does not part the lips.
    upright = rotate(still, -clip.conditions.pose_rad[:, 2])
    assert gaps_of(upright).std(axis=0).max() < 0.1 * gaps_of(clip.landmarks).std(axis=0).max()
    assert np.corrcoef(still[:, :20, 0].mean(axis=1), clip.landmarks[:, :20, 0].mean(axis=1))[0, 1] > 0.95
    said = model.predict(heard, clip.conditions)
    np.testing.assert_allclose(said[206:254], still[206:254], atol=1e-5)
    steps = np.abs(np.diff(said, axis=0)).max(axis=(1, 2))
    assert steps[195:265].max() < 2 * np.abs(np.diff(clip.landmarks, axis=0)).max(), "no jump in or out of the pause"
    part, halo = spoken.part(190 - model.info.halo, 270 + model.info.halo), model.info.halo
    np.testing.assert_allclose(model.predict(part.features, part.conditions)[halo:-halo], said[190:270], atol=1e-5)
    again = CascadeMotion.from_state(*model.state())
    np.testing.assert_array_equal(again.predict(heard, clip.conditions), said)
