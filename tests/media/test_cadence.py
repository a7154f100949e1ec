"""Material of a lower rate in a file of a higher one: found, and given back picture for picture."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from lipwright.core.clock import as_rate
from lipwright.media.cadence import Cadence, find_cadence, working_rate
from lipwright.media.probe import probe
from lipwright.media.pulldown import cadence_in
from lipwright.media.video import VideoReader

Clip = Callable[..., Path]
Number = Callable[[np.ndarray], int]
PRESENTER = Path(__file__).parents[2] / "src" / "lipwright" / "assets" / "presenter.mp4"
F = Fraction
NTSC = F(1000, 1001)
_LONG = 110
PAIRS = [(25, 30), (24, 30), (30, 60), (25, 50), (24, 60), (25, 60), (24 * NTSC, 30 * NTSC)]


def rate_found(path: Path) -> F | None:
    found = find_cadence(path)
    return None if found is None else found.rate


def shown(n: int, material: Fraction, file_rate: Fraction, phase: float | Fraction = 0) -> list[int]:
    """The number of the picture in each of `n` frames."""
    return [int(i * material / file_rate + phase) for i in range(n)]


_NOISE = np.random.default_rng(0).normal(0, 3, (8, 128, 128, 1))


def busy(number: int, width: int, height: int) -> np.ndarray:
    """A numbered picture over texture that moves two pixels for each number, with sensor noise of its own."""
    columns = np.arange(width) + 2 * number
    texture = 110 + 50 * np.sin(columns / 5.0)[None, :] * np.cos(np.arange(height) / 7.0)[:, None]
    picture = np.repeat(texture[..., None], 3, axis=2) + _NOISE[number % 8, :height, :width]
    for bit in range(8):
        columns = slice(bit * width // 8, (bit + 1) * width // 8)
        picture[height // 2 :, columns] = 235 * (number >> bit & 1) + 10
    return np.clip(picture, 0, 255).astype(np.uint8)


def repeating(clip: Clip, material: Fraction, file_rate: Fraction, n: int = 150, name: str = "r.mp4") -> Path:
    numbers = [k % 256 for k in shown(n, as_rate(material), as_rate(file_rate))]
    return clip(name, fps=as_rate(file_rate), shown=numbers, picture=busy, options={"crf": "23"})


@pytest.mark.parametrize(("material", "file_rate"), PAIRS)
def test_every_picture_once_in_order_at_the_materials_rate(
    clip: Clip, read_number: Number, material: Fraction, file_rate: Fraction
) -> None:
    path = repeating(clip, F(material), F(file_rate))
    found = find_cadence(path)
    assert found is not None
    assert (found.rate, found.file_rate) == (material, file_rate)
    with VideoReader(path, cadence=found) as reader:
        frames = list(reader)
        assert reader.fps == material
    numbers = [read_number(f.rgb8) for f in frames]
    assert numbers == list(range(numbers[-1] + 1))
    assert numbers[-1] == int(149 * F(material) / file_rate)
    assert [f.pts for f in frames] == [i / F(material) for i in range(len(frames))]


@pytest.mark.parametrize(("material", "file_rate"), [(25, 30), (30, 60)])
@pytest.mark.parametrize("first", [1, 13, 60])
def test_a_seek_gives_the_same_pictures(
    clip: Clip, read_number: Number, material: int, file_rate: int, first: int
) -> None:
    path = repeating(clip, F(material), F(file_rate))
    found = find_cadence(path)
    with VideoReader(path, cadence=found, start_s=F(first, material), end_s=F(first + 5, material)) as reader:
        frames = list(reader)
    assert [f.index for f in frames] == list(range(first, first + 5))
    assert [read_number(f.rgb8) for f in frames] == list(range(first, first + 5))


def test_a_rule_that_drifts(clip: Clip, read_number: Number) -> None:
    """25 in 29.97 repeats not quite every sixth frame: found, and at most a picture lost where the rule slips."""
    path = repeating(clip, F(25), 30 * NTSC, 190)
    found = find_cadence(path)
    assert found is not None
    assert found.rate == 25
    with VideoReader(path, cadence=found) as reader:
        given = [read_number(f.rgb8) for f in reader]
    assert len(set(range(given[-1] + 1)) - set(given)) <= 1
    assert abs(len(given) - 190 * 25 / 29.97) < 2


def test_an_edit_that_shifts_the_rule_loses_at_most_a_picture(clip: Clip, read_number: Number) -> None:
    numbers = shown(90, F(25), F(30)) + [80 + k for k in shown(90, F(25), F(30), F(1, 2))]
    path = clip("edit.mp4", fps=F(30), shown=numbers, picture=busy)
    with VideoReader(path, cadence=find_cadence(path)) as reader:
        given = [read_number(f.rgb8) for f in reader]
    missing = set(numbers) - set(given)
    assert len(given) == 150
    assert len(missing) <= 2
    assert all(abs(k - 80) <= 12 for k in missing)  # only within one window of the edit
    assert sum(a == b for a, b in pairwise(given)) <= 2


def test_material_on_another_grid(clip: Clip, read_number: Number) -> None:
    """25 in 30 read at 50: every picture twice, none missing."""
    path = repeating(clip, F(25), F(30))
    with VideoReader(path, fps=F(50), cadence=find_cadence(path)) as reader:
        given = [read_number(f.rgb8) for f in reader]
    assert given == [k // 2 for k in range(len(given))]


@pytest.mark.parametrize("fps", [24, 25, 30, 50, 60])
def test_material_at_its_own_rate_has_no_cadence(clip: Clip, fps: int) -> None:
    assert rate_found(clip(n=150, fps=F(fps), picture=busy)) is None


def test_a_still_scene_and_irregular_repeats_have_no_cadence(clip: Clip) -> None:
    assert rate_found(clip("still.mp4", fps=F(30), shown=[0] * 150, picture=busy)) is None
    rng = np.random.default_rng(3)
    numbers = np.cumsum(rng.random(180) < 5 / 6).tolist()  # a sixth repeated, at no regular places
    assert rate_found(clip("odd.mp4", fps=F(30), shown=numbers, picture=busy)) is None


def test_variable_footage_and_footage_without_times_have_none(clip: Clip) -> None:
    assert rate_found(clip("raw.h264", n=60, bframes=0, fps=F(30))) is None


def presenter_at(path: Path, material: Fraction, file_rate: Fraction, noise: float) -> Path:
    """The presenter's pictures, as if filmed at `material`, in a file of `file_rate`."""
    with av.open(str(PRESENTER)) as source, av.open(str(path), "w") as output:
        pictures = [f.reformat(256, 256, "rgb24").to_ndarray() for f in islice(source.decode(video=0), _LONG)]
        rng = np.random.default_rng(0)
        noisy = [np.clip(p + rng.normal(0, noise, p.shape), 0, 255).astype(np.uint8) for p in pictures]
        stream = output.add_stream("libx264", rate=file_rate)
        stream.width, stream.height, stream.pix_fmt = 256, 256, "yuv420p"
        for i in range(int(_LONG * file_rate / material)):
            frame = av.VideoFrame.from_ndarray(noisy[int(i * material / file_rate)], "rgb24").reformat(format="yuv420p")
            frame.pts = i
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("material", "file_rate", "noise", "expected"),
    [(25, 30, 0, 25), (25, 30, 5, 25), (30, 60, 5, 30), (30, 30, 5, None), (50, 50, 0, None)],
)
def test_a_talking_face_as_encoders_leave_it(
    tmp_path: Path, material: int, file_rate: int, noise: float, expected: int | None
) -> None:
    path = presenter_at(tmp_path / "p.mp4", F(material), F(file_rate), noise)
    assert rate_found(path) == expected


