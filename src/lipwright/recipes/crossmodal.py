"""The stages of `virtual-human`: pictures and speech of a subject, oracle, synthetic set, renderer.

Each stage is a function of its own, so that ablations can share an oracle and its set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lipwright.core.clock import FPS
from lipwright.core.contracts import F32, Conditions
from lipwright.core.progress import Progress
from lipwright.core.resample import linear, positions
from lipwright.face.contour import outline_px
from lipwright.motion.expression import slow_smile
from lipwright.motion.window import SpeechWindow, channels
from lipwright.recipes.parts import RENDER_FRAMES, Run, remember_training, spread, watched
from lipwright.render.crossmodal.config import CrossModalConfig, changed_preset
from lipwright.render.oracle.config import OracleConfig, oracle_preset
from lipwright.speech.features import features_of
from lipwright.subject.store import Subject
from lipwright.train.loop import Budget, TrainingRecord

if TYPE_CHECKING:
    from lipwright.render.crossmodal.data import CrossModalData
    from lipwright.render.crossmodal.pairs import PicturePairs
    from lipwright.render.crossmodal.renderer import CrossModalRenderer
    from lipwright.render.oracle.data import OracleData
    from lipwright.render.oracle.oracle import Oracle
    from lipwright.render.oracle.quality import Draw

PAIRS = 4000
"""Pictures of the synthetic set at most."""
_PAIRS_SHARE = 0.08
"""Of a time budget, for drawing them."""
_PAIR_S = 0.16
"""Seconds that one takes at 256 px on one core; larger ones in proportion to their area."""


@dataclass(frozen=True)
class Plan:
    """All settings of one persona's cross-modal parts."""

    config: CrossModalConfig
    oracle: OracleConfig
    mode: str

    @property
    def synthetic(self) -> bool:
        """Whether there is anything for an oracle to draw."""
        return self.config.augmentation == "ours" and self.config.synthetic > 0


def plan_of(preset: str, mode: str, settings: Mapping[str, str]) -> Plan:
    """A preset with some fields set from text; ConfigError for what is no setting."""
    config = changed_preset(preset, settings)
    config = replace(config, speech_dim=channels(config.speech))
    oracle = oracle_preset(preset, config.oracle)
    resized = {name: replace(getattr(oracle, name), size=config.size) for name in ("mouth", "head")}
    return Plan(config, replace(oracle, **resized), mode)


def speech_window(config: CrossModalConfig) -> SpeechWindow:
    """The motion model that gives a renderer of this configuration what it hears."""
    return SpeechWindow(config.speech, config.window, (0.0,) * config.expressions)


def heard(subject: Subject, config: CrossModalConfig) -> F32:
    """(T, window, k) what is heard around every frame of a subject, with the smile it is said with."""
    model = speech_window(replace(config, expressions=0))
    halo, count = model.info.halo, len(subject)
    rows, share = positions(0, count, subject.fps, FPS)
    total = int(rows[-1]) + 2
    features = features_of(subject.samples, model.info.features, total + 2 * halo, -halo)
    held = Conditions(np.zeros((total + 2 * halo, 3), np.float32), np.zeros((total + 2 * halo, 8, 2), np.float32))
    windows = linear(model.predict(features, held)[halo : halo + total], rows, share)
    if not config.expressions:
        return windows
    track = subject.track
    train = np.asarray(subject.split("train"))
    smile = slow_smile(track.landmarks_px, track.pose_rad, windows, track.good, train, float(subject.fps))
    slow = np.broadcast_to(smile[:, None, None], (*windows.shape[:2], config.expressions))
    return np.concatenate([windows, slow], axis=2)


def chosen_frames(subject: Subject) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Frames to learn from and to validate on, evenly spread over long footage."""
    return spread(subject.usable("train"), RENDER_FRAMES), spread(subject.usable("validation"), RENDER_FRAMES // 10)


def crossmodal_data(subject: Subject, config: CrossModalConfig, progress: Progress) -> CrossModalData:
    """Head and mouth pictures of a subject's frames with what is heard in them."""
    from lipwright.render.crossmodal.data import CrossModalData

    progress.start("speech features", None)
    windows = heard(subject, config)
    progress.finish()
    train, validation = chosen_frames(subject)
    frames = np.concatenate([train, validation])
    keep, track = set(frames.tolist()), subject.track[frames]
    outlines = outline_px(subject.contour_px[frames], track.landmarks_px)
    return CrossModalData.from_frames(
        (f for t, f in watched(subject, "pictures", progress) if t in keep),
        track.landmarks_px,
        outlines,
        track.pose_rad,
        windows[frames],
        config.size,
        np.arange(len(train)),
        np.arange(len(train), len(frames)),
    )


