from __future__ import annotations

import numpy as np
import pytest

from lipwright.core.gain import needed


def test_the_gain_solves_its_equation() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 1, (2, 5000))
    gain = needed(float((a * a).mean()), float((a * b).mean()), float((b * b).mean()), 3.0)
    assert float(((a + gain * b) ** 2).mean()) == pytest.approx(3, rel=1e-6)
    assert needed(2.0, 0.1, 1.0, 1.5) == 0
    assert needed(1.0, 0.0, 0.0, 2.0) == 0
