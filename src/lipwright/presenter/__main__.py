"""`python -m lipwright.presenter`: speak a text as the computer-graphics presenter, with ground truth."""

from __future__ import annotations

import argparse
from pathlib import Path

from lipwright.core.bars import Bars
from lipwright.core.clock import FPS, as_rate
from lipwright.core.script import run_script
from lipwright.face.ict import load_ict
from lipwright.presenter.make import Job, make
from lipwright.presenter.motion import MotionConfig


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(prog="python -m lipwright.presenter", description=__doc__)
    text = p.add_mutually_exclusive_group(required=True)
    text.add_argument("--text", help="what to say")
    text.add_argument("--text-file", type=Path, help="a UTF-8 file with what to say")
    p.add_argument("-o", "--output", type=Path, required=True, help="OUT.mp4; truth goes beside it")
    p.add_argument(
        "--model", type=Path, help="ict_facekit_light.npz (default: LIPWRIGHT_ICT_MODEL or the model folder)"
    )
    p.add_argument("--identity", type=int, default=0, metavar="SEED", help="shape and look of the person")
    p.add_argument("--engine", default="auto", help="speech engine: auto, flite, espeak-ng")
    p.add_argument("--voice", help="a voice of the engine")
    p.add_argument("--language", default="en")
    p.add_argument("--rate", type=float, default=1.0, help="speaking speed, 1 normal")
    p.add_argument("--size", type=int, default=512, help="pixels of the square picture, 64 to 2048")
    p.add_argument("--mouth-crop", action="store_true", help="also write OUT_mouth.mp4, the mouth at 512 px")
    p.add_argument("--yaw", type=float, default=MotionConfig.yaw_deg, help="largest turn in degrees, to 35")
    p.add_argument("--pitch", type=float, default=MotionConfig.pitch_deg, help="largest nod in degrees, to 20")
    p.add_argument("--seed", type=int, default=0, help="seed of head motion, gaze and blinks")
    p.add_argument("--tracks-only", action="store_true", help="truth only, no pictures")
    p.add_argument(
        "--cross",
        type=int,
        default=0,
        metavar="SECONDS",
        help="also the last SECONDS of speech over the first of head motion, as OUT_cross",
    )
    p.add_argument("--crf", type=int, default=22, help="h264 quality, lower is better")
    p.add_argument("--fps", type=as_rate, default=FPS, help="frames per second, such as 25 or 29.97")
    return p


def main(arguments: list[str] | None = None) -> int:
    """Run; 0 done, 2 bad input (one sentence on standard error), 130 interrupted."""
    a = parser().parse_args(arguments)

    def work() -> None:
        text = a.text if a.text is not None else _read(a.text_file)
        job = Job(
            text=text,
            output=a.output,
            identity=a.identity,
            engine=a.engine,
            voice=a.voice,
            language=a.language,
            rate=a.rate,
            size=a.size,
            mouth_crop=a.mouth_crop,
            yaw_deg=a.yaw,
            pitch_deg=a.pitch,
            seed=a.seed,
            tracks_only=a.tracks_only,
            cross_s=a.cross,
            crf=a.crf,
            fps=a.fps,
        )
        with Bars() as bars:
            made = make(load_ict(a.model), job, bars)
        for path in made:
            print(path)

    return run_script(work, lambda: "nothing half-written is left")


def _read(path: Path) -> str:
    from lipwright.core.errors import SpeechError

    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpeechError(f"cannot read {path} as UTF-8 text ({error}); check the file") from error


if __name__ == "__main__":
    raise SystemExit(main())
