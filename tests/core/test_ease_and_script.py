"""The smooth step and how scripts end."""

from __future__ import annotations

import numpy as np
import pytest

from lipwright.core.ease import smoothstep
from lipwright.core.errors import ConfigError
from lipwright.core.script import run_script


def test_smoothstep() -> None:
    x = np.array([-1, 0, 0.25, 0.5, 0.75, 1, 2], np.float32)
    np.testing.assert_array_equal(smoothstep(x), np.array([0, 0, 0.15625, 0.5, 0.84375, 1, 1], np.float32))
    assert smoothstep(x).dtype == np.float32


def test_a_script_ends_as_the_command_line_does(capsys: pytest.CaptureFixture[str]) -> None:
    def mend() -> None:
        raise ConfigError("unknown size 'x'; give a number")

    def stop() -> None:
        raise KeyboardInterrupt

    assert run_script(lambda: None, lambda: "nothing") == 0
    assert capsys.readouterr().err == ""
    assert run_script(mend, lambda: "nothing") == 2
    assert capsys.readouterr().err == "error: unknown size 'x'; give a number\n"
    assert run_script(stop, lambda: "clips are kept") == 130
    assert capsys.readouterr().err == "interrupted: clips are kept\n"
