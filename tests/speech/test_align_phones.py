"""Forced alignment in any language, on posteriors that are known and on voices with exact times."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from lipwright.core.contracts import F32
from lipwright.core.errors import SpeechError
from lipwright.speech import align_phones as module
from lipwright.speech.align_phones import align_phones
from lipwright.speech.articulation import PHONES, Recogniser
from lipwright.speech.ipa import arpabet
from lipwright.speech.phonemise import phonemise
from lipwright.speech.source import SampleSource, array_source
from lipwright.speech.tts import synthesise

needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")


class Known(Recogniser):
    """Hears what it is told."""

    def __init__(self, said: list[tuple[str, int]]) -> None:
        super().__init__()
        columns = np.concatenate([np.full(steps, PHONES.index(name)) for name, steps in said])
        self._rows = np.full((len(columns), len(PHONES)), 0.002, np.float32)
        self._rows[np.arange(len(columns)), columns] = 1 - 0.002 * 39

    @property
    def n_samples(self) -> int:
        return len(self._rows) * 160

    def posteriors(self, source: SampleSource, first_step: int, n_steps: int) -> F32:
        return self._rows[first_step : first_step + n_steps]


def test_known_posteriors_give_the_exact_times() -> None:
    heard = Known([("SIL", 20), ("M", 8), ("AA", 12), ("SIL", 30), ("P", 6), ("IY", 10), ("SIL", 14)])
    found = align_phones(array_source(np.zeros(1, np.float32)), heard.n_samples, [["m", "AA1"], ["P", "iy"]], heard)
    assert [(p.symbol, round(p.start_s, 2), round(p.end_s, 2)) for p in found] == [
        ("pau", 0.0, 0.2), ("m", 0.2, 0.28), ("aa", 0.28, 0.4), ("pau", 0.4, 0.7), ("p", 0.7, 0.76),
        ("iy", 0.76, 0.86), ("pau", 0.86, 1.0),
    ]  # fmt: skip


def test_words_may_run_together_and_repeat() -> None:
    heard = Known([("M", 8), ("AA", 12), ("M", 8), ("AA", 12)])
    found = align_phones(array_source(np.zeros(1, np.float32)), heard.n_samples, [["m", "aa"], ["m", "aa"]], heard)
    assert [p.symbol for p in found] == ["m", "aa", "m", "aa"]
    assert [round(p.start_s, 2) for p in found] == [0.0, 0.08, 0.2, 0.28]


def test_long_speech_is_settled_in_parts_without_changing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    words = [[str(p) for p in rng.choice(PHONES[1:], 3)] for _ in range(150)]
    said = [("SIL", 5)] + [(p, int(rng.integers(4, 9))) for word in words for p in word] + [("SIL", 5)]
    heard = Known(said)
    source = array_source(np.zeros(1, np.float32))
    whole = align_phones(source, heard.n_samples, words, heard)
    monkeypatch.setattr(module, "_BAND", 200)
    monkeypatch.setattr(module, "_PART", 70)
    monkeypatch.setattr(module, "_SETTLED", 90)
    assert align_phones(source, heard.n_samples, words, heard) == whole
    assert [p.symbol.upper() for p in whole if p.symbol != "pau"] == [p for word in words for p in word]


def test_refusals_are_one_sentence() -> None:
    heard = Known([("M", 8), ("AA", 12)])
    source = array_source(np.zeros(1, np.float32))
    with pytest.raises(SpeechError, match="no phones"):
        align_phones(source, heard.n_samples, [["pau"], []], heard)
    with pytest.raises(SpeechError, match="cannot hold"):
        align_phones(source, heard.n_samples, [["m", "aa", "m", "aa", "m", "aa", "m"]], heard)


@needs_espeak
@pytest.mark.parametrize(("language", "text"), [
    ("nl", "Mijn broer woont in een wit huis bij de bomen. Hij leest een mooi boek."),
    ("es", "Mi hermano vive en una casa blanca, cerca del mar."),
])  # fmt: skip
def test_a_pronounced_text_is_laid_over_a_voice(language: str, text: str) -> None:
    speech = synthesise(text, "espeak-ng", None, language).at(16_000)
    assert speech.phones is not None
    exact = [p for p in speech.phones if p.symbol != "pau"]
    found = align_phones(array_source(speech.samples), len(speech.samples), [[p.symbol for p in exact]])
    starts = np.array([p.start_s for p in found if p.symbol != "pau"])
    assert np.abs(starts - [p.start_s for p in exact]).mean() < 0.05


@needs_espeak
def test_texts_are_pronounced_in_their_languages() -> None:
    assert phonemise("Papa", "de") == [["p", "aa", "p", "aa"]]
    assert phonemise("mama papa", "cs") == [["m", "aa", "m", "aa"], ["p", "aa", "p", "aa"]]
    assert phonemise("妈妈", "zh") == [["m", "aa"], ["m", "aa"]]
    with pytest.raises(SpeechError, match="no voice"):
        phonemise("qapla", "tlh-none")
    with pytest.raises(SpeechError, match="nothing"):
        phonemise("...", "de")


def test_accents_and_foreign_words_do_not_lose_phones() -> None:
    assert arpabet("bɔ̃") == ["b", "ao"]
    assert arpabet("mɐ̃ũ") == ["m", "ah", "uw"]
    assert arpabet("(en)mˈa(cmn)") == ["m", "aa"]
    assert arpabet("r̝") == ["zh"]