def test_differences_by_hand() -> None:
    """25 in 30: frame 0 shows picture 0, 5 and 6 show ... floor(i 5/6): 0 0 1 2 3 4 5 5: frames 1 and 7 repeat."""
    cadence = Cadence(F(30), F(25), F(1, 12))
    assert [cadence.picture(i) for i in range(8)] == [0, 0, 1, 2, 3, 4, 5, 5]
    assert cadence.repeats(0, 8, F(1, 12)).tolist() == [False, True, False, False, False, False, False, True]
    differences = np.full(120, 8.0, np.float32)
    differences[1::6] = 0.5
    found = cadence_in(F(30), [(0, differences)])
    assert found == cadence
    assert cadence_in(F(30), [(0, np.full(120, 8.0, np.float32))]) is None
    assert cadence_in(F(30), []) is None


def test_working_rate(clip: Clip) -> None:
    constant = probe(clip("c.mp4", n=30, fps=F(30))).video
    assert constant is not None
    assert working_rate(constant) == 30
    assert working_rate(constant, Cadence(F(30), F(25), F(1, 2))) == 25
    # Twenty frames a second on average, at irregular times: the smallest common rate not below is 24.
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.choice([33, 50, 67], 60)).tolist()
    times = [F(t - times[0], 1000) for t in times]
    variable = probe(clip("v.mp4", n=60, times_s=times, bframes=0)).video
    assert variable is not None
    assert variable.variable
    assert working_rate(variable) == 24
