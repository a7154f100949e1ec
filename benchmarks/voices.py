"""What other voices do to a persona's motion: features, augmentation and lips compared without any truth.

    python benchmarks/voices.py anchor.subject speech/*.mp3 --steps 400 --json benchmarks/results/motion-voices.json

Each variant is trained on the subject alone and speaks every voice over the subject's own head motion. A transcript
NAME.txt beside NAME.* (its language by the first two letters of the name) gives the phones for closures. The first
columns are the person's own held-out stretch, where the truth is known. What the last variant says there is then
smoothed in every way that `SMOOTHERS` names.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from scipy.signal import savgol_filter

from lipwright.cli.results import command_line, markdown, result, table
from lipwright.core.clock import FPS, SAMPLE_RATE
from lipwright.core.contracts import F32, Conditions
from lipwright.core.files import write_json
from lipwright.metrics.lips import Phone, bilabial_closure_rate, closed_level, loudness_correlation, silence_ratio
from lipwright.metrics.silence import silence_mask
from lipwright.metrics.steadiness import landmark_jitter_ratio
from lipwright.motion.config import INSTANT, PAPER, AugmentConfig, MotionConfig
from lipwright.motion.filters import low_pass
from lipwright.motion.geometry import rotate
from lipwright.motion.model import CascadeMotion
from lipwright.motion.scores import N_MOUTH, aperture, score
from lipwright.motion.task import MotionTask
from lipwright.recipes.parts import motion_data
from lipwright.speech.features import features_of
from lipwright.speech.recordings import Recording, recordings
from lipwright.subject.store import Subject

_ALL = replace(INSTANT, lips=False, quick=0.0)
_ALONE = replace(_ALL, features=("cepstra", "phones"), augment=AugmentConfig(noise=0.3, time_mask=3))
_FILTERBANK = replace(_ALONE, features=("logfbank",), augment=AugmentConfig())
_LOUD = AugmentConfig(noise=0.3, gain=0.5, equaliser=0.4, warp=0.12, channel_mask=4, time_mask=3, speed=0.1, room_s=0.5)
VARIANTS: dict[str, MotionConfig] = {
    "pose-adaptive": replace(PAPER, batch=16, width=INSTANT.width),
    "logfbank": _FILTERBANK,
    "logfbank, augmented": replace(_FILTERBANK, augment=_LOUD),
    "cepstra": replace(_ALONE, features=("cepstra",)),
    "phones": replace(_ALONE, features=("phones",)),
    "cepstra and phones": _ALONE,
    "cepstra and phones, speed": replace(_ALONE, augment=replace(_ALONE.augment, speed=0.1)),
    "log mel too, as it is": replace(_ALL, augment=_ALONE.augment),
    "log mel too, augmented": _ALL,
    "the same, lips that close": replace(INSTANT, quick=0.0),
    "instant": INSTANT,
}
"""From the paper's cascade to what ships; all but the first hear speech alone (`separate`). The last one has quick
movement given back as well."""


def one_euro(rows: F32, least_hz: float, slope: float) -> F32:
    """(T, ...) smoothed with a first-order filter that opens as the rows speed up; it sees no future.

    Args: `least_hz`, cut-off at rest; `slope`, Hz per unit of speed a second.
    Source: Casiez, Roussel and Vogel, "1 Euro Filter", CHI 2012; its derivative's cut-off of 1 Hz.
    """

    rate = float(FPS)

    def share(hz: F32 | float) -> F32:
        return np.asarray(1 / (1 + rate / (2 * np.pi * np.asarray(hz))), np.float32)

    out, speed = rows.copy(), np.zeros_like(rows[0])
    for t in range(1, len(rows)):
        speed = speed + share(1.0) * ((rows[t] - out[t - 1]) * np.float32(rate) - speed)
        out[t] = out[t - 1] + share(least_hz + slope * np.abs(speed)) * (rows[t] - out[t - 1])
    return out


def gaussian(rows: F32, ms: float) -> F32:
    """(T, ...) through the toolkit's own smoothing control."""
    return low_pass(rows, ms / 1000 * float(FPS))


def polynomial(rows: F32, frames: int, order: int) -> F32:
    """(T, ...) through Savitzky and Golay's filter, which keeps peaks up to its order."""
    return np.asarray(savgol_filter(rows, frames, order, axis=0), np.float32)


SMOOTHERS: dict[str, Callable[[F32], F32]] = {
    "none": lambda rows: rows,
    **{f"Gaussian, {ms} ms": partial(gaussian, ms=ms) for ms in (20, 40, 60, 80)},
    **{
        f"Savitzky-Golay, {frames} frames, order {order}": partial(polynomial, frames=frames, order=order)
        for frames, order in ((5, 2), (7, 2), (9, 3), (11, 3))
    },
    **{f"One Euro, {hz} Hz": partial(one_euro, least_hz=hz, slope=3.0) for hz in (2, 4)},
}
"""What may be done to (T, 29, 2) points in time. The last kind comes late, all others see as far ahead as back."""
_CALMED = (
    "jitter to real (third differences)",
    "inter-frame energy to real",
    "LMD centred to mean mouth",
    "aperture correlation",
    "amplitude",
    "most closed twentieth, px above real",
)


def train(config: MotionConfig, subject: Subject, steps: int, seed: int) -> MotionTask:
    """A fixed number of steps for every variant."""
    task = MotionTask(config, motion_data(subject, config.heard), seed)
    for step in range(steps):
        task.budget_fraction(step / steps)
        task.step(step)
    return task


