"""From tracked pieces to the finished folder: the second pass, the sound, the frames, the report."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from lipwright.core.clock import SAMPLE_RATE, round_half_up
from lipwright.core.contracts import F32
from lipwright.core.errors import FootageError
from lipwright.core.files import write_json
from lipwright.core.progress import Progress
from lipwright.media.join import join_frames
from lipwright.media.probe import MediaInfo
from lipwright.media.video import VideoReader
from lipwright.subject.advice import advice
from lipwright.subject.arrays import mapped
from lipwright.subject.checks import footage_report, quality_of
from lipwright.subject.judge import Verdict, judge
from lipwright.subject.mouth import refine_mouths
from lipwright.subject.outline import write_contour
from lipwright.subject.page import write_page
from lipwright.subject.persons import Cast
from lipwright.subject.pieces import Pieces
from lipwright.subject.refuse import MIN_SECONDS
from lipwright.subject.segments import Source
from lipwright.subject.sound import Loudness, Track, write_sound
from lipwright.subject.store import Subject, save_info, time_splits
from lipwright.subject.timing import NO_OFFSET, sound_offset
from lipwright.subject.trace import Curves, Points, ReadPoints, write_track

_EARLY_S = Fraction(1, 2)
"""Containers round their length; more than this missing means that the file is cut off."""


@dataclass(frozen=True)
class Wishes:
    """What the caller wants of a preparation."""

    correct_offset: bool
    need_sound: bool
    audio_track: int | None


@dataclass(frozen=True)
class Job:
    """Everything that is known when tracking is done."""

    folder: Path
    work: Path
    source: Source
    media: MediaInfo
    wishes: Wishes
    videos: list[Path]
    pieces: Pieces
    progress: Progress

    def finish(self, cast: Cast, size: tuple[int, int], info: dict[str, Any]) -> Subject:
        """Write the folder; `info` opens subject.json. FootageError when too little can be used."""
        fps, total = self.source.fps, len(self.pieces)
        missing_s = self._missing(Fraction(total) / fps)
        damaged = [(int(a), int(b)) for _, held in self.pieces.each("held") for a, b in held]
        curves, verdict = self._track(cast, size, damaged)
        write_contour(self.folder, self.pieces, cast.chosen.which, fps)
        offset, loudness = self._sound(verdict.usable & cast.chosen.present)
        join_frames(self.videos, self.folder / "frames.mp4")
        quality = quality_of(self.pieces, cast.chosen.which)
        report = footage_report(cast, verdict, curves, quality, size, fps, self.media, self.source.cadence)
        report |= {
            "silence_share": round(loudness.silence_share, 3),
            "audio_offset": offset,
            "missing_s": missing_s,
            "damaged_s": [[round(float(v / fps), 2) for v in pair] for pair in damaged],
        }
        write_json(self.folder / "report.json", report)
        save_info(self.folder, {**info, **self._described(report, size)})
        subject = Subject.open(self.folder)
        if self.wishes.need_sound:  # a clip that only serves as a picture has no reader for a report
            write_page(self.folder / "report.png", subject, cast.chosen.present, verdict, curves, loudness)
        shutil.rmtree(self.folder / ".work", ignore_errors=True)
        return subject

    def _track(self, cast: Cast, size: tuple[int, int], damaged: list[tuple[int, int]]) -> tuple[Curves, Verdict]:
        """landmarks.npz and pose.npz, and what they are good for."""
        fps, present = self.source.fps, cast.chosen.present
        self._enough(present, "shows the face")
        verdicts: list[Verdict] = []

        def usable(pose_rad: F32, points: ReadPoints) -> np.ndarray:
            verdicts.append(judge(self.pieces, cast, pose_rad, points, size, fps, damaged))
            self._enough(verdicts[0].usable & present, "shows a usable face")
            # From here on the folder no longer holds what an earlier preparation described.
            (self.folder / "subject.json").unlink(missing_ok=True)
            return verdicts[0].usable

        def refine(points: Points, good: np.ndarray) -> None:
            self.progress.start("mouth", float(len(self.pieces)))
            refine_mouths(self.videos, points.read, points.write, good, size, float(fps), self.progress.update)

        self.progress.start("write", float(len(self.pieces)))
        tick = self.progress.update
        curves = write_track(self.folder, self.work, self.pieces, cast.chosen, size, fps, usable, refine, tick)
        self.progress.finish()
        return curves, verdicts[0]

    def _described(self, report: dict[str, Any], size: tuple[int, int]) -> dict[str, Any]:
        """What subject.json says besides where the footage came from."""
        fps, total = self.source.fps, len(self.pieces)
        with VideoReader(self.videos[0], end_s=Fraction(1)) as reader:
            color = asdict(reader.info.color)
        return {
            "fps": str(fps),
            "size": list(size),
            "color": color,
            "n_frames": total,
            "splits": time_splits(total, fps),
            "report": report,
            "advice": advice(report),
        }

    def _missing(self, length_s: Fraction) -> float:
        wanted_s = self.source.end_s - self.source.start_s
        if length_s < MIN_SECONDS:
            raise FootageError(
                f"{self.source.path} ends after {float(length_s):.2f} s although it announces "
                f"{float(wanted_s):.2f} s; it is probably cut off, copy or export it again"
            )
        return round(float(wanted_s - length_s), 2) if wanted_s - length_s > _EARLY_S else 0.0

    def _enough(self, good: np.ndarray, what: str) -> None:
        seconds = float(good.sum() / self.source.fps)
        if seconds < MIN_SECONDS:
            raise FootageError(
                f"{self.source.path} {what} for {seconds:.1f} s only, in {100 * good.mean():.0f} % of its frames; at "
                f"least {MIN_SECONDS} s are needed, a minute or more is better"
            )

    def _sound(self, good: np.ndarray) -> tuple[dict[str, Any], Loudness]:
        """audio.wav, and what is told of it."""
        fps, wishes = self.source.fps, self.wishes
        n_samples = round_half_up(Fraction(len(self.pieces)) / fps * SAMPLE_RATE)
        track = Track(self.source.path, self.source.start_s, n_samples, wishes.audio_track)
        if not wishes.need_sound:
            return dict(NO_OFFSET), write_sound(self.folder / "audio.wav", track.silence())
        self.progress.start("sound", None)
        mouth = mapped(self.folder / "landmarks.npz", "landmarks_px")
        offset, shift_s = sound_offset(track, mouth, good, fps, wishes.correct_offset)
        loudness = write_sound(self.folder / "audio.wav", track.blocks(shift_s))
        self.progress.finish()
        return offset, loudness
