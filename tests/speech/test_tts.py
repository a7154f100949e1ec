from __future__ import annotations

import shutil
import sys
import wave
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from lipwright.core.errors import ConfigError, DependencyError, SpeechError
from lipwright.speech.ipa import arpabet
from lipwright.speech.tts import Phone, Speech, concatenate, split_sentences, synthesise
from lipwright.speech.tts_espeak import phones_of
from lipwright.speech.tts_flite import parse_psdur
from lipwright.speech.wav import read_pcm

needs_flite = pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")
needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")

WRITER = """
import sys, wave, pathlib
text = pathlib.Path(sys.argv[2]).read_text('utf-8') if len(sys.argv) > 2 else sys.stdin.buffer.read().decode()
with wave.open(sys.argv[1], 'wb') as w:
    w.setnchannels(1); w.setsampwidth(2); w.setframerate(8000)
    w.writeframes(b'\\x00\\x40' * (100 * len(text)))
"""


def speech(n: int, rate: int, *phones: tuple[str, float, float]) -> Speech:
    return Speech(np.zeros(n, np.float32), rate, tuple(Phone(*p) for p in phones))


def test_sentences_are_cut_at_their_ends() -> None:
    assert split_sentences("One two. Three?  Four!\nFive") == ["One two.", "Three?", "Four!", "Five"]
    assert split_sentences("一。二。") == ["一。", "二。"]


def test_long_sentences_are_cut_without_losing_words() -> None:
    text = " ".join(f"word{i}," if i % 7 == 0 else f"word{i}" for i in range(300))
    pieces = split_sentences(text, 120)
    assert max(map(len, pieces)) <= 120
    assert " ".join(pieces) == text
    assert "".join(split_sentences("x" * 1000, 300)) == "x" * 1000


def test_parts_join_with_exact_times_and_one_pause() -> None:
    a = speech(8000, 16000, ("b", 0.0, 0.3), ("pau", 0.3, 0.5))
    b = speech(1600, 16000, ("pau", 0.0, 0.02), ("m", 0.02, 0.1))
    joined = concatenate([a, b])
    assert joined.phones == (Phone("b", 0.0, 0.3), Phone("pau", 0.3, 0.52), Phone("m", 0.52, 0.6))
    assert len(joined.samples) == 9600


def test_one_part_without_phones_leaves_none() -> None:
    assert concatenate([speech(10, 16000), Speech(np.zeros(5, np.float32), 16000, None)]).phones is None


def test_resampling_keeps_the_tone() -> None:
    t = np.arange(22050) / 22050
    out = Speech(np.sin(2 * np.pi * 440 * t).astype(np.float32) * 0.5, 22050, None).at(16000)
    assert len(out.samples) == 16000
    want = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    np.testing.assert_allclose(out.samples[500:-500], want[500:-500], atol=2e-3)


def test_psdur_lines_restart_and_are_scaled_to_the_samples() -> None:
    phones = parse_psdur("pau:0.1 b:0.3 \nm:0.2 pau:0.6 \n", 1.8)
    assert [p.symbol for p in phones] == ["pau", "b", "m", "pau"]
    np.testing.assert_allclose([p.end_s for p in phones], [0.2, 0.6, 1.0, 1.8])
    assert parse_psdur("", 0.5) == (Phone("pau", 0.0, 0.5),)


def test_ipa_maps_to_mouth_shapes_of_many_languages() -> None:
    assert arpabet("ˈɛɹ") == ["eh", "r"]
    assert arpabet("t͡ʃ") == ["ch"]
    assert arpabet("aɪ") == ["ay"]
    assert arpabet("pf") == ["p", "f"]
    assert arpabet("yː") == ["uw"]
    assert arpabet("5") == []


def test_espeak_events_tile_the_samples() -> None:
    phones = phones_of([(100, "b"), (300, "ɛɹ"), (700, ""), (900, "")], 1000, 1000)
    assert [p.symbol for p in phones] == ["pau", "b", "eh", "r", "pau"]
    assert [p.start_s for p in phones] == [0.0, 0.1, 0.3, 0.5, 0.7]
    assert phones[-1].end_s == 1.0


@pytest.mark.parametrize("text", ["", "  \n", "?! ..."])
def test_text_without_letters_is_refused(text: str) -> None:
    with pytest.raises(SpeechError, match="empty or has no letters"):
        synthesise(text)


def test_bad_options_are_named() -> None:
    with pytest.raises(ConfigError, match="unknown speech engine 'siri'"):
        synthesise("hello", engine="siri")
    with pytest.raises(ConfigError, match="rate 9"):
        synthesise("hello", rate=9)
    with pytest.raises(ConfigError, match="out"):
        synthesise("hello", engine="command:say hello")


def test_no_engine_says_how_to_install_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lipwright.speech.tts_flite.shutil.which", lambda name: None)
    monkeypatch.setattr("lipwright.speech.tts_espeak._library", lambda: None)
    with pytest.raises(DependencyError, match="apt install"):
        synthesise("hello")
    with pytest.raises(DependencyError, match="'flite' is not installed"):
        synthesise("hello", engine="flite")


