"""LSE-D, LSE-C and offset of a video and its controls, by the protocols of SyncNet's and Wav2Lip's scripts.

Only with the published weights, which users bring (`lipwright models add syncnet FILE`). `tracks` is SyncNet's
pipeline, which Wav2Lip's scores for real videos use too: the longest face track, cropped. `frames` is Wav2Lip's
script for LRS: whole frames squashed to a square, right for clips that are face crops already.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lipwright.core.clock import round_half_up, sample_of
from lipwright.core.contracts import U8
from lipwright.core.errors import FootageError
from lipwright.evaluate import face_boxes as fb
from lipwright.evaluate.boxes import Boxes
from lipwright.evaluate.content_cuts import content_cuts
from lipwright.evaluate.part import Part
from lipwright.evaluate.result import Curve, Row
from lipwright.evaluate.script_copies import through_avi, through_jpeg
from lipwright.evaluate.source import Scan
from lipwright.evaluate.stills import FEATHER, Still, make_stills
from lipwright.metrics.controls import rest_frame
from lipwright.metrics.lse import LipSync, lip_sync, window_count
from lipwright.metrics.syncnet import SyncNet, embed_lips, embed_sound, load_syncnet
from lipwright.speech.mfcc import int16_amplitudes, mfcc

RATE = Fraction(25)
OWN_TRACKER = "tracker: mediapipe, not S3FD"
GIVEN_BOXES = "face boxes: given"
NO_TRACKER = "whole frames, no tracker"


@dataclass(frozen=True)
class Column:
    """One video to score: its frames at its scan's rate (a fresh pass at each call) and its sound."""

    scan: Scan
    frames: Callable[[], Iterator[U8]]

    def at_25(self) -> Iterator[U8]:
        """Frames at 25 fps: the nearest in time, as ffmpeg's `-r 25` takes them."""
        wanted = source_frames(len(self.scan), self.scan.fps)
        n = 0
        for t, frame in enumerate(self.frames()):
            while n < len(wanted) and wanted[n] == t:
                yield frame
                n += 1


def source_frames(n_frames: int, fps: Fraction) -> NDArray[np.int64]:
    """(n,) the frame of a video that stands for each frame at 25 fps."""
    n = int(n_frames * RATE / fps)
    frames = [min(round_half_up(k * fps / RATE), n_frames - 1) for k in range(n)]
    return np.array(frames, dtype=np.int64)


def lse_part(
    scans: Mapping[str, Scan],
    boxes: Boxes,
    weights: Path,
    kinds: Sequence[str] = ("tracks",),
    face_boxes: str | os.PathLike[str] | None = None,
) -> Part:
    """Rows `sync.*` of 'video' and, where there is a real one, of 'real' and its frozen and mean mouths.

    Args:
        scans: by 'video' and 'real'.
        boxes: mouth boxes of the real video (of the video without one): where the controls' mouths go.
        weights: file of SyncNet's weights.
        kinds: 'tracks', 'frames'.
        face_boxes: file of face boxes at 25 fps from the video's first frame on, in its own pixels; used for every
            column, because columns are compared in step.

    FootageError for boxes that do not fit; a video that the scripts would not score gets a note.
    """
    given = None if face_boxes is None else _given(face_boxes, scans["video"])
    model, part = load_syncnet(weights), Part()
    columns = _columns(scans, boxes)
    for kind in kinds:
        tracker = NO_TRACKER if kind == "frames" else OWN_TRACKER if given is None else GIVEN_BOXES
        scores: dict[str, LipSync] = {}
        for name, column in columns.items():
            try:
                scores[name], start_s = _score(model, column, kind, given)
            except FootageError as error:
                if name in scans:
                    part.notes.append(f"no LSE for {column.scan.clip.name}: {error}")
                continue
            if name in scans:
                part.curves.append(_confidence(scores[name], name, kind, start_s))
        part.rows += _rows(scores, kind, tracker)
        part.facts[f"syncnet_{kind}"] = tracker
    return part


def _given(path: str | os.PathLike[str], video: Scan) -> NDArray[np.float64]:
    """(T, 4) the user's boxes for the frames of a scan at 25 fps, in the scan's pixels."""
    boxes = fb.read_boxes(path)
    first = round_half_up(video.first * RATE / video.fps)
    n = len(source_frames(len(video), video.fps))
    if abs(len(boxes) - first - n) > 2:
        raise FootageError(
            f"{os.fspath(path)} has {len(boxes)} boxes and {video.clip.name} {first + n} frames at 25 fps; "
            "give one box per frame"
        )
    info = video.info.video
    scale = 1.0 if info is None else video.size[0] / info.width
    fitted = np.full((n, 4), np.nan)
    kept = boxes[first : first + n] * scale
    fitted[: len(kept)] = kept
    return fitted


