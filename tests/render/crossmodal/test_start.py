"""The regression the network begins with: what it finds in data that is made of known directions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lipwright.render.crossmodal.config import CrossModalConfig
from lipwright.render.crossmodal.data import CrossModalData
from lipwright.render.crossmodal.start import before_tanh, heard_directions, start_of


def test_before_tanh_and_back() -> None:
    picture = np.random.default_rng(0).integers(3, 252, (5, 4, 3)).astype(np.float32)
    np.testing.assert_allclose((np.tanh(before_tanh(picture)) + 1) * 127.5, picture.transpose(2, 0, 1), atol=1e-2)
    assert np.isfinite(before_tanh(np.array([[[0.0, 255.0, 128.0]]]))).all()


def test_directions_of_pictures_made_of_two() -> None:
    """Two mixtures of speech make all pictures: both are found, in the order of what they move, the rest is nothing."""
    rng = np.random.default_rng(1)
    speech = rng.normal(0, 1, (400, 3, 4)).astype(np.float32)
    flat = speech.reshape(400, -1)
    mixtures = rng.normal(0, 1, (12, 2)).astype(np.float32)
    patterns = np.linalg.qr(rng.normal(0, 1, (50, 2)))[0].T * [[3.0], [1.0]]
    pictures = flat @ mixtures @ patterns + 5
    weight, bias = heard_directions(speech, pictures.astype(np.float32), 2)
    said = flat @ weight.T + bias
    np.testing.assert_allclose(said.mean(0), 0, atol=1e-3)
    np.testing.assert_allclose(said.std(0), 1, atol=1e-3)
    slope = np.linalg.lstsq(said, pictures - pictures.mean(0), rcond=None)[0]
    np.testing.assert_allclose(said @ slope + pictures.mean(0), pictures, atol=0.1)
    assert np.linalg.norm(slope[0]) > np.linalg.norm(slope[1])


def test_the_ridge_is_chosen_on_stretches_left_out() -> None:
    """Sixty numbers of noise and one that tells: the one that tells is heard, in frames never seen too."""
    rng = np.random.default_rng(2)
    speech = rng.normal(0, 1, (300, 2, 30)).astype(np.float32)
    told = speech[:, 1, 7]
    pictures = (told[:, None] + rng.normal(0, 1, (300, 20))).astype(np.float32)
    weight, _ = heard_directions(speech[:200], pictures[:200], 1)
    said = speech.reshape(300, -1)[200:] @ weight[0]
    assert abs(float(np.corrcoef(said, told[200:])[0, 1])) > 0.9


def test_silent_footage_starts_with_the_mean_alone(data: CrossModalData, config: CrossModalConfig) -> None:
    silent = replace(data, speech=np.zeros_like(data.speech))
    start = start_of(
        silent, replace(config, heard_bases=3), np.zeros(config.k, np.float32), np.ones(config.k, np.float32)
    )
    assert np.abs(start.mouth_moves).max() == pytest.approx(0, abs=1e-3)
    assert start.mouth.shape == (3, 256, 256)
