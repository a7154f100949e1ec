"""`Persona`: the bundle that can speak."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

from lipwright.core.clock import as_rate
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
from lipwright.synthesis.pipeline import Replay, Synthesis
from lipwright.synthesis.voice import Voice, heard_later, voice_of_file, voice_of_samples

ENGINES = ("auto", "torch")


class Speaking:
    """What a persona says: iterate for frames, or `write` a file. Lazy; may be iterated again."""

    def __init__(self, synthesis: Synthesis, voice: Voice, spoken: Speech | None = None) -> None:
        self._synthesis, self._voice, self._spoken = synthesis, voice, spoken

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
        """Milliseconds per frame by stage, of the last iteration."""
        return self._synthesis.profile.table()

    def write(
        self,
        path: str | os.PathLike[str],
        settings: EncoderSettings = EncoderSettings(),  # noqa: B008 (frozen)
        progress: Progress | None = None,
    ) -> Path:
        """Write picture and sound to a file, atomically; returns its path. OutputError when it cannot."""
        progress = progress or Silent()
        progress.start("speak", self.n_frames)
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
            behind: Behind[Any] = Behind(cut_out(writer) if settings.alpha else writer.write)
            try:
                for i, frame in enumerate(self, 1):
                    behind.put(frame.picture)
                    progress.update(i)
            except BaseException:
                with suppress(BaseException):  # the first error is the one that matters
                    behind.close()
                raise
            behind.close()
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
        engine: str = "auto",
        fps: Fraction | float | str | None = None,
        extend: str = "auto",
        replay: bool = False,
        smile: float | None = None,
        drive: str | os.PathLike[str] | Drive | None = None,
        background: str | os.PathLike[str] | U8 | None = None,
        amplitude: float = 1.0,
        smoothing_ms: float = 0.0,
        offset_ms: float = 0.0,
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
            engine: how networks run; 'torch' is the only one in this version.
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
        """
        if engine not in ENGINES:
            raise ConfigError(f"unknown engine '{engine}'; available: {', '.join(ENGINES)}")
        if (speech is None) == (text is None):
            raise SpeechError("give either a speech file or text (--text, --text-file), not both and not neither")
        if text is not None and (transcript is not None or alignment is not None):
            raise SpeechError("a transcript or alignment goes with a speech file; spoken text brings its own times")
        try:
            rate_out = None if fps is None else as_rate(fps)
        except ValueError as error:
            raise ConfigError(f"{error}; give a frame rate such as 25 or 29.97") from error
        # Before the speech is read into a temporary file, which an error would leave open.
        shown, chosen = self._template(template), self.renderer(renderer)
        motion = self.motion(chosen)
        if replay and chosen.accepts != LANDMARKS:
            raise ConfigError(
                f"this persona's renderer hears {chosen.accepts} and draws no given landmarks, so there is nothing to "
                "replay; use another renderer (--renderer memory)"
            )
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
            return Speaking(Driven(lips, shown, motion, *driven, fps=rate_out, extend=extend), heard, spoken)
        make = Replay if replay else Synthesis
        return Speaking(make(lips, shown, motion, chosen, rate_out, extend), heard, spoken)

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
