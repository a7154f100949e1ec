"""Evaluate any video, with or without the real one beside it; no persona is involved.

Two passes over each video: the first tracks the face, the second compares pictures in step (the reference
is read once more between them for its mean mouth). Frames are never all kept; tracks are, about 12 kB a
frame, and the sound.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

import lipwright
from lipwright.core.errors import ConfigError, FootageError
from lipwright.core.ibug import lip_aperture
from lipwright.evaluate import curves, rows
from lipwright.evaluate.boxes import Boxes, face_boxes, mouth_boxes
from lipwright.evaluate.floor import face_noise_distance, landmark_noise
from lipwright.evaluate.landmarkrows import Floors, landmark_rows
from lipwright.evaluate.match_part import cutters
from lipwright.evaluate.mouths import MouthCutter
from lipwright.evaluate.pairing import common_grid, in_step, video_of
from lipwright.evaluate.picturerows import picture_rows
from lipwright.evaluate.pictures import Areas, Comparison, compare
from lipwright.evaluate.result import Evaluation
from lipwright.evaluate.sheet import contact_sheet, mouth_strip
from lipwright.evaluate.source import Clip, MakeTracker, Scan, as_clip, scan, scan_both
from lipwright.evaluate.speech_sync import phones_of
from lipwright.evaluate.stills import make_stills
from lipwright.evaluate.sync_part import lse_protocols, sync_part
from lipwright.evaluate.timerows import time_rows
from lipwright.metrics import bootstrap
from lipwright.metrics.controls import frozen_mouth, mean_mouth, rest_frame
from lipwright.metrics.lips import Phone

SHEET_ROWS = 6
STRIP_FRAMES = 24


def evaluate(
    video: str | os.PathLike[str] | Clip,
    reference: str | os.PathLike[str] | Clip | None = None,
    transcript: Sequence[Phone] | str | None = None,
    *,
    make_tracker: MakeTracker | None = None,
    protocol: str = "video",
    lse: str = "tracks",
    face_boxes: str | os.PathLike[str] | None = None,
) -> Evaluation:
    """Measure a talking video, against the real one when there is one.

    Args:
        video: what is judged.
        reference: the real video of the same moments; adds every metric that needs the truth, and the
            controls: the real video itself, a frozen mouth and a mean mouth.
        transcript: phones with times on the video's clock, or the English text that is said; adds the bilabial
            closure rate and visemes.
        make_tracker: makes a fresh face tracker for each video; mediapipe's when None.
        protocol: name that goes into the result.
        lse: which of SyncNet's protocols, with the user's weights: 'tracks', 'frames' or 'both'.
        face_boxes: file of face boxes for it, see `face_boxes.read_boxes`.
    Returns:
        rows, curves and sheets.

    FootageError when a file cannot be read, shows no face, or does not fit the reference.
    """
    if isinstance(transcript, bytes):
        raise ConfigError("transcript: expected text or phones with times, got bytes; decode them first")
    lse_protocols(lse)  # a wrong name is said before minutes of tracking
    clip = as_clip(video)
    if reference is None:
        return _alone(clip, transcript, make_tracker, protocol, lse, face_boxes)
    return _against(clip, as_clip(reference), transcript, make_tracker, protocol, lse, face_boxes)


def _against(
    clip: Clip,
    real_clip: Clip,
    transcript: Sequence[Phone] | str | None,
    make_tracker: MakeTracker | None,
    protocol: str,
    lse: str,
    face_boxes: str | os.PathLike[str] | None,
) -> Evaluation:
    seen, real, both, notes = _in_step(clip, real_clip, make_tracker)
    fps = float(seen.fps)
    tracks = control_tracks(seen.track.landmarks_px[both], real.track.landmarks_px[both])
    boxes = mouth_boxes(real.track)
    scans, whole = {"video": seen, "real": real}, whole_tracks(seen, real)
    mouths = cutters(scans)
    comparison = _compare(seen, real, boxes, mouths)
    noise = (landmark_noise(real.track), landmark_noise(seen.track))
    floors = Floors.of(noise, (face_noise_distance(real.track), face_noise_distance(seen.track)))
    pictures, said = picture_rows(comparison, fps)
    phones = phones_of(transcript, seen)
    spoken, more = rows.speech_rows(whole, scans, phones)
    sync = sync_part(whole, scans, boxes, mouths, phones, lse, face_boxes)
    table = [
        *pictures,
        *landmark_rows(tracks, seen.size, floors, fps),
        *rows.lip_rows(tracks, fps),
        *spoken,
        *sync.rows,
        *time_rows(scans),
    ]
    lines = [
        *curves.aperture_curves({"real": real.track.landmarks_px, "video": seen.track.landmarks_px}, fps),
        *curves.psnr_curves(comparison, fps),
        *curves.sound_curves(scans),
        *sync.curves,
    ]
    facts = protocol_facts(protocol, seen, boxes) | sync.facts
    sheets = _sheets(comparison, boxes, len(seen), _strip_start(real)) | sync.pictures
    notes += [*said, *more, *sync.notes]
    return Evaluation(clip.name, real_clip.name, tuple(table), tuple(notes), facts, tuple(lines), sheets, sync.details)


def _in_step(
    clip: Clip, real_clip: Clip, make_tracker: MakeTracker | None
) -> tuple[Scan, Scan, NDArray[np.bool_], list[str]]:
    """(video, real one, frames in which both show a face, notes): the same moments at one rate and size."""
    grid = common_grid(clip, real_clip)
    seen, real = scan_both(clip, real_clip, grid.fps, grid.size, make_tracker)
    step = in_step(seen, real)
    seen = seen.part(step.video_first, step.n)
    real = real.part(step.reference_first, step.n)
    notes = [*grid.notes, *step.notes, *_face_notes(seen), *_face_notes(real)]

    both = seen.track.present & real.track.present
    if both.sum() < 4:
        raise FootageError(
            f"{clip.name} and {real_clip.name} show a face together in {int(both.sum())} frames; 4 are needed"
        )
    return seen, real, both, notes


def control_tracks(video_px: NDArray[Any], real_px: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Landmarks (T, 68, 2) of the video, the real one and the two mouths that do not speak."""
    return {"video": video_px, "real": real_px, "frozen": frozen_mouth(real_px), "mean": mean_mouth(real_px)}


