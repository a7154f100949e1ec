"""Peak memory does not grow with the length of the speech."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

MEASURE = """
import resource, sys
import numpy as np
from lipwright.media.audio import write_wav
from lipwright.synthesis.speaker import Persona

def peak(seconds):
    rng = np.random.default_rng(0)
    loud = np.repeat(rng.uniform(0, 0.3, 8 * seconds), 2000)
    write_wav(sys.argv[2], (loud * rng.normal(0, 0.3, len(loud))).astype(np.float32), 16_000)
    speaking = persona.speak(sys.argv[2])
    n = sum(1 for _ in speaking)
    speaking.close()
    assert n == 25 * seconds
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

persona = Persona.load(sys.argv[1])
print(peak(4), peak(32))
"""


@pytest.mark.slow
def test_peak_memory_is_flat(persona_folder: Path, tmp_path: Path) -> None:
    """Eight times the speech, within 10 %; longer than the template, so also played backwards."""
    command = [sys.executable, "-c", MEASURE, str(persona_folder), str(tmp_path / "noise.wav")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    short, long = map(int, done.stdout.split())
    assert long < 1.10 * short, f"{short} kB, then {long} kB"
