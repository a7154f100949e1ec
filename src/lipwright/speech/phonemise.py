"""How a text is pronounced, in any language that espeak-ng reads."""

from __future__ import annotations

import shutil
import subprocess

from lipwright.core.errors import DependencyError, SpeechError
from lipwright.speech.ipa import arpabet
from lipwright.speech.tts_espeak import Espeak, voice_file


def phonemise(text: str, language: str) -> list[list[str]]:
    """ARPAbet phones in lower case, one list per word as espeak-ng divides the text (it may join short words).

    Args:
        text: any length, any script the language is written in.
        language: BCP 47 or espeak-ng code, such as 'de', 'pt-br', 'cmn'.
    Raises:
        SpeechError: no voice for the language, or nothing to pronounce. DependencyError: espeak-ng is not installed.
    """
    if shutil.which("espeak-ng") is None:
        raise DependencyError("pronouncing a text needs the program espeak-ng; run 'apt install espeak-ng'")
    if not Espeak().voices(language):
        raise SpeechError(f"espeak-ng has no voice for language '{language}'; 'espeak-ng --voices' lists them")
    command = ["espeak-ng", "-q", "--ipa", "-b", "1", "-v", voice_file(Espeak().best_voice(language)), "--stdin"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SpeechError(f"espeak-ng failed on the text ({done.stderr.strip()[-200:]}); check its language")
    words = [phones for phones in (arpabet(word) for word in done.stdout.split()) if phones]
    if not words:
        raise SpeechError(f"the text has nothing that espeak-ng can pronounce as '{language}'; check its language")
    return words