def whole_tracks(seen: Scan, real: Scan | None = None) -> dict[str, NDArray[Any]]:
    """Landmarks over all frames, gaps interpolated, because sound needs an unbroken clock."""
    tracks: dict[str, NDArray[Any]] = {"video": seen.track.landmarks_px}
    if real is not None:
        tracks |= {"real": real.track.landmarks_px, "frozen": frozen_mouth(real.track.landmarks_px)}
    return tracks


def _alone(
    clip: Clip,
    transcript: Sequence[Phone] | str | None,
    make_tracker: MakeTracker | None,
    protocol: str,
    lse: str,
    face_boxes: str | os.PathLike[str] | None,
) -> Evaluation:
    info = video_of(clip)
    seen = scan(clip, info.fps, (info.width, info.height), make_tracker)
    scans, whole = {"video": seen}, whole_tracks(seen)
    phones = phones_of(transcript, seen)
    boxes, mouths = mouth_boxes(seen.track), cutters(scans)
    strip = range(_strip_start(seen), min(len(seen), _strip_start(seen) + STRIP_FRAMES))
    frames = enumerate(mouths["video"].tap(seen.frames()))
    crops = [boxes.cut(frame, t).copy() for t, frame in frames if t in strip]
    spoken, more = rows.speech_rows(whole, scans, phones)
    sync = sync_part(whole, scans, boxes, mouths, phones, lse, face_boxes)
    lines = [
        *curves.aperture_curves({"video": seen.track.landmarks_px}, float(info.fps)),
        *curves.sound_curves(scans),
        *sync.curves,
    ]
    facts = protocol_facts(protocol, seen, boxes) | sync.facts
    sheets = {"Consecutive mouths": mouth_strip([crops])} | sync.pictures
    table = [*spoken, *sync.rows, *time_rows(scans)]
    notes = (*_face_notes(seen), *more, *sync.notes)
    return Evaluation(clip.name, None, tuple(table), notes, facts, tuple(lines), sheets, sync.details)


def _compare(seen: Scan, real: Scan, boxes: Boxes, mouths: Mapping[str, MouthCutter]) -> Comparison:
    frozen_frame = int(np.flatnonzero(real.track.present)[rest_frame(real.track.landmarks_px[real.track.present])])
    mean, frozen = make_stills(real.frames(), real.track, boxes, frozen_frame)
    start = _strip_start(real)
    keep = {*_sheet_frames(len(real)), *range(start, min(len(real), start + STRIP_FRAMES))}
    areas = Areas(boxes, face_boxes(real.track), real.track)
    passing = mouths["real"].tap(real.frames()), mouths["video"].tap(seen.frames())
    return compare(*passing, areas, {"frozen": frozen, "mean": mean}, float(real.fps), keep)


def _sheet_frames(n: int) -> list[int]:
    return sorted({round((i + 0.5) * n / SHEET_ROWS) for i in range(SHEET_ROWS)} & set(range(n)))


def _strip_start(real: Scan) -> int:
    """Where the lips move most within the length of a strip."""
    speed = np.abs(np.diff(lip_aperture(real.track.landmarks_px), prepend=np.nan))
    speed[~real.track.present | ~np.isfinite(speed)] = 0
    if len(speed) <= STRIP_FRAMES:
        return 0
    return int(np.argmax(np.convolve(speed, np.ones(STRIP_FRAMES), mode="valid")))


def _sheets(comparison: Comparison, boxes: Boxes, n: int, start: int) -> dict[str, Any]:
    chosen = [t for t in _sheet_frames(n) if t in comparison.kept]
    rectangles = [(*map(int, boxes.corners[t]), *boxes.size) for t in chosen]
    pairs = [comparison.kept[t] for t in chosen]
    strip = [t for t in range(start, start + STRIP_FRAMES) if t in comparison.kept]
    crops = [[boxes.cut(comparison.kept[t][side], t) for t in strip] for side in (0, 1)]
    return {
        "Real, generated, difference (x4); mouth enlarged": contact_sheet(
            [a for a, _ in pairs],
            [b for _, b in pairs],
            rectangles,  # type: ignore[arg-type]
        ),
        "Consecutive mouths: real above generated": mouth_strip(crops),
    }


def _face_notes(seen: Scan) -> list[str]:
    missing = int((~seen.track.present).sum())
    return [f"{seen.clip.name} shows no face in {missing} of {len(seen)} frames; they are left out"] * bool(missing)


def protocol_facts(name: str, seen: Scan, boxes: Boxes) -> dict[str, Any]:
    """What another lab needs to measure the same: nothing of the machine."""
    return {
        "name": name,
        "lipwright": lipwright.__version__,
        "mediapipe": version("mediapipe"),
        "frames": len(seen),
        "fps": str(seen.fps),
        "frame": f"{seen.size[0]}x{seen.size[1]}",
        "mouth_box": f"{boxes.size[0]}x{boxes.size[1]}",
        "intervals": f"95 %, {bootstrap.DRAWS} draws of {bootstrap.BLOCK_S:g} s blocks, seed {bootstrap.SEED}",
        "versions": {"opencv": cv2.__version__, **{name: version(name) for name in ("numpy", "scipy", "av")}},
    }
