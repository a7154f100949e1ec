"""`python -m lipwright.hearing`: train the recogniser of articulation on synthetic voices in many languages."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from lipwright.core import parallel
from lipwright.core.progress import Progress
from lipwright.hearing.card import measure
from lipwright.hearing.dataset import all_spoken, duration_s
from lipwright.hearing.speakers import FORMANT, HELD_OUT, RECORDED, require
from lipwright.hearing.training import Fold, HearingTask, TrainingConfig
from lipwright.train.bundled import card_of, run_training, save_bundled
from lipwright.train.loop import Budget, Loop, TrainingRecord

VALIDATION_PART = 20
"""One piece in so many chooses the weights that are kept."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(prog="python -m lipwright.hearing", description=__doc__)
    p.add_argument("-o", "--out", type=Path, default=Path("articulation.safetensors"), help="weights; the card beside")
    p.add_argument("--work", type=Path, default=Path("runs/hearing"), help="folder of spoken text, kept")
    p.add_argument("--recorded", type=float, default=420.0, help="seconds of each voice made of recordings")
    p.add_argument("--formant", type=float, default=36.0, help="seconds of each formant voice")
    p.add_argument("--held-out", type=float, default=45.0, help="seconds of each voice of the test")
    p.add_argument("--budget", default="25m", help="training time or steps, as 25m or '900 steps'")
    p.add_argument("--resume", action="store_true", help="go on with the training in --work")
    return p


def main(arguments: list[str] | None = None) -> int:
    """Run; 0 done, 2 bad input (one sentence on standard error), 130 interrupted."""
    given = parser().parse_args(arguments)
    return run_training(lambda progress: _train(given, progress), "spoken text is kept")


def _train(given: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    require([*RECORDED, *FORMANT, *HELD_OUT])
    with parallel.group("cpu"):
        if parallel.leads():
            _prepare(given, progress)
        parallel.wait()
        task = HearingTask(Fold.load(given.work / "training"), Fold.load(given.work / "validation"))
        record = Loop(task, given.work, Budget.parse(given.budget), "hearing", progress).run(resume=given.resume)
    return _card(given, task, record, progress) if parallel.leads() else {}


def _prepare(given: argparse.Namespace, progress: Progress) -> None:
    """Let everybody speak, and hear them in rooms; what the folder has stays."""
    done = given.work / "prepared"
    if done.is_file():
        return
    speech, config = given.work / "speech", TrainingConfig()
    clips = all_spoken(RECORDED, given.recorded, speech, progress) + all_spoken(
        FORMANT, given.formant, speech, progress
    )
    pieces = [piece for clip in clips for piece in clip.pieces(config.piece_s)]
    training = [piece for i, piece in enumerate(pieces) if i % VALIDATION_PART]
    Fold.of(pieces[::VALIDATION_PART], config, 1, progress).save(given.work / "validation")
    Fold.of(training, config, config.copies, progress).save(given.work / "training")
    done.write_text(f"{duration_s(training):.0f}", encoding="utf-8")


def _card(given: argparse.Namespace, task: HearingTask, record: TrainingRecord, progress: Progress) -> dict[str, Any]:
    task.model.eval()
    seconds = (given.work / "prepared").read_text(encoding="utf-8")
    about = {
        "trained_on": f"{seconds} s: {len(RECORDED)} voices made of recordings (flite, festival) and "
        f"{len(FORMANT)} of espeak-ng",
        "voices": [s.name for s in (*RECORDED, *FORMANT)],
        "held_out": "voices that were not trained on; nor were the languages ca, te, nl, hu and ja",
        "measured": measure(task.model, all_spoken(HELD_OUT, given.held_out, given.work / "speech", progress)),
    }
    card = card_of("Articulation", record, about)
    save_bundled(given.out, task.model.state_dict(), card)
    return card


if __name__ == "__main__":
    raise SystemExit(main())
