"""The memory as oracle: real heads, remembered mouths."""

from __future__ import annotations

import numpy as np
from tests.render.conftest import Person

from lipwright.render.memory.bank import build_bank
from lipwright.render.memory.renderer import MemoryRenderer
from lipwright.render.oracle.data import OracleData
from lipwright.render.oracle.memory import MemoryOracle
from lipwright.render.oracle.quality import oracle_quality


def test_heads_are_real_but_for_the_mouth(data: OracleData, person: Person) -> None:
    bank = build_bank(((int(i), person.frames[i]) for i in data.train), person.track())
    oracle = MemoryOracle(MemoryRenderer(bank), lambda i: person.frames[i], data)
    closed, opened = 12, 4
    points = data.landmarks[closed : closed + 1].copy()
    points[:, 48:] = data.landmarks[opened, 48:] + (points[:, 30] - data.landmarks[opened, 30])[:, None]
    heads, mouths = oracle.pictures(points, np.array([closed]))
    assert mouths.shape == (1, data.mouth_size, data.mouth_size, 3)
    real = data.heads[closed]
    np.testing.assert_array_equal(heads[0, :24], real[:24])
    x, y, side = data.geometry.mouth_square
    assert np.abs(heads[0, y : y + side, x : x + side].astype(int) - real[y : y + side, x : x + side]).mean() > 1
    scores = oracle_quality(oracle.pictures, data)
    assert scores["mouth_psnr_db"] > 22
