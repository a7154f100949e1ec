"""Footage to Subject: frames at a constant rate, the face in each, contour, sound in sync, a report."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from lipwright.core.clock import SAMPLE_RATE, as_rate, round_half_up
from lipwright.core.config import config_key
from lipwright.core.errors import FootageError, SubjectError
from lipwright.core.files import file_hash, make_folder, write_json
from lipwright.core.progress import Progress, Silent
from lipwright.face.tracker import TRACKERS
from lipwright.media.join import join_frames
from lipwright.media.probe import MediaInfo, probe
from lipwright.media.video import VideoReader
from lipwright.subject.advice import advice
from lipwright.subject.checks import footage_report, quality_of
from lipwright.subject.choice import choose_face
from lipwright.subject.look import look
from lipwright.subject.outline import write_contour
from lipwright.subject.pieces import Pieces
from lipwright.subject.refuse import MIN_SECONDS, refuse_silence, stretch
from lipwright.subject.segments import SegmentMaker, Source
from lipwright.subject.sound import Track, write_sound
from lipwright.subject.store import SCHEMA, NewerSubjectError, Subject, save_info, time_splits
from lipwright.subject.timing import NO_OFFSET, sound_offset
from lipwright.subject.trace import Chosen, Curves, write_track

_EARLY_S = Fraction(1, 2)
"""Containers round their length; more than this missing means that the file is cut off."""


@dataclass(frozen=True)
class Wishes:
    """What the caller wants of a preparation."""

    face: int | None
    correct_offset: bool
    need_sound: bool


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
        fps: rate of the subject; the footage's own by default.
        correct_offset: move the sound by the estimated audio-video offset when the estimate is sure.
        trim: (start, end) seconds of the footage to use.
        need_sound: False for a clip that only serves as a picture; its sound is then not read.

    FootageError when the file cannot be used (no picture, no sound, no face, too short).
    """
    path, folder, progress = Path(footage), Path(out), progress or Silent()
    info = probe(path)
    if info.video is None:
        raise FootageError(f"{path} has no picture; give a video of the person speaking")
    if need_sound and info.audio is None:
        raise FootageError(f"{path} has no audio track; the person must be heard speaking, give a video with sound")
    rate = info.video.fps if fps is None else as_rate(fps)
    options = {
        "source": file_hash(path),
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
    start_s, end_s = stretch(info.duration_s, trim, path, rate)
    if need_sound:
        refuse_silence(path, start_s, end_s)
    seen = look(path, start_s, end_s, progress)
    source = Source(path, rate, start_s, end_s, seen.work_size)
    work = make_folder(folder / ".work" / key)
    videos, pieces = _tracked(source, work, max(seen.faces, (face or 0) + 1), progress)
    job = _Job(folder, work, source, info, Wishes(face, correct_offset, need_sound), videos, pieces, progress)
    try:
        return job.finish({"key": key, "source": {"name": path.name, "sha256": options["source"], "trim": trim}})
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


def _tracked(source: Source, work: Path, faces: int, progress: Progress) -> tuple[list[Path], Pieces]:
    """Make (or find) all pieces; their videos and arrays in order."""
    maker = SegmentMaker(source, work, lambda: TRACKERS.get("mediapipe")(max_faces=faces))
    progress.start("prepare", float(source.n_frames))
    done, videos, arrays = 0, [], []
    try:
        for number, (first, stop) in enumerate(source.pieces()):
            made = maker.make(number, first, stop, lambda n, before=done: progress.update(before + n))  # type: ignore[misc]
            if made:
                video, array = maker.paths(number)
                videos.append(video)
                arrays.append(array)
            done += made
            progress.update(done)
            if made < stop - first:
                break
    finally:
        maker.close()
    progress.finish()
    if not videos:
        raise FootageError(f"{source.path} holds no readable frame; export it again")
    return videos, Pieces(arrays)


@dataclass(frozen=True)
class _Job:
    """From the tracked pieces to the finished folder."""

    folder: Path
    work: Path
    source: Source
    media: MediaInfo
    wishes: Wishes
    videos: list[Path]
    pieces: Pieces
    progress: Progress

    def finish(self, origin: dict[str, Any]) -> Subject:
        fps, total = self.source.fps, len(self.pieces)
        wanted_s = self.source.end_s - self.source.start_s
        missing_s = self._missing(Fraction(total) / fps, wanted_s)
        with VideoReader(self.videos[0], end_s=Fraction(1)) as reader:
            size, color = reader.size, asdict(reader.info.color)
        chosen = choose_face(self.pieces, self.wishes.face, self.source.path)
        self._enough(chosen)
        (self.folder / "subject.json").unlink(missing_ok=True)  # the folder no longer holds what it describes
        self.progress.start("write", float(total))
        curves = write_track(self.folder, self.work, self.pieces, chosen, size, fps, self.progress.update)
        self.progress.finish()
        write_contour(self.folder, self.pieces, chosen.which, fps)
        found = self._sound(chosen, curves, total)
        join_frames(self.videos, self.folder / "frames.mp4")
        faces = int((self.pieces.small("confidence") > 0).sum(1).max())
        quality = quality_of(self.pieces, chosen.which)
        report = footage_report(chosen, curves, quality, size, fps, faces) | found | {"missing_s": missing_s}
        info = {
            **origin,
            "fps": str(fps),
            "size": list(size),
            "color": color,
            "n_frames": total,
            "splits": time_splits(total, fps),
            "report": report,
            "advice": advice(report),
        }
        write_json(self.folder / "report.json", report)
        save_info(self.folder, info)
        shutil.rmtree(self.folder / ".work", ignore_errors=True)
        return Subject.open(self.folder)

    def _missing(self, length_s: Fraction, wanted_s: Fraction) -> float:
        if length_s < MIN_SECONDS:
            raise FootageError(
                f"{self.source.path} ends after {float(length_s):.2f} s although it announces "
                f"{float(wanted_s):.2f} s; it is probably cut off, copy or export it again"
            )
        return round(float(wanted_s - length_s), 2) if wanted_s - length_s > _EARLY_S else 0.0

    def _enough(self, chosen: Chosen) -> None:
        seconds = float(chosen.good.sum() / self.source.fps)
        if seconds < MIN_SECONDS:
            raise FootageError(
                f"{self.source.path} shows a usable face for {seconds:.1f} s only, in "
                f"{100 * chosen.good.mean():.0f} % of its frames; at least {MIN_SECONDS} s are needed, a minute or "
                "more is better"
            )

    def _sound(self, chosen: Chosen, curves: Curves, total: int) -> dict[str, Any]:
        """audio.wav, and what is told of it."""
        n_samples = round_half_up(Fraction(total) / self.source.fps * SAMPLE_RATE)
        track = Track(self.source.path, self.source.start_s, n_samples)
        wishes, offset = self.wishes, dict(NO_OFFSET)
        if not wishes.need_sound:
            write_sound(self.folder / "audio.wav", track.silence())
            return {"silence_share": 1.0, "audio_offset": offset}
        self.progress.start("sound", None)
        offset, shift_s = sound_offset(track, chosen, curves, self.source.fps, wishes.correct_offset)
        loudness = write_sound(self.folder / "audio.wav", track.blocks(shift_s))
        self.progress.finish()
        return {"silence_share": round(loudness.silence_share, 3), "audio_offset": offset}
