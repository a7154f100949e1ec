"""What is said where nobody tells: two recognisers, one path."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from lipwright.core.contracts import F32
from lipwright.speech.articulation import PHONES, Recogniser
from lipwright.speech.heard import Certain, Probable
from lipwright.speech.source import SampleSource, array_source

TALK = array_source(np.full(16000, 0.1, np.float32))


class Ours(Recogniser):
    """Hears 30 steps of M, which it takes for B in part, then AA."""

    def posteriors(self, source: SampleSource, first_step: int, n_steps: int) -> F32:
        rows = np.zeros((n_steps, len(PHONES)), np.float32)
        rows[:30, PHONES.index("M")], rows[:30, PHONES.index("B")] = 0.6, 0.4
        rows[30:, PHONES.index("AA")] = 1
        return rows


class Loop(Certain):
    """Hears what it is told, one label a step."""

    def __init__(self, labels: list[str]) -> None:
        super().__init__()
        self._told = labels

    def _labels(self, source: SampleSource, first: int, count: int) -> list[str]:
        return self._told[:count]


def test_both_recognisers_are_averaged() -> None:
    both = Probable(Ours(), Loop(["B"] * 30 + ["AE"] * 30)).posteriors(TALK, 0, 60)
    assert_allclose(both.sum(1), 1, atol=1e-6)
    assert_allclose(both[0, [PHONES.index("M"), PHONES.index("B")]], [0.7 * 0.6, 0.7 * 0.4 + 0.3], atol=1e-6)
    assert_allclose(both[40, [PHONES.index("AA"), PHONES.index("AE")]], [0.7, 0.3], atol=1e-6)


def test_the_loop_decides_between_what_sounds_alike() -> None:
    """Ours prefers M a little, the loop is sure of B: the path goes through B, and the shares keep both."""
    alone = Probable(Ours()).segments(TALK, 0, 60)
    assert [s.shares[0][0] for s in alone] == ["M", "AA"]
    first, second = Probable(Ours(), Loop(["B"] * 30 + ["SIL"] * 30)).segments(TALK, 0, 60)
    assert first.shares[0] == ("B", pytest.approx(0.58))
    assert first.shares[1] == ("M", pytest.approx(0.42))
    assert (first.start_s, first.end_s, second.end_s) == pytest.approx((0, 0.3, 0.6))
    assert second.shares == (("AA", pytest.approx(0.7)),)


def test_the_loop_alone_tells_one_phone_at_a_time() -> None:
    loop = Loop(["SIL"] * 10 + ["M"] * 20 + ["AA"] * 30)
    assert [(s.shares, round(s.start_s, 2), round(s.end_s, 2)) for s in loop.segments(TALK, 0, 60)] == [
        ((("M", 1.0),), 0.1, 0.3),
        ((("AA", 1.0),), 0.3, 0.6),
    ]
    assert_array_equal(
        loop.posteriors(TALK, 0, 60).argmax(1), [0] * 10 + [PHONES.index("M")] * 20 + [PHONES.index("AA")] * 30
    )


def test_noises_of_the_phone_loop_are_silence() -> None:
    class Noises:
        def labels(self, samples: F32) -> list[str]:
            return ["+SPN+", "M", "SIL", "+NSN+"]

    loop = Certain()
    loop._loop = Noises()  # type: ignore[assignment]
    assert loop.posteriors(TALK, 0, 4).argmax(1).tolist() == [0, PHONES.index("M"), 0, 0]


def test_digital_silence_is_not_decoded() -> None:
    silent = array_source(np.zeros(16000, np.float32))
    assert Certain().segments(silent, 0, 100) == []
    assert Certain().posteriors(silent, 0, 100)[:, 0].min() == 1
