"""The feature 'visemes': on one clock, at rest in pauses, independent of cuts and of the microphone."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from lipwright.core.contracts import F32
from lipwright.speech.channels import INDEX, SEALING
from lipwright.speech.features import FeatureReader
from lipwright.speech.gestures import Segment
from lipwright.speech.source import SampleSource, array_source
from lipwright.speech.tts import Phone
from lipwright.speech.viseme_track import viseme_track
from lipwright.speech.visemes import Visemes

SYLLABLES = ("m", "aa", "b", "iy", "f", "uw", "t", "eh")


def spoken(words: list[tuple[float, float]], length_s: float, seed: int = 0) -> tuple[F32, list[Phone]]:
    """Noise in the rhythm of syllables over a quiet room, and phones of 80 ms in the same stretches."""
    rng = np.random.default_rng(seed)
    sound = rng.normal(0, 0.0003, round(length_s * 16000))
    phones: list[Phone] = []
    for start, end in words:
        a, b = round(start * 16000), round(end * 16000)
        sound[a:b] += rng.normal(0, 0.1, b - a) * (0.6 + 0.4 * np.sin(np.arange(b - a) / 16000 * 2 * np.pi * 4))
        edges = np.linspace(start, end, max(round((end - start) / 0.08), 1) + 1).tolist()
        phones += [Phone(SYLLABLES[k % 8], s, e) for k, (s, e) in enumerate(pairwise(edges))]
    return sound.astype(np.float32), phones


WORDS = [(0.5, 3.0), (4.5, 9.7), (10.3, 14.0), (16.0, 19.0), (19.6, 24.0)]


@pytest.fixture(scope="module")
def talk() -> tuple[F32, list[Phone]]:
    return spoken(WORDS, 25.0)


def read(sound: F32, phones: list[Phone], first: int, count: int) -> F32:
    return FeatureReader(array_source(sound), ["visemes"], phones=phones).read(first, count)["visemes"]


class Repeats:
    """A recogniser that hears one phone a tenth of a second, on an absolute grid."""

    def segments(self, source: SampleSource, first: int, count: int) -> list[Segment]:
        steps = range(first // 10, (first + count) // 10 + 1)
        return [Segment(k / 10, (k + 1) / 10, ((("M", "AA", "S", "UW")[k % 4], 1.0),)) for k in steps]


def test_pauses_are_exactly_nothing_and_words_are_not(talk: tuple[F32, list[Phone]]) -> None:
    values = read(*talk, 0, 625)
    assert values.shape == (625, 34)
    assert values.dtype == np.float32
    times = (np.arange(625) + 0.5) / 25
    distance = np.min([np.maximum(np.maximum(a - times, times - b), 0) for a, b in WORDS], axis=0)
    assert_array_equal(values[distance > 0.24], 0)  # 0.12 s of movement, 0.08 s of easing, a frame of the gate
    assert (values[distance == 0].max(axis=1) > 0).all()


def test_silence_is_exactly_nothing_whatever_should_be_said(talk: tuple[F32, list[Phone]]) -> None:
    assert_array_equal(read(np.zeros(16000 * 10, np.float32), talk[1], 0, 250), 0)


def test_every_closure_is_full(talk: tuple[F32, list[Phone]]) -> None:
    values = read(*talk, 0, 625)
    for phone in talk[1]:
        if phone.symbol in "mbf":
            frames = slice(int(phone.start_s * 25), int(np.ceil(phone.end_s * 25)))
            assert values[frames][:, SEALING].max() == 1, phone


def test_chunks_equal_the_whole_bit_for_bit(talk: tuple[F32, list[Phone]]) -> None:
    whole = read(*talk, 0, 700)
    for first, count in ((0, 1), (243, 20), (249, 260), (600, 100)):
        assert_array_equal(read(*talk, first, count), whole[first : first + count])
    assert_array_equal(read(*talk, -30, 30), 0)


def test_chunks_equal_the_whole_when_phones_are_heard(talk: tuple[F32, list[Phone]]) -> None:
    source = array_source(talk[0])
    blocks = [Visemes(ears=Repeats()).block(source, k) for k in range(3)]
    again = Visemes(ears=Repeats())
    for k in (2, 0, 1):
        assert_array_equal(again.block(source, k), blocks[k])
    assert blocks[0][:, SEALING].max() == 1


@pytest.mark.parametrize("frames", [7, 250])
def test_later_speech_gives_later_curves(talk: tuple[F32, list[Phone]], frames: int) -> None:
    sound, phones = talk
    quiet = np.random.default_rng(5).normal(0, 0.0003, 640 * frames).astype(np.float32)
    moved = [Phone(p.symbol, p.start_s + frames / 25, p.end_s + frames / 25) for p in phones]
    later = read(np.concatenate([quiet, sound]), moved, frames + 150, 300)
    tight = [c for c in range(34) if c not in (INDEX["Jaw"], INDEX["Lip"])]
    before = read(sound, phones, 150, 300)
    assert_allclose(later[:, tight], before[:, tight], atol=1e-6)
    assert_allclose(later, before, atol=0.05)  # what counts as loud has seen other seconds


def test_the_microphones_gain_changes_nothing(talk: tuple[F32, list[Phone]]) -> None:
    sound, phones = talk
    assert_allclose(read(0.05 * sound, phones, 0, 600), read(sound, phones, 0, 600), atol=1e-3)


def test_louder_speech_opens_the_jaw_further() -> None:
    sound, _ = spoken([(0.5, 8.0)], 9.0)
    sound[4 * 16000 :] *= 0.15
    values = read(sound, [Phone("aa", 0.5, 8.0)], 0, 200)
    loud, soft = values[30:90, INDEX["Jaw"]].mean(), values[115:145, INDEX["Jaw"]].mean()
    assert loud > 0.8
    assert 0.4 < soft < loud - 0.1


def test_another_clock_samples_the_same_movement(talk: tuple[F32, list[Phone]]) -> None:
    """At 75 frames a second every third frame has the centre of one at 25."""
    source = array_source(talk[0])
    ours, fine = (viseme_track(source, len(talk[0]), talk[1], Fraction(rate)) for rate in (25, 75))
    assert len(fine.values) == 1875
    vowels = [INDEX[v] for v in ("Ah", "Ee", "U", "Eh", "LNTDa")]
    same = fine.values[1::3][:, vowels]
    assert_allclose(same, ours.values[:, vowels], atol=0.25)  # closures are held longer at 25, and vowels give way
    assert np.abs(same - ours.values[:, vowels]).mean() < 0.01


@pytest.mark.parametrize("fps", [Fraction(30), Fraction(30000, 1001)])
def test_other_frame_rates_close_the_lips_too(talk: tuple[F32, list[Phone]], fps: Fraction) -> None:
    found = viseme_track(array_source(talk[0]), len(talk[0]), talk[1], fps)
    assert len(found.values) == -(-25 * fps.numerator // fps.denominator)
    for phone in talk[1]:
        if phone.symbol in "mbf":
            frames = slice(int(phone.start_s * fps), int(np.ceil(phone.end_s * fps)))
            assert found.values[frames][:, SEALING].max() == 1, phone


def test_heard_phones_of_a_track_tile_its_blocks(
    talk: tuple[F32, list[Phone]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lipwright.speech.visemes.hearing", Repeats)
    found = viseme_track(array_source(talk[0]), len(talk[0]))
    assert not found.known
    assert found.phones[0].start_s == 0
    assert found.phones[-1].end_s == 25
    assert all(abs(a.end_s - b.start_s) < 1e-9 for a, b in pairwise(found.phones))