def oracle_data(subject: Subject, config: OracleConfig, progress: Progress) -> OracleData:
    """The same frames for the oracle: its places are those of `crossmodal_data`."""
    from lipwright.render.oracle.data import OracleData

    train, validation = chosen_frames(subject)
    frames = np.concatenate([train, validation])
    keep, track = set(frames.tolist()), subject.track[frames]
    return OracleData.from_frames(
        (f for t, f in watched(subject, "oracle pictures", progress) if t in keep),
        track,
        outline_px(subject.contour_px[frames], track.landmarks_px),
        config,
        np.arange(len(train)),
        np.arange(len(train), len(frames)),
    )


def fit_oracle(
    config: OracleConfig, data: OracleData, budget: Budget, run: Run, name: str = "oracle"
) -> tuple[Oracle, TrainingRecord]:
    """Mouth network, then the head network around it."""
    from lipwright.render.oracle.task import OracleTask
    from lipwright.render.translation.perceptual import perceptual_distance

    task = OracleTask(config, data, run.seed, run.device, perceptual_distance(config.head, run.device))
    record = run.loop(task, budget, name)
    return task.oracle(), record


def memory_oracle(subject: Subject, data: OracleData, progress: Progress) -> Draw:
    """The appearance memory of the training frames as oracle: an ablation that trains nothing."""
    from lipwright.render.oracle.memory import MemoryOracle

    frames = np.concatenate(chosen_frames(subject))
    renderer = remember_training(subject, progress)
    return MemoryOracle(renderer, lambda place: subject.frames.frame(int(frames[place])), data).pictures


def synthetic_set(draw: Draw, key: str, data: OracleData, count: int, run: Run, name: str = "pairs") -> PicturePairs:
    """`count` pictures of speech on other heads; those an interrupted run drew with the oracle `key` are kept."""
    from lipwright.render.oracle.pairs import picture_pairs

    return picture_pairs(draw, data, count, run.seed, run.work / name, key, run.progress)


def fit_crossmodal(
    config: CrossModalConfig,
    data: CrossModalData,
    pairs: PicturePairs | None,
    budget: Budget,
    run: Run,
    mode: str = "sewn",
    name: str = "renderer",
) -> tuple[CrossModalRenderer, TrainingRecord]:
    """The renderer, on real frames and on the synthetic set."""
    from lipwright.render.crossmodal.renderer import CrossModalRenderer
    from lipwright.render.crossmodal.task import CrossModalTask
    from lipwright.render.translation.perceptual import perceptual_distance

    task = CrossModalTask(config, data, pairs, run.seed, run.device, perceptual_distance(config, run.device))
    record = run.loop(task, budget, name)
    return CrossModalRenderer(task.network(), data.geometry, mode, run.device), record


def train_crossmodal(
    subject: Subject, plan: Plan, limit: Budget, run: Run
) -> tuple[CrossModalRenderer, dict[str, TrainingRecord]]:
    """All stages within `limit`: the oracle gets its share, the set is drawn, the renderer takes what is left."""
    from lipwright.render.oracle.quality import drawing_of

    config, spent_s, records = plan.config, 0.0, {}
    pairs = None
    if plan.synthetic:
        pictures = oracle_data(subject, plan.oracle, run.progress)
        if plan.oracle.kind == "memory":
            draw, key = memory_oracle(subject, pictures, run.progress), f"memory of {subject.info['source']}"
        else:
            budget = Budget(limit.seconds * config.oracle_share if limit.seconds else None, limit.steps)
            oracle, records["oracle"] = fit_oracle(plan.oracle, pictures, budget, run)
            draw, key = drawing_of(oracle, pictures), oracle.fingerprint()
        pairs = synthetic_set(draw, key, pictures, pairs_of(config, limit), run)
        trained_s = records["oracle"].seconds if "oracle" in records else 0.0
        spent_s = trained_s + (_PAIRS_SHARE * limit.seconds if limit.seconds else 0.0)
        del pictures
    data = crossmodal_data(subject, config, run.progress)
    left = Budget(limit.seconds - spent_s if limit.seconds else None, limit.steps)
    renderer, records["renderer"] = fit_crossmodal(config, data, pairs, left, run, plan.mode)
    return renderer, records


def pairs_of(config: CrossModalConfig, limit: Budget) -> int:
    """How many pictures a synthetic set has: what `_PAIRS_SHARE` of the time draws, or as many as the steps see."""
    if limit.seconds is None:
        return int(np.clip((limit.steps or 1) * config.batch, 8, PAIRS))
    each_s = _PAIR_S * (config.size / 256) ** 2
    return int(np.clip(_PAIRS_SHARE * limit.seconds / each_s, 100, PAIRS))
