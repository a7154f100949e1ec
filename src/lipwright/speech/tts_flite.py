"""flite through its command line: English, exact phone times from `-psdur`."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from lipwright.core.errors import SpeechError
from lipwright.speech.tts import Phone, Speech
from lipwright.speech.wav import read_pcm

_PREFERRED = ("slt", "rms", "awb", "kal16", "kal")
_PAIR = re.compile(r"(\S+):(\d+(?:\.\d+)?)")


class Flite:
    """The flite program."""

    name = "flite"
    variants = False

    def available(self) -> bool:
        """Whether the program is on the path."""
        return shutil.which("flite") is not None

    def voices(self, language: str) -> list[str]:
        """Its voices, best first, for English; ['en'] for the empty language, nothing for others."""
        if not language:
            return ["en"]
        return _voices() if language.lower().split("-")[0].split("_")[0] == "en" else []

    def speak(self, texts: Sequence[str], voice: str | None, language: str, rate: float) -> list[Speech]:
        """One Speech per text; SpeechError when the program fails."""
        chosen = voice or self.voices("en")[0]
        with tempfile.TemporaryDirectory() as folder:
            return [self._one(text, chosen, rate, Path(folder)) for text in texts]

    def _one(self, text: str, voice: str, rate: float, folder: Path) -> Speech:
        source, out = folder / "text.txt", folder / "speech.wav"
        source.write_text(text + "\n", encoding="utf-8")
        command = ["flite", "-voice", voice, "-psdur", "--setf", f"duration_stretch={1 / rate:.4f}"]
        done = subprocess.run(
            [*command, "-f", str(source), "-o", str(out)], capture_output=True, text=True, check=False
        )
        if done.returncode != 0 or not out.is_file():
            raise SpeechError(f"flite failed on '{text[:40]}' ({done.stderr.strip()[:200]}); try espeak-ng")
        samples, sample_rate = read_pcm(out, "flite")
        return Speech(samples, sample_rate, parse_psdur(done.stdout, len(samples) / sample_rate))


def parse_psdur(output: str, duration_s: float) -> tuple[Phone, ...]:
    """Phones from `phone:end_seconds` pairs, one line per utterance, whose times restart on each line.

    The printed ends overshoot the samples by up to a frame per utterance, so times are scaled to
    `duration_s` and the last phone ends with the samples.
    """
    phones: list[Phone] = []
    offset = 0.0
    for line in output.splitlines():
        last = 0.0
        for symbol, end in _PAIR.findall(line):
            phones.append(Phone(symbol, offset + last, offset + float(end)))
            last = float(end)
        offset += last
    if not phones or offset <= 0:
        return (Phone("pau", 0.0, duration_s),)
    scale = duration_s / offset
    return tuple(Phone(p.symbol, p.start_s * scale, p.end_s * scale) for p in phones)


@lru_cache(maxsize=1)
def _voices() -> list[str]:
    done = subprocess.run(["flite", "-lv"], capture_output=True, text=True, check=False)
    found = done.stdout.partition(":")[2].split()
    known = [v for v in _PREFERRED if v in found]
    return known + [v for v in found if v not in known]
