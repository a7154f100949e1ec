"""Footage to Subject: frames at a constant rate, the face in each, contour, sound in sync, a report."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from lipwright.core.clock import as_rate
from lipwright.core.config import config_key
from lipwright.core.errors import ConfigError, FootageError, OutputError, SubjectError
from lipwright.core.files import file_hash, make_folder
from lipwright.core.progress import Progress, Silent
from lipwright.core.threads import one_blas_thread
from lipwright.face.choose import Box
from lipwright.face.tracker import TRACKERS
from lipwright.media.cadence import Cadence, find_cadence, working_rate
from lipwright.media.probe import MediaInfo, probe
from lipwright.subject.contact import write_contact_sheet
from lipwright.subject.finish import Job, Wishes
from lipwright.subject.look import look
from lipwright.subject.persons import find_cast
from lipwright.subject.pieces import Pieces
from lipwright.subject.refuse import refuse_silence, stretch
from lipwright.subject.segments import SegmentMaker, Source
from lipwright.subject.store import SCHEMA, NewerSubjectError, Subject


@one_blas_thread()
def prepare(
    footage: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    face: int | None = None,
    box: Box | None = None,
    fps: Fraction | float | str | None = None,
    correct_offset: bool = True,
    audio_track: int | None = None,
    trim: tuple[float, float] | None = None,
    need_sound: bool = True,
    progress: Progress | None = None,
) -> Subject:
    """Prepare footage of one person; cached, and resumed after an interruption.

    Args:
        footage: any video file with sound.
        out: the Subject folder to make.
        face: which person to follow when there are several: a number of the ranked list that `persons_sheet`
            draws; 0, the default, is the largest and steadiest.
        box: (x0, y0, x1, y1) px of the footage in which the face to follow is seen first; instead of `face`.
        fps: rate of the subject; the footage's own by default.
        correct_offset: move the sound by the estimated audio-video offset when the estimate is sure.
        audio_track: which sound track, 0 = first; the default one of the file when None.
        trim: (start, end) seconds of the footage to use.
        need_sound: False for a clip that only serves as a picture; its sound is then not read.

    FootageError when the file cannot be used (no picture, no sound, no such person, less than two usable
    seconds); ConfigError for options that exclude each other; OutputError when the folder cannot be written or
    the disk is too small.
    """
    if face is not None and box is not None:
        raise ConfigError("both a face number and a box are given; choose the person by one of them")
    path, folder, progress = Path(footage), Path(out), progress or Silent()
    footage_ = _Footage.of(path, fps, trim, need_sound)
    options = {
        **footage_.options(),
        "face": face,
        "box": box,
        "correct_offset": correct_offset,
        "audio_track": audio_track,
        "need_sound": need_sound,
    }
    key = config_key(options)
    if (known := _prepared(folder)) is not None and known.info.get("key") == key:
        return known
    if need_sound:
        refuse_silence(path, footage_.start_s, footage_.end_s, audio_track)
    tracked = _tracked(footage_, folder, progress)
    cast = find_cast(tracked.pieces, tracked.size, footage_.fps, face if box is None else box)
    wishes = Wishes(correct_offset, need_sound, audio_track)
    job = Job(folder, tracked.work, tracked.source, footage_.info, wishes, tracked.videos, tracked.pieces, progress)
    try:
        origin = {"name": path.name, "sha256": footage_.hash, "trim": options["trim"]}
        return job.finish(cast, tracked.size, {"key": key, "source": origin})
    except FootageError:
        _clear(folder)
        raise


def persons_sheet(
    footage: str | os.PathLike[str],
    out: str | os.PathLike[str],
    sheet: str | os.PathLike[str],
    *,
    fps: Fraction | float | str | None = None,
    trim: tuple[float, float] | None = None,
    progress: Progress | None = None,
) -> int:
    """Draw everybody seen in footage with their numbers (`face` of `prepare`); returns how many they are.

    The tracking is kept in `out`: `prepare` with the same footage, rate and stretch goes on from it.
    Raises what `prepare` raises.
    """
    path, folder, progress = Path(footage), Path(out), progress or Silent()
    footage_ = _Footage.of(path, fps, trim, False)
    tracked = _tracked(footage_, folder, progress)
    cast = find_cast(tracked.pieces, tracked.size, footage_.fps, None)
    write_contact_sheet(Path(sheet), cast.persons, tracked.videos, tracked.pieces)
    return len(cast.persons)


@dataclass(frozen=True)
class _Footage:
    """A file that is worth tracking, and the stretch of it that is wanted."""

    info: MediaInfo
    hash: str
    fps: Fraction
    cadence: Cadence | None
    trim: tuple[float, float] | None
    start_s: Fraction
    end_s: Fraction

    @classmethod
    def of(
        cls, path: Path, fps: Fraction | float | str | None, trim: tuple[float, float] | None, need_sound: bool
    ) -> _Footage:
        info = probe(path)
        if info.video is None:
            raise FootageError(f"{path} has no picture; give a video of the person speaking")
        if need_sound and info.audio is None:
            raise FootageError(f"{path} has no audio track; the person must be heard speaking, give a video with sound")
        cadence = find_cadence(path)
        rate = working_rate(info.video, cadence) if fps is None else as_rate(fps)
        return cls(info, file_hash(path), rate, cadence, trim, *stretch(info.duration_s, trim, path, rate))

    def options(self) -> dict[str, object]:
        """What the tracking depends on."""
        trim = list(self.trim) if self.trim else None
        return {"source": self.hash, "fps": str(self.fps), "trim": trim, "schema": SCHEMA}


@dataclass(frozen=True)
class _Tracked:
    work: Path
    source: Source
    videos: list[Path]
    pieces: Pieces
    size: tuple[int, int]


def _tracked(footage: _Footage, folder: Path, progress: Progress) -> _Tracked:
    """All pieces, made or found, in a work folder of the subject."""
    path = footage.info.path
    seen = look(path, footage.start_s, footage.end_s, progress)
    source = Source(path, footage.fps, footage.start_s, footage.end_s, seen.work_size, footage.cadence)
    work = make_folder(folder / ".work" / config_key(footage.options()))
    videos, pieces = _make_pieces(source, work, seen.faces, progress)
    return _Tracked(work, source, videos, pieces, seen.size)


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


def _make_pieces(source: Source, work: Path, faces: int, progress: Progress) -> tuple[list[Path], Pieces]:
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
            _check_room(work, maker.paths(0), number + 1, len(source.pieces()))
    finally:
        maker.close()
    progress.finish()
    if not videos:
        raise FootageError(f"{source.path} holds no readable frame; export it again")
    return videos, Pieces(arrays)


def _check_room(work: Path, piece: tuple[Path, Path], done: int, total: int) -> None:
    """OutputError when the disk will be full before the end, told after the first piece and not after hours."""
    each = sum(file.stat().st_size for file in piece)
    needed, free = each * (2 * total - done), shutil.disk_usage(work).free  # pieces and result, side by side at the end
    if needed > free:
        raise OutputError(
            f"{work.parent.parent} needs about {needed / 1e9:.1f} GB more and the disk has {free / 1e9:.1f} GB free; "
            "free some space or choose another folder and run again"
        )
