"""Training of the recogniser: speakers, labels, rooms, a tiny training that learns, the card's figures."""

from __future__ import annotations

import shutil
import subprocess
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from lipwright.core.errors import ConfigError, DependencyError
from lipwright.hearing import festival
from lipwright.hearing.__main__ import main
from lipwright.hearing.card import accuracy, error_rate, order
from lipwright.hearing.dataset import Spoken, columns_of, labels_at, spoken
from lipwright.hearing.pieces import Ear, Heard
from lipwright.hearing.sounds import KINDS, noise_of
from lipwright.hearing.speakers import FORMANT, HELD_OUT, RECORDED, Speaker
from lipwright.hearing.training import Fold, HearingTask, TrainingConfig
from lipwright.speech.articulation import PHONES
from lipwright.speech.exact import label_of
from lipwright.speech.ipa import arpabet
from lipwright.speech.rooms import Line, played
from lipwright.speech.texts import WORDS, invent, sentence
from lipwright.speech.tts import Phone
from lipwright.speech.tts_espeak import Espeak, voice_file

needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
RNG = np.random.default_rng


def tones(seconds: float = 8.0) -> Spoken:
    """Three vowels that are three tones."""
    n = round(seconds * 10)
    labels = RNG(0).choice([PHONES.index(p) for p in ("AA", "IY", "S")], n)
    t = np.arange(1600) / 16_000
    pieces = [0.3 * np.sin(2 * np.pi * (300, 1200, 4000)[[26, 36, 12].index(k)] * t) for k in _places(labels)]
    edges = np.arange(n + 1, dtype=np.float32) / 10
    return Spoken(
        Speaker("flite", "x", "en"), np.concatenate(pieces).astype(np.float32), labels.astype(np.uint8), edges
    )


def _places(labels: np.ndarray) -> list[int]:
    found = {PHONES.index("AA"): 26, PHONES.index("IY"): 36, PHONES.index("S"): 12}
    return [found[int(k)] for k in labels]


def test_no_voice_or_language_of_the_test_is_learnt() -> None:
    learnt = {(s.engine, s.voice) for s in (*RECORDED, *FORMANT)}
    assert not learnt & {(s.engine, s.voice) for s in HELD_OUT}
    variants = {s.voice.partition("+")[2] for s in FORMANT}
    assert not variants & {s.voice.partition("+")[2] for s in HELD_OUT if s.engine == "espeak-ng"}
    languages = {s.language.split("-")[0] for s in (*RECORDED, *FORMANT)}
    assert {s.language for s in HELD_OUT} - languages >= {"ca", "te", "nl", "hu", "ja"}
    assert len(languages) >= 20
    assert not any("slt" in s.voice for s in (*RECORDED, *FORMANT))


def test_sentences_are_words_and_inventions_of_the_language() -> None:
    for language in WORDS:
        assert sentence(language, RNG(3)) == sentence(language, RNG(3))
        assert any(c.isalpha() for c in sentence(language, RNG(1)))
    word = invent(["banana"], RNG(0))
    assert set(word) <= set("ban")
    with pytest.raises(ConfigError, match="available"):
        sentence("tlh", RNG(0))


@needs_espeak
def test_every_symbol_of_espeak_for_the_languages_used_is_a_phone_or_a_mark() -> None:
    """The map of classes is total: what stays unmapped is no letter, but a sign of stress, length, tone or accent."""
    left: set[str] = set()
    for language in sorted({s.language for s in (*FORMANT, *HELD_OUT)} & {*map(str, WORDS)}):
        voice = voice_file(Espeak().best_voice(language))
        command = ["espeak-ng", "-q", "--ipa", "-v", voice, WORDS[language]]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        left |= {c for c in unicodedata.normalize("NFC", said) if not arpabet(c)}
    letters = {c for c in left if unicodedata.category(c) in ("Ll", "Lu", "Lo")}
    assert letters <= {"ʔ"}  # the closed glottis: no shape of the mouth


def test_festival_symbols_are_phones() -> None:
    for voice in festival.KNOWN.values():
        for pair in voice.symbols.split():
            for symbol in pair.rsplit(":", 1)[1].split("+"):
                assert symbol == "pau" or label_of(symbol) in PHONES


def test_missing_voices_are_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(festival, "VOICES", tmp_path)
    with pytest.raises(DependencyError, match=r"apt install festival .*festvox-ru") as refusal:
        festival.require(["msu_ru_nsh_clunits"])
    assert "\n" not in str(refusal.value)


