from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from lipwright.core.contracts import U8
from lipwright.face.scene import scene
from lipwright.face.shots import Scenes, moved_change, shots
from lipwright.face.skin import UPPER

from .footage import SIZE, Tracked

CUT = 60


def joined(*parts: Tracked) -> Tracked:
    return Tracked([f for p in parts for f in p.frames], np.concatenate([p.dense for p in parts]))


def found(clip: Tracked, fps: float = 25) -> Scenes:
    return shots(np.stack([scene(f) for f in clip.frames]), clip.boxes(UPPER), fps)


def cuts(scenes: Scenes) -> list[int]:
    return [start for start, _ in scenes.shots[1:]]


def flipped(clip: Tracked) -> Tracked:
    dense = clip.dense.copy()
    dense[..., 0] = SIZE - 1 - dense[..., 0]
    return Tracked([np.ascontiguousarray(f[:, ::-1]) for f in clip.frames], dense)


def framed(clip: Tracked, windows: np.ndarray) -> Tracked:
    """Windows (T, 3) of x0, y0, side in pixels, scaled to the whole picture."""
    frames, dense = [], clip.dense.copy()
    for t, ((x, y, side), frame) in enumerate(zip(windows, clip.frames, strict=True)):
        grow = SIZE / side
        affine = np.array([[grow, 0, -x * grow], [0, grow, -y * grow]])
        frames.append(cv2.warpAffine(frame, affine, (SIZE, SIZE), borderMode=cv2.BORDER_REPLICATE))
        dense[t] = (dense[t] - [x, y, 0]) * grow
    return Tracked(frames, dense)


def still(x: float, y: float, side: float, n: int) -> np.ndarray:
    return np.tile([x, y, side], (n, 1))


def graded(clip: Tracked) -> Tracked:
    """Another scene: other colours around the same person."""
    return Tracked([np.ascontiguousarray(f[..., [2, 0, 1]]) for f in clip.frames], clip.dense)


JOINS: dict[str, Callable[[Tracked, Tracked], Tracked]] = {
    "the other side": lambda c, o: joined(c[:CUT], flipped(c[CUT:130])),
    "closer": lambda c, o: joined(c[:CUT], framed(c[CUT:130], still(40, 30, 230, 70))),
    "a little closer": lambda c, o: joined(c[:CUT], framed(c[CUT:130], still(10, 8, 300, 70))),
    "a little aside": lambda c, o: joined(c[:CUT], framed(c[150:220], still(9, 3, SIZE, 70))),
    "other colours": lambda c, o: joined(c[:CUT], graded(c[CUT:130])),
    "another clip, framed otherwise": lambda c, o: joined(c[:CUT], framed(o[:70], still(25, 10, 270, 70))),
}


@pytest.mark.parametrize("name", JOINS)
def test_a_cut_is_found_at_its_frame(name: str, clip: Tracked, other: Tracked) -> None:
    scenes = found(JOINS[name](clip, other))
    assert cuts(scenes) == [CUT]
    assert scenes.transitions == []


@pytest.mark.parametrize("fps", [12.5, 50.0])
def test_cuts_are_found_at_other_rates(fps: float, clip: Tracked, other: Tracked) -> None:
    whole = joined(clip[:100], flipped(clip[100:200]))
    if fps < 25:
        slow = Tracked(whole.frames[::2], whole.dense[::2])
        assert cuts(found(slow, fps)) == [50]
    else:
        twice = Tracked([f for f in whole.frames for _ in range(2)], np.repeat(whole.dense, 2, axis=0))
        assert cuts(found(twice, fps)) == [200], "every second frame is a copy, as in a converted file"


def test_an_untouched_clip_is_one_shot(clip: Tracked) -> None:
    scenes = found(clip)
    assert scenes == Scenes([(0, len(clip.frames))], [])


def test_flashes_are_not_cuts(clip: Tracked) -> None:
    frames = list(clip.frames[:150])
    for t in (40, 41, 90, 120):
        frames[t] = np.clip(frames[t].astype(int) + 110, 0, 255).astype(np.uint8)
    assert found(Tracked(frames, clip.dense[:150])).shots == [(0, 150)]


def test_a_glitch_of_one_frame_is_not_a_cut(clip: Tracked) -> None:
    frames = list(clip.frames[:100])
    frames[50] = flipped(clip[:1]).frames[0]
    assert found(Tracked(frames, clip.dense[:100])).shots == [(0, 100)]


def test_pans_zooms_and_fast_heads_are_not_cuts(clip: Tracked) -> None:
    t = np.arange(150)
    pan = np.stack([20 + 80 * np.sin(t / 9), 20 + 8 * np.sin(t / 5), 0 * t + 200], 1)
    zoom = np.stack([60 - 50 * np.cos(t / 8), 60 - 50 * np.cos(t / 8), 200 + 100 * np.cos(t / 8)], 1)
    jolt = np.stack([60 * np.exp(-(((t - 75) / 2.5) ** 2)), 0 * t, 0 * t + SIZE], 1)
    for windows in (pan, zoom, jolt):
        assert found(framed(clip[:150], windows)).shots == [(0, 150)]


def test_a_brighter_lamp_is_not_a_cut(clip: Tracked) -> None:
    frames = [f if t < 60 else np.clip(f * 1.12, 0, 255).astype(np.uint8) for t, f in enumerate(clip.frames[:120])]
    assert found(Tracked(frames, clip.dense[:120])).shots == [(0, 120)]


@pytest.mark.parametrize("length", [8, 16, 30])
def test_a_dissolve_is_a_transition_between_two_shots(length: int, clip: Tracked) -> None:
    before, after = clip[:80], graded(flipped(clip[80:180]))
    mixed: list[U8] = []
    for t in range(length):
        share = (t + 1) / (length + 1)
        mixed.append(np.rint((1 - share) * clip.frames[80 + t] + share * after.frames[t]).astype(np.uint8))
    whole = Tracked([*before.frames, *mixed, *after.frames[length:]], clip.dense[:180])
    scenes = found(whole)
    assert len(scenes.shots) == 2
    assert 80 <= cuts(scenes)[0] <= 80 + length
    assert len(scenes.transitions) == 1
    marked = set(range(*scenes.transitions[0]))
    assert len(marked & set(range(80, 80 + length))) >= 0.8 * length
    assert len(marked) <= length + 8


def test_a_fade_to_black_is_unusable(clip: Tracked) -> None:
    level = np.concatenate([np.ones(60), np.linspace(1, 0, 12), np.zeros(15), np.linspace(0, 1, 12), np.ones(51)])
    frames = [(f * v).astype(np.uint8) for f, v in zip(clip.frames, level, strict=False)]
    marked = np.zeros(150, bool)
    for start, stop in found(Tracked(frames, clip.dense[:150])).transitions:
        marked[start:stop] = True
    assert marked[level < 0.1].all()
    assert marked[:58].sum() == 0
    assert marked[102:].sum() == 0


def test_nothing_gives_nothing() -> None:
    assert shots(np.zeros((0, 864), np.uint8), np.zeros((0, 1, 4), np.float32), 25) == Scenes([], [])


def test_change_of_a_shifted_picture_is_small(clip: Tracked) -> None:
    moved = np.roll(clip.frames[0], 8, axis=1)
    pair = np.stack([scene(clip.frames[0]), scene(moved)])
    unlike = np.stack([scene(clip.frames[0]), scene(graded(clip[:1]).frames[0])])
    assert moved_change(pair)[1] < 0.25 * moved_change(unlike)[1]
