"""Phones in time from files of other programs: Montreal Forced Aligner, Rhubarb Lip Sync, and plain JSON or lines.

| file | what |
|---|---|
| TextGrid, long or short | tiers whose name ends in 'phones' (or 'phone', 'phonemes', 'MAU') |
| Rhubarb json, xml, tsv | mouth cues A to H and X |
| JSON | `[{"phone": "m", "start": 0.31, "end": 0.38}, ...]`, `[["m", 0.31, 0.38], ...]`, or either under "phones" |
| lines | `PHONE START END`, seconds |

Symbols are ARPAbet with or without stress, or IPA: the whole file decides which.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lipwright.core.errors import SpeechError
from lipwright.speech import rhubarb
from lipwright.speech.channels import SHAPES, SILENCE, label
from lipwright.speech.exact import ENGINE_SYMBOLS, SILENT
from lipwright.speech.ipa import arpabet
from lipwright.speech.textgrid import interval_tiers
from lipwright.speech.tts import Phone

FORM = (
    "give a TextGrid with phones, Rhubarb's json, tsv or xml, lines of PHONE START END in seconds, or JSON "
    '[{"phone", "start", "end"}]'
)
_TIERS = ("phones", "phone", "phonemes", "mau")
_OFFGLIDES = {"aj": "aɪ", "aw": "aʊ", "ej": "eɪ", "ow": "oʊ", "ɔj": "ɔɪ", "əw": "əʊ"}
"""Diphthongs as the aligner's IPA dictionaries write them."""
_OVERLAP_S = 0.02
"""More cannot be rounding: two phones at once."""
Row = tuple[str, float, float]


def read_alignment(path: str | os.PathLike[str]) -> tuple[Phone, ...]:
    """Phones of a file, sniffed by content, in order and in lower-case ARPAbet; 'pau' is silence.

    SpeechError in one sentence when it cannot be read, is damaged, or its times or symbols make no sense.
    """
    found = phones_in(read_text(path), path)
    if found is None:
        raise SpeechError(f"{path} holds no phones with times; {FORM}")
    return found


def phones_in(text: str, where: str | os.PathLike[str]) -> tuple[Phone, ...] | None:
    """Phones of the content of a file named `where`; None when it is plain text. SpeechError as `read_alignment`."""
    reader = _reader(text)
    if reader is None:
        return None
    try:
        rows = [(name.strip(), float(a), float(b)) for name, a, b in reader(text)]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        missing = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise SpeechError(f"{where} holds no phones that can be used ({missing}); {FORM}") from error
    found = _checked(rows, where)
    if not found:
        raise SpeechError(f"{where} holds no phones; {FORM}")
    return found


def read_text(path: str | os.PathLike[str]) -> str:
    """A text file: UTF-8, or UTF-16 where it says so (as Praat may write). SpeechError when it cannot be read."""
    try:
        data = Path(path).read_bytes()
        wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
        return data.decode("utf-16" if wide else "utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SpeechError(f"{path} cannot be read as UTF-8 text ({error}); check the file") from error


def _reader(text: str) -> Callable[[str], Iterable[Sequence[Any]]] | None:
    start = text.lstrip()
    fields = next((line.split() for line in text.splitlines() if line.strip()), [])
    if not start:
        return lambda _: []
    if "ooTextFile" in start[:200]:
        return _of_textgrid
    if start.startswith("<"):
        return _of_cues(rhubarb.cues_of_xml)
    if start[0] in "{[":
        return _of_cues(rhubarb.cues_of_json) if '"mouthCues"' in text else _of_json
    if len(fields) == 3 and _is_number(fields[1]) and _is_number(fields[2]):
        return lambda content: [line.split() for line in content.splitlines() if line.strip()]
    if len(fields) == 2 and _is_number(fields[0]) and fields[1] in rhubarb.PHONES:
        return _of_cues(rhubarb.cues_of_tsv)
    return None


def _of_textgrid(text: str) -> list[Row]:
    tiers = interval_tiers(text)
    rows = [row for name, found in tiers.items() if _is_phones(name) for row in found]
    if not rows:
        raise ValueError(f"no tier is called 'phones'; it has {', '.join(tiers) or 'none'}")
    return rows


def _is_phones(tier: str) -> bool:
    return tier.lower().replace("-", " ").split()[-1:] in [[name] for name in _TIERS]


def _of_cues(read: Callable[[str], list[rhubarb.Cue]]) -> Callable[[str], list[Row]]:
    def rows(text: str) -> list[Row]:
        cues = read(text)
        alien = next((shape for shape, _, _ in cues if shape not in rhubarb.PHONES), None)
        if alien is not None:
            raise ValueError(f"mouth '{alien}' is none of A to H and X")
        return [(rhubarb.PHONES[shape], a, b) for shape, a, b in cues]

    return rows


def _of_json(text: str) -> list[Sequence[Any]]:
    data = json.loads(text)
    rows = data["phones"] if isinstance(data, dict) else data
    return [(r["phone"], r["start"], r["end"]) if isinstance(r, dict) else r for r in rows]


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _checked(rows: Sequence[Row], where: str | os.PathLike[str]) -> tuple[Phone, ...]:
    wrong = next((r for r in rows if not (math.isfinite(r[1]) and math.isfinite(r[2]) and 0 <= r[1] <= r[2])), None)
    if wrong is not None:
        raise SpeechError(f"{where}: phone {wrong[0]} goes from {wrong[1]:g} to {wrong[2]:g} s; correct its times")
    ordered = sorted((r for r in rows if r[2] > r[1]), key=lambda r: r[1])
    ipa = any(not _is_arpabet(name) for name, _, _ in ordered)
    found: list[Phone] = []
    for name, start, end in ordered:
        if found and start < found[-1].end_s - _OVERLAP_S:
            raise SpeechError(
                f"{where}: phone {name} begins at {start:g} s, before the one in front of it ends; give one speaker's "
                "phones, one after the other"
            )
        symbols = _of_ipa(name, start, where) if ipa else [_bare(name)]
        edges = np.linspace(start, end, len(symbols) + 1).tolist()
        found += [Phone(s, a, b) for s, a, b in zip(symbols, edges, edges[1:], strict=False)]
    return tuple(found)


def _is_arpabet(name: str) -> bool:
    bare = name.upper().rstrip("0123456789")
    return bare in SILENT or bare in SHAPES or bare in ENGINE_SYMBOLS


def _bare(name: str) -> str:
    """Lower case without stress; vowels that are reduced for want of it become schwa."""
    found = label(name)
    return "pau" if found == SILENCE else found.lower()


def _of_ipa(name: str, start_s: float, where: str | os.PathLike[str]) -> list[str]:
    if name.upper() in SILENT:
        return ["pau"]
    found = arpabet(_OFFGLIDES.get(name, name))
    if not found:
        raise SpeechError(f"{where}: '{name}' at {start_s:.2f} s is neither ARPAbet nor IPA; correct the symbol")
    return found
