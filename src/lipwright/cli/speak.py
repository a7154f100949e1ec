"""`lipwright speak PERSONA/ SPEECH -o OUT.mp4`: any speech to video of the persona."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from lipwright.cli.assets import persona_path
from lipwright.cli.interrupt import kept
from lipwright.cli.output import print_json, print_table
from lipwright.cli.values import picture_size
from lipwright.cli.values import rate as frame_rate
from lipwright.core.bars import Bars
from lipwright.core.errors import ConfigError, SpeechError

TIMES = {
    "engine": "times of the speech engine",
    "alignment": "times by alignment with the sound",
    "letters": "times estimated between pauses",
}

CODEC_HELP = "h264, hevc, vp9, av1 or prores.  [default: vp9 in .webm, else h264]"


def command(
    persona: Annotated[str, typer.Argument(help="Persona folder, or `demo` for the one that ships.")],
    speech: Annotated[Path | None, typer.Argument(help="Any audio or video file with speech.")] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Video to write.")] = Path("out.mp4"),
    text: Annotated[str | None, typer.Option(help="Speak this text instead of a file.")] = None,
    text_file: Annotated[Path | None, typer.Option(help="Speak the text in this UTF-8 file.")] = None,
    language: Annotated[
        str | None, typer.Option(help="Language of the text or transcript: en, de, es ...  [default: English]")
    ] = None,
    tts: Annotated[str, typer.Option(help="What reads the text: auto, flite, espeak-ng or command:TEMPLATE.")] = "auto",
    voice: Annotated[str | None, typer.Option(help="Voice of the speech engine.")] = None,
    rate: Annotated[float, typer.Option(min=0.3, max=3, help="Speed of the voice.")] = 1.0,
    transcript: Annotated[
        Path | None, typer.Option(help="Words of SPEECH, a UTF-8 file: for the lips, and for subtitles.")
    ] = None,
    alignment: Annotated[
        Path | None, typer.Option(help="Phones of SPEECH with times: TextGrid, Rhubarb, JSON or lines.")
    ] = None,
    subtitles: Annotated[str | None, typer.Option(help="Write subtitles beside the video: srt, vtt or both.")] = None,
    template: Annotated[Path | None, typer.Option(help="Footage to speak over instead of the persona's.")] = None,
    extend: Annotated[str, typer.Option(help="Template too short: auto, ping-pong, loop or freeze.")] = "auto",
    fps: Annotated[str | None, typer.Option(help="Frame rate of the video.  [default: the template's]")] = None,
    renderer: Annotated[str | None, typer.Option(help="Renderer instead of the recipe's: memory ...")] = None,
    smile: Annotated[float | None, typer.Option(min=-1, max=1, help="Smile beside the words; 0 is the mean.")] = None,
    drive: Annotated[Path | None, typer.Option(help="Video, subject or .npz whose head moves instead.")] = None,
    background: Annotated[str | None, typer.Option(help="Image or colour (#00b140) behind the drawn head.")] = None,
    amplitude: Annotated[float, typer.Option(min=0, max=2, help="How far the lips part; 1 as predicted.")] = 1.0,
    smoothing: Annotated[float, typer.Option(min=0, max=200, help="Calmer lips: ms of a low-pass over time.")] = 0.0,
    offset: Annotated[float, typer.Option(min=-1000, max=1000, help="Milliseconds the lips come later.")] = 0.0,
    engine: Annotated[str, typer.Option(help="auto, torch, openvino, onnxruntime, tensorrt.")] = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    codec: Annotated[str | None, typer.Option(help=CODEC_HELP)] = None,
    crf: Annotated[int | None, typer.Option(help="Quality of the video, 0 is best.  [default: h264 12]")] = None,
    bitrate: Annotated[int | None, typer.Option(help="Bits per second instead of --crf.")] = None,
    encoder_preset: Annotated[str | None, typer.Option(help="ultrafast to veryslow.  [default: veryfast]")] = None,
    pix_fmt: Annotated[str | None, typer.Option(help="yuv422p10le ...  [default: the template's]")] = None,
    size: Annotated[str | None, typer.Option(help="1280x720 or 720p.  [default: the template's]")] = None,
    alpha: Annotated[bool, typer.Option("--alpha", help="Only the person, on transparency: .webm or .mov.")] = False,
    threads: Annotated[int | None, typer.Option(help="Encoder threads.  [default: all cores]")] = None,
    profile: Annotated[bool, typer.Option("--profile", help="Say where the time went.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Make the persona speak. The video is as long as the speech; nothing appears before it is whole."""
    from lipwright.media.settings import EncoderSettings

    settings = EncoderSettings(
        codec=codec,
        crf=crf,
        bitrate=bitrate,
        preset=encoder_preset,
        pix_fmt=pix_fmt,
        size=picture_size(size, "--size"),
        alpha=alpha,
        threads=threads,
    )
    from lipwright.media.encoding import plan

    plan(out, settings)  # what such a file cannot hold is said before anything is loaded
    spoken, rate_out = words(speech, text, text_file), frame_rate(fps, "--fps")
    endings = subtitling(subtitles, transcript, spoken)
    said = what_is_said(transcript, alignment, spoken)
    folder = persona_path(persona)
    what = f"{out} was not written (it appears only when whole); run the same command again"
    with kept(what), Bars() as bars:
        from lipwright.core.device import torch_device
        from lipwright.synthesis.speaker import Persona

        speaking = Persona.load(folder, device=torch_device(device)).speak(
            speech,
            text=spoken,
            transcript=said,
            alignment=alignment,
            language=language,
            voice=voice,
            tts=tts,
            rate=rate,
            template=template,
            extend=extend,
            fps=rate_out,
            renderer=renderer,
            engine=engine,
            smile=smile,
            drive=drive,
            background=background,
            progress=bars,
            amplitude=amplitude,
            smoothing_ms=smoothing,
            offset_ms=offset,
        )
        try:
            speaking.write(out, settings=settings, progress=bars)
            written = {str(f): speaking.write_subtitles(f, said) for f in map(out.with_suffix, endings)}
            if said is not None and alignment is None and not speaking.knows_phones:
                print(
                    f"{transcript} could not be laid over the sound; the lips follow the sound alone", file=sys.stderr
                )
        finally:
            speaking.close()
    for note in speaking.notes:
        print(note, file=sys.stderr)
    shown = (speaking.profile(), speaking.waits()) if profile else None
    report(out, shown, json, written, speaking.engine)


