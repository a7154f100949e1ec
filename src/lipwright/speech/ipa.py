"""IPA, as espeak-ng prints it, to the nearest CMU (ARPAbet) phones: mouth shapes for any language."""

from __future__ import annotations

import re
import unicodedata

_MAP: dict[str, str] = {
    # diphthongs and affricates first in length
    "aɪ": "ay", "aʊ": "aw", "ɔɪ": "oy", "ɔø": "oy", "ɔʏ": "oy", "oʊ": "ow", "əʊ": "ow", "eɪ": "ey",
    "ei": "ey",
    "ai": "ay", "au": "aw", "oi": "oy", "ʌɪ": "ay", "tʃ": "ch", "dʒ": "jh", "ts": "t s", "dz": "d z",
    "tɕ": "ch", "dʑ": "jh", "pf": "p f", "ɪə": "ih ax", "eə": "eh ax", "ʊə": "uh ax", "ɜː": "er",
    "r̝": "zh",
    # vowels
    "a": "aa", "ɑ": "aa", "ɐ": "ah", "ɒ": "aa", "æ": "ae", "ʌ": "ah", "ə": "ax", "ɚ": "er", "ɝ": "er",
    "ɜ": "er",
    "e": "ey", "ɛ": "eh", "ɘ": "ax", "ɵ": "uh", "i": "iy", "ɪ": "ih", "ᵻ": "ih", "ɨ": "ih", "y": "uw",
    "ʏ": "uw",
    "ø": "ow", "œ": "ao", "o": "ow", "ɔ": "ao", "u": "uw", "ʊ": "uh", "ɯ": "ih", "ʉ": "uw", "ɤ": "ah",
    "ɞ": "er", "ɶ": "ae", "ε": "eh", "A": "aa",
    # consonants
    "p": "p", "b": "b", "m": "m", "f": "f", "v": "v", "ɸ": "f", "β": "b", "ʋ": "v", "ɱ": "f",
    "t": "t", "d": "d", "n": "n", "l": "l", "ɫ": "l", "ɬ": "l", "ɾ": "d", "r": "r", "ɹ": "r", "ɻ": "r",
    "ʀ": "hh",
    "ʁ": "hh", "ʈ": "t", "ɖ": "d", "ɳ": "n", "ɭ": "l", "θ": "th", "ð": "dh", "s": "s", "z": "z",
    "ʂ": "sh", "ʐ": "zh",
    "ʃ": "sh", "ʒ": "zh", "ɕ": "sh", "ʑ": "zh", "j": "y", "ʎ": "y", "ɲ": "n", "ɥ": "w", "w": "w",
    "ʍ": "w", "ɰ": "g",
    "k": "k", "g": "g", "ɡ": "g", "q": "k", "ɢ": "g", "c": "k", "ɟ": "g", "ŋ": "ng", "x": "hh", "ɣ": "g",
    "χ": "hh", "ɴ": "ng", "ɽ": "d", "ɺ": "d", "ɗ": "d", "ɓ": "b", "ɠ": "g", "ʙ": "b", "ⱱ": "v", "ɮ": "l", "ɧ": "sh",
    "ʝ": "y",
    "ç": "hh", "h": "hh", "ɦ": "hh", "ħ": "hh", "ʕ": "hh",
}  # fmt: skip
_OTHER_LANGUAGE = re.compile(r"\([a-z]{2,3}(?:-[a-z]+)*\)")
"""How espeak-ng marks words that it reads as another language's."""
_LONGEST = max(map(len, _MAP))


def arpabet(ipa: str) -> list[str]:
    """CMU phones in lower case of an IPA string.

    Stress, length, ties, tones, accents (nasal, dental, palatal ...), marks of another language and unknown signs are
    ignored.
    """
    text = unicodedata.normalize("NFC", _OTHER_LANGUAGE.sub("", ipa)).replace("͡", "").replace("ˈ", "").replace("ˌ", "")
    text = "".join(c if c in _MAP else unicodedata.normalize("NFD", c)[:1] for c in text)
    found: list[str] = []
    i = 0
    while i < len(text):
        for length in range(_LONGEST, 0, -1):
            if text[i : i + length] in _MAP:
                found += _MAP[text[i : i + length]].split()
                i += length
                break
        else:
            i += 1
    return found
