"""Segments to one whole: the track, the sound in sync with it, the contour, and how they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from lipwright.core.clock import SAMPLE_RATE, round_half_up
from lipwright.core.contracts import F32, FaceTrack
from lipwright.core.errors import FootageError
from lipwright.core.files import atomic_file
from lipwright.face.smooth import fill_gaps
from lipwright.face.track import TrackBuilder
from lipwright.media.audio import read_audio
from lipwright.subject.segments import CONTOUR_EVERY
from lipwright.subject.sync import estimate_offset


def joined_track(
    pieces: Sequence[dict[str, np.ndarray]], size: tuple[int, int], face: int | None
) -> tuple[FaceTrack, float, int]:
    """One smoothed track over all segments."""
    start_box = None
    if face is not None:
        # Unused places of a frame with fewer faces are zeros: only seen faces may be chosen.
        seen = (d[c > 0] for p in pieces for d, c in zip(p["dense"], p["confidence"], strict=True) if c[0] > 0)
        ranked = next(seen, ())
        if face >= len(ranked):
            raise FootageError(
                f"--face {face}: {len(ranked)} faces are visible where the first one is seen; numbers begin at 0"
            )
        (x0, y0), (x1, y1) = ranked[face][:, :2].min(0), ranked[face][:, :2].max(0)
        start_box = (float(x0), float(y0), float(x1), float(y1))
    builder = TrackBuilder(size, start_box)
    for piece in pieces:
        for dense, confidence in zip(piece["dense"], piece["confidence"], strict=True):
            builder.add([(d, float(c)) for d, c in zip(dense, confidence, strict=True) if c > 0])
    track, noise = builder.finish()
    return track, noise, builder.most_faces


def sound_in_sync(
    source: Path, track: FaceTrack, fps: Fraction, start_s: Fraction, total: int, correct: bool
) -> tuple[F32, dict[str, Any]]:
    """Samples exactly as long as the frames, in sync if it could be told, and what was found."""
    length_s = Fraction(total) / fps
    raw = read_audio(source, SAMPLE_RATE, start_s, start_s + length_s)
    wanted = round_half_up(length_s * SAMPLE_RATE)
    estimate = estimate_offset(track.landmarks_px, _fit(raw, wanted), fps)
    corrected = bool(correct and estimate.sure and abs(estimate.offset_s) >= 1 / (2 * float(fps)))
    if corrected:
        shift = Fraction(round(estimate.offset_s * SAMPLE_RATE), SAMPLE_RATE)
        raw = read_audio(source, SAMPLE_RATE, max(start_s + shift, Fraction(0)), start_s + shift + length_s)
        if start_s + shift < 0:
            raw = np.concatenate([np.zeros(round_half_up(-(start_s + shift) * SAMPLE_RATE), np.float32), raw])
    found = {
        "offset_s": round(estimate.offset_s, 4),
        "confidence": round(estimate.confidence, 3),
        "sure": bool(estimate.sure),
        "corrected": corrected,
    }
    return _fit(raw, wanted), found


def _fit(samples: F32, n: int) -> F32:
    return np.pad(samples[:n], (0, max(n - len(samples), 0)))


def joined_contours(pieces: Sequence[dict[str, np.ndarray]], track: FaceTrack) -> F32:
    """(T, rays) distances, interpolated between the measured frames."""
    rows, at, offset = [], [], 0
    for piece in pieces:
        known = np.isfinite(piece["radii"][:, 0])
        rows.append(piece["radii"][known])
        at.append(offset + CONTOUR_EVERY * np.flatnonzero(known))
        offset += len(piece["confidence"])
    full = np.zeros((len(track), pieces[0]["radii"].shape[1]), np.float32)
    frames = np.concatenate(at)
    known_frames = np.zeros(len(track), bool)
    known_frames[frames] = True
    full[frames] = np.concatenate(rows)
    return fill_gaps(full, known_frames)


def save_track(folder: Path, track: FaceTrack, contour: F32) -> None:
    """landmarks.npz, pose.npz and contour.npz of a subject folder."""
    centre = track.landmarks_px[:, 27:36].mean(1, keepdims=True)
    centred = track.landmarks_px - centre
    scale = np.maximum(np.linalg.norm(centred, axis=(1, 2)), 1e-6)[:, None, None]
    for name, arrays in (
        (
            "landmarks.npz",
            {
                "landmarks_px": track.landmarks_px,
                "dense_px": track.dense_px,
                "landmarks_normalised": (centred / scale).astype(np.float32),
                "confidence": track.confidence,
            },
        ),
        ("pose.npz", {"pose_rad": track.pose_rad}),
        ("contour.npz", {"radii_px": contour}),
    ):
        with atomic_file(folder / name) as temporary, temporary.open("wb") as stream:
            np.savez(stream, **arrays)
