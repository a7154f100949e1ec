"""Forced alignment in any language: a known sequence of phones laid over a recording by the recogniser's posteriors.

Viterbi over one chain of states: three steps of 10 ms at least per phone, an optional pause between words. The chain
may be long: only a band of it is followed at a time, and what lies well behind is settled, so memory does not grow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lipwright.core.clock import SAMPLE_RATE
from lipwright.core.contracts import F32
from lipwright.core.errors import SpeechError
from lipwright.speech.articulation import LOOKS, PHONES, STEP_S, Recogniser
from lipwright.speech.exact import label_of
from lipwright.speech.source import SampleSource
from lipwright.speech.tts import Phone

_SHORTEST = 3
"""Steps of a phone at least."""
_PAUSE = -3.0
"""Log score of beginning a pause: hardly any closure counts as one."""
_ALIKE = 0.3
"""Weight of phones that look alike: a transcript's vowel is often another one of its class."""
_FLOOR = 1e-3
_BAND = 2000
"""States followed at a time: about 40 s of speech."""
_PART, _SETTLED = 3000, 1500
"""Steps read before those that lie so far back are settled."""
_FITS = 0.3
"""Mean posterior of what looks like the wanted phone, below which the text is not what is said."""


def align_phones(
    source: SampleSource,
    n_samples: int,
    phones_of_words: Sequence[Sequence[str]],
    recogniser: Recogniser | None = None,
) -> list[Phone]:
    """When the phones of known words sound, pauses optional between words.

    Args:
        source: reads the recording, 16 kHz.
        n_samples: its length.
        phones_of_words: ARPAbet in either case, with or without stress; one sequence per word (`speech.phonemise`).
        recogniser: the shipped one when None.
    Returns:
        Phones in lower case that tile the recording, 'pau' where nobody speaks.
    Raises:
        SpeechError: no phones, a recording too short for them, or one that says something else.
    """
    chain = _Chain.of(phones_of_words)
    steps = -(-n_samples * 100 // SAMPLE_RATE)
    if steps < chain.shortest:
        raise SpeechError(
            f"{n_samples / SAMPLE_RATE:.1f} s of speech cannot hold {chain.shortest // _SHORTEST} phones; give the "
            "transcript of this recording"
        )
    heard = recogniser or Recogniser()
    path = _Path(chain)
    for first in range(0, steps, _PART):
        path.read(heard.posteriors(source, first, min(_PART, steps - first)))
        path.settle()
    path.end()
    fit = path.fit()
    if fit < _FITS:
        raise SpeechError(
            f"the transcript does not sound like the recording (fit {fit:.2f}, at least {_FITS:g} is needed); give "
            "exactly what is said, and its language"
        )
    return _phones(np.concatenate(path.states), chain, n_samples)


@dataclass(frozen=True)
class _Chain:
    """States in order; each phone is `_SHORTEST` of them, a pause one."""

    column: NDArray[np.int64]
    """Of `PHONES`."""
    stays: NDArray[np.bool_]
    """May last: the last state of a phone, and pauses."""
    pause: NDArray[np.bool_]
    item: NDArray[np.int64]
    """Number of the phone or pause in the sequence."""
    shortest: int
    """Steps the phones take at least."""

    @classmethod
    def of(cls, words: Sequence[Sequence[str]]) -> _Chain:
        columns = [[PHONES.index(label_of(symbol)) for symbol in word] for word in words]
        columns = [kept for word in columns if (kept := [c for c in word if c])]
        if not columns:
            raise SpeechError("there are no phones to align; give a transcript with at least one word")
        items = [0]
        for word in columns:
            items += [*word, 0]
        repeats = [1 if c == 0 else _SHORTEST for c in items]
        column = np.repeat(items, repeats)
        number = np.repeat(np.arange(len(items)), repeats)
        stays = np.append(number[1:] != number[:-1], True)
        return cls(column, stays, column == 0, number, sum(r for r in repeats if r > 1))


class _Path:
    """The best path through a chain, read forwards part by part."""

    def __init__(self, chain: _Chain) -> None:
        self._chain = chain
        self._low = 0
        self._score = np.full(min(_BAND, len(chain.column)), -np.inf)
        self._moves: list[tuple[int, NDArray[np.int8]]] = []
        """Per step the band's first state, and how many states each came from (0, 1 or, over a pause, 2)."""
        self._looks: list[F32] = []
        """Per step the posteriors of what looks like each phone."""
        self.states: list[NDArray[np.int64]] = []
        """Settled ones, part by part."""
        self._fits: list[NDArray[np.floating]] = []

    def fit(self) -> float:
        """Mean, over the phones, of how sure the recogniser is of their look while they last; 0 to 1."""
        chain, states = self._chain, np.concatenate(self.states)
        count = np.bincount(chain.item[states], minlength=chain.item[-1] + 1)
        mean = np.bincount(chain.item[states], np.concatenate(self._fits), len(count)) / np.maximum(count, 1)
        return float(mean[chain.item[~chain.pause]].mean())

    def read(self, posteriors: F32) -> None:
        """Go on by (T, 40) posteriors."""
        looks = posteriors @ LOOKS @ LOOKS.T
        for row in np.log(posteriors + _ALIKE * looks + _FLOOR):
            self._step(row)
        self._looks += list(looks)

    def _step(self, row: NDArray[np.floating]) -> None:
        chain, size = self._chain, len(self._score)
        band = slice(self._low, self._low + size)
        pause = chain.pause[band]
        if not self._moves:
            moved = np.full(size, -np.inf)
            moved[:2] = 0.0, 0.0  # begins with the pause or the first phone
            move = np.zeros(size, np.int8)
        else:
            old = self._score
            ways = np.full((3, size), -np.inf)
            ways[0] = np.where(chain.stays[band], old, -np.inf)
            ways[1, 1:] = old[:-1] + np.where(pause[1:], _PAUSE, 0.0)
            ways[2, 2:] = np.where(pause[1:-1], old[:-2], -np.inf)
            move = ways.argmax(axis=0).astype(np.int8)
            moved = ways.max(axis=0)
        self._score = moved + row[chain.column[band]]
        self._moves.append((self._low, move))
        self._follow()

    def _follow(self) -> None:
        """Move the band along with the best state."""
        size = len(self._score)
        ahead = int(self._score.argmax()) - size // 2
        ahead = min(ahead, len(self._chain.column) - size - self._low)
        if ahead > 0:
            self._low += ahead
            self._score = np.concatenate([self._score[ahead:], np.full(ahead, -np.inf)])

    def settle(self) -> None:
        """Settle the steps that lie far enough back."""
        if len(self._moves) > _SETTLED:
            self._keep(self._low + int(self._score.argmax()), len(self._moves) - _SETTLED)

    def end(self) -> None:
        """Settle the remaining steps; SpeechError when the end of the chain is not reached."""
        last = len(self._chain.column) - 1 - self._low
        finals = [k for k in (last, last - 1) if 0 <= k < len(self._score) and np.isfinite(self._score[k])]
        if not finals:
            raise SpeechError("the transcript goes on after the recording ends; give the text of this recording")
        self._keep(self._low + max(finals, key=lambda k: float(self._score[k])), len(self._moves))

    def _keep(self, last: int, count: int) -> None:
        """The first `count` states of the best path to `last`; their steps are forgotten."""
        states = self._back(last)[:count]
        self.states.append(states)
        self._fits.append(np.array(self._looks[:count])[np.arange(count), self._chain.column[states]])
        del self._moves[:count], self._looks[:count]

    def _back(self, state: int) -> NDArray[np.int64]:
        states = np.empty(len(self._moves), np.int64)
        for t in range(len(self._moves) - 1, -1, -1):
            states[t] = state
            low, move = self._moves[t]
            state -= int(move[state - low])
        return states


def _phones(states: NDArray[np.int64], chain: _Chain, n_samples: int) -> list[Phone]:
    items = chain.item[states]
    cuts = np.flatnonzero(np.diff(items)) + 1
    edges = np.concatenate([[0.0], cuts * STEP_S, [n_samples / SAMPLE_RATE]])
    columns = chain.column[states[np.concatenate([[0], cuts])]]
    return [
        Phone("pau" if c == 0 else PHONES[c].lower(), float(a), float(b))
        for c, a, b in zip(columns, edges, edges[1:], strict=False)
    ]
