"""Speech to expression: own pairs, pseudo pairs or both, each teacher, and AudioDVP's linear network.

    python benchmarks/a2e.py anchor.subject --footage anchor.mp4 --held 57-64 --minutes 3 --steps 400
    python benchmarks/a2e.py presenter.subject --rendered 12 --json benchmarks/results/a2e-presenter.json

Every model is scored on the person's own held-out speech and on voices that nobody learnt from. With `--rendered
IDENTITY` (the bundled presenter is 12) the truth of other voices is exact: the same face is told to say what they say.
Real people have no truth for other voices; there closures and silence are counted, which the phones of synthetic voices
demand. What is made is kept in `--work`, so that the command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lipwright.cli.results import command_line, markdown, result, table
from lipwright.cli.values import stretch
from lipwright.core import weights
from lipwright.core.bars import Bars
from lipwright.core.clock import SAMPLE_RATE
from lipwright.core.config import config_key, settings, to_dict, with_changes
from lipwright.core.contracts import F32
from lipwright.core.files import make_folder, write_json
from lipwright.face.morphable import store
from lipwright.face.morphable.fit import Fit, follow
from lipwright.motion.expression_lips import FEATURES as PHONES
from lipwright.motion.expression_model import ExpressionConfig
from lipwright.motion.expression_pairs import own_pairs
from lipwright.recipes.kept import kept_motion
from lipwright.recipes.teacher import ablation as ab
from lipwright.recipes.teacher.portrait import portrait
from lipwright.recipes.teacher.pseudo import pseudo_pairs
from lipwright.recipes.teacher.speech import HELD_OUT, SyntheticVoices
from lipwright.recipes.teacher.teachers import make_teacher
from lipwright.speech.tts import Speech
from lipwright.subject.face import fit_subject
from lipwright.subject.prepare import prepare
from lipwright.subject.store import Subject
from lipwright.train.loop import Budget
from lipwright.train.run import Run
from lipwright.train.speech_expression import fit_expression, with_lips

FEATURES = ("logmel", "mfcc12")
MEASURES = ("aperture", "amplitude", "chin", "centred", "closure", "silence")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("subject", type=Path)
    options.add_argument("--footage", type=Path, help="video that holds a stretch the subject does not")
    options.add_argument("--held", help="that stretch, as START-END seconds")
    options.add_argument("--rendered", type=int, metavar="IDENTITY", help="the subject is this rendered face")
    options.add_argument("--minutes", type=float, default=5.0, help="of speech for every teacher")
    options.add_argument("--steps", type=int, default=600, help="of training, each row")
    options.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="of ExpressionConfig")
    options.add_argument("--voices", type=int, default=6, help="utterances of voices that nobody learnt from")
    options.add_argument("--work", type=Path, default=Path("runs/a2e"))
    options.add_argument("--json", type=Path)
    return options


def main() -> None:
    given = parser().parse_args()
    subject = Subject.open(given.subject)
    work = make_folder(given.work / given.subject.name)
    with Bars() as bars:
        rows, data = measured(given, subject, Run(work, 0, "cpu", True, bars))
    columns = ["learns from", *(f"{kind}: {m}" for kind in data["kinds"] for m in data["kinds"][kind])]
    tables = [table(f"{given.subject.stem}: own held-out speech and other voices", columns, rows)]
    found = result(command_line("benchmarks/a2e.py", sys.argv[1:]), tables, data=data)
    if given.json:
        write_json(given.json, found)
    print(markdown(found))


def measured(given: argparse.Namespace, subject: Subject, run: Run) -> tuple[list[list[Any]], dict[str, Any]]:
    """Rows of the table and everything behind them."""
    path = run.work / "face.npz"
    if not path.is_file():
        fit_subject(given.subject, path, progress=run.progress)
    fit = store.load(path)
    config = with_changes(ExpressionConfig(width=8), settings(given.set))
    own, phones = own_pairs(subject, fit, FEATURES), own_pairs(subject, fit, (*FEATURES, *PHONES))
    pseudo, reports = {}, {}
    motion = kept_motion(subject, "instant", Budget(steps=500), run)
    shown = portrait(subject, run.work, run.progress)
    teachers = ["memory", "direct"] + ["wav2lip"] * (weights.find("wav2lip") is not None)
    for name in teachers:
        teacher = make_teacher(name, shown, fit, motion, run.progress)
        pseudo[name] = pseudo_pairs(
            subject, fit, SyntheticVoices(), teacher, run, given.minutes, shown, FEATURES
        )  # fmt: skip
        reports[name] = {"frames": len(pseudo[name]), "kept": float((pseudo[name].weight > 0).mean())}
    tests = _tests(given, subject, fit, run)
    kinds = {kind: _measures(clips) for kind, clips in tests.items()}
    rows, scored, geometry = [], {}, fit.coefficients.geometry
    for variant in ab.variants(config, teachers):
        pairs, key = variant.pairs(own, pseudo), config_key([variant.config, variant.name, given.steps, given.minutes])
        model, record = fit_expression(pairs, variant.config, Budget(steps=given.steps), run, f"a2e-{key}")
        speaking = {variant.name: model}
        if variant.config.network != "linear":
            speaking[f"{variant.name}, lips that close"] = with_lips(model, phones, fit, motion)
        for name, one in speaking.items():
            mouths = {
                kind: [ab.mouth_of_expression(fit.model, geometry, ab.said(one, c.samples)) for c in clips]
                for kind, clips in tests.items()
            }
            scored[name] = {kind: _scores(clips, mouths[kind]) for kind, clips in tests.items()}
            scored[name]["validation"] = record.validation
            rows.append([name, *(scored[name][k][m] for k in kinds for m in kinds[k])])
    truth = {kind: _scores(clips, [c.mouth for c in clips]) for kind, clips in tests.items() if len(clips[0].mouth)}
    rows.append(["truth", *(truth.get(k, {}).get(m) for k in kinds for m in kinds[k])])
    return rows, {"kinds": kinds, "scores": scored, "truth": truth, "pseudo": reports, "config": to_dict(config)}


def _measures(clips: Sequence[ab.Spoken]) -> list[str]:
    with_mouth, with_phones = bool(len(clips[0].mouth)), bool(len(clips[0].phones))
    return [m for k, m in enumerate(MEASURES) if (with_mouth if k < 4 else with_phones)]


def _scores(clips: Sequence[ab.Spoken], mouths: Sequence[F32]) -> dict[str, float]:
    found = ab.scores(clips, mouths) if len(clips[0].mouth) else {}
    return found | (ab.phone_scores(clips, mouths) if len(clips[0].phones) else {})


def _tests(given: argparse.Namespace, subject: Subject, fit: Fit, run: Run) -> dict[str, list[ab.Spoken]]:
    """Own speech that was held out, and other voices."""
    tests = {"own voice": [_held_out(given, subject, fit, run)]}
    source = SyntheticVoices(77, HELD_OUT, None)
    told = [source(k) for k in range(given.voices)]
    if given.rendered is None:
        none = np.zeros((0, 21, 2), np.float32)
        clips = [ab.Spoken(t.name, t.samples, none, np.zeros(0, bool), t.phones or ()) for t in told]
    else:
        clips = [_rendered(given.rendered, t.name, t.samples, t.phones or ()) for t in told]
    return tests | {"other voices": clips}


def _held_out(given: argparse.Namespace, subject: Subject, fit: Fit, run: Run) -> ab.Spoken:
    """A stretch of footage that is not in the subject, fitted with the face that is known; else its validation part."""
    trim = stretch(given.held, "--held")
    if given.footage is None or trim is None:
        frames = subject.split("validation")
        part = slice(frames.start, frames.stop)
        sound = slice(round(frames.start / subject.fps * SAMPLE_RATE), round(frames.stop / subject.fps * SAMPLE_RATE))
        mouth = ab.mouth_of_expression(fit.model, fit.coefficients.geometry, fit.coefficients.expression[part])
        return ab.Spoken("own", subject.samples[sound], mouth, subject.track.good[part])
    other = prepare(given.footage, run.work / "held-out", trim=trim, progress=run.progress)
    c, seen = fit.coefficients, other.track
    found = follow(fit.model, c.geometry, c.texture, seen, other.frames.read(), progress=run.progress)
    mouth = ab.mouth_of_expression(fit.model, c.geometry, found.coefficients.expression)
    return ab.Spoken("own", other.samples, mouth, seen.good)


def _rendered(identity: int, name: str, samples: F32, phones: Sequence[Any]) -> ab.Spoken:
    """The rendered face says what a voice says: exact truth, in head axes, without a picture."""
    from lipwright.face.ict import load_ict
    from lipwright.presenter.lips import lips_from_speech
    from lipwright.presenter.rig import build_rig, identity_coefficients

    rig = build_rig(load_ict(), identity_coefficients(identity))
    speech = Speech(samples, SAMPLE_RATE, tuple(phones))
    lips = lips_from_speech(speech, rig.names, rig.lip_gap())
    at = rig.landmark68
    points = rig.neutral[at] + np.einsum("te,ekc->tkc", lips, rig.delta[:, at])
    mouth = ab.mouth_of_points(np.asarray(points, np.float32))
    return ab.Spoken(name, samples, mouth, np.ones(len(mouth), bool), phones)


if __name__ == "__main__":
    main()
