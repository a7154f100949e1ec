from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests.compose.motions import drifting, nodding_at_the_end, swaying, track, wandering

from lipwright.compose.calm import HeadMotion
from lipwright.compose.walk import MODES, TemplateWalk
from lipwright.core.contracts import FaceTrack
from lipwright.core.errors import ConfigError

F = Fraction
PRESENTER = Path(__file__).parents[2] / "src" / "lipwright" / "assets"


def steps_of(face: FaceTrack, walk: TemplateWalk, n: int) -> np.ndarray:
    """(n - 1,) pixels that the head moves between frames of the result."""
    centre = walk.mixed(face.landmarks_px.mean(1), 0, n)
    return np.linalg.norm(np.diff(centre.astype(float), axis=0), axis=1)


def own_steps(face: FaceTrack) -> np.ndarray:
    return np.linalg.norm(np.diff(face.landmarks_px.mean(1).astype(float), axis=0), axis=1)


def test_a_plain_walk_goes_there_and_back_and_never_repeats_a_turn() -> None:
    walk = TemplateWalk.between(2, 6)
    assert walk.indices(0, 10).tolist() == [2, 3, 4, 5, 6, 5, 4, 3, 2, 3]
    assert walk.indices(-3, 1).tolist() == [2, 2, 2, 2]
    assert np.abs(np.diff(TemplateWalk.between(0, 9).indices(0, 200))).max() == 1
    assert TemplateWalk.between(3, 3).indices(0, 4).tolist() == [3, 3, 3, 3]
    assert TemplateWalk.between(0, 4).shifted(7).indices(0, 4).tolist() == [7, 8, 9, 10]


@pytest.mark.parametrize("mode", MODES)
def test_a_result_that_fits_uses_the_template_as_it_is(mode: str) -> None:
    face = wandering(200)
    for n in (1, 150, 200):
        walk = TemplateWalk.through(face, n, mode=mode)
        assert walk.mode == "forward"
        assert walk.indices(0, n).tolist() == list(range(n))


@pytest.mark.parametrize("make", [swaying, drifting, nodding_at_the_end, wandering])
@pytest.mark.parametrize("mode", ["auto", "ping-pong", "freeze"])
def test_no_step_is_larger_than_the_templates_own(make: Callable[[], FaceTrack], mode: str) -> None:
    face = make()
    walk = TemplateWalk.through(face, 3 * len(face), mode=mode)
    assert walk.index(0) == 0, "the first picture stays"
    assert steps_of(face, walk, 3 * len(face)).max() <= 1.02 * own_steps(face).max()


@pytest.mark.parametrize("make", [swaying, drifting, nodding_at_the_end, wandering])
def test_no_reversal_without_slowing(make: Callable[[], FaceTrack]) -> None:
    face = make()
    n = 4 * len(face)
    shown = TemplateWalk.through(face, n, mode="ping-pong").indices(0, n)
    moves = np.diff(shown)
    assert np.abs(moves).max() == 1, "no picture is left out"
    speed = own_steps(face)
    turns = 0
    for t in np.flatnonzero(np.diff(np.sign(moves[moves != 0]))):
        at = np.flatnonzero(moves != 0)[t]
        turns += 1
        still = (moves[at - 6 : at + 7] == 0).sum()
        calm = 2 * speed[min(shown[at], len(speed) - 1)] <= 0.003 * 200
        assert calm or still >= 5, f"turn at frame {shown[at]} is neither calm nor slowed"
    assert turns >= 3
    longest = max(len(run) for run in np.split(shown, np.flatnonzero(np.diff(shown)) + 1))
    assert longest <= 3, "more than three equal pictures would stutter"


def test_turns_are_where_the_head_rests() -> None:
    speed = np.ones(300)
    speed[280:285] = 0
    face = track(np.cumsum(speed))
    walk = TemplateWalk.through(face, mode="ping-pong")
    assert 279 <= walk.indices(0, 900).max() <= 285
    assert (np.diff(walk.indices(200, 400)) != 0).all(), "a turn at rest needs no easing"


def test_a_nod_at_the_end_is_not_cut_in_two() -> None:
    face = nodding_at_the_end()
    highest = TemplateWalk.through(face, mode="ping-pong").indices(0, 2000).max()
    assert highest < len(face) - 12 - 8 or highest > len(face) - 4, "turns before the nod or after it"


def test_a_sway_loops_where_it_comes_back() -> None:
    face = swaying()
    walk = TemplateWalk.through(face, 3000)
    assert walk.mode == "loop"
    faded = np.flatnonzero(walk.steps(0, 3000).w)
    i, j, w = walk.steps(0, 3000)
    assert ((i - j)[faded] % 90 == 0).all(), "the same moment of the sway"
    assert 5 <= np.flatnonzero(np.diff(faded) > 1)[0] + 1 <= 8
    assert (np.diff(walk.indices(0, 3000)) >= -len(face)).all()
    assert steps_of(face, walk, 3000).max() <= 1.05 * own_steps(face).max()
    assert (i - j)[faded].min() >= len(face) / 2 - 1, "it uses at least half of the template"
    assert w.max() < 1


