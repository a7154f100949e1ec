"""Features of speech that is still coming: nothing later counts, nothing earlier is lost, and they follow the sound."""

from __future__ import annotations

import numpy as np
import pytest

from lipwright.core.contracts import F32
from lipwright.core.errors import ConfigError
from lipwright.speech.heard import Probable
from lipwright.speech.loudness import loudness
from lipwright.speech.near import FEATURES, NearFeatures
from lipwright.speech.source import array_source
from lipwright.speech.tts import synthesise
from lipwright.speech.visemes import Visemes

UNTIL = 40 * 640 + 7040


@pytest.fixture(scope="module")
def speech() -> F32:
    """Four seconds of a synthetic voice after a second of silence."""
    spoken = synthesise("My mother bought a big map. Five of them move, and four of them wave.", engine="flite")
    assert spoken.sample_rate == 16_000
    return np.concatenate([np.zeros(16_000, np.float32), spoken.samples.astype(np.float32)[:64_000]])


@pytest.mark.parametrize("first", [30, 60])
@pytest.mark.parametrize("name", FEATURES)
def test_what_comes_later_changes_nothing(speech: F32, name: str, first: int) -> None:
    """Also where not even the first frame is known."""
    noise = np.random.default_rng(0).normal(0, 0.3, len(speech) - UNTIL).astype(np.float32)
    other = np.concatenate([speech[:UNTIL], noise])
    rows = [NearFeatures(array_source(s), [name]).read(first, 30, UNTIL)[name] for s in (speech, other, speech[:UNTIL])]
    np.testing.assert_array_equal(rows[0], rows[1])
    np.testing.assert_array_equal(rows[0], rows[2])
    assert len(rows[0]) in (30, 120)


@pytest.mark.parametrize("name", FEATURES)
def test_what_was_asked_before_changes_nothing(speech: F32, name: str) -> None:
    asked = NearFeatures(array_source(speech), [name])
    for until in range(UNTIL - 12_800, UNTIL, 1280):
        asked.read(20, 20, until)
    fresh = NearFeatures(array_source(speech), [name])
    np.testing.assert_array_equal(asked.read(30, 30, UNTIL)[name], fresh.read(30, 30, UNTIL)[name])


@pytest.mark.parametrize("name", FEATURES)
def test_nothing_is_kept_that_was_made_before_its_time(speech: F32, name: str) -> None:
    """A source that grows: each reading may see what is known by then, and not remember that the rest was missing."""
    known = 0

    def growing(start: int, stop: int) -> F32:
        return array_source(speech[:known])(start, stop)

    asked, fresh = NearFeatures(growing, [name]), NearFeatures(array_source(speech), [name])
    for step in range(8):
        known = UNTIL - (7 - step) * 1280
        first = known // 640 - 30
        np.testing.assert_array_equal(asked.read(first, 24, known)[name], fresh.read(first, 24, known)[name])


def test_samples_that_changed_are_heard_anew(speech: F32) -> None:
    """As after an interruption: the same array, silenced from a sample on."""
    held, cut = speech.copy(), UNTIL - 3000
    asked = NearFeatures(array_source(held), FEATURES)
    asked.read(30, 30, UNTIL)
    held[cut:] = 0
    asked.forget(cut)
    fresh = NearFeatures(array_source(held), FEATURES).read(30, 30, UNTIL)
    for name, rows in asked.read(30, 30, UNTIL).items():
        np.testing.assert_array_equal(rows, fresh[name], err_msg=name)


def test_a_second_of_future_gives_nearly_the_whole_recordings_visemes(speech: F32) -> None:
    """Of our recogniser alone, as a stream hears; loudness and pauses know the past alone. Less future, less alike."""
    whole = Visemes(ears=Probable()).block(array_source(speech), 0)[30:110]
    alike = []
    for ahead in (16_000, 7_040, 1_280):
        near = NearFeatures(array_source(speech), ["visemes"])
        rows = np.concatenate([near.read(f, 2, f * 640 + ahead)["visemes"] for f in range(30, 110, 2)])
        alike.append(float(np.corrcoef(rows.ravel(), whole.ravel())[0, 1]))
    assert alike[0] > 0.9
    assert alike[1] > 0.85
    assert alike[0] > alike[2] + 0.1


def test_silence_is_rest(speech: F32) -> None:
    rows = NearFeatures(array_source(speech), ["visemes", "pauses"]).read(0, 12, 12 * 640)
    assert not rows["visemes"].any()
    assert rows["pauses"][:, 0].all()
    assert not rows["pauses"][:, 1].any(), "no phone is known for certain"


def test_loudness_of_the_past_alone(speech: F32) -> None:
    source = array_source(speech)
    near = loudness(source, 100, 80, known=160)
    other = loudness(array_source(np.concatenate([speech[: 160 * 160], np.ones(9999, np.float32)])), 100, 80, 160)
    np.testing.assert_array_equal(near, other)
    assert len(near) == 80
    np.testing.assert_array_equal(near[60:], near[60])
    whole = loudness(source, 100, 80)
    assert np.corrcoef(near[:55], whole[:55])[0, 1] > 0.95


def test_what_cannot_be_streamed_says_so(speech: F32) -> None:
    with pytest.raises(ConfigError, match="'wav2vec2' needs the whole recording"):
        NearFeatures(array_source(speech), ["wav2vec2"])
