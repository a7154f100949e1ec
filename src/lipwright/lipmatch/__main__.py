"""`python -m lipwright.lipmatch`: train LipMatch on rendered mouths and synthetic voices."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from lipwright.core.progress import Progress
from lipwright.face.ict import load_ict
from lipwright.lipmatch.card import measure
from lipwright.lipmatch.clips import TalkingMouth, footage
from lipwright.lipmatch.dataset import Wanted, load_all, render_all
from lipwright.lipmatch.training import Fold, MatchTask, TrainingConfig
from lipwright.train.bundled import card_of, run_training, save_bundled
from lipwright.train.loop import Budget, Loop, TrainingRecord

VALIDATION_PART = 10
"""One clip in so many chooses the weights that are kept."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(prog="python -m lipwright.lipmatch", description=__doc__)
    p.add_argument("-o", "--out", type=Path, default=Path("lipmatch.safetensors"), help="weights; the card beside them")
    p.add_argument("--model", type=Path, help="ict_facekit_light.npz (default: as for the presenter)")
    p.add_argument("--work", type=Path, default=Path("runs/lipmatch"), help="folder of rendered clips, kept")
    p.add_argument("--identities", type=int, default=Wanted.identities, help="rendered people to train on")
    p.add_argument("--seconds", type=float, default=Wanted.seconds, help="rendered of each")
    p.add_argument("--budget", default="15m", help="training time or steps, as 15m or '900 steps'")
    p.add_argument("--footage", type=Path, nargs="*", default=[], help="prepared subjects to train on as well")
    p.add_argument("--resume", action="store_true", help="go on with the training in --work")
    return p


def main(arguments: list[str] | None = None) -> int:
    """Run; 0 done, 2 bad input (one sentence on standard error), 130 interrupted."""
    given = parser().parse_args(arguments)
    return run_training(lambda progress: _train(given, progress), "rendered clips are kept")


def _train(given: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    wanted = Wanted(identities=given.identities, seconds=given.seconds)
    render_all(load_ict(given.model), given.work, wanted, progress)
    clips, tests = load_all(given.work, wanted)
    own = [clip for folder in given.footage for clip in footage(folder, given.seconds)]
    config = TrainingConfig()
    validation = [clip for i, clip in enumerate(clips) if i % VALIDATION_PART == 0]
    training = [clip for i, clip in enumerate(clips) if i % VALIDATION_PART] + own
    task = MatchTask(Fold.of(training, config.rooms, config.seed), Fold.of(validation, 1, config.seed), config)
    loop = Loop(task, given.work, Budget.parse(given.budget), "lipmatch", progress)
    record = loop.run(resume=given.resume)
    task.model.eval()
    card = _card(task, tests, training, record, [str(f.name) for f in given.footage])
    save_bundled(given.out, task.model.state_dict(), card)
    return card


def _card(
    task: MatchTask,
    tests: list[TalkingMouth],
    training: list[TalkingMouth],
    record: TrainingRecord,
    subjects: list[str],
) -> dict[str, Any]:
    seconds = sum(len(clip.mouths) for clip in training) / 25
    about = {
        "trained_on": f"{len(training)} clips, {seconds:.0f} s: rendered identities and synthetic voices"
        + (f", and footage of {', '.join(subjects)}" if subjects else ""),
        "held_out": "rendered identities and synthetic voices that were not trained on",
        "measured": measure(task.model, tests),
    }
    return card_of("LipMatch", record, about)


if __name__ == "__main__":
    raise SystemExit(main())
