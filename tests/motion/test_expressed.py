"""Landmarks that expressions tell: the map is found again, the mean is the mean, and it keeps itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lipwright.core import checkpoint
from lipwright.core.errors import CheckpointError, ConfigError
from lipwright.motion.config import PAPER
from lipwright.motion.data import MotionClip, MotionData
from lipwright.motion.expressed import KIND, SHARE, ExpressedLandmarks
from lipwright.motion.expression_model import ExpressionConfig, ExpressionMotion, build
from lipwright.motion.geometry import rotate
from lipwright.motion.model import CascadeMotion
from lipwright.motion.registry import MOTION_MODELS
from lipwright.motion.retarget import retargeted
from lipwright.motion.task import MotionTask
from lipwright.speech.features import SPEECH_FEATURES

SEPARATE = replace(PAPER, width=8, batch=4, separate=True, kernel_share=0.5, amplitude=1.0, quick=0.9)


@pytest.fixture(scope="module")
def motion(clip: MotionClip) -> CascadeMotion:
    return MotionTask(SEPARATE, MotionData((clip,))).model()


@pytest.fixture(scope="module")
def speaker() -> ExpressionMotion:
    torch.manual_seed(0)
    config = ExpressionConfig(width=2)
    dim = SPEECH_FEATURES.get(config.feature).dim
    spread = np.stack([np.zeros(dim), np.ones(dim)]).astype(np.float32)
    return ExpressionMotion(config, build(config, 3), spread, np.array([[0, 1, 2], [1, 1, 2]], np.float32), quick=0.5)


@pytest.fixture(scope="module")
def heard(clip: MotionClip) -> MotionClip:
    rows = np.random.default_rng(1).normal(0, 1, (4 * len(clip), 80)).astype(np.float32)
    return MotionClip({**clip.features, "logmel": rows}, clip.landmarks, clip.conditions, clip.weight)


@pytest.fixture(scope="module")
def model(motion: CascadeMotion, speaker: ExpressionMotion, clip: MotionClip) -> ExpressedLandmarks:
    told = np.random.default_rng(2).normal(0, 1, (len(clip), 3)).astype(np.float32)
    return ExpressedLandmarks.fit(motion, speaker, told, clip.landmarks, clip.conditions, clip.weight > 0)


def test_a_linear_map_from_expression_to_shape_is_found(
    motion: CascadeMotion, speaker: ExpressionMotion, clip: MotionClip
) -> None:
    rng = np.random.default_rng(3)
    basis, told = rng.normal(0, 1e-3, (4, 58)), rng.normal(0, 1, (len(clip), 3)).astype(np.float32)
    shape = (np.column_stack([told, np.ones(len(told))]) @ basis).reshape(-1, 29, 2).astype(np.float32)
    separate = motion.statistics.separate
    assert separate is not None
    seen = rng.random(len(clip)) > 0.2
    landmarks = rotate(shape, clip.conditions.pose_rad[:, 2]) + separate.location(clip.conditions).reshape(shape.shape)
    landmarks[~seen] = 7.0  # frames that do not show the face say nothing
    found = ExpressedLandmarks.fit(motion, speaker, told, landmarks, clip.conditions, seen).basis
    np.testing.assert_allclose(found, basis, atol=6e-5)  # the penalty takes a hundredth


def test_it_says_the_mean_of_both(model: ExpressedLandmarks, heard: MotionClip) -> None:
    said = model.predict(heard.features, heard.conditions)
    alone = model.motion.predict(heard.features, heard.conditions)
    all_of_it = replace(model, share=1.0).predict(heard.features, heard.conditions)
    assert said.shape == (len(heard), 29, 2)
    assert said.dtype == np.float32
    assert np.abs(all_of_it - alone).max() > 1e-3
    np.testing.assert_allclose(said, (1 - SHARE) * alone + SHARE * all_of_it, atol=1e-6)
    told = model.speaker.predict(heard.features, heard.conditions)
    shape = model.motion.upright(all_of_it, heard.conditions).reshape(len(heard), -1)
    np.testing.assert_allclose(shape, np.column_stack([told, np.ones(len(told))]) @ model.basis, atol=1e-5)


def test_it_keeps_itself(model: ExpressedLandmarks, heard: MotionClip, tmp_path: Path) -> None:
    checkpoint.save_tensors(tmp_path / "motion.safetensors", *model.state())
    tensors, description = checkpoint.load_tensors(tmp_path / "motion.safetensors")
    again = MOTION_MODELS.get(KIND)(tensors, description, "here")
    np.testing.assert_array_equal(
        again.predict(heard.features, heard.conditions), model.predict(heard.features, heard.conditions)
    )
    assert again.info == model.info
    tensors.pop("basis")
    with pytest.raises(CheckpointError, match="here lacks"):
        MOTION_MODELS.get(KIND)(tensors, description, "here")


def test_pieces_are_the_whole(model: ExpressedLandmarks, heard: MotionClip) -> None:
    whole, halo, n = model.predict(heard.features, heard.conditions), model.info.halo, len(heard)
    assert set(model.info.features) == {"logfbank", "logmel"}
    for start, stop in ((0, 40), (120, 170), (n - 30, n)):
        low, high = max(start - halo, 0), min(stop + halo, n)
        part = heard.part(low, high)
        out = model.predict(part.features, part.conditions)[start - low : stop - low]
        np.testing.assert_allclose(out, whole[start:stop], atol=2e-5)
        few = model.predict_only(heard.features, heard.conditions, start, stop)
        np.testing.assert_allclose(few, whole[start:stop], atol=1e-5)
    assert model.predict_only(heard.features, heard.conditions, 5, 5).shape == (0, 29, 2)


def test_lips_can_be_told_how_far_to_part(model: ExpressedLandmarks, heard: MotionClip) -> None:
    wide = retargeted(model, amplitude=1.5).predict(heard.features, heard.conditions)
    assert np.abs(wide - model.predict(heard.features, heard.conditions)).max() > 1e-3


def test_a_motion_without_location_cannot(speaker: ExpressionMotion, clip: MotionClip) -> None:
    plain = MotionTask(replace(PAPER, width=8), MotionData((clip,))).model()
    assert plain.statistics.separate is None
    with pytest.raises(ConfigError, match="instant"):
        ExpressedLandmarks(plain, speaker, np.zeros((4, 58), np.float32))
