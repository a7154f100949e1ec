from __future__ import annotations

import numpy as np
import pytest

from lipwright.speech.cepstra import COEFFICIENTS, Cepstra, cepstra_of
from lipwright.speech.features import FeatureReader, compute
from lipwright.speech.source import array_source


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    """11 s of coloured noise with a rhythm, so that loud and quiet parts alternate."""
    rng = np.random.default_rng(0)
    noise = np.convolve(rng.normal(0, 1, 16000 * 11), np.hanning(9), "same")
    beat = 0.05 + np.clip(np.sin(np.arange(len(noise)) / 16000 * 2 * np.pi * 3), 0, 1)
    return (0.02 * noise * beat).astype(np.float32)


def test_loudness_does_not_matter(sound: np.ndarray) -> None:
    quiet, loud = (compute("cepstra", array_source(sound * k), 0, 275) for k in (1.0, 8.0))
    assert quiet.shape == (275, COEFFICIENTS)
    assert quiet.std() > 0.1
    np.testing.assert_allclose(loud, quiet, atol=1e-4)


def test_a_microphone_that_dulls_does_not_matter(sound: np.ndarray) -> None:
    """A fixed filter shifts log energies by constants; the sliding mean takes them away."""
    dull = np.convolve(sound, [0.5, 0.4, 0.1])[: len(sound)].astype(np.float32)
    plain, filtered = (compute("cepstra", array_source(x), 110, 60) for x in (sound, dull))
    spoken = plain[:, 0] > -1
    assert np.abs(filtered - plain)[spoken].mean() < 0.15 * plain.std()


def test_digital_silence_equals_a_quiet_room(sound: np.ndarray) -> None:
    hole, room = sound.copy(), sound.copy()
    hole[64000:80000] = 0
    room[64000:80000] = np.random.default_rng(1).normal(0, 1e-6, 16000)
    inside = slice(104, 121)
    a, b = (compute("cepstra", array_source(x), 0, 275)[inside] for x in (hole, room))
    np.testing.assert_allclose(a, b, atol=1e-5)


def test_chunks_equal_the_whole(sound: np.ndarray) -> None:
    source = array_source(sound)
    whole = compute("cepstra", source, -7, 290)
    reader = FeatureReader(source, ["cepstra"])
    parts = [reader.read(k, 29)["cepstra"] for k in range(-7, 283, 29)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_the_stated_halo_holds(sound: np.ndarray) -> None:
    changed = sound.copy()
    changed[: 640 * 20] = 0
    a, b = (compute("cepstra", array_source(x), 0, 275) for x in (sound, changed))
    reached = np.flatnonzero((a != b).any(axis=1)).max()
    assert reached < 20 + Cepstra.halo_frames
    np.testing.assert_allclose(a[reached + 1 :], b[reached + 1 :])


def test_nothing_but_silence_is_zero() -> None:
    np.testing.assert_array_equal(compute("cepstra", array_source(np.zeros(0, np.float32)), 3, 5), 0)
    np.testing.assert_array_equal(cepstra_of(np.zeros((4, 26)), 2), 0)
