"""How a text is pronounced, in any language that espeak-ng reads."""

from __future__ import annotations


def phonemise(text: str, language: str) -> list[list[str]]:
    """ARPAbet phones in lower case, one list per word as espeak-ng divides the text (it may join short words).

    SpeechError when it has no voice for the language, DependencyError when it is not installed.
    """
    raise NotImplementedError
