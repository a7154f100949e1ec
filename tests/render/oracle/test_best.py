"""Two oracles, and the better of them draws."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from lipwright.render.oracle.data import OracleData
from lipwright.train.crossmodal import Drawer, better_of, kind_of


def drawer(data: OracleData, name: str, blur: float) -> Drawer:
    """Real heads with their mouths blurred by so many pixels."""

    def draw(_: Any, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mouths = [data.mouth(int(i)) for i in frames]
        if blur:
            mouths = [np.asarray(cv2.GaussianBlur(m, (0, 0), blur), np.uint8) for m in mouths]
        return np.stack([data.heads[int(i)] for i in frames]), np.stack(mouths)

    return Drawer(draw, name, name)


@pytest.mark.parametrize(("blurs", "wanted"), [((0.5, 2.0), "chain"), ((2.0, 0.5), "memory")])
def test_the_sharper_and_truer_mouths_are_taken(data: OracleData, blurs: tuple[float, float], wanted: str) -> None:
    best, scores = better_of(drawer(data, "chain", blurs[0]), drawer(data, "memory", blurs[1]), data)
    assert best.name == wanted
    assert min(scores, key=lambda name: -scores[name]["mouth_psnr_db"]) == wanted
    assert scores[wanted]["mouth_sharpness"] > min(s["mouth_sharpness"] for s in scores.values())


def test_the_best_is_trained_as_a_chain() -> None:
    assert [kind_of(name) for name in ("best", "chain", "single", "memory")] == ["chain", "chain", "single", "memory"]
