"""What refining the mouth points does: against exact points where there are any, and to the memory's pictures.

    python benchmarks/mouth.py presenter.subject --truth src/lipwright/assets/presenter_truth.npz
    python benchmarks/mouth.py anchor.subject --from 57

A subject holds both: the mesh as it was tracked, and the refined landmarks. The memory is asked for the last tenth of
each subject with true landmarks, once remembered and asked with the tracked points, once with the refined ones.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from lipwright.cli.results import command_line, result, table
from lipwright.core.contracts import F32
from lipwright.core.files import write_json
from lipwright.core.ibug import MOUTH, lip_aperture
from lipwright.face.landmarks68 import to_68
from lipwright.presenter.scene import load_truth
from lipwright.render.memory.bank import build_bank
from lipwright.render.memory.renderer import MemoryRenderer
from memory import Held, replay, scores


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("subjects", nargs="+", type=Path)
    options.add_argument("--truth", type=Path, help="exact points of a presenter's clip, from its first frame on")
    options.add_argument("--from", dest="start_s", type=float, help="second from which a subject is held out")
    options.add_argument("--json", type=Path, help="table for `lipwright report`")
    return options


def against_truth(points: F32, true: F32) -> dict[str, float]:
    """Errors in px once the mean difference of each point is taken out: two schemes of points never agree on it."""
    off = (points - true)[:, MOUTH]
    gap, real = lip_aperture(points), lip_aperture(true)
    line = np.polynomial.Polynomial.fit(gap, real, 1)
    return {
        "mouth points, rms px": float(np.sqrt(((off - off.mean(0)) ** 2).sum(-1).mean())),
        "aperture, rms px": float(np.std(real - line(gap))),
        "aperture, correlation": float(np.corrcoef(gap, real)[0, 1]),
        "aperture speed, correlation": float(np.corrcoef(np.diff(gap), np.diff(real))[0, 1]),
    }


def pictures(held: Held, points: F32) -> dict[str, float]:
    """The memory's mouths when everything is known by these points."""
    subject = held.subject
    track = replace(subject.track, landmarks_px=points)
    object.__setattr__(subject, "__dict__", {**subject.__dict__, "track": track})  # its cached property
    renderer = MemoryRenderer(build_bank(((int(t), held.frames[t]) for t in held.train), track))
    return scores(held, replay(held, renderer)[0])


def main() -> None:
    given = parser().parse_args()
    rows = []
    columns: tuple[str, ...] = ()
    for path in given.subjects:
        held = Held.open(path)
        if given.start_s is not None:
            first = round(given.start_s * held.subject.fps)
            good = np.flatnonzero(held.subject.track.good)
            held = replace(held, train=good[good < first], test=np.arange(first, len(held.subject)))
        track = held.subject.track
        for name, points in (("tracked", to_68(np.array(track.dense_px))), ("refined", track.landmarks_px)):
            row = pictures(held, points)
            if given.truth is not None:
                true = load_truth(given.truth).landmarks_px[: len(points)]
                row |= against_truth(points[track.good], true[track.good])
            columns = ("subject", "points", *row)
            rows.append([path.stem, name, *row.values()])
            print(path.stem, name, {k: round(v, 3) for k, v in row.items()}, flush=True)
    if given.json is not None:
        write_json(given.json, result(command_line("benchmarks/mouth.py", sys.argv[1:]), [table("", columns, rows)]))


if __name__ == "__main__":
    main()
