from __future__ import annotations

import zlib

import numpy as np
import pytest

from lipwright.core.errors import ConfigError, ShapeError
from lipwright.speech.features import FeatureReader, compute
from lipwright.speech.logfbank import logfbank, mel_triangles
from lipwright.speech.source import array_source

# python_speech_features 0.6 on the signal below (reference values, rtol 1e-6).
MEAN, STD = 15.197799134526255, 2.1281910255164735
ROW_FIRST = [
    12.85163578807476, 14.239866464243738, 17.537893989783903, 16.501034498231412,
    13.719196125272939, 12.838007565841192, 12.14448212788498, 11.934536898693814,
]  # fmt: skip
ROW_LAST = [
    12.596990850178246, 12.81132177748111, 12.998790847099864, 12.937589223991678,
    12.986924533984313, 13.491000498288862, 13.422205262607067, 13.463004689179167,
]  # fmt: skip


def chirp() -> np.ndarray:
    n = np.arange(16000)
    noise = np.random.RandomState(zlib.crc32(b"sig")).standard_normal(16000)
    return np.round(8000 * np.sin(2 * np.pi * (200 + 1500 * n / 16000) * n / 16000) + 500 * noise).astype(np.int16)


def test_reference_values() -> None:
    rows = logfbank(chirp(), "reference")
    assert rows.shape == (99, 26)
    np.testing.assert_allclose([rows.mean(), rows.std()], [MEAN, STD], rtol=1e-6)
    np.testing.assert_allclose(rows[0, :8], ROW_FIRST, rtol=1e-6)
    np.testing.assert_allclose(rows[-1, :8], ROW_LAST, rtol=1e-6)


def test_float_input_lies_lower_by_the_logarithm_of_its_scale() -> None:
    shift = logfbank(chirp(), "reference") - logfbank(chirp() / 32768, "reference")
    np.testing.assert_allclose(shift, 2 * np.log(32768), rtol=1e-9)


@pytest.mark.parametrize("frames", [1, 2, 25, 63])
def test_row_counts(frames: int) -> None:
    samples = chirp()[: frames * 640] if frames <= 25 else np.zeros(frames * 640)
    assert len(logfbank(samples, "reference")) == 4 * frames - 1
    assert len(logfbank(samples, "aligned")) == 4 * frames


def test_silence_has_the_floor_of_float64() -> None:
    np.testing.assert_array_equal(logfbank(np.zeros(6400)), np.log(np.finfo(np.float64).eps))


def test_triangles_peak_at_one_and_cover_the_band() -> None:
    weights = mel_triangles()
    assert weights.shape == (26, 257)
    np.testing.assert_array_equal(weights.max(axis=1), 1)
    assert weights[:, 2:255].sum(axis=0).min() > 0


def test_an_impulse_lights_its_own_block() -> None:
    """Row r of `aligned` mode is centred on samples [160r, 160r + 160)."""
    samples = np.zeros(6400)
    samples[160 * 20 + 80] = 1
    energy = np.exp(logfbank(samples)).sum(axis=1)
    lit = np.flatnonzero(energy > 1e-10)
    assert lit.tolist() == [19, 20, 21]


def test_any_stretch_equals_the_whole_bit_for_bit() -> None:
    samples = (chirp() / 32768).astype(np.float32)
    source = array_source(samples)
    whole = compute("logfbank", source, 0, 25)
    np.testing.assert_allclose(whole, logfbank(samples), atol=2e-6)
    for first, n in [(0, 1), (3, 7), (24, 1), (11, 14)]:
        np.testing.assert_array_equal(compute("logfbank", source, first, n), whole[4 * first : 4 * (first + n)])


def test_blocks_join_and_time_shifts_carry_over() -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, 640 * 150).astype(np.float32)
    reader = FeatureReader(array_source(samples), ["logfbank"])
    whole = reader.read(-10, 170)["logfbank"]
    assert whole.shape == (680, 26)
    np.testing.assert_array_equal(np.concatenate([reader.read(k, 17)["logfbank"] for k in range(-10, 160, 17)]), whole)
    later = compute("logfbank", array_source(np.concatenate([np.zeros(640 * 5, np.float32), samples])), 5, 150)
    np.testing.assert_allclose(later, whole[40:640], atol=1e-6)


def test_zero_frames_give_zero_rows() -> None:
    assert compute("logfbank", array_source(np.zeros(10, np.float32)), 70, 0).shape == (0, 26)


def test_bad_input_is_named() -> None:
    with pytest.raises(ConfigError, match="aligned, reference"):
        logfbank(np.zeros(640), "centred")
    with pytest.raises(ShapeError, match="samples"):
        logfbank(np.zeros((2, 640)))
    with pytest.raises(ShapeError, match="samples"):
        array_source(np.zeros((2, 640), np.float32))
    with pytest.raises(ConfigError, match="logfbank, logmel, mfcc12"):
        compute("mfcc13", array_source(np.zeros(640, np.float32)), 0, 1)
