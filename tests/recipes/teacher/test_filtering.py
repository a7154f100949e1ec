"""The filter on planted scores: shifts are found, the teacher's bias is taken away, misfits go."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from numpy.typing import NDArray

from lipwright.core.contracts import F32, U8, FaceTrack
from lipwright.metrics.lipfit import REACH
from lipwright.metrics.syncnet import WINDOW_FRAMES
from lipwright.recipes.teacher import filtering
from lipwright.recipes.teacher.filtering import (
    CHUNK,
    LEAST_SHARE,
    SyncNetScorer,
    all_scores,
    chunks,
    rule_of,
    score,
    weighed,
)


def planted(n: int, late: int, height: float = 0.5, seed: int = 0) -> NDArray[np.float64]:
    """Cosines with a peak where the sound is `late` frames late."""
    table = np.random.default_rng(seed).normal(0, 0.01, (n, 2 * REACH + 1))
    for off, share in ((-1, 0.5), (0, 1.0), (1, 0.5)):
        table[:, REACH + late + off] += share * height
    return table


def test_the_peak_is_confidence_and_offset() -> None:
    confidence, late = score(planted(200, 3))
    assert confidence == pytest.approx(0.5, abs=0.02)
    assert late == pytest.approx(3, abs=0.1)


def test_chunks_cover_everything_that_is_long_enough() -> None:
    assert chunks(3 * CHUNK + 10) == [(0, 103), (103, 207), (207, 310)]
    assert chunks(CHUNK // 2 - 1) == []


def test_the_teachers_bias_is_what_its_surer_half_is_off_by() -> None:
    """Lips two frames early beyond the scorer's own frame; some chunks are nonsense."""
    own = planted(400, 1)
    tables = [planted(CHUNK, 3, 0.6, k) for k in range(8)] + [planted(CHUNK, -9, 0.3, 9), planted(CHUNK, 7, 0.3, 10)]
    rule = rule_of(own, all_scores(tables), "lipmatch")
    assert rule.bias == pytest.approx(2, abs=0.1)
    assert rule.least == pytest.approx(LEAST_SHARE * 0.5, abs=0.02)
    kept = [float(weighed(t, CHUNK + 2 * REACH + WINDOW_FRAMES - 1, rule).mean()) for t in tables]
    assert kept == [1.0] * 8 + [0.0, 0.0]


def test_only_the_chunk_that_does_not_fit_goes() -> None:
    table = np.concatenate([planted(CHUNK, 0), planted(CHUNK, 0, 0.02, 1), planted(CHUNK, 2, 0.5, 2)])
    rule = rule_of(planted(300, 0), [(0.5, 0.0)], "lipmatch")
    kept = weighed(table, 3 * CHUNK + 2 * REACH + WINDOW_FRAMES - 1, rule)
    edge = CHUNK + REACH + WINDOW_FRAMES // 2
    assert (kept[:edge] == 1).all()
    assert (kept[edge:] == 0).all(), "the second has no peak, the third is two frames off"


def test_a_face_the_scorer_cannot_judge_is_not_filtered() -> None:
    blind = np.random.default_rng(0).normal(0, 0.001, (300, 2 * REACH + 1))
    rule = rule_of(blind, [(0.001, 9.0)], "lipmatch")
    assert rule.bias == 0
    assert weighed(blind[:CHUNK], 140, rule).all()


def test_syncnets_distances_become_the_same_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lips and sound carry the number of their frame, the sound two frames late; faces are cut at twice the size."""
    n, given = 130, list[tuple[int, ...]]()

    def lips(model: object, faces: Iterable[U8], n_windows: int) -> F32:
        given.extend(face.shape for face in faces)
        return np.eye(200, dtype=np.float32)[:n_windows]

    def sound(model: object, cepstra: object, n_windows: int) -> F32:
        return np.roll(np.eye(200, dtype=np.float32), 2, axis=0)[:n_windows]

    monkeypatch.setattr(filtering.syncnet, "embed_lips", lips)
    monkeypatch.setattr(filtering.syncnet, "embed_sound", sound)
    points = np.zeros((n, 68, 2), np.float32)
    points[:, 0], points[:, 1:] = (80, 80), (176, 176)
    dense = np.zeros((n, 478, 3), np.float32)
    dense[:, 0, :2], dense[:, 1:, :2] = (80, 80), (176, 176)
    seen = FaceTrack(points, dense, np.ones(n, np.float32), np.zeros((n, 3), np.float32), (256, 256))
    frames = [np.zeros((256, 256, 3), np.uint8)] * n
    table = SyncNetScorer(None).table(frames, seen, np.zeros(640 * n, np.float32))  # type: ignore[arg-type]
    assert set(given) == {(224, 224, 3)}
    assert table.shape == (n - WINDOW_FRAMES + 1 - 2 * REACH, 2 * REACH + 1)
    confidence, late = score(table)
    assert late == pytest.approx(2, abs=0.01)
    assert confidence == pytest.approx(2**0.5, abs=0.1)
    short = seen[:40]
    assert len(SyncNetScorer(None).table(frames[:40], short, np.zeros(25_600, np.float32))) == 0  # type: ignore[arg-type]


def test_syncnet_has_its_published_least() -> None:
    rule = rule_of(planted(300, 0, 7.0), [(6.0, 0.0)], "syncnet")
    assert rule.least == 3.0
    assert rule.keeps(3.1, 0.9)
    assert not rule.keeps(2.9, 0.0)
    assert not rule.keeps(5.0, 1.2)