def _score(model: SyncNet, column: Column, kind: str, given: NDArray[np.float64] | None) -> tuple[LipSync, float]:
    """(scores, second at which the track starts); FootageError with the reason when the scripts would give none."""
    scan = column.scan
    if not len(scan.samples):
        raise FootageError("it has no sound")
    wanted = source_frames(len(scan), scan.fps)
    first, n_frames = 0, len(wanted)
    faces: Iterable[U8]
    if kind == "frames":
        faces = fb.squashed(through_jpeg(np.ascontiguousarray(frame[..., ::-1]) for frame in column.at_25()))
    else:
        boxes = fb.boxes_of(scan.track)[wanted] if given is None else given
        found = fb.longest_track(boxes, content_cuts(column.at_25()))
        if found is None:
            raise FootageError(
                f"the scripts want one face over more than {fb.LEAST_FRAMES} frames at 25 fps, its box larger than "
                f"{fb.LEAST_SIDE} px; give a longer or larger video"
            )
        first, n_frames = found.first, len(found)
        faces = through_avi(fb.crops(column.at_25(), found))
    sound = scan.samples[sample_of(first, RATE) : sample_of(first + n_frames, RATE)]
    n_windows = window_count(n_frames, len(sound))
    if n_windows < 1:
        raise FootageError(f"{n_frames} frames and {len(sound) / 16_000:.2f} s of sound make no window; 6 are needed")
    cepstra = mfcc(int16_amplitudes(sound))
    points = embed_lips(model, faces, n_windows), embed_sound(model, cepstra, n_windows)
    return lip_sync(*points), float(first / RATE)


def _columns(scans: Mapping[str, Scan], boxes: Boxes) -> dict[str, Column]:
    columns = {name: Column(scan, scan.frames) for name, scan in scans.items() if name in ("video", "real")}
    real = scans.get("real")
    if real is not None:
        seen = np.flatnonzero(real.track.present)
        rest = int(seen[rest_frame(real.track.landmarks_px[seen])])
        mean, frozen = make_stills(real.frames(), real.track, boxes, rest)
        columns["frozen"] = Column(real, lambda: _worn(real, frozen, boxes))
        columns["mean"] = Column(real, lambda: _worn(real, mean, boxes))
    return columns


def _worn(real: Scan, still: Still, boxes: Boxes) -> Iterator[U8]:
    outer = boxes.grown(FEATHER, real.size)
    for t, frame in enumerate(real.frames()):
        shown = frame.copy()
        outer.cut(shown, t)[:] = still.paste(frame, t, boxes, outer)
        yield shown


def _rows(scores: Mapping[str, LipSync], kind: str, tracker: str) -> list[Row]:
    prefix = "sync.frame_" if kind == "frames" else "sync."
    shown: list[tuple[str, str, str, str, Callable[[LipSync], float]]] = [
        ("lse_d", "LSE-D", "", "lower", lambda s: s.lse_d),
        ("lse_c", "LSE-C", "", "higher", lambda s: s.lse_c),
        ("offset", "SyncNet offset (+ audio late)", "frames of 40 ms", "zero", lambda s: float(s.late_frames)),
    ]
    sure = scores["video"].intervals() if "video" in scores else {}
    return [
        Row(
            prefix + key,
            f"{label} ({tracker})",
            unit,
            better,
            **({"video": None} | _values(scores, value)),
            interval=sure.get(key),
        )
        for key, label, unit, better, value in shown
    ]


def _values(scores: Mapping[str, LipSync], value: Callable[[LipSync], float]) -> dict[str, float]:
    return {name: value(score) for name, score in scores.items()}


def _confidence(score: LipSync, name: str, kind: str, start_s: float) -> Curve:
    """Each window at its middle frame."""
    times = start_s + (np.arange(len(score.confidence), dtype=np.float64) + 2.5) / 25
    title = "SyncNet confidence" + (", whole frames" if kind == "frames" else "")
    return Curve(title, "", name, tuple(map(float, times)), tuple(map(float, score.confidence)))
