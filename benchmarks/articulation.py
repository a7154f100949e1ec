"""What the recogniser of articulation hears in real recordings with transcripts, beside pocketsphinx' phone loop.

    python benchmarks/articulation.py en:en_male_1961.flac de:de_reading.mp3 --json benchmarks/results/articulation.json

Each recording is LANGUAGE:FILE with its transcript beside it as FILE.txt. The decoded phones are counted against
espeak-ng's pronunciation of the transcript, which no recogniser has seen; English steps and boundaries also against
pocketsphinx' forced alignment.
"""

from __future__ import annotations

import argparse
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from lipwright.cli.results import command_line, markdown, result, table
from lipwright.core.clock import SAMPLE_RATE
from lipwright.core.contracts import F32
from lipwright.core.errors import SpeechError
from lipwright.core.files import write_json
from lipwright.hearing.card import accuracy, error_rate, loop_posteriors, order
from lipwright.hearing.dataset import columns_of, labels_at
from lipwright.media.audio import read_audio
from lipwright.speech.align_phones import align_phones
from lipwright.speech.articulation import LOOKS, PHONES, WEIGHTS, Recogniser, load_articulation
from lipwright.speech.exact import label_of
from lipwright.speech.heard import Certain, Probable
from lipwright.speech.phone_times import phone_times
from lipwright.speech.phonemise import phonemise
from lipwright.speech.phones_heard import best_path
from lipwright.speech.source import array_source
from lipwright.speech.tts import Phone

SHARES = (0.3, 0.5, 0.7)
"""Of ours in the mean of both posteriors."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("recordings", nargs="+", help="LANGUAGE:FILE, with FILE's transcript beside it (.txt)")
    options.add_argument("--weights", type=Path, default=WEIGHTS)
    options.add_argument("--json", type=Path, default=Path("runs/articulation.json"))
    return options


def main() -> None:
    options = parser().parse_args()
    recogniser = Recogniser(load_articulation(options.weights)[0])
    found = {}
    for given in options.recordings:
        language, _, name = given.partition(":")
        found[Path(name).stem] = heard(Path(name), language, recogniser)
    names = {key for one in found.values() for key in one}
    rows = [[name, *(one.get(name) for one in found.values())] for name in sorted(names)]
    tables = [table("recordings of real people", ["", *found], rows)]
    write_json(options.json, result(command_line("benchmarks/articulation.py", sys.argv[1:]), tables, data=found))
    print(markdown(result(command_line("benchmarks/articulation.py", sys.argv[1:]), tables)))


def heard(file: Path, language: str, recogniser: Recogniser) -> dict[str, Any]:
    """Figures of one recording: shares, ms, and times real time."""
    samples, text = read_audio(file), file.with_suffix(".txt").read_text(encoding="utf-8")
    words = phonemise(text, language)
    wanted = order(np.array([PHONES.index(label_of(symbol)) for word in words for symbol in word]))
    began = time.process_time()
    ours = recogniser.posteriors(array_source(samples), 0, len(samples) // 160)
    figures: dict[str, Any] = {"x real time": round(len(samples) / SAMPLE_RATE / (time.process_time() - began))}
    loop = loop_posteriors(samples)
    shipped = Probable(recogniser, Certain()).posteriors(array_source(samples), 0, len(ours))
    routes = {"ours": ours, "pocketsphinx": loop, "shipped": shipped}
    routes |= {f"both, {s:g} ours": s * ours + (1 - s) * loop for s in SHARES}
    for name, posteriors in routes.items():
        figures |= {f"{name}: {key}": value for key, value in against_text(posteriors, wanted).items()}
    if language.startswith("en"):
        forced = [Phone(*p) for p in phone_times(text, array_source(samples), len(samples))]
        truth = steps_of(forced, len(ours))
        for name, posteriors in routes.items():
            right = accuracy(posteriors, truth)
            figures |= {f"{name}: {key}": round(right[key], 3) for key in ("lips", "phone", "silence")}
        forced_words = words_of(forced)
        figures |= boundaries(samples, forced_words, [p.start_s for p in forced], recogniser)
    return figures


def boundaries(
    samples: F32, words: list[list[str]], forced_s: list[float], recogniser: Recogniser
) -> dict[str, float | str]:
    """How far our alignment of the words begins phones from pocketsphinx' times, or that it refuses the words."""
    try:
        aligned = align_phones(array_source(samples), len(samples), words, recogniser)
    except SpeechError as error:
        return {"boundaries to pocketsphinx, mean ms": f"refused: {error}"}
    apart = np.abs(np.array([p.start_s for p in aligned if p.symbol != "pau"]) - np.array(forced_s)) * 1000
    return {
        "boundaries to pocketsphinx, mean ms": round(float(apart.mean()), 1),
        "boundaries to pocketsphinx, median ms": round(float(np.median(apart)), 1),
    }


def against_text(posteriors: F32, wanted: list[int]) -> dict[str, float]:
    """Edits per phone, and per look-alike, of the decoded order against a pronunciation."""
    path, class_of = best_path(posteriors), LOOKS.argmax(1)
    lips = [int(c) for c in class_of[wanted]]
    return {
        "phone error": round(error_rate(order(path), wanted), 3),
        "lips error": round(error_rate(order(class_of[path]), order(np.array(lips))), 3),
    }


def steps_of(phones: list[Phone], n_steps: int) -> np.ndarray:
    """(n_steps,) columns of `PHONES`."""
    return labels_at(*columns_of(phones), n_steps)


def words_of(phones: list[Phone]) -> list[list[str]]:
    """Phones with a pause where their times have a gap."""
    words = [[phones[0].symbol]]
    for before, phone in pairwise(phones):
        if phone.start_s > before.end_s + 1e-3:
            words.append([])
        words[-1].append(phone.symbol)
    return words


if __name__ == "__main__":
    main()
