"""Mouth cues of Rhubarb Lip Sync 1.x (json, tsv, xml) as phones.

Rhubarb tells one of nine drawn mouths and not what is said, so each mouth becomes the phone that it is drawn for. What
a drawing leaves open (p, b or m; s, k or ee) stays a choice: curves from cues are coarser than those from phones.
"""

from __future__ import annotations

import json
from itertools import pairwise
from xml.etree import ElementTree

PHONES = {
    "A": "b",  # closed lips: P B M
    "B": "s",  # teeth together, lips a little apart: most consonants, and EE
    "C": "eh",  # open: EH, AE
    "D": "aa",  # wide open
    "E": "er",  # slightly rounded: AO, ER
    "F": "uw",  # puckered: UW, OW, W
    "G": "f",  # lip on teeth: F V
    "H": "l",  # tongue up: long L
    "X": "pau",  # at rest
}
Cue = tuple[str, float, float]


def cues_of_json(text: str) -> list[Cue]:
    """(shape, start_s, end_s) of `{"mouthCues": [{"start", "end", "value"}]}`; ValueError or KeyError when damaged."""
    return [(str(c["value"]), float(c["start"]), float(c["end"])) for c in json.loads(text)["mouthCues"]]


def cues_of_xml(text: str) -> list[Cue]:
    """Cues of `<mouthCue start end>`; ValueError or KeyError when damaged."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("it defines entities, which Rhubarb never does")
    try:
        found = ElementTree.fromstring(text).iter("mouthCue")
    except ElementTree.ParseError as error:
        raise ValueError(f"it is no whole XML ({error})") from error
    return [((c.text or "").strip(), float(c.attrib["start"]), float(c.attrib["end"])) for c in found]


def cues_of_tsv(text: str) -> list[Cue]:
    """Cues of lines `START SHAPE`; each lasts until the next, the last has no length. ValueError when damaged."""
    rows = [(line.split()) for line in text.splitlines() if line.strip()]
    starts = [(float(start), shape) for start, shape in rows]
    return [(shape, a, b) for (a, shape), (b, _) in pairwise([*starts, (starts[-1][0], "X")])]
