from __future__ import annotations

import zlib
from fractions import Fraction

import numpy as np
import pytest

from lipwright.core.errors import ConfigError, ShapeError
from lipwright.speech import wav2lip_mel as module
from lipwright.speech.wav2lip_mel import chunk_starts, chunks, chunks_at_inference, mel, mel_basis

# librosa 0.11 with Wav2Lip's settings on the signal below (filters in float32: rtol 1e-5).
REFLECT = (-0.9555136850345824, 0.8910329064485237, -3.7781814302706813, 2.4709712522006146)
CONSTANT = (-0.963219418578327, 0.8847341867814562, -3.7781814302706813, 2.4709712522006146)
FIRST = {
    "reflect": [-0.612877989885853, -0.33301450831161716, 0.27499098650054066, 1.0443859125022712,
                0.6636265719322658, 0.2104479436773934, -1.1376070729013237, -1.2272928369627438],
    "constant": [-0.8247981405579945, -0.4817106673182394, 0.02663996682226788, 0.6266323176389799,
                 0.7548014112284447, 0.0799251299808823, -0.5689253026327719, -0.6773893355757217],
}  # fmt: skip
COLUMN_40 = [-3.6561216479763345, -3.1844051130828506, -2.4544380106250436, -2.5634038027577652,
             -2.2688929055634786, -2.2535720486779267, -1.9629926516955014, -2.5617563574044313]  # fmt: skip


def chirp() -> np.ndarray:
    n = np.arange(16000)
    noise = np.random.RandomState(zlib.crc32(b"sig")).standard_normal(16000)
    wave = np.round(8000 * np.sin(2 * np.pi * (200 + 1500 * n / 16000) * n / 16000) + 500 * noise).astype(np.int16)
    return wave.astype(np.float32) / 32768


def test_basis_reference_values() -> None:
    basis = mel_basis()
    assert basis.shape == (80, 401)
    assert basis.sum() == pytest.approx(3.999497890472412, rel=1e-5)
    np.testing.assert_array_equal(np.flatnonzero(basis[10]), [21, 22, 23, 24])
    np.testing.assert_allclose(
        basis[10, 21:25], [0.004286326467990875, 0.019764693453907967, 0.020395714789628983, 0.004917347338050604],
        rtol=2e-5,
    )  # fmt: skip


@pytest.mark.parametrize(("padding", "reference"), [("reflect", REFLECT), ("constant", CONSTANT)])
def test_reference_values(padding: str, reference: tuple[float, ...]) -> None:
    found = mel(chirp(), padding).astype(np.float64)
    assert found.shape == (80, 81)
    np.testing.assert_allclose([found.mean(), found.std(), found.min(), found.max()], reference, rtol=1e-5)
    np.testing.assert_allclose(found[:8, 0], FIRST[padding], rtol=1e-5, atol=2e-6)
    np.testing.assert_allclose(found[:8, 40], COLUMN_40, rtol=1e-5, atol=2e-6)


def test_paddings_differ_in_the_first_and_last_two_columns_only() -> None:
    differ = np.abs(mel(chirp(), "reflect") - mel(chirp(), "constant")).max(0) > 1e-6
    assert np.flatnonzero(differ).tolist() == [0, 1, 79, 80]


def test_silence_and_noise_reach_the_clips() -> None:
    """Silence: log10(1e-5) gives -100 dB, less 20 is below the range. Full-scale noise stays inside it."""
    np.testing.assert_array_equal(mel(np.zeros(3200)), -4.0)
    assert mel(1e9 * np.sin(2 * np.pi * 1000 * np.arange(3200) / 16000)).max() == 4.0
    assert np.abs(mel(np.random.default_rng(0).uniform(-1, 1, 3200))).max() < 4


def test_a_tone_is_heard_at_its_place_on_slaneys_scale() -> None:
    """1000 Hz is 15 mels, 7600 Hz is 15 + 27 log(7.6) / log(6.4) = 44.50, 55 Hz 0.825: 82 edges are 0.5392 apart."""
    tone = np.sin(2 * np.pi * 1000 * np.arange(8000) / 16000)
    assert abs(int(mel(tone)[:, 20].argmax()) + 1 - (15 - 0.825) / 0.53925) < 1


def test_blocks_short_and_empty_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = mel(chirp())
    monkeypatch.setattr(module, "_BLOCK", 7)
    np.testing.assert_allclose(mel(chirp()), whole, atol=1e-6)
    assert mel(np.zeros(0)).shape == (80, 0)
    assert mel(np.ones(300)).shape == (80, 2)
    with pytest.raises(ShapeError):
        mel(np.zeros((2, 100)))
    with pytest.raises(ConfigError, match="unknown padding 'wrap'"):
        mel(np.zeros(100), "wrap")


def by_the_loop(n_columns: int, fps: int) -> list[int]:
    """Wav2Lip's own loop at inference, on column numbers."""
    starts, f = [], 0
    while True:
        start = int(f * (80.0 / fps))
        if start + 16 > n_columns:
            return [*starts, n_columns - 16]
        starts.append(start)
        f += 1


@pytest.mark.parametrize("fps", [25, 30, 50])
@pytest.mark.parametrize("n_columns", [16, 17, 19, 20, 81, 160])
def test_compat_windows_are_those_of_the_published_loop(fps: int, n_columns: int) -> None:
    expected = by_the_loop(n_columns, fps)
    assert chunks_at_inference(n_columns, Fraction(fps)) == len(expected)
    np.testing.assert_array_equal(chunk_starts(n_columns, len(expected), Fraction(fps)), expected)


def test_aligned_windows_are_one_frame_earlier_and_mirror_at_the_start() -> None:
    np.testing.assert_array_equal(chunk_starts(81, 6), [0, 3, 6, 9, 12, 16])
    np.testing.assert_array_equal(chunk_starts(81, 6, mode="aligned"), [-4, 0, 3, 6, 9, 12])
    numbered = np.tile(np.arange(81, dtype=np.float32), (80, 1))
    heard = chunks(numbered, 25, mode="aligned")
    assert heard.shape == (25, 80, 16)
    np.testing.assert_array_equal(heard[0, 5], [4, 3, 2, 1, *range(12)])
    np.testing.assert_array_equal(chunks(numbered, 25)[:24], heard[1:])
    np.testing.assert_array_equal(chunks(numbered, 40)[-1, 0], np.arange(65, 81))


def test_bad_windows_are_errors() -> None:
    with pytest.raises(ConfigError, match="unknown window mode 'early'; available: compat, aligned"):
        chunk_starts(81, 3, mode="early")
    for call in (lambda: chunk_starts(15, 3), lambda: chunks_at_inference(15)):
        with pytest.raises(ShapeError):
            call()
