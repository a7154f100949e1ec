"""A video and the real one, in step: every metric that needs the truth, with its controls."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import U8
from lipwright.core.errors import FootageError
from lipwright.core.overlap import ahead
from lipwright.evaluate import curves, rows
from lipwright.evaluate.boxes import Boxes, face_boxes, mouth_boxes
from lipwright.evaluate.facts import control_tracks, face_notes, protocol_facts, whole_tracks
from lipwright.evaluate.film import film
from lipwright.evaluate.floor import face_noise_distance, landmark_noise
from lipwright.evaluate.landmarkrows import Floors, landmark_rows
from lipwright.evaluate.match_part import cutters
from lipwright.evaluate.options import Options
from lipwright.evaluate.pairing import common_grid, in_step
from lipwright.evaluate.picturerows import picture_rows
from lipwright.evaluate.pictures import Areas, Comparison, compare
from lipwright.evaluate.result import Evaluation
from lipwright.evaluate.shown import comparison_sheets, sheet_frames, strip_frames
from lipwright.evaluate.source import Clip, MakeTracker, Scan, scan_both
from lipwright.evaluate.speech_sync import phones_of
from lipwright.evaluate.stills import make_stills
from lipwright.evaluate.sync_part import sync_part
from lipwright.evaluate.timerows import time_rows
from lipwright.metrics.controls import rest_frame

FRAMES_AHEAD = 3
"""Decoded while earlier ones are compared; few, because those of a large video weigh a lot."""


@dataclass(frozen=True)
class Pair:
    """The same moments of two videos at one rate and size."""

    seen: Scan
    """What is judged."""
    real: Scan
    both: NDArray[np.bool_]
    """(T,) frames in which both show a face."""
    notes: tuple[str, ...]
    """What was aligned or could not be seen."""


def aligned(clip: Clip, real_clip: Clip, make_tracker: MakeTracker | None) -> Pair:
    """Read, track and match two clips; FootageError when they do not fit."""
    grid = common_grid(clip, real_clip)
    seen, real = scan_both(clip, real_clip, grid.fps, grid.size, make_tracker)
    step = in_step(seen, real)
    seen = seen.part(step.video_first, step.n)
    real = real.part(step.reference_first, step.n)
    both = seen.track.present & real.track.present
    if both.sum() < 4:
        raise FootageError(
            f"{clip.name} and {real_clip.name} show a face together in {int(both.sum())} frames; 4 are needed"
        )
    return Pair(seen, real, both, (*grid.notes, *step.notes, *face_notes(seen), *face_notes(real)))


def measure_pair(pair: Pair, options: Options) -> Evaluation:
    """Every row, curve and sheet of a pair."""
    seen, real, both = pair.seen, pair.real, pair.both
    fps = float(seen.fps)
    tracks = control_tracks(seen.track.landmarks_px[both], real.track.landmarks_px[both])
    boxes = mouth_boxes(real.track)
    scans, whole = {"video": seen, "real": real}, whole_tracks(seen, real)
    mouths = cutters(scans)
    labels = [f"real: {real.clip.name}", seen.clip.name]
    with film(labels, seen.fps, seen.size, seen.samples, options.film) as shown:
        passing = [mouths[name].tap(ahead(scans[name].frames(), FRAMES_AHEAD)) for name in ("real", "video")]
        comparison = _compare(pair, boxes, [shown.tap(i, frames) for i, frames in enumerate(passing)])
    noise = (landmark_noise(real.track), landmark_noise(seen.track))
    floors = Floors.of(noise, (face_noise_distance(real.track), face_noise_distance(seen.track)))
    pictures, said = picture_rows(comparison, fps)
    phones = phones_of(options.transcript, seen)
    spoken, more = rows.speech_rows(whole, scans, phones)
    sync = sync_part(whole, scans, boxes, mouths, phones, options.lse, options.face_boxes)
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
    return Evaluation(
        seen.clip.name,
        real.clip.name,
        tuple(table),
        (*pair.notes, *said, *more, *sync.notes),
        protocol_facts(options.protocol, seen, boxes) | sync.facts,
        tuple(lines),
        comparison_sheets(comparison, boxes, seen, real) | sync.pictures,
        shown.mp4,
        sync.details,
    )


def _compare(pair: Pair, boxes: Boxes, passing: list[Iterable[U8]]) -> Comparison:
    """`passing`: frames of the real video and of the other."""
    real = pair.real
    frozen_frame = int(np.flatnonzero(real.track.present)[rest_frame(real.track.landmarks_px[real.track.present])])
    mean, frozen = make_stills(real.frames(), real.track, boxes, frozen_frame)
    keep = {*sheet_frames(len(real)), *strip_frames(real)}
    areas = Areas(boxes, face_boxes(real.track), real.track)
    return compare(passing[0], passing[1], areas, {"frozen": frozen, "mean": mean}, float(real.fps), keep)