def test_the_opposite_moment_of_a_sway_is_not_taken_for_the_same() -> None:
    """At the middle of a sway position is equal every half period, velocity only every period."""
    face = track(20 * np.sin(2 * np.pi * np.arange(260) / 200))
    walk = TemplateWalk.through(face, 2000, mode="loop")
    i, j, w = walk.steps(0, 2000)
    assert abs(int((i - j)[w > 0][0]) - 200) <= 1


def test_a_drift_cannot_loop_and_pictures_decide_too() -> None:
    assert TemplateWalk.through(drifting(), 3000).mode == "ping-pong"
    assert TemplateWalk.through(drifting(), 3000, mode="loop").mode == "loop", "when asked for, the best there is"
    face = swaying()
    alike = TemplateWalk.through(face, 3000, distance=lambda i, j: 1.0)
    other = TemplateWalk.through(face, 3000, distance=lambda i, j: 1.0 + 0.5 * abs(i - j))
    assert (alike.mode, other.mode) == ("loop", "ping-pong"), "the face comes back, the hands do not"


def test_the_seam_with_the_most_alike_pictures_is_taken() -> None:
    face = swaying(600)
    walk = TemplateWalk.through(face, 3000, distance=lambda i, j: 1.0 if abs(i - j) in (1, 450) else 50.0)
    i, j, w = walk.steps(0, 3000)
    assert walk.mode == "loop"
    assert set((i - j)[w > 0].tolist()) == {450}


def test_freeze_plays_once_and_rests() -> None:
    face = drifting(200)
    shown = TemplateWalk.through(face, 1000, mode="freeze").indices(0, 1000)
    assert (np.diff(shown) >= 0).all()
    assert len(set(shown[300:].tolist())) == 1
    assert shown[-1] >= 160
    last_moving = np.flatnonzero(np.diff(shown))[-1]
    assert (np.diff(shown[last_moving - 8 : last_moving + 1]) == 0).sum() >= 3, "it slows before it rests"


@pytest.mark.parametrize("n", [1, 2, 8])
def test_very_short_templates_rest(n: int) -> None:
    walk = TemplateWalk.through(drifting(n), 100)
    shown = walk.indices(0, 100)
    assert shown.min() >= 0
    assert shown.max() <= n - 1
    if n == 8:
        assert walk.mode == "freeze"


def test_turning_points_lie_in_usable_frames() -> None:
    present = np.ones(600, bool)
    present[560:] = False
    present[100:104] = False
    face = track(np.cumsum(np.random.default_rng(1).normal(size=600)), present=present)
    shown = TemplateWalk.through(face, 3000, mode="ping-pong").indices(0, 3000)
    turns = shown[1:-1][(np.diff(shown)[1:] * np.diff(shown)[:-1]) < 0]
    assert shown.max() < 560
    assert present[turns].all()


def test_the_extension_stays_in_a_large_usable_stretch() -> None:
    present = np.ones(600, bool)
    present[200:240] = False
    face = track(np.sin(np.arange(600) / 9), present=present)
    for mode in ("ping-pong", "loop", "freeze"):
        shown = TemplateWalk.through(face, 5000, mode=mode).indices(0, 5000)
        assert shown[:300].tolist() == list(range(300)), "the first pass shows everything"
        assert present[shown[600:]].all(), mode


def test_a_template_without_any_usable_frame_is_walked_all_the_same() -> None:
    face = track(np.arange(100.0), present=np.zeros(100, bool))
    shown = TemplateWalk.through(face, 500).indices(0, 500)
    assert np.abs(np.diff(shown)).max() == 1


def test_the_result_does_not_end_in_a_turn() -> None:
    face = wandering(seed=3)
    inside = 0
    for n in range(720, 1500, 13):
        shown = TemplateWalk.through(face, n, mode="ping-pong").indices(0, n)
        inside += len(set(shown[-4:].tolist())) < 4
    assert inside <= 3, "of sixty lengths"


@pytest.mark.parametrize(
    ("template", "out", "expected"),
    [
        (25, 25, [0, 1, 2, 3, 4]),
        (25, 50, [0, 0, 1, 1, 2, 2, 3, 3]),
        (50, 25, [0, 2, 4, 6]),
        (30, 25, [0, 1, 2, 4, 5, 6]),
        (F(24000, 1001), 25, None),
        (F(60000, 1001), F(30000, 1001), [0, 2, 4, 6]),
    ],
)
def test_any_two_rates_by_the_definition(template: Fraction, out: Fraction, expected: list[int] | None) -> None:
    template, out = F(template), F(out)
    walk = TemplateWalk.through(wandering(300), 200, template, out)
    by_definition = []
    for t in range(200):
        limit, latest = F(t) / out + 1 / (2 * out), 0
        while F(latest + 1) / template < limit:
            latest += 1
        by_definition.append(latest)
    shown = walk.indices(0, 200).tolist()
    held = walk.tape.at(np.array(by_definition)).i.tolist()
    assert shown == held
    if expected is not None:
        assert shown[: len(expected)] == expected


