"""Samples are numbered, what they show belongs together, and mouths come from the frames themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from tests.render.conftest import Person

from lipwright.core.contracts import U8
from lipwright.core.errors import CheckpointError, ShapeError, SubjectError
from lipwright.face.align import apply
from lipwright.render.crossmodal.batch import Batch
from lipwright.render.crossmodal.change import Change
from lipwright.render.crossmodal.config import AUGMENTATIONS, CrossModalConfig
from lipwright.render.crossmodal.data import CrossModalData
from lipwright.render.crossmodal.pairs import PicturePairs
from lipwright.render.crossmodal.strokes import strokes
from lipwright.render.translation.quality import sharpness


def same(a: Batch, b: Batch) -> bool:
    return all(torch.equal(getattr(a, name), getattr(b, name)) for name in a.__dataclass_fields__)


def test_shapes_and_ranges(data: CrossModalData, config: CrossModalConfig) -> None:
    batch = data.plain(np.array([0, 5, 9]), config)
    assert batch.strokes.shape == batch.head.shape == batch.mouth.shape == (3, 3, 256, 256)
    assert batch.speech.shape == (3, 3, 2)
    assert batch.known.shape == (3, 1, 256, 256)
    assert bool((batch.known == 1).all())
    for pictures in (batch.head, batch.mouth):
        assert -1 <= pictures.min() < -0.5 < 0.5 < pictures.max() <= 1


def resized(picture: U8, side: int) -> U8:
    kind = cv2.INTER_AREA if side < len(picture) else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (side, side), interpolation=kind), np.uint8)


def test_the_mouth_picture_is_the_square_of_the_head(data: CrossModalData) -> None:
    x, y, side = data.geometry.mouth_square
    for i in (0, 13):
        square = data.head[i][y : y + side, x : x + side]
        assert np.abs(resized(data.mouth[i], side).astype(int) - square).mean() < 2


def test_the_mouth_picture_has_what_only_the_frame_shows(person: Person) -> None:
    """Frames of fine noise: the head crop halves them, the mouth picture does not."""
    rng = np.random.default_rng(2)
    points = (person.landmarks[:10] + 0.5) * 4 - 0.5
    frames = [rng.integers(0, 256, (512, 512, 3)).astype(np.uint8) for _ in points]
    nothing = np.zeros((10, 3, 2), np.float32)
    noisy = CrossModalData.from_frames(
        frames, points, nothing, person.pose[:10], nothing, 256, np.arange(9), np.array([9])
    )
    x, y, side = noisy.geometry.mouth_square
    enlarged = resized(noisy.head[0][y : y + side, x : x + side], 256)
    assert sharpness(noisy.mouth[0]) > 3 * sharpness(enlarged)


@pytest.mark.parametrize("augmentation", AUGMENTATIONS)
def test_a_step_repeats_itself_whatever_came_before(
    augmentation: str, data: CrossModalData, pairs: PicturePairs, config: CrossModalConfig
) -> None:
    c = replace(config, augmentation=augmentation)
    wanted = data.batch(c, pairs, 7, 3)
    data.batch(c, pairs, 7, 8)
    assert same(data.batch(c, pairs, 7, 3), wanted)
    assert not same(data.batch(c, pairs, 7, 4), wanted)
    assert not same(data.batch(c, pairs, 8, 3), wanted)


def test_a_sample_is_the_same_in_any_batch(data: CrossModalData, pairs: PicturePairs, config: CrossModalConfig) -> None:
    c = replace(config, augmentation="ours", batch=4)
    whole = data.batch(c, pairs, 1, 0)
    halves = [data.batch(replace(c, batch=2), pairs, 1, 0, rank) for rank in (0, 1)]
    for name in whole.__dataclass_fields__:
        assert torch.equal(torch.cat([getattr(half, name) for half in halves]), getattr(whole, name)), name


def test_a_synthetic_sample_hears_i_and_sees_j(
    data: CrossModalData, pairs: PicturePairs, config: CrossModalConfig
) -> None:
    c = replace(config, augmentation="ours", synthetic=1.0, jitter_px=0.0, shift=0.0, batch=1)
    met = set()
    for step in range(12):
        batch = data.batch(c, pairs, 0, step)
        n = round(float((batch.head.mean() + 1) * 127.5) / 10)
        met.add(n)
        assert torch.equal(batch.speech[0], torch.from_numpy(data.speech[pairs.i[n]]))
        j = pairs.j[n]
        assert np.array_equal(batch.strokes[0].numpy(), strokes(data.landmarks[j], data.outline[j], 256))
        assert round(float((batch.mouth.mean() + 1) * 127.5) / 10) == n + 3
    assert met == {0, 1, 2}


def test_the_share_of_synthetic_samples(data: CrossModalData, pairs: PicturePairs, config: CrossModalConfig) -> None:
    c = replace(config, augmentation="ours", batch=1, shift=0.0)
    plain = [float(data.batch(c, pairs, 5, step).head.std()) < 1e-3 for step in range(60)]
    assert sum(plain) / 60 == pytest.approx(0.8, abs=0.12)
    for none in (replace(c, synthetic=0.0), replace(c, augmentation="classical"), replace(c, augmentation="none")):
        assert all(float(data.batch(none, pairs, 5, step).head.std()) > 0.1 for step in range(4))
    assert all(float(data.batch(c, None, 5, step).head.std()) > 0.1 for step in range(4))


def test_only_training_frames_are_drawn(data: CrossModalData, config: CrossModalConfig) -> None:
    known = {data.speech[i].tobytes() for i in data.train}
    for step in range(15):
        for speech in data.batch(config, None, 2, step).speech:
            assert speech.numpy().tobytes() in known


def test_a_shift_moves_strokes_and_pictures_together(data: CrossModalData, config: CrossModalConfig) -> None:
    change = Change(np.array([[1, 0, 6], [0, 1, -3]], np.float32))
    points = data.landmarks[4]
    np.testing.assert_allclose(change.points(points), points + np.array([6, -3]), atol=1e-4)
    head = data.head[4]
    np.testing.assert_array_equal(change.head(head)[10:-10, 10:-10], head[13:-7, 4:-16])
    mouth, known = change.mouth(data.mouth[4], data.geometry.mouth_from_head(256))
    side = data.geometry.mouth_square[2]
    assert known.shape == (256, 256)
    gone = 6 / side * 256  # columns at the left came from outside the square
    assert not known[:, : int(gone)].any()
    assert known[10 : 250 - int(3 / side * 256), int(gone) + 6 : 250].all()
    moved = apply(data.geometry.mouth_from_head(256), change.points(points[None]))[0]
    place = apply(data.geometry.mouth_from_head(256), points[None])[0]
    dx, dy = np.round(moved[51] - place[51]).astype(int)
    inside = np.s_[100:150, 100:150]
    shifted = np.s_[100 - dy : 150 - dy, 100 - dx : 150 - dx]
    assert np.abs(mouth[inside].astype(int) - data.mouth[4][shifted]).mean() < 4


def test_classical_changes_light_and_place_of_both(data: CrossModalData, config: CrossModalConfig) -> None:
    c = replace(config, augmentation="classical", photometric=0.2)
    changes = [Change.drawn(c, np.random.default_rng(k)) for k in range(20)]
    assert len({change.gain for change in changes}) == 20
    turns = [np.arctan2(change.affine[1, 0], change.affine[0, 0]) for change in changes]
    assert 0.02 < np.std(turns) < 0.05
    lit = Change(changes[0].affine, 1.0, 20.0)
    difference = lit.head(data.head[0]).mean() - Change(changes[0].affine).head(data.head[0]).mean()
    assert difference == pytest.approx(20, abs=4)


def test_pairs_on_disk(pairs: PicturePairs, tmp_path: Path) -> None:
    pairs.save(tmp_path / "pairs.safetensors")
    again = PicturePairs.load(tmp_path / "pairs.safetensors")
    for name in ("i", "j", "landmarks"):
        assert np.array_equal(getattr(again, name), getattr(pairs, name))
    for part in ("head", "mouth"):
        assert np.array_equal(getattr(again, part)[2], getattr(pairs, part)[2])
    with pytest.raises(CheckpointError, match="missing"):
        PicturePairs.load(tmp_path / "none.safetensors")


def test_what_does_not_fit_is_refused(data: CrossModalData, pairs: PicturePairs) -> None:
    with pytest.raises(ShapeError, match="speech"):
        replace(data, speech=data.speech[:-1])
    with pytest.raises(ShapeError, match="mouth"):
        replace(data, mouth=data.head.chosen(np.arange(3), 90))
    with pytest.raises(SubjectError, match="film longer"):
        replace(data, train=np.zeros(0, np.int64))
    with pytest.raises(ShapeError, match="j"):
        replace(pairs, j=pairs.j[:2])
