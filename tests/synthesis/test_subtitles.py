from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lipwright.core.errors import ConfigError, SpeechError
from lipwright.subject.store import Subject
from lipwright.synthesis.speaker import Persona


def test_a_transcript_of_given_speech(persona: Persona, subject: Subject, tmp_path: Path) -> None:
    speaking = persona.speak(subject.samples[:48_000])
    with pytest.raises(SpeechError, match=r"give its transcript \(--transcript FILE\)"):
        speaking.write_subtitles(tmp_path / "a.srt")
    assert speaking.write_subtitles(tmp_path / "a.vtt", "Das ist kein englischer Satz.") == "letters"
    shown = (tmp_path / "a.vtt").read_text(encoding="utf-8")
    assert shown.startswith("WEBVTT\n\n00:00:0")
    assert "Das ist kein englischer Satz." in shown
    with pytest.raises(ConfigError, match=r"ends in \.srt or \.vtt"):
        speaking.write_subtitles(tmp_path / "a.txt", "Das ist ein Satz.")


@pytest.mark.skipif(not (shutil.which("espeak-ng") or shutil.which("flite")), reason="needs a speech engine")
def test_spoken_text_has_its_own_times(persona: Persona, tmp_path: Path) -> None:
    speaking = persona.speak(text="Good evening. Here is the news of the day, and then the weather.")
    assert speaking.write_subtitles(tmp_path / "a.srt") == "engine"
    shown = (tmp_path / "a.srt").read_text(encoding="utf-8")
    assert shown.startswith("1\n00:00:00,")
    assert "and then the weather." in shown
