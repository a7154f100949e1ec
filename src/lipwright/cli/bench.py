"""`lipwright bench NAME`: measured speed and memory on this machine, with the machine written beside it.

Every figure is the median of `repeats` runs after one warm-up run, with the quartiles; memory is the
peak of the whole process during the measured runs. The machine should be otherwise idle.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lipwright.cli.assets import PRESENTER, persona_path
from lipwright.cli.interrupt import kept
from lipwright.cli.output import print_table, write_json
from lipwright.core.errors import ConfigError, FootageError

if TYPE_CHECKING:
    from numpy.typing import NDArray


SIZES = ((512, 512), (1920, 1080))
"""(width, height) of the media benchmark."""


@dataclass(frozen=True)
class Measure:
    """One measured step."""

    step: str
    fps: float
    """Frames per second, median."""
    fps_low: float
    """Lower quartile."""
    fps_high: float
    """Upper quartile."""
    peak_mb: float | None
    """Peak resident memory of the process, None where the system does not tell."""


def command(
    name: Annotated[str, typer.Argument(help="media, prepare or speak.")],
    persona: Annotated[str, typer.Option(help="Persona for speak.")] = "demo",
    seconds: Annotated[float, typer.Option(min=1, help="Length of the material.")] = 10,
    repeats: Annotated[int, typer.Option(min=1, help="Measured runs.")] = 3,
    json: Annotated[str | None, typer.Option("--json", help="Write to this JSON file (- for stdout).")] = None,
) -> None:
    """Measure one part of the toolkit on this machine."""
    if name not in BENCHES:
        raise ConfigError(f"unknown benchmark {name!r}; choose from {', '.join(BENCHES)}")
    with kept("nothing was written; run the same command again"), tempfile.TemporaryDirectory() as folder:
        measures = BENCHES[name](Path(folder), persona, seconds, repeats)
    from lipwright.cli.machine import machine

    if json is not None:
        where = {"benchmark": name, "seconds": seconds, "repeats": repeats, "machine": machine()}
        write_json(json, where | {"measures": [asdict(m) for m in measures]})
    if json != "-":
        rows = [(m.step, f"{m.fps:.1f}", f"{m.fps_low:.1f} to {m.fps_high:.1f}", m.peak_mb) for m in measures]
        print_table("", ("step", "fps", "quartiles", "peak MB"), rows)


def measure(step: str, work: Callable[[], int], repeats: int) -> Measure:
    """Time `work`, which returns the number of frames it handled."""
    work()
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # resets the peak (Linux)
    rates = []
    for _ in range(repeats):
        began = time.perf_counter()
        rates.append(work() / (time.perf_counter() - began))
    low, middle, high = statistics.quantiles(rates, n=4, method="inclusive") if repeats > 1 else rates * 3
    return Measure(step, middle, low, high, _peak_mb())


def _peak_mb() -> float | None:
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM"):
                return round(int(line.split()[1]) / 1024, 1)
    return None


def _media(folder: Path, persona: str, seconds: float, repeats: int) -> list[Measure]:
    """Encoding, decoding and backward reading of moving noise-free pictures at 512 and 1080 lines."""
    from lipwright.media.settings import STORE, EncoderSettings
    from lipwright.media.store import FrameStore
    from lipwright.media.video import VideoReader
    from lipwright.media.writer import VideoWriter

    n, found = round(seconds * 25), []
    for width, height in SIZES:
        scene = _scene(width, height)

        def write(path: Path, settings: EncoderSettings, scene: Any = scene) -> int:
            with VideoWriter(path, scene(0).shape[1::-1], Fraction(25), settings) as writer:
                for i in range(n):
                    writer.write(scene(i))
            return n

        def read(path: Path) -> int:
            with VideoReader(path) as reader:
                return sum(1 for _ in reader)

        size, path = f"{width}x{height}", folder / f"{height}.mp4"
        found.append(measure(f"encode veryfast {size}", lambda: write(path, EncoderSettings()), repeats))  # noqa: B023
        found.append(measure(f"decode to RGB {size}", lambda: read(path), repeats))  # noqa: B023
        write(path, STORE)
        backward = lambda: sum(1 for _ in FrameStore(path).backward(n - 1))  # noqa: B023, E731
        found.append(measure(f"store backward {size}", backward, repeats))
    return found


def _scene(width: int, height: int) -> Callable[[int], NDArray[Any]]:
    """A soft texture that pans by two pixels a frame."""
    import numpy as np

    rng = np.random.default_rng(0)
    coarse = rng.uniform(40, 210, (height // 16 + 2, width // 16 + 34, 3))
    wide = np.repeat(np.repeat(coarse, 16, axis=0), 16, axis=1)
    smooth = (wide + np.roll(wide, 8, axis=0) + np.roll(wide, 8, axis=1) + np.roll(wide, (8, 8), axis=(0, 1))) / 4
    texture = smooth.astype(np.uint8)
    return lambda i: np.ascontiguousarray(texture[:height, 2 * (i % 250) : 2 * (i % 250) + width])


def _prepare(folder: Path, persona: str, seconds: float, repeats: int) -> list[Measure]:
    """Preparing the start of the bundled presenter."""
    from lipwright.subject.prepare import prepare

    if not PRESENTER.exists():
        raise FootageError(f"the bundled presenter {PRESENTER} is missing; install lipwright again")
    runs = iter(range(10**6))

    def work() -> int:
        prepare(PRESENTER, folder / f"{next(runs)}.subject", trim=(0.0, seconds))
        return round(seconds * 25)

    return [measure("prepare", work, repeats)]


def _speak(folder: Path, persona: str, seconds: float, repeats: int) -> list[Measure]:
    """Speaking voice-like sound of the given length, end to end into a file."""
    import numpy as np

    from lipwright.media.audio import write_wav
    from lipwright.media.probe import probe
    from lipwright.synthesis.speaker import Persona

    t = np.arange(round(seconds * 16_000)) / 16_000
    pulses = np.sin(2 * np.pi * 120 * t + 3 * np.sin(2 * np.pi * 120 * t))
    write_wav(folder / "voice.wav", (0.3 * pulses * np.clip(np.sin(2 * np.pi * 2 * t), 0, 1)).astype(np.float32))
    loaded = Persona.load(persona_path(persona))

    def work() -> int:
        loaded.speak(folder / "voice.wav").write(folder / "out.mp4")
        info = probe(folder / "out.mp4")
        assert info.video is not None
        return round((info.duration_s or Fraction(0)) * info.video.fps)

    return [measure("speak", work, repeats)]


BENCHES: dict[str, Callable[[Path, str, float, int], list[Measure]]] = {
    "media": _media,
    "prepare": _prepare,
    "speak": _speak,
}
