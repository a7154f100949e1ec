"""`Persona`: the bundle that can speak."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from fractions import Fraction

from lipwright.core.clock import SAMPLE_RATE
from lipwright.core.contracts import F32, LANDMARKS, U8
from lipwright.core.errors import ConfigError, SpeechError
from lipwright.core.progress import Progress
from lipwright.motion.retarget import retargeted
from lipwright.motion.window import smiling
from lipwright.persona.bundle import Bundle
from lipwright.persona.template import Template
from lipwright.speech.exact import PhoneTime
from lipwright.speech.tts import synthesise
from lipwright.synthesis.clip import template_of
from lipwright.synthesis.drive import Drive, Driven, Lead
from lipwright.synthesis.near import NearSynthesis
from lipwright.synthesis.pipeline import Replay, Synthesis
from lipwright.synthesis.running import Running, running
from lipwright.synthesis.setup import Setup, rate_of
from lipwright.synthesis.speaking import Speaking
from lipwright.synthesis.stream import PATIENCE_S, Stream
from lipwright.synthesis.voice import heard_later, voice_of


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
        fps_out = rate_of(fps)
        # Before the speech is read into a temporary file, which an error would leave open.
        shown, ready = template_of(template, self.template), self.running(renderer, engine, progress)
        motion = ready.motion
        if replay and ready.renderer.accepts != LANDMARKS:
            raise ConfigError(
                f"this persona's renderer hears {ready.renderer.accepts} and draws no given landmarks, so there is "
                "nothing to replay; use another renderer (--renderer memory)"
            )
        if lookahead_s is not None and (replay or drive is not None or background is not None):
            raise ConfigError("a bounded look-ahead goes with neither replay, --drive nor --background; leave them out")
        if smile is not None:
            motion = smiling(motion, smile)
        if replay and (amplitude, smoothing_ms, offset_ms) != (1, 0, 0):
            raise ConfigError("replay shows the template's own mouth; amplitude, smoothing and offset change another")
        motion = retargeted(motion, amplitude, smoothing_ms)
        lead = None
        if drive is not None or background is not None:
            lead = Lead.of(shown, ready.renderer, drive, background)
        spoken = None
        if text is not None:
            spoken = synthesise(text, engine=tts, voice=voice, language=language or "en", rate=rate)
        said = spoken if speech is None else speech
        assert said is not None
        heard = voice_of(said, transcript, alignment, language)
        lips = heard_later(heard, offset_ms)
        setup = Setup(lips, shown, motion, ready.renderer, fps_out, extend, workers)
        made: Synthesis
        if lead is not None:
            made = Driven(setup, lead)
        elif lookahead_s is not None:
            made = NearSynthesis(setup, lookahead_s)
        else:
            made = Replay(setup) if replay else Synthesis(setup)
        return Speaking(made, heard, spoken, ready)

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
        fps_out = rate_of(fps)
        shown, ready = template_of(template, self.template), self.running(renderer, engine)
        motion = ready.motion if smile is None else smiling(ready.motion, smile)
        return Stream(
            shown, motion, ready.renderer, fps=fps_out, extend=extend, lookahead_s=lookahead_s,
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
