"""Mouths in common axes, and scores by hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from lipwright.core.contracts import F32
from lipwright.core.errors import ConfigError
from lipwright.motion.expression_model import ExpressionConfig
from lipwright.motion.expression_pairs import OWN, PSEUDO, of_stretch
from lipwright.recipes.teacher.ablation import Spoken, mouth_of_points, opening, phone_scores, scores, variants


@dataclass
class Sound:
    symbol: str
    start_s: float
    end_s: float


def mouth(gaps: list[float]) -> F32:
    """A mouth whose lower lip hangs `gap` below the upper."""
    made = np.zeros((len(gaps), 21, 2), np.float32)
    made[:, [17, 18, 19], 1] = np.array(gaps)[:, None]
    made[:, 20, 1] = 1 + np.array(gaps)
    return made


def test_points_are_turned_down_scaled_by_the_eyes_and_centred_between_them() -> None:
    points = np.zeros((1, 68, 3), np.float32)
    points[0, 36], points[0, 45] = (-2, 5, 0), (2, 5, 1)
    points[0, 8] = (0, -3, 0)
    points[0, 66], points[0, 62] = (0, 0, 0), (0, 1, 0)
    found = mouth_of_points(points)
    assert found.shape == (1, 21, 2)
    assert found[0, 20].tolist() == [0, 2]
    assert found[0, 18].tolist() == [0, 1.25]
    assert found[0, 14].tolist() == [0, 1]


def test_scores_by_hand() -> None:
    """Half the movement: correlation 1, amplitude 1/2, half as far off as a mouth that rests."""
    true = Spoken("a", np.zeros(1, np.float32), mouth([0.0, 2.0, 4.0, 9.0]), np.array([True, True, True, False]))
    found = scores([true], [mouth([5.0, 6.0, 7.0, 0.0])])
    assert found == {
        "aperture": pytest.approx(1), "amplitude": pytest.approx(0.5), "chin": pytest.approx(1),
        "centred": pytest.approx(0.5),
    }  # fmt: skip
    assert scores([true], [true.mouth])["centred"] == 0
    assert opening(true.mouth).tolist() == [0, 2, 4, 9]


def test_closures_and_silence_are_counted() -> None:
    """Two seconds of noise and one of silence; /p/ at a closed frame, /m/ at an open one."""
    gaps = [1.0, 0.9] * 25 + [0.2] * 25
    gaps[10] = 0.0
    samples = np.concatenate([np.random.default_rng(0).normal(0, 0.2, 32_000), np.zeros(16_000)]).astype(np.float32)
    phones = [Sound("p", 0.40, 0.44), Sound("M", 1.2, 1.24), Sound("aa", 0.0, 0.1)]
    clip = Spoken("a", samples, np.zeros((0, 21, 2), np.float32), np.zeros(0, bool), phones)
    found = phone_scores([clip], [mouth(gaps)])
    assert found["closure"] == 0.5
    assert found["silence"] == pytest.approx(0, abs=0.3)


def test_rows_name_what_they_learn_from() -> None:
    def pairs(source: int) -> object:
        rows = np.zeros((320, 80), np.float32)
        lips = np.zeros((2, 20, 3), np.float32)
        return of_stretch({"logmel": rows}, np.zeros((80, 2), np.float32), np.ones(80), source, lips)

    own, pseudo = pairs(OWN), pairs(PSEUDO)
    rows = variants(ExpressionConfig(), ["memory"])
    kept = [set(r.pairs(own, {"memory": pseudo}).source) for r in rows]  # type: ignore[arg-type, dict-item]
    assert kept == [{OWN}, {OWN}, {PSEUDO}, {OWN, PSEUDO}]
    assert rows[0].config.network == "linear"
    with pytest.raises(ConfigError, match="no pseudo pairs of teacher 'memory'"):
        rows[2].pairs(own, {})  # type: ignore[arg-type]
