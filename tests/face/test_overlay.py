from __future__ import annotations

import cv2
import numpy as np
import pytest

from lipwright.core.contracts import U8
from lipwright.face.landmarks68 import to_68
from lipwright.face.overlay import Overlay, StillEdges, block_frames, overlay

from .footage import SIZE, Tracked

WORDS = ["MORE AT TEN", "jumps over it", "and goes home", "SEE BELOW"]


def captioned(clip: Tracked, y: float, seconds: float = 1.4) -> list[U8]:
    """White words with a dark rim on a base line at `y`, new ones every few frames."""
    frames = []
    for t, frame in enumerate(clip.frames):
        words, picture = WORDS[int(t / (25 * seconds)) % len(WORDS)], frame.copy()
        (width, _), _ = cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, 0.6, 2)
        at = ((SIZE - width) // 2, int(y))
        cv2.putText(picture, words, at, cv2.FONT_HERSHEY_SIMPLEX, 0.6, (0, 0, 0), 4, cv2.LINE_AA)
        cv2.putText(picture, words, at, cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 2, cv2.LINE_AA)
        frames.append(picture)
    return frames


def found(frames: list[U8], clip: Tracked, fps: float = 25) -> Overlay:
    edges = StillEdges(fps)
    for frame in frames:
        edges.add(frame)
    counts = edges.counts()
    starts = np.arange(len(counts)) * block_frames(fps)
    return overlay(counts, starts, to_68(clip.dense), np.ones(len(clip.dense), bool), (SIZE, SIZE), fps)


def mouth_and_chin(clip: Tracked) -> tuple[float, float]:
    points = to_68(clip.dense)
    return float(np.median(points[:, 57, 1])), float(np.median(points[:, 8, 1]))


@pytest.mark.parametrize("seconds", [1.0, 2.0])
def test_captions_over_the_chin_are_found(seconds: float, clip: Tracked) -> None:
    mouth, chin = mouth_and_chin(clip)
    y = 0.2 * mouth + 0.8 * chin
    result = found(captioned(clip, y, seconds), clip)
    assert result.covered.mean() > 0.9
    x0, y0, x1, y1 = result.boxes[0]
    assert x0 < SIZE / 2 < x1
    assert y0 < y < y1 + 4
    assert y1 - y0 < 0.2 * SIZE


def test_a_caption_that_comes_and_goes_is_found_where_it_is(clip: Tracked) -> None:
    mouth, chin = mouth_and_chin(clip)
    drawn = captioned(clip, 0.2 * mouth + 0.8 * chin)
    on = np.zeros(len(clip.frames), bool)
    on[80:180] = True
    result = found([d if o else f for d, f, o in zip(drawn, clip.frames, on, strict=True)], clip)
    assert result.covered[92:168].mean() > 0.9
    assert not result.covered[:68].any()
    assert not result.covered[192:].any()


def test_captions_below_the_chin_do_not_cover_it(clip: Tracked) -> None:
    _, chin = mouth_and_chin(clip)
    result = found(captioned(clip, chin + 40), clip)
    assert not result.covered.any()
    assert result.boxes == []


def test_without_captions_none_are_found(clip: Tracked, other: Tracked) -> None:
    for footage in (clip, other):
        assert not found(footage.frames, footage).covered.any()


def test_pieces_are_counted_as_one_film(clip: Tracked) -> None:
    mouth, chin = mouth_and_chin(clip)
    frames = captioned(clip, 0.2 * mouth + 0.8 * chin)
    counts, starts = [], []
    for first, last in ((0, 115), (115, 250)):
        edges = StillEdges(25)
        for frame in frames[first:last]:
            edges.add(frame)
        counts.append(edges.counts())
        starts.append(first + block_frames(25) * np.arange(len(counts[-1])))
    result = overlay(
        np.concatenate(counts), np.concatenate(starts), to_68(clip.dense), np.ones(250, bool), (SIZE, SIZE), 25
    )
    assert result.covered.mean() > 0.9


def test_no_frames_no_captions(clip: Tracked) -> None:
    assert StillEdges(25).counts().shape == (0, 1, 1)
