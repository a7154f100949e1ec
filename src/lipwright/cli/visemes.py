"""`lipwright visemes SPEECH`: the curves of the mouth that a speech needs, drawn or exported."""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lipwright.cli.interrupt import kept
from lipwright.cli.output import print_json, print_table
from lipwright.cli.speak import what_is_said, words
from lipwright.cli.values import rate as frame_rate
from lipwright.cli.values import stretch
from lipwright.core.bars import Bars
from lipwright.core.clock import FPS, SAMPLE_RATE
from lipwright.core.errors import ConfigError, SpeechError

if TYPE_CHECKING:
    from lipwright.speech.viseme_track import VisemeTrack
    from lipwright.synthesis.voice import Voice

PICTURES = (".png", ".svg")
TABLES = (".csv", ".json", ".npz")


def command(
    speech: Annotated[Path | None, typer.Argument(help="Any audio or video file with speech.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Plot (.png, .svg) or table (.csv, .json, .npz) to write.")
    ] = None,
    transcript: Annotated[Path | None, typer.Option(help="Words of SPEECH, a UTF-8 file.")] = None,
    alignment: Annotated[
        Path | None, typer.Option(help="Phones with times: TextGrid, Rhubarb's json, tsv or xml, JSON or lines.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="Speak this text instead of a file.")] = None,
    text_file: Annotated[Path | None, typer.Option(help="Speak the text in this UTF-8 file.")] = None,
    language: Annotated[
        str | None, typer.Option(help="Language of the transcript or text: en, de, es ...  [default: English]")
    ] = None,
    tts: Annotated[str, typer.Option(help="What reads the text: auto, flite, espeak-ng or command:TEMPLATE.")] = "auto",
    voice: Annotated[str | None, typer.Option(help="Voice of the speech engine.")] = None,
    fps: Annotated[str, typer.Option(help="Frames per second: 25, 30, 29.97 ...")] = "25",
    window: Annotated[str | None, typer.Option(help="Stretch to draw, as 10-40 or 1:10-1:40.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Speech to 34 viseme curves: from a transcript, an alignment, a text, or the sound alone."""
    rate, shown = frame_rate(fps, "--fps") or FPS, stretch(window, "--window")
    _check(out, window, transcript, alignment)
    spoken = words(speech, text, text_file)
    said = what_is_said(transcript, alignment, spoken)
    with kept("nothing was written; run the same command again"), Bars() as bars:
        began = time.perf_counter()
        heard, how = _voice(speech, spoken, language, tts, voice)
        try:
            if spoken is None:
                how = _align(heard, said, transcript, alignment, language)
            took = {"reading and phones": time.perf_counter() - began}
            from lipwright.speech.viseme_track import viseme_track

            began = time.perf_counter()
            found = viseme_track(heard.source, heard.n_samples, heard.phones, rate, bars)
            took["curves"] = time.perf_counter() - began
            if out is not None:
                began = time.perf_counter()
                note = _write(out, found, heard, shown, speech.name if speech else (spoken or "")[:60])
                took["writing"] = time.perf_counter() - began
        finally:
            heard.close()
    report = _summary(found, how, took, heard.n_samples)
    if json:
        print_json(report | {"out": out})
        return
    print_table("", ("", ""), [(name.replace("_", " "), shown_value(value)) for name, value in report.items()])
    if out is not None:
        print(f"{out}: {note}")


def shown_value(value: object) -> str:
    """A value of the summary as people read it."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {share:.2f}" for name, share in value.items())
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _check(out: Path | None, window: str | None, transcript: Path | None, alignment: Path | None) -> None:
    """What cannot be written or read together is said before any work."""
    if out is not None and out.suffix.lower() not in (*PICTURES, *TABLES):
        raise ConfigError(f"{out} ends in '{out.suffix}'; name a file that ends in {', '.join((*PICTURES, *TABLES))}")
    if window is not None and (out is None or out.suffix.lower() not in PICTURES):
        raise ConfigError("--window is the stretch of a plot; name a plot with -o, for example -o visemes.png")
    if transcript is not None and alignment is not None:
        raise ConfigError("--transcript and --alignment both say what is spoken; give one of them")


def _voice(
    speech: Path | None, spoken: str | None, language: str | None, tts: str, voice: str | None
) -> tuple[Voice, str]:
    from lipwright.synthesis.voice import voice_of_file, voice_of_samples

    if spoken is None:
        assert speech is not None
        return voice_of_file(speech), ""
    from lipwright.speech.tts import synthesise

    said = synthesise(spoken, engine=tts, voice=voice, language=language or "en")
    how = "the speech engine" if said.phones else "the recogniser"
    return voice_of_samples(said.samples, said.sample_rate, said.phones), how


def _align(
    heard: Voice, said: str | None, transcript: Path | None, alignment: Path | None, language: str | None
) -> str:
    """Give the voice its phones where something tells them; says in words what did."""
    from lipwright.speech.known_phones import phones_of

    heard.phones = phones_of(heard.source, heard.n_samples, said, alignment, language)
    if said is not None and heard.phones is None:
        raise SpeechError(f"{transcript} is not English; name its language with --language, for example --language de")
    if alignment is not None:
        return str(alignment)
    return "the recogniser" if said is None else "the transcript, aligned"


def _write(out: Path, found: VisemeTrack, heard: Voice, window: tuple[float, float] | None, title: str) -> str:
    from lipwright.speech.viseme_track import write_track

    if out.suffix.lower() in TABLES:
        write_track(out, found)
        return f"{len(found.values)} frames of {found.values.shape[1]} channels at {float(found.fps):g} fps"
    from lipwright.speech.viseme_plot import LONGEST_S, plot_track

    length_s = heard.n_samples / SAMPLE_RATE
    start_s, end_s = window or (0.0, length_s)
    if start_s >= length_s:
        raise ConfigError(f"--window begins at {start_s:g} s, but the speech ends at {length_s:.1f} s; begin earlier")
    stop_s = min(end_s, length_s, start_s + LONGEST_S)
    plot_track(out, found, heard.source, (start_s, stop_s), title)
    more = stop_s < min(end_s, length_s)
    return f"seconds {start_s:g} to {stop_s:.1f}" + (f" of {length_s:.1f}; --window draws others" if more else "")


def _summary(found: VisemeTrack, how: str, took: dict[str, float], n_samples: int) -> dict[str, object]:
    from lipwright.speech.channels import CHANNELS, SEALING

    length_s = float(Fraction(n_samples, SAMPLE_RATE))
    closed = (found.values[:, SEALING].max(axis=1) >= 1).astype(int)
    means = dict(zip(CHANNELS, found.values.mean(axis=0).tolist(), strict=True))
    busiest = sorted((c for c in CHANNELS[:-2]), key=lambda c: -means[c])[:6]
    return {
        "length_s": length_s,
        "frames": len(found.values),
        "phones": len(found.phones),
        "phones_from": how,
        "lips_meet": int((closed[1:] > closed[:-1]).sum() + closed[:1].sum()),
        "at_rest": float((found.values == 0).all(axis=1).mean()),
        "most_active": {c: means[c] for c in busiest},
        "seconds": took,
        "times_real_time": length_s / max(sum(took.values()), 1e-9),
    }
