"""Untrained weights in the place of published ones: a control that says what the network's size alone gives."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from lipwright.core import weights
from lipwright.core.checkpoint import save_tensors
from lipwright.core.config import to_dict
from lipwright.core.wav2vec2_weights import Wav2Vec2Config


@contextmanager
def random_wav2vec2(folder: Path, seed: int, config: Wav2Vec2Config | None = None) -> Iterator[None]:
    """Within it, wav2vec 2.0 has random weights (of the base layout); all other brought models stay as they are.

    Args: `folder` takes the weights; it stands in for the models folder.
    """
    from lipwright.speech.wav2vec2_network import Wav2Vec2Network

    own, kind, before = weights.folder(), weights.known("wav2vec2"), os.environ.get("LIPWRIGHT_MODELS")
    folder.mkdir(parents=True, exist_ok=True)
    for file in own.iterdir() if own.is_dir() else ():
        if not file.name.startswith(kind.file_name) and not (folder / file.name).exists():
            (folder / file.name).symlink_to(file.resolve())
    config = config or Wav2Vec2Config()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        save_tensors(folder / kind.file_name, Wav2Vec2Network(config).state_dict(), to_dict(config))
    os.environ["LIPWRIGHT_MODELS"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["LIPWRIGHT_MODELS"]
        else:
            os.environ["LIPWRIGHT_MODELS"] = before
