"""What a persona says: frames one by one, or a file with picture, sound and subtitles."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any

from lipwright.core.contracts import F32, Frame
from lipwright.core.errors import SpeechError
from lipwright.core.overlap import Behind
from lipwright.core.progress import Progress, Silent
from lipwright.media.settings import EncoderSettings
from lipwright.media.writer import VideoWriter
from lipwright.speech.align import align
from lipwright.speech.subtitles import make_cues, write_cues
from lipwright.speech.tts import Speech
from lipwright.synthesis.cutout import cut_out
from lipwright.synthesis.pipeline import Synthesis
from lipwright.synthesis.profile import Profile
from lipwright.synthesis.running import Running
from lipwright.synthesis.voice import Voice

_TO_ENCODE = 4
"""Frames that may wait for the encoder, which holds some itself."""


class Speaking:
    """What a persona says: iterate for frames, or `write` a file. Lazy; may be iterated again."""

    def __init__(
        self, synthesis: Synthesis, voice: Voice, spoken: Speech | None = None, ready: Running | None = None
    ) -> None:
        self._synthesis, self._voice, self._spoken = synthesis, voice, spoken
        self._running = ready or Running(synthesis.renderer, synthesis.motion)

    @property
    def engine(self) -> str:
        """What runs the renderer's network: 'torch', 'openvino' ...; 'none' where it has no network."""
        return self._running.engine

    @property
    def notes(self) -> list[str]:
        """Why a network runs in torch and not where it was asked to, one line each; more may come while speaking."""
        return self._running.notes

    @property
    def n_frames(self) -> int:
        """Frames of the whole result."""
        return self._synthesis.n_frames

    @property
    def fps(self) -> Fraction:
        """Frames per second."""
        return self._synthesis.fps

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return self._synthesis.size

    @property
    def accepts(self) -> str:
        """What the renderer is asked for: 'landmarks' or the name of a speech feature."""
        return self._synthesis.renderer.accepts

    @property
    def knows_phones(self) -> bool:
        """Whether the lips follow phones that are known (engine, transcript or alignment), not recognised ones."""
        return self._voice.phones is not None

    def __iter__(self) -> Iterator[Frame]:
        return iter(self._synthesis)

    def targets(self) -> F32:
        """What the renderer is asked for in all frames, without rendering: (T, 29, 2) wanted landmarks in template
        pixels, or (T, W, k) windows of speech; see `accepts`."""
        return self._synthesis.targets(0, self.n_frames)

    def profile(self) -> dict[str, float]:
        """CPU milliseconds per frame by stage, of the last iteration; see `synthesis.profile.Profile.table`."""
        return self._synthesis.profile.table()

    def waits(self) -> dict[str, float]:
        """Share of the wall time that the last iteration waited for each queue; several threads may wait at once."""
        return self._synthesis.profile.waits()

    def write(
        self,
        path: str | os.PathLike[str],
        settings: EncoderSettings = EncoderSettings(),  # noqa: B008 (frozen)
        progress: Progress | None = None,
    ) -> Path:
        """Write picture and sound to a file, atomically; returns its path. OutputError when it cannot."""
        progress = progress or Silent()
        progress.start("speak", self.n_frames)
        profile = Profile()
        template = self._synthesis.template
        with VideoWriter(
            path,
            self.size,
            self.fps,
            settings,
            audio=self._voice.sound,
            color=template.color,
            source_pix_fmt=template.store.pix_fmt,
            audio_rate=self._voice.sound_rate,
        ) as writer:
            behind: Behind[Any] = Behind(
                cut_out(writer) if settings.alpha else writer.write,
                _TO_ENCODE,
                profile.inside("encode"),
                profile.at("frames to encode"),
                profile.at("room at the encoder"),
            )
            try:
                with closing(self._synthesis.frames(profile)) as frames:  # type: ignore[type-var]
                    for i, frame in enumerate(frames, 1):
                        behind.put(frame.picture)
                        progress.update(i)
            except BaseException:
                behind.abandon()
                raise
            behind.close()
        profile.stop()
        progress.finish()
        return Path(path)

    def write_subtitles(self, path: str | os.PathLike[str], transcript: str | None = None) -> str:
        """Write what is said beside the video, as .srt or .vtt by the name's ending.

        Args:
            path: the file to write.
            transcript: the words of the given speech; not needed where text was spoken.
        Returns:
            where the times come from: 'engine' (the speech engine told them), 'alignment' (the transcript was found
            in the sound) or 'letters' (it was spread over the sound between pauses).
        Raises:
            SpeechError: nothing says what is spoken. ConfigError: another ending. OutputError: it cannot be written.
        """
        if transcript is None and self._spoken is not None:
            text, words, method = self._spoken.text, self._spoken.words, "engine"
        elif transcript is not None:
            aligned = align(transcript, self._voice.source, self._voice.n_samples)
            text, words, method = transcript, aligned.words, aligned.method
        else:
            raise SpeechError("subtitles need the words of the speech; give its transcript (--transcript FILE)")
        write_cues(path, make_cues(text, words, float(self.n_frames / self.fps), self.fps))
        return method

    def close(self) -> None:
        """Delete temporary files of the speech."""
        self._voice.close()
