"""Does each metric move as it should? Planted faults against every metric, as tables.

    python benchmarks/sensitivity.py                          # the bundled presenter, eight seconds at 256 px
    python benchmarks/sensitivity.py --seconds 12 --size 512 --json runs/sensitivity.json

The stretch gets a pause of 1.4 s with the mouth at rest, is written nearly without loss, and is the reference.
Each fault of `lipwright.evaluate.faults` is planted in three sizes and judged against it; `none` is the same
stretch coded in the same way as they are: what no fault at all reads. Bold: the fault's own metric.
Parentheses: moved, and rightly so. `!`: moved although it should not have. A number counts as moved when it is
further from `none` than the tolerance in the last line. Drift is told from the whole video with its sound
stretched.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

import lipwright
from lipwright.cli.results import command_line, markdown, result, table
from lipwright.core.files import write_json
from lipwright.evaluate.faults import FAULTS, Fault, Made, Talk
from lipwright.evaluate.source import Clip, Scan, scan
from lipwright.evaluate.speech_sync import drift_part
from lipwright.evaluate.video import evaluate
from lipwright.media.settings import EncoderSettings
from lipwright.media.writer import VideoWriter

PRESENTER = Path(lipwright.__file__).parent / "assets" / "presenter.mp4"
TOLERANCES = {
    "speech.offset": 20.0,
    "speech.drift": 60.0,
    "lipmatch.offset": 20.0,
    "lipmatch.confidence": 0.06,
    "lips.correlation": 0.06,
    "lips.amplitude": 0.08,
    "landmarks.lmd_centred": 0.25,
    "speech.silence_ratio": 0.1,
    "mouth.sharpness_ratio": 0.15,
    "mouth.jitter_ratio": 0.08,
    "lips.jitter": 0.3,
    "face.seam": 0.2,
    "time.frozen": 0.02,
    "time.flicker": 0.15,
    "time.blockiness": 0.06,
    "mouth.psnr": 3.0,
    "mouth.frechet_pyramid": 0.3,
}
"""Metric to how far it may stray without having moved."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("video", nargs="?", type=Path, default=PRESENTER, help="a talking video that is in order")
    options.add_argument("--start", type=Fraction, default=Fraction(1), help="first second used")
    options.add_argument("--seconds", type=Fraction, default=Fraction(8), help="length used")
    options.add_argument("--size", type=int, default=256, help="width in px")
    options.add_argument("--json", type=Path, default=Path("runs/sensitivity.json"), help="where the tables go")
    return options


def main() -> None:
    """Measure, print and write."""
    given = parser().parse_args()
    clip = Clip(given.video, given.start, given.start + given.seconds)
    results = measure(clip, given.size) | drift(Clip(given.video), given.size)
    verdicts = judge(results)
    data = {"tolerances": TOLERANCES, "faults": results, "verdicts": verdicts}
    found = result(command_line("benchmarks/sensitivity.py", sys.argv[1:]), tables(results, verdicts), data=data)
    write_json(given.json, found)
    print(markdown(found))


