"""The footage report: numbers a person filming can act on."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32
from lipwright.face.smooth import runs
from lipwright.face.usable import Stretch
from lipwright.media.cadence import Cadence
from lipwright.media.probe import MediaInfo
from lipwright.subject.judge import Verdict, by_reason
from lipwright.subject.persons import Cast
from lipwright.subject.pieces import Pieces
from lipwright.subject.trace import Curves

_LISTED = 50
"""Stretches named in the report at most."""


def quality_of(pieces: Pieces, which: NDArray[np.integer[Any]]) -> F32:
    """(Q, 3) sharpness, brightness and clipped share of the chosen face where they were measured."""
    rows = []
    for start, values in pieces.each("quality"):
        chosen = which[start + values[:, 0].astype(int)] == values[:, 1]
        rows.append(np.array(values[chosen, 2:]))
    return np.concatenate(rows) if rows else np.zeros((0, 3), np.float32)


def footage_report(
    cast: Cast,
    verdict: Verdict,
    curves: Curves,
    quality: F32,
    size: tuple[int, int],
    fps: Fraction,
    media: MediaInfo,
    cadence: Cadence | None,
) -> dict[str, Any]:
    """What the pictures tell, JSON-ready."""
    seen, total = cast.chosen.present, len(cast.chosen.which)
    degrees = np.degrees(curves.pose_rad[seen]) if seen.any() else np.zeros((1, 3))
    low, high = np.quantile(degrees, [0.02, 0.98], axis=0)
    middle = np.median(quality, axis=0) if len(quality) else np.zeros(3)
    usable = seen & verdict.usable
    lost = by_reason(verdict.stretches)
    return {
        "length_s": round(float(total / fps), 3),
        "fps": str(fps),
        "size": list(size),
        "footage": file_facts(media, cadence),
        "face_width_px": round(float(np.median(curves.width_px[seen])), 1) if seen.any() else 0.0,
        "sharpness": round(float(middle[0]), 1),
        "brightness": round(float(middle[1]), 3),
        "clipped_share": round(float(middle[2]), 4),
        "pitch_deg": [round(float(low[0]), 1), round(float(high[0]), 1)],
        "yaw_deg": [round(float(low[1]), 1), round(float(high[1]), 1)],
        "roll_deg": [round(float(low[2]), 1), round(float(high[2]), 1)],
        "usable_share": round(float(usable.mean()), 4) if total else 0.0,
        "usable_s": round(float(usable.sum() / fps), 2),
        "unusable": [_told(s, fps) for s in verdict.stretches[:_LISTED]],
        "unusable_share": {reason.value: round(n / total, 4) for reason, n in lost.items()},
        "no_face_share": round(float(1 - seen.mean()), 4) if total else 1.0,
        "no_face_frames": [[a, b] for a, b in runs(~seen)][:_LISTED],
        "faces": len(cast.persons),
        "persons": [{"share": round(p.share, 3), "box": [round(v) for v in p.box]} for p in cast.persons],
        "shots": len(cast.shots),
        "shot_starts_s": [round(float(a / fps), 2) for a, _ in cast.shots][:_LISTED],
        "captions": [[round(v) for v in box] for box in verdict.captions],
        "tracker_noise_px": round(curves.noise_px, 3),
    }


def _told(stretch: Stretch, fps: Fraction) -> dict[str, Any]:
    return {
        "start_s": round(float(stretch.start / fps), 2),
        "stop_s": round(float(stretch.stop / fps), 2),
        "reason": stretch.reason.value,
    }


def file_facts(media: MediaInfo, cadence: Cadence | None) -> dict[str, Any]:
    """What the file itself says: codec, format, rate, colours, rotation, sound."""
    video, audio = media.video, media.audio
    assert video is not None
    color = video.hdr or video.color
    facts: dict[str, Any] = {
        "codec": video.codec,
        "pix_fmt": video.pix_fmt,
        "fps": str(video.fps),
        "variable_rate": video.variable,
        "material_fps": None if cadence is None else str(cadence.rate),
        "interlaced": bool(video.fields),
        "hdr": video.hdr is not None,
        "color": "/".join((color.range, color.space, color.transfer)),
        "rotation": video.rotation,
        "pixel_aspect": str(video.pixel_aspect),
        "sound": None,
    }
    if audio is not None:
        facts["sound"] = f"{audio.codec}, {audio.channels} channels, {audio.sample_rate} Hz"
    return facts
