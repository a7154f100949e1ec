"""Lips of a morphable face: closed on bilabials, at rest in silence, open as far as asked; saved with their model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lipwright.core.contracts import F32
from lipwright.core.errors import CheckpointError, ConfigError
from lipwright.motion.expression_lips import FEATURES, ExpressionLips, fit_expression_lips, quick_beside
from lipwright.motion.expression_model import ExpressionMotion
from lipwright.motion.quick import quickened
from lipwright.motion.registry import MOTION_MODELS
from lipwright.motion.retarget import retargeted
from lipwright.speech.phones import phone_rows

from .test_expression_model import heard, model, nothing
from .test_lips import talking

STILL, GAP = 0.3, np.array([0.5, 0.0, -0.25], np.float32)
"""A gap of 0.3 cm at rest that the first coefficient widens and the third narrows."""


def person(closes: bool = True) -> tuple[F32, F32, F32]:
    """Coefficients whose gap is that of `talking` in metres, in which the second coefficient goes along by 2 a cm."""
    points, rows = talking(closes=closes)
    gap = 10 * (points[:, 17, 1] - points[:, 13, 1])
    first = (gap - STILL) / 0.5
    expression = np.stack([first, 2 * gap, np.zeros(400)], 1).astype(np.float32)
    return expression, rows, np.zeros((400, 2), np.float32)


def fitted(closes: bool = True) -> ExpressionLips:
    expression, rows, pauses = person(closes)
    return fit_expression_lips(STILL, GAP, [expression], [np.ones(400, bool)], [rows], [pauses])


def test_measured_by_hand() -> None:
    lips = fitted()
    assert lips.closed == pytest.approx(0.01, abs=1e-4)
    np.testing.assert_allclose(lips.opening, [2, 2, 0], atol=1e-4)
    assert float(lips.gap @ lips.opening) == pytest.approx(1, abs=1e-5)
    assert (lips.trust, fitted(closes=False).trust) == (1, 0)
    assert lips.gaps(person()[0])[0] == pytest.approx(10 * talking()[0][0, 17, 1] - 1.5, abs=1e-4)


@pytest.mark.parametrize("exact", [0.0, 1.0])
def test_bilabials_close_and_nothing_else_moves(exact: float) -> None:
    lips = replace(fitted(), trust=0.0)
    expression, _, _ = person(closes=False)
    rows = phone_rows(["AH"] * 8 + ["P"] * 3 + ["AH"] * 389)
    pauses = np.stack([np.zeros(400), np.full(400, exact)], 1).astype(np.float32)
    said = lips(expression, rows, pauses)
    np.testing.assert_allclose(said[:7], expression[:7], atol=1e-5)
    wanted = lips.closed if exact else float(lips.gaps(expression)[9])
    assert lips.gaps(said)[9] == pytest.approx(wanted, abs=1e-4)


def test_in_silence_the_mouth_rests() -> None:
    lips = replace(fitted(), rest=np.array([-0.5, 4, 1], np.float32))
    expression, _, pauses = person()
    rows = phone_rows(["AH"] * 100 + ["SIL"] * 100 + ["AH"] * 200)
    said = lips(expression, rows, pauses)
    # The rest is a mouth whose lips would cross: there they touch.
    np.testing.assert_allclose(said[110:190, 2], 1, atol=1e-6)
    assert np.abs(lips.gaps(said)[110:190]).max() < 1e-5
    assert np.abs(np.diff(said, axis=0)).max() < 0.8 * np.ptp(said, axis=0).max(), "eased in and out"


def test_amplitude_opens_the_lips_along_the_persons_own_way() -> None:
    lips, (expression, _, _) = fitted(), person(closes=False)
    half = lips.widened(expression, 0.5)
    np.testing.assert_allclose(lips.gaps(half) - lips.closed, 0.5 * (lips.gaps(expression) - lips.closed), atol=1e-4)
    np.testing.assert_allclose(half[:, 1], 0.5 * expression[:, 1] + lips.closed, atol=1e-3)
    np.testing.assert_allclose(lips.gaps(lips.widened(expression, 0)), lips.closed, atol=1e-4)


def test_closures_move_lips_too_so_less_quick_movement_is_given_back() -> None:
    lips, (expression, _, pauses) = replace(fitted(), trust=1.0), person(closes=False)
    parted = expression + np.sin(np.arange(400))[:, None].astype(np.float32) * lips.opening * np.float32(0.1)
    open_rows, closed_rows = phone_rows(["AH"] * 400), phone_rows((["AH"] * 37 + ["P"] * 3) * 10)

    def energy(gain: float, rows: F32 | None) -> float:
        said = quickened(parted, gain)
        return float((np.diff(lips.gaps(said if rows is None else lips(said, rows, pauses))) ** 2).sum())

    assert quick_beside(lips, 0.8, [parted], [open_rows], [pauses]) == 0.8
    left = quick_beside(lips, 0.8, [parted], [closed_rows], [pauses])
    assert 0 < left < 0.8
    assert energy(left, closed_rows) == pytest.approx(energy(0.8, None), rel=0.02)
    assert quick_beside(lips, 0.0, [parted], [closed_rows], [pauses]) == 0


def closing() -> tuple[ExpressionMotion, dict[str, F32]]:
    lips = fitted()
    features = heard("shared-cnn", 40) | {
        "phones": phone_rows(["AH"] * 20 + ["B"] * 3 + ["AH"] * 17), "pauses": np.zeros((40, 2), np.float32)
    }  # fmt: skip
    return model("shared-cnn").closing(lips), features


def test_it_travels_with_its_network() -> None:
    made, features = closing()
    assert made.info.features == ("logmel", *FEATURES)
    assert made.info.halo >= 12
    found = made.predict(features, nothing(40))
    assert made.lips is not None
    assert made.lips.gaps(found)[21] == pytest.approx(made.lips.closed, abs=1e-4)
    tensors, description = made.state()
    again = MOTION_MODELS.get(description["kind"])(tensors, description, "here")
    assert again.info == made.info
    np.testing.assert_array_equal(again.predict(features, nothing(40)), found)
    tensors.pop("lips.rest")
    with pytest.raises(CheckpointError, match=r"here lacks 'lips\.rest'"):
        MOTION_MODELS.get(description["kind"])(tensors, description, "here")
    with pytest.raises(ConfigError, match="reads 'phones'"):
        made.predict(heard("shared-cnn", 40), nothing(40))


def test_amplitude_and_smoothing_are_for_those_that_know_their_lips() -> None:
    made, features = closing()
    shut = retargeted(made, amplitude=0.0).predict(features, nothing(40))
    assert made.lips is not None
    assert np.abs(made.lips.gaps(shut) - made.lips.closed).max() < 1e-4
    with pytest.raises(ConfigError, match="does not know how its lips part"):
        retargeted(model("shared-cnn"), amplitude=0.5)
    assert retargeted(model("shared-cnn"), smoothing_ms=40).info.halo > model("shared-cnn").info.halo