@pytest.mark.parametrize("mode", ["loop", "ping-pong", "freeze"])
def test_any_chunking_gives_the_same_frames(mode: str) -> None:
    walk = TemplateWalk.through(swaying(), 5000, F(25), F(30000, 1001), mode=mode)
    whole = walk.steps(0, 5000)
    random = np.random.default_rng(5)
    edges = np.unique(np.concatenate([[0, 5000], random.integers(0, 5000, 60)]))
    pieces = [walk.steps(int(a), int(b)) for a, b in itertools.pairwise(edges)]
    for k in range(3):
        assert np.array_equal(whole[k], np.concatenate([p[k] for p in pieces]))
    assert [walk.index(t) for t in range(490, 530)] == walk.indices(490, 530).tolist()


@pytest.mark.parametrize("rate", [F(24000, 1001), F(25), F(30000, 1001)])
def test_a_day_by_arithmetic(rate: Fraction) -> None:
    """Template at 25: after 24 hours the picture is that of the very tick, with nothing lost on the way."""
    n = int(86400 * rate)
    walk = TemplateWalk.through(swaying(), n, F(25), rate)
    for t in (n - 1, n // 2, 1_999_999):
        begins = F(t) / rate + 1 / (2 * rate)
        tick = int(walk.ticks(t))
        assert F(tick, 25) < begins <= F(tick + 1, 25)
    assert abs(F(int(walk.ticks(n - 1)), 25) - F(n - 1) / rate) < F(1, 25)
    assert len(walk.tape.steps.i) < 2 * 500, "memory does not depend on length"


class Store:
    """Numbers as pictures; counts what is decoded and how many readers are open."""

    def __init__(self, n: int) -> None:
        self.n, self.decoded, self.opened, self.open, self.most = n, 0, 0, 0, 0

    def read(self, first: int, count: int | None = None) -> Iterator[float]:
        return self._each(range(first, self.n if count is None else first + count))

    def backward(self, first: int, count: int | None = None) -> Iterator[float]:
        return self._each(range(first, -1 if count is None else first - count, -1))

    def _each(self, numbers: range) -> Iterator[float]:
        self.opened += 1
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            for number in numbers:
                self.decoded += 1
                yield float(number)
        finally:
            self.open -= 1


@pytest.mark.parametrize("mode", ["loop", "ping-pong", "freeze"])
@pytest.mark.parametrize("out", [F(25), F(50), F(12)])
def test_pictures_follow_the_steps_and_are_decoded_in_order(mode: str, out: Fraction) -> None:
    walk, store, n = TemplateWalk.through(swaying(), 2600, F(25), out, mode=mode), Store(600), 2600
    moved = walk.shifted(3)
    shown = list(moved.frames(store.read, store.backward, n, lambda a, b, w: (1 - w) * a + w * b))
    i, j, w = moved.steps(0, n)
    assert np.allclose(shown, (1 - w) * i + w * j)
    assert 3 <= i.min() <= 4, "shifted by three"
    ticks = int(walk.ticks(n - 1)) + 1
    assert store.decoded <= 1.1 * ticks + 50
    assert store.opened <= 3 + ticks // 200, "a file is opened at turns and seams only"
    assert store.most <= 2
    assert store.open == 0


def test_pictures_may_begin_anywhere() -> None:
    walk = TemplateWalk.through(swaying(), 2000, mode="ping-pong")
    whole = list(walk.frames(Store(500).read, Store(500).backward, 1400, max))
    later = list(walk.frames(Store(500).read, Store(500).backward, 1400, max, start=901))
    assert later == whole[901:]


def test_unknown_modes_are_refused() -> None:
    with pytest.raises(ConfigError, match="unknown template extension 'bounce'; choose one of auto, ping-pong"):
        TemplateWalk.through(swaying(), 3000, mode="bounce")


def test_speed_and_steps_in_pixels() -> None:
    motion = HeadMotion.of(drifting(100, speed=2.0), F(25))
    assert motion.speed[10:90] == pytest.approx(np.full(80, 2.0), abs=1e-3)
    assert motion.usual_step == pytest.approx(2.0, abs=1e-3)
    assert motion.usual_jolt == pytest.approx(0.0, abs=1e-3)
    assert motion.fade_limit == pytest.approx(min(2.0, 0.01 * motion.face_width), abs=1e-3)


@pytest.mark.parametrize("mode", ["auto", "ping-pong", "loop", "freeze"])
def test_the_presenter(mode: str) -> None:
    with np.load(PRESENTER / "demo.persona" / "template.npz") as data:
        landmarks, confidence, pose = data["landmarks_px"], data["confidence"], data["pose_rad"]
    n = len(landmarks)
    face = FaceTrack(landmarks, np.zeros((n, 0, 3), np.float32), confidence, pose, (512, 512))
    motion = HeadMotion.of(face, F(25))
    walk = TemplateWalk.through(face, 4 * n, mode=mode)
    points = walk.mixed(motion.rigid, 0, 4 * n)
    moved, own = (np.sqrt((np.diff(p, axis=0) ** 2).sum(-1).mean(-1)) for p in (points, motion.rigid))
    assert moved.max() <= 1.1 * own.max()
