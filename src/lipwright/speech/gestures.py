"""Phones in time to overlapping mouth gestures, co-articulated by rule.

Timing: a gesture rises over 120 ms before its phone, holds to 75 % of it and falls over 120 ms (JALI's timing as it is
remembered; no paper prints it). Rules, in the order of the code:

- the same viseme twice in a row is one ("S S", "T D");
- lips that must meet hold at least one video frame, so that some frame shows it however short the phone is, and move
  faster: 80 ms, less between short vowels;
- rounding begins with the consonants before it that leave the lips free and ends with those after it;
- a vowel's lips stay through such consonants until the next vowel takes over;
- a consonant between two vowels leaves the jaw mostly to them (jawless channels);
- vowels shorter than 90 ms reach less of their target (undershoot: Lindblom 1963).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from lipwright.speech.channels import BILABIAL, INDEX, SHAPES, SILENCE, Shape, label
from lipwright.speech.exact import PhoneTime

FLANK_S = 0.12
HELD = 0.75
"""Share of the phone after which its gesture begins to fall."""
_SEAL_FLANK_S, _QUICKEST_S = 0.08, 0.04
_SEAL_SHARE = 0.6
"""Of the neighbouring vowel's length that closing or opening may take."""
_JOINED_S = 0.05
"""Phones with a smaller gap between them follow each other."""
_AHEAD_S, _BEHIND_S, _THROUGH_S = 0.20, 0.10, 0.25
"""How far rounding reaches ahead and behind, and a vowel through the tongue's consonants."""
_FULL_VOWEL_S, _SHORTEST_PEAK = 0.09, 0.7
_FIRST_PART = 0.5
"""Share of a diphthong that belongs to its first target."""
_VOWEL_PULL, _TONGUE_PULL, _INSISTING_PULL, _SEAL_PULL = 1.0, 0.35, 2.0, 3.0
"""How strongly phones pull on the jaw where they overlap."""
_BETWEEN_PULL = 0.4
"""Of that, what a consonant between vowels keeps."""
_LEAST_SHARE = 0.08
_DOUBT, _SURE = 0.2, 0.5
"""Probability that lips meet at which they begin to, and do."""


@dataclass(frozen=True)
class Segment:
    """A stretch of speech and what is said there: one phone for certain, or several with probabilities."""

    start_s: float
    end_s: float
    shares: tuple[tuple[str, float], ...]
    """(label, probability), the most probable first; 'SIL' is silence."""

    @property
    def shape(self) -> Shape | None:
        """Of the most probable phone; None for silence."""
        return SHAPES.get(self.shares[0][0])

    @property
    def length_s(self) -> float:
        """Seconds."""
        return self.end_s - self.start_s


@dataclass(frozen=True)
class Gesture:
    """One movement: 0 until `rise_s`, full from `full_s` to `fall_s`, 0 from `rest_s` on, raised cosines between."""

    rise_s: float
    full_s: float
    fall_s: float
    rest_s: float
    weights: tuple[tuple[int, float], ...]
    """(channel, value when full)."""
    jaw: float
    lip: float
    jaw_pull: float
    lip_pull: float
    seal: float = 0.0
    """How fully lips meet, 0 to 1."""
    insist: float = 0.0
    """How strongly a sibilant or W dilutes vowels, 0 to 1."""


def known(phones: Iterable[PhoneTime]) -> list[Segment]:
    """Segments of phones with times, in order; silence and phones of no length are left out."""
    rows = sorted((p.start_s, p.end_s, label(p.symbol)) for p in phones)
    return [Segment(a, b, ((name, 1.0),)) for a, b, name in rows if name != SILENCE and b > a]


def gestures(segments: Sequence[Segment], frame_s: float) -> list[Gesture]:
    """Gestures of segments in order.

    Args:
        segments: without overlap; gaps between them are silence.
        frame_s: seconds of a video frame, the least time that lips stay closed.
    """
    spoken = _merged([s for s in segments if s.shape is not None])
    found: list[Gesture] = []
    for k, segment in enumerate(spoken):
        before, after = _run(spoken, k, -1), _run(spoken, k, 1)
        for name, share in _alternatives(segment):
            found += _of_phone(SHAPES[name], share, segment, before, after, frame_s)
    return found


def _alternatives(segment: Segment) -> list[tuple[str, float]]:
    """(label, strength) of what may be said; the sealing that is probable is certain."""
    kept = [(n, p) for n, p in segment.shares if n in SHAPES and p >= _LEAST_SHARE]
    out: list[tuple[str, float]] = []
    for names in (BILABIAL, frozenset("FV")):
        members = [(n, p) for n, p in kept if n in names]
        if members:
            share = min(max((sum(p for _, p in members) - _DOUBT) / (_SURE - _DOUBT), 0.0), 1.0)
            out.append((members[0][0], share * share * (3 - 2 * share)))
    out += [(n, p) for n, p in kept if not SHAPES[n].seals]
    return [(n, p) for n, p in out if p > 0]


def _merged(segments: Sequence[Segment]) -> list[Segment]:
    out: list[Segment] = []
    for segment in segments:
        last = out[-1] if out else None
        if last is not None and _joined(last, segment) and _same(last.shape, segment.shape):
            out[-1] = replace(last, end_s=segment.end_s)
        else:
            out.append(segment)
    return out