def subtitling(subtitles: str | None, transcript: Path | None, spoken: str | None) -> list[str]:
    """Endings of the subtitle files to write, checked before any work."""
    if subtitles is None:
        return []
    from lipwright.speech.subtitles import FORMATS

    if subtitles not in (*FORMATS, "both"):
        raise ConfigError(f"unknown subtitles '{subtitles}'; choose srt, vtt or both")
    if spoken is None and transcript is None:
        raise ConfigError("--subtitles needs the words of the speech file; give them with --transcript FILE")
    return [f".{name}" for name in (FORMATS if subtitles == "both" else (subtitles,))]


def what_is_said(transcript: Path | None, alignment: Path | None, spoken: str | None) -> str | None:
    """The words of a speech file; ConfigError when spoken text brings its own, SpeechError when there are none."""
    if spoken is not None and (transcript is not None or alignment is not None):
        raise ConfigError(
            "--transcript and --alignment go with a speech file; spoken text is its own transcript, leave it out"
        )
    if transcript is None:
        return None
    from lipwright.speech.alignments import read_text

    said = read_text(transcript)
    if not any(c.isalnum() for c in said):
        raise SpeechError(f"{transcript} holds no words; give the text that is spoken")
    return said


def words(speech: Path | None, text: str | None, text_file: Path | None) -> str | None:
    """The text to speak, None when a speech file is given; exactly one source must be named."""
    given = [x for x in (speech, text, text_file) if x is not None]
    if len(given) != 1:
        named = "none was" if not given else f"{len(given)} were"
        raise ConfigError(f"give one of SPEECH, --text and --text-file; {named} given")
    if text_file is not None:
        from lipwright.speech.alignments import read_text

        text = read_text(text_file)
    if text is not None and not text.strip():
        source = text_file or "--text"
        raise SpeechError(f"{source} holds no words; give the text to speak")
    return text


def report(
    out: Path,
    profile: tuple[dict[str, float], dict[str, float]] | None,
    json: bool,
    subtitles: dict[str, str] | None = None,
    engine: str = "none",
) -> None:
    """What was written, from the file itself.

    Args: `profile` CPU ms per frame by stage and share of the time waited by queue; `subtitles` files and where their
    times come from.
    """
    from lipwright.media.probe import probe

    info = probe(out)
    video, length = info.video, info.duration_s
    assert video is not None
    assert length is not None
    if json:
        result = {"out": out, "width": video.width, "height": video.height, "fps": video.fps}
        result |= {"duration_s": float(length), "frames": round(length * video.fps)}
        result |= {"engine": engine} | ({"subtitles": subtitles} if subtitles else {})
        if profile is not None:
            result |= {"profile_ms_per_frame": profile[0], "waited_for": profile[1]}
        print_json(result)
        return
    if profile:
        cpu, waits = profile
        rows = [*((step, f"{ms:.2f}") for step, ms in cpu.items()), ("all", f"{sum(cpu.values()):.2f}")]
        print_table("", ("stage", "CPU ms per frame"), rows)
        print_table("", ("waited for", "share of the time"), [(q, f"{100 * w:.0f} %") for q, w in waits.items()])
        print(f"engine: {engine}")
    for name, method in (subtitles or {}).items():
        print(f"{name}: {TIMES[method]}")
    print(f"{out}: {video.width}x{video.height}, {float(video.fps):g} fps, {float(length):.2f} s")