@pytest.mark.parametrize("words", ["{out} {text}", "{out}"])
def test_any_command_that_writes_a_wav_is_an_engine(tmp_path: Path, words: str) -> None:
    script = tmp_path / "voice.py"
    script.write_text(WRITER, encoding="utf-8")
    said = synthesise("Hällo; rm -rf $(x). Bye.", engine=f"command:{sys.executable} {script} {words}")
    assert said.sample_rate == 8000
    assert len(said.samples) == 100 * (len("Hällo; rm -rf $(x).") + len("Bye."))
    assert said.phones is None
    np.testing.assert_allclose(said.samples, 0.5)


def test_a_failing_command_passes_its_words_on(tmp_path: Path) -> None:
    script = tmp_path / "bad.py"
    script.write_text("import sys; sys.exit('no licence')", encoding="utf-8")
    with pytest.raises(SpeechError, match="no licence"):
        synthesise("hello", engine=f"command:{sys.executable} {script} {{out}}")
    script.write_text("", encoding="utf-8")
    with pytest.raises(SpeechError, match="no readable PCM wav"):
        synthesise("hello", engine=f"command:{sys.executable} {script} {{out}}")
    with pytest.raises(DependencyError, match="not on the path"):
        synthesise("hello", engine="command:no-such-program {out}")


@pytest.mark.parametrize(
    ("width", "raw", "want"),
    [
        (1, b"\x80\xc0", [0.0, 0.5]),
        (2, b"\x00\xc0", [-0.5]),
        (3, b"\x00\x00\x40", [0.5]),
        (4, b"\0\0\0\x20", [0.25]),
    ],
)
def test_every_pcm_width_is_read(tmp_path: Path, width: int, raw: bytes, want: list[float]) -> None:
    with wave.open(str(tmp_path / "x.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(width)
        file.setframerate(8000)
        file.writeframes(raw)
    samples, _ = read_pcm(tmp_path / "x.wav", "test")
    np.testing.assert_allclose(samples, want)


def _tiles(said: Speech) -> None:
    phones = said.phones
    assert phones
    assert phones[0].start_s == 0
    for a, b in pairwise(phones):
        assert a.end_s == pytest.approx(b.start_s, abs=1e-6)
        assert a.end_s > a.start_s
    assert phones[-1].end_s == pytest.approx(float(said.duration_s), abs=1e-6)


@needs_flite
def test_flite_gives_phones_that_tile_the_samples() -> None:
    said = synthesise("Bob met Pam. She waved.", engine="flite", voice="kal")
    _tiles(said)
    symbols = [p.symbol for p in said.phones or ()]
    assert symbols.count("b") == 2
    assert "sh" in symbols
    sounding = next(p for p in said.phones or () if p.symbol == "aa")
    edges = [int(t * said.sample_rate) for t in (sounding.start_s, sounding.end_s)]
    vowel, all_of_it = said.samples[edges[0] : edges[1]], said.samples
    assert np.abs(vowel).mean() > 1.5 * np.abs(all_of_it).mean()


@needs_espeak
def test_espeak_speaks_german_with_phones() -> None:
    said = synthesise("Guten Morgen, Mama.", engine="espeak-ng", language="de")
    if said.phones is None:
        pytest.skip("the espeak-ng library is not installed, only the program")
    _tiles(said)
    assert [p.symbol for p in said.phones].count("m") == 3


@needs_espeak
@pytest.mark.parametrize(
    ("language", "voice"),
    [
        ("fr", None),
        ("en-gb", None),
        ("fr", "fr-fr"),
        ("fr", "French_(France)"),
        ("fr", "fr-fr+f2"),
        ("en-us", "en-us+m1"),
    ],
)
def test_espeak_speaks_with_every_kind_of_name_that_it_lists(language: str, voice: str | None) -> None:
    said = synthesise("Bonjour, maman.", engine="espeak-ng", language=language, voice=voice)
    assert 0.3 < len(said.samples) / said.sample_rate < 5


@needs_espeak
def test_espeak_names_unknown_voices_and_languages() -> None:
    with pytest.raises(SpeechError, match="no voice for language 'xx'"):
        synthesise("hello", engine="espeak-ng", language="xx")
    with pytest.raises(SpeechError, match="no voice 'nobody'"):
        synthesise("hello", engine="espeak-ng", voice="nobody")
    with pytest.raises(SpeechError, match=r"no voice 'nobody\+f2'"):
        synthesise("hello", engine="espeak-ng", voice="nobody+f2")


@needs_flite
@needs_espeak
def test_rate_changes_the_length() -> None:
    for engine in ("flite", "espeak-ng"):
        normal, fast = (synthesise("Pick a big bag.", engine=engine, rate=r) for r in (1.0, 1.6))
        assert 0.5 < len(fast.samples) / len(normal.samples) < 0.8
