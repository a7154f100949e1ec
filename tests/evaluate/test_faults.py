"""Every planted fault on the bundled presenter is caught by its own metric, more so when larger, and by no other."""

from __future__ import annotations

import hashlib
import runpy
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from lipwright.core.contracts import U8
from lipwright.core.errors import FootageError
from lipwright.evaluate.faults import FAULTS, Talk
from lipwright.evaluate.source import Clip
from lipwright.evaluate.speech_sync import drift_part
from lipwright.evaluate.video import evaluate
from lipwright.face.tracker import TRACKERS

ROOT = Path(__file__).parents[2]
SCRIPT: dict[str, Any] = runpy.run_path(str(ROOT / "benchmarks" / "sensitivity.py"))
PRESENTER, TOLERANCES = SCRIPT["PRESENTER"], SCRIPT["TOLERANCES"]
SECONDS, WIDTH = 5, 256
SHORT = [name for name in FAULTS if name != "sound drifts"]
TWICE = ("sound late", "mouth frozen", "seam", "speech over silence", "frames dropped")
"""Judged in two sizes; the other metrics are shown to rise where they are tested alone."""


class Remembering:
    """The real tracker, asked once for every picture: the reference is judged against again and again."""

    name = "remembering"
    seen: ClassVar[dict[bytes, Any]] = {}

    def __init__(self) -> None:
        self._tracker: Any = None

    def detect(self, rgb8: U8) -> Any:
        key = hashlib.sha1(rgb8.tobytes()).digest()
        if key not in self.seen:
            self._tracker = self._tracker or TRACKERS.get("mediapipe")(max_faces=1)
            self.seen[key] = self._tracker.detect(rgb8)
        return self.seen[key]

    def close(self) -> None:
        if self._tracker is not None:
            self._tracker.close()


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def no_sheets() -> Iterator[None]:
    """Only numbers are looked at here; a quarter of the time would go into pictures for the page."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lipwright.evaluate.pair.comparison_sheets", lambda *a: {})
        yield


@pytest.fixture(scope="module")
def talk() -> Talk:
    return SCRIPT["load"](Clip(PRESENTER, Fraction(1), Fraction(1 + SECONDS)), WIDTH)


@pytest.fixture(scope="module")
def judged(talk: Talk, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A function from (frames, samples) to the numbers of all metrics."""
    folder = tmp_path_factory.mktemp("faults")
    reference = SCRIPT["write"](folder / "reference.mp4", (talk.frames, talk.samples), talk.fps, 4)

    def judge(made: Any) -> dict[str, float]:
        path = SCRIPT["write"](folder / "made.mp4", made, talk.fps, 12)
        rows = evaluate(path, reference, make_tracker=Remembering).to_json()["metrics"]
        return {key: rows[key]["video"] for key in TOLERANCES if key in rows}

    return judge


@pytest.fixture(scope="module")
def clean(talk: Talk, judged: Any) -> dict[str, float]:
    return judged((talk.frames, talk.samples))


@pytest.mark.parametrize("name", SHORT)
def test_a_fault_is_caught_by_its_own_metric_alone(name: str, talk: Talk, judged: Any, clean: dict[str, float]) -> None:
    fault = FAULTS[name]
    large = judged(fault.plant(talk, fault.sizes[-1]))
    small = judged(fault.plant(talk, fault.sizes[0])) if name in TWICE else clean
    away, moved = SCRIPT["_away"], SCRIPT["_moved"]
    for key in fault.own:
        assert moved(large, clean, key), key
        assert away(large[key], clean[key]) > away(small[key], clean[key]), key
    wrong = {key for key in TOLERANCES if moved(large, clean, key)} - {*fault.own, *fault.may}
    assert wrong == set()


def test_two_frames_a_minute_of_drift_are_seen_and_no_drift_is_not(talk: Talk) -> None:
    seen = SCRIPT["_scan"](Clip(PRESENTER, end_s=Fraction(34)), WIDTH)
    fault = FAULTS["sound drifts"]
    found = []
    for size in (0, *fault.sizes):
        _, samples = fault.plant(replace(talk, samples=seen.samples), size)
        found.append(drift_part({"video": replace(seen, samples=samples)}).rows[0].video or 0)
    assert abs(found[0]) < 40
    np.testing.assert_allclose(np.array(found[1:]) - found[0], [80, 160, 320], atol=25)


def test_faults_need_a_face_in_every_frame(talk: Talk) -> None:
    absent = replace(talk.track, confidence=np.zeros(len(talk.track), np.float32))
    with pytest.raises(FootageError, match="every frame shows a face"):
        Talk.of(talk.frames, talk.samples, talk.fps, absent)


def test_sizes_of_zero_change_nothing(talk: Talk) -> None:
    for name in ("sound late", "mouth frozen", "seam", "speech over silence", "frames dropped", "flicker"):
        frames, samples = FAULTS[name].plant(talk, 0)
        assert all(np.array_equal(a, b) for a, b in zip(frames, talk.frames, strict=True)), name
        np.testing.assert_array_equal(samples, talk.samples)
