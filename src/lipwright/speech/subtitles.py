"""Subtitles beside a video: a text and the times of its words to cues, and cues to SubRip (srt) or WebVTT (vtt).

Limits are those broadcasters publish (BBC subtitle guidelines, Netflix timed text style guide): at most two lines of
42 columns, 1 to 7 s, at most 20 characters a second where the speech leaves room, two frames between cues. Where to
cut is chosen for the whole text at once by dynamic programming: at sentence ends, else at clauses.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from lipwright.core.clock import FPS
from lipwright.core.errors import ConfigError, SpeechError
from lipwright.core.files import atomic_file
from lipwright.speech.words import Token, Word, clean, times_of, tokens, width

FORMATS = ("srt", "vtt")
COLUMNS, LINES = 42, 2
SHORTEST_S, LONGEST_S = 1.0, 7.0
CHARACTERS_PER_SECOND = 20.0
_GAP_FRAMES = 2
_LINGER_S = 0.5
"""A cue stays this long after its last word where nothing follows."""
_PAUSE_S = 0.8
"""A longer pause inside a cue would show words long before they are spoken."""
_CUT_COST = (9.0, 2.5, 0.0, 0.0)
"""Cost of ending a cue inside a clause, at a clause, at a sentence, at a paragraph."""
_NEW_CUE = 1.0


@dataclass(frozen=True)
class Cue:
    """One subtitle."""

    start_s: float
    end_s: float
    lines: tuple[str, ...]
    """One or two."""


def make_cues(text: str, words: Sequence[Word], duration_s: float, fps: Fraction = FPS) -> tuple[Cue, ...]:
    """Cues of a text.

    Args:
        text: what is said.
        words: when, over the characters of `clean(text)`, in order (from a speech engine or `align.align`).
        duration_s: length of the video; no cue ends later.
        fps: of the video: cues lie two frames apart.
    Raises:
        SpeechError: the text has no words, or no times are given.
    """
    pieces = [t for token in tokens(clean(text)) for t in _narrow(token)]
    if not pieces or not words:
        raise SpeechError("the transcript holds no words; give the text that is spoken")
    times = times_of(pieces, words)
    gap = float(_GAP_FRAMES / fps)
    spans = _segment(pieces, times, duration_s, gap)
    starts = [times[a][0] for a, _ in spans] + [duration_s]
    cues = []
    for k, (a, b) in enumerate(spans):
        lines = _lines(pieces[a:b])
        room = starts[k + 1] - (gap if k + 1 < len(spans) else 0.0)
        needed = max(SHORTEST_S, sum(map(width, lines)) / CHARACTERS_PER_SECOND)
        wanted = max(times[b - 1][1] + _LINGER_S, starts[k] + needed)
        end = min(wanted, room, starts[k] + LONGEST_S, duration_s)
        if end > starts[k]:
            cues.append(Cue(starts[k], end, lines))
        elif cues:  # no time of its own, at the very end: it joins the cue before
            cues[-1] = replace(cues[-1], lines=(cues[-1].lines + lines)[:LINES])
    return tuple(cues)


def to_srt(cues: Sequence[Cue]) -> str:
    """SubRip text; an arrow inside a line, which would end the cue for some players, becomes another sign."""
    blocks = []
    for number, cue in enumerate(cues, 1):
        lines = "\n".join(cue.lines).replace("-->", "→")
        blocks.append(f"{number}\n{_stamp(cue.start_s, ',')} --> {_stamp(cue.end_s, ',')}\n{lines}\n")
    return "\n".join(blocks)


def to_vtt(cues: Sequence[Cue]) -> str:
    """WebVTT text (W3C 2019): header, then cues; & < > are escaped."""
    blocks = ["WEBVTT\n"]
    for cue in cues:
        lines = "\n".join(cue.lines).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        blocks.append(f"{_stamp(cue.start_s, '.')} --> {_stamp(cue.end_s, '.')}\n{lines}\n")
    return "\n".join(blocks)


def write_cues(path: str | os.PathLike[str], cues: Sequence[Cue]) -> Path:
    """Write .srt or .vtt, by the name's ending, as UTF-8, atomically. ConfigError for other endings."""
    path = Path(path)
    writers = {".srt": to_srt, ".vtt": to_vtt}
    if path.suffix.lower() not in writers:
        raise ConfigError(f"subtitles {path} end in '{path.suffix}'; name a file that ends in .srt or .vtt")
    with atomic_file(path) as temporary:
        temporary.write_bytes(writers[path.suffix.lower()](cues).encode("utf-8"))
    return path


