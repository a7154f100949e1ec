"""The footage report: numbers a person filming can act on, and the advice in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import cv2
import numpy as np

from lipwright.core.contracts import F32, U8, FaceTrack
from lipwright.face.smooth import runs

_SILENCE_DB = 30.0
"""Speech this far below the loud frames counts as silence."""


@dataclass
class PictureStats:
    """Sharpness and exposure, gathered on some frames while they pass."""

    sharpness: list[float] = field(default_factory=list)
    brightness: list[float] = field(default_factory=list)
    clipped: list[float] = field(default_factory=list)

    def add(self, rgb8: U8, landmarks_px: F32) -> None:
        """Look at the face box of one frame."""
        height, width = rgb8.shape[:2]
        (x0, y0), (x1, y1) = landmarks_px.min(0).astype(int), landmarks_px.max(0).astype(int)
        face = rgb8[max(y0, 0) : min(y1, height), max(x0, 0) : min(x1, width)]
        if min(face.shape[:2]) < 8:
            return
        # One scale for all footage: a 256 px wide face, so that the number means the same for 4K and 480p.
        grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
        small = cv2.resize(grey, (256, max(256 * grey.shape[0] // grey.shape[1], 8)), interpolation=cv2.INTER_AREA)
        self.sharpness.append(float(cv2.Laplacian(small, cv2.CV_32F).var()))
        self.brightness.append(float(grey.mean()) / 255)
        self.clipped.append(float(((face >= 253).all(-1) | (face <= 2).all(-1)).mean()))


def silence_share(samples: F32, rate: int = 16_000) -> float:
    """Share of 20 ms blocks that lie `_SILENCE_DB` below the loud ones; 1.0 for a silent track."""
    n = len(samples) // (rate // 50)
    if n == 0:
        return 1.0
    power = (samples[: n * (rate // 50)].reshape(n, -1).astype(np.float64) ** 2).mean(1)
    level = 10 * np.log10(power + 1e-12)
    loud = np.quantile(level, 0.95)
    return 1.0 if loud < -70 else float((level < loud - _SILENCE_DB).mean())


def footage_report(
    track: FaceTrack,
    noise_px: float,
    stats: PictureStats,
    samples: F32,
    fps: Fraction,
    offset: dict[str, Any],
    faces: int,
) -> dict[str, Any]:
    """All numbers of the report, JSON-ready."""
    seen = track.present
    points = track.landmarks_px[seen]
    degrees = np.degrees(track.pose_rad[seen]) if seen.any() else np.zeros((1, 3))
    low, high = np.quantile(degrees, [0.02, 0.98], axis=0)
    face_px = float(np.median(np.linalg.norm(points[:, 16] - points[:, 0], axis=1))) if len(points) else 0.0
    missing = [[a, b] for a, b in runs(~seen)]
    return {
        "length_s": round(float(len(track) / fps), 3),
        "fps": str(fps),
        "size": list(track.size),
        "face_width_px": round(face_px, 1),
        "sharpness": round(float(np.median(stats.sharpness)), 1) if stats.sharpness else 0.0,
        "brightness": round(float(np.median(stats.brightness)), 3) if stats.brightness else 0.0,
        "clipped_share": round(float(np.median(stats.clipped)), 4) if stats.clipped else 0.0,
        "pitch_deg": [round(float(low[0]), 1), round(float(high[0]), 1)],
        "yaw_deg": [round(float(low[1]), 1), round(float(high[1]), 1)],
        "roll_deg": [round(float(low[2]), 1), round(float(high[2]), 1)],
        "silence_share": round(silence_share(samples), 3),
        "audio_offset": offset,
        "no_face_share": round(float(1 - seen.mean()), 4) if len(seen) else 1.0,
        "no_face_frames": missing[:50],
        "faces": faces,
        "tracker_noise_px": round(noise_px, 3),
    }


def advice(report: dict[str, Any]) -> list[str]:
    """What to do about it, most important first; empty when the footage is fine."""
    said = []
    length, face = report["length_s"], report["face_width_px"]
    if report.get("missing_s", 0) > 0:
        said.append(f"The file ends {report['missing_s']:.1f} s before its announced length: it may be cut off.")
    if length < 30:
        said.append(f"{length:.0f} s is short: a minute or more teaches more mouth shapes.")
    if face < 120:
        said.append(f"The face is {face:.0f} px wide: come closer or film at a higher resolution (200 px or more).")
    if report["sharpness"] < 60:
        said.append("The picture is soft: check focus and motion blur, teeth can only be as sharp as the footage.")
    if not 0.2 < report["brightness"] < 0.8:
        word = "dark" if report["brightness"] <= 0.2 else "bright"
        said.append(f"The face is too {word}: aim for even, soft light.")
    if report["clipped_share"] > 0.02:
        said.append("Parts of the face are clipped to black or white: lower contrast or exposure.")
    yaw = max(abs(v) for v in report["yaw_deg"])
    if yaw > 30:
        said.append(f"The head turns to {yaw:.0f} degrees: beyond about 30 the mouth is hidden; face the camera more.")
    if report["silence_share"] > 0.5:
        said.append(f"{100 * report['silence_share']:.0f} % of the sound is silence: speak more, pauses teach little.")
    elif report["silence_share"] < 0.03:
        said.append("There is hardly a pause: a few seconds of a closed, resting mouth make silence look better.")
    offset = report["audio_offset"]
    if not offset["sure"]:
        said.append("The audio-video offset could not be estimated with confidence; check the sync by eye.")
    elif abs(offset["offset_s"]) >= 0.04:
        direction = "late" if offset["offset_s"] > 0 else "early"
        done = "corrected" if offset["corrected"] else "not corrected"
        said.append(f"The sound is {abs(1000 * offset['offset_s']):.0f} ms {direction}; this was {done}.")
    if report["no_face_share"] > 0:
        said.append(f"{100 * report['no_face_share']:.1f} % of the frames show no face; they are left out of training.")
    if report["faces"] > 1:
        said.append(f"Up to {report['faces']} faces were seen; the largest was followed. Use --face N for another.")
    return said
