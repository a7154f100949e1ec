"""Errors go before detail comes back, and both are kept in a persona."""

from __future__ import annotations

import numpy as np
from tests.render.test_residual import MOUTH, drawing, pairs

from lipwright.render.crisp import Crisp
from lipwright.render.finish import Finish
from lipwright.render.residual import Residual


def test_errors_go_first_and_both_are_kept() -> None:
    residual = Residual.fit(pairs(24), MOUTH)
    assert residual is not None
    crisp, picture = Crisp(1.2, 0.9), drawing(0.7)
    finish = Finish(crisp, residual)
    shown = finish(picture)
    np.testing.assert_array_equal(shown, crisp(residual(picture)))
    assert (shown != residual(crisp(picture))).any()
    again = Finish.from_state(finish.state())
    assert (again.crisp.gain, again.residual is None) == (np.float32(1.2), False)
    np.testing.assert_allclose(again(picture), shown, atol=1)  # the gain is kept as a 32-bit float


def test_by_default_nothing_is_done_and_nothing_kept() -> None:
    picture = drawing(0.7)
    assert Finish()(picture) is picture
    assert Finish().state() == {}
    assert Finish.from_state({}) == Finish()
