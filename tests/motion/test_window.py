"""Speech windows: which rows, whatever the chunks; expressions beside them; saved and loaded."""

from __future__ import annotations

import numpy as np
import pytest

from lipwright.core.contracts import F32, Conditions
from lipwright.core.errors import CheckpointError, ConfigError, ShapeError
from lipwright.motion.registry import MOTION_MODELS
from lipwright.motion.window import KIND, SpeechWindow
from lipwright.speech.features import SPEECH_FEATURES


def held(n: int) -> Conditions:
    return Conditions(np.zeros((n, 3), np.float32), np.zeros((n, 8, 2), np.float32))


def rows(feature: str, n: int) -> F32:
    kind = SPEECH_FEATURES.get(feature)
    return np.random.default_rng(0).random((kind.rate * n, kind.dim), np.float32)


def test_six_rows_from_three_before_to_two_after() -> None:
    given = rows("phones", 12)
    windows = SpeechWindow("phones").predict({"phones": given}, held(12))
    assert windows.shape == (12, 6, given.shape[1])
    np.testing.assert_array_equal(windows[5], given[2:8])
    np.testing.assert_array_equal(windows[0], given[[0, 0, 0, 0, 1, 2]])
    np.testing.assert_array_equal(windows[11, 3:], given[[11, 11, 11]])


def test_four_rows_a_frame_lie_side_by_side() -> None:
    given = rows("logfbank", 5)
    model = SpeechWindow("logfbank", window=2)
    windows = model.predict({"logfbank": given}, held(5))
    assert windows.shape == (5, 2, 4 * given.shape[1])
    np.testing.assert_array_equal(windows[3, 1], given[12:16].ravel())


@pytest.mark.parametrize("window", [1, 2, 6, 12])
def test_chunks_with_their_halo_equal_the_whole(window: int) -> None:
    given, model = rows("phones", 40), SpeechWindow("phones", window)
    whole = model.predict({"phones": given}, held(40))
    halo = model.info.halo
    part = model.predict({"phones": given[15 - halo : 25 + halo]}, held(10 + 2 * halo))
    np.testing.assert_array_equal(part[halo : halo + 10], whole[15:25])


def test_expressions_stand_beside_the_speech_in_every_row() -> None:
    given, model = rows("phones", 9), SpeechWindow("phones", expression=(0.0,))
    own, smiling = (m.predict({"phones": given}, held(9)) for m in (model, model.expressing((0.5,))))
    np.testing.assert_array_equal(own[..., :-1], smiling[..., :-1])
    assert (own[..., -1] == 0).all()
    assert (smiling[..., -1] == 0.5).all()
    with pytest.raises(ConfigError, match="from -1 to 1"):
        model.expressing((1.5,))
    with pytest.raises(ConfigError, match="takes 0 slow expressions, 1 were given"):
        SpeechWindow("phones").expressing((0.5,))


def test_saved_and_loaded_it_says_the_same() -> None:
    given = {"logfbank": rows("logfbank", 9)}
    model = SpeechWindow("logfbank", window=4, expression=(0.0,))
    tensors, description = model.state()
    again = MOTION_MODELS.get(KIND)(tensors, description, "here")
    assert again.info == model.info
    np.testing.assert_array_equal(again.predict(given, held(9)), model.predict(given, held(9)))
    with pytest.raises(CheckpointError, match="here has 3 channels"):
        SpeechWindow.from_state(tensors, description | {"channels": 3}, "here")
    with pytest.raises(CheckpointError, match="no speech window"):
        SpeechWindow.from_state(tensors, {"kind": KIND}, "here")


def test_what_does_not_fit_is_said() -> None:
    model = SpeechWindow("logfbank")
    with pytest.raises(ConfigError, match="reads 'logfbank' and got phones"):
        model.predict({"phones": rows("phones", 2)}, held(2))
    with pytest.raises(ShapeError, match="logfbank"):
        model.predict({"logfbank": rows("logfbank", 2)[:-1]}, held(2))
    assert model.predict({"logfbank": rows("logfbank", 0)}, held(0)).shape == (0, 6, 104)
