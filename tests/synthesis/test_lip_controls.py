"""Amplitude, smoothing and offset of `speak`: what the renderer is asked for changes, the sound does not."""

from __future__ import annotations

import numpy as np
import pytest

from lipwright.core.errors import ConfigError
from lipwright.motion.scores import aperture
from lipwright.speech.tts import Phone
from lipwright.synthesis.speaker import Persona
from lipwright.synthesis.voice import heard_later, voice_of_samples


def speech(seconds: float = 3.0) -> np.ndarray:
    t = np.arange(round(16_000 * seconds)) / 16_000
    return (0.3 * np.sin(2 * np.pi * 140 * t) * np.clip(np.sin(2 * np.pi * 2 * t), 0, 1)).astype(np.float32)


@pytest.mark.parametrize(("ms", "samples"), [(40.0, 640), (-250.0, -4000), (0.06, 1)])
def test_late_lips_hear_what_was_said_before(ms: float, samples: int) -> None:
    voice = voice_of_samples(speech(), phones=[Phone("m", 0.5, 0.6)])
    late = heard_later(voice, ms)
    np.testing.assert_array_equal(late.source(5000, 9000), voice.source(5000 - samples, 9000 - samples))
    assert late.n_samples == voice.n_samples
    assert late.sound is voice.sound
    assert late.phones is not None
    [phone] = late.phones
    assert (phone.symbol, phone.start_s, phone.end_s) == ("m", 0.5 + samples / 16_000, 0.6 + samples / 16_000)


def test_no_offset_is_the_voice_itself_and_a_large_one_is_refused() -> None:
    voice = voice_of_samples(speech())
    assert heard_later(voice, 0) is voice
    with pytest.raises(ConfigError, match=r"offset 1500 ms is outside \[-1000, 1000\]"):
        heard_later(voice, 1500)


def test_a_persona_opens_its_lips_as_far_as_it_is_told(persona: Persona) -> None:
    own, wide, shut = (aperture(persona.speak(speech(), amplitude=a).targets()).std() for a in (1.0, 1.5, 0.0))
    assert wide > 1.3 * own
    assert shut < 0.5 * own
    calm = persona.speak(speech(), smoothing_ms=120).targets()
    plain = persona.speak(speech()).targets()
    assert np.diff(aperture(calm)).std() < 0.7 * np.diff(aperture(plain)).std()
    later = aperture(persona.speak(speech(), offset_ms=120).targets())
    lags = {k: np.corrcoef(aperture(plain)[10:-10], np.roll(later, -k)[10:-10])[0, 1] for k in range(-5, 6)}
    assert max(lags, key=lambda k: lags[k]) == 3
    with pytest.raises(ConfigError, match="replay shows the template's own mouth"):
        persona.speak(speech(), replay=True, amplitude=1.2)
    with pytest.raises(ConfigError, match=r"amplitude 2\.5 is outside"):
        persona.speak(speech(), amplitude=2.5)
