"""wav2vec 2.0 features: what hearing speech in blocks changes, speed and memory.

    python benchmarks/wav2vec2.py borders speech.wav              blocks against the whole, by context
    python benchmarks/wav2vec2.py speed speech.wav --minutes 10   the speech repeated; one core

Uses the weights of `lipwright models add wav2vec2`; `--random base` (or large) measures with untrained ones, which
say nothing of what the features are good for. Differences are root mean squares over channels, each channel in units
of its own deviation over time in the whole run.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lipwright.cli.machine import machine
from lipwright.core import weights
from lipwright.core.checkpoint import save_tensors
from lipwright.core.clock import SAMPLE_RATE
from lipwright.core.config import to_dict
from lipwright.core.contracts import F32
from lipwright.core.files import write_json
from lipwright.core.peak import peak_mb
from lipwright.core.wav2vec2_weights import Wav2Vec2Config, load
from lipwright.media.audio import read_audio
from lipwright.speech.features import FeatureReader, compute
from lipwright.speech.source import array_source
from lipwright.speech.wav2vec2 import SAMPLES_PER_FRAME, Wav2Vec2, utterance
from lipwright.speech.wav2vec2_network import Wav2Vec2Network

LAYOUTS = {"base": Wav2Vec2Config(), "large": Wav2Vec2Config(1024, 24, 16, 4096, (512,) * 7, True, "layer", True)}
SIZE = Wav2Vec2.block_frames


def bring_random(layout: str, folder: str) -> None:
    """Install untrained weights of a published layout in a folder of their own."""
    torch.manual_seed(0)
    config = LAYOUTS[layout]
    os.environ["LIPWRIGHT_MODELS"] = folder
    target = weights.folder() / weights.known("wav2vec2").file_name
    save_tensors(target, Wav2Vec2Network(config).state_dict(), to_dict(config))


def hard_blocks(network: Wav2Vec2Network, speech: F32, context: int) -> F32:
    """Rows of blocks heard with `context` frames on each side and joined without a fade."""
    frames, source = len(speech) // SAMPLES_PER_FRAME, array_source(speech)
    rows = []
    for first in range(0, frames, SIZE):
        start, stop = first - context, first + SIZE + context
        heard = utterance(network, source(start * SAMPLES_PER_FRAME, stop * SAMPLES_PER_FRAME))
        rows.append(heard[context : context + SIZE])
    return np.concatenate(rows)[:frames]


def against_whole(rows: F32, whole: F32) -> dict[str, float]:
    """Difference of rows and of steps from row to row, at borders and elsewhere."""
    std = whole.std(0)
    apart = np.sqrt((((rows - whole) / std) ** 2).mean(1))
    step = np.sqrt((((np.diff(rows, axis=0) - np.diff(whole, axis=0)) / std) ** 2).mean(1))
    border = np.arange(SIZE, len(rows), SIZE) - 1
    return {
        "rows": round(float(np.sqrt((apart**2).mean())), 3),
        "step at borders": round(float(step[border].mean()), 3),
        "step elsewhere": round(float(np.delete(step, border).mean()), 3),
        "true step": round(float(np.sqrt(((np.diff(whole, axis=0) / std) ** 2).mean())), 3),
    }


def borders(speech: F32, contexts: list[int]) -> list[dict[str, Any]]:
    """One row per context, and the feature itself."""
    config, state = load(weights.folder() / weights.known("wav2vec2").file_name)
    network = Wav2Vec2Network(config).eval()
    network.load_state_dict(state)
    whole = utterance(network, speech)
    found: list[dict[str, Any]] = []
    for context in contexts:
        found.append({"context_s": context / 25} | against_whole(hard_blocks(network, speech, context), whole))
        print(found[-1], flush=True)
    feature = compute("wav2vec2", array_source(speech), 0, len(whole))
    found.append({"context_s": Wav2Vec2.context_frames / 25, "fade": True} | against_whole(feature, whole))
    print(found[-1], flush=True)
    return found


def speed(speech: F32, minutes: float) -> list[dict[str, Any]]:
    """Speed by processor time and peak memory so far, minute by minute; the speech is never held at its length."""

    def source(start: int, stop: int) -> F32:
        at = np.arange(start, stop)
        return np.where(at >= 0, speech[at % len(speech)], 0).astype(np.float32)

    torch.set_num_threads(1)
    reader, found = FeatureReader(source, ["wav2vec2"]), []
    began, every = time.process_time(), 1500
    for first in range(0, round(minutes * 1500), SIZE):
        reader.read(first, SIZE)
        if (first + SIZE) % every == 0:
            seconds = (first + SIZE) / 25
            realtime = round(seconds / (time.process_time() - began), 2)
            found.append({"minutes": seconds / 60, "x real time": realtime, "peak MB": peak_mb()})
            print(found[-1], flush=True)
    return found


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("what", choices=("borders", "speed"))
    options.add_argument("speech", type=Path)
    options.add_argument("--random", choices=sorted(LAYOUTS), help="untrained weights instead of the installed ones")
    options.add_argument("--seconds", type=float, default=40, help="of borders")
    options.add_argument("--contexts", type=int, nargs="+", default=[0, 25, 100, 400], help="of borders, in frames")
    options.add_argument("--minutes", type=float, default=10, help="of speed")
    options.add_argument("--json", type=Path, help="write here too")
    return options


def main() -> None:
    chosen = parser().parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if chosen.random:
            bring_random(chosen.random, folder)
        speech = read_audio(chosen.speech)
        if chosen.what == "borders":
            frames = int(min(chosen.seconds, len(speech) / SAMPLE_RATE) * 25)
            found = borders(speech[: frames * SAMPLES_PER_FRAME], chosen.contexts)
        else:
            found = speed(speech, chosen.minutes)
    if chosen.json:
        write_json(chosen.json, {"benchmark": chosen.what, "rows": found, "machine": machine()})


if __name__ == "__main__":
    main()
