"""What the programs share that train the weights which come with the package: how they run, what they leave."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import lipwright
from lipwright.core.bars import Bars
from lipwright.core.checkpoint import save_tensors
from lipwright.core.files import write_json
from lipwright.core.progress import Progress
from lipwright.core.script import run_script
from lipwright.train.loop import TrainingRecord


def run_training(train: Callable[[Progress], dict[str, Any]], kept: str) -> int:
    """Exit code of a training as `core.script.run_script`, which prints the card that it gives.

    Args: `kept` says what the folder of work keeps after an interruption.
    """

    def work() -> None:
        with Bars() as bars:
            card = train(bars)
        print(json.dumps(card, indent=1))

    return run_script(work, lambda: f"{kept}, --resume goes on with the training")


def card_of(name: str, record: TrainingRecord, about: Mapping[str, Any]) -> dict[str, Any]:
    """What goes with weights: whose, made by what, how long trained and how well; and what else there is to say."""
    return {
        "name": name,
        "lipwright": lipwright.__version__,
        "torch": torch.__version__,
        "steps": record.steps,
        "best_step": record.best_step,
        "seconds": round(record.seconds),
        "validation": record.validation,
        **about,
    }


def save_bundled(out: Path, weights: Mapping[str, Tensor], card: dict[str, Any]) -> None:
    """Weights in half precision with their card as metadata, and the card beside them."""
    halves = {k: v.half() if v.is_floating_point() else v for k, v in weights.items()}
    save_tensors(out, halves, card)
    write_json(out.with_suffix(".json"), card)
