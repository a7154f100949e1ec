"""Footage to Subject: frames at a constant rate, the face in each, contour, sound in sync, a report."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from lipwright.core.clock import FPS, SAMPLE_RATE, as_rate, round_half_up
from lipwright.core.config import config_key
from lipwright.core.errors import FootageError, SubjectError
from lipwright.core.files import file_hash, make_folder, write_json
from lipwright.core.progress import Progress, Silent
from lipwright.face.tracker import TRACKERS
from lipwright.media.audio import write_wav
from lipwright.media.join import join_frames
from lipwright.media.probe import probe
from lipwright.media.video import VideoReader
from lipwright.subject.assemble import joined_contours, joined_track, save_track, sound_in_sync
from lipwright.subject.checks import PictureStats, advice, footage_report
from lipwright.subject.refuse import MIN_SECONDS, PROBES, faces_in, refuse_silence, stretch
from lipwright.subject.segments import SegmentMaker, segment_times
from lipwright.subject.store import SCHEMA, NewerSubjectError, Subject, save_info, time_splits

MIN_FACE_SHARE = 0.1
"""Footage with a face in fewer frames is refused."""
_EARLY_S = Fraction(1, 2)
"""Containers round their length; more than this missing means that the file is cut off."""
_NO_OFFSET = {"offset_s": 0.0, "confidence": 0.0, "sure": False, "corrected": False}


def prepare(
    footage: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    face: int | None = None,
    fps: Fraction | float | str | None = None,
    correct_offset: bool = True,
    trim: tuple[float, float] | None = None,
    need_sound: bool = True,
    progress: Progress | None = None,
) -> Subject:
    """Prepare footage of one person; cached, and resumed after an interruption.

    Args:
        footage: any video file with sound.
        out: the Subject folder to make.
        face: which face to follow when there are several, 0 = largest at the start.
        fps: rate of the subject; 25 by default.
        correct_offset: move the sound by the estimated audio-video offset when the estimate is sure.
        trim: (start, end) seconds of the footage to use.
        need_sound: False for a clip that only serves as a picture; its sound is then not read.

    FootageError when the file cannot be used (no picture, no sound, no face, too short).
    """
    source, folder, progress = Path(footage), Path(out), progress or Silent()
    info = probe(source)
    if info.video is None:
        raise FootageError(f"{source} has no picture; give a video of the person speaking")
    if need_sound and info.audio is None:
        raise FootageError(f"{source} has no audio track; the person must be heard speaking, give a video with sound")
    rate = FPS if fps is None else as_rate(fps)
    options = {
        "source": file_hash(source),
        "face": face,
        "fps": str(rate),
        "correct_offset": correct_offset,
        "trim": list(trim) if trim else None,
        "need_sound": need_sound,
        "schema": SCHEMA,
    }
    key = config_key(options)
    if (known := _prepared(folder)) is not None and known.info.get("key") == key:
        return known
    start_s, end_s = stretch(info.duration_s, trim, source, rate)
    if need_sound:
        refuse_silence(source, start_s, end_s)
    count = faces_in(source, start_s, end_s)
    if count == 0:
        raise FootageError(
            f"no face was found in {PROBES} frames spread over {source}; film the face from the front, well lit"
        )
    work = make_folder(folder / ".work" / key)
    videos, pieces = _segments(source, work, rate, start_s, end_s, max(count, (face or 0) + 1), progress)
    try:
        return _finish(folder, source, options, key, rate, (start_s, end_s), videos, pieces, face, progress)
    except FootageError:
        _clear(folder)
        raise


def _prepared(folder: Path) -> Subject | None:
    """What is there already; None when that is nothing or damaged. SubjectError when it is newer than this."""
    if not (folder / "subject.json").is_file():
        return None
    try:
        return Subject.open(folder)
    except NewerSubjectError:
        raise
    except SubjectError:
        return None


def _clear(folder: Path) -> None:
    """Footage that was refused leaves nothing behind."""
    shutil.rmtree(folder / ".work", ignore_errors=True)
    with suppress(OSError):  # an earlier subject or the user's own files may lie there
        folder.rmdir()


def _segments(
    source: Path,
    work: Path,
    fps: Fraction,
    start_s: Fraction,
    end_s: Fraction,
    faces: int,
    progress: Progress,
) -> tuple[list[Path], list[dict[str, np.ndarray]]]:
    """Make (or find) all segments; their videos and arrays in order."""
    maker = SegmentMaker(source, work, fps, lambda: TRACKERS.get("mediapipe")(max_faces=faces))
    expected = float((end_s - start_s) * fps)
    progress.start("prepare", expected)
    done, videos, pieces = 0, [], []
    try:
        for number, (a, b) in enumerate(segment_times(start_s, end_s, fps)):
            made = maker.make(number, a, b, lambda n, before=done: progress.update(before + n))  # type: ignore[misc]
            if made == 0:
                break
            done += made
            progress.update(min(done, expected))
            video, arrays = maker.paths(number)
            videos.append(video)
            with np.load(arrays) as file:
                pieces.append(dict(file))
    finally:
        maker.close()
    progress.finish()
    if not videos:
        raise FootageError(f"{source} holds no readable frame; export it again")
    return videos, pieces


def _finish(
    folder: Path,
    source: Path,
    options: dict[str, Any],
    key: str,
    fps: Fraction,
    stretch_s: tuple[Fraction, Fraction],
    videos: Sequence[Path],
    pieces: Sequence[dict[str, np.ndarray]],
    face: int | None,
    progress: Progress,
) -> Subject:
    progress.start("analyse", 3)
    total = sum(len(p["confidence"]) for p in pieces)
    length_s, wanted_s = Fraction(total) / fps, stretch_s[1] - stretch_s[0]
    if length_s < MIN_SECONDS:
        raise FootageError(
            f"{source} ends after {float(length_s):.2f} s although it announces {float(wanted_s):.2f} s; "
            "it is probably cut off, copy or export it again"
        )
    with VideoReader(videos[0], end_s=Fraction(1)) as reader:
        size = reader.size
        color = asdict(reader.info.color)
    track, noise, faces = joined_track(pieces, size, face)
    if track.present.mean() < MIN_FACE_SHARE:
        raise FootageError(
            f"{source} shows a face in only {100 * track.present.mean():.0f} % of its frames; "
            "trim it to where the person is seen"
        )
    progress.update(1)
    if options["need_sound"]:
        samples, offset = sound_in_sync(source, track, fps, stretch_s[0], total, bool(options["correct_offset"]))
    else:
        samples, offset = (
            np.zeros(round_half_up(Fraction(total) / fps * SAMPLE_RATE), np.float32),
            dict(_NO_OFFSET),
        )
    (folder / "subject.json").unlink(missing_ok=True)  # from here on the folder no longer holds what it describes
    join_frames(videos, folder / "frames.mp4")
    write_wav(folder / "audio.wav", samples)
    progress.update(2)
    save_track(folder, track, joined_contours(pieces, track))
    stats = PictureStats(*(np.concatenate([p["stats"][k] for p in pieces]).tolist() for k in range(3)))
    report = footage_report(track, noise, stats, samples, fps, offset, faces)
    report["missing_s"] = round(float(wanted_s - length_s), 2) if wanted_s - length_s > _EARLY_S else 0.0
    save_info(
        folder,
        {
            "key": key,
            "source": {"name": source.name, "sha256": options["source"], "trim": options["trim"]},
            "fps": str(fps),
            "size": list(size),
            "color": color,
            "n_frames": total,
            "splits": time_splits(total, fps),
            "report": report,
            "advice": advice(report),
        },
    )
    write_json(folder / "report.json", report)
    shutil.rmtree(folder / ".work", ignore_errors=True)
    progress.finish()
    return Subject.open(folder)
