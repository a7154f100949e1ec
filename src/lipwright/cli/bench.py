"""`lipwright bench NAME`: measured speed and memory on this machine, with the machine written beside it.

Every figure is the median of `repeats` runs after one warm-up run (none for a single run), with the
quartiles; memory is the peak of the whole process during the measured runs. The machine should be otherwise
idle.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lipwright.cli.assets import PRESENTER, persona_path
from lipwright.cli.interrupt import kept
from lipwright.cli.output import print_table, write_json
from lipwright.cli.values import picture_size
from lipwright.core.errors import ConfigError, FootageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lipwright.persona.template import Template


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
    cpu_ms: float
    """Processor time per frame over all threads, median: hardly moves when the machine is busy."""
    ratio: float | None = None
    """Rate over that of the benchmark's first step, its baseline on the same machine in the same run."""


def command(
    name: Annotated[str, typer.Argument(help="media, prepare, sew or speak.")],
    persona: Annotated[str, typer.Option(help="Persona for speak.")] = "demo",
    seconds: Annotated[float, typer.Option(min=1, help="Length of the material.")] = 10,
    renderer: Annotated[str | None, typer.Option(help="Another of the persona's renderers, such as memory.")] = None,
    size: Annotated[str | None, typer.Option(help="Speak over pictures of this size, as 3840x2160.")] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Measured runs.")] = 3,
    json: Annotated[str | None, typer.Option("--json", help="Write to this JSON file (- for stdout).")] = None,
) -> None:
    """Measure one part of the toolkit on this machine."""
    if name not in BENCHES:
        raise ConfigError(f"unknown benchmark {name!r}; choose from {', '.join(BENCHES)}")
    exact = picture_size(size, "--size")
    if isinstance(exact, int):
        raise ConfigError(f"--size {size}: give both sides, as 3840x2160")
    with kept("nothing was written; run the same command again"), tempfile.TemporaryDirectory() as folder:
        found = BENCHES[name](Job(Path(folder), persona, seconds, repeats, renderer, exact))
    measures = [replace(m, ratio=round(m.fps / found[0].fps, 4)) for m in found]
    from lipwright.cli.machine import machine

    if json is not None:
        where = {"benchmark": name, "seconds": seconds, "repeats": repeats, "machine": machine()}
        where |= {"persona": persona, "renderer": renderer, "size": size} if name == "speak" else {}
        write_json(json, where | {"measures": [asdict(m) for m in measures]})
    if json != "-":
        rows = [
            (m.step, f"{m.fps:.1f}", f"{m.fps_low:.1f} to {m.fps_high:.1f}", f"{m.ratio:.3f}", m.cpu_ms, m.peak_mb)
            for m in measures
        ]
        print_table("", ("step", "fps", "quartiles", "to the first", "CPU ms", "peak MB"), rows)


@dataclass(frozen=True)
class Job:
    """What a benchmark is asked to do."""

    folder: Path
    """For files; vanishes afterwards."""
    persona: str
    seconds: float
    repeats: int
    renderer: str | None
    size: tuple[int, int] | None = None


def measure(step: str, work: Callable[[], int], repeats: int) -> Measure:
    """Time `work`, which returns the number of frames it handled; a single run is not warmed up."""
    if repeats > 1:
        work()
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # resets the peak (Linux)
    rates, spent = [], []
    for _ in range(repeats):
        began, busy = time.perf_counter(), time.process_time()
        frames = work()
        rates.append(frames / (time.perf_counter() - began))
        spent.append(1000 * (time.process_time() - busy) / frames)
    low, middle, high = statistics.quantiles(rates, n=4, method="inclusive") if repeats > 1 else rates * 3
    return Measure(step, middle, low, high, _peak_mb(), round(statistics.median(spent), 2))


def _peak_mb() -> float | None:
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM"):
                return round(int(line.split()[1]) / 1024, 1)
    return None


def _media(job: Job) -> list[Measure]:
    """Encoding, decoding and backward reading of moving noise-free pictures at 512 and 1080 lines."""
    from lipwright.media.settings import STORE, EncoderSettings
    from lipwright.media.store import FrameStore
    from lipwright.media.video import VideoReader
    from lipwright.media.writer import VideoWriter

    n, folder, found = round(job.seconds * 25), job.folder, []
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
        found.append(measure(f"encode veryfast {size}", lambda: write(path, EncoderSettings()), job.repeats))  # noqa: B023
        found.append(measure(f"decode to RGB {size}", lambda: read(path), job.repeats))  # noqa: B023
        write(path, STORE)
        backward = lambda: sum(1 for _ in FrameStore(path).backward(n - 1))  # noqa: B023, E731
        found.append(measure(f"store backward {size}", backward, job.repeats))
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


def _prepare(job: Job) -> list[Measure]:
    """Preparing the start of the bundled presenter."""
    from lipwright.subject.prepare import prepare

    if not PRESENTER.exists():
        raise FootageError(f"the bundled presenter {PRESENTER} is missing; install lipwright again")
    runs = iter(range(10**6))

    def work() -> int:
        prepare(PRESENTER, job.folder / f"{next(runs)}.subject", trim=(0.0, job.seconds))
        return round(job.seconds * 25)

    return [measure("prepare", work, job.repeats)]


