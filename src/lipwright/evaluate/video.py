"""Evaluate any video, with or without the real one beside it; no persona is involved.

Two passes over each video: the first tracks the face, the second compares pictures in step (the reference
is read once more between them for its mean mouth). Frames are never all kept; tracks are, about 12 kB a
frame, and the sound.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from lipwright.core.errors import ConfigError
from lipwright.evaluate import curves, rows
from lipwright.evaluate.boxes import mouth_boxes
from lipwright.evaluate.facts import face_notes, protocol_facts, whole_tracks
from lipwright.evaluate.film import film as filmed
from lipwright.evaluate.match_part import cutters
from lipwright.evaluate.options import Options
from lipwright.evaluate.pair import aligned, measure_pair
from lipwright.evaluate.pairing import video_of
from lipwright.evaluate.result import Evaluation
from lipwright.evaluate.sheet import mouth_strip
from lipwright.evaluate.shown import strip_frames
from lipwright.evaluate.source import Clip, MakeTracker, Scan, as_clip, scan
from lipwright.evaluate.speech_sync import phones_of
from lipwright.evaluate.sync_part import lse_protocols, sync_part
from lipwright.evaluate.timerows import time_rows
from lipwright.metrics.lips import Phone


def evaluate(
    video: str | os.PathLike[str] | Clip,
    reference: str | os.PathLike[str] | Clip | None = None,
    transcript: Sequence[Phone] | str | None = None,
    *,
    make_tracker: MakeTracker | None = None,
    protocol: str = "video",
    lse: str = "tracks",
    face_boxes: str | os.PathLike[str] | None = None,
    film: bool = False,
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
        film: also keep the videos side by side, to be watched on the page.
    Returns:
        rows, curves and sheets.

    FootageError when a file cannot be read, shows no face, or does not fit the reference.
    """
    if isinstance(transcript, bytes):
        raise ConfigError("transcript: expected text or phones with times, got bytes; decode them first")
    lse_protocols(lse)  # a wrong name is said before minutes of tracking
    options = Options(transcript, make_tracker, protocol, lse, face_boxes, film)
    clip = as_clip(video)
    if reference is not None:
        return measure_pair(aligned(clip, as_clip(reference), make_tracker), options)
    info = video_of(clip)
    return measure_alone(scan(clip, info.fps, (info.width, info.height), make_tracker), options)


def measure_alone(seen: Scan, options: Options) -> Evaluation:
    """Every row, curve and sheet that needs no truth."""
    scans, whole = {"video": seen}, whole_tracks(seen)
    phones = phones_of(options.transcript, seen)
    boxes, mouths = mouth_boxes(seen.track), cutters(scans)
    strip = strip_frames(seen)
    with filmed([seen.clip.name], seen.fps, seen.size, seen.samples, options.film) as shown:
        frames = enumerate(shown.tap(0, mouths["video"].tap(seen.frames())))
        crops = [boxes.cut(frame, t).copy() for t, frame in frames if t in strip]
    spoken, more = rows.speech_rows(whole, scans, phones)
    sync = sync_part(whole, scans, boxes, mouths, phones, options.lse, options.face_boxes)
    lines = [
        *curves.aperture_curves({"video": seen.track.landmarks_px}, float(seen.fps)),
        *curves.sound_curves(scans),
        *sync.curves,
    ]
    return Evaluation(
        seen.clip.name,
        None,
        (*spoken, *sync.rows, *time_rows(scans)),
        (*face_notes(seen), *more, *sync.notes),
        protocol_facts(options.protocol, seen, boxes) | sync.facts,
        tuple(lines),
        {"Consecutive mouths": mouth_strip([crops])} | sync.pictures,
        shown.mp4,
        sync.details,
    )