def speak(model: CascadeMotion, voice: Recording, held: Conditions) -> F32:
    """The voice over the subject's own head, forwards and backwards as long as it takes."""
    n = -(-len(voice.samples) * int(FPS) // SAMPLE_RATE)
    period = max(2 * (len(held.pose_rad) - 1), 1)
    where = np.arange(n) % period
    where = np.minimum(where, period - where)
    over = Conditions(held.pose_rad[where], held.cheeks[where])
    points = model.predict(features_of(voice.samples, model.info.features, n), over)
    return rotate(points, -over.pose_rad[:, 2])


def scores(said: F32, voice: Recording, closed: float, real_energy: float) -> dict[str, float | None]:
    """What can be told without truth."""
    n, lips = len(said), aperture(said)
    silent = silence_mask(voice.samples, n)
    shape = said[:, :N_MOUTH] - said[:, :N_MOUTH].mean(axis=1, keepdims=True)
    rest = silence_ratio(lips, silent)
    shut = bilabial_closure_rate(
        lips, [Phone(p.symbol.upper(), p.start_s, p.end_s) for p in voice.phones], float(FPS), closed
    )
    return {
        "silence ratio": None if np.isnan(rest) else rest,
        "closures of /p b m/": None if np.isnan(shut) else shut,
        "aperture and loudness": loudness_correlation(lips, voice.samples),
        "jitter ratio": float((np.diff(shape, axis=0) ** 2).mean()) / real_energy,
    }


def smoothed(task: MotionTask, model: CascadeMotion) -> list[list[object]]:
    """What every smoother does to what the model says on the person's held-out stretch."""
    clip = task.data.validation[0]
    seen, scale = clip.weight > 0, np.float32(clip.scale_px)
    said = model.predict(clip.features, clip.conditions)
    real = clip.landmarks[seen] * scale
    rows: list[list[object]] = []
    for name, smooth in SMOOTHERS.items():
        made = np.asarray(smooth(said), np.float32)[seen] * scale
        found = score(made, real, task.mean_landmarks() * scale)
        moved, true = made[:, :N_MOUTH], real[:, :N_MOUTH]
        rows.append(
            [
                name,
                landmark_jitter_ratio(moved, true),
                found["jitter_ratio"],
                *(found[key] for key in ("lmd_centred_ratio", "aperture_correlation", "aperture_amplitude")),
                float(np.quantile(aperture(made), 0.05) - np.quantile(aperture(real), 0.05)),
            ]
        )
    return rows


def measure(
    subject: Subject, spoken: list[Recording], steps: int, seed: int
) -> tuple[dict[str, dict[str, dict[str, float | None]]], list[list[object]]]:
    """Variant -> voice (and 'own') -> scores; and the last variant smoothed."""
    found: dict[str, dict[str, dict[str, float | None]]] = {}
    for name, config in VARIANTS.items():
        task = train(config, subject, steps, seed)
        model, own = task.model(), task.validate()
        clips = task.data.train
        real = np.concatenate([rotate(c.landmarks, -c.conditions.pose_rad[:, 2])[c.weight > 0] for c in clips])
        shape = real[:, :N_MOUTH] - real[:, :N_MOUTH].mean(axis=1, keepdims=True)
        energy, closed = float((np.diff(shape, axis=0) ** 2).mean()), closed_level(aperture(real))
        keys = ("lmd_ratio", "lmd_centred_ratio", "aperture_correlation", "aperture_amplitude")
        found[name] = {"own": {key: own[key] for key in keys}}
        for voice in spoken:
            found[name][voice.name] = scores(speak(model, voice, clips[0].conditions), voice, closed, energy)
        print(name, found[name]["own"], file=sys.stderr, flush=True)
    return found, smoothed(task, model)


def tables(
    found: Mapping[str, Mapping[str, Mapping[str, float | None]]], calmed: list[list[object]], spoken: list[Recording]
) -> list[dict[str, object]]:
    """Means over voices, every voice, and smoothing."""
    columns = ("silence ratio", "closures of /p b m/", "aperture and loudness", "jitter ratio")

    def mean(name: str, key: str) -> float | None:
        values = [v for voice in spoken if (v := found[name][voice.name][key]) is not None]
        return float(np.mean(values)) if values else None

    first = [[name, *row["own"].values(), *(mean(name, key) for key in columns)] for name, row in found.items()]
    each = [
        [voice.name, name, *(found[name][voice.name][key] for key in columns)] for voice in spoken for name in found
    ]
    heads = ("own: LMD to mean mouth", "centred", "aperture correlation", "amplitude")
    return [
        table("means over the other voices", ("", *heads, *columns), first),
        table("every voice", ("voice", "", *columns), each),
        table("smoothing of what the last one says in the own voice", ("", *_CALMED), calmed),
    ]


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("subject", type=Path)
    options.add_argument("speech", type=Path, nargs="+")
    options.add_argument("--steps", type=int, default=400, help="of every variant")
    options.add_argument("--seconds", type=float, default=30.0, help="of every voice")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--json", type=Path, default=Path("runs/motion-voices.json"))
    return options


def main() -> None:
    asked = parser().parse_args()
    spoken = list(recordings(asked.speech, asked.seconds))
    found, calmed = measure(Subject.open(asked.subject), spoken, asked.steps, asked.seed)
    made = result(command_line("benchmarks/voices.py", sys.argv[1:]), tables(found, calmed, spoken), data=found)
    write_json(asked.json, made)
    print(markdown(made))


if __name__ == "__main__":
    main()
