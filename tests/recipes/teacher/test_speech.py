"""Voices in turn, the same again, with phones; folders in pieces."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from lipwright.core.errors import DependencyError, FootageError
from lipwright.media.audio import write_wav
from lipwright.recipes.teacher import speech
from lipwright.recipes.teacher.speech import HELD_OUT, VOICES, Alternating, SpeechFolder, SyntheticVoices

needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")


def test_voices_to_judge_by_are_never_learnt_from() -> None:
    assert not set(VOICES) & set(HELD_OUT)
    assert len({language for _, _, language in VOICES}) > 10


@needs_espeak
def test_an_utterance_is_the_same_again_and_knows_its_phones() -> None:
    source = SyntheticVoices(3, tuple(v for v in VOICES if v[0] == "espeak-ng")[:3])
    one, again, other = source(0), source(0), source(1)
    np.testing.assert_array_equal(one.samples, again.samples)
    np.testing.assert_array_equal(one.heard, again.heard)
    assert one.name != other.name, "voices take turns"
    assert len(one.heard) == len(one.samples)
    assert np.abs(one.heard - one.samples).max() > 0.01, "the network hears it in a room"
    assert one.phones is not None
    spoken = [p for p in one.phones if p.symbol != "pau"]
    assert len(spoken) > 20
    assert spoken[-1].end_s <= len(one.samples) / 16_000 + 0.05
    loud = np.abs(one.samples)
    inside = np.concatenate([loud[round(16_000 * p.start_s) : round(16_000 * p.end_s)] for p in spoken])
    assert inside.mean() > 3 * (loud.sum() - inside.sum()) / max(len(loud) - len(inside), 1)
    assert source.key != SyntheticVoices(4, source.voices).key


def test_without_an_engine_the_next_step_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech, "engines", dict)
    with pytest.raises(DependencyError, match="a folder of speech; install one"):
        SyntheticVoices()(0)


def test_where_nobody_speaks_the_person_changes_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tone of 200 Hz moves by as much as the piece changes its length."""
    tone = np.sin(2 * np.pi * 200 * np.arange(32_000) / 16_000).astype(np.float32)
    monkeypatch.setattr(speech, "engines", dict)
    source = speech.default_speech(tone, 3)
    assert isinstance(source, speech.ChangedVoice)
    for index in range(3):
        said = source(index)
        spectrum = np.abs(np.fft.rfft(said.samples))
        pitch = spectrum.argmax() * 16_000 / len(said.samples)
        assert pitch * len(said.samples) == pytest.approx(200 * len(tone), rel=0.01)
        assert abs(pitch - 200) > 10
        assert len(said.heard) == len(said.samples)
        np.testing.assert_array_equal(source(index).heard, said.heard)
    assert source.key != speech.ChangedVoice(tone, 4).key


def test_a_folder_is_heard_in_pieces_file_after_file(tmp_path: Path) -> None:
    with pytest.raises(FootageError, match="holds no sound"):
        SpeechFolder(tmp_path)(0)
    for name, seconds, value in (("a.wav", 2.0, 0.25), ("b.wav", 1.0, 0.5)):
        write_wav(tmp_path / name, np.full(round(16_000 * seconds), value, np.float32))
    source = SpeechFolder(tmp_path, 1.0)
    told = [source(k) for k in range(4)]
    assert [t.name for t in told] == ["a.wav 0 s", "b.wav 0 s", "a.wav 1 s", "a.wav 0 s"]
    assert all(len(t.samples) == 16_000 for t in told)
    assert float(told[1].samples.mean()) == pytest.approx(0.5, abs=1e-3)
    assert told[0].phones is None
    both = Alternating((source, SpeechFolder(tmp_path, 2.0)))
    assert [both(k).name for k in range(3)] == ["a.wav 0 s", "a.wav 0 s", "b.wav 0 s"]
