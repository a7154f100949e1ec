"""Progress where nobody watches a terminal: lines of a log file."""

from __future__ import annotations

import pytest

from lipwright.core.bars import LINE_EVERY_S, Bars


class Clock:
    """Seconds that a test sets."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def _said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


def test_a_log_file_gets_the_time_left_every_half_minute(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with Bars(clock=clock) as bars:
        bars.start("filming", 1000)
        for second in range(1, 91):  # a frame a second
            clock.now = 100 + second
            bars.update(second, f"frame {second}")
        assert _said(capsys) == [
            "filming: 3%, 16 min left frame 30",
            "filming: 6%, 16 min left frame 60",
            "filming: 9%, 15 min left frame 90",
        ]
        bars.finish()
    assert _said(capsys) == ["filming: done in 90.0 s frame 90"]


def test_time_left_of_a_resumed_stage_goes_by_what_was_done_now(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with Bars(clock=clock) as bars:
        bars.start("training", 1000)
        bars.update(900)
        clock.now += LINE_EVERY_S
        bars.update(950)
    assert _said(capsys) == ["training: 95%, 30 s left"]


def test_a_stage_without_a_total_or_pace_says_what_it_knows(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with Bars(clock=clock) as bars:
        bars.start("listening", None)
        clock.now += LINE_EVERY_S
        bars.update(12)
        bars.start("loading", 4)
        clock.now += LINE_EVERY_S
        bars.update(1)
    assert _said(capsys) == ["listening: 12", "loading: 25%"]


@pytest.mark.parametrize(("total", "left"), [(2.5, "45 s"), (31.0, "15 min"), (1201.0, "10.0 h")])
def test_time_left_is_said_in_a_fitting_unit(total: float, left: str, capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with Bars(clock=clock) as bars:
        bars.start("speaking", total)
        bars.update(0)
        clock.now += LINE_EVERY_S
        bars.update(1)
    assert _said(capsys)[0].split(", ")[1] == f"{left} left"


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with Bars(quiet=True, clock=clock) as bars:
        bars.start("speaking", 10)
        clock.now += 2 * LINE_EVERY_S
        bars.update(5)
        bars.finish()
    assert _said(capsys) == []
