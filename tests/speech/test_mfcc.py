from __future__ import annotations

import zlib

import numpy as np
import pytest

from lipwright.core.errors import ShapeError
from lipwright.speech import mfcc as module
from lipwright.speech.mfcc import int16_amplitudes, mfcc

# python_speech_features 0.6 on the signal below (reference values, rtol 1e-6).
MEAN, STD = -1.796636600856913, 19.490796838648457
ROW_FIRST = [
    18.90823381158193, -11.882275213522222, 18.921296617484302, 15.434069126016464,
    6.3903879630487035, -7.16551272933633, -15.485954773969354, -25.134085669032242,
]  # fmt: skip
ROW_LAST = [
    22.660386070267908, -23.32145800101193, -9.459827881183296, 24.54461423896049,
    -17.781191244795387, -10.416426577379339, 28.881644489098147, -27.69354329526122,
]  # fmt: skip
MEAN_OF_FLOATS, STD_OF_FLOATS = -3.3962070175337145, 18.3347334989771


def chirp() -> np.ndarray:
    n = np.arange(16000)
    noise = np.random.RandomState(zlib.crc32(b"sig")).standard_normal(16000)
    return np.round(8000 * np.sin(2 * np.pi * (200 + 1500 * n / 16000) * n / 16000) + 500 * noise).astype(np.int16)


def test_reference_values() -> None:
    rows = mfcc(chirp())
    assert rows.shape == (99, 13)
    np.testing.assert_allclose([rows.mean(), rows.std()], [MEAN, STD], rtol=1e-6)
    np.testing.assert_allclose(rows[0, :8], ROW_FIRST, rtol=1e-6)
    np.testing.assert_allclose(rows[-1, :8], ROW_LAST, rtol=1e-6)


def test_floats_give_another_first_coefficient_unless_they_are_scaled() -> None:
    rows = mfcc(chirp() / 32768)
    np.testing.assert_allclose([rows.mean(), rows.std()], [MEAN_OF_FLOATS, STD_OF_FLOATS], rtol=1e-6)
    np.testing.assert_allclose(mfcc(chirp())[:, 0] - rows[:, 0], 2 * np.log(32768))
    np.testing.assert_array_equal(mfcc(int16_amplitudes(chirp() / np.float32(32768))), mfcc(chirp()))


def test_amplitudes_are_those_of_a_16_bit_file() -> None:
    wave = np.array([-1.5, -1.0, 0.0, 0.4 / 32768, 0.6 / 32768, 1.0])
    np.testing.assert_array_equal(int16_amplitudes(wave), [-32768, -32768, 0, 0, 1, 32767])
    np.testing.assert_array_equal(int16_amplitudes(chirp()), chirp())


def test_pieces_give_the_rows_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = mfcc(chirp())
    monkeypatch.setattr(module, "_BLOCK", 7)
    np.testing.assert_allclose(mfcc(chirp()), whole, rtol=1e-12)


def test_silence_short_and_empty_sound() -> None:
    rows = mfcc(np.zeros(640))
    assert rows.shape == (3, 13)  # 1 + ceil((640 - 400) / 160)
    np.testing.assert_allclose(rows[:, 0], np.log(np.finfo(float).eps))
    np.testing.assert_allclose(rows[:, 1:], 0, atol=1e-12)
    assert mfcc(np.ones(10)).shape == (1, 13)
    assert mfcc(np.zeros(0)).shape == (0, 13)
    with pytest.raises(ShapeError):
        mfcc(np.zeros((10, 2)))
