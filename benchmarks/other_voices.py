"""What personas do with voices that are not their person's, measured on the pictures they draw.

    python benchmarks/other_voices.py footage.mp4 speech/*.mp3 --picture 0-12 -o runs/voices \
        --persona instant=instant.persona --persona "pose-adaptive=pose.persona:memory" --json voices.json

No truth exists here. Speech says when lips must meet and when they must rest, and the person's own footage says how far
they move and when they count as closed. A transcript NAME.txt beside NAME.* gives the phones (its language is the first
two letters of the name). Strips of mouths, one persona under the other, lie in the output folder beside the videos.
Videos that are there are not made again.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from lipwright.cli.results import command_line, markdown, result, table
from lipwright.cli.values import stretch
from lipwright.core.clock import SAMPLE_RATE
from lipwright.core.contracts import U8
from lipwright.core.files import make_folder, write_json
from lipwright.core.png import write_png
from lipwright.evaluate.boxes import mouth_boxes
from lipwright.evaluate.options import Options
from lipwright.evaluate.pairing import video_of
from lipwright.evaluate.sheet import mouth_strip
from lipwright.evaluate.source import Clip, Scan, scan
from lipwright.evaluate.speakers import PersonaSpeaker
from lipwright.evaluate.video import measure_alone
from lipwright.metrics import lips
from lipwright.metrics.frontal import frontal_landmarks
from lipwright.metrics.silence import silence_mask
from lipwright.speech.recordings import Recording, recordings
from lipwright.synthesis.speaker import Persona

COLUMNS = {
    "closure": "closures of /p b m/",
    "silence": "silence ratio",
    "loudness": "aperture and loudness, correlation",
    "amplitude": "aperture to the own speech's, deviation",
    "leak": "template leak",
    "offset": "audio-video offset, ms",
    "lipmatch": "LipMatch confidence",
}
_MOUTHS = 24
_FIRST_S = 3


@dataclass(frozen=True)
class Own:
    """How the person's own lips move over the pictures that are spoken over, in px of a face seen from the front."""

    aperture: np.ndarray
    closed: float

    @classmethod
    def of(cls, clip: Clip) -> Own:
        """Track the stretch."""
        aperture = aperture_of(tracked(clip))
        return cls(aperture, lips.closed_level(aperture))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("footage", type=Path)
    options.add_argument("speech", type=Path, nargs="+")
    options.add_argument("--persona", action="append", required=True, help="NAME=FOLDER or NAME=FOLDER:RENDERER")
    options.add_argument(
        "--picture", required=True, help="stretch to speak over, as 0-12; as much of every voice is said"
    )
    options.add_argument("-o", "--out", type=Path, required=True, help="folder for videos and strips")
    options.add_argument("--json", type=Path, help="tables for `lipwright report`")
    return options


def main() -> None:
    asked = parser().parse_args()
    span = stretch(asked.picture, "--picture")
    assert span is not None
    start, end = map(Fraction, span)
    own = Own.of(Clip(asked.footage, start, end))
    out = make_folder(asked.out)
    found: dict[str, dict[str, dict[str, float | None]]] = {}
    strips: dict[str, list[list[U8]]] = {}
    said = list(recordings(asked.speech, float(end - start)))
    for named in asked.persona:
        name, _, where = named.partition("=")
        folder, _, renderer = where.partition(":")
        speak = PersonaSpeaker(Persona.load(Path(folder)), renderer=renderer or None)
        for voice in said:
            file = out / f"{name}-{voice.name}.mp4"
            if not file.is_file():
                ends = min(end, start + Fraction(len(voice.samples), SAMPLE_RATE))
                speak(voice.samples, asked.footage, start, ends, file)
            seen = tracked(Clip(file))
            found.setdefault(name, {})[voice.name] = scores(seen, voice, own)
            strips.setdefault(voice.name, []).append(mouths(seen))
    for voice_name, rows in strips.items():
        write_png(out / f"{voice_name}.png", mouth_strip(rows))
    made = result(command_line("benchmarks/other_voices.py", sys.argv[1:]), tables(found), data=found)
    if asked.json:
        write_json(asked.json, made)
    print(markdown(made))


def tracked(clip: Clip) -> Scan:
    """A whole clip at its own rate and size."""
    info = video_of(clip)
    return scan(clip, info.fps, (info.width, info.height))


def aperture_of(seen: Scan) -> np.ndarray:
    """(T,) lip aperture of the face turned to the front."""
    return np.asarray(lips.lip_aperture(frontal_landmarks(seen.track)))


def scores(seen: Scan, voice: Recording, own: Own) -> dict[str, float | None]:
    """What can be told without truth; None for what the voice has no occasion for."""
    aperture, fps = aperture_of(seen), float(seen.fps)
    n = min(len(aperture), len(own.aperture))
    phones = [lips.Phone(p.symbol.upper(), p.start_s, p.end_s) for p in voice.phones]
    told = measure_alone(seen, Options())
    values = {
        "closure": lips.bilabial_closure_rate(aperture, phones, fps, own.closed),
        "silence": lips.silence_ratio(aperture, silence_mask(voice.samples, len(aperture), seen.fps)),
        "loudness": lips.loudness_correlation(aperture, voice.samples, seen.fps),
        "amplitude": lips.amplitude_ratio(aperture, own.aperture),
        "leak": lips.template_leak(aperture[:n], own.aperture[:n]),
        "offset": told["speech.offset"].video,
        "lipmatch": told["lipmatch.confidence"].video,
    }
    return {key: None if value is None or np.isnan(value) else float(value) for key, value in values.items()}


def mouths(seen: Scan) -> list[U8]:
    """Crops of consecutive mouths."""
    boxes, first = mouth_boxes(seen.track), round(_FIRST_S * float(seen.fps))
    return [boxes.cut(f, t) for t, f in enumerate(seen.frames()) if first <= t < first + _MOUTHS]


def tables(found: dict[str, dict[str, dict[str, float | None]]]) -> list[dict[str, Any]]:
    """Means over the voices, then every voice."""
    keys = list(COLUMNS)

    def mean(rows: dict[str, dict[str, float | None]], key: str) -> float | None:
        values = [v for row in rows.values() if (v := row[key]) is not None]
        return float(np.mean(values)) if values else None

    first = [[name, *(mean(rows, key) for key in keys)] for name, rows in found.items()]
    each = [[voice, name, *(found[name][voice][key] for key in keys)]
            for voice in next(iter(found.values())) for name in found]  # fmt: skip
    heads = tuple(COLUMNS.values())
    return [
        table("means over the voices", ("persona", *heads), first),
        table("every voice", ("voice", "persona", *heads), each),
    ]


if __name__ == "__main__":
    main()
