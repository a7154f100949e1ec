"""Tracks, sound and picture curves to rows: which metric is shown, and what stands beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipwright.core.clock import sample_of
from lipwright.core.ibug import lip_aperture
from lipwright.evaluate.floor import Noise
from lipwright.evaluate.pictures import Comparison
from lipwright.evaluate.result import Row
from lipwright.evaluate.source import Scan
from lipwright.metrics import landmarks, lips, steadiness
from lipwright.metrics.lips import Phone
from lipwright.metrics.silence import silence_mask
from lipwright.subject.sync import estimate_offset

Tracks = Mapping[str, NDArray[Any]]
"""Landmarks (T, 68, 2) by 'video', 'real', 'frozen', 'mean'."""
COLUMNS = ("video", "real", "frozen", "mean")


def picture_rows(comparison: Comparison) -> list[Row]:
    """PSNR, SSIM, sharpness and jitter of mouth box and full frame."""
    shown = [
        ("psnr", "PSNR", "dB", "higher"),
        ("ssim_gaussian", "SSIM, Gaussian window", "", "higher"),
        ("ssim_uniform", "SSIM, uniform window", "", "higher"),
        ("sharpness_ratio", "sharpness, ratio to real", "", "one"),
        ("jitter_ratio", "jitter, ratio to real", "", "one"),
    ]
    rows = []
    for area, curves in (("mouth", comparison.mouth), ("full", comparison.full)):
        values = {name: c.means(curves["real"]) for name, c in curves.items()}
        for key, label, unit, better in shown:
            cells = {name: values[name][key] for name in COLUMNS if name in values}
            rows.append(Row(f"{area}.{key}", f"{area} {label}", unit, better, **cells))
    return rows


def landmark_rows(tracks: Tracks, size: tuple[int, int], noise: tuple[Noise, Noise]) -> list[Row]:
    """Distances of mouth landmarks; `noise` is that of the two tracks, and gives each row's floor."""
    real, width = tracks["real"], size[0]
    eyes, to_512 = landmarks.inter_ocular(real), 512 / width
    floor = steadiness.noise_distance(noise[0].sigma_px, noise[1].sigma_px)
    points = 20
    power = 2 * (noise[0].sigma_px ** 2 + noise[1].sigma_px ** 2)
    steps = 2 * (noise[0].step_px ** 2 + noise[1].step_px ** 2)
    lmd, lm = landmarks.lmd, landmarks
    shown: list[tuple[str, str, str, Callable[[NDArray[Any]], float], float]] = [
        ("lmd", "LMD, raw", "px", lambda g: lmd(real, g), floor),
        ("lmd_centred", "LMD, centred", "px", lambda g: lmd(real, g, True), floor),
        ("lmd_eyes", "LMD, raw", "eye distances", lambda g: lmd(real, g) / eyes, floor / eyes),
        (
            "lmd_centred_eyes",
            "LMD, centred",
            "eye distances",
            lambda g: lmd(real, g, True) / eyes,
            floor / eyes,
        ),
        ("f_lmd", "F-LMD, all 68 points", "px", lambda g: lm.f_lmd(real, g), floor),
        ("d_lip_px", "D_lip, raw", "px of 512", lambda g: lm.d_lip_px(real, g, width), floor * to_512),
        (
            "d_lip_centred",
            "D_lip, centred",
            "px of 512",
            lambda g: lm.d_lip_centred(real, g, width),
            floor * to_512,
        ),
        (
            "d_lip_frobenius",
            "D_lip, Frobenius",
            "px of 512",
            lambda g: lm.d_lip_frobenius(real, g, width),
            float(np.sqrt(points * power)) * to_512,
        ),
        ("velocity", "inter-frame MSE", "px^2", lambda g: lm.velocity_error(real, g), points * steps),
    ]
    return [
        Row(f"landmarks.{key}", label, unit, "lower", **_cells(tracks, f), floor=low)
        for key, label, unit, f, low in shown
    ]


def _cells(tracks: Tracks, f: Callable[[NDArray[Any]], float]) -> dict[str, float]:
    return {name: f(tracks[name]) for name in COLUMNS if name in tracks}


