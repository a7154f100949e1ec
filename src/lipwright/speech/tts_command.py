"""Any program that writes a wav file, as a speech engine."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from lipwright.core.errors import ConfigError, DependencyError, SpeechError
from lipwright.speech.tts import Speech
from lipwright.speech.wav import read_pcm


class Command:
    """A command template: `{out}`, and if wanted `{text}`, `{voice}`, `{language}`, `{rate}`, are filled in.

    `{out}` is the wav to write; `{text}` becomes the path of a UTF-8 text file, without it the text goes to
    standard input. The words are split like a shell line but no shell runs: text can never become a command.
    """

    name = "command"
    variants = False

    def __init__(self, template: str) -> None:
        """ConfigError when the template has no `{out}` or cannot be split."""
        try:
            self.words = shlex.split(template)
        except ValueError as error:
            raise ConfigError(f"speech command '{template}' cannot be split ({error}); check its quotes") from error
        if not self.words or "{out}" not in template:
            raise ConfigError(f"speech command '{template}' must name the wav file it writes as {{out}}")

    def available(self) -> bool:
        """Whether its program is on the path."""
        return shutil.which(self.words[0]) is not None

    def voices(self, language: str) -> list[str]:
        """Unknown: the command decides."""
        return []

    def speak(self, texts: Sequence[str], voice: str | None, language: str, rate: float) -> list[Speech]:
        """One Speech per text, without phones; the command's message is passed on when it fails."""
        if not self.available():
            raise DependencyError(f"speech command '{self.words[0]}' is not on the path; install it or name it fully")
        options = {"voice": voice or "", "language": language, "rate": f"{rate:g}"}
        with tempfile.TemporaryDirectory() as folder:
            return [self._one(text, options, Path(folder)) for text in texts]

    def _one(self, text: str, options: dict[str, str], folder: Path) -> Speech:
        source, out = folder / "text.txt", folder / "speech.wav"
        source.write_text(text, encoding="utf-8")
        out.unlink(missing_ok=True)
        values = {**options, "text": str(source), "out": str(out)}
        words = []
        for word in self.words:
            for key, value in values.items():
                word = word.replace("{" + key + "}", value)
            words.append(word)
        done = subprocess.run(words, input=text.encode(), capture_output=True, check=False)
        if done.returncode != 0:
            message = done.stderr.decode("utf-8", "replace").strip()[-200:]
            raise SpeechError(
                f"speech command '{self.words[0]}' left with status {done.returncode} ({message}) on "
                f"'{text[:40]}'; run it by hand to see why"
            )
        samples, sample_rate = read_pcm(out, f"speech command '{self.words[0]}'")
        return Speech(samples, sample_rate, None)
