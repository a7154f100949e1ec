"""Hours of landmark tracks without pictures: many voices, several people, wide head turns, exact truth.

    python -m lipwright.presenter.tracks -o tracks --minutes 120

Real footage of a minute, nearly frontal, cannot say what head pose is worth to a motion model; these tracks can. The
folder holds a clip of about a minute for each minute: NAME.wav (16 kHz), NAME_phones.json and NAME.npz with landmarks,
pose and, for the protocol `cross`, a template (other speech over other head motion) and the truth over it. set.json
lists them with person, voice and split. The same options and speech engines give the same tracks bit for bit; an
interrupted run goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from lipwright.core.clock import SAMPLE_RATE
from lipwright.core.contracts import F32
from lipwright.core.errors import ConfigError, SubjectError
from lipwright.core.files import atomic_file, make_folder, write_json
from lipwright.core.progress import Progress, Silent
from lipwright.core.script import run_script
from lipwright.face.ict import IctModel, load_ict
from lipwright.media.audio import read_audio, write_wav
from lipwright.presenter.motion import MotionConfig, head_motion
from lipwright.presenter.rig import Rig, build_rig, identity_coefficients
from lipwright.presenter.scene import accents, combine, load_phones, perform, save_phones
from lipwright.presenter.sentences import text_of
from lipwright.speech.tts import Phone, engines, synthesise

SCHEMA = 1
_SIZE = 512
_WORDS = 185
"""About a minute."""
_SPLITS = {4: "validation", 9: "test"}
"""Of every ten clips."""
_UNIT = _SIZE / 8192
_POINTS = ("landmarks", "cross_landmarks", "template_landmarks")


@dataclass(frozen=True)
class TrackSet:
    """What to make; ConfigError for values out of range."""

    minutes: int = 120
    """Clips of about a minute each."""
    people: int = 4
    """Identities, in turn."""
    yaw_deg: float = 35.0
    """Largest turn."""
    pitch_deg: float = 20.0
    """Largest nod."""
    seed: int = 0
    """Of everything that is drawn."""

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("minutes", self.minutes, 1, 10_000), ("people", self.people, 1, 1000),
            ("yaw", self.yaw_deg, 0, 35), ("pitch", self.pitch_deg, 0, 20),
        ):  # fmt: skip
            if not low <= value <= high:
                raise ConfigError(f"--{name} {value:g} is outside [{low}, {high}]; choose a value inside")


@dataclass(frozen=True)
class Clip:
    """One clip of a set, as read back."""

    name: str
    person: int
    voice: str
    split: str
    """'train', 'validation' or 'test'."""
    samples: F32
    """(S,) 16 kHz."""
    phones: tuple[Phone, ...]
    landmarks_px: F32
    """(T, 68, 2) at 25 fps, of a picture of 512 px."""
    pose_rad: F32
    """(T, 3)."""
    cross_landmarks_px: F32
    """(T, 68, 2) of the same speech over other head motion."""
    template_landmarks_px: F32
    """(T, 68, 2) of other speech over that other head motion: what a template shows."""
    cross_pose_rad: F32
    """(T, 3) of both."""


def make_tracks(model: IctModel, wanted: TrackSet, folder: Path, progress: Progress | None = None) -> Path:
    """Make what is missing of a set and return its folder; ConfigError when another set lies there."""
    progress = progress or Silent()
    make_folder(folder)
    listed = _listed(folder, wanted)
    voices = _voices()
    rigs = lru_cache(maxsize=4)(lambda person: build_rig(model, identity_coefficients(100 + person)))
    progress.start("tracks", wanted.minutes)
    for index in range(len(listed["clips"]), wanted.minutes):
        listed["clips"].append(_make(rigs, wanted, voices, folder, index))
        write_json(folder / "set.json", listed)
        progress.update(index + 1)
    progress.finish()
    return folder


def read_tracks(folder: Path) -> Iterator[Clip]:
    """The clips of a set, one by one; SubjectError when it is none or is not whole."""
    for row in read_list(folder)["clips"]:
        try:
            with np.load(folder / f"{row['name']}.npz", allow_pickle=False) as file:
                arrays = {key: file[key] for key in file.files}
            points = {k: (arrays[k] * _UNIT).astype(np.float32) for k in _POINTS}
            samples, phones = (
                read_audio(folder / f"{row['name']}.wav"),
                load_phones(folder / f"{row['name']}_phones.json"),
            )
        except (OSError, ValueError, KeyError) as error:
            raise SubjectError(f"{folder}: clip {row['name']} cannot be read ({error}); make the set again") from error
        yield Clip(
            row["name"], row["person"], row["voice"], row["split"], samples, phones, points["landmarks"],
            arrays["pose_rad"], points["cross_landmarks"], points["template_landmarks"], arrays["cross_pose_rad"],
        )  # fmt: skip


def is_tracks(folder: str | os.PathLike[str]) -> bool:
    """Whether a folder is a set of tracks."""
    return (Path(folder) / "set.json").is_file()


def read_list(folder: Path) -> dict[str, Any]:
    """set.json of a whole set."""
    try:
        listed = json.loads((folder / "set.json").read_text(encoding="utf-8"))
        if listed["schema"] != SCHEMA or len(listed["clips"]) < listed["asked"]["minutes"]:
            raise ValueError(f"{len(listed['clips'])} of {listed['asked']['minutes']} clips")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SubjectError(
            f"{folder} is no whole set of tracks ({error}); run: python -m lipwright.presenter.tracks -o {folder}"
        ) from error
    return dict(listed)


def _listed(folder: Path, wanted: TrackSet) -> dict[str, Any]:
    fresh = {"schema": SCHEMA, "asked": asdict(wanted), "clips": []}
    if not is_tracks(folder):
        return fresh
    listed = json.loads((folder / "set.json").read_text(encoding="utf-8"))
    before = listed.get("asked", {}) | {"minutes": wanted.minutes}
    if listed.get("schema") != SCHEMA or before != asdict(wanted):
        raise ConfigError(f"{folder} holds another set of tracks ({before}); choose another folder")
    return fresh | {"clips": listed["clips"]}


def _voices() -> list[tuple[str, str]]:
    """(engine, voice) of every English voice that tells phone times."""
    found = [
        (name, voice)
        for name, engine in engines().items()
        if engine.available()
        for voice in engine.voices("en")
        if not voice.startswith("English_") and voice not in ("awb_time", "kal")
    ]
    if not found:
        raise ConfigError("no speech engine with phone times is here; install flite or espeak-ng")
    return found


def _make(rigs: Any, wanted: TrackSet, voices: Sequence[tuple[str, str]], folder: Path, index: int) -> dict[str, Any]:
    """Make one clip and return its line of the list."""
    rng = np.random.default_rng([wanted.seed, index])
    person, (engine, voice) = (index + index // 10) % wanted.people, voices[int(rng.integers(len(voices)))]
    rate = round(float(rng.uniform(0.85, 1.25)), 2)
    speech = synthesise(text_of(rng, _WORDS), engine, voice, "en", rate)
    rig: Rig = rigs(person)
    roll = min(12.0, MotionConfig.roll_deg * max(1.0, wanted.yaw_deg / 15))
    moves = MotionConfig(yaw_deg=wanted.yaw_deg, pitch_deg=wanted.pitch_deg, roll_deg=roll)
    seeds = [int(s) for s in rng.integers(0, 2**31, 2)]
    own = perform(rig, speech, seed=seeds[0], config=moves, size=_SIZE)
    moved = head_motion(len(own), seeds[1], moves, accents(speech))
    later = np.roll(own.lips, len(own) // 2, axis=0)  # what is said half a clip away: other speech, same person
    other, template = (combine(rig, speech, lips, moved, _SIZE) for lips in (own.lips, later))
    name = f"{index:04d}"
    save_phones(folder / f"{name}_phones.json", own.phones, speech.text, f"{engine} {voice}")
    write_wav(folder / f"{name}.wav", speech.at(SAMPLE_RATE).samples)
    with atomic_file(folder / f"{name}.npz") as temporary:
        np.savez_compressed(
            temporary,
            landmarks=_compact(own.landmarks_px),
            pose_rad=own.pose_rad,
            cross_landmarks=_compact(other.landmarks_px),
            template_landmarks=_compact(template.landmarks_px),
            cross_pose_rad=other.pose_rad,
        )
    return {
        "name": name, "person": person, "voice": f"{engine} {voice}", "rate": rate, "frames": len(own),
        "split": _SPLITS.get(index % 10, "train"),
    }  # fmt: skip


def _compact(points: F32) -> np.ndarray:
    return np.clip(np.round(points / _UNIT), -32768, 32767).astype(np.int16)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(
        prog="python -m lipwright.presenter.tracks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("-o", "--output", type=Path, required=True, help="folder of the set")
    p.add_argument("--minutes", type=int, default=TrackSet.minutes, help="clips of about a minute")
    p.add_argument("--people", type=int, default=TrackSet.people, help="identities")
    p.add_argument("--yaw", type=float, default=TrackSet.yaw_deg, help="largest turn in degrees, to 35")
    p.add_argument("--pitch", type=float, default=TrackSet.pitch_deg, help="largest nod in degrees, to 20")
    p.add_argument("--seed", type=int, default=0, help="of everything that is drawn")
    p.add_argument("--model", type=Path, help="ict_facekit_light.npz, as for lipwright.presenter")
    return p


def main(arguments: list[str] | None = None) -> int:
    """The command line; 0 done, 2 bad input, 130 interrupted."""
    from lipwright.core.bars import Bars

    a = parser().parse_args(arguments)

    def work() -> None:
        wanted = TrackSet(a.minutes, a.people, a.yaw, a.pitch, a.seed)
        with Bars() as bars:
            made = make_tracks(load_ict(a.model), wanted, a.output, bars)
        print(made)

    return run_script(work, lambda: f"finished clips are kept in {a.output}; run the same command again to go on")


if __name__ == "__main__":
    sys.exit(main())
