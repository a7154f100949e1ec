"""The recogniser of articulation: what ships hears unheard voices, and no cut of the speech changes its values."""

from __future__ import annotations

import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from lipwright.core.checkpoint import load_tensors, save_tensors
from lipwright.core.errors import CheckpointError
from lipwright.speech.articulation import LOOKS, PHONES, Articulation, Recogniser, load_articulation
from lipwright.speech.articulation_net import AHEAD, BACK, ArticulationNet
from lipwright.speech.exact import label_of
from lipwright.speech.features import FeatureReader, compute
from lipwright.speech.heard import Certain, Probable
from lipwright.speech.mel import CHANNELS, HOP, LEVEL_AHEAD, PAD, WINDOW, centred, energies
from lipwright.speech.phones import CLASSES
from lipwright.speech.phones_heard import best_path, phones_heard
from lipwright.speech.source import SampleSource, array_source
from lipwright.speech.tts import Speech, synthesise

needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
needs_flite = pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")


def voice_like(seconds: float = 7.0) -> np.ndarray:
    """A buzz whose loudness and colour change."""
    t = np.arange(round(seconds * 16_000)) / 16_000
    rng = np.random.default_rng(2)
    buzz = np.sign(np.sin(2 * np.pi * 120 * t)) * (0.5 + 0.5 * np.sin(2 * np.pi * 3 * t))
    return (0.2 * buzz + 0.02 * rng.normal(size=len(t))).astype(np.float32)


def test_phones_are_those_of_the_classes() -> None:
    assert PHONES[0] == "SIL"
    assert len(PHONES) == len(set(PHONES)) == 40
    assert np.array_equal(LOOKS.sum(1), np.ones(40))
    assert all(LOOKS[PHONES.index(p), list(CLASSES).index("bilabial")] for p in ("P", "B", "M"))


def test_the_look_ahead_is_under_200_ms() -> None:
    samples = voice_like(6)
    changed = samples.copy()
    at = 4 * 16_000
    changed[at:] = 0
    before, after = (Recogniser().posteriors(array_source(x), 0, 600) for x in (samples, changed))
    first = int(np.flatnonzero(np.abs(before - after).max(1) > 0)[0])
    seen_ms = (AHEAD + LEVEL_AHEAD) * 10 + WINDOW / 32
    assert seen_ms <= 200
    assert 4000 - (first + 0.5) * 10 <= seen_ms


def test_silence_is_silence() -> None:
    assert np.array_equal(compute("articulation", array_source(np.zeros(0, np.float32)), -3, 7)[:, 0], np.ones(7))


def test_chunks_equal_the_whole_bit_for_bit() -> None:
    source = array_source(voice_like())
    whole = compute("articulation", source, -5, 190)
    reader = FeatureReader(source, ["articulation"])
    pieces = [reader.read(first, min(17, 185 - first))["articulation"] for first in range(-5, 185, 17)]
    assert whole.shape == (190, 40)
    assert np.array_equal(whole, np.concatenate(pieces))
    assert np.array_equal(Recogniser().posteriors(source, 333, 77), Recogniser().posteriors(source, 0, 700)[333:410])
    assert np.allclose(whole.sum(1), 1, atol=1e-4)


def test_an_hour_in_is_heard_as_at_once() -> None:
    """Constant memory: a block reads its own surroundings only, wherever it lies."""
    samples, longest, hour = voice_like(8), 0, 90_112 * 640  # a whole number of blocks

    def late(start: int, stop: int) -> np.ndarray:
        nonlocal longest
        longest = max(longest, stop - start)
        return source(start - hour, stop - hour)

    source: SampleSource = array_source(samples)
    assert np.array_equal(Articulation().block(late, 704), Articulation().block(source, 0))
    assert longest < 12 * 16_000


def test_level_does_not_matter() -> None:
    """Ten times the power of speech that is well above the floor, which is noise at -70 dB."""
    power = energies(np.pad(voice_like(2), PAD), 200)
    loud, quiet = centred(power * np.float32(10)), centred(power)
    assert np.abs(loud - quiet)[50:].max() < 0.05


