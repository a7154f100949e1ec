"""Streaming: how long a frame takes once its last sample has come, and what memory does over time.

    python benchmarks/stream.py --persona demo --seconds 20
    python benchmarks/stream.py --persona demo --minutes 60 --json stream-hour.json

Speech is handed to a stream sample by sample as frames need it. The latency of a frame is the time from handing over
the last sample it needs to holding the composed frame (wall clock), beside the processor time it took. Three seconds in
every ten are silent. With `--minutes` the stream talks that long, as fast as it can (its clock is the sound's own), and
memory is noted every minute. The baseline row is decoding the template's pictures alone.
"""

from __future__ import annotations

import argparse
import sys
import time
from array import array
from pathlib import Path
from typing import Any

import numpy as np

from lipwright.cli.assets import persona_path
from lipwright.cli.results import command_line, markdown, result, table
from lipwright.core.clock import SAMPLE_RATE
from lipwright.core.contracts import F32
from lipwright.core.files import write_json
from lipwright.media.audio import AudioReader
from lipwright.synthesis.speaker import Persona
from lipwright.synthesis.stream import Stream


def parser() -> argparse.ArgumentParser:
    """Command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--persona", default="demo")
    made.add_argument("--renderer")
    made.add_argument("--speech", type=Path, help="a file of speech; buzzing syllables without")
    made.add_argument("--template", type=Path)
    made.add_argument("--seconds", type=float, default=20)
    made.add_argument("--minutes", type=float, help="talk this long and note memory every minute")
    made.add_argument("--lookahead", type=float)
    made.add_argument("--json")
    return made


def main() -> None:
    """Measure and print or write."""
    asked = parser().parse_args()
    persona = Persona.load(persona_path(asked.persona))
    spoken = speech(asked.speech)
    seconds = asked.seconds if asked.minutes is None else 60 * asked.minutes
    with persona.stream(
        lookahead_s=asked.lookahead, renderer=asked.renderer, template=asked.template, clock=None
    ) as stream:
        found = talk(stream, spoken, seconds)
        found |= {"lookahead_ms": round(1000 * stream.lookahead_s), "size": f"{stream.size[0]}x{stream.size[1]}"}
    found |= {"renderer": asked.renderer or persona.info["renderer"], "baseline_cpu_ms": decoding(persona)}
    written = result(command_line("benchmarks/stream.py", sys.argv[1:]), tables(found), data=found)
    print(markdown(written))
    if asked.json:
        write_json(asked.json, written)


def tables(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Latency and memory."""
    latency, cpu, memory = found["latency_ms"], found["cpu_ms"], found["memory_mb"]
    late = table(
        "from the last sample a frame needs to the frame",
        ("renderer", "size", "frames", "look-ahead, ms", *(f"{p}, ms" for p in latency), *(f"CPU {p}, ms" for p in cpu),
         "decoding alone, CPU ms", "first frame, ms"),
        [(found["renderer"], found["size"], found["frames"], found["lookahead_ms"], *latency.values(), *cpu.values(),
          found["baseline_cpu_ms"], found["first_frame_ms"])],
    )  # fmt: skip
    last = len(memory) - 1
    minutes = sorted({0, min(2, last), *range(10, last, 10), last})
    held = table("memory, MB, by minutes of the stream", [str(m) for m in minutes], [[memory[m] for m in minutes]])
    return [late, held]


def speech(path: Path | None) -> F32:
    """Seven seconds of sound and three of silence."""
    if path is None:
        t = np.arange(7 * SAMPLE_RATE) / SAMPLE_RATE
        pulses = np.sin(2 * np.pi * 120 * t + 3 * np.sin(2 * np.pi * 120 * t))
        sound = 0.3 * pulses * np.clip(np.sin(2 * np.pi * 2 * t), 0, 1)
    else:
        sound = np.concatenate(list(AudioReader(path).blocks(SAMPLE_RATE)))[: 7 * SAMPLE_RATE]
    return np.concatenate([sound, np.zeros(10 * SAMPLE_RATE - len(sound))]).astype(np.float32)


def talk(stream: Stream, spoken: F32, seconds: float) -> dict[str, Any]:
    """Latency and processor time of every frame, memory minute by minute."""
    wall, busy = array("d"), array("d")  # lists would grow by 64 bytes a frame, 6 MB an hour
    memory, given = [resident_mb()], 0
    for _ in range(round(seconds * stream.fps)):
        short = max(stream.short, 1)
        position = given % len(spoken)
        while short > 1:  # all but the last sample
            part = spoken[position : position + short - 1]
            stream.push(part)
            given, short = given + len(part), short - len(part)
            position = given % len(spoken)
        assert stream.short <= 1
        began, cpu = time.perf_counter(), time.process_time()
        if stream.short:
            stream.push(spoken[position : position + 1])
            given += 1
        assert stream.pull() is not None
        wall.append(1000 * (time.perf_counter() - began))
        busy.append(1000 * (time.process_time() - cpu))
        if len(wall) % round(60 * stream.fps) == 0:
            memory.append(resident_mb())
            print(f"{len(wall) / round(60 * stream.fps):.0f} min, {memory[-1]} MB", flush=True)
    kept = wall[len(wall) // 20 :]  # the first frames load the recogniser
    return {
        "frames": len(wall),
        "first_frame_ms": round(wall[0], 1),
        "latency_ms": dict(
            zip(("p50", "p95", "p99"), np.percentile(kept, [50, 95, 99]).round(1).tolist(), strict=True)
        ),
        "cpu_ms": dict(zip(("p50", "p95"), np.percentile(busy, [50, 95]).round(1).tolist(), strict=True)),
        "memory_mb": memory,
    }


def decoding(persona: Persona) -> float:
    """CPU ms of a template picture alone."""
    began, n = time.process_time(), min(len(persona.template.track), 100)
    count = sum(1 for _ in persona.template.store.pictures(persona.template.first, n))
    return round(1000 * (time.process_time() - began) / count, 2)


def resident_mb() -> float:
    """Memory of this process now."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS"):
            return round(int(line.split()[1]) / 1024, 1)
    return 0.0


if __name__ == "__main__":
    main()
