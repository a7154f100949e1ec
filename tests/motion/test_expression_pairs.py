from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lipwright.core.errors import CheckpointError, ConfigError, ShapeError
from lipwright.motion.expression_pairs import OWN, PSEUDO, ExpressionPairs, joined, of_stretch
from lipwright.speech.features import features_of

RNG = np.random.default_rng(0)
LIPS = RNG.normal(0, 0.1, (4, 20, 3)).astype(np.float32)


def pairs(n: int, source: int = OWN, clip_frames: int = 0, names: tuple[str, ...] = ("logmel",)) -> ExpressionPairs:
    samples = RNG.normal(0, 0.1, 640 * n).astype(np.float32)
    expression = RNG.normal(0, 1, (n, 4)).astype(np.float32)
    return of_stretch(features_of(samples, names, n), expression, np.ones(n), source, LIPS, clip_frames)


def test_stretches_are_cut_evenly_and_told_apart_after_joining() -> None:
    own, other = pairs(70, clip_frames=25), pairs(30, PSEUDO)
    assert own.stretches() == [(0, 24), (24, 47), (47, 70)]
    both = joined([own, other, own])
    assert both.stretches() == [(0, 24), (24, 47), (47, 70), (70, 100), (100, 124), (124, 147), (147, 170)]
    assert np.unique(both.source[:70]).tolist() == [OWN]
    assert np.unique(both.source[70:100]).tolist() == [PSEUDO]
    part = both.frames(np.arange(70, 100))
    np.testing.assert_array_equal(part.features["logmel"], other.features["logmel"])
    np.testing.assert_array_equal(part.expression, other.expression)


def test_what_is_saved_is_loaded_and_damage_is_named(tmp_path: Path) -> None:
    made = pairs(20, PSEUDO, names=("logmel", "mfcc12"))
    made.save(tmp_path / "pairs.npz")
    again = ExpressionPairs.load(tmp_path / "pairs.npz")
    assert set(again.features) == {"logmel", "mfcc12"}
    np.testing.assert_array_equal(again.features["mfcc12"], made.features["mfcc12"])
    for name in ("expression", "clip", "weight", "source", "lips"):
        np.testing.assert_array_equal(getattr(again, name), getattr(made, name))
    whole = (tmp_path / "pairs.npz").read_bytes()
    (tmp_path / "pairs.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match="run again"):
        ExpressionPairs.load(tmp_path / "pairs.npz")
    with pytest.raises(CheckpointError, match="run again"):
        ExpressionPairs.load(tmp_path / "none.npz")


def test_what_does_not_belong_together_is_an_error() -> None:
    made = pairs(10)
    with pytest.raises(ConfigError, match="were given"):
        joined([])
    with pytest.raises(ConfigError, match="different fitted faces"):
        joined([made, of_stretch(made.features, made.expression, made.weight, OWN, LIPS + 0.1)])
    with pytest.raises(ConfigError, match="the same speech features"):
        joined([made, pairs(10, names=("mfcc12",))])
    with pytest.raises(ShapeError, match="logmel"):
        of_stretch({"logmel": made.features["logmel"][:-1]}, made.expression, made.weight, OWN, LIPS)
    with pytest.raises(ShapeError, match="weight"):
        of_stretch(made.features, made.expression, made.weight[:-1], OWN, LIPS)
