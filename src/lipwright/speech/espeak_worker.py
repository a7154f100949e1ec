"""Runs libespeak-ng in a process of its own: global state, and crashes, stay out of the caller.

Standard library only, started by file path. Reads one JSON object from standard input
{library, voice, words_per_minute, texts: [...], pcm: PATH} and writes int16 samples of all texts to PATH,
then one JSON object to standard output: {sample_rate, parts: [{samples, events: [[sample, ipa], ...],
words: [[sample, character, length], ...]}]},
characters counted from 0.
Exit status 3: the voice is unknown.
"""

from __future__ import annotations

import ctypes
import json
import sys
from typing import Any

_SYNCHRONOUS, _PHONEME_EVENTS, _IPA, _UTF8, _RATE = 2, 1, 2, 1, 1
_EVENT_END_OF_LIST, _EVENT_WORD, _EVENT_PHONEME = 0, 1, 7


class _Name(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_ms", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Name),
    ]


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


def main() -> int:
    """Serve the one request on standard input."""
    job = json.load(sys.stdin)
    library = ctypes.CDLL(job["library"])
    sample_rate = library.espeak_Initialize(_SYNCHRONOUS, 0, None, _PHONEME_EVENTS | _IPA)
    if sample_rate <= 0:
        print("espeak_Initialize failed", file=sys.stderr)
        return 1
    if library.espeak_SetVoiceByName(job["voice"].encode()) != 0:
        return 3
    library.espeak_SetParameter(_RATE, int(job["words_per_minute"]), 0)
    pcm = bytearray()
    parts = [_speak(library, text, sample_rate, pcm) for text in job["texts"]]
    with open(job["pcm"], "wb") as stream:
        stream.write(pcm)
    json.dump({"sample_rate": sample_rate, "parts": parts}, sys.stdout)
    return 0


def _speak(library: ctypes.CDLL, text: str, sample_rate: int, pcm: bytearray) -> dict[str, Any]:
    start = len(pcm)
    events: list[tuple[int, str]] = []
    words: list[tuple[int, int, int]] = []

    def receive(wave: Any, count: int, event: Any) -> int:
        if wave and count > 0:
            pcm.extend(ctypes.string_at(wave, 2 * count))
        i = 0
        while event and event[i].type != _EVENT_END_OF_LIST:
            if event[i].type == _EVENT_PHONEME:
                name = bytes(event[i].id.string).decode("utf-8", "ignore")
                events.append((event[i].audio_ms * sample_rate // 1000, name))
            elif event[i].type == _EVENT_WORD:
                at = event[i].audio_ms * sample_rate // 1000
                words.append((at, event[i].text_position - 1, event[i].length))
            i += 1
        return 0

    callback = _Callback(receive)
    library.espeak_SetSynthCallback(callback)
    raw = text.encode("utf-8") + b"\0"
    library.espeak_Synth(raw, len(raw), 0, 0, 0, _UTF8, None, None)
    library.espeak_Synchronize()
    return {"samples": (len(pcm) - start) // 2, "events": events, "words": words}


if __name__ == "__main__":
    raise SystemExit(main())
