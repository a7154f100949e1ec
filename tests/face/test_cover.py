from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from lipwright.core.contracts import F32, U8
from lipwright.core.ibug import JAW_LINE, OUTER_LIPS
from lipwright.face.cover import cover
from lipwright.face.landmarks68 import to_68
from lipwright.face.pose import head_pose
from lipwright.face.skin import N_LOWER, POINTS, skin
from lipwright.face.tracker import MediaPipeTracker

from .footage import SIZE, Tracked, track

Draw = Callable[[U8, float, float, float, tuple[int, int, int]], None]


def hand(picture: U8, x: float, y: float, unit: float, colour: tuple[int, int, int]) -> None:
    """A palm and four fingers in the person's own skin colour."""
    ellipse(picture, (x, y + 22 * unit), (34 * unit, 30 * unit), 0, colour)
    for k in range(4):
        shade = tuple(int(v * (0.96 + 0.02 * k)) for v in colour)
        ellipse(picture, (x + (18 * k - 27) * unit, y - 14 * unit), (9 * unit, 30 * unit), 5 * k - 8, shade)


def microphone(picture: U8, x: float, y: float, unit: float, colour: tuple[int, int, int]) -> None:
    ellipse(picture, (x, y + 8 * unit), (20 * unit, 20 * unit), 0, (28, 28, 30))
    low = (int(x + 15 * unit), int(y + 110 * unit))
    cv2.line(picture, (int(x), int(y + 20 * unit)), low, (40, 40, 42), int(14 * unit), cv2.LINE_AA)


def paper(picture: U8, x: float, y: float, unit: float, colour: tuple[int, int, int]) -> None:
    corners = np.array([[-45, -14], [42, -20], [48, 90], [-40, 95]]) * unit + [x, y]
    cv2.fillPoly(picture, [corners.astype(np.int32)], (235, 235, 228), cv2.LINE_AA)


def ellipse(
    picture: U8, middle: tuple[float, float], axes: tuple[float, float], turn: float, colour: tuple[int, ...]
) -> None:
    whole = [(round(a), round(b)) for a, b in (middle, axes)]
    cv2.ellipse(picture, whole[0], whole[1], turn, 0, 360, colour, -1, cv2.LINE_AA)


def planted(clip: Tracked, draw: Draw, events: list[tuple[int, int]], size: float = 1, low: float = 0) -> list[U8]:
    """Covers over the mouth of the events' frames, `low` face widths below its middle, following it loosely."""
    points = to_68(clip.dense)
    width = float(np.median(np.linalg.norm(points[:, JAW_LINE[0]] - points[:, JAW_LINE[-1]], axis=1)))
    x, y = ((points[0, 2] + points[0, 31]) / 2).astype(int)  # the cheek
    colour = clip.frames[0][y - 2 : y + 3, x - 2 : x + 3].reshape(-1, 3).mean(0) * [0.93, 0.9, 0.88]
    frames = list(clip.frames)
    for start, stop in events:
        for t in range(start, stop):
            mx, my = points[t, OUTER_LIPS].mean(0) + np.array([1.5 * np.sin(t / 5), low * width])
            frames[t] = frames[t].copy()
            draw(frames[t], mx, my, width * size / 100, tuple(int(v) for v in colour))
    return frames


def look(clip: Tracked) -> tuple[U8, F32]:
    """Signatures and pose."""
    signs = np.stack([skin(f, d) for f, d in zip(clip.frames, clip.dense, strict=True)])
    return signs, head_pose(to_68(clip.dense), (SIZE, SIZE))


FEW = [(60, 73), (180, 191)]
MANY = [(20, 60), (90, 128), (190, 200)]


@pytest.mark.parametrize(
    ("draw", "events", "size", "low"),
    [
        (hand, FEW, 1, 0),
        (hand, MANY, 0.9, 0),
        (microphone, FEW, 0.9, 0.02),
        (microphone, MANY, 1, 0),
        (paper, FEW, 0.8, 0.04),
        (paper, MANY, 1, 0),
    ],
)
def test_covers_are_found_where_they_are(
    draw: Draw, events: list[tuple[int, int]], size: float, low: float, clip: Tracked, tracker: MediaPipeTracker
) -> None:
    on = np.zeros(len(clip.frames), bool)
    for start, stop in events:
        on[start:stop] = True
    seen = track(planted(clip, draw, events, size, low), tracker)
    present = seen.dense.any((1, 2))
    signs, pose = look(seen)
    covered = cover(signs, pose, present, 25).covered | ~present
    near = np.convolve(on, np.ones(5), "same") > 0
    assert covered[on].mean() >= 0.95
    assert covered[~near].mean() < 0.01


def test_a_clean_clip_has_no_covers(clip: Tracked) -> None:
    signs, pose = look(clip)
    found = cover(signs, pose, np.ones(len(signs), bool), 25)
    assert not found.covered.any()
    assert found.share.max() < 0.08


def test_light_that_changes_is_no_cover(clip: Tracked) -> None:
    """A lamp is dimmed, from one side more, and its colour drifts."""
    side = np.linspace(-1, 1, SIZE)[None, :, None]
    frames = []
    for t, frame in enumerate(clip.frames):
        level = 1 + 0.25 * np.sin(t / 40) + 0.12 * side * np.cos(t / 55)
        frames.append(np.clip(frame * level * [1, 1, 1 + 0.06 * np.sin(t / 70)], 0, 255).astype(np.uint8))
    signs, pose = look(Tracked(frames, clip.dense))
    assert not cover(signs, pose, np.ones(len(signs), bool), 25).covered.any()


def test_a_shot_in_other_light_is_judged_by_itself(clip: Tracked, tracker: MediaPipeTracker) -> None:
    frames = [
        np.clip(255 * (f / 255.0) ** [0.8, 1.25, 1.5], 0, 255).astype(np.uint8) if t >= 190 else f
        for t, f in enumerate(planted(clip, hand, [(230, 242)]))
    ]
    seen = track(frames, tracker)
    signs, pose = look(seen)
    present = seen.dense.any((1, 2))
    covered = cover(signs, pose, present, 25, [(0, 190), (190, len(frames))]).covered
    assert covered[230:242].mean() > 0.9
    assert covered[:225].mean() < 0.01


def test_frames_without_a_face_are_never_covered(clip: Tracked) -> None:
    signs, pose = look(clip)
    present = np.ones(len(signs), bool)
    present[50:90] = False
    signs[50:90] = 0
    assert not cover(signs, pose, present, 25).covered.any()
    assert not cover(signs[:10], pose[:10], present[:10], 25).covered.any(), "too few frames to know the person"


def test_a_signature_is_the_colour_at_the_points() -> None:
    picture = np.zeros((200, 200, 3), np.uint8)
    picture[:, :, 0] = 200
    picture[120:] = (0, 0, 255)
    dense = np.zeros((478, 3), np.float32)
    dense[:, 0] = np.linspace(50, 150, 478)
    dense[:, 1] = 60.0
    dense[POINTS[:N_LOWER], 1] = 160.0
    signs = skin(picture, dense)
    np.testing.assert_allclose(signs[:N_LOWER].mean(0), [29, 255, 107], atol=1)  # T.871 of pure blue
    np.testing.assert_allclose(signs[N_LOWER:].mean(0), [60, 94, 228], atol=1)  # of (200, 0, 0)
    assert not skin(picture, dense + np.float32([500, 0, 0])).any()