def test_the_command_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(festival, "VOICES", tmp_path)
    assert main(["--work", str(tmp_path / "work"), "-o", str(tmp_path / "w.safetensors")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_labels_lie_in_the_middle_of_their_steps() -> None:
    phones = [Phone("m", 0.0, 0.03), Phone("aa", 0.05, 0.1), Phone("pau", 0.1, 0.2)]
    labels, edges = columns_of(phones)
    assert [PHONES[k] for k in labels] == ["M", "SIL", "AA", "SIL"]
    assert [PHONES[k] for k in labels_at(labels, edges, 22)[[0, 2, 3, 4, 5, 9, 10, 21]]] == [
        "M", "M", "SIL", "SIL", "AA", "AA", "SIL", "SIL",
    ]  # fmt: skip


def test_pieces_keep_their_labels() -> None:
    clip = tones(7.3)
    parts = clip.pieces(2.0)
    assert sum(len(p.samples) for p in parts) == len(clip.samples)
    assert np.array_equal(np.concatenate([p.steps(len(p.samples) // 160) for p in parts]), clip.steps(730))


def test_lines_and_tracts_keep_the_length_they_say() -> None:
    samples = tones(3).samples
    for seed in range(20):
        out = Line(telephone=0.5, clipped=0.5, coded=0.5).of(samples, RNG(seed))
        assert out.shape == samples.shape
        assert np.isfinite(out).all()
    exact, faster = played(samples, 1.1)
    assert abs(len(faster) * exact - len(samples)) <= 2


def test_sounds_are_finite_and_not_silent() -> None:
    noise = noise_of(4.0 * len(KINDS), RNG(0))
    assert len(noise) == 4 * 16_000 * len(KINDS)
    assert np.isfinite(noise).all()
    assert noise.std() == pytest.approx(1, rel=0.05)


def test_pieces_are_heard_alike_for_the_same_seed_and_stay_in_range() -> None:
    power = RNG(1).normal(-5, 2, (900, 40)).astype(np.float16)
    clip, noise = Heard(power, np.ones(900, np.uint8)), Heard(power - 3, np.zeros(900, np.uint8))
    for seed in range(12):
        (x, y), (again, _) = (Ear(300, RNG(seed)).hear(clip, noise, clip) for _ in range(2))
        assert x.shape == (300, 40)
        assert y.shape == (300,)
        assert np.array_equal(x, again)
        assert np.abs(x).max() <= 8
        assert y.max() <= 1


def test_a_tiny_training_learns_its_clip() -> None:
    config = TrainingConfig(pieces=2, rows=160, copies=0, noise_s=20.0, recorded=1.0, learning_rate=3e-3)
    fold = Fold.of([tones(12.0)], config, 0)
    task = HearingTask(fold, fold, config)
    task.budget_fraction(0.1)
    before = task.validate()
    for step in range(25):
        task.step(step)
    after = task.validate()
    assert after["score"] < 0.7 * before["score"]
    assert after["right"] > max(0.45, before["right"])


def test_what_was_heard_is_kept(tmp_path: Path) -> None:
    fold = Fold.of([tones(8.0)], TrainingConfig(copies=1, noise_s=20.0), 1)
    fold.save(tmp_path)
    again = Fold.load(tmp_path)
    assert [len(c.labels) for c in again.recorded] == [len(c.labels) for c in fold.recorded]
    assert again.formant == []
    for one, two in zip((*fold.recorded, fold.noise), (*again.recorded, again.noise), strict=True):
        assert np.array_equal(one.log_power, two.log_power)
        assert np.array_equal(one.labels, two.labels)


def test_edits_are_counted() -> None:
    assert error_rate([1, 2, 3], [1, 2, 3]) == 0
    assert error_rate([1, 3], [1, 2, 3]) == pytest.approx(1 / 3)
    assert error_rate([1, 2, 9, 3], [1, 2, 3]) == pytest.approx(1 / 3)
    assert error_rate([], [5, 6]) == 1
    assert order(np.array([0, 0, 4, 4, 0, 4, 5, 5, 0])) == [4, 4, 5]


def test_accuracy_of_the_truth_and_of_a_look_alike() -> None:
    truth = np.repeat([0, PHONES.index("P"), PHONES.index("AA"), 0], 20)
    alike = np.repeat([0, PHONES.index("B"), PHONES.index("AA"), 0], 20)
    eye = np.eye(len(PHONES), dtype=np.float32)
    perfect, near = accuracy(eye[truth], truth), accuracy(eye[alike], truth)
    assert perfect == {"lips": 1, "phone": 1, "silence": 1, "phone_error": 0, "lips_error": 0}
    assert near == {"lips": 1, "phone": 0.5, "silence": 1, "phone_error": 0.5, "lips_error": 0}


@needs_espeak
def test_spoken_text_is_kept(tmp_path: Path) -> None:
    speaker = Speaker("espeak-ng", "hu+f4", "hu")
    first = spoken(speaker, 2.0, tmp_path)
    again = spoken(speaker, 2.0, tmp_path)
    assert np.array_equal(first.samples, again.samples)
    assert len(list(tmp_path.iterdir())) == 1
    assert first.edges_s[-1] == pytest.approx(len(first.samples) / 16_000, abs=0.02)
    assert (np.diff(first.edges_s) > 0).all()
    assert len(set(first.labels.tolist())) > 8