def lip_rows(tracks: Tracks, reference: str = "real") -> list[Row]:
    """How the aperture follows the real one, and how steady the points are."""
    apertures = {name: lip_aperture(track) for name, track in tracks.items()}
    real = apertures[reference]

    def row(key: str, label: str, better: str, f: Callable[[str], float]) -> Row:
        return Row(key, label, "", better, **{name: f(name) for name in COLUMNS if name in tracks})

    mouths = {name: track[:, 48:68] for name, track in tracks.items()}
    return [
        row(
            "lips.correlation",
            "lip aperture, correlation with real",
            "higher",
            lambda n: lips.correlation(apertures[n], real),
        ),
        row(
            "lips.amplitude",
            "lip aperture, amplitude to real",
            "one",
            lambda n: lips.amplitude_ratio(apertures[n], real),
        ),
        row(
            "lips.jitter",
            "mouth landmark jitter, ratio to real",
            "one",
            lambda n: steadiness.landmark_jitter_ratio(mouths[n], mouths[reference]),
        ),
    ]


def speech_rows(
    tracks: Tracks, scans: Mapping[str, Scan], phones: Sequence[Phone] | None = None
) -> tuple[list[Row], list[str]]:
    """Rows that need sound: offset, how lips follow loudness, silence ratio, closure; and notes.

    Only closure is given for the frozen mouth: a mouth that never moves has no offset, and its silence
    ratio is noise over noise.
    """
    sound = {"video": scans["video"], "real": scans.get("real")}
    cells: dict[str, dict[str, float]] = {k: {} for k in ("offset", "sure", "follow", "silence", "closure")}
    notes = []
    for name, track in tracks.items():
        scan = sound.get(name) or scans.get("real") or scans["video"]
        aperture = lip_aperture(track)
        if not len(scan.samples):
            if name in ("video", "real"):
                notes.append(f"{scan.clip.name} has no sound: its offset and silence were not measured")
            continue
        if name in ("video", "real"):
            estimate = estimate_offset(track, scan.samples, scan.fps)
            cells["offset"][name] = 1000 * estimate.offset_s if estimate.sure else float("nan")
            cells["sure"][name] = estimate.confidence
            cells["follow"][name] = estimate.score
            if not estimate.sure:
                notes.append(f"offset of {scan.clip.name}: {estimate}")
            silent = silence_mask(scan.samples[: sample_of(len(track), scan.fps)], len(track), scan.fps)
            cells["silence"][name] = lips.silence_ratio(aperture, silent)
        if phones:
            level = lips.closed_level(lip_aperture(tracks.get("real", tracks["video"])))
            cells["closure"][name] = lips.bilabial_closure_rate(aperture, phones, float(scan.fps), level)
    named = [
        ("offset", "speech.offset", "audio-video offset (+ audio late)", "ms", "zero"),
        ("sure", "speech.offset_confidence", "offset, confidence", "", "higher"),
        ("follow", "speech.correlation", "lips and loudness, correlation", "", "higher"),
        ("silence", "speech.silence_ratio", "lip motion in silence over speech", "", "lower"),
        ("closure", "speech.closure_rate", "/p b m/ that close the lips", "", "higher"),
    ]
    rows = [
        Row(key, label, unit, better, **{"video": None, **cells[cell]})
        for cell, key, label, unit, better in named
        if cells[cell]
    ]
    return rows, notes


def time_rows(scans: Mapping[str, Scan]) -> list[Row]:
    """Length, frames without a face, repeated frames, tracker noise."""
    facts: list[tuple[str, str, str, str, Callable[[Scan], float]]] = [
        ("time.duration", "duration", "s", "", lambda s: float(len(s) / s.fps)),
        ("time.no_face", "frames without a face", "", "lower", lambda s: float(1 - s.track.present.mean())),
        ("time.frozen", "repeated frames", "", "lower", lambda s: steadiness.frozen_share(list(s.changes))),
        ("time.noise", "tracker noise on the mouth, RMS", "px", "", lambda s: s.noise_px),
    ]
    return [
        Row(key, label, unit, better, **{name: f(scan) for name, scan in scans.items()})
        for key, label, unit, better, f in facts
    ]