def _same(a: Shape | None, b: Shape | None) -> bool:
    return a is not None and b is not None and not a.vowel and bool(a.parts[0]) and a.parts == b.parts


def _joined(a: Segment, b: Segment) -> bool:
    return b.start_s - a.end_s < _JOINED_S


def _run(segments: Sequence[Segment], k: int, step: int) -> list[Segment]:
    """Neighbours of segment k in one direction, nearest first, as far as a rule can reach and without a pause."""
    run: list[Segment] = []
    while 0 <= k + step < len(segments) and len(run) < 6:
        a, b = (segments[k], segments[k + step]) if step > 0 else (segments[k + step], segments[k])
        if not _joined(a, b):
            break
        k += step
        run.append(segments[k])
    return run


def _of_phone(
    shape: Shape, share: float, at: Segment, before: list[Segment], after: list[Segment], frame_s: float
) -> list[Gesture]:
    previous, following = _first(before), _first(after)
    if not shape.parts[0] and not shape.vowel:  # HH: the next vowel's own anticipation draws it
        return []
    jawless = not shape.vowel and _is_vowel(previous) and _is_vowel(following)
    weights = shape.between if jawless and shape.between else shape.parts[0]
    pull = _pull(shape) * (_BETWEEN_PULL if jawless and not shape.seals and not shape.insists else 1.0) * share
    lips = 0.0 if shape.tongue_only else pull
    if shape.seals:
        times = _sealed(at, before, after, frame_s)
        return [_make(times, weights, share, shape, 0, pull, lips, seal=share)]
    if not shape.vowel:
        times = _reach(_plain(at.start_s, at.end_s), shape, at, before, after)
        return [_make(times, weights, share, shape, 0, pull, lips, insist=share if shape.insists else 0.0)]
    peak = share * min(1.0, _SHORTEST_PEAK + (1 - _SHORTEST_PEAK) * at.length_s / _FULL_VOWEL_S)
    middle = at.start_s + _FIRST_PART * at.length_s
    spans = [(at.start_s, at.end_s)] if len(shape.parts) == 1 else [(at.start_s, middle), (middle, at.end_s)]
    out = []
    for part, (start, end) in enumerate(spans):
        times = _reach(_plain(start, end), shape, at, before if part == 0 else [], after if end == at.end_s else [])
        out.append(_make(times, shape.parts[part], peak, shape, part, pull, lips))
    return out


def _pull(shape: Shape) -> float:
    if shape.seals:
        return _SEAL_PULL
    if shape.insists:
        return _INSISTING_PULL
    return _TONGUE_PULL if shape.tongue_only else _VOWEL_PULL


_Times = tuple[float, float, float, float]


def _plain(start_s: float, end_s: float) -> _Times:
    fall = start_s + HELD * (end_s - start_s)
    return start_s - FLANK_S, start_s, fall, fall + FLANK_S


def _sealed(at: Segment, before: list[Segment], after: list[Segment], frame_s: float) -> _Times:
    """Held for a frame at least, and on into a seal that follows at once; quick between short vowels."""
    full, fall = at.start_s, at.start_s + HELD * at.length_s
    following, previous = _first(after), _first(before)
    if following is not None and following.shape is not None and following.shape.seals:
        fall = max(fall, following.start_s)
    more = max(frame_s + 1e-6 - (fall - full), 0.0) / 2
    full, fall = full - more, fall + more
    rise = _SEAL_FLANK_S if previous is None else _quick(previous)
    rest = _SEAL_FLANK_S if following is None else _quick(following)
    return full - rise, full, fall, fall + rest


def _quick(neighbour: Segment) -> float:
    return min(max(_SEAL_SHARE * neighbour.length_s, _QUICKEST_S), _SEAL_FLANK_S)


def _reach(times: _Times, shape: Shape, at: Segment, before: list[Segment], after: list[Segment]) -> _Times:
    """Earlier and later through consonants that have no lips of their own."""
    rise, full, fall, rest = times
    free = _free(before)
    if shape.rounded and free:
        early = min(at.start_s - free[-1].start_s, _AHEAD_S)
        rise, full = rise - early, full - early / 2
    free = _free(after)
    if free and shape.rounded:
        rest += min(free[-1].end_s - at.end_s, _BEHIND_S)
    if free and shape.vowel and _is_vowel(_first(after[len(free) :])):
        rest = min(max(rest, after[len(free)].start_s), at.end_s + _THROUGH_S)
    return rise, full, fall, max(rest, fall + FLANK_S / 2)


def _free(run: list[Segment]) -> list[Segment]:
    out = []
    for segment in run:
        if segment.shape is None or not segment.shape.lipless:
            break
        out.append(segment)
    return out


def _first(run: list[Segment]) -> Segment | None:
    return run[0] if run else None


def _is_vowel(segment: Segment | None) -> bool:
    return segment is not None and segment.shape is not None and segment.shape.vowel


def _make(
    times: _Times,
    weights: dict[str, float],
    strength: float,
    shape: Shape,
    part: int,
    pull: float,
    lips: float,
    seal: float = 0.0,
    insist: float = 0.0,
) -> Gesture:
    columns = tuple((INDEX[name], value * strength) for name, value in weights.items())
    return Gesture(*times, columns, shape.jaw[part], shape.lip[part], pull, lips, seal, insist)
