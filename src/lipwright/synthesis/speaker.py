"""`Persona`: the bundle that can speak."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any

from lipwright.core.clock import SAMPLE_RATE, as_rate
from lipwright.core.contracts import F32, LANDMARKS, U8, Frame, MotionModel, Renderer
from lipwright.core.errors import ConfigError, FootageError, SpeechError
from lipwright.core.overlap import Behind
from lipwright.core.progress import Progress, Silent
from lipwright.media.settings import EncoderSettings
from lipwright.media.writer import VideoWriter
from lipwright.motion.retarget import retargeted
from lipwright.motion.window import SpeechWindow
from lipwright.persona.bundle import Bundle
from lipwright.persona.template import Template
from lipwright.speech.align import align
from lipwright.speech.exact import PhoneTime
from lipwright.speech.known_phones import phones_of
from lipwright.speech.subtitles import make_cues, write_cues
from lipwright.speech.tts import Speech, synthesise
from lipwright.subject.store import Subject
from lipwright.synthesis.clip import clip_template
from lipwright.synthesis.cutout import cut_out
from lipwright.synthesis.drive import Drive, Driven, read_background
from lipwright.synthesis.heads import CutOutHeads
from lipwright.synthesis.near import NearSynthesis
from lipwright.synthesis.pipeline import Replay, Synthesis
from lipwright.synthesis.profile import Profile
from lipwright.synthesis.running import Running, running
from lipwright.synthesis.stream import PATIENCE_S, Stream
from lipwright.synthesis.voice import Voice, heard_later, voice_of_file, voice_of_samples

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


class Persona(Bundle):
    """A person who can say anything: `Persona.load(...).speak(...).write(...)`."""

    def speak(
        self,
        speech: str | os.PathLike[str] | F32 | None = None,
        *,
        text: str | None = None,
        transcript: str | None = None,
        alignment: str | os.PathLike[str] | Sequence[PhoneTime] | None = None,
        language: str | None = None,
        voice: str | None = None,
        tts: str = "auto",
        rate: float = 1.0,
        template: str | os.PathLike[str] | Template | None = None,
        renderer: str | None = None,
        engine: str | None = None,
        fps: Fraction | float | str | None = None,
        extend: str = "auto",
        replay: bool = False,
        smile: float | None = None,
        drive: str | os.PathLike[str] | Drive | None = None,
        background: str | os.PathLike[str] | U8 | None = None,
        amplitude: float = 1.0,
        smoothing_ms: float = 0.0,
        offset_ms: float = 0.0,
        workers: int | None = None,
        lookahead_s: Fraction | float | None = None,
        progress: Progress | None = None,
    ) -> Speaking:
        """Prepare to say something.

        Args:
            speech: any audio or video file, or (S,) float32 samples at 16 kHz.
            text: words to speak instead, by text to speech (`tts`, `language`, `voice`, and
                `rate`, 1.2 for a fifth faster).
            transcript: the words of the given speech, in English or in `language`: the lips then follow phones that
                are known instead of recognised. A text that cannot be laid over the sound is not used, see
                `Speaking.knows_phones`.
            alignment: phones of the given speech with times, a file for `speech.alignments` or a sequence.
            language: of the text or transcript; English when None.
            template: another clip of the same person to speak over, instead of the persona's own.
            renderer: another of the persona's renderers, such as 'memory'.
            engine: what runs the networks: 'auto', 'torch', 'openvino', 'onnxruntime' or 'tensorrt'; the persona's
                own choice when None. What cannot run falls back to torch, see `Speaking.notes`.
            fps: frames per second of the result; the template's when None.
            extend: how a template shorter than the speech goes on, see `compose.walk.MODES`.
            replay: show the template's own tracked mouth instead of one made from speech: what a renderer
                can do with perfect landmarks.
            smile: -1 to 1 beside the words, 0 is the person's own mean (recipe virtual-human).
            drive: a video, a prepared subject or an .npz of keypoints whose head moves instead of the template's
                (recipe virtual-human; see `synthesis.drive.Drive.load`).
            background: an image, its (h, w, 3) pixels or a colour ('#00b140') behind the generated head, instead of
                the template's frames.
            amplitude: how far the lips part, 1 as predicted, 0 to 2; closed lips stay closed.
            smoothing_ms: deviation of a zero-phase low-pass over the lips' movement, 0 to 200. Both change landmark
                motion and are refused for renderers that hear the speech itself.
            offset_ms: how much later than the sound the lips move, -1000 to 1000.
            workers: threads that draw, where frames do not depend on each other; as many as there are cores when None.
                They change the time it takes and nothing else.
            lookahead_s: as a stream would show it: no frame depends on speech later than this after its beginning
                (see `stream`); the whole speech when None. Phones that are known are then not used.
            progress: told when engines are compared, which happens once on a machine.
        """
        if (speech is None) == (text is None):
            raise SpeechError("give either a speech file or text (--text, --text-file), not both and not neither")
        if text is not None and (transcript is not None or alignment is not None):
            raise SpeechError("a transcript or alignment goes with a speech file; spoken text brings its own times")
        try:
            rate_out = None if fps is None else as_rate(fps)
        except ValueError as error:
            raise ConfigError(f"{error}; give a frame rate such as 25 or 29.97") from error
        # Before the speech is read into a temporary file, which an error would leave open.
        shown, ready = self._template(template), self.running(renderer, engine, progress)
        chosen, motion = ready.renderer, ready.motion
        if replay and chosen.accepts != LANDMARKS:
            raise ConfigError(
                f"this persona's renderer hears {chosen.accepts} and draws no given landmarks, so there is nothing to "
                "replay; use another renderer (--renderer memory)"
            )
        if lookahead_s is not None and (replay or drive is not None or background is not None):
            raise ConfigError("a bounded look-ahead goes with neither replay, --drive nor --background; leave them out")
        if smile is not None:
            motion = _smiling(motion, smile)
        if replay and (amplitude, smoothing_ms, offset_ms) != (1, 0, 0):
            raise ConfigError("replay shows the template's own mouth; amplitude, smoothing and offset change another")
        motion = retargeted(motion, amplitude, smoothing_ms)
        driven = None
        if drive is not None or background is not None:
            driven = self._driven(shown, chosen, drive, background)
        spoken = None
        if text is not None:
            spoken = synthesise(text, engine=tts, voice=voice, language=language or "en", rate=rate)
            heard = voice_of_samples(spoken.samples, spoken.sample_rate, spoken.phones)
        elif isinstance(speech, (str, os.PathLike)):
            heard = voice_of_file(speech)
        else:
            assert speech is not None
            heard = voice_of_samples(speech)
        _tell(heard, transcript, alignment, language)
        lips = heard_later(heard, offset_ms)
        if driven is not None:
            driving = Driven(lips, shown, motion, *driven, fps=rate_out, extend=extend, workers=workers)
            return Speaking(driving, heard, spoken, ready)
        if lookahead_s is not None:
            near = NearSynthesis(lips, shown, motion, chosen, rate_out, extend, workers, lookahead_s)
            return Speaking(near, heard, spoken, ready)
        make = Replay if replay else Synthesis
        return Speaking(make(lips, shown, motion, chosen, rate_out, extend, workers), heard, spoken, ready)

    def stream(
        self,
        *,
        sample_rate: int = SAMPLE_RATE,
        lookahead_s: Fraction | float | None = None,
        template: str | os.PathLike[str] | Template | None = None,
        renderer: str | None = None,
        engine: str | None = None,
        fps: Fraction | float | str | None = None,
        extend: str = "auto",
        smile: float | None = None,
        clock: Callable[[], float] | None = time.monotonic,
        patience_s: float = PATIENCE_S,
    ) -> Stream:
        """Talk live: push speech in any pieces, pull frames; see `synthesis.stream.Stream`.

        Args:
            sample_rate: of the speech that will be pushed.
            lookahead_s: how far ahead of a frame its speech must be known; the recipe's own when None. The frames are
                those of `speak` with the same value, bit for bit.
            template, renderer, engine, fps, extend, smile: as in `speak`.
            clock: says how time passes, in seconds; with None the persona never idles but waits for speech.
            patience_s: how late speech may be before the persona idles.
        Raises:
            ConfigError: the look-ahead is too short, or the persona hears what cannot be streamed.
        """
        try:
            rate_out = None if fps is None else as_rate(fps)
        except ValueError as error:
            raise ConfigError(f"{error}; give a frame rate such as 25 or 29.97") from error
        shown, ready = self._template(template), self.running(renderer, engine)
        motion = ready.motion if smile is None else _smiling(ready.motion, smile)
        return Stream(
            shown, motion, ready.renderer, fps=rate_out, extend=extend, lookahead_s=lookahead_s,
            sample_rate=sample_rate, clock=clock, patience_s=patience_s,
        )  # fmt: skip

    def running(
        self, renderer: str | None = None, engine: str | None = None, progress: Progress | None = None
    ) -> Running:
        """A renderer (the recipe's own when None) and its motion model on an engine; kept for the next time.

        ConfigError for an unknown renderer or engine.
        """
        asked = engine or self.engine
        chosen = self.renderer(renderer)
        key = asked, id(chosen)
        if key not in self._kept:
            self._kept[key] = running(chosen, self.motion(chosen), asked, progress)
        return self._kept[key]

    @staticmethod
    def _driven(
        template: Template,
        renderer: Renderer,
        drive: str | os.PathLike[str] | Drive | None,
        background: str | os.PathLike[str] | U8 | None,
    ) -> tuple[CutOutHeads, Drive, U8 | None]:
        """Who draws the head, how it moves (None: as the template's) and what is behind it (None: the template)."""
        heads = CutOutHeads(renderer, covers=background is None)
        if drive is None:
            drive = Drive(template.track, template.fps)
        elif not isinstance(drive, Drive):
            drive = Drive.load(drive)
        shown = read_background(background) if isinstance(background, (str, os.PathLike)) else background
        return heads, drive, shown

    def _template(self, template: str | os.PathLike[str] | Template | None) -> Template:
        if template is None:
            return self.template
        if isinstance(template, Template):
            return template
        if Path(template).is_dir():
            return Template.of_subject(Subject.open(template))
        if Path(template).is_file():
            return clip_template(Path(template))
        raise FootageError(f"there is no template {template}; name a video of the person or a prepared subject")


def _smiling(motion: MotionModel, smile: float) -> SpeechWindow:
    if not isinstance(motion, SpeechWindow):
        raise ConfigError("this persona has no smile to choose; --smile needs one of the recipe virtual-human")
    return motion.expressing((smile,))


def _tell(
    heard: Voice,
    transcript: str | None,
    alignment: str | os.PathLike[str] | Sequence[PhoneTime] | None,
    language: str | None,
) -> None:
    """Give a voice the phones that an alignment or a transcript tells; closes it when the alignment is damaged."""
    if transcript is None and alignment is None:
        return
    try:
        heard.phones = phones_of(heard.source, heard.n_samples, transcript, alignment, language)
    except BaseException as error:
        if isinstance(error, SpeechError) and alignment is None:
            return  # not what is said, as far as the aligner can tell: the recogniser listens
        heard.close()
        raise
