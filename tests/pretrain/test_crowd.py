"""People in disguise: what changes, and what goes with it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from tests.render.neural_face.conftest import SMALL

from lipwright.pretrain.crowd import Crowd, Disguise
from lipwright.render.neural_face.data import FaceData
from lipwright.render.neural_face.inputs import labels
from lipwright.render.translation.crops import Crops

SAME = np.tile(np.arange(256, dtype=np.uint8), (3, 1))


def test_a_mirrored_person_is_mirrored_in_everything(data: FaceData) -> None:
    other, last = Disguise(SAME, mirrored=True).of(data), data.geometry.size - 1
    for name in ("crops", "drawn", "marks"):
        np.testing.assert_array_equal(getattr(other, name)[5], getattr(data, name)[5][:, ::-1])
    np.testing.assert_allclose(other.landmarks[..., 0], last - data.landmarks[..., 0])
    inside = data.marks[5][..., 0]
    across, up = labels(inside, data.planes[5])[1:]
    mirrored = labels(np.ascontiguousarray(inside[:, ::-1]), other.planes[5])
    np.testing.assert_allclose(mirrored[1], -across[:, ::-1], atol=1e-5)
    np.testing.assert_allclose(mirrored[2], up[:, ::-1], atol=1e-5)


def test_places_mirrored_twice_are_as_before(data: FaceData) -> None:
    disguise = Disguise(SAME, mirrored=True)
    again = disguise.of(disguise.of(data))
    np.testing.assert_allclose(again.planes, data.planes, atol=1e-4)
    np.testing.assert_allclose(again.landmarks, data.landmarks, atol=1e-4)


def test_a_disguise_changes_drawing_and_picture_alike_and_masks_not_at_all(data: FaceData) -> None:
    table = np.stack([255 - SAME[0], SAME[1], SAME[2] // 2])
    other = Disguise(table, mirrored=False).of(data)
    for name in ("crops", "drawn"):
        was, now = getattr(data, name)[3], getattr(other, name)[3]
        np.testing.assert_array_equal(now, np.stack([255 - was[..., 0], was[..., 1], was[..., 2] // 2], 2))
    np.testing.assert_array_equal(other.marks[3], data.marks[3])
    np.testing.assert_array_equal(other.planes, data.planes)


def test_disguises_are_many_and_never_turn_light_into_dark() -> None:
    drawn = [Disguise.drawn(np.random.default_rng(seed)) for seed in range(40)]
    tables = np.stack([d.table for d in drawn]).astype(int)
    assert (np.diff(tables, axis=2) >= 0).all()
    assert tables[:, :, 128].std(0).min() > 10
    assert 10 < sum(d.mirrored for d in drawn) < 30


def test_a_batch_is_one_person_and_the_same_again(data: FaceData) -> None:
    # The second one's pictures are black, so that everybody tells who was looked at.
    dark = replace(data, crops=Crops.of([0 * data.crops[0]] * len(data.crops), data.crops.size))
    crowd, seen = Crowd([data, dark], data), set()
    for step in range(12):
        batch = crowd.batch(SMALL, 0, step)
        assert torch.equal(batch.inputs, crowd.batch(SMALL, 0, step).inputs)
        light = [float(x.max() - x.min()) for x in batch.target]
        assert len({value > 0.5 for value in light}) == 1
        seen.add(light[0] > 0.5)
    assert seen == {True, False}


def test_it_is_judged_by_the_one_who_is_not_learnt_from(data: FaceData) -> None:
    crowd = Crowd([], data)
    assert torch.equal(crowd.plain(np.array([33]), SMALL).target, data.plain(np.array([33]), SMALL).target)
    np.testing.assert_array_equal(crowd.validation, data.validation)
    assert crowd.geometry is data.geometry
    np.testing.assert_array_equal(crowd.mean(), data.mean())
