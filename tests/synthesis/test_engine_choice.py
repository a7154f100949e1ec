"""`Persona.load(engine=...)` and `speak(engine=...)`: the same mouth on another engine, kept for the next time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lipwright.cli.assets import ASSETS, DEMO_PERSONA
from lipwright.core.errors import ConfigError
from lipwright.engines.parity import LIMITS
from lipwright.media.audio import AudioReader
from lipwright.synthesis.speaker import Persona


def test_unknown_engines_are_named() -> None:
    with pytest.raises(ConfigError, match="unknown engine 'cuda'; available: auto, torch, openvino, onnxruntime"):
        Persona.load(DEMO_PERSONA, engine="cuda")
    persona = Persona.load(DEMO_PERSONA, engine="torch")
    with pytest.raises(ConfigError, match="unknown engine 'cuda'"):
        persona.speak(np.zeros(16000, np.float32), engine="cuda")
    ready = persona.running()
    assert (ready.engine, ready.notes) == ("none", []), "the appearance memory has no network"
    assert persona.running() is ready


@pytest.mark.slow
def test_the_mouth_is_where_torch_puts_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("onnx", "onnxscript", "openvino"):
        pytest.importorskip(name, exc_type=ImportError)
    monkeypatch.setenv("LIPWRIGHT_CACHE", str(tmp_path))
    persona = Persona.load(DEMO_PERSONA, engine="openvino")
    samples = np.concatenate(list(AudioReader(ASSETS / "demo_speech.wav").blocks(16000)))[:32000]
    here, there = (persona.speak(samples, engine=engine) for engine in ("torch", None))
    wanted, found = here.targets(), there.targets()
    assert there.notes == []
    assert len(list((tmp_path / "engines").glob("motion-*.onnx"))) == 1
    assert np.ptp(wanted, axis=0).max() > 1, "the mouth moves by pixels"
    off = found - wanted
    assert np.sqrt((off**2).mean()) < LIMITS["px"]["fp32"]
    assert np.abs(off).max() < 0.1, "a processor with bf16 uses it, and is off by hundredths of a pixel here and there"
