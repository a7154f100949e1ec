"""Long speech: memory against length, and drift between sound and picture, measured on the written files.

    python benchmarks/length.py memory --minutes 1 120          peak memory of speaking, a cheap renderer
    python benchmarks/length.py drift --minutes 20              offset minute by minute at 23.976, 25 and 29.97 fps
    python benchmarks/length.py prepare --minutes 1 10          memory and disk of preparing, the presenter repeated

`memory` runs a persona's own motion model (speech recognition and network) with a renderer that only draws a
square. `drift` speaks a beep every second through a motion model that opens the mouth with the sound's level and a
renderer that shows the opening as the brightness of a square; the file is then decoded and every beep's onset in
the sound compared with the square's onset in the pictures. Every run has a process of its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from lipwright.cli.assets import PRESENTER, persona_path
from lipwright.cli.machine import machine
from lipwright.core.clock import FPS, SAMPLE_RATE
from lipwright.core.contracts import F32, Conditions, FaceTrack, MotionInfo, Patch, RenderWindow
from lipwright.core.files import write_json
from lipwright.media.audio import AudioReader, read_audio
from lipwright.media.settings import STORE, EncoderSettings
from lipwright.media.video import VideoReader
from lipwright.media.writer import VideoWriter
from lipwright.persona.template import Template
from lipwright.subject.prepare import prepare
from lipwright.synthesis.pipeline import Synthesis
from lipwright.synthesis.setup import Setup
from lipwright.synthesis.speaker import Persona
from lipwright.synthesis.speaking import Speaking
from lipwright.synthesis.voice import voice_of_file

RATES = (Fraction(24_000, 1001), Fraction(25), Fraction(30_000, 1001))
SQUARE = 64
FAST = EncoderSettings(preset="ultrafast", crf=28)


class Level:
    """A motion model that opens the mouth with the level of the sound."""

    info = MotionInfo("landmarks", ("logfbank",))

    def predict(self, features: Mapping[str, F32], conditions: Conditions) -> F32:
        """(T, 29, 2): only the lower inner lip moves."""
        rows = features["logfbank"].mean(1).reshape(len(conditions.pose_rad), -1).mean(1)
        points = np.zeros((len(rows), 29, 2), np.float32)
        points[:, 18, 1] = np.clip((rows + 17) / 9, 0, 1)
        return points


class Square:
    """A renderer that shows the opening as brightness."""

    accepts, lookahead = "landmarks", 0
    mask = np.pad(np.ones((SQUARE - 2, SQUARE - 2), np.float32), 1)

    def reset(self) -> None:
        """Nothing to forget."""

    def footprint(self, track: FaceTrack) -> np.ndarray:
        """Nothing is read."""
        return np.tile([0, 0, 1, 1], (len(track), 1))

    def render(self, window: RenderWindow) -> Iterator[Patch]:
        """One square per frame, at the top left."""
        for points in window.target[: len(window.frames)]:
            level = float(points[18, 1] - points[14, 1])
            colour = np.full((SQUARE, SQUARE, 3), np.clip(level, 0, 255), np.uint8)
            yield Patch(colour, self.mask, np.eye(2, 3, dtype=np.float32))


def write_beeps(path: Path, minutes: float) -> None:
    """A beep of 200 ms every second over faint noise, 16 kHz, written second by second."""
    import wave

    rng, second = np.random.default_rng(0), np.arange(SAMPLE_RATE) / SAMPLE_RATE
    beep = np.where((second >= 0.4) & (second < 0.6), np.sin(2 * np.pi * 440 * second), 0)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        for _ in range(round(60 * minutes)):
            sound = 0.5 * beep + 1e-4 * rng.normal(size=SAMPLE_RATE)
            file.writeframes((32767 * np.clip(sound, -1, 1)).astype("<i2").tobytes())


def memory_run(minutes: float, folder: Path, persona: str, suffix: str) -> dict[str, Any]:
    """Speak for `minutes`; seconds and peak megabytes of this process."""
    voice = folder / "voice.wav"
    write_beeps(voice, minutes)
    loaded = Persona.load(persona_path(persona))
    loaded.renderers["square"] = Square()
    began = time.perf_counter()
    speaking = loaded.speak(voice, renderer="square")
    try:
        speaking.write(folder / f"out.{suffix}", FAST)
    finally:
        speaking.close()
    return {
        "minutes": minutes,
        "file": suffix,
        "seconds": round(time.perf_counter() - began, 1),
        "frames": speaking.n_frames,
    } | _peak()


def write_footage(path: Path, minutes: float) -> None:
    """The presenter over and over, 1080 lines, with its sound: written apart, so that it does not count."""
    sound = read_audio(PRESENTER)
    with VideoReader(PRESENTER, size=(1080, 1080)) as reader:
        frames = [frame.picture for frame in reader]
    n = len(frames)
    period = round(n / reader.fps * SAMPLE_RATE)
    once = np.pad(sound[:period], (0, max(period - len(sound), 0)))
    total = round(60 * minutes * reader.fps)
    speech = np.tile(once, -(-total // n))[: round(total / reader.fps * SAMPLE_RATE)]
    with VideoWriter(path, (1080, 1080), reader.fps, EncoderSettings(preset="ultrafast"), audio=speech) as writer:
        for t in range(total):
            writer.write(frames[t % n])


def prepare_run(minutes: float, folder: Path) -> dict[str, Any]:
    """Prepare footage of `minutes`; seconds, peak megabytes and bytes on the disk over those of the footage."""
    footage, subject = folder / "footage.mp4", folder / "footage.subject"
    subprocess.run([sys.executable, __file__, "footage", "--minutes", str(minutes), "--out", str(footage)], check=True)
    began = time.perf_counter()
    made = prepare(footage, subject)
    seconds = time.perf_counter() - began
    kept = sum(file.stat().st_size for file in subject.rglob("*") if file.is_file())
    found = {"minutes": minutes, "seconds": round(seconds, 1), "frames": len(made)}
    return found | {"disk_ratio": round(kept / footage.stat().st_size, 2)} | _peak()


def drift_run(minutes: float, folder: Path, fps: Fraction) -> dict[str, Any]:
    """Offsets of the beeps in a written file of `minutes`."""
    voice, clip, out = folder / "voice.wav", folder / "template.mp4", folder / "out.mp4"
    write_beeps(voice, minutes)
    with VideoWriter(clip, (256, 256), fps, STORE) as writer:
        for _ in range(50):
            writer.write(np.zeros((256, 256, 3), np.uint8))
    # Normalised opening 1 is brightness 200: the face's scale is made so.
    face = np.zeros((50, 68, 2), np.float32)
    face[:, :3, 0], face[:, 13:17, 0] = -200 / np.sqrt(7), 200 / np.sqrt(7)
    track = FaceTrack(
        face, np.zeros((50, 0, 3), np.float32), np.ones(50, np.float32), np.zeros((50, 3), np.float32), (256, 256)
    )
    heard = voice_of_file(voice)
    speaking = Speaking(Synthesis(Setup(heard, Template(clip, track), Level(), Square())), heard)
    try:
        speaking.write(out, FAST)
    finally:
        speaking.close()
    seen, sounds = picture_onsets(out), sound_onsets(out)
    n = min(len(seen), len(sounds))
    offsets = np.array(sounds[:n]) - np.array(seen[:n])
    per_minute = [round(1000 * float(np.median(offsets[m * 60 : m * 60 + 60])), 2) for m in range(n // 60)]
    with VideoReader(out) as reader:
        length = reader.info.fps
    return {
        "fps": str(fps), "minutes": minutes, "beeps": round(60 * minutes), "beeps_seen": len(seen),
        "beeps_heard": len(sounds), "file_fps": str(length), "offset_ms_by_minute": per_minute,
        "drift_ms": round(per_minute[-1] - per_minute[0], 2), "frame_ms": round(1000 / float(fps), 2),
    } | _peak()  # fmt: skip


def picture_onsets(path: Path) -> list[float]:
    """Seconds at which the square passes half of its brightness, between frames."""
    onsets, before = [], 0.0
    with VideoReader(path) as reader:
        for frame in reader:
            level = float(frame.picture.rgb8((8, 8, SQUARE - 8, SQUARE - 8)).mean()) / 200
            if before < 0.5 <= level:
                onsets.append(float(frame.pts) - (level - 0.5) / (level - before) / float(reader.fps))
            before = level
    return onsets


def sound_onsets(path: Path) -> list[float]:
    """Seconds at which beeps begin, on a grid of a millisecond."""
    onsets, at, quiet = [], 0, 0
    for block in AudioReader(path, SAMPLE_RATE).blocks(SAMPLE_RATE * 16):
        n = len(block) // 16
        loud = np.abs(block[: n * 16]).reshape(n, 16).max(1) > 0.1
        for k in range(n):
            if loud[k]:
                if quiet > 100:
                    onsets.append((at + k) / 1000)
                quiet = 0
            else:
                quiet += 1
        at += n
    return onsets


def _peak() -> dict[str, float]:
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM"):
                return {"peak_mb": round(int(line.split()[1]) / 1024, 1)}
    return {}


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("what", choices=("memory", "drift", "prepare", "footage"))
    options.add_argument("--minutes", type=float, nargs="+", default=None)
    options.add_argument("--fps", type=Fraction, nargs="+", default=RATES, help="of drift, such as 30000/1001")
    options.add_argument("--persona", default="demo", help="of memory")
    options.add_argument("--file", default="mp4", help="of memory: mp4 (its index grows with the file) or mkv")
    options.add_argument("--json", type=Path, help="write here too")
    options.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    options.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    return options


def main() -> None:
    options = parser().parse_args()
    minutes = options.minutes or {"memory": [1, 120], "drift": [20], "prepare": [1, 10]}.get(options.what, [1])
    if options.what == "footage":
        write_footage(options.out, minutes[0])
        return
    if options.one:
        with tempfile.TemporaryDirectory() as folder:
            if options.what == "memory":
                found = memory_run(minutes[0], Path(folder), options.persona, options.file)
            elif options.what == "prepare":
                found = prepare_run(minutes[0], Path(folder))
            else:
                found = drift_run(minutes[0], Path(folder), options.fps[0])
        print(json.dumps(found))
        return
    runs = []
    rates = options.fps if options.what == "drift" else [FPS]
    for length in minutes:
        for fps in rates:
            command = [sys.executable, __file__, options.what, "--one", "--minutes", str(length), "--fps", str(fps)]
            done = subprocess.run(
                [*command, "--persona", options.persona, "--file", options.file],
                check=True,
                capture_output=True,
                text=True,
            )
            runs.append(json.loads(done.stdout.splitlines()[-1]))
            print(json.dumps(runs[-1]), flush=True)
    if options.json:
        write_json(options.json, {"benchmark": options.what, "runs": runs, "machine": machine()})


if __name__ == "__main__":
    main()