def load(clip: Clip, width: int) -> Talk:
    """The stretch at `width`, with a pause in its middle."""
    seen = _scan(clip, width)
    talk = Talk.of(list(seen.frames()), seen.samples, float(seen.fps), seen.track)
    return talk.with_pause(len(seen) // 2, round(1.4 * float(seen.fps)))


def _scan(clip: Clip, width: int) -> Scan:
    from lipwright.evaluate.pairing import video_of

    info = video_of(clip)
    size = (width, round(width * info.height / info.width / 2) * 2)
    return scan(clip, info.fps, size)


def write(path: Path, made: Made, fps: float, crf: float) -> Path:
    """Encode frames and sound."""
    frames, samples = made
    size = (frames[0].shape[1], frames[0].shape[0])
    with VideoWriter(path, size, Fraction(fps).limit_denominator(1001), EncoderSettings(crf=crf), samples) as writer:
        for frame in frames:
            writer.write(frame)
    return path


def measure(clip: Clip, width: int) -> dict[str, Any]:
    """{fault: {size: {metric: value}}} of all faults that a few seconds show, with 'none'."""
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        talk = load(clip, width)
        reference = write(Path(folder) / "reference.mp4", (talk.frames, talk.samples), talk.fps, crf=4)

        def values(made: Made) -> dict[str, float | None]:
            path = write(Path(folder) / "fault.mp4", made, talk.fps, crf=12)
            rows = evaluate(path, reference).to_json()["metrics"]
            return {key: rows[key]["video"] for key in TOLERANCES if key in rows}

        results["none"] = {"": values((talk.frames, talk.samples))}
        for fault in FAULTS.values():
            if fault.name != "sound drifts":
                results[fault.name] = {f"{s:g}": values(fault.plant(talk, s)) for s in fault.sizes}
    return results


def drift(clip: Clip, width: int) -> dict[str, Any]:
    """As `measure`, for sound that drifts away: needs the whole clip but no pictures."""
    seen, fault = _scan(clip, width), FAULTS["sound drifts"]
    talk = Talk.of(list(seen.frames()), seen.samples, float(seen.fps), seen.track)
    clean = drift_part({"video": seen}).rows[0].video
    found = {}
    for size in fault.sizes:
        row, *_ = drift_part({"video": replace(seen, samples=fault.plant(talk, size)[1])}).rows
        found[f"{size:g}"] = {"speech.drift": row.video}
    return {fault.name: {"0": {"speech.drift": clean}} | found}


def judge(results: dict[str, Any]) -> dict[str, Any]:
    """For each fault: whether its own metrics saw the gross size and rose with size, and what moved wrongly."""
    verdicts = {}
    for fault in FAULTS.values():
        clean = results[fault.name].get("0") or results["none"][""]
        sizes = [results[fault.name][f"{s:g}"] for s in fault.sizes]
        distances = {key: [_away(one.get(key), clean.get(key)) for one in sizes] for key in fault.own}
        verdicts[fault.name] = {
            "caught": all(d[-1] > TOLERANCES[key] for key, d in distances.items()),
            "monotone": all(d == sorted(d) for d in distances.values()),
            "first_size_seen": next(
                (s for i, s in enumerate(fault.sizes) if any(d[i] > TOLERANCES[k] for k, d in distances.items())), None
            ),
            "wrongly_moved": sorted(
                {k for one in sizes for k in one if _moved(one, clean, k) and k not in (*fault.own, *fault.may)}
            ),
        }
    return verdicts


def _away(value: float | None, clean: float | None) -> float:
    """Distance from clean; a number that is gone where there was one is as far away as can be."""
    if value is None or clean is None:
        return 0.0 if value == clean else float("inf")
    return float(np.abs(value - clean))


def _moved(one: dict[str, Any], clean: dict[str, Any], key: str) -> bool:
    return _away(one.get(key), clean.get(key)) > TOLERANCES[key]


def tables(results: dict[str, Any], verdicts: dict[str, Any]) -> list[dict[str, Any]]:
    """Every metric under every fault, the drift, and what was caught."""
    drifts = results["sound drifts"]
    keys = [key for key in TOLERANCES if key != "speech.drift"]
    rows = []
    for name, sizes in results.items():
        if sizes is drifts:
            continue
        fault, clean = FAULTS.get(name), results["none"][""]
        for size, one in sizes.items():
            unit = f"{size} {fault.unit}" if fault else ""
            rows.append([name, unit, *(_cell(one, clean, key, fault) for key in keys)])
    rows.append(["tolerance", "", *(f"{TOLERANCES[k]:g}" for k in keys)])
    found = [table("", ("fault", "size", *(f"`{k}`" for k in keys)), rows)]
    line = ["`speech.drift`, ms/min", *(f"{d['speech.drift']:.3g}" for d in drifts.values())]
    found.append(table("", (FAULTS["sound drifts"].unit, *drifts), [line]))
    caught = []
    for name, v in verdicts.items():
        size = v["first_size_seen"]
        seen = "-" if size is None else f"{size:g} {FAULTS[name].unit}"
        caught.append([name, v["caught"], v["monotone"], seen, ", ".join(f"`{k}`" for k in v["wrongly_moved"]) or "-"])
    columns = ("fault", "caught", "monotone", "smallest size caught", "moved wrongly")
    return [*found, table("", columns, caught)]


def _cell(one: dict[str, Any], clean: dict[str, Any], key: str, fault: Fault | None) -> str:
    if key not in one:
        return ""
    text = "none" if one[key] is None else f"{one[key]:.3g}"
    if fault is None or not _moved(one, clean, key):
        return text
    return f"**{text}**" if key in fault.own else f"({text})" if key in fault.may else f"{text} !"


if __name__ == "__main__":
    main()
