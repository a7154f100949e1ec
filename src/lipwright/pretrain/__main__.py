"""`python -m lipwright.pretrain`: learn on rendered people what the neural face renderer begins from."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from lipwright.core import parallel
from lipwright.core.config import to_dict
from lipwright.core.device import torch_device
from lipwright.core.files import make_folder
from lipwright.core.png import write_png
from lipwright.core.progress import Progress
from lipwright.face.ict import load_ict
from lipwright.pretrain.crowd import Crowd
from lipwright.pretrain.people import FIRST, FIRST_HELD_OUT, Filmed, packed_person
from lipwright.render.neural_face.config import NONE, NeuralFaceConfig, preset
from lipwright.render.neural_face.packed import load_packed
from lipwright.render.neural_face.start import contents
from lipwright.render.neural_face.task import NeuralFaceTask
from lipwright.train.bundled import card_of, run_training, save_bundled
from lipwright.train.loop import Budget, Loop, TrainingRecord


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(prog="python -m lipwright.pretrain", description=__doc__)
    p.add_argument("-o", "--out", type=Path, default=Path("face_start.safetensors"), help="weights; the card beside")
    p.add_argument("--model", type=Path, help="ict_facekit_light.npz (default: as for the presenter)")
    p.add_argument("--work", type=Path, default=Path("runs/pretrain"), help="folder of rendered people, kept")
    p.add_argument("--preset", default="draft", help="of meta-talk's renderer")
    p.add_argument("--people", type=int, default=15, help="rendered people to learn from")
    p.add_argument("--seconds", type=float, default=Filmed.seconds, help="about as long each speaks")
    p.add_argument("--size", type=int, default=Filmed.size, help="pixels of their square pictures")
    p.add_argument("--budget", default="36m", help="training time or steps, as 36m or '4000 steps'")
    p.add_argument("--device", default="auto")
    p.add_argument("--resume", action="store_true", help="go on with the training in --work")
    return p


def main(arguments: list[str] | None = None) -> int:
    """Run; 0 done, 2 bad input (one sentence on standard error), 130 interrupted."""
    given = parser().parse_args(arguments)
    return run_training(lambda progress: _train(given, progress), "rendered people are kept")


def _train(given: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    config = replace(preset(given.preset), start=NONE)
    device = torch_device(given.device)
    with parallel.group(device):
        if parallel.leads():
            _people(given, config, progress)
        parallel.wait()
        judged, *people = (load_packed(file)[0] for file in _people(given, config, progress))
        task = NeuralFaceTask(config, Crowd(people, judged), 0, device)
        record = Loop(task, make_folder(given.work), Budget.parse(given.budget), "start", progress).run(given.resume)
    return _written(given, config, task, record) if parallel.leads() else {}


def _people(given: argparse.Namespace, config: NeuralFaceConfig, progress: Progress) -> list[Path]:
    """Packed files: first of the one that is judged by, then of all that are learnt from; made where they lack."""
    filmed, model = Filmed(given.seconds, given.size), load_ict(given.model)
    numbers = [FIRST_HELD_OUT, *range(FIRST, FIRST + given.people)]
    return [packed_person(model, n, filmed, config, given.work, progress) for n in numbers]


def _written(
    given: argparse.Namespace, config: NeuralFaceConfig, task: NeuralFaceTask, record: TrainingRecord
) -> dict[str, Any]:
    """The weights, and beside them their card and pictures of the person who was not learnt from; gives the card."""
    about = {
        "trained_on": f"{given.people} rendered people of about {given.seconds:g} s, in changing colours and mirrored",
        "judged_by": "one rendered person who was not learnt from",
        "neural_face": to_dict(config),
    }
    card = card_of("Start of the neural face renderer", record, about)
    save_bundled(given.out, contents(task.modules()), card)
    for name, picture in (("preview", task.preview()), ("mouths", task.mouths())):
        write_png(given.out.with_name(f"{given.out.stem}-{name}.png"), picture)
    return card


if __name__ == "__main__":
    raise SystemExit(main())
