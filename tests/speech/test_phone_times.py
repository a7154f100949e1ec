"""Phones of a plain text, against the exact ones that drove the presenter."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from lipwright.core.contracts import F32
from lipwright.core.errors import SpeechError
from lipwright.media.audio import read_audio
from lipwright.speech.phone_times import phone_times
from lipwright.speech.source import array_source

ASSETS = Path(str(files("lipwright") / "assets"))
SECONDS = 8.4
TEXT = (
    "Good evening, and welcome to a short programme about bread, boats and bicycles. "
    "My name does not matter, because nobody ever gave me one."
)


@pytest.fixture(scope="module")
def speech() -> F32:
    return read_audio(ASSETS / "presenter.mp4")[: int(SECONDS * 16_000)]


def test_lips_meet_where_the_text_says_so(speech: F32) -> None:
    found = phone_times(TEXT, array_source(speech), len(speech))
    times = np.array([p[1:] for p in found])
    assert (times[:, 0] < times[:, 1]).all()
    assert (np.diff(times[:, 0]) > 0).all()
    assert 0 <= times.min() <= times.max() <= SECONDS
    truth = json.loads((ASSETS / "presenter_phones.json").read_text(encoding="utf-8"))["phones"]
    wanted = [(s + e) / 2 for p, s, e in truth if p in "pbm" and e < SECONDS]
    heard = [(s + e) / 2 for p, s, e in found if p in ("P", "B", "M")]
    assert len(heard) == len(wanted) == 13
    assert np.abs(np.array(heard) - wanted).max() < 0.06


@pytest.mark.parametrize(
    "text",
    [
        "Completely different words that nobody says here at all, and it continues for a while longer.",
        "Guten Abend und herzlich willkommen zu unserer Sendung, liebe Zuschauer.",
    ],
)
def test_a_text_that_is_not_what_is_said_is_refused(speech: F32, text: str) -> None:
    with pytest.raises(SpeechError, match="cannot be laid over the speech"):
        phone_times(text, array_source(speech), len(speech))


def test_a_text_without_words_is_refused(speech: F32) -> None:
    with pytest.raises(SpeechError, match="no words"):
        phone_times(" ... ", array_source(speech), len(speech))
