"""Words of a text and when they are spoken, in any script.

Places in a text are counted in characters that are not white space: cutting a text into sentences or lines loses
white space only, so such places stay what they are.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_UNSPACED = (
    (0x0E00, 0x0EFF), (0x0F00, 0x109F), (0x1780, 0x17FF), (0x3040, 0x30FF), (0x31F0, 0x31FF), (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0xFF66, 0xFF9F), (0x20000, 0x3FFFF),
)  # fmt: skip
"""Thai, Lao, Tibetan, Burmese, Khmer, kana, ideographs: written without spaces between words."""
_SENTENCE, _CLAUSE = ".!?…。！？｡।؟", ",;:—–،、，；：､"


@dataclass(frozen=True)
class Word:
    """A stretch of the text and when it sounds."""

    start: int
    """First character, counted without white space."""
    stop: int
    """One past the last character."""
    start_s: float
    """Seconds from the first sample."""
    end_s: float
    """Seconds from the first sample."""

    def moved(self, characters: int, seconds: float) -> Word:
        """The same word after so much other text and so many seconds of other speech."""
        return Word(self.start + characters, self.stop + characters, self.start_s + seconds, self.end_s + seconds)


@dataclass(frozen=True)
class Token:
    """What is never divided between lines: a word with its punctuation, or one sign of a script without spaces."""

    text: str
    start: int
    """First character, counted without white space."""
    space: bool
    """Whether a space stands before it."""
    rest: int
    """What ends with it: 3 a paragraph, 2 a sentence, 1 a clause or line, 0 nothing."""

    @property
    def stop(self) -> int:
        """One past its last character, counted without white space."""
        return self.start + len(self.text)


def clean(text: str) -> str:
    """The text in composed form (NFC) without control characters; line breaks stay."""
    composed = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff"))
    return "".join(c for c in composed if c in "\n\t" or unicodedata.category(c) != "Cc")


def bare_length(text: str) -> int:
    """Characters that are not white space."""
    return sum(not c.isspace() for c in text)


def width(text: str) -> int:
    """Columns on a screen: wide signs count twice, combining marks not at all."""
    if text.isascii():
        return len(text)
    return sum(0 if _joins(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def tokens(text: str) -> list[Token]:
    """The tokens of a cleaned text, in order; every character that is not white space is in exactly one."""
    found: list[Token] = []
    at = 0
    paragraphs = [p for p in _paragraphs(text) if p]
    for lines in paragraphs:
        for number, line in enumerate(lines):
            pieces = [p for chunk in line.split() for p in _pieces(chunk)]
            for k, (piece, space) in enumerate(pieces):
                last = k == len(pieces) - 1
                ends = 3 if last and number == len(lines) - 1 else max(_rest(piece, pieces[k + 1 :]), int(last))
                found.append(Token(piece, at, space, ends))
                at += len(piece)
    return found


def times_of(pieces: Sequence[Token], words: Sequence[Word]) -> list[tuple[float, float]]:
    """(start_s, end_s) of each token, in order, from timed words that cover letters or more of the same text.

    A token that is a part of a word gets its share by letters; one between words, its share of the gap.
    """
    starts = [w.start for w in words]
    times: list[tuple[float, float]] = []
    for token in pieces:
        now = times[-1][1] if times else words[0].start_s
        if any(c.isalnum() for c in token.text):
            first, last = _letters(token)
            start = _time(first, words, bisect_right(starts, first) - 1)
            start = max(start, times[-1][0] if times else 0.0)
            times.append((start, max(_time(last, words, bisect_right(starts, last - 1) - 1), start)))
        else:
            times.append((now, now))
    return times


def letters_of(pieces: Sequence[Token]) -> list[tuple[int, int]]:
    """[start, stop) of each token without the punctuation about it; tokens without letters are left out."""
    return [_letters(token) for token in pieces if any(c.isalnum() for c in token.text)]


def _letters(token: Token) -> tuple[int, int]:
    kept = [k for k, c in enumerate(token.text) if c.isalnum() or _joins(c)]
    return token.start + kept[0], token.start + kept[-1] + 1


def _time(place: int, words: Sequence[Word], k: int) -> float:
    """When a place is reached that lies in or after word k (-1: before all)."""
    if k < 0:
        return words[0].start_s
    word = words[k]
    if place > word.stop and k + 1 < len(words):
        return _between(place, word.stop, word.end_s, words[k + 1].start, words[k + 1].start_s)
    return _between(place, word.start, word.start_s, word.stop, word.end_s)


def _between(x: float, x0: float, y0: float, x1: float, y1: float) -> float:
    share = min(max((x - x0) / (x1 - x0), 0.0), 1.0) if x1 > x0 else 0.0
    return y0 + share * (y1 - y0)


def _paragraphs(text: str) -> Iterator[list[str]]:
    lines: list[str] = []
    for line in text.splitlines():
        if line.strip():
            lines.append(line)
        elif lines:
            yield lines
            lines = []
    yield lines


def _pieces(chunk: str) -> Iterator[tuple[str, bool]]:
    """(token, space before it) of characters between white space; punctuation stays with its neighbour."""
    piece, space = "", True
    for before, c in zip("\0" + chunk, chunk, strict=False):
        apart = _unspaced(c) or (_unspaced(before) and c.isalnum()) or (before in _SENTENCE and _unspaced(c))
        opening = unicodedata.category(c) in ("Ps", "Pi") and any(map(_unspaced, chunk))
        glued = piece and all(unicodedata.category(p) in ("Ps", "Pi") for p in piece)
        if piece and (apart or opening) and not glued and not _joins(c):
            yield piece, space
            piece, space = "", False
        piece += c
    if piece:
        yield piece, space


def _rest(piece: str, following: Sequence[tuple[str, bool]]) -> int:
    marks = piece.rstrip("\"'”’»)]」』）")
    if not marks or (following and not following[0][1] and not any(map(_unspaced, piece + following[0][0]))):
        return 0
    if marks[-1] in _SENTENCE:
        return 0 if marks[-1] == "." and _abbreviated(marks, following) else 2
    return int(marks[-1] in _CLAUSE)


def _abbreviated(piece: str, following: Sequence[tuple[str, bool]]) -> bool:
    """Whether a full stop ends no sentence: the next word begins small, or it is an initial or a title."""
    small = bool(following) and following[0][0].lstrip("\"'“‘«([")[:1].islower()
    return small or (len(piece) == 2 and piece[0].isupper()) or piece in {"Mr.", "Mrs.", "Ms.", "Dr.", "St.", "Prof."}


def _unspaced(c: str) -> bool:
    code = ord(c)
    return any(low <= code <= high for low, high in _UNSPACED) and c.isalnum()


def _joins(c: str) -> bool:
    """Whether a sign belongs to the one before: accents, vowel signs, joiners, variation selectors."""
    return unicodedata.category(c) in ("Mn", "Mc", "Me", "Cf")