def test_a_tone_is_in_its_channel() -> None:
    t = np.arange(16_000) / 16_000
    power = energies(np.sin(2 * np.pi * 1000 * t).astype(np.float32), 90)
    edges = np.linspace(2595 * np.log10(1 + 60 / 700), 2595 * np.log10(1 + 7600 / 700), CHANNELS + 2)
    mel = 2595 * np.log10(1 + 1000 / 700)
    assert int(power.mean(0).argmax()) == int(np.abs(edges[1:-1] - mel).argmin())


def test_zeros_beyond_the_ends_of_a_row_cannot_reach_a_block() -> None:
    model = ArticulationNet(40)
    rows = torch.randn(1, CHANNELS, 200)
    cut = model(rows[:, :, :150])[:, :, BACK : 150 - AHEAD]
    assert torch.allclose(model(rows)[:, :, BACK : 150 - AHEAD], cut, atol=1e-5)


def right_looks(speech: Speech, ears: Recogniser | Probable | None = None) -> float:
    """Share of steps of speech whose look is found."""
    samples = speech.at(16_000).samples
    found = (ears or Recogniser()).posteriors(array_source(samples), 0, len(samples) // HOP)
    looks, hits = (found @ LOOKS).argmax(1), []
    for phone in speech.phones or ():
        column = PHONES.index(label_of(phone.symbol))
        middle = int((phone.start_s + phone.end_s) / 2 * 100)
        if column and middle < len(looks):
            hits.append(looks[middle] == LOOKS[column].argmax())
    return float(np.mean(hits))


@needs_flite
def test_the_shipped_weights_hear_a_recorded_voice_they_never_heard() -> None:
    speech = synthesise("Seven big boats move slowly down the river while people watch.", "flite", "slt")
    assert right_looks(speech) > 0.4  # one in 16 by chance
    assert right_looks(speech, Probable(loop=Certain())) > 0.5


@needs_espeak
def test_the_shipped_weights_hear_a_language_they_never_heard() -> None:
    speech = synthesise(
        "Mijn broer woont in een wit huis bij de bomen en leest een mooi boek.", "espeak-ng", None, "nl"
    )
    assert right_looks(speech) > 0.5


@needs_flite
def test_the_best_path_is_the_best_of_all() -> None:
    """Against every transition written out, and that a path is worth what it scores."""
    rng = np.random.default_rng(5)
    posteriors = rng.dirichlet(np.full(len(PHONES), 0.1), 60).astype(np.float32)
    log = np.log(posteriors.astype(np.float64) + 1e-4)
    change = np.where(np.eye(len(PHONES), dtype=bool), 0.0, -3.0)
    score = log[0]
    for row in log[1:]:
        score = (score[:, None] + change).max(axis=0) + row
    path = best_path(posteriors)
    worth = log[np.arange(60), path].sum() - 3 * np.count_nonzero(np.diff(path))
    assert worth == pytest.approx(score.max(), abs=1e-4)


def test_phones_heard_tile_the_recording() -> None:
    samples = synthesise("My mother made a big pot of tea.", "flite", "slt").at(16_000).samples
    phones = phones_heard(array_source(samples), len(samples))
    assert phones[0].start_s == 0
    assert phones[-1].end_s == len(samples) / 16_000
    assert all(a.end_s == b.start_s and a.symbol != b.symbol for a, b in pairwise(phones))
    assert sum(p.symbol == "m" for p in phones) >= 2


def test_bad_weights_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="missing"):
        load_articulation(tmp_path / "none.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(b"no weights")
    with pytest.raises(CheckpointError):
        load_articulation(tmp_path / "broken.safetensors")
    save_tensors(tmp_path / "other.safetensors", {"first.weight": torch.zeros(3)})
    with pytest.raises(CheckpointError, match="another model") as refusal:
        load_articulation(tmp_path / "other.safetensors")
    assert "\n" not in str(refusal.value)


def test_the_weights_are_small_and_carry_their_card() -> None:
    tensors, card = load_tensors(Path(sys.modules["lipwright.speech.articulation"].WEIGHTS))
    assert sum(t.numel() * t.element_size() for t in tensors.values()) < 2e6
    assert card["measured"]["mean"]["lips"] > 0.5
    assert {"trained_on", "held_out", "voices"} <= set(card)


def test_importing_the_features_imports_no_torch() -> None:
    code = "import sys, lipwright.speech.features, lipwright.speech.align_phones; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
