"""A trained oracle against a drawer that learns nothing: the better one draws, and a lost game is not played on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from tests.render.oracle.conftest import tiny

from lipwright.core.progress import Silent
from lipwright.render.crossmodal.config import CrossModalConfig
from lipwright.render.oracle.data import OracleData
from lipwright.train.crossmodal import Drawer, Plan, drawn_set, kind_of, mouths_of
from lipwright.train.loop import Budget
from lipwright.train.run import Run


def remembering(data: OracleData, blur: float) -> Drawer:
    """Real heads with their mouths blurred by so many pixels."""

    def draw(_: Any, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mouths = [data.mouth(int(i)) for i in frames]
        if blur:
            mouths = [np.asarray(cv2.GaussianBlur(m, (0, 0), blur), np.uint8) for m in mouths]
        return np.stack([data.heads[int(i)] for i in frames]), np.stack(mouths)

    return Drawer(draw, f"blurred by {blur}", "memory")


def test_blurred_mouths_score_worse(data: OracleData) -> None:
    sharp, soft = (mouths_of(remembering(data, blur), data) for blur in (0.5, 2.0))
    assert sharp["mouth_score"] < soft["mouth_score"]
    assert sharp["mouth_sharpness"] > soft["mouth_sharpness"]


@pytest.mark.parametrize(("blur", "wanted"), [(0.0, "memory"), (40.0, "chain")])
def test_the_better_one_draws_and_a_lost_game_ends(data: OracleData, tmp_path: Path, blur: float, wanted: str) -> None:
    config = CrossModalConfig(size=256, oracle="best")
    plan = Plan(config, replace(tiny(), mouth_share=0.6), "sewn")
    run, steps = Run(tmp_path, 0, "cpu", False, Silent()), 60
    pairs, records, _ = drawn_set(plan, data, Budget(steps=steps), run, remembering(data, blur))
    record = records["oracle"]
    assert record.about["drawn_by"] == wanted
    assert set(record.about["held_out"]) == {"chain", "memory"}
    assert len(pairs.i) == steps * config.batch
    if wanted == "memory":
        assert 0.6 * steps <= record.steps < steps, "mouths are learnt to the end, heads are not"
    else:
        assert record.steps == steps


def test_the_best_is_trained_as_a_chain() -> None:
    assert [kind_of(name) for name in ("best", "chain", "single", "memory")] == ["chain", "chain", "single", "memory"]
