"""Recordings: cut to length; phones only from a transcript that fits."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import numpy as np
import pytest

from lipwright.media.audio import write_wav
from lipwright.speech.recordings import recordings
from lipwright.speech.tts import synthesise


def test_a_voice_without_transcript_has_no_phones(tmp_path: Path) -> None:
    write_wav(tmp_path / "en_noise.wav", np.random.default_rng(0).normal(0, 0.1, 32_000).astype(np.float32), 16_000)
    (one,) = recordings([tmp_path / "en_noise.wav"], 1.5)
    assert one.name == "en_noise"
    assert one.samples.shape == (24_000,)
    assert one.phones == []


@pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")
def test_a_transcript_gives_the_phones_of_the_beginning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    said = "Bob brought a map of the park. Many people come by boat."
    speech = synthesise(said, "flite", "rms", "en").at(16_000)
    for name, text in (("en_told", said), ("en_empty", "")):
        write_wav(tmp_path / f"{name}.wav", speech.samples, 16_000)
        (tmp_path / f"{name}.txt").write_text(text, encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        told, empty = recordings([tmp_path / "en_told.wav", tmp_path / "en_empty.wav"], 1.5)
    assert sum(p.symbol.upper() in ("B", "M", "P") for p in told.phones) >= 3
    assert max(p.end_s for p in told.phones) <= 1.5
    assert empty.phones == []
