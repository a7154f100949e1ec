from __future__ import annotations

import numpy as np
import pytest

from lipwright.speech.features import FeatureReader, compute
from lipwright.speech.phones import CLASSES, PhoneLoop, Phones, phone_rows, smooth_to_video
from lipwright.speech.source import array_source


def buzz(seconds: float, formants: tuple[float, float], seed: int = 0) -> np.ndarray:
    """A vowel-like sound: a 120 Hz pulse train through two resonances."""
    n = int(16000 * seconds)
    out = np.zeros(n)
    out[:: 16000 // 120] = 1
    out += np.random.default_rng(seed).normal(0, 1e-3, n)
    for frequency in formants:
        pole = 0.98 * np.exp(2j * np.pi * frequency / 16000)
        a1, a2 = -2 * pole.real, abs(pole) ** 2
        y1 = y2 = 0.0
        for i in range(n):
            y0 = out[i] - a1 * y1 - a2 * y2
            out[i], y1, y2 = y0, y0, y1
    return (0.3 * out / np.abs(out).max()).astype(np.float32)


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    quiet = np.random.default_rng(1).normal(0, 1e-4, 8000).astype(np.float32)
    ah, ee = buzz(0.5, (730, 1090)), buzz(0.5, (270, 2290))
    return np.concatenate([quiet, ah, quiet, ee, quiet])


def test_every_phone_has_one_class_and_a_shape() -> None:
    phones = [p for group in CLASSES.values() for p in group.split()]
    assert len(phones) == len(set(phones)) == 42  # 39 ARPAbet, silence, two noises
    rows = phone_rows(phones)
    np.testing.assert_array_equal(rows[:, : len(CLASSES)].sum(axis=1), 1)
    assert rows[:, len(CLASSES) :].min() >= 0
    assert rows[:, len(CLASSES) :].max() <= 1
    jaw = dict(zip(phones, rows[:, len(CLASSES)], strict=True))
    assert jaw["P"] == jaw["B"] == jaw["M"] == 0
    assert jaw["AA"] == max(jaw.values())


def test_unknown_labels_are_silence() -> None:
    np.testing.assert_array_equal(phone_rows(["(NULL)"]), phone_rows(["SIL"]))


def test_smoothing_is_centred_and_keeps_sums() -> None:
    rows = np.zeros((400, 1), np.float32)
    rows[200:204] = 1  # exactly frame 50
    smooth = smooth_to_video(rows)[:, 0]
    assert smooth.argmax() == 50
    np.testing.assert_allclose(smooth[48:51], smooth[50:53][::-1], atol=1e-6)
    np.testing.assert_allclose(smooth.sum(), 1, atol=1e-5)
    np.testing.assert_allclose(smooth_to_video(np.ones((40, 2), np.float32)), 1, atol=1e-6)


def test_vowels_are_heard_where_they_are(speech: np.ndarray) -> None:
    rows = compute("phones", array_source(speech), 0, 62)
    silence = list(CLASSES).index("silence")
    assert rows.shape == (62, Phones.dim)
    np.testing.assert_allclose(rows[:, : len(CLASSES)].sum(axis=1), 1, atol=1e-5)
    assert rows[2:10, silence].min() > 0.9
    assert rows[16:22, silence].max() < 0.1
    assert rows[-8:-2, silence].min() > 0.9


def test_labels_depend_on_the_samples_alone(speech: np.ndarray) -> None:
    loop = PhoneLoop()
    first = loop.labels(speech)
    loop.labels(speech[::-1].copy())
    assert loop.labels(speech) == first
    assert len(first) == len(speech) // 160


def test_chunks_equal_the_whole_over_block_borders(speech: np.ndarray) -> None:
    samples = np.concatenate([np.zeros(640 * 220, np.float32), speech])
    source = array_source(samples)
    whole = compute("phones", source, 0, 282)
    reader = FeatureReader(source, ["phones"])
    parts = [reader.read(k, 47)["phones"] for k in range(0, 282, 47)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_digital_silence_costs_no_decoding_and_says_silence() -> None:
    rows = compute("phones", array_source(np.zeros(0, np.float32)), -20, 40)
    np.testing.assert_array_equal(rows, phone_rows(["SIL"] * 40))


def test_phones_and_visemes_hear_the_same_stretch_once(speech: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    """The recogniser is most of what both cost: who asks second is told what the first heard."""
    heard: list[int] = []
    recognised = PhoneLoop._recognised

    def counting(self: PhoneLoop, samples: np.ndarray) -> list[str]:
        heard.append(len(samples))
        return recognised(self, samples)

    monkeypatch.setattr(PhoneLoop, "_recognised", counting)
    PhoneLoop._kept.clear()
    both = FeatureReader(array_source(speech), ["phones", "visemes"]).read(0, 60)
    assert len(heard) == 1
    alone = compute("visemes", array_source(speech), 0, 60)
    np.testing.assert_array_equal(both["visemes"], alone)
    assert len(heard) == 1