def _speak(job: Job) -> list[Measure]:
    """Speech over a template, end to end into a file, beside decoding and encoding the same frames alone."""
    from lipwright.media.picture import Picture
    from lipwright.media.probe import probe
    from lipwright.media.writer import VideoWriter
    from lipwright.synthesis.speaker import Persona

    voice = job.folder / "voice.wav"
    _voice_like(voice, job.seconds)
    loaded = Persona.load(persona_path(job.persona))
    template = loaded.template if job.size is None else _enlarged(loaded.template, job.size, job.folder / "large.mp4")
    n = round(job.seconds * template.fps)

    def copy() -> int:
        from lipwright.compose.walk import TemplateWalk

        walk = TemplateWalk.between(template.first, template.first + len(template.track) - 1)
        with VideoWriter(job.folder / "copy.mp4", template.size, template.fps, audio=voice) as writer:
            for frame in walk.frames(template.store.pictures, template.store.pictures_backward, n, Picture.mixed):
                writer.write(frame)
        return n

    def work() -> int:
        loaded.speak(voice, template=template, renderer=job.renderer).write(job.folder / "out.mp4")
        info = probe(job.folder / "out.mp4")
        assert info.video is not None
        return round((info.duration_s or Fraction(0)) * info.video.fps)

    return [
        measure("decode and encode only", copy, job.repeats),
        measure(f"speak, {job.renderer or loaded.info['renderer']}", work, job.repeats),
    ]


def _enlarged(template: Template, size: tuple[int, int], path: Path) -> Template:
    """The start of a template in larger pictures: scaled to their height, its sides repeated outwards."""
    import cv2
    import numpy as np

    from lipwright.core.contracts import FaceTrack
    from lipwright.media.settings import STORE
    from lipwright.media.writer import VideoWriter
    from lipwright.persona.template import Template

    n, scale = min(len(template.track), 50), size[1] / template.size[1]
    left = (size[0] - round(template.size[0] * scale)) // 2
    to_large = np.array([[scale, 0, left + (scale - 1) / 2], [0, scale, (scale - 1) / 2]])
    with VideoWriter(path, size, template.fps, STORE) as writer:
        for frame in template.store.read(template.first, n):
            large = cv2.warpAffine(frame, to_large, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
            writer.write(np.asarray(large, np.uint8))
    track = template.track[:n]
    points = (track.landmarks_px @ to_large[:, :2].T + to_large[:, 2]).astype(np.float32)
    return Template(path, FaceTrack(points, track.dense_px, track.confidence, track.pose_rad, size))


def _voice_like(path: Path, seconds: float) -> None:
    """Buzzing syllables, twice a second."""
    import numpy as np

    from lipwright.media.audio import write_wav

    t = np.arange(round(seconds * 16_000)) / 16_000
    pulses = np.sin(2 * np.pi * 120 * t + 3 * np.sin(2 * np.pi * 120 * t))
    write_wav(path, (0.3 * pulses * np.clip(np.sin(2 * np.pi * 2 * t), 0, 1)).astype(np.float32))


def _sew(job: Job) -> list[Measure]:
    """Colour conversion and sewing of a rendered face, beside converting and blending the whole picture."""
    import cv2
    import numpy as np

    from lipwright.compose.paste import paste
    from lipwright.core.contracts import Patch
    from lipwright.media.color import BT709
    from lipwright.media.picture import Picture

    n, found = max(round(job.seconds * 2), 4), []
    for width, height in (*SIZES[1:], (3840, 2160)):
        scene, side = _scene(width, height), height // 2
        pictures = [Picture.of_rgb8(scene(i), BT709, "yuv420p") for i in range(4)]
        centre = np.array([256 - width / 2, 256 - height / 2])
        turn = np.asarray(cv2.getRotationMatrix2D((width / 2, height / 2), 3.0, 512 / side), np.float32)
        turn[:, 2] += centre.astype(np.float32)
        mask = np.zeros((512, 512), np.float32)
        mask[24:488, 24:488] = 1
        patch = Patch(scene(9)[:512, :512], np.asarray(cv2.blur(mask, (31, 31)), np.float32), turn)
        reach = side * 6 // 10  # a renderer reads a little more than its patch covers
        box = (width // 2 - reach, height // 2 - reach, width // 2 + reach, height // 2 + reach)

        def whole(pictures: Any = pictures, patch: Any = patch, size: Any = (width, height)) -> int:
            for i in range(n):
                frame = pictures[i % 4].rgb8()
                there, flags = patch.crop_from_frame, cv2.WARP_INVERSE_MAP
                new = cv2.warpAffine(patch.rgb8, there, size, flags=flags | cv2.INTER_CUBIC).astype(np.float32)
                weight = cv2.warpAffine(patch.mask, there, size, flags=flags | cv2.INTER_LINEAR)[..., None]
                mixed = (frame + weight * (new - frame) + 0.5).astype(np.uint8)
                Picture.of_rgb8(mixed, BT709, "yuv420p")
            return n

        def region(pictures: Any = pictures, patch: Any = patch, box: Any = box) -> int:
            for i in range(n):
                pictures[i % 4].rgb8(box)
                paste(pictures[i % 4], patch)
            return n

        found.append(measure(f"whole picture through RGB {width}x{height}", whole, job.repeats))
        found.append(measure(f"face region only {width}x{height}", region, job.repeats))
    return found


BENCHES: dict[str, Callable[[Job], list[Measure]]] = {
    "media": _media,
    "prepare": _prepare,
    "sew": _sew,
    "speak": _speak,
}
