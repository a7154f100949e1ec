"""Coarse is what several mouths agree on, fine is the path's own; whatever windows the frames come in."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from lipwright.core.contracts import F32, U8, Patch, RenderWindow
from lipwright.core.errors import ConfigError
from lipwright.core.ibug import MOUTH_JAW
from lipwright.render.memory.bank import MouthBank, build_bank
from lipwright.render.memory.blend import outside_mouth
from lipwright.render.memory.place import Place
from lipwright.render.memory.renderer import MemoryConfig, MemoryRenderer
from lipwright.render.memory.search import MOMENT, PathSearch
from lipwright.subject.store import Subject

SHOWN = slice(140, 152)


@pytest.fixture(scope="module")
def clip(subject: Subject) -> list[U8]:
    return [frame for _, frame in zip(range(200), subject.frames.read(), strict=False)]


@pytest.fixture(scope="module")
def bank(subject: Subject, clip: list[U8]) -> MouthBank:
    return build_bank(enumerate(clip[:120]), subject.track)


def window(subject: Subject, clip: list[U8], where: slice, ahead: int = 0) -> RenderWindow:
    track = subject.track[where.start : where.stop + ahead]
    return RenderWindow(clip[where], subject.track[where], track.landmarks_px[:, MOUTH_JAW], track)


def blurred(image: F32, deviation: float) -> F32:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), deviation), np.float32)


def test_skin_is_coarsely_the_mean_of_three_and_the_rest_the_path_s_own(subject: Subject, bank: MouthBank) -> None:
    geometry, track = bank.geometry, subject.track[SHOWN]
    renderer = MemoryRenderer(bank, MemoryConfig(crossfade=0.0, sharpen=0.0))
    maps = geometry.aligner.maps(track.landmarks_px)
    boxes = geometry.frame_boxes(maps)
    for t in (0, 5, 11):
        points = track.landmarks_px[t]
        place = Place.of(boxes[t], maps[t], points, points[MOUTH_JAW], geometry.eye_distance)
        (x0, y0), (x1, y1) = place.target[:20].min(0).astype(int) - 20, place.target[:20].max(0).astype(int) + 20
        area, mouths = (slice(y0, y1), slice(x0, x1)), [10 + t, 50, 90]
        picture = renderer._mixed(np.array([9 + t, 10 + t, 11 + t]), 1, place.of_area(area), mouths[1:])
        own, *rest = (renderer.remembered(i, place.of_area(area)) for i in mouths)
        mean, blur = (own + rest[0] + rest[1]) / 3, renderer.config.fade_blur * place.scale
        lips = place.target[12:20] - np.array([x0, y0], np.float32)
        beside = outside_mouth(lips, (x1 - x0, y1 - y0), 0.1 * place.scale, 1.0) == 1
        coarse, alone, averaged = (blurred(x, 4 * blur)[beside] for x in (picture, own, mean))
        assert np.abs(coarse - averaged).mean() < 0.1 * np.abs(alone - averaged).mean()
        fine, alone, averaged = (x - blurred(x, blur / 2) for x in (picture, own, mean))
        assert np.abs(fine - alone).mean() < 0.2 * np.abs(averaged - alone).mean()
        between = outside_mouth(lips, (x1 - x0, y1 - y0), 0.01 * place.scale, 0.1) < 0.01
        assert between.any()
        assert np.abs(picture - own)[between].mean() < 0.25 * np.abs(mean - own)[between].mean()


def test_between_the_lips_and_around() -> None:
    square = np.array([[10, 10], [20, 10], [20, 20], [10, 20]], np.float32)
    where = outside_mouth(square, (40, 30), 3.0, 0.5)
    assert where.shape == (30, 40)
    assert where[15, 15] == 0
    assert where[15, 8] < 0.05  # 2 px beside it
    assert where[15, 4] == 1


def test_windows_and_chunks_make_no_difference(subject: Subject, clip: list[U8], bank: MouthBank) -> None:
    renderer = MemoryRenderer(bank)
    whole = list(renderer.render(window(subject, clip, SHOWN, renderer.lookahead)))
    for size in (1, 5):
        renderer.reset()
        parts: list[Patch] = []
        for at in range(SHOWN.start, SHOWN.stop, size):
            part = slice(at, min(at + size, SHOWN.stop))
            parts += renderer.render(window(subject, clip, part, renderer.lookahead))
        for a, b in zip(whole, parts, strict=True):
            np.testing.assert_array_equal(a.rgb8, b.rgb8)
            np.testing.assert_array_equal(a.mask, b.mask)
    alone = MemoryRenderer(bank, MemoryConfig(coarse_mouths=1)).render(window(subject, clip, SHOWN, renderer.lookahead))
    assert all((a.rgb8 != b.rgb8).any() for a, b in zip(whole, alone, strict=True)), "by itself it is another picture"


def test_the_others_are_of_other_moments_and_nearest_first(subject: Subject, bank: MouthBank) -> None:
    search = PathSearch(bank)
    shapes = bank.shapes()
    for mouth in (0, 57, 119):
        found = search.others(shapes[mouth], bank.pose_rad[mouth], mouth, 4)
        moments = bank.source[[mouth, *found]]
        assert np.abs(np.subtract.outer(moments, moments))[~np.eye(5, dtype=bool)].min() > MOMENT
        away = np.square(search._features[found] - search._features[mouth]).sum(1)
        assert (np.diff(away) >= 0).all()


def test_fewer_moments_than_asked_for(subject: Subject, clip: list[U8]) -> None:
    few = build_bank([(3, clip[3]), (4, clip[4]), (40, clip[40])], subject.track)
    assert PathSearch(few).others(few.shapes()[0], few.pose_rad[0], 0, 5) == [2]
    renderer = MemoryRenderer(few)
    assert len(list(renderer.render(window(subject, clip, SHOWN)))) == 12


def test_a_persona_from_before(bank: MouthBank) -> None:
    arrays, config = MemoryRenderer(bank).state()
    older = {k: v for k, v in config["memory"].items() if k != "coarse_mouths"}
    renderer = MemoryRenderer.from_state(arrays, config | {"memory": older})
    assert renderer.config.coarse_mouths == MemoryConfig().coarse_mouths
    with pytest.raises(ConfigError, match="at least 1"):
        replace(MemoryConfig(), coarse_mouths=0)
