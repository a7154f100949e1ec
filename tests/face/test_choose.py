from __future__ import annotations

import cv2
import numpy as np
import pytest

from lipwright.core.contracts import F32, U8
from lipwright.core.errors import FootageError
from lipwright.face.choose import Faces, choose_track
from lipwright.face.skin import skin

from .footage import SIZE, Tracked

WIDTH = 2 * SIZE
STAGE = (WIDTH, SIZE)
N = 200


class Stage:
    """Two presenters on one wide picture: B is A's mirror image in other colours, so that they are strangers."""

    def __init__(self) -> None:
        self.dense: list[list[F32]] = []
        self.skin: list[list[U8]] = []

    def add(self, *people: tuple[Tracked, int, float, float]) -> None:
        """One frame: (clip, frame number, x of the left edge, scale) for each face, in the tracker's order."""
        self.dense.append([])
        self.skin.append([])
        for clip, t, x, scale in people:
            mesh = clip.dense[t] * np.float32(scale)
            self.skin[-1].append(skin(_sized(clip.frames[t], scale), mesh))
            self.dense[-1].append(mesh + np.array([x, SIZE * (1 - scale), 0], np.float32))

    def faces(self) -> Faces:
        n = len(self.dense)
        dense, signs = np.zeros((n, 2, 478, 3), np.float32), None
        confidence = np.zeros((n, 2), np.float32)
        for t, seen in enumerate(self.dense):
            for k, mesh in enumerate(seen):
                signs = np.zeros((n, 2, *self.skin[t][k].shape), np.uint8) if signs is None else signs
                dense[t, k], confidence[t, k], signs[t, k] = mesh, 1, self.skin[t][k]
        assert signs is not None
        return InMemory(dense, confidence, signs)


class InMemory:
    """`Faces` as arrays."""

    def __init__(self, dense: np.ndarray, confidence: np.ndarray, signs: np.ndarray) -> None:
        self.dense, self.confidence, self.signs = dense, confidence, signs

    def boxes(self) -> np.ndarray:
        points = self.dense[..., :2]
        boxes = np.concatenate([points.min(2), points.max(2)], -1)
        boxes[self.confidence <= 0] = np.nan
        return boxes

    def at(self, frame: int, place: int) -> tuple[np.ndarray, np.ndarray]:
        return self.dense[frame, place], self.signs[frame, place]


def _sized(frame: U8, scale: float) -> U8:
    side = round(SIZE * scale)
    return np.asarray(cv2.resize(frame, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


@pytest.fixture(scope="module")
def stranger(clip: Tracked) -> Tracked:
    """Another shape and another colouring."""
    dense = clip.dense.copy()
    middle = dense[:, 4:5]
    dense = middle + (dense - middle) * np.array([1.12, 0.9, 0.8], np.float32)
    frames = [np.clip(f[..., [1, 0, 2]] * [1.3, 1.0, 0.8], 0, 255).astype(np.uint8) for f in clip.frames]
    return Tracked(frames, dense.astype(np.float32))


def side_by_side(clip: Tracked, stranger: Tracked) -> tuple[Faces, np.ndarray, np.ndarray]:
    """The small one is there first; the large one comes, leaves and returns; detection order swaps at random."""
    stage, rng = Stage(), np.random.default_rng(0)
    large, small = np.full(N, -1), np.full(N, -1)
    for t in range(N):
        people = [("small", (stranger, t, 0.0, 0.55))]
        if t >= 15 and not 90 <= t < 130:
            people.append(("large", (clip, t, SIZE * 0.8, 0.95)))
        if rng.random() < 0.5:
            people.reverse()
        stage.add(*(p for _, p in people))
        for k, (name, _) in enumerate(people):
            (large if name == "large" else small)[t] = k
    return stage.faces(), large, small


def test_the_largest_and_steadiest_is_followed_through_swaps_and_absence(clip: Tracked, stranger: Tracked) -> None:
    faces, large, small = side_by_side(clip, stranger)
    chosen, persons = choose_track(faces, STAGE, 25, [(0, N)])
    np.testing.assert_array_equal(chosen, large)
    assert len(persons) == 2
    assert persons[0].share == pytest.approx((large >= 0).mean())
    assert persons[1].share == 1
    x0, _, x1, _ = persons[0].box
    assert x0 > SIZE * 0.8
    assert x1 < WIDTH
    assert large[persons[0].best_frame] >= 0
    second, _ = choose_track(faces, STAGE, 25, [(0, N)], pick=1)
    np.testing.assert_array_equal(second, small)


def test_a_box_takes_the_face_that_lies_there_first(clip: Tracked, stranger: Tracked) -> None:
    faces, large, small = side_by_side(clip, stranger)
    boxed, _ = choose_track(faces, STAGE, 25, [(0, N)], pick=(0.0, 0.0, SIZE * 0.7, float(SIZE)))
    np.testing.assert_array_equal(boxed, small)
    boxed, _ = choose_track(faces, STAGE, 25, [(0, N)], pick=(SIZE * 0.8, 0.0, float(WIDTH), float(SIZE)))
    np.testing.assert_array_equal(boxed, large)


def test_a_person_is_known_again_after_a_cut_to_somebody_else(clip: Tracked, stranger: Tracked) -> None:
    """A on the left, cut to B in the same place, cut back to A, nearer and elsewhere."""
    stage = Stage()
    for t in range(N):
        if t < 70:
            stage.add((clip, t, 100.0, 0.8))
        elif t < 120:
            stage.add((stranger, t, 100.0, 0.8))
        else:
            stage.add((clip, t, 250.0, 1.0))
    shots = [(0, 70), (70, 120), (120, N)]
    chosen, persons = choose_track(stage.faces(), STAGE, 25, shots)
    assert len(persons) == 2
    assert (chosen[:70] == 0).all()
    assert (chosen[70:120] == -1).all()
    assert (chosen[120:] == 0).all()


def test_a_passer_by_close_to_the_camera_is_not_the_first(clip: Tracked, stranger: Tracked) -> None:
    stage = Stage()
    for t in range(N):
        passing = [(stranger, t, 12.0 * (t - 100) - 60, 1.0)] if 100 <= t < 125 else []
        stage.add(*passing, (clip, t, SIZE * 0.7, 0.6))
    chosen, persons = choose_track(stage.faces(), STAGE, 25, [(0, N)])
    assert (chosen >= 0).all()
    assert persons[0].share == 1


def test_what_cannot_be_chosen_is_refused(clip: Tracked, stranger: Tracked) -> None:
    faces, _, _ = side_by_side(clip, stranger)
    with pytest.raises(FootageError, match="2 persons are seen"):
        choose_track(faces, STAGE, 25, [(0, N)], pick=2)
    with pytest.raises(FootageError, match="no face is ever seen in the box"):
        choose_track(faces, STAGE, 25, [(0, N)], pick=(0.0, 0.0, 5.0, 5.0))


def test_nobody_is_nobody() -> None:
    nothing = InMemory(
        np.zeros((10, 1, 478, 3), np.float32), np.zeros((10, 1), np.float32), np.zeros((10, 1, 9, 3), np.uint8)
    )
    chosen, persons = choose_track(nothing, (64, 64), 25, [(0, 10)])
    assert (chosen == -1).all()
    assert persons == []
