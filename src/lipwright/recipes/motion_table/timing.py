"""How long five minutes of speech take a motion model."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
import torch

from lipwright.core.clock import FPS, SAMPLE_RATE
from lipwright.core.contracts import Conditions
from lipwright.motion.model import CascadeMotion
from lipwright.motion.mouth import MouthOnly
from lipwright.motion.recurrent import Recurrent
from lipwright.speech.features import SPEECH_FEATURES, features_of

FIVE_MINUTES = 300 * int(FPS)


def inference(
    model: CascadeMotion, frames: int = FIVE_MINUTES, repeats: int = 5, sliding: bool = True
) -> dict[str, float]:
    """Seconds for the whole sequence at once; for recurrent networks also frame by frame over sliding windows.

    The paper's own RNN times can only be those of sliding windows. Medians; `_cpu` is processor time. Landmarks are
    counted from standardising the features to the finished points, features are not.
    """
    rng = np.random.default_rng(0)
    kinds = [SPEECH_FEATURES.get(name) for name in model.info.features]
    heard = {k.name: rng.normal(0, 1, (k.rate * frames, k.dim)).astype(np.float32) for k in kinds}
    held = Conditions(np.zeros((frames, 3), np.float32), np.zeros((frames, 8, 2), np.float32))
    hearing = model.cascade.hearing if isinstance(model.cascade, MouthOnly) else None
    if not isinstance(hearing, Recurrent):
        return _timed("infer", lambda: model.predict(heard, held), repeats)
    hearing.sliding = False
    found = _timed("infer", lambda: model.predict(heard, held), repeats)
    hearing.sliding = True
    if sliding:
        found |= _timed("infer_sliding", lambda: _frame_by_frame(model, heard, frames), 1)
    return found


def feature_time(frames: int = FIVE_MINUTES) -> dict[str, float]:
    """Seconds that logfbank takes for so much speech."""
    samples = np.random.default_rng(0).normal(0, 0.1, frames * SAMPLE_RATE // int(FPS)).astype(np.float32)
    return _timed("features", lambda: features_of(samples, ("logfbank",), frames), 3)


def _frame_by_frame(model: CascadeMotion, heard: dict[str, np.ndarray], frames: int) -> None:
    """One window after the other, as published code does."""
    rows = {k: torch.from_numpy(v)[None] for k, v in model.statistics.features(heard).items()}
    around, rate = model.info.halo, 4
    nothing = torch.zeros(1, 2 * around + 1, 3)
    with torch.inference_mode():
        for frame in range(frames):
            first = min(max(frame - around, 0), frames - 2 * around - 1)
            window = {k: r[:, rate * first : rate * (first + 2 * around + 1)] for k, r in rows.items()}
            model.cascade(window, nothing, nothing, around)


def _timed(name: str, work: Callable[[], object], repeats: int) -> dict[str, float]:
    if repeats > 1:
        work()
    wall, busy = [], []
    for _ in range(repeats):
        began, at = time.perf_counter(), time.process_time()
        work()
        wall.append(time.perf_counter() - began)
        busy.append(time.process_time() - at)
    return {f"{name}_s": statistics.median(wall), f"{name}_cpu_s": statistics.median(busy)}