def _stamp(time_s: float, point: str) -> str:
    ms = int(time_s * 1000 + 0.5)
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}{point}{ms % 1000:03d}"


def _narrow(token: Token) -> list[Token]:
    """A token that is wider than a line, such as an address, in pieces that are not."""
    if width(token.text) <= COLUMNS:
        return [token]
    pieces, start = [], 0
    while start < len(token.text):
        stop = start + 1
        while stop < len(token.text) and width(token.text[start : stop + 1]) <= COLUMNS:
            stop += 1
        last = stop == len(token.text)
        rest = token.rest if last else 0
        pieces.append(Token(token.text[start:stop], token.start + start, token.space and start == 0, rest))
        start = stop
    return pieces


def _segment(
    pieces: Sequence[Token], times: Sequence[tuple[float, float]], duration_s: float, gap_s: float
) -> list[tuple[int, int]]:
    """[a, b) token ranges of the cues with the least total cost."""
    until = [start - gap_s for start, _ in times[1:]] + [duration_s]
    wide = [width(t.text) + t.space for t in pieces]
    best, back = [0.0] + [float("inf")] * len(pieces), [0] * (len(pieces) + 1)
    for b in range(1, len(pieces) + 1):
        inside, columns = 0.0, 0
        for a in range(b - 1, -1, -1):
            columns += wide[a]
            if a < b - 1:  # the border between tokens a and a + 1 now lies inside the cue
                inside += _inside(pieces[a], times[a + 1][0] - times[a][1])
                if columns > COLUMNS and not _lines(pieces[a:b]):
                    break
            spoken_s, room_s = times[b - 1][1] - times[a][0], until[b - 1] - times[a][0]
            cost = best[a] + _NEW_CUE + inside + _cost(pieces[b - 1].rest, columns, spoken_s, room_s)
            if cost < best[b]:
                best[b], back[b] = cost, a
    spans, b = [], len(pieces)
    while b > 0:
        spans.append((back[b], b))
        b = back[b]
    return spans[::-1]


def _inside(token: Token, pause_s: float) -> float:
    """Cost of not cutting after a token."""
    return (0.0, 0.0, 1.5, 5.0)[token.rest] + (5.0 if pause_s > _PAUSE_S else 0.0)


def _cost(rest: int, characters: int, spoken_s: float, room_s: float) -> float:
    """Cost of one cue that is spoken so long and may be shown so long; `rest`: what ends with it."""
    needed = max(SHORTEST_S, min(characters / CHARACTERS_PER_SECOND, LONGEST_S))
    cost = _CUT_COST[rest] + 15.0 * max(0.0, 1 - max(room_s, 0.0) / needed)
    cost += 4.0 * max(0.0, spoken_s - LONGEST_S)
    return cost + 1.5 * max(0.0, characters / COLUMNS - 1)  # one line reads more easily than two


def _lines(pieces: Sequence[Token]) -> tuple[str, ...]:
    """One or two lines, cut after a clause or where they come out alike; () when they do not fit."""
    whole = _joined(pieces)
    if width(whole) <= COLUMNS:
        return (whole,)
    if width(whole) > LINES * COLUMNS + 1:
        return ()
    found: tuple[float, tuple[str, ...]] = (float("inf"), ())
    upper_columns = 0
    for k in range(1, len(pieces)):
        upper_columns += width(pieces[k - 1].text)
        if upper_columns > COLUMNS:
            break
        upper, lower = _joined(pieces[:k]), _joined(pieces[k:])
        if max(width(upper), width(lower)) <= COLUMNS:
            uneven = abs(width(upper) - width(lower)) - 12 * min(pieces[k - 1].rest, 2)
            found = min(found, (uneven, (upper, lower)))
    return found[1]


def _joined(pieces: Sequence[Token]) -> str:
    return "".join((" " if t.space and k else "") + t.text for k, t in enumerate(pieces))
